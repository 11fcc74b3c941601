use std::collections::BTreeMap;

use cadre_model::{Asleep, Cluster, Configuration, Heard, Model, Portable, PortableError, Told};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use crate::two_phase::{self, TwoPhase};

/// All configurations, the last found first or last: clusters that are looked at in another order
/// give other ids.
fn all<P: Protocol>(cluster: &Cluster<P>, is_deep: bool) -> Vec<Configuration> {
    let mut met = BTreeMap::new();
    let mut open = vec![cluster.initial().clone()];
    while !open.is_empty() {
        let at = if is_deep { open.pop().unwrap() } else { open.remove(0) };
        if met.insert(at.fingerprint(), at.clone()).is_some() {
            continue;
        }
        let mut actions = Vec::new();
        cluster.actions(&at, &mut actions);
        open.extend(actions.iter().filter_map(|action| cluster.next(&at, action)));
    }
    met.into_values().collect()
}

/// A configuration with the protocol's own types.
fn told<P: Protocol>(cluster: &Cluster<P>, configuration: &Configuration) -> String {
    cluster.with_view(configuration, |view| {
        let mut messages: Vec<_> = view.in_flight().map(|sent| format!("{sent:?}")).collect();
        messages.sort();
        let nodes: Vec<_> = view.nodes().map(|node| (view.state(node), view.disk(node))).collect();
        format!("{nodes:?} {messages:?}")
    })
}

fn unpack(
    cluster: &Cluster<TwoPhase>,
    bytes: &[u8],
    heard: &mut Heard,
) -> Result<Vec<Configuration>, PortableError> {
    let mut out = Vec::new();
    cluster.unpack(bytes, heard, &mut |_, _| true, &mut out).map(|()| out)
}

#[test]
fn what_is_unpacked_is_what_was_packed_whatever_the_receiver_has_met_before() {
    for is_deep in [false, true] {
        let here = two_phase::cluster(3, 3);
        let there = two_phase::cluster(3, 3);
        let expected = all(&here, false);
        assert_eq!(expected.len(), 288);
        if is_deep {
            all(&there, true);
        }
        let (mut shipped, mut heard) = (Told::default(), Heard::default());
        for states in expected.chunks(50) {
            let mut bytes = Vec::new();
            here.pack(states, &vec![Asleep::NONE; states.len()], &mut shipped, &mut bytes);
            let unpacked = unpack(&there, &bytes, &mut heard).unwrap();
            assert_eq!(unpacked.len(), states.len());
            for (one, other) in states.iter().zip(&unpacked) {
                assert_eq!(one.fingerprint(), other.fingerprint());
                assert_eq!(told(&here, one), told(&there, other));
            }
        }
    }
}

#[test]
fn nothing_is_told_twice_and_what_is_not_wanted_is_not_built() {
    let (here, there) = (two_phase::cluster(3, 3), two_phase::cluster(3, 3));
    let states = all(&here, false);
    let asleep = vec![Asleep::NONE; states.len()];
    let (mut shipped, mut heard) = (Told::default(), Heard::default());
    let mut lengths = Vec::new();
    for wanted in [true, false] {
        let (mut bytes, mut out, mut fingerprints) = (Vec::new(), Vec::new(), Vec::new());
        here.pack(&states, &asleep, &mut shipped, &mut bytes);
        let mut arrive = |fingerprint, _| {
            fingerprints.push(fingerprint);
            wanted
        };
        there.unpack(&bytes, &mut heard, &mut arrive, &mut out).unwrap();
        let expected: Vec<_> = states.iter().map(Configuration::fingerprint).collect();
        assert_eq!(fingerprints, expected);
        assert_eq!(out.len(), if wanted { states.len() } else { 0 });
        lengths.push(bytes.len());
    }
    assert!(lengths[1] + 1_000 < lengths[0], "{lengths:?}");
}

