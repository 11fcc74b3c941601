use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use cadre_model::Model;
use proptest::strategy::BoxedStrategy;
use proptest_state_machine::ReferenceStateMachine;

use crate::walk::{self, Step, Walk};
use crate::weights::Weights;

/// Any model as the [`ReferenceStateMachine`] of proptest-state-machine, named by a [`Subject`].
///
/// Transitions are the enabled actions, by the [weights](Subject::weights); shrinking leaves out
/// actions whose absence keeps the rest possible. A [`Step::Idle`] stands where nothing is enabled.
///
/// # Examples
///
/// A counter of one's own, driven by a model of what a counter may do:
///
/// ```
/// use cadre_model::Model;
/// use cadre_proptest::{Machine, Step, Subject, Walk};
/// use proptest_state_machine::{StateMachineTest, prop_state_machine};
///
/// struct UpTo3;
///
/// impl Model for UpTo3 {
///     type State = u32;
///     type Action = &'static str;
///
///     fn init(&self) -> Vec<u32> {
///         vec![0]
///     }
///
///     fn actions(&self, state: &u32, out: &mut Vec<&'static str>) {
///         out.extend((*state < 3).then_some("add"));
///     }
///
///     fn next(&self, state: &u32, _: &&'static str) -> Option<u32> {
///         (*state < 3).then(|| state + 1)
///     }
/// }
///
/// struct Counting;
///
/// impl Subject for Counting {
///     type Model = UpTo3;
///
///     fn model() -> UpTo3 {
///         UpTo3
///     }
/// }
///
/// impl StateMachineTest for Counting {
///     type SystemUnderTest = Vec<()>;
///     type Reference = Machine<Counting>;
///
///     fn init_test(_: &Walk<UpTo3>) -> Vec<()> {
///         Vec::new()
///     }
///
///     fn apply(mut system: Vec<()>, _: &Walk<UpTo3>, step: Step<&'static str>) -> Vec<()> {
///         system.extend(step.action().map(|_| ()));
///         system
///     }
///
///     fn check_invariants(system: &Vec<()>, reference: &Walk<UpTo3>) {
///         assert_eq!(system.len(), *reference.state() as usize);
///     }
/// }
///
/// prop_state_machine! {
///     // Under `#[test]`, in a test file.
///     fn the_counter_counts(sequential 1..10 => Counting);
/// }
/// the_counter_counts();
/// ```
pub struct Machine<S>(PhantomData<fn() -> S>);

/// Names a model by a type: the methods of a [`ReferenceStateMachine`] have no `self` to hold one.
pub trait Subject: 'static {
    /// The model.
    type Model: Model + 'static;

    /// Makes the model; called once in a thread.
    fn model() -> Self::Model;

    /// How likely its actions are.
    fn weights(model: &Self::Model) -> Weights {
        let _ = model;
        Weights::default()
    }
}

impl<S: Subject> ReferenceStateMachine for Machine<S> {
    type State = Walk<S::Model>;
    type Transition = Step<<S::Model as Model>::Action>;

    fn init_state() -> BoxedStrategy<Self::State> {
        let model = shared::<S>();
        let weights = S::weights(&model);
        walk::starts(model, weights)
    }

    fn transitions(state: &Self::State) -> BoxedStrategy<Self::Transition> {
        walk::steps(state)
    }

    fn apply(mut state: Self::State, transition: &Self::Transition) -> Self::State {
        state.take(transition);
        state
    }

    fn preconditions(state: &Self::State, transition: &Self::Transition) -> bool {
        state.permits(transition)
    }
}

impl<S> fmt::Debug for Machine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}

type Models = BTreeMap<TypeId, Rc<dyn Any>>;

thread_local! {
    /// Models by the type that names them: what they remember serves all cases of a thread.
    static MODELS: RefCell<Models> = const { RefCell::new(BTreeMap::new()) };
}

/// The model of a subject; one for each thread, so that what it remembers serves all cases.
fn shared<S: Subject>() -> Rc<S::Model> {
    let key = TypeId::of::<Machine<S>>();
    let known = MODELS.with_borrow(|models| models.get(&key).cloned());
    let model = known.unwrap_or_else(|| {
        let made: Rc<dyn Any> = Rc::new(S::model());
        MODELS.with_borrow_mut(|models| models.insert(key, Rc::clone(&made)));
        made
    });
    model.downcast().expect("a subject names one type of model")
}
