use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};

use cadre_step::Protocol;
use cadre_trace::Json;
use serde::Serialize;

use super::Cluster;
use super::action::{ActionOf, TypedAction, TypedFault};
use super::local::Life;
use super::names::to_json;
use super::node_tables::{NodeTables, Outcome};
use super::tables::Tables;

/// What has been tried on a cluster so far: which actions, in which states of the nodes.
///
/// A step is an action of one node in one of its local states: memory, timers and disk. Each counts
/// once, however many configurations it is enabled in. What is asleep in a search counts as well:
/// it is known what it leads to.
///
/// # What "never" means
///
/// After a search that has seen everything: in no execution. After one that ended at a bound or at
/// a violation: not before that end. Of a message that no node ever sends nothing is known here,
/// and neither are the faults of the network: they concern no node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The kinds of actions that have been met, in order.
    pub kinds: Vec<KindCoverage>,
    /// The kinds of states in which nodes have been up, in order.
    pub states: Vec<String>,
    /// The kinds of messages and of states that never met, although a message of that kind was sent
    /// to a node that has at some time been in such a state.
    pub never: Vec<(String, String)>,
    /// The kinds of messages that were sent, and whose delivery never changed anything.
    pub ignored: Vec<String>,
    /// The nodes that never took a step.
    pub idle: Vec<String>,
}

/// What has been tried of one kind of action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCoverage {
    /// What is done.
    pub action: ActionKind,
    /// With which kind of message, timer or request, if there is one.
    pub name: Option<String>,
    /// The steps.
    pub tried: Tried,
    /// The steps by the kind of state in which they were taken; `down` is a node that is down.
    pub by_state: BTreeMap<String, Tried>,
}

/// What an action does; the words are those of [`cadre_trace::Action`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are those of cadre_trace::Action")]
pub enum ActionKind {
    Deliver,
    Choose,
    Fire,
    SyncDone,
    Invoke,
    Crash,
    Restart,
    CrashRestart,
    Interrupt,
    Pause,
    Resume,
    SyncFail,
    Jump,
}

/// How many different steps there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// All of them.
    pub steps: u64,
    /// Those that changed the node, sent something or answered a client.
    pub effective: u64,
}

impl<P: Protocol> Cluster<P> {
    /// Says what has been tried so far, by whatever search has used this cluster.
    ///
    /// # Examples
    ///
    /// ```
    /// use cadre_model::{Cluster, Model};
    /// use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
    ///
    /// /// A node that may go once.
    /// struct Goer;
    ///
    /// impl Protocol for Goer {
    ///     type State = bool;
    ///     type Message = Nothing;
    ///     type Timer = String;
    ///     type Request = Nothing;
    ///     type Response = Nothing;
    ///
    ///     fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> bool {
    ///         false
    ///     }
    ///
    ///     fn step(&self, _: NodeId, gone: &mut bool, _: Event<Self>, _: &mut Effects<Self>) {
    ///         *gone = true;
    ///     }
    ///
    ///     fn choices(&self, _: NodeId, gone: &bool) -> Vec<String> {
    ///         if *gone { Vec::new() } else { vec!["go".to_owned()] }
    ///     }
    /// }
    ///
    /// let cluster = Cluster::builder(Goer).node("n1").node("n2").build()?;
    /// let mut actions = Vec::new();
    /// cluster.actions(cluster.initial(), &mut actions);
    /// let coverage = cluster.coverage();
    /// assert_eq!(coverage.kinds[0].to_string(), "choose go");
    /// assert_eq!(coverage.kinds[0].by_state["false"].effective, 2);
    /// # Ok::<(), cadre_model::ClusterError>(())
    /// ```
    pub fn coverage(&self) -> Coverage {
        let tables = self.read();
        let mut tally = Tally::default();
        for (name, node) in self.names.nodes.iter().zip(&tables.nodes) {
            tally.node(name, &tables, node);
        }
        tally.conclude()
    }
}

/// Kinds of actions with what was tried of them.
type Kinds = BTreeMap<(ActionKind, Option<String>), KindCoverage>;

/// What was found in the tables so far.
#[derive(Default)]
struct Tally {
    kinds: Kinds,
    states: BTreeSet<String>,
    /// The kinds of messages, each with the states of the nodes to which it was sent.
    possible: BTreeSet<(String, String)>,
    idle: Vec<String>,
}

