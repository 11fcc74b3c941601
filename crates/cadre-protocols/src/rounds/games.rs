use cadre::lineage::FaultSpec;
use cadre::{Bug, Known, Place, RoundsGame, Suite};

use super::{
    Acknowledgement, Commit, CommitSpec, Delivery, Handover, Kafka, Migration, Paxos, Promise,
    Replication, Strategy, Termination,
};

/// Adds all programs of rounds to a suite, with what is known of them.
pub fn with_rounds(suite: Suite) -> Suite {
    let suite = deliveries(suite);
    let suite = commits(suite);
    suite
        .rounds(
            entry("kafka", "replicas of a log that a client appends to, as of 2013", |_| Kafka)
                .known((7, 4, 1), Some(3), None)
                .known((7, 4, 0), None, None)
                .known((6, 4, 1), Some(3), Some(38)),
        )
        .rounds(
            paxos("paxos", "the synod of Paxos with two proposers", 4)
                .known((9, 5, 0), None, None)
                .known_bug(UNPROMISING.name, (9, 5, 0), Some(5), None),
        )
        .rounds(
            paxos("paxos-hasty", "the same, where proposers try again a round earlier", 3)
                .known_bug(UNPROMISING.name, (7, 4, 0), Some(2), None)
                .known_bug(UNPROMISING.name, (7, 6, 1), Some(2), Some(173))
                .known_bug(UNPROMISING.name, (8, 3, 0), None, None)
                .known_bug(UNPROMISING.name, (8, 3, 1), None, None),
        )
        .rounds(
            entry("async-backup", "a primary that tells its backups once, and its client", backup)
                .bugs(&[EARLY])
                .known((6, 4, 1), None, None)
                .known_bug(EARLY.name, (6, 4, 1), Some(2), None),
        )
        .rounds(
            entry("zk-1270", "a handover that waits for a flag that is set later", |_| Handover)
                .known((6, 3, 0), Some(1), None),
        )
        .rounds(
            entry("ca-2083", "a migration in which data overtake their schema", |_| Migration)
                .known((6, 4, 0), Some(1), None),
        )
}

fn deliveries(suite: Suite) -> Suite {
    suite
        .rounds(
            delivery("simple-deliv", "one node tells two others something, once", Strategy::Simple)
                .known((4, 2, 0), Some(1), Some(2))
                .known((6, 3, 0), Some(1), None),
        )
        .rounds(
            delivery("retry-deliv", "the same, in every round", Strategy::Retry)
                .known((4, 2, 1), Some(2), Some(3))
                .known((6, 3, 1), Some(2), None)
                .known((6, 3, 0), None, None)
                .known((25, 23, 0), None, None),
        )
        .rounds(
            delivery("classic-deliv", "whoever hears it tells it once", Strategy::Classic)
                .known((5, 3, 0), Some(3), Some(5))
                .known((6, 0, 2), None, None),
        )
        .rounds(
            delivery("redun-deliv", "whoever has it tells it in every round", Strategy::Redundant)
                .known((6, 3, 0), None, None)
                .known((6, 3, 1), None, None)
                .known((11, 10, 1), None, Some(11))
                .known_bug(CRASHED.name, (6, 3, 1), Some(1), None),
        )
        .rounds(
            delivery(
                "ack-deliv",
                "whoever has it tells it until it is acknowledged",
                Strategy::Acknowledged,
            )
            .known((6, 3, 1), None, None)
            .known((8, 6, 1), None, None)
            .known((8, 7, 1), None, Some(673)),
        )
}

fn commits(suite: Suite) -> Suite {
    use CommitSpec::{Optimist, Strict};
    suite
        .rounds(
            commit("2pc", "two-phase commit in which all wait", Termination::Wait, Strict)
                .known((5, 0, 1), Some(1), Some(2))
                .known((6, 0, 1), Some(1), None)
                .known((6, 0, 2), Some(1), None)
                .known((6, 3, 1), Some(1), None)
                .known((7, 3, 0), None, None),
        )
        .rounds(
            commit(
                "2pc-optimist",
                "the same, where a coordinator that crashes excuses all",
                Termination::Wait,
                Optimist,
            )
            .known((6, 0, 1), Some(1), None)
            .known((6, 0, 2), Some(1), None),
        )
        .rounds(
            commit(
                "2pc-timeout",
                "two-phase commit whose coordinator gives up, excused if it crashes",
                Termination::Timeout,
                Optimist,
            )
            .known((6, 0, 1), None, None)
            .known((6, 0, 2), None, None),
        )
        .rounds(
            commit(
                "2pc-ctp",
                "two-phase commit in which agents ask each other",
                Termination::Cooperative,
                Strict,
            )
            .known((8, 0, 1), Some(1), Some(3))
            .known((6, 0, 1), Some(1), None)
            .known((6, 0, 2), Some(1), None),
        )
        .rounds(
            commit("3pc", "three-phase commit", Termination::ThreePhases, Strict)
                .known((9, 7, 1), Some(2), Some(55))
                .known((8, 0, 1), None, None)
                .known((8, 0, 2), None, None),
        )
}

