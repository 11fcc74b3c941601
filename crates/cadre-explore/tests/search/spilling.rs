//! A search whose configurations are put aside while they wait finds what it finds otherwise, and
//! notices where they do not come back.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cadre_explore::{
    Bound, Bounds, Exploration, Flow, Progress, Reductions, Settings, Spill, SpillFailure,
    Spilling, explore,
};
use cadre_model::{Budget, Faults, Model, Network, check};
use cadre_trace::Verdict;

use crate::bounds::UpTo;
use crate::equal::drawn;
use crate::two_phase;

/// Keeps what is put aside in memory, and may do it badly.
#[derive(Debug, Default)]
struct Place {
    kept: Mutex<BTreeMap<u64, Vec<u8>>>,
    calls: AtomicU64,
    /// What was written last.
    last: Mutex<Vec<u8>>,
    fault: Fault,
}

/// What goes wrong with the writing or reading that has a number, in the order of the calls.
#[derive(Clone, Copy, Debug, Default)]
enum Fault {
    #[default]
    None,
    /// It and all after it find a full disk.
    Full(u64),
    /// It is cut off after so many bytes.
    CutOff(u64, usize),
    /// A byte is changed.
    Changed(u64, usize),
    /// What was written before is there.
    Swapped(u64),
    /// It is gone.
    Lost(u64),
}

impl Spill for Place {
    fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut bytes = bytes.to_vec();
        let before = std::mem::replace(&mut *self.last.lock().unwrap(), bytes.clone());
        match self.fault {
            Fault::Full(from) if call >= from => return Err(io::ErrorKind::StorageFull.into()),
            Fault::CutOff(at, length) if call == at => bytes.truncate(length),
            Fault::Changed(at, byte) if call == at => {
                let byte = byte % bytes.len();
                bytes[byte] ^= 1;
            }
            Fault::Swapped(at) if call == at => bytes = before,
            Fault::Lost(at) if call == at => return Ok(()),
            _ => {}
        }
        let earlier = self.kept.lock().unwrap().insert(number, bytes);
        assert!(earlier.is_none(), "a number is used once");
        Ok(())
    }

    fn read(&self, number: u64) -> io::Result<Vec<u8>> {
        let kept = self.kept.lock().unwrap();
        kept.get(&number).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn forget(&self, number: u64) {
        self.kept.lock().unwrap().remove(&number);
    }
}

/// Searches with a place that may be bad; the most bytes that were kept in memory at any time, too.
fn search<M: Model>(
    model: &M,
    settings: &Settings,
    (place, resident_max): (&Arc<Place>, u64),
) -> (Exploration<M::Action>, u64) {
    let spilling = Some(Spilling { place: Arc::<Place>::clone(place), resident_max });
    let settings = Settings { spilling, ..settings.clone() };
    let mut memory_most = 0;
    let found = explore(model, &settings, &mut |progress| {
        memory_most = memory_most.max(progress.memory);
        Flow::Continue
    });
    assert!(place.kept.lock().unwrap().is_empty(), "what was put aside is given up in the end");
    (found, memory_most)
}

/// What was found, without where things were kept meanwhile.
fn wherever_kept<A: Clone>(found: Exploration<A>) -> Exploration<A> {
    let progress = Progress {
        memory: 0,
        memory_behind: 0,
        memory_queue: 0,
        spilled: 0,
        spilled_ever: 0,
        ..found.progress
    };
    Exploration { progress, ..found }
}

/// Searches in memory alone and with everything put aside, and compares; how much was put aside.
fn compared<M: Model>(model: impl Fn() -> M, settings: &Settings) -> u64 {
    let plain = wherever_kept(explore(&model(), settings, &mut |_| Flow::Continue));
    let mut spilled = 0;
    for workers in [1, 2, 3] {
        let settings = Settings { workers, ..settings.clone() };
        let (found, _) = search(&model(), &settings, (&Arc::default(), 0));
        spilled = found.progress.spilled_ever;
        assert_eq!(wherever_kept(found), plain, "{workers} workers");
    }
    spilled
}

