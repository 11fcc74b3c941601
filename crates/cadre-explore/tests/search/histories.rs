//! Guarantees about what clients asked and were answered, judged during a search.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cadre_explore::{Exploration, Flow, Settings, explore};
use cadre_model::consistency::objects::{Answer, Register, RegisterOperation};
use cadre_model::{Choice, Cluster, Guarantee, Network, View};
use cadre_step::{Disk, Effects, Event, NodeId, Protocol};
use cadre_trace::Verdict;
use serde::{Deserialize, Serialize};

/// A register with a copy: what is written at the first node reaches the second some time later.
struct Copied;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Ask {
    Write(u8),
    Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Copy(u8);

impl Protocol for Copied {
    type State = u8;
    type Message = Copy;
    type Timer = u8;
    type Request = Ask;
    type Response = Option<u8>;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u8 {
        0
    }

    fn step(&self, _: NodeId, value: &mut u8, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Request { id, request: Ask::Write(written) } => {
                *value = written;
                out.send(NodeId::from_index(1), Copy(written));
                out.respond(id, None);
            }
            Event::Request { id, request: Ask::Read } => out.respond(id, Some(*value)),
            Event::Deliver { message: Copy(written), .. } => *value = written,
            Event::Timeout(_) | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

fn register() -> Register<u8> {
    Register { initial: 0 }
}

fn operation(request: &Ask) -> RegisterOperation<u8> {
    match request {
        Ask::Write(value) => RegisterOperation::Write(*value),
        Ask::Read => RegisterOperation::Read,
    }
}

fn answer(response: &Option<u8>) -> Answer<u8> {
    response.map_or(Answer::Done, Answer::Value)
}

/// One client writes twice at the first node, another reads twice at the given one.
fn searched(reads_at: usize, guarantee: Guarantee<View<Copied>>) -> Exploration<Choice> {
    let cluster = Cluster::builder(Copied)
        .node("first")
        .node("second")
        .network(Network::ConsumedOnce)
        .client("writer", NodeId::from_index(0), vec![Ask::Write(1), Ask::Write(2)])
        .client("reader", NodeId::from_index(reads_at), vec![Ask::Read, Ask::Read])
        .guarantee(guarantee)
        .build()
        .unwrap();
    explore(&cluster, &Settings::default(), &mut |_| Flow::Continue)
}

#[test]
fn a_read_of_a_late_copy_is_not_linearizable_and_one_of_the_register_is() {
    let guarantee = || Guarantee::linearizable("linearizable", register(), operation, answer);
    let found = searched(1, guarantee());
    let (_, finding) = found.violation().unwrap();
    // The write is asked and answered at once, and so is the read that misses it.
    assert_eq!(finding.path.as_ref().map(Vec::len), Some(2));
    assert_eq!(searched(0, guarantee()).verdict(), Verdict::Holds);
}

#[test]
fn two_copies_that_overtake_each_other_are_not_even_sequentially_consistent() {
    let guarantee = || Guarantee::sequential("sequential", register(), operation, answer);
    let found = searched(1, guarantee());
    let (_, finding) = found.violation().unwrap();
    // Two writes, the copies in the other order, and a read after each.
    assert_eq!(finding.path.as_ref().map(Vec::len), Some(6));
    assert_eq!(searched(0, guarantee()).verdict(), Verdict::Holds);
}

#[test]
fn a_history_is_judged_once_however_many_configurations_share_it() {
    let judged = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&judged);
    let guarantee = Guarantee::on_history("counted", move |view: &View<Copied>| {
        count.fetch_add(1, Ordering::Relaxed);
        view.history().len() <= 8
    });
    let found = searched(1, guarantee);
    assert_eq!(found.verdict(), Verdict::Holds);
    let judged = judged.load(Ordering::Relaxed) as u64;
    assert!(judged * 2 < found.progress.configurations, "{judged} of {:?}", found.progress);
}