const CRASHED: Bug = Bug {
    name: "counts-crashed-nodes",
    summary: "the guarantee asks nodes that have crashed to have it as well",
    place: Place::Step,
};
const UNPROMISING: Bug = Bug {
    name: "breaks-promises",
    summary: "acceptors accept what is below a ballot that they have prepared",
    place: Place::Step,
};
const EARLY: Bug = Bug {
    name: "acknowledges-before-copies",
    summary: "the client takes the word of the primary for that of its backups",
    place: Place::Step,
};

fn delivery(name: &'static str, summary: &'static str, strategy: Strategy) -> Entry<Delivery> {
    let program = move |bug: Option<&str>| Delivery {
        counts_correct_nodes_only: bug != Some(CRASHED.name),
        ..Delivery::new(strategy)
    };
    entry(name, summary, program).bugs(&[CRASHED])
}

fn commit(
    name: &'static str,
    summary: &'static str,
    termination: Termination,
    spec: CommitSpec,
) -> Entry<Commit> {
    entry(name, summary, move |_| Commit { termination, spec })
}

fn paxos(name: &'static str, summary: &'static str, retry_delay: u32) -> Entry<Paxos> {
    let program = move |bug: Option<&str>| {
        let is_broken = bug == Some(UNPROMISING.name);
        Paxos { promise: if is_broken { Promise::Broken } else { Promise::Kept }, retry_delay }
    };
    entry(name, summary, program).bugs(&[UNPROMISING])
}

fn backup(bug: Option<&str>) -> Replication {
    let is_early = bug == Some(EARLY.name);
    let (early, late) = (Acknowledgement::Primary, Acknowledgement::Backups);
    Replication { acknowledgement: if is_early { early } else { late } }
}

/// A program with its name and what is known of it; the first of that are its usual parameters.
struct Entry<P> {
    name: &'static str,
    summary: &'static str,
    program: Box<Variant<P>>,
    bugs: &'static [Bug],
    known: Vec<Known>,
}

fn entry<P>(
    name: &'static str,
    summary: &'static str,
    program: impl Fn(Option<&str>) -> P + Send + Sync + 'static,
) -> Entry<P> {
    Entry { name, summary, program: Box::new(program), bugs: &[], known: Vec::new() }
}

/// The program with a bug, or as it should be.
type Variant<P> = dyn Fn(Option<&str>) -> P + Send + Sync;

/// EOT, EFF and crashes.
type At = (u32, u32, u32);

impl<P> Entry<P> {
    fn bugs(self, bugs: &'static [Bug]) -> Self {
        Self { bugs, ..self }
    }

    /// Adds how many faults it takes to break it, and how many runs were published.
    fn known(self, at: At, smallest: Option<usize>, published: Option<u64>) -> Self {
        self.known_of(None, at, smallest, published)
    }

    fn known_bug(
        self,
        bug: &'static str,
        at: At,
        smallest: Option<usize>,
        published: Option<u64>,
    ) -> Self {
        self.known_of(Some(bug), at, smallest, published)
    }

    fn known_of(
        mut self,
        bug: Option<&'static str>,
        (eot, eff, crashes): At,
        smallest: Option<usize>,
        published: Option<u64>,
    ) -> Self {
        let spec = FaultSpec { eot, eff, crashes };
        self.known.push(Known { bug, spec, smallest, published });
        self
    }
}

impl<P: cadre::lineage::Program + 'static> RoundsGame for Entry<P> {
    type Program = P;

    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn spec(&self) -> FaultSpec {
        self.known[0].spec
    }

    fn bugs(&self) -> &'static [Bug] {
        self.bugs
    }

    fn program(&self, bug: Option<&str>) -> P {
        (self.program)(bug)
    }

    fn known(&self) -> Vec<Known> {
        self.known.clone()
    }
}
