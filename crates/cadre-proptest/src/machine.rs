use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use cadre_model::Model;
use proptest::strategy::BoxedStrategy;
use proptest_state_machine::ReferenceStateMachine;
use proptest_state_machine::strategy::Sequential;

use crate::walk::{self, Step, Walk};

/// Any model as the [`ReferenceStateMachine`] of proptest-state-machine, named by a [`Subject`].
///
/// Transitions are the enabled actions, faults four times rarer than others; shrinking leaves out
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
}

impl<S: Subject> ReferenceStateMachine for Machine<S> {
    type State = Walk<S::Model>;
    type Transition = Step<<S::Model as Model>::Action>;

    fn init_state() -> BoxedStrategy<Self::State> {
        walk::starts(shared::<S>())
    }

    fn transitions(state: &Self::State) -> BoxedStrategy<Self::Transition> {
        walk::steps(state)
    }

    fn apply(state: Self::State, transition: &Self::Transition) -> Self::State {
        apply(state, transition)
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

/// The walks through a model as values of proptest.
pub(crate) type Walks<M> = Sequential<
    Walk<M>,
    Step<<M as Model>::Action>,
    BoxedStrategy<Walk<M>>,
    BoxedStrategy<Step<<M as Model>::Action>>,
>;

/// The walks of a number of transitions through the model that is lent in this thread.
pub(crate) fn walks<M: Model + 'static>(_: &Lent<M>, steps: usize) -> Walks<M> {
    Sequential::new(steps.into(), || walk::starts(lent::<M>()), Walk::permits, walk::steps, apply)
}

fn apply<M: Model>(mut walk: Walk<M>, step: &Step<M::Action>) -> Walk<M> {
    walk.take(step);
    walk
}

type Models = BTreeMap<TypeId, Rc<dyn Any>>;

thread_local! {
    /// Models by the type that names them: closures of proptest must be `Send`, and so cannot hold
    /// one.
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

fn lent<M: Model + 'static>() -> Rc<M> {
    let model = MODELS.with_borrow(|models| models.get(&TypeId::of::<Lent<M>>()).cloned());
    let model = model.expect("a model is lent while walks through it are made");
    model.downcast().expect("the key names the type")
}

/// While it lives, its model is the one of its type that [`walks`] in this thread go through.
pub(crate) struct Lent<M: 'static> {
    earlier: Option<Rc<dyn Any>>,
    of: PhantomData<M>,
}

impl<M: Model + 'static> Lent<M> {
    pub(crate) fn new(model: &Rc<M>) -> Self {
        let model: Rc<dyn Any> = Rc::<M>::clone(model);
        let earlier = MODELS.with_borrow_mut(|models| models.insert(TypeId::of::<Self>(), model));
        Self { earlier, of: PhantomData }
    }
}

impl<M: 'static> Drop for Lent<M> {
    fn drop(&mut self) {
        let key = TypeId::of::<Self>();
        // The model that is replaced is dropped after the borrow, for its own drop may do anything.
        let replaced = MODELS.with_borrow_mut(|models| match self.earlier.take() {
            Some(earlier) => models.insert(key, earlier),
            None => models.remove(&key),
        });
        drop(replaced);
    }
}
