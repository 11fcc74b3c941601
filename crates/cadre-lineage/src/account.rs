use std::collections::{BTreeMap, BTreeSet};

use cadre_model::Origin;
use cadre_step::NodeId;
use cadre_trace::{LineageGraph, Trace};

use crate::difference::difference;
use crate::ending::{Blame, smallest_sets};
use crate::graph::{Pair, offered};
use crate::rounds::SILENCE;
use crate::witness::{Deed, Heard};
use crate::{ChannelRound, Fault, FaultSet, LineageError, Program, Rounds, Run};

/// Why faults break a guarantee: the run without them, the run with them, and what is different.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The run without faults.
    pub good: Trace,
    /// The run with them.
    pub bad: Trace,
    /// What the good outcome rests on, with what became of each part under the faults.
    pub good_graph: LineageGraph,
    /// What the violation rests on, with what is there because of the faults alone.
    pub bad_graph: LineageGraph,
    /// Both as one.
    pub difference: LineageGraph,
    /// The steps of the bad run that the violation rests on.
    pub about: BTreeSet<usize>,
    /// What the nodes to blame needed in the good run, a sentence for each.
    pub needed: Vec<String>,
    /// What each fault does, in the order of the set.
    pub faults: Vec<String>,
    /// How it ends, and for want of what.
    pub outcome: Vec<String>,
    /// Changes of one message that were tried and repair this run, and what else would.
    pub repairs: Vec<String>,
}

/// How many alternatives a sentence names.
const ALTERNATIVES_TOLD_MAX: usize = 3;
/// How many repairs are told.
const REPAIRS_MAX: usize = 2;

impl Account {
    /// Explains a run that breaks a guarantee.
    ///
    /// # Errors
    ///
    /// As [`Rounds::run`].
    ///
    /// # Panics
    ///
    /// Where the run breaks none.
    pub fn of<P: Program>(
        rounds: &mut Rounds<P>,
        bad: &Run,
        origin: &Origin,
    ) -> Result<Self, LineageError> {
        assert!(!bad.is_good(), "there is nothing to explain in a good run");
        let good = rounds.run(&FaultSet::new())?;
        let good_trace = rounds.record(&good, origin)?;
        let bad_trace = rounds.record(bad, origin)?;
        let told = Telling { bad, good: &good };
        let blame = if bad.panicked.is_some() { None } else { Some(rounds.blame(bad)?) };
        let (good_deeds, bad_deeds) = told.deeds(rounds, blame.as_ref())?;
        let outcome = told.outcome_name();
        let pair = Pair { run: &good, trace: &good_trace, other: bad, is_good: true };
        let (good_graph, _) = rounds.graph(&pair, &outcome, &good_deeds)?;
        let pair = Pair { run: bad, trace: &bad_trace, other: &good, is_good: false };
        let violated = format!("violated: {outcome}");
        let (bad_graph, about) = rounds.graph(&pair, &violated, &bad_deeds)?;
        let needed = good_deeds.iter().map(|deed| told.needed(rounds, *deed));
        let needed = needed.collect::<Result<Vec<_>, _>>()?;
        let faults = bad.faults.iter().map(|fault| told.fault(rounds, fault)).collect();
        let ends = told.ends(rounds, &bad_deeds)?;
        let repairs = match &blame {
            Some(blame) => told.repairs(rounds, blame)?,
            None => Vec::new(),
        };
        let difference = difference(&good_graph, &bad_graph);
        let (good, bad, outcome) = (good_trace, bad_trace, ends);
        Ok(Self {
            good,
            bad,
            good_graph,
            bad_graph,
            difference,
            about,
            needed,
            faults,
            outcome,
            repairs,
        })
    }
}

/// The two runs that are told of.
struct Telling<'r> {
    bad: &'r Run,
    good: &'r Run,
}

