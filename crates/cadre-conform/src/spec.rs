use std::collections::BTreeMap;
use std::fmt;

use cadre_tla::Value;

/// A TLA+ specification together with the module that maps traces to it.
///
/// # Contract
///
/// The trace module extends the specification and defines
///
/// - `TraceInit`, the initial states a trace may have;
/// - `TraceEvent(e)`, an action: the step of the specification which the event
///   `e = [name |-> action, args |-> record of arguments]` stands for, and `FALSE` for all others;
/// - `TraceArguments`, a record from each action's name to the set of its argument records
///   (`[rm : RM]`), `{<<>>}` for an action without arguments.
///
/// For [`check_graph`](crate::check_graph) these sets are finite, and the next-state action of the
/// specification is called `Next`.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The name by which the specification is reported, such as `TwoPhase`.
    pub name: String,
    /// The trace module, such as `TraceTwoPhase`.
    pub trace_module: String,
    /// All modules: file name and text.
    pub files: Vec<(String, String)>,
    /// The values of the specification's constants. Model values are declared as they occur.
    pub constants: BTreeMap<String, Value>,
    /// The variables of the specification, all of them.
    pub variables: Vec<String>,
    /// Invariants to be checked in every state that a trace reaches.
    pub invariants: Vec<String>,
    /// What is claimed of endless behaviours, which traces cannot show; for
    /// [`check_model`](crate::check_model) alone.
    pub temporal: Option<Temporal>,
}

/// What is claimed of a specification's behaviours as wholes.
#[derive(Clone, Debug)]
pub struct Temporal {
    /// The formula that is the specification with its fairness, such as `FairSpec`.
    pub specification: String,
    /// The properties of it.
    pub properties: Vec<String>,
}

/// A recorded behaviour in the words of the specification.
#[derive(Clone, Debug, Default)]
pub struct SpecTrace {
    /// The name by which it is reported.
    pub name: String,
    /// What is known of the state it starts in.
    pub initial: Option<BTreeMap<String, Value>>,
    /// Its steps.
    pub steps: Vec<SpecStep>,
}

/// One step of a trace.
#[derive(Clone, Debug)]
pub struct SpecStep {
    /// What happened.
    pub action: SpecAction,
    /// What is known of the state afterwards: some variables, or all.
    pub variables: Option<BTreeMap<String, Value>>,
}

/// What a step is in the specification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpecAction {
    /// Nothing changes in the specification.
    Stutter,
    /// One step of it.
    Step {
        /// The name of the action.
        name: String,
        /// All its arguments by name.
        arguments: BTreeMap<String, Value>,
    },
}

impl SpecAction {
    /// The action of this name without arguments.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Step { name: name.into(), arguments: BTreeMap::new() }
    }

    /// The same action with one more argument; a stutter stays a stutter.
    pub fn with(mut self, argument: impl Into<String>, value: Value) -> Self {
        match &mut self {
            Self::Stutter => {}
            Self::Step { arguments, .. } => {
                arguments.insert(argument.into(), value);
            }
        }
        self
    }
}

impl fmt::Display for SpecAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stutter => f.write_str("stutter"),
            Self::Step { name, arguments } if arguments.is_empty() => f.write_str(name),
            Self::Step { name, arguments } => {
                write!(f, "{name}(")?;
                for (position, (argument, value)) in arguments.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{argument}: {value}")?;
                }
                f.write_str(")")
            }
        }
    }
}
