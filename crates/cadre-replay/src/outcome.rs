use std::fmt;
use std::path::PathBuf;

use cadre_trace::{Action, Difference, Happening, Snapshot};

/// What came of a replay.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The processes did everything that the trace says, and nothing else.
    Agrees {
        /// How many steps were compared.
        steps: usize,
    },
    /// The first step at which they did not.
    Differs {
        /// The step; 0 for the start of the nodes.
        step: usize,
        /// What was to happen; `None` at the start.
        action: Option<Box<Action>>,
        /// The node that differs.
        node: String,
        /// What differs: before is what the trace says, after is what the process did.
        differences: Vec<Difference>,
        /// Where the process of the node has written its errors.
        log: PathBuf,
    },
}

/// What came of a free run.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The configuration after the starts of all nodes.
    pub initial: Snapshot,
    /// What happened then, in an order that agrees with happened-before.
    pub happenings: Vec<Happening>,
    /// Why the run was ended.
    pub ended: Ended,
}

/// Why a free run was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// No node made a step any more.
    Quiet,
    /// The time was over; the nodes would have gone on.
    TimeLimit,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agrees { steps: 1 } => f.write_str("the processes agree with the step"),
            Self::Agrees { steps } => write!(f, "the processes agree with all {steps} steps"),
            Self::Differs { step, action, node, differences, log: _ } => {
                match action {
                    Some(action) => write!(f, "{node} differs at step {step} ({action})")?,
                    None => write!(f, "{node} differs at its start")?,
                }
                f.write_str(", expected → found:")?;
                differences.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
            }
        }
    }
}