#[test]
fn small_protocols_with_every_fault_are_searched_alike_with_everything_put_aside() {
    let (none, one) = (Faults::default(), Budget::AtMost(1));
    let all = Faults { losses: one, duplications: one, crashes: one, restarts: true, ..none };
    for number in 0..12 {
        for (network, faults) in [
            (Network::GrowingSet, none),
            (Network::ConsumedOnce, none),
            (Network::ConsumedOnce, all),
        ] {
            for sleep_sets in [false, true] {
                let reductions = Reductions { sleep_sets, dominance: true };
                // Some of them have no end.
                let settings = Settings { reductions, ..crate::at_most(2_000) };
                compared(|| drawn(number, network, faults), &settings);
            }
        }
    }
}

#[test]
fn a_search_of_many_parts_is_the_same_with_everything_put_aside() {
    for sleep_sets in [false, true] {
        let settings = Settings {
            reductions: Reductions { sleep_sets, dominance: true },
            ..Settings::default()
        };
        let spilled = compared(|| two_phase::cluster(6, 6), &settings);
        // Every configuration but the first goes that way, with 16 bytes of what is asleep there.
        assert!(spilled > 50_815 * (16 + 4 + 4 * 9 + 16), "{spilled}");
    }
    // With a violation: its path is the same.
    assert!(compared(|| two_phase::cluster(6, 2), &Settings::default()) > 0);
}

#[test]
fn bounds_end_a_search_at_the_same_place_with_everything_put_aside() {
    for configurations in [1, 100, 5_000, 20_000, 40_000] {
        compared(|| two_phase::cluster(6, 6), &crate::at_most(configurations));
    }
    for depth in [1, 2, 10, 20] {
        compared(|| two_phase::cluster(6, 6), &crate::depth_at_most(depth));
    }
}

#[test]
fn a_search_up_to_names_is_the_same_with_everything_put_aside() {
    let settings = Settings::default();
    let plain = {
        let cluster = two_phase::cluster(6, 6);
        wherever_kept(explore(&cluster.quotient(), &settings, &mut |_| Flow::Continue))
    };
    let cluster = two_phase::cluster(6, 6);
    let (found, _) = search(&cluster.quotient(), &settings, (&Arc::default(), 0));
    assert!(found.progress.spilled_ever > 0);
    assert_eq!(wherever_kept(found), plain);
}

/// Two counters that each go up to a limit.
struct Square(u16);

impl Model for Square {
    type State = [u16; 2];
    type Action = usize;

    fn init(&self) -> Vec<[u16; 2]> {
        vec![[0; 2]]
    }

    fn actions(&self, state: &[u16; 2], out: &mut Vec<usize>) {
        out.extend((0..2).filter(|counter| state[*counter] + 1 < self.0));
    }

    fn next(&self, state: &[u16; 2], counter: &usize) -> Option<[u16; 2]> {
        let mut after = *state;
        after[*counter] += 1;
        Some(after)
    }

    fn store(&self, states: &[[u16; 2]], out: &mut Vec<u8>) -> bool {
        out.extend(states.iter().flatten().flat_map(|count| count.to_le_bytes()));
        true
    }

    fn restore(&self, bytes: &[u8], out: &mut Vec<[u16; 2]>) -> bool {
        let count = |at: &[u8]| u16::from_le_bytes([at[0], at[1]]);
        out.extend(bytes.chunks_exact(4).map(|both| [count(both), count(&both[2..])]));
        bytes.len().is_multiple_of(4)
    }
}

#[test]
fn a_plain_model_that_stores_its_states_is_spilled_and_another_stays_in_memory() {
    let model = || check(Square(200)).always("not there", |state| *state != [150, 170]);
    assert!(compared(model, &Settings::default()) > 20_000 * 4);
    assert_eq!(compared(|| check(UpTo(500)), &Settings::default()), 0);
}

#[test]
fn nothing_is_put_aside_before_there_is_too_much_of_it() {
    let (found, _) =
        search(&two_phase::cluster(6, 6), &Settings::default(), (&Arc::default(), 1 << 30));
    assert_eq!((found.progress.spilled_ever, found.verdict()), (0, Verdict::Holds));
}