impl Tally {
    fn node<P: Protocol>(&mut self, name: &str, tables: &Tables<P>, node: &NodeTables<P>) {
        let actions: Vec<_> = node.actions.iter().map(kind_of_action::<P>).collect();
        for (action, name) in actions.iter().flatten() {
            self.kind(*action, name.clone());
        }
        let (mut states, mut is_idle) = (BTreeSet::new(), true);
        for (local, row) in (0..).zip(&node.rows) {
            let state = match &node.locals.values[local as usize].life {
                Life::Up(state) => kind_of(state),
                Life::Down => "down".to_owned(),
                // A node whose step failed does nothing any more.
                Life::Failed(_) => continue,
            };
            if row.is_up {
                states.insert(state.clone());
            }
            let delivered = row.delivered().map(|(envelope, at)| (tables.delivery(envelope).1, at));
            for (action, outcome) in delivered.chain(row.acted()) {
                let outcome = &node.outcomes[outcome as usize];
                let Some((action, name)) = &actions[action as usize] else { continue };
                self.kind(*action, name.clone()).count(&state, changes(local, outcome));
                is_idle = false;
            }
        }
        let messages =
            actions.iter().flatten().filter(|(action, _)| *action == ActionKind::Deliver);
        let messages: BTreeSet<_> = messages.filter_map(|(_, name)| name.clone()).collect();
        for message in messages {
            let pairs = states.iter().map(|state| (message.clone(), state.clone()));
            self.possible.extend(pairs);
        }
        self.states.append(&mut states);
        self.idle.extend(is_idle.then(|| name.to_owned()));
    }

    fn kind(&mut self, action: ActionKind, name: Option<String>) -> &mut KindCoverage {
        let key = (action, name);
        self.kinds.entry(key.clone()).or_insert_with(|| KindCoverage {
            action: key.0,
            name: key.1,
            tried: Tried::default(),
            by_state: BTreeMap::new(),
        })
    }

    fn conclude(self) -> Coverage {
        let deliveries =
            |message: &str| self.kinds.get(&(ActionKind::Deliver, Some(message.to_owned())));
        let is_exercised = |(message, state): &(String, String)| {
            deliveries(message).is_some_and(|kind| kind.by_state.contains_key(state))
        };
        let never = self.possible.iter().filter(|pair| !is_exercised(pair)).cloned().collect();
        let is_ignored =
            |kind: &&KindCoverage| kind.action == ActionKind::Deliver && kind.tried.effective == 0;
        let ignored = self.kinds.values().filter(is_ignored);
        let ignored = ignored.filter_map(|kind| kind.name.clone()).collect();
        let states = self.states.into_iter().collect();
        Coverage {
            never,
            ignored,
            states,
            idle: self.idle,
            kinds: self.kinds.into_values().collect(),
        }
    }
}

impl KindCoverage {
    fn count(&mut self, state: &str, is_effective: bool) {
        if !self.by_state.contains_key(state) {
            self.by_state.insert(state.to_owned(), Tried::default());
        }
        let of_state = self.by_state.get_mut(state).into_iter();
        for tried in of_state.chain([&mut self.tried]) {
            tried.steps += 1;
            tried.effective += u64::from(is_effective);
        }
    }
}

impl fmt::Display for KindCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.action {
            ActionKind::Deliver => "deliver",
            ActionKind::Choose => "choose",
            ActionKind::Fire => "timeout",
            ActionKind::SyncDone => "sync done",
            ActionKind::Invoke => "ask",
            ActionKind::Crash => "CRASH",
            ActionKind::Restart => "RESTART",
            ActionKind::CrashRestart => "CRASH+RESTART",
            ActionKind::Interrupt => "CRASH in a step",
            ActionKind::Pause => "PAUSE",
            ActionKind::Resume => "RESUME",
            ActionKind::SyncFail => "SYNC FAILS",
            ActionKind::Jump => "CLOCK",
        })?;
        self.name.iter().try_for_each(|name| write!(f, " {name}"))
    }
}

fn changes<R>(before: u32, outcome: &Outcome<R>) -> bool {
    let leaving = &outcome.leaving;
    outcome.local != before || !leaving.sends.is_empty() || !leaving.responses.is_empty()
}

