//! The command with games that break in ways a protocol should not: the tests see what is said of
//! them.

use std::collections::BTreeMap;

use cadre::conform::{Mapping, Spec, SpecAction};
use cadre::model::ClusterError;
use cadre::prelude::{
    Cluster, Disk, Effects, Event, Game, Guarantee, NodeId, Nothing, Protocol, Setup, Size, Suite,
};
use cadre::tla::Value;
use cadre_tests::{Ballot, Faulty};

fn main() -> std::process::ExitCode {
    let suite = Suite::new().game(Broken).game(Faulty).game(Stalling).game(Moody).game(Ballot);
    cadre_cli::run(&suite)
}

/// A node that may go once, and then does what the environment variable `BROKEN` says.
struct Broken;

impl Protocol for Broken {
    type State = bool;
    type Message = Nothing;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> bool {
        false
    }

    fn step(&self, _: NodeId, gone: &mut bool, _: Event<Self>, _: &mut Effects<Self>) {
        *gone = true;
        match std::env::var("BROKEN").as_deref() {
            Ok("dies") => die(),
            Ok("hangs") => hang(),
            Ok("panics") => panic!("the node cannot go"),
            _ => {}
        }
    }

    fn choices(&self, _: NodeId, gone: &bool) -> Vec<String> {
        if *gone { Vec::new() } else { vec!["go".to_owned()] }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests need a process that dies")]
fn die() {
    std::process::exit(9);
}

#[expect(clippy::disallowed_methods, reason = "the tests need a process that hangs")]
fn hang() {
    std::thread::sleep(std::time::Duration::from_secs(3600));
}

impl Game for Broken {
    type Protocol = Broken;

    fn name(&self) -> &'static str {
        "broken"
    }

    fn summary(&self) -> &'static str {
        "a node that may go once"
    }

    fn size(&self) -> Size {
        Size { one: "node", many: "nodes", min: 1, default: 1, max: 1 }
    }

    fn cluster(&self, _: &Setup) -> Result<Cluster<Broken>, ClusterError> {
        Cluster::builder(Broken).node("n1").build()
    }

    fn mapping(&self, _: &Setup) -> Option<Mapping<Broken>> {
        // The third line is no TLA+.
        let text = "---- MODULE Broken ----\nVARIABLE gone\nInit == gone = = FALSE\n====\n";
        let spec =
            Spec::new("Broken").module("Broken", text).trace_module("Broken").variables(["gone"]);
        let gone = |gone: bool| BTreeMap::from([("gone".to_owned(), Value::Bool(gone))]);
        Some(Mapping::new(
            spec,
            |_, _| SpecAction::named("Go"),
            move |view| gone(view.state(NodeId::from_index(0)).is_some_and(|gone| *gone)),
        ))
    }
}

/// Three nodes that count to six. Once they have counted to nine together, the process of a shared
/// search whose number the environment variable `STALLS` says goes no further.
struct Stalling;

impl Protocol for Stalling {
    type State = u8;
    type Message = Nothing;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u8 {
        0
    }

    fn step(&self, _: NodeId, count: &mut u8, _: Event<Self>, _: &mut Effects<Self>) {
        *count += 1;
    }

    fn choices(&self, _: NodeId, count: &u8) -> Vec<String> {
        if *count < 6 { vec!["count".to_owned()] } else { Vec::new() }
    }
}

impl Game for Stalling {
    type Protocol = Stalling;

    fn name(&self) -> &'static str {
        "stalling"
    }

    fn summary(&self) -> &'static str {
        "three nodes that count to six"
    }

    fn size(&self) -> Size {
        Size { one: "node", many: "nodes", min: 3, default: 3, max: 3 }
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<Stalling>, ClusterError> {
        let names = (1..=setup.size).map(|node| format!("n{node}"));
        let cluster = names.fold(Cluster::builder(Stalling), |cluster, name| cluster.node(name));
        let small = |view: &cadre::model::View<Stalling>| {
            let counts = view.nodes().filter_map(|node| view.state(node));
            let sum: u8 = counts.sum();
            if sum == 9 && stalls() {
                hang();
            }
            sum <= 18
        };
        cluster.guarantee(Guarantee::always("the sum is small", small)).build()
    }
}

/// Whether this process was started as the one that stalls.
fn stalls() -> bool {
    let args: Vec<String> = std::env::args().collect();
    let process = args.iter().position(|arg| arg == "--process").map(|at| &args[at + 1]);
    process.is_some() && process == std::env::var("STALLS").ok().as_ref()
}

/// Two nodes that say how they feel, which a global variable tells them: each start changes it.
struct Moody;

/// How often a node has been started.
static STARTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

impl Protocol for Moody {
    type State = u32;
    type Message = u32;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u32 {
        STARTS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        0
    }

    fn step(&self, node: NodeId, state: &mut u32, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Deliver { .. } => *state = STARTS.load(std::sync::atomic::Ordering::SeqCst),
            _ => {
                *state += 1;
                out.send(NodeId::from_index(1 - node.index()), *state);
            }
        }
    }

    fn choices(&self, node: NodeId, state: &u32) -> Vec<String> {
        if node.index() == 0 && *state < 2 { vec!["speak".to_owned()] } else { Vec::new() }
    }
}

impl Game for Moody {
    type Protocol = Moody;

    fn name(&self) -> &'static str {
        "moody"
    }

    fn summary(&self) -> &'static str {
        "two nodes, one of which looks at a global variable"
    }

    fn size(&self) -> Size {
        Size { one: "pair", many: "pairs", min: 1, default: 1, max: 1 }
    }

    fn cluster(&self, _: &Setup) -> Result<Cluster<Moody>, ClusterError> {
        Cluster::builder(Moody).node("n1").node("n2").build()
    }
}