#[test]
fn memory_that_is_not_enough_otherwise_is_enough_where_configurations_are_put_aside() {
    let cluster = || two_phase::cluster(7, 7);
    let (all, in_memory) = search(&cluster(), &Settings::default(), (&Arc::default(), u64::MAX));
    let (_, aside) = search(&cluster(), &Settings::default(), (&Arc::default(), 0));
    assert!(aside * 4 < in_memory * 3, "{aside} instead of {in_memory}");
    let bounds = Bounds { memory_max: Some(aside), ..Bounds::default() };
    let settings = Settings::within(bounds);
    let (short, _) = search(&cluster(), &settings, (&Arc::default(), u64::MAX));
    assert!(matches!(short.bound, Some(Bound::Memory(_))));
    let (whole, _) = search(&cluster(), &settings, (&Arc::default(), 0));
    assert_eq!(wherever_kept(whole), wherever_kept(all));
}

/// How many times a search writes that puts everything aside.
fn writings() -> u64 {
    let place = Arc::<Place>::default();
    search(&two_phase::cluster(4, 4), &one_worker(), (&place, 0));
    place.calls.load(Ordering::Relaxed)
}

fn one_worker() -> Settings {
    Settings { workers: 1, ..Settings::default() }
}

fn with(fault: Fault) -> Exploration<cadre_model::Choice> {
    let place = Arc::new(Place { fault, ..Place::default() });
    search(&two_phase::cluster(4, 4), &one_worker(), (&place, 0)).0
}

#[test]
fn a_disk_that_is_full_ends_a_search_with_what_it_has() {
    let full = SpillFailure::Write(io::ErrorKind::StorageFull);
    let mut before = 0;
    for writing in 0..writings() {
        let found = with(Fault::Full(writing));
        assert_eq!((found.bound, found.verdict()), (Some(Bound::Spill(full)), Verdict::Bounded));
        let met = found.progress.configurations;
        assert!(met > 1 && met >= before, "it knows of {met} after {before}");
        before = met;
    }
    let (many, full) = (two_phase::cluster(6, 6), Some(Bound::Spill(full)));
    for workers in [1, 2] {
        let place = Arc::new(Place { fault: Fault::Full(1_000), ..Place::default() });
        let settings = Settings { workers, ..Settings::default() };
        assert_eq!(search(&many, &settings, (&place, 0)).0.bound, full);
    }
}

#[test]
fn what_comes_back_changed_is_noticed() {
    let damaged = Some(Bound::Spill(SpillFailure::Damaged));
    for writing in 0..writings() {
        for byte in [0, 1, 7, 100, 1_000] {
            assert_eq!(with(Fault::Changed(writing, byte)).bound, damaged);
        }
        for length in [0, 1, 16, 17, 40] {
            assert_eq!(with(Fault::CutOff(writing, length)).bound, damaged);
        }
        let lost = SpillFailure::Read(io::ErrorKind::NotFound);
        assert_eq!(with(Fault::Lost(writing)).bound, Some(Bound::Spill(lost)));
        assert_eq!(with(Fault::Swapped(writing)).bound, damaged);
    }
}

/// Stores nothing but what it is given back, whatever that was.
#[test]
fn a_model_that_does_not_restore_what_it_stored_is_noticed() {
    struct Forgetful;

    impl Model for Forgetful {
        type State = u32;
        type Action = ();

        fn init(&self) -> Vec<u32> {
            vec![0]
        }

        fn actions(&self, state: &u32, out: &mut Vec<()>) {
            out.extend((*state < 9).then_some(()));
        }

        fn next(&self, state: &u32, (): &()) -> Option<u32> {
            Some(state + 1)
        }

        fn store(&self, _: &[u32], _: &mut Vec<u8>) -> bool {
            true
        }
    }

    let (found, _) = search(&Forgetful, &one_worker(), (&Arc::default(), 0));
    assert_eq!(found.bound, Some(Bound::Spill(SpillFailure::Damaged)));
}
