//! The protocol of all rows: what it does is given as functions.

use std::time::Duration;

use cadre_model::{Budget, Cluster, Faults, Guarantee, Network, Timing, View};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

/// A protocol whose nodes keep a list of words.
#[derive(Clone, Copy)]
pub(crate) struct Toy {
    pub(crate) start: fn(usize, &Disk, &mut Effects<Toy>) -> Vec<Word>,
    pub(crate) step: fn(usize, &mut Vec<Word>, Event<Toy>, &mut Effects<Toy>),
    pub(crate) choices: fn(usize, &[Word]) -> Vec<Word>,
}

/// What nodes say, know, and name their timers. Those without a number are unreadable where they
/// are altered, so that corruption is a loss at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Word {
    One,
    Two,
    Three,
    Ask,
    Yes,
    No,
    Go,
    Mine,
    Done,
    Broken,
    Number(u8),
    Checked { value: u8, sum: u8 },
}

impl Protocol for Toy {
    type State = Vec<Word>;
    type Message = Word;
    type Timer = Word;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, disk: &Disk, out: &mut Effects<Self>) -> Vec<Word> {
        (self.start)(node.index(), disk, out)
    }

    fn step(
        &self,
        node: NodeId,
        state: &mut Vec<Word>,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        (self.step)(node.index(), state, event, out);
    }

    fn choices(&self, node: NodeId, state: &Vec<Word>) -> Vec<Word> {
        (self.choices)(node.index(), state)
    }
}

/// The positions of the nodes.
pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;
pub(crate) const C: usize = 2;

pub(crate) fn id(node: usize) -> NodeId {
    NodeId::from_index(node)
}

pub(crate) fn send(out: &mut Effects<Toy>, to: usize, word: Word) {
    out.send(id(to), word);
}

/// One time, and as often as it likes.
pub(crate) const ONCE: Budget = Budget::AtMost(1);
pub(crate) const EVER: Budget = Budget::Unlimited;

pub(crate) fn ticks(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A node that does nothing.
pub(crate) const IDLE: Toy =
    Toy { start: |_, disk, _| recall(disk), step: |_, _, _, _| {}, choices: |_, _| Vec::new() };

/// Keeps a word in memory and on the disk. The word is in the key, so that a value that is read
/// wrongly does no harm.
pub(crate) fn remember(state: &mut Vec<Word>, word: Word, out: &mut Effects<Toy>) {
    let word_as_json = serde_json::to_string(&word).unwrap();
    out.put_synced(format!("{}{word_as_json}", state.len()), &true);
    state.push(word);
}

/// The words that have been remembered.
pub(crate) fn recall(disk: &Disk) -> Vec<Word> {
    let word = |(key, _): (&[u8], _)| serde_json::from_slice(&key[1..]).ok();
    disk.range(..).filter_map(word).collect()
}

/// The circumstances of a row.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) nodes: usize,
    pub(crate) network: Network,
    pub(crate) queue: Option<usize>,
    pub(crate) timing: Timing,
    pub(crate) faults: Faults,
    /// What the first node may forge.
    pub(crate) forged: Vec<Word>,
}

/// A fault with a bug that only it reveals.
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    pub(crate) setting: Setting,
    /// Leaves the fault out.
    pub(crate) without: fn(&mut Setting),
    pub(crate) guarantee: fn() -> Guarantee<View<Toy>>,
    pub(crate) buggy: Toy,
    pub(crate) fixed: Toy,
}

impl Row {
    pub(crate) fn cluster(&self, toy: &Toy) -> Cluster<Toy> {
        self.build(toy, &self.setting)
    }

    pub(crate) fn cluster_without(&self, toy: &Toy) -> Cluster<Toy> {
        let mut setting = self.setting.clone();
        (self.without)(&mut setting);
        self.build(toy, &setting)
    }

    fn build(&self, toy: &Toy, setting: &Setting) -> Cluster<Toy> {
        let mut builder = Cluster::builder(*toy)
            .network(setting.network)
            .timing(setting.timing)
            .faults(setting.faults)
            .group([id(A), id(B)])
            .traitor(id(A), setting.forged.clone())
            .guarantee((self.guarantee)());
        for name in &["a", "b", "c"][..setting.nodes] {
            builder = builder.node(*name);
        }
        if let Some(messages_max) = setting.queue {
            builder = builder.queue(messages_max);
        }
        builder.build().unwrap()
    }
}

/// Everything that can happen to two nodes without time: as often as it likes, but for what would
/// fill the network without end.
pub(crate) fn everything() -> Setting {
    let faults = Faults {
        losses: EVER,
        bursts: EVER,
        duplications: ONCE,
        replays: ONCE,
        corruptions: EVER,
        partitions: EVER,
        one_way_partitions: EVER,
        partial_partitions: EVER,
        crashes: EVER,
        restarts: true,
        crash_restarts: EVER,
        group_crashes: EVER,
        interruptions: EVER,
        torn_writes: EVER,
        sync_errors: EVER,
        full_disks: EVER,
        corrupt_reads: EVER,
        misdirected_reads: EVER,
        ..Faults::default()
    };
    let (network, timing) = (Network::Fifo, Timing::Untimed);
    Setting { nodes: 2, network, queue: None, timing, faults, forged: Vec::new() }
}

/// The same with time, and the faults of time.
pub(crate) fn everything_in_time() -> Setting {
    let mut setting = everything();
    setting.timing = Timing::Interval { tick: ticks(1), late: 0 };
    setting.faults.delays = EVER;
    setting.faults.pauses = EVER;
    setting.faults.slow_syncs = EVER;
    setting.faults.clock_jumps = ONCE;
    setting
}

/// What a node keeps in memory; nothing where it is down.
pub(crate) fn words(view: &View<Toy>, node: usize) -> &[Word] {
    view.state(id(node)).map_or(&[], Vec::as_slice)
}

pub(crate) fn disk_of(view: &View<Toy>, node: usize) -> &Disk {
    view.disk(id(node))
}
