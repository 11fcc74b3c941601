use std::collections::{BTreeMap, BTreeSet};

use cadre::conform::{Mapping, Spec, SpecAction};
use cadre::model::ClusterError;
use cadre::prelude::{
    Cluster, Disk, Effects, Event, Game, Network, NodeId, Nothing, Protocol, Setup, Size,
    TypedAction, View,
};
use cadre::tla::Value;
use cadre::{Bug, Place};
use serde::{Deserialize, Serialize};

/// A game one of whose steps is two steps of its specification: a voter prepares its vote and casts
/// it at once, unless it is the first one, which may prepare before.
#[derive(Debug)]
pub struct Ballot;

/// A step of [`Ballot`] as it may be wrong.
#[derive(Debug)]
pub struct BallotProtocol {
    /// Whether voters cast what they have not prepared.
    is_careless: bool,
}

/// What a node of [`Ballot`] remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    Teller { counted: BTreeSet<usize> },
    Voter { prepared: bool, voted: bool },
}

/// What a voter may do of its own accord.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Choice {
    Prepare,
    Vote,
}

const TELLER: usize = 0;
const CAREFUL: usize = 1;

impl Protocol for BallotProtocol {
    type State = State;
    type Message = Choice;
    type Timer = Choice;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        match node.index() {
            TELLER => State::Teller { counted: BTreeSet::new() },
            _ => State::Voter { prepared: false, voted: false },
        }
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match (state, event) {
            (State::Teller { counted }, Event::Deliver { from, .. }) => {
                counted.insert(from.index());
            }
            (State::Voter { prepared, .. }, Event::Timeout(Choice::Prepare)) => *prepared = true,
            (State::Voter { prepared, voted }, Event::Timeout(Choice::Vote)) => {
                (*prepared, *voted) = (*prepared || !self.is_careless, true);
                out.send(NodeId::from_index(TELLER), Choice::Vote);
            }
            (State::Teller { .. } | State::Voter { .. }, _) => {}
        }
    }

    fn choices(&self, node: NodeId, state: &State) -> Vec<Choice> {
        match state {
            State::Voter { prepared: false, voted: false } if node.index() == CAREFUL => {
                vec![Choice::Prepare, Choice::Vote]
            }
            State::Voter { voted: false, .. } => vec![Choice::Vote],
            State::Teller { .. } | State::Voter { voted: true, .. } => Vec::new(),
        }
    }
}

const CARELESS: &str = "careless";
const VOTE_FIRST: &str = "vote-first";
const ODD_ACTION: &str = "odd-action";
const ODD_ALTERNATIVE: &str = "odd-alternative";
const ODD_ARGUMENT: &str = "odd-argument";
const ODD_VARIABLE: &str = "odd-variable";

const fn bug(name: &'static str, summary: &'static str) -> Bug {
    Bug { name, summary, place: Place::Step }
}

impl Game for Ballot {
    type Protocol = BallotProtocol;

    fn name(&self) -> &'static str {
        "ballot"
    }

    fn summary(&self) -> &'static str {
        "voters that prepare and cast their votes in one step"
    }

    fn size(&self) -> Size {
        Size { one: "voter", many: "voters", min: 1, default: 2, max: 4 }
    }

    fn bugs(&self) -> &'static [Bug] {
        const {
            &[
                bug(CARELESS, "a voter casts a vote that it has not prepared"),
                bug(VOTE_FIRST, "the mapping says that a voter prepares after it has voted"),
                bug(ODD_ACTION, "the mapping names an action that there is not"),
                bug(ODD_ALTERNATIVE, "the mapping does so where another action fits"),
                bug(ODD_ARGUMENT, "the mapping names an argument that there is not"),
                bug(ODD_VARIABLE, "the mapping names a variable that there is not"),
            ]
        }
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<BallotProtocol>, ClusterError> {
        let protocol = BallotProtocol { is_careless: setup.bug.as_deref() == Some(CARELESS) };
        let cluster = Cluster::builder(protocol).node("teller").network(Network::ConsumedOnce);
        (1..=setup.size).map(name).fold(cluster, |cluster, name| cluster.node(name)).build()
    }

    fn mapping(&self, setup: &Setup) -> Option<Mapping<BallotProtocol>> {
        let bug = setup.bug.clone().unwrap_or_default();
        let counted = if bug == ODD_VARIABLE { "count" } else { "counted" };
        let spec = spec(setup.size, counted);
        let action = move |_: &View<_>, told: &TypedAction<_, _, _>| action(told, &bug);
        Some(Mapping::new(spec, action, move |view| variables(view, counted)))
    }
}

