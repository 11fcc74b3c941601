use std::collections::BTreeMap;
use std::fmt;

use cadre_step::SyncError;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::snapshot::{Change, Envelope, Request, Snapshot};
use crate::{DiskWrite, Json};

/// The record of one execution: where it started, and every step it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What was executed and what became of it.
    pub header: Header,
    /// The steps, in an order that agrees with happened-before.
    pub steps: Vec<Step>,
}

/// What was executed, from which configuration, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The name of the protocol's game.
    pub protocol: String,
    /// The parameters of the game, by name: what has to be said again to get the same cluster.
    pub setup: BTreeMap<String, Json>,
    /// Which engine or process wrote the trace.
    pub origin: String,
    /// The names of the nodes; every other mention of a node is one of these.
    pub nodes: Vec<String>,
    /// What the network may do, in the words of the cluster.
    pub network: String,
    /// The guarantee that the trace is about.
    pub guarantee: Option<Guarantee>,
    /// What was found.
    pub verdict: Verdict,
    /// The configuration before the first step.
    pub initial: Snapshot,
    /// The specification the trace maps to.
    pub spec: Option<SpecHeader>,
    /// The step after which the rest of the steps repeats for ever, 0 being the initial
    /// configuration: the last configuration is the one after that step. `None` where the execution
    /// ends with its last step, or nothing is said of what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_from: Option<usize>,
}

/// One step: one choice of the environment and what followed from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The position of the step, from 1; 0 stands for the initial configuration.
    pub step: usize,
    /// The choice.
    pub action: Action,
    /// What the node's step function consumed, where the choice made one run.
    pub event: Option<Event>,
    /// What the step function asked for.
    pub effects: Vec<Effect>,
    /// The Lamport clock of the node after the step; see [`Recorder`](crate::Recorder).
    pub lamport: u64,
    /// The vector clock of the node after the step; nodes that are not named have 0.
    pub clock: BTreeMap<String, u64>,
    /// The steps that this one directly follows from: the node's previous step, and the sending
    /// step of the message that was delivered, dropped or duplicated.
    pub causes: Vec<usize>,
    /// What the step changed in the configuration.
    pub change: Change,
    /// The panic or the lack of determinism that ended the node's step.
    pub failure: Option<String>,
    /// What the step is in the specification.
    pub spec: Option<SpecStep>,
    /// When it happened, in microseconds of virtual time; `None` where nobody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_us: Option<u64>,
}

/// One choice of the environment, with its arguments by name: enough to execute it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// A message reaches its destination.
    Deliver(Envelope),
    /// A node does something of its own accord.
    Choose {
        /// The node.
        node: String,
        /// Which of its choices.
        timer: Json,
    },
    /// An armed timer goes off.
    Fire {
        /// The node.
        node: String,
        /// The timer.
        timer: Json,
    },
    /// The disk reports that a sync is done.
    SyncDone {
        /// The node.
        node: String,
    },
    /// A client makes its next request.
    Invoke {
        /// Which request, of which client.
        id: Request,
        /// The node that is asked.
        node: String,
        /// What is asked.
        request: Json,
    },
    /// In a cluster that counts time, one unit of it passes.
    Tick,
    /// Something goes wrong, or what went wrong ends.
    Fault(Fault),
}

/// What a step function consumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The node starts.
    Start,
    /// A message arrives.
    Deliver {
        /// The sender.
        from: String,
        /// The message.
        message: Json,
    },
    /// A timer goes off, or the node makes a choice.
    Timeout {
        /// Which.
        timer: Json,
    },
    /// A client asks.
    Request {
        /// Which request, of which client.
        id: Request,
        /// What is asked.
        request: Json,
    },
    /// A sync is done.
    SyncDone,
    /// A sync has failed.
    SyncFailed {
        /// How, and what has become of the writes.
        error: SyncError,
    },
}

