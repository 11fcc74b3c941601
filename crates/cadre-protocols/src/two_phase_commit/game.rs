use cadre::conform::Mapping;
use cadre::model::ClusterError;
use cadre::prelude::{Bug, Cluster, Guarantee, Network, NodeId, Place, Setup, Size, View};
use cadre::runtime::Defect;

use super::step::{self, Progress, State, TwoPhaseCommit};

/// The game of two-phase commit: one transaction manager, and resource managers as many as asked.
#[derive(Clone, Copy, Debug)]
pub struct Game;

/// The name of the transaction manager; resource managers are `rm1`, `rm2` and so on.
const MANAGER: &str = "tm";

const BUGS: &[Bug] = &[
    Bug {
        name: "early-commit",
        summary: "the transaction manager commits once it has heard from one resource manager",
        place: Place::Step,
    },
    Bug {
        name: "late-abort",
        summary: "a resource manager that has prepared still aborts of its own accord",
        place: Place::Step,
    },
    Bug {
        name: "answers-before-sync",
        summary: "the process sends what it has to say before its disk is synced",
        place: Place::Process(Defect::AnswersBeforeSync),
    },
];

impl cadre::Game for Game {
    type Protocol = TwoPhaseCommit;

    fn name(&self) -> &'static str {
        "two-phase-commit"
    }

    fn summary(&self) -> &'static str {
        "resource managers agree with a transaction manager on committing or aborting"
    }

    fn size(&self) -> Size {
        Size { one: "resource manager", many: "resource managers", min: 1, default: 3, max: 16 }
    }

    fn bugs(&self) -> &'static [Bug] {
        BUGS
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<TwoPhaseCommit>, ClusterError> {
        let protocol = TwoPhaseCommit {
            manager: NodeId::from_index(0),
            participants: (1..=setup.size).map(NodeId::from_index).collect(),
            bug: bug(setup),
        };
        let mut cluster = Cluster::builder(protocol).node(MANAGER).network(Network::GrowingSet);
        for participant in 1..=setup.size {
            cluster = cluster.node(participant_name(participant));
        }
        cluster
            .interchangeable((1..=setup.size).map(NodeId::from_index))
            .guarantee(
                Guarantee::always("no two resource managers decide differently", |view| {
                    let (committed, aborted) = decisions(view);
                    committed.is_none() || aborted.is_none()
                })
                .finding(|view| match decisions(view) {
                    (Some(committed), Some(aborted)) => format!(
                        "{} has committed and {} has aborted",
                        participant_name(committed.index()),
                        participant_name(aborted.index())
                    ),
                    _ => "no two of them have decided differently".to_owned(),
                }),
            )
            .guarantee(Guarantee::pre_post(
                "once nothing can happen any more, all have decided",
                |view: &View<TwoPhaseCommit>| view.nodes().all(|node| view.is_up(node)),
                |view| participants(view).all(|(_, progress)| is_decided(progress)),
            ))
            .guarantee(Guarantee::reachable("all can commit", |view: &View<TwoPhaseCommit>| {
                participants(view).all(|(_, progress)| progress == Progress::Committed)
            }))
            .build()
    }

    fn mapping(&self, setup: &Setup) -> Option<Mapping<TwoPhaseCommit>> {
        Some(super::mapping::mapping(setup.size))
    }
}

/// The name of a resource manager, by the position of its node.
pub(super) fn participant_name(node: usize) -> String {
    format!("rm{node}")
}

/// The bug of the step function; a bug of the process leaves the step function right.
fn bug(setup: &Setup) -> Option<step::Bug> {
    match setup.bug.as_deref() {
        Some("early-commit") => Some(step::Bug::EarlyCommit),
        Some("late-abort") => Some(step::Bug::LateAbort),
        Some(_) | None => None,
    }
}

fn participants(view: &View<TwoPhaseCommit>) -> impl Iterator<Item = (NodeId, Progress)> + '_ {
    view.nodes().skip(1).filter_map(|node| match view.state(node) {
        Some(State::Participant(progress)) => Some((node, *progress)),
        Some(State::Manager { .. }) | None => None,
    })
}

fn is_decided(progress: Progress) -> bool {
    matches!(progress, Progress::Committed | Progress::Aborted)
}

/// The first resource manager that has committed, and the first that has aborted.
fn decisions(view: &View<TwoPhaseCommit>) -> (Option<NodeId>, Option<NodeId>) {
    let (mut committed, mut aborted) = (None, None);
    for (node, progress) in participants(view) {
        match progress {
            Progress::Committed => committed = committed.or(Some(node)),
            Progress::Aborted => aborted = aborted.or(Some(node)),
            Progress::Working | Progress::Prepared => {}
        }
    }
    (committed, aborted)
}