fn action(told: &TypedAction<Choice, Choice, Nothing>, bug: &str) -> SpecAction {
    let argument = if bug == ODD_ARGUMENT { "voter" } else { "v" };
    let step = |name: &str, node: NodeId| SpecAction::named(name).with(argument, voter(node));
    match told {
        TypedAction::Choose { node, timer: Choice::Prepare } => step("Prepare", *node),
        TypedAction::Choose { node, timer: Choice::Vote } => {
            let [prepare, vote] = ["Prepare", "Vote"].map(|name| step(name, *node));
            match bug {
                VOTE_FIRST => vote.then(prepare),
                ODD_ALTERNATIVE => vote.clone().or(prepare.then(vote)).or(step("Voted", *node)),
                _ => vote.clone().or(prepare.then(vote)),
            }
        }
        TypedAction::Deliver { from, .. } if bug == ODD_ACTION => step("Counts", *from),
        TypedAction::Deliver { from, .. } => step("Count", *from),
        _ => SpecAction::Stutter,
    }
}

fn spec(voters: usize, counted: &str) -> Spec {
    let voters = (1..=voters).map(|voter| Value::model(name(voter)));
    Spec::new("Ballot")
        .module("Ballot", BALLOT)
        .module("TraceBallot", TRACE)
        .constant("Voter", Value::set(voters))
        .variables(["prepared", "voted", counted])
        .invariants(["Careful"])
}

fn variables(view: &View<BallotProtocol>, counted: &str) -> BTreeMap<String, Value> {
    let [mut are_prepared, mut have_voted, mut are_counted] = [const { Vec::new() }; 3];
    for node in view.nodes() {
        match view.state(node) {
            Some(State::Teller { counted }) => {
                are_counted.extend(counted.iter().copied().map(NodeId::from_index).map(voter));
            }
            Some(State::Voter { prepared, voted }) => {
                are_prepared.extend(prepared.then(|| voter(node)));
                have_voted.extend(voted.then(|| voter(node)));
            }
            None => {}
        }
    }
    let sets = [("prepared", are_prepared), ("voted", have_voted), (counted, are_counted)];
    sets.map(|(name, voters)| (name.to_owned(), Value::set(voters))).into()
}

fn voter(node: NodeId) -> Value {
    Value::model(name(node.index()))
}

fn name(voter: usize) -> String {
    format!("v{voter}")
}

const BALLOT: &str = r"---- MODULE Ballot ----
CONSTANT Voter
VARIABLES prepared, voted, counted

Init == prepared = {} /\ voted = {} /\ counted = {}

Prepare(v) ==
    /\ v \notin prepared
    /\ prepared' = prepared \cup {v}
    /\ UNCHANGED <<voted, counted>>

Vote(v) ==
    /\ v \in prepared
    /\ v \notin voted
    /\ voted' = voted \cup {v}
    /\ UNCHANGED <<prepared, counted>>

Count(v) ==
    /\ v \in voted
    /\ v \notin counted
    /\ counted' = counted \cup {v}
    /\ UNCHANGED <<prepared, voted>>

Next == \E v \in Voter : Prepare(v) \/ Vote(v) \/ Count(v)

Careful == voted \subseteq prepared
====
";

const TRACE: &str = r#"---- MODULE TraceBallot ----
EXTENDS Ballot

TraceInit == Init

TraceArguments == [Prepare |-> [v : Voter], Vote |-> [v : Voter], Count |-> [v : Voter]]

TraceEvent(e) ==
    /\ e.name \in DOMAIN TraceArguments
    /\ e.args \in TraceArguments[e.name]
    /\ \/ e.name = "Prepare" /\ Prepare(e.args.v)
       \/ e.name = "Vote" /\ Vote(e.args.v)
       \/ e.name = "Count" /\ Count(e.args.v)
====
"#;
