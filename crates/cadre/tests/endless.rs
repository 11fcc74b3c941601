//! A guarantee that only an endless execution violates, from the search to the saved trace.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

use std::panic::catch_unwind;
use std::path::Path;

use cadre::explore::{Flow, Settings};
use cadre::model::ClusterError;
use cadre::prelude::{
    Bug, Cluster, Disk, Effects, Event, Guarantee, NodeId, Nothing, Place, Protocol, Setup, Size,
    View,
};
use cadre::proptest::MinimiseOptions;
use cadre::testing::{assert_holds, assert_traces_replay};
use cadre::trace::{Trace, Verdict};
use cadre::{AnyGame, Explored};

/// A host whose door opens and shuts, and a guest who knocks until he is in.
struct Door {
    /// Whether the host lets nobody in while the door is shut.
    shuts: bool,
}

/// What the host does of its own accord.
const DOOR: &str = "door";

impl Protocol for Door {
    /// Of the host whether the door is open, of the guest whether he is in.
    type State = bool;
    type Message = String;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, out: &mut Effects<Self>) -> bool {
        if node.index() == 1 {
            out.send(NodeId::from_index(0), "Knock".to_owned());
        }
        false
    }

    fn step(&self, node: NodeId, state: &mut bool, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Deliver { from, .. } if node.index() == 0 => {
                if *state || !self.shuts {
                    out.send(from, "Enter".to_owned());
                }
            }
            Event::Deliver { .. } => *state = true,
            Event::Timeout(_) => *state = !*state,
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }

    fn choices(&self, node: NodeId, _: &bool) -> Vec<String> {
        (node.index() == 0).then(|| DOOR.to_owned()).into_iter().collect()
    }
}

struct Game;

impl cadre::Game for Game {
    type Protocol = Door;

    fn name(&self) -> &'static str {
        "door"
    }

    fn summary(&self) -> &'static str {
        "a guest gets in"
    }

    fn size(&self) -> Size {
        Size { one: "guest", many: "guests", min: 1, default: 1, max: 1 }
    }

    fn bugs(&self) -> &'static [Bug] {
        &[Bug { name: "shuts", summary: "the host is deaf behind the door", place: Place::Step }]
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<Door>, ClusterError> {
        Cluster::builder(Door { shuts: setup.bug.is_some() })
            .node("host")
            .node("guest")
            .guarantee(
                Guarantee::eventually("the guest gets in", |view: &View<Door>| {
                    view.state(NodeId::from_index(1)) == Some(&true)
                })
                .finding(|_| "guest is still outside".to_owned()),
            )
            .build()
    }
}

fn setup(bug: Option<&str>) -> Setup {
    Setup::new(&Game, None, bug).unwrap()
}

fn explored(bug: Option<&str>) -> Explored {
    AnyGame::explore(&Game, &setup(bug), &Settings::default(), &mut |_| Flow::Continue).unwrap()
}

/// The one trace that is saved there.
fn saved(directory: &Path) -> Trace {
    let mut entries = std::fs::read_dir(directory.join("door")).unwrap();
    let text = std::fs::read_to_string(entries.next().unwrap().unwrap().path()).unwrap();
    assert!(entries.next().is_none());
    Trace::from_ndjson(&text).unwrap()
}

#[test]
fn a_host_who_hears_through_the_door_lets_the_guest_in() {
    assert_eq!(explored(None).verdict, Verdict::Holds);
}

#[test]
fn a_violation_tells_its_cycle_and_its_saved_trace_replays() {
    let directory = tempfile::tempdir().unwrap();
    let story = catch_unwind(|| {
        assert_holds(&Game, &setup(Some("shuts")), &Settings::default(), directory.path());
    });
    let story = *story.unwrap_err().downcast::<String>().unwrap();
    for expected in [
        "violated  the guest gets in",
        "shortest way into a cycle, 0 of 2 steps",
        "and so on for ever from step 1",
        "steps 1 and 2 may repeat for ever;",
        "the guest gets in: guest is still outside.",
    ] {
        assert!(story.contains(expected), "`{expected}` in {story}");
    }
    let trace = saved(directory.path());
    assert_eq!((trace.header.loop_from, trace.header.verdict), (Some(0), Verdict::Violated));
    assert_traces_replay(&Game, directory.path());
    // The same steps without the loop are another trace, with another name, and violate nothing.
    let mut cut = trace.clone();
    cut.header.loop_from = None;
    assert_ne!(cadre::trace_name(&cut), cadre::trace_name(&trace));
    let again = AnyGame::reexecute(&Game, &cut).unwrap();
    assert_eq!((again.difference, again.trace.header.verdict), (None, Verdict::Bounded));
}

#[test]
fn a_trace_with_a_cycle_is_minimised_to_a_shorter_one_with_a_cycle() {
    let directory = tempfile::tempdir().unwrap();
    catch_unwind(|| {
        assert_holds(&Game, &setup(Some("shuts")), &Settings::default(), directory.path());
    })
    .unwrap_err();
    let short = saved(directory.path());
    let round: Vec<_> = short.schedule().cloned().collect();
    // Two rounds before the cycle, and two in it.
    let schedule: Vec<_> = std::iter::repeat_n(round, 4).flatten().collect();
    let mut long = Game.execute(&setup(Some("shuts")), &schedule).unwrap();
    long.header.guarantee = short.header.guarantee.clone();
    long.header.loop_from = Some(4);
    let shorter = Game.minimise(&long, &MinimiseOptions::default()).unwrap();
    assert_eq!((shorter.steps_before, shorter.is_minimal), (8, true));
    assert_eq!((shorter.trace.steps.len(), shorter.trace.header.loop_from), (2, Some(0)));
    let again = AnyGame::reexecute(&Game, &shorter.trace).unwrap();
    assert_eq!((again.difference, again.trace.header.verdict), (None, Verdict::Violated));
    // Without its cycle it ends where something can still happen, and violates nothing.
    long.header.loop_from = None;
    let error = Game.minimise(&long, &MinimiseOptions::default()).unwrap_err();
    assert!(error.to_string().contains("found one that does not"), "{error}");
}