/// What a step function asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// A message is sent.
    Send {
        /// The destination.
        to: String,
        /// The message.
        message: Json,
    },
    /// A timer is armed.
    SetTimer {
        /// Which.
        timer: Json,
        /// After how many microseconds it goes off.
        after_us: u64,
    },
    /// A timer is disarmed.
    CancelTimer {
        /// Which.
        timer: Json,
    },
    /// A write that a crash may undo.
    Write(DiskWrite),
    /// A write that survives a crash at once.
    WriteSynced(DiskWrite),
    /// A sync is asked for.
    Sync,
    /// A client is answered.
    Respond {
        /// Which request, of which client.
        id: Request,
        /// The answer.
        response: Json,
    },
}

/// A guarantee, and what it looked at when it was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guarantee {
    /// Its name, a phrase that states a fact.
    pub name: String,
    /// What it demands.
    pub kind: GuaranteeKind,
    /// The nodes whose states it looked at in the last configuration.
    pub reads: Vec<String>,
    /// What it has to say about the last configuration, a clause such as `rm1 and rm2 differ`.
    pub finding: Option<String>,
}

/// What a guarantee demands of the executions of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuaranteeKind {
    /// True in every configuration.
    Always,
    /// True in some configuration that can be reached.
    Reachable,
    /// Where nothing but faults can happen any more: the precondition implies the postcondition.
    PrePost,
    /// True in some configuration of every fair execution.
    Eventually(Fairness),
    /// After every configuration where the first predicate is true the second one is: there, or
    /// later on every fair execution.
    LeadsTo(Fairness),
    /// Once there are no faults any more: from some configuration on true for ever, on every fair
    /// execution.
    Convergent(Fairness),
}

/// Which endless executions count: those that neglect nothing that could happen.
///
/// Whatever the fairness, an execution does not end where anything but a fault can still change the
/// configuration, and faults never have to happen. What an action is, for this purpose, is the
/// model's to say: see `Model::fairness_class` of `cadre-model`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fairness {
    /// All: what can happen may be put off for ever, as long as something else happens.
    None,
    /// Those in which what is possible from some step on, without a break, happens again and again.
    #[default]
    Weak,
    /// Those in which what is possible again and again happens again and again.
    Strong,
}

impl GuaranteeKind {
    /// Which executions the guarantee is about, if it takes an endless one to violate it.
    pub fn fairness(self) -> Option<Fairness> {
        match self {
            Self::Always | Self::Reachable | Self::PrePost => None,
            Self::Eventually(fairness) | Self::LeadsTo(fairness) | Self::Convergent(fairness) => {
                Some(fairness)
            }
        }
    }
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every execution was covered and none violates.
    Holds,
    /// This execution violates.
    Violated,
    /// Nothing was found within the bound, which is not all there is.
    Bounded,
}

/// The specification a trace maps to, and the values of its variables before the first step.
///
/// Values are JSON in the encoding of the Informal Trace Format, which `cadre-tla` reads and
/// writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecHeader {
    /// The name of the specification's module.
    pub module: String,
    /// The values of its constants.
    pub constants: BTreeMap<String, Json>,
    /// The values of its variables.
    pub variables: BTreeMap<String, Json>,
}

/// What a step is in the specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecStep {
    /// The action's name; `None` for a step that changes none of the specification's variables,
    /// and for one that is several steps of the specification.
    pub action: Option<String>,
    /// The action's arguments.
    pub arguments: BTreeMap<String, Json>,
    /// The values of the variables after the step.
    pub variables: BTreeMap<String, Json>,
    /// The sequences of steps of the specification that the step may be, where it is several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Vec<SpecPart>>,
}

/// One of several steps of the specification that a step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecPart {
    /// The action's name; `None` if nothing changes.
    pub action: Option<String>,
    /// The action's arguments.
    pub arguments: BTreeMap<String, Json>,
}

impl SpecStep {
    /// The names of its actions in one text; `None` for a step that changes none of the
    /// specification's variables.
    pub fn title(&self) -> Option<String> {
        if self.ways.is_empty() {
            return self.action.clone();
        }
        let name = |part: &SpecPart| part.action.clone().unwrap_or_else(|| "stutter".to_owned());
        let ways = self.ways.iter().map(|way| way.iter().map(name).collect::<Vec<_>>().join(" · "));
        Some(ways.collect::<Vec<_>>().join(" or "))
    }
}