impl Telling<'_> {
    /// What is to be explained of the good and of the bad run.
    fn deeds<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        blame: Option<&Blame>,
    ) -> Result<(Vec<Deed>, Vec<Deed>), LineageError> {
        let Some(blame) = blame else {
            let (node, round) = self.bad.panicked.expect("only a panic has nobody to blame");
            let seen = rounds.ending(self.good)?.seen[node.index()];
            return Ok((vec![Deed::End { node, seen }], vec![Deed::Panic { node, round }]));
        };
        let end = |node: NodeId, seen: &[u32]| Deed::End { node, seen: seen[node.index()] };
        let good = blame.nodes.iter().map(|node| end(*node, &blame.good.seen)).collect();
        let mut involved: BTreeSet<NodeId> =
            rounds.supports_of_violation(blame).into_iter().collect();
        involved.extend(&blame.nodes);
        let bad = involved.iter().map(|node| end(*node, &blame.ending.seen)).collect();
        Ok((good, bad))
    }

    fn outcome_name(&self) -> String {
        let broken = &self.bad.broken[0];
        match broken.keys.first() {
            Some(key) if *key != broken.guarantee && self.bad.panicked.is_none() => {
                format!("{} ({key})", broken.guarantee)
            }
            Some(_) | None => broken.guarantee.clone(),
        }
    }

    fn needed<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        deed: Deed,
    ) -> Result<String, LineageError> {
        let witness = rounds.witness(deed, self.good, self.bad)?;
        let what = told(rounds, deed);
        let mut reasons = alternatives(rounds, &witness.alternatives);
        let more = reasons.len().saturating_sub(ALTERNATIVES_TOLD_MAX);
        reasons.truncate(ALTERNATIVES_TOLD_MAX);
        if more > 0 {
            reasons.push("in other ways".to_owned());
        }
        Ok(match reasons.is_empty() || reasons.iter().any(String::is_empty) {
            true => format!("without faults {what} of its own accord"),
            false => format!("without faults {what} as {}", reasons.join(", or ")),
        })
    }

    fn fault<P: Program>(&self, rounds: &Rounds<P>, fault: &Fault) -> String {
        let text = FaultSet::from_iter([*fault]).text(rounds.names());
        match fault {
            Fault::Omit(ChannelRound { from, to, round }) => {
                let content = offered(self.bad, *to, *from, round + 1);
                let what = rounds.content_told(content);
                let (from, to) = (rounds.name(*from), rounds.name(*to));
                format!("{text} loses {what}, which {from} sends to {to} in round {round}")
            }
            Fault::Crash { node, round } => {
                let name = rounds.name(*node);
                let unsent = self.unsent(rounds, *node, *round);
                format!("{text} stops {name} from round {round} on{unsent}")
            }
        }
    }

    /// What a node would have sent from a round on without faults.
    fn unsent<P: Program>(&self, rounds: &Rounds<P>, node: NodeId, round: u32) -> String {
        let mut sent: BTreeMap<u32, BTreeSet<NodeId>> = BTreeMap::new();
        for arrival in round + 1..=rounds.spec().eot {
            for to in rounds.nodes().filter(|to| *to != node) {
                match offered(self.good, to, node, arrival) {
                    SILENCE => {}
                    content => drop(sent.entry(content).or_default().insert(to)),
                }
            }
        }
        let told = sent.iter().take(ALTERNATIVES_TOLD_MAX).map(|(content, to)| {
            let to: Vec<String> = to.iter().map(|to| rounds.name(*to)).collect();
            format!("{} to {}", rounds.content_told(*content), listed(&to, "and"))
        });
        let told: Vec<String> = told.collect();
        match told.is_empty() {
            true => String::new(),
            false => format!(", where without faults it sends {}", listed(&told, "and")),
        }
    }

    /// How the nodes end of which the violation follows.
    fn ends<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        deeds: &[Deed],
    ) -> Result<Vec<String>, LineageError> {
        let mut ends = Vec::new();
        for deed in deeds {
            let witness = rounds.witness(*deed, self.bad, self.good)?;
            let missed = witness.missed.iter().map(|missed| {
                let what = rounds.content_told(missed.content);
                format!("no {what} from {} by round {}", rounds.name(missed.from), missed.round)
            });
            let heard = alternatives(rounds, &witness.alternatives);
            let heard = heard.into_iter().next().filter(|reason| !reason.is_empty());
            let reasons: Vec<String> = heard.into_iter().chain(missed).collect();
            let reasons = match reasons.is_empty() {
                true => String::new(),
                false => format!(" ({})", listed(&reasons, "and")),
            };
            ends.push(format!("{}{reasons}", told(rounds, *deed)));
        }
        Ok(ends)
    }

    /// What was tried and repairs the run.
    fn repairs<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        blame: &Blame,
    ) -> Result<Vec<String>, LineageError> {
        let mut repairs = Vec::new();
        for (to, heard) in self.lost_of_good(rounds, blame)? {
            if repairs.len() == REPAIRS_MAX {
                break;
            }
            if let Some(round) = self.round_of_repair(rounds, to, heard)? {
                repairs.push(format!(
                    "{}: tried, all holds",
                    self.repair(rounds, to, Heard { round, ..heard })
                ));
            }
        }
        repairs.extend(self.promise(rounds, blame));
        Ok(repairs)
    }

    /// What nodes that are to blame and still up heard in the good run and do not in the bad one.
    fn lost_of_good<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        blame: &Blame,
    ) -> Result<Vec<(NodeId, Heard)>, LineageError> {
        let mut found = Vec::new();
        for node in blame.nodes.iter().copied() {
            if !blame.ending.correct[node.index()] {
                continue;
            }
            let deed = Deed::End { node, seen: blame.good.seen[node.index()] };
            let witness = rounds.witness(deed, self.good, self.bad)?;
            for heard in witness.alternatives.into_iter().flatten() {
                let is_new = found.iter().all(|(to, known): &(NodeId, Heard)| {
                    (*to, known.from, known.content) != (node, heard.from, heard.content)
                });
                if is_new {
                    found.push((node, heard));
                }
            }
        }
        Ok(found)
    }

    /// The first round after the losses, or else after its own, in which hearing it repairs the
    /// run.
    fn round_of_repair<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        to: NodeId,
        heard: Heard,
    ) -> Result<Option<u32>, LineageError> {
        let safe = rounds.spec().eff.max(1) + 1;
        let eot = rounds.spec().eot;
        let late = (safe.max(heard.round)..=eot).chain(heard.round..safe.min(eot + 1));
        for round in late {
            let again = rounds.run_with(&self.bad.faults, Some((to, Heard { round, ..heard })))?;
            if again.is_good() {
                return Ok(Some(round));
            }
        }
        Ok(None)
    }

    fn repair<P: Program>(&self, rounds: &Rounds<P>, to: NodeId, heard: Heard) -> String {
        let Heard { round, from, content } = heard;
        let what = rounds.content_told(content);
        let (from_name, to_name) = (rounds.name(from), rounds.name(to));
        let sent = round - 1;
        let is_up = |node: NodeId| self.bad.faults.crash_of(node).is_none_or(|crash| crash > sent);
        if is_up(from) {
            return format!("if {from_name} sends {what} to {to_name} as well in round {sent}");
        }
        let has_heard = |node: &NodeId| {
            (1..=sent).any(|at| {
                let taken = self.bad.taken.get(at as usize - 1);
                let taken = taken.and_then(|row| row[node.index()].as_ref());
                taken.is_some_and(|taken| taken.inbox[from.index()] == content)
            })
        };
        let mut relays = rounds.nodes().filter(|node| *node != to && is_up(*node));
        match relays.find(has_heard) {
            Some(relay) => {
                let relay = rounds.name(relay);
                let passes = format!("passes it on to {to_name}, as in round {sent}");
                format!("if {relay}, which has {what} from {from_name}, {passes}")
            }
            None => format!(
                "if {to_name} hears {what} in spite of the crash of {from_name}, from others"
            ),
        }
    }

    /// Who promises too early: without them nothing would be owed.
    fn promise<P: Program>(&self, rounds: &mut Rounds<P>, blame: &Blame) -> Option<String> {
        let beginning = rounds.beginning();
        let owes_nothing = |nodes: &[usize]| {
            let ending = blame.ending.with(&beginning, |node| nodes.contains(&node));
            !rounds.standing_of(&blame.fact, &ending).0
        };
        let nodes = smallest_sets(beginning.len(), owes_nothing).into_iter().next()?;
        let nodes: Vec<NodeId> = nodes.into_iter().map(NodeId::from_index).collect();
        if nodes.is_empty() || nodes.iter().any(|node| blame.nodes.contains(node)) {
            return None;
        }
        let promised: Vec<String> =
            nodes.iter().map(|node| rounds.told(*node, blame.ending.seen[node.index()])).collect();
        let blamed: Vec<String> = blame.nodes.iter().map(|node| rounds.name(*node)).collect();
        let waiting: Vec<String> = nodes.iter().map(|node| rounds.name(*node)).collect();
        Some(format!(
            "or {} until it is sure of {}: what is owed follows from that {}",
            match &waiting[..] {
                [one] => format!("{one} waits"),
                several => format!("{} wait", listed(several, "and")),
            },
            listed(&blamed, "and"),
            listed(&promised, "and"),
        ))
    }
}

