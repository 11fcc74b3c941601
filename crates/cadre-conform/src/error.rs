use std::io;
use std::path::{Path, PathBuf};

use cadre_tla::TlaError;

/// Why traces could not be checked. That a trace does not conform is a verdict, not an error.
#[derive(Debug, thiserror::Error)]
pub enum ConformError {
    /// TLC could not be run on them, or not read.
    #[error(transparent)]
    Tla(#[from] TlaError),

    /// There is nothing to check.
    #[error("expected at least one trace, found none; record or generate one first")]
    NoTraces,

    /// A trace logs a variable which the specification does not have.
    #[error(
        "expected a variable of the specification ({known}) in trace {trace}, step {step}, found \
         `{variable}`; correct the mapping"
    )]
    UnknownVariable {
        /// The name of the trace.
        trace: String,
        /// The step, from 1; 0 is the initial state.
        step: usize,
        /// The variable that was logged.
        variable: String,
        /// The variables that there are.
        known: String,
    },

    /// A state of a graph does not tell what the specification's variables are.
    #[error(
        "expected a value for each variable of the specification ({expected}) and for nothing \
         else, found values for {found}; correct the mapping"
    )]
    OtherVariables {
        /// The variables that there are.
        expected: String,
        /// The variables that have a value.
        found: String,
    },

    /// A name that the specification does not have.
    #[error("expected {what} of {known}, found `{found}` {place}; {}", advice_on_name(nearest))]
    UnknownName {
        /// What it would name, such as `an action`.
        what: &'static str,
        /// The module, and the names that it has.
        known: String,
        /// The name.
        found: String,
        /// The name that may have been meant.
        nearest: Option<String>,
        /// Where it stands.
        place: String,
    },

    /// An action has other arguments.
    #[error(
        "expected the arguments of {action} ({expected}), found {found} {place}; name each of them \
         as the trace module does"
    )]
    OtherArguments {
        /// The action.
        action: String,
        /// The names of its arguments.
        expected: String,
        /// Those that are given.
        found: String,
        /// Where.
        place: String,
    },

    /// A step is one of no actions.
    #[error(
        "expected at least one action of which the step {place} is one, found none; correct the \
         mapping"
    )]
    NoAlternative {
        /// Which step.
        place: String,
    },

    /// A step is one of too many sequences of actions.
    #[error(
        "expected at most {ways_max} sequences of actions that the step {place} may be, found \
         more; state it as several steps, or say in the mapping which of them it is"
    )]
    TooManyWays {
        /// Which step.
        place: String,
        /// How many would have been fine.
        ways_max: usize,
    },

    /// A constant has no value.
    #[error(
        "expected a value for the constant {name} of {module}, found none; give it one among the \
         `constants` of the mapping, such as {name} = \"{{a, b}}\""
    )]
    NoConstant {
        /// The module.
        module: String,
        /// The constant.
        name: String,
    },

    /// A variable is not named.
    #[error(
        "expected the mapping to name every variable of {module}, found no {name}; add it, and say \
         what its value is"
    )]
    NoVariable {
        /// The module.
        module: String,
        /// The variable.
        name: String,
    },

    /// A module does not say which of its steps traces may take.
    #[error(
        "expected {module} to define {lacks}, as a trace module does, found no definition; let \
         `spec --scaffold` write a trace module for it"
    )]
    NoTraceModule {
        /// The module.
        module: String,
        /// What it does not define.
        lacks: &'static str,
    },

    /// A module is no specification whose states could be checked.
    #[error(
        "expected {module} to define {lacks}, found no definition; name the module that has the \
         initial predicate Init and the next-state action Next"
    )]
    NoStates {
        /// The module.
        module: String,
        /// What it does not define.
        lacks: &'static str,
    },

    /// A part of the specification has a name which is none in TLA+, or none of a file.
    #[error("expected {expected}, found `{found}`; correct the specification's description")]
    BadName {
        /// What would have been fine.
        expected: &'static str,
        /// What is there.
        found: String,
    },

    /// The check would have accepted what it must not, or the other way round.
    #[error(
        "expected {expected}, but TLC found otherwise, so that its other verdicts mean nothing; \
         look for a guard that is missing in the trace module, see {}", log.display()
    )]
    Vacuous {
        /// Which self-test failed.
        expected: &'static str,
        /// The output of the run.
        log: PathBuf,
    },

    /// TLC ended normally without saying something about each trace.
    #[error(
        "expected a verdict for trace {trace}, found none in TLC's output; keep {} for a report of \
         this error", log.display()
    )]
    Incomplete {
        /// The name of the trace.
        trace: String,
        /// The output of the run.
        log: PathBuf,
    },

    /// TLC ended normally without having looked at every state of a graph.
    #[error(
        "expected TLC to look at every state of the graph, but its dump lacks some; keep {} for a \
         report of this error", log.display()
    )]
    IncompleteGraph {
        /// The output of the run.
        log: PathBuf,
    },

    /// An assumption of the specification does not hold for these constants.
    #[error(
        "expected the constants to fulfil the specification's assumptions, but: {assumption} is \
         false; correct them, see {}", log.display()
    )]
    AssumptionFailed {
        /// Which one, as TLC puts it.
        assumption: String,
        /// The output of the run.
        log: PathBuf,
    },

    /// A specification of which there is no behaviour, so that everything holds.
    #[error(
        "expected an initial state of {module}, found none, so that whatever is claimed holds; \
         correct {specification} or the constants, see {}", log.display()
    )]
    NoInitialState {
        /// The module.
        module: String,
        /// The temporal formula that is the specification.
        specification: String,
        /// The output of the run.
        log: PathBuf,
    },

    /// A name that is mapped as a variable and is none.
    #[error(
        "expected the variables of the specification ({found}), found `{variable}` among those \
         that the mapping names; correct the mapping"
    )]
    NotVariable {
        /// The name.
        variable: String,
        /// The variables that there are.
        found: String,
    },

    /// Several hosts cannot check this.
    #[error(
        "expected invariants alone for a distributed run, as TLC passes over temporal properties \
         there in silence, found {properties}; leave them out, or run it on this host"
    )]
    NotDistributed {
        /// The temporal properties.
        properties: String,
    },

    /// Too many traces make the specification fail instead of being accepted or rejected.
    #[error(
        "expected expressions that TLC can evaluate, but the traces ran into more than {count} \
         that it cannot; check fewer traces, and correct the mapping or the trace module"
    )]
    TooManyErrors {
        /// How many were looked into.
        count: usize,
    },

    /// A line which a generated module printed cannot be understood.
    #[error("expected a verdict line, found {found}; let the modules print nothing of their own")]
    ForeignLine {
        /// What was printed.
        found: String,
    },

    /// A file could not be written.
    #[error("expected to write {}, but: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

fn advice_on_name(nearest: &Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("perhaps {nearest} is meant"),
        None => "correct it".to_owned(),
    }
}

impl ConformError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}