impl Effect {
    /// The message that is sent: where to, and what it says.
    pub fn message(&self) -> Option<(&str, &Json)> {
        match self {
            Self::Send { to, message } => Some((to, message)),
            Self::SetTimer { .. }
            | Self::CancelTimer { .. }
            | Self::Write(_)
            | Self::WriteSynced(_)
            | Self::Sync
            | Self::Respond { .. } => None,
        }
    }

    /// Whether others get to know of it: it is a message, or an answer.
    pub fn leaves_the_node(&self) -> bool {
        matches!(self, Self::Send { .. } | Self::Respond { .. })
    }
}

impl Action {
    /// The node that takes a step or suffers the fault; `None` where only the network is concerned,
    /// or several nodes are.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::Deliver(envelope) => Some(&envelope.to),
            Self::Choose { node, .. }
            | Self::Fire { node, .. }
            | Self::SyncDone { node }
            | Self::Invoke { node, .. } => Some(node),
            Self::Fault(fault) => fault.node(),
            Self::Tick => None,
        }
    }

    /// All nodes that take a step or suffer the fault.
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::Fault(Fault::CrashGroup { nodes }) => nodes.iter().map(String::as_str).collect(),
            Self::Deliver(_)
            | Self::Choose { .. }
            | Self::Fire { .. }
            | Self::SyncDone { .. }
            | Self::Invoke { .. }
            | Self::Tick
            | Self::Fault(_) => Vec::from_iter(self.node()),
        }
    }

    /// The message that the choice is about.
    pub fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Deliver(envelope) => Some(envelope),
            Self::Fault(fault) => fault.envelope(),
            Self::Choose { .. }
            | Self::Fire { .. }
            | Self::SyncDone { .. }
            | Self::Invoke { .. }
            | Self::Tick => None,
        }
    }
}

impl From<Fault> for Action {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deliver(envelope) => write!(f, "deliver {envelope}"),
            Self::Choose { node, timer } => write!(f, "{node} chooses {}", brief(timer)),
            Self::Fire { node, timer } => write!(f, "{node} timeout {}", brief(timer)),
            Self::SyncDone { node } => write!(f, "{node} sync done"),
            Self::Invoke { id, node, request } => {
                write!(f, "{} asks {node} {}", id.client, brief(request))
            }
            Self::Tick => f.write_str("time passes"),
            Self::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::Bounded => "bounded",
        })
    }
}

/// JSON as a person would write it on a blackboard: strings without quotes, records as
/// `name(fields)`.
///
/// # Examples
///
/// ```
/// assert_eq!(cadre_trace::brief(&serde_json::json!("Prepare")), "Prepare");
/// assert_eq!(cadre_trace::brief(&serde_json::json!({"Vote": {"term": 3}})), "Vote(term 3)");
/// assert_eq!(cadre_trace::brief(&serde_json::json!([1, null])), "[1, –]");
/// ```
pub fn brief(value: &Json) -> String {
    match value {
        Json::Null => "–".to_owned(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(brief).collect::<Vec<_>>().join(", "))
        }
        Json::Object(fields) => match fields.iter().next() {
            Some((name, Json::Object(inner))) if fields.len() == 1 => {
                format!("{name}({})", brief_fields(inner))
            }
            Some((name, inner)) if fields.len() == 1 && name.starts_with(char::is_uppercase) => {
                format!("{name}({})", brief(inner))
            }
            Some(_) => format!("{{{}}}", brief_fields(fields)),
            None => "{}".to_owned(),
        },
    }
}

fn brief_fields(fields: &serde_json::Map<String, Json>) -> String {
    fields
        .iter()
        .map(|(name, value)| format!("{name} {}", brief(value)))
        .collect::<Vec<_>>()
        .join(", ")
}