fn told<P: Program>(rounds: &Rounds<P>, deed: Deed) -> String {
    let node = deed.node();
    match deed {
        Deed::End { seen, .. } => rounds.told(node, seen),
        Deed::Panic { round, .. } => format!("{} panics in round {round}", rounds.name(node)),
        Deed::Send { round, content, to, .. } => {
            let (from, to) = (rounds.name(node), rounds.name(to));
            format!("{from} sends {} to {to} in round {round}", rounds.content_told(content))
        }
    }
}

/// Each alternative in words; those that differ in the rounds alone are one.
fn alternatives<P: Program>(rounds: &Rounds<P>, sets: &[BTreeSet<Heard>]) -> Vec<String> {
    let mut alike: Vec<Alike> = Vec::new();
    for set in sets {
        let mut set: Vec<&Heard> = set.iter().collect();
        set.sort_by_key(|heard| (heard.from, heard.content, heard.round));
        let what: Vec<_> = set.iter().map(|heard| (heard.from, heard.content)).collect();
        let place = alike.iter().position(|known| known.what == what);
        let place = place.unwrap_or_else(|| {
            alike.push(Alike { what, sent: vec![BTreeSet::new(); set.len()] });
            alike.len() - 1
        });
        for (sent, heard) in alike[place].sent.iter_mut().zip(set) {
            sent.insert(heard.round - 1);
        }
    }
    alike.iter().map(|alike| alike.told(rounds)).collect()
}

/// Sets of messages that differ in the rounds alone in which they were sent.
struct Alike {
    /// Senders and contents.
    what: Vec<(NodeId, u32)>,
    /// For each of them the rounds.
    sent: Vec<BTreeSet<u32>>,
}

impl Alike {
    fn told<P: Program>(&self, rounds: &Rounds<P>) -> String {
        let parts = self.what.iter().zip(&self.sent).map(|((from, content), sent)| {
            let sent: Vec<String> = sent.iter().map(u32::to_string).collect();
            let (from, what) = (rounds.name(*from), rounds.content_told(*content));
            format!("{from} sends {what} in round {}", listed(&sent, "or"))
        });
        listed(&parts.collect::<Vec<_>>(), "and")
    }
}

/// Several things as one says them: `a, b and c`.
pub(crate) fn listed(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}