#[test]
fn what_is_asleep_is_the_same_actions_there() {
    let (here, there) = (two_phase::cluster(2, 2), two_phase::cluster(2, 2));
    let states = all(&here, false);
    all(&there, true);
    // An action sleeps where it is not tried: what is left when all but one sleep is that one.
    let tried = |cluster: &Cluster<TwoPhase>, state: &Configuration, asleep: Asleep| {
        let mut found = Tried::default();
        cluster.expand(std::slice::from_ref(state), &[asleep], &mut found);
        let mut told: Vec<_> =
            found.0.iter().map(|choice| format!("{:?}", cluster.describe(*choice))).collect();
        told.sort();
        told
    };
    let mut compared = 0;
    let (mut shipped, mut heard) = (Told::default(), Heard::default());
    for state in &states {
        for bit in 0..u128::BITS {
            let asleep = Asleep(1 << bit);
            let (mut bytes, mut out, mut arrived) = (Vec::new(), Vec::new(), Asleep::NONE);
            here.pack(std::slice::from_ref(state), &[asleep], &mut shipped, &mut bytes);
            let mut arrive = |_, asleep| {
                arrived = asleep;
                true
            };
            there.unpack(&bytes, &mut heard, &mut arrive, &mut out).unwrap();
            let expected = tried(&here, state, asleep);
            assert_eq!(tried(&there, &out[0], arrived), expected);
            compared += usize::from(expected.len() < tried(&here, state, Asleep::NONE).len());
        }
    }
    assert!(compared > 50, "{compared} times something slept");
}

/// The actions that are tried.
#[derive(Default)]
struct Tried(Vec<cadre_model::Choice>);

impl cadre_model::Expansion<cadre_model::Choice> for Tried {
    fn successor(&mut self, _: usize, action: cadre_model::Choice, _: u128, _: Asleep) {
        self.0.push(action);
    }

    fn unknown(&mut self, _: usize, action: cadre_model::Choice) {
        panic!("{action:?} is known, as all configurations were looked at");
    }

    fn at_rest(&mut self, _: usize) {}

    fn failed(&mut self, _: usize, _: Option<cadre_model::Choice>, _: usize, why: String) {
        panic!("{why}");
    }
}

#[test]
fn bytes_that_are_cut_off_or_come_out_of_turn_are_refused() {
    let (here, mut shipped) = (two_phase::cluster(1, 1), Told::default());
    let states = all(&here, false);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    here.pack(&states[..1], &[Asleep::NONE], &mut shipped, &mut first);
    here.pack(&states[1..2], &[Asleep::NONE], &mut shipped, &mut second);
    let there = two_phase::cluster(1, 1);
    let mut cut_off = 0;
    for length in 0..first.len() {
        let unpacked = unpack(&there, &first[..length], &mut Heard::default());
        // Between two configurations the bytes may as well end.
        cut_off += usize::from(unpacked.is_ok_and(|states| states.is_empty()));
    }
    assert_eq!(cut_off, 1, "only the definitions alone are whole without the configuration");
    let error = unpack(&there, &second, &mut Heard::default()).unwrap_err();
    assert!(matches!(error, PortableError::Garbled { .. }), "{error}");
}

/// A node whose state does not come back from serde as it was.
struct Forgetful;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Count {
    #[serde(skip)]
    count: u8,
}

impl Protocol for Forgetful {
    type State = Count;
    type Message = Nothing;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> Count {
        Count { count: 1 }
    }

    fn step(&self, _: NodeId, _: &mut Count, _: Event<Self>, _: &mut Effects<Self>) {}
}

#[test]
fn a_state_that_serde_forgets_is_found_out() {
    let cluster = || Cluster::builder(Forgetful).node("n").build().unwrap();
    let (here, there) = (cluster(), cluster());
    let mut bytes = Vec::new();
    here.pack(
        std::slice::from_ref(here.initial()),
        &[Asleep::NONE],
        &mut Told::default(),
        &mut bytes,
    );
    let mut out = Vec::new();
    let unpacked = there.unpack(&bytes, &mut Heard::default(), &mut |_, _| true, &mut out);
    assert_eq!(unpacked, Err(PortableError::Changed { what: "a node's state" }));
}