/// `None` for what is no step of a node's own.
fn kind_of_action<P: Protocol>(action: &ActionOf<P>) -> Option<(ActionKind, Option<String>)> {
    Some(match action {
        TypedAction::Deliver { message, .. } => (ActionKind::Deliver, Some(kind_of(message))),
        TypedAction::Choose { timer, .. } => (ActionKind::Choose, Some(kind_of(timer))),
        TypedAction::Fire { timer, .. } => (ActionKind::Fire, Some(kind_of(timer))),
        TypedAction::SyncDone { .. } => (ActionKind::SyncDone, None),
        TypedAction::Invoke { request, .. } => (ActionKind::Invoke, Some(kind_of(request))),
        TypedAction::Tick => return None,
        TypedAction::Fault(fault) => match fault {
            TypedFault::Crash { .. } | TypedFault::CrashGroup { .. } => (ActionKind::Crash, None),
            TypedFault::Restart { .. } => (ActionKind::Restart, None),
            TypedFault::CrashRestart { .. } => (ActionKind::CrashRestart, None),
            TypedFault::Interrupt { .. } => (ActionKind::Interrupt, None),
            TypedFault::Pause { .. } => (ActionKind::Pause, None),
            TypedFault::Resume { .. } => (ActionKind::Resume, None),
            TypedFault::SyncFail { .. } => (ActionKind::SyncFail, None),
            TypedFault::Jump { .. } => (ActionKind::Jump, None),
            TypedFault::Drop { .. }
            | TypedFault::Burst { .. }
            | TypedFault::Duplicate { .. }
            | TypedFault::Replay { .. }
            | TypedFault::Corrupt { .. }
            | TypedFault::Forge { .. }
            | TypedFault::Partition { .. }
            | TypedFault::Heal => return None,
        },
    })
}

/// What kind of value it is: the name of its variant, or of its type where it is a struct.
///
/// Numbers and lists are of one kind each, being many; what has no name at all is a `value`.
fn kind_of(value: &(impl Serialize + Debug)) -> String {
    let word = || {
        let text = format!("{value:?}");
        let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        match end.unwrap_or(text.len()) {
            0 => "value".to_owned(),
            end => text[..end].to_owned(),
        }
    };
    match to_json(value) {
        Json::String(name) => name,
        Json::Number(_) => "number".to_owned(),
        Json::Array(_) => "list".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Null => word(),
        Json::Object(fields) => match fields.keys().next() {
            // A struct with one field is told like a variant, but prints the name of its type.
            Some(name) if fields.len() == 1 => {
                let word = word();
                let is_field = format!("{value:?}").starts_with(&format!("{word} {{ {name}: "));
                if is_field { word } else { name.clone() }
            }
            _ => word(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Vote {
        Yes,
        SoFar { term: u32 },
        Both(u32, u32),
    }

    #[derive(Debug, Serialize)]
    struct Term {
        term: u32,
    }

    #[derive(Debug, Serialize)]
    #[serde(untagged)]
    enum Untagged {
        Leader { term: u32, log: Vec<u32> },
        Unknown,
    }

    #[test]
    fn a_variant_is_a_kind_and_so_is_a_struct() {
        assert_eq!(kind_of(&Vote::Yes), "yes");
        assert_eq!(kind_of(&Vote::SoFar { term: 1 }), "so-far");
        assert_eq!(kind_of(&Vote::Both(1, 2)), "both");
        assert_eq!(kind_of(&Term { term: 3 }), "Term");
        assert_eq!(kind_of(&Untagged::Leader { term: 1, log: Vec::new() }), "Leader");
        assert_eq!(kind_of(&Untagged::Unknown), "Unknown");
        assert_eq!(kind_of(&BTreeMap::from([("a", 1), ("b", 2)])), "value");
    }

    #[test]
    fn values_without_a_name_are_of_one_kind() {
        assert_eq!(
            (kind_of(&1), kind_of(&2.5), kind_of(&[1, 2])),
            ("number".to_owned(), "number".to_owned(), "list".to_owned())
        );
        assert_eq!(
            (kind_of(&true), kind_of(&Some(7)), kind_of(&None::<u32>)),
            ("true".to_owned(), "number".to_owned(), "None".to_owned())
        );
    }
}
