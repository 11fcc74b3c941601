use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use cadre_tla::Value;

use crate::vocabulary::known;
use crate::{ConformError, Spec, SpecAction, SpecTrace};

/// What TLC says about a batch of traces.
#[derive(Clone, Debug)]
pub struct Report {
    /// One verdict for each trace, in their order.
    pub verdicts: Vec<TraceVerdict>,
    /// The actions that the trace module knows, as far as it has said so.
    pub actions: Option<BTreeSet<String>>,
    /// How many states of the specification the traces went through in the first run.
    pub states: u64,
    /// How often TLC was run: once if all traces conform.
    pub runs: u32,
    /// How long TLC ran altogether.
    pub elapsed: Duration,
    /// The command of each run.
    pub commands: Vec<String>,
    /// The output of each run.
    pub logs: Vec<PathBuf>,
    /// What TLC calls itself.
    pub version: String,
}

impl Report {
    /// Whether every trace conforms.
    pub fn conforms(&self) -> bool {
        self.verdicts.iter().all(|verdict| matches!(verdict, TraceVerdict::Conforms))
    }

    /// Checks that the traces name no action but those that the trace module knows. Where one does,
    /// it is rejected there, unless something else is wrong before; this tells the name that may
    /// have been meant.
    ///
    /// # Errors
    ///
    /// [`ConformError::UnknownName`].
    pub fn judge_names(&self, spec: &Spec, traces: &[SpecTrace]) -> Result<(), ConformError> {
        match &self.actions {
            None => Ok(()),
            Some(actions) => actions_known(actions, spec, traces),
        }
    }
}

/// Checks the same by the names themselves.
///
/// # Errors
///
/// [`ConformError::UnknownName`].
pub(crate) fn actions_known<'t>(
    actions: &BTreeSet<String>,
    spec: &Spec,
    traces: impl IntoIterator<Item = &'t SpecTrace>,
) -> Result<(), ConformError> {
    for trace in traces {
        for (number, step) in (1..).zip(&trace.steps) {
            let place = || format!("in step {number} of {}", trace.name);
            action_known(actions, spec, &step.action, place)?;
        }
    }
    Ok(())
}

/// Checks the same of one action.
///
/// # Errors
///
/// [`ConformError::UnknownName`].
pub(crate) fn action_known(
    actions: &BTreeSet<String>,
    spec: &Spec,
    action: &SpecAction,
    place: impl Fn() -> String,
) -> Result<(), ConformError> {
    let mut mentioned = action.mentioned().into_iter();
    mentioned
        .try_for_each(|(name, _)| known("an action", &spec.trace_module, actions, name, &place))
}

/// What TLC says about one trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceVerdict {
    /// It is a behaviour of the specification.
    Conforms,
    /// It is none.
    Rejected(Rejection),
    /// Neither is known.
    Undetermined {
        /// The step that could not be judged, from 1; 0 is the initial state.
        step: usize,
        /// Why not, and what to do.
        why: String,
    },
}

/// The first step which the specification does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The step, from 1; 0 is the initial state.
    pub step: usize,
    /// Which step of the specification it is, where the step of the trace is several of them.
    pub part: Option<StepPart>,
    /// What is wrong with it.
    pub reason: Reason,
    /// The state of the specification before the step, or before that part of it; the state itself
    /// if that is what is wrong, be it an initial one or one that violates an invariant.
    pub spec_state: BTreeMap<String, Value>,
    /// The part of the specification that is false: of the action's definition, of the initial
    /// predicate, or of the invariant. Several if alternatives get equally far; none if each part
    /// is true but not all of them together, if nothing could be found out, or if the report has
    /// many rejections.
    pub false_parts: Vec<FalsePart>,
    /// The actions which the specification allows instead; empty if they cannot be enumerated, or
    /// if the report has many rejections.
    pub enabled: Vec<String>,
}

/// One of the steps of the specification that a step of a trace is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPart {
    /// Which of them it is, from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// What it is: a stutter or a single step.
    pub action: SpecAction,
}

/// A part of the specification that is false where a trace leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FalsePart {
    /// Its text, in one line.
    pub text: String,
    /// The operator in whose definition it stands.
    pub operator: String,
    /// The file and the line where it begins; none if it stands nowhere, as for stuttering.
    pub place: Option<(String, u32)>,
    /// The values of what it mentions.
    pub values: Vec<(String, Value)>,
    /// Why it has no value, if it is not false but cannot be evaluated.
    pub error: Option<String>,
}

/// What is wrong with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The specification has the action, but not in this state.
    NotEnabled,
    /// The specification has no action of this name.
    UnknownAction,
    /// The action has other arguments, or an argument outside its domain.
    WrongArguments,
    /// The specification takes the step to another state than the one that was logged.
    WrongState {
        /// The variables that differ.
        differs: Vec<Difference>,
    },
    /// The specification starts in another state than the one that was logged.
    WrongInitial {
        /// The variables that differ.
        differs: Vec<Difference>,
    },
    /// The specification takes the step to a state which violates an invariant of its own.
    InvariantViolated {
        /// The invariant.
        name: String,
    },
}

/// A variable that has not the value which was logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The variable.
    pub variable: String,
    /// Its value in the trace.
    pub logged: Value,
    /// Its value in the specification.
    pub spec: Value,
}
