//! A search that several processes share finds what one process finds. The processes are threads
//! here, and their connections pairs of sockets.

use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use cadre_explore::{
    Exploration, Flow, Keep, Levels, Reductions, Settings, Share, ShareError, explore,
    explore_shared,
};
use cadre_model::{Budget, Faults, Model, Network, Portable, check};
use cadre_trace::Verdict;

use crate::equal::{drawn, facts};
use crate::shortest::Asserts;
use crate::{at_most, depth_at_most, two_phase};

/// What a process of a search came to.
type Outcome<M> = Result<Exploration<<M as Model>::Action>, ShareError>;

/// For each process its connections to the others.
fn connections(processes: usize) -> Vec<Vec<Option<UnixStream>>> {
    let mut all: Vec<Vec<Option<UnixStream>>> = Vec::new();
    all.resize_with(processes, || (0..processes).map(|_| None).collect());
    let pairs = (0..processes).flat_map(|one| (0..one).map(move |other| (one, other)));
    for (one, other) in pairs {
        let (here, there) = UnixStream::pair().unwrap();
        all[one][other] = Some(here);
        all[other][one] = Some(there);
    }
    all
}

/// Lets processes search, each with a model of its own.
fn each<M: Portable>(
    settings: &Settings,
    models: &[M],
    levels: Option<(&[InMemory], Goes)>,
) -> Vec<Outcome<M>> {
    let all = connections(models.len());
    std::thread::scope(|scope| {
        let run = |(process, connections): (usize, Vec<_>)| {
            scope.spawn(move || {
                let own = |(levels, goes): (&[InMemory], Goes)| (levels[process].clone(), goes);
                let mut levels = levels.map(own);
                let keep = match &mut levels {
                    None => Keep::Nothing,
                    Some((levels, Goes::Anew)) => Keep::Levels(levels),
                    Some((levels, Goes::On)) => Keep::Resume(levels),
                };
                let subject = "a test".to_owned();
                let share = Share { process, connections, subject, keep, now: now() };
                explore_shared(&models[process], settings, share, &mut |_| Flow::Continue)
            })
        };
        let running: Vec<_> = all.into_iter().enumerate().map(run).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Lets processes search, and gives what they all found.
pub(crate) fn together<M: Portable>(
    processes: usize,
    settings: &Settings,
    model: impl Fn() -> M,
) -> Exploration<M::Action> {
    let models: Vec<M> = (0..processes).map(|_| model()).collect();
    let mut found = each(settings, &models, None).into_iter().map(Result::unwrap);
    let first = found.next().unwrap();
    for other in found {
        // Actions are ids, which mean something in one process only.
        assert_eq!((first.progress, first.bound), (other.progress, other.bound));
        assert_eq!(lengths(&first), lengths(&other));
    }
    first
}

pub(crate) fn lengths<A: Clone>(found: &Exploration<A>) -> Vec<(Verdict, Option<usize>)> {
    let length = |path: &Option<Vec<A>>| path.as_ref().map(Vec::len);
    found.findings.iter().map(|finding| (finding.verdict, length(&finding.path))).collect()
}

fn alone<M: Model>(settings: &Settings, model: &M) -> Exploration<M::Action> {
    explore(model, settings, &mut |_| Flow::Continue)
}

/// How a search with levels that were kept goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    Anew,
    On,
}

/// Keeps levels in memory; may refuse one.
#[derive(Clone, Default)]
struct InMemory {
    levels: Arc<Mutex<BTreeMap<u64, Vec<u8>>>>,
    refuses: Option<u64>,
}

impl Levels for InMemory {
    fn count(&mut self) -> io::Result<u64> {
        let levels = self.levels.lock().unwrap();
        Ok((0..).take_while(|level| levels.contains_key(level)).count() as u64)
    }

    fn get(&mut self, level: u64) -> io::Result<Vec<u8>> {
        Ok(self.levels.lock().unwrap()[&level].clone())
    }

    fn keep(&mut self, level: u64, bytes: &[u8]) -> io::Result<()> {
        if self.refuses == Some(level) {
            return Err(io::Error::other("no space"));
        }
        self.levels.lock().unwrap().insert(level, bytes.to_vec());
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a search that is shared has to be told the time")]
fn now() -> Instant {
    Instant::now()
}

pub(crate) fn one_worker() -> Settings {
    Settings { workers: 1, ..Settings::default() }
}

#[test]
fn two_phase_commit_has_the_same_counts_in_one_two_and_three_processes() {
    for voters in 1..=5 {
        let one = alone(&one_worker(), &two_phase::cluster(voters, voters));
        for processes in 1..=3 {
            let settings = Settings { workers: processes, ..Settings::default() };
            let found = together(processes, &settings, || two_phase::cluster(voters, voters));
            let what = format!("{voters} voters, {processes} processes");
            assert_eq!(found.progress.configurations, one.progress.configurations, "{what}");
            assert_eq!(found.progress.depth, one.progress.depth, "{what}");
            assert_eq!(found.omission_bound, one.omission_bound, "{what}");
            assert_eq!((found.verdict(), found.bound), (Verdict::Holds, None), "{what}");
            assert_eq!(lengths(&found), lengths(&one), "{what}");
        }
    }
}

#[test]
fn a_counterexample_is_as_short_as_that_of_one_process_and_the_same_every_time() {
    for voters in 2..=4 {
        let one = alone(&one_worker(), &two_phase::cluster(voters, 1));
        let mut paths = Vec::new();
        for processes in [1, 2, 3, 3, 3] {
            let clusters: Vec<_> = (0..processes).map(|_| two_phase::cluster(voters, 1)).collect();
            let found = each(&one_worker(), &clusters, None);
            for (found, cluster) in found.into_iter().zip(&clusters) {
                let found = found.unwrap();
                assert_eq!(lengths(&found), lengths(&one));
                assert_eq!(found.progress.depth, one.progress.depth);
                let (guarantee, finding) = found.violation().unwrap();
                let path = finding.path.as_ref().unwrap().iter();
                let told: Vec<_> = path.map(|choice| cluster.describe(*choice)).collect();
                paths.push((guarantee, told));
            }
        }
        assert_eq!(paths[0].1.len(), 5);
        assert!(paths.iter().all(|path| *path == paths[0]));
    }
}

#[test]
fn every_drawn_protocol_is_searched_as_by_one_process() {
    let fault_sets = [
        (Network::GrowingSet, Faults::default()),
        (Network::GrowingSet, Faults { crash_restarts: Budget::AtMost(2), ..Faults::default() }),
        (Network::ConsumedOnce, Faults { losses: Budget::AtMost(1), ..Faults::default() }),
        (
            Network::ConsumedOnce,
            Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() },
        ),
    ];
    let mut compared = 0;
    for number in 0..24 {
        for (network, faults) in fault_sets {
            let what = format!("{number}, {network:?}, {faults:?}");
            let bounds = at_most(2_000);
            let one = alone(&bounds, &drawn(number, network, faults));
            if one.bound.is_some() {
                continue;
            }
            for sleep_sets in [false, true] {
                let reductions = Reductions { sleep_sets, ..Reductions::default() };
                let settings = Settings { reductions, ..one_worker() };
                let mut expected = facts(&alone(&settings, &drawn(number, network, faults)));
                let found = together(2, &settings, || drawn(number, network, faults));
                let found = facts(&found);
                if sleep_sets {
                    // Which actions have a bit depends on who meets them first.
                    expected.transitions = found.transitions;
                }
                assert_eq!(found, expected, "{what}");
            }
            compared += 1;
        }
    }
    assert!(compared > 12, "{compared} compared");
}

#[test]
fn what_is_asleep_travels_along() {
    let transitions = |sleep_sets| {
        let settings = Settings {
            reductions: Reductions { sleep_sets, ..Reductions::default() },
            ..one_worker()
        };
        together(3, &settings, || two_phase::cluster(4, 4)).progress.transitions
    };
    let (awake, asleep) = (transitions(false), transitions(true));
    let reductions = Reductions { sleep_sets: true, ..Reductions::default() };
    let one = alone(&Settings { reductions, ..one_worker() }, &two_phase::cluster(4, 4));
    assert_eq!(asleep, one.progress.transitions);
    assert!(asleep * 3 < awake * 2, "{asleep} of {awake}");
}

#[test]
fn bounds_are_told_as_such_and_levels_are_never_cut_short() {
    let found = together(2, &depth_at_most(6), || two_phase::cluster(4, 4));
    let one = alone(&depth_at_most(6), &two_phase::cluster(4, 4));
    assert_eq!(
        (found.bound, found.progress.configurations),
        (one.bound, one.progress.configurations)
    );
    assert_eq!(found.verdict(), Verdict::Bounded);

    let found = together(2, &at_most(500), || two_phase::cluster(4, 4));
    let met = found.progress.configurations;
    assert_eq!(found.bound, Some(cadre_explore::Bound::Configurations(met)));
    assert!((500..1_568).contains(&met), "{met}");
}

/// A counter that may add one or two.
struct Counter;

impl Model for Counter {
    type State = u32;
    type Action = u32;

    fn init(&self) -> Vec<u32> {
        vec![0, 50, 0]
    }

    fn actions(&self, _: &u32, out: &mut Vec<u32>) {
        out.extend([1, 2]);
    }

    fn next(&self, state: &u32, add: &u32) -> Option<u32> {
        Some((state + add) % 100)
    }
}

#[test]
fn a_plain_model_is_searched_together_and_its_paths_lead_where_they_should() {
    for seven in [7, 57, 20, 99] {
        let model = || check(Counter).always("not that", move |state| *state != seven);
        let one = alone(&one_worker(), &model());
        for processes in [2, 3] {
            let found = together(processes, &one_worker(), model);
            assert_eq!(lengths(&found), lengths(&one));
            let path = found.findings[0].path.as_ref().unwrap();
            let ends = [0, 50].map(|first| path.iter().fold(first, |at, add| (at + add) % 100));
            assert!(ends.contains(&seven), "{path:?}");
        }
    }
}

#[test]
fn a_panic_of_a_model_is_found_by_all_processes_with_the_step_that_panics() {
    let models = || [(); 3].map(|()| check(Asserts));
    for found in each(&one_worker(), &models(), None) {
        let found = found.unwrap();
        let (_, finding) = found.violation().unwrap();
        assert_eq!(finding.claim.name, "every step returns");
        let path = finding.path.as_ref().unwrap();
        assert_eq!((path.len(), path.iter().sum::<u32>()), (4, 7), "{path:?}");
        assert!(finding.why.as_deref().unwrap().contains("seven"), "{:?}", finding.why);
    }
}

#[test]
fn a_path_may_lead_past_a_step_that_panics() {
    // To come to eight means to add two to six, where adding one panics.
    let model = || check(Asserts).reachable("eight", |state| *state == 8);
    let found = together(2, &one_worker(), model);
    assert_eq!(found.findings[0].path.as_deref(), Some(&[2, 2, 2, 2][..]));
}

#[test]
fn a_process_that_fails_is_named_by_the_others_and_the_search_resumes_where_it_broke_off() {
    let one = alone(&one_worker(), &two_phase::cluster(4, 4));
    for (refused, failing) in [(1, 0), (5, 1), (9, 2), (13, 0)] {
        let mut levels = vec![InMemory::default(); 3];
        levels.iter_mut().for_each(|levels| *levels = InMemory::default());
        levels[failing].refuses = Some(refused);
        let clusters = || [(); 3].map(|()| two_phase::cluster(4, 4));
        let outcomes = each(&one_worker(), &clusters(), Some((&levels[..], Goes::Anew)));
        for (process, outcome) in outcomes.into_iter().enumerate() {
            match outcome.unwrap_err() {
                ShareError::Storage { level, .. } => {
                    assert_eq!((process, level), (failing, refused));
                }
                // Whoever hears of it late may hear it from another that gave up.
                ShareError::Lost { process: lost } => {
                    assert!(process != failing && lost != process);
                }
                other => panic!("{other}"),
            }
        }
        assert_eq!(levels[failing].count().unwrap(), refused);

        levels[failing].refuses = None;
        let anew = each(&one_worker(), &clusters(), Some((&levels[..], Goes::Anew)));
        let occupied = |outcome: &Outcome<cadre_model::Cluster<two_phase::TwoPhase>>| {
            matches!(outcome, Err(ShareError::Occupied { .. }))
        };
        assert!(anew.iter().all(occupied));

        let resumed = each(&one_worker(), &clusters(), Some((&levels[..], Goes::On)));
        for found in resumed {
            let found = found.unwrap();
            assert_eq!(found.progress.configurations, one.progress.configurations);
            assert_eq!(found.progress.depth, one.progress.depth);
            assert_eq!(lengths(&found), lengths(&one));
        }
    }
}

#[test]
fn a_search_resumes_from_any_level_and_counts_the_same_transitions() {
    let settings = Settings {
        reductions: Reductions { sleep_sets: false, ..Reductions::default() },
        ..one_worker()
    };
    let levels = [InMemory::default(), InMemory::default()];
    let clusters = || [(); 2].map(|()| two_phase::cluster(3, 1));
    let whole = each(&settings, &clusters(), Some((&levels[..], Goes::Anew)));
    let whole = whole[0].as_ref().unwrap();
    assert_eq!(whole.violation().unwrap().1.path.as_ref().unwrap().len(), 5);
    for kept in (1..=5).rev() {
        for levels in &levels {
            levels.levels.lock().unwrap().retain(|level, _| *level < kept);
        }
        let resumed = each(&settings, &clusters(), Some((&levels[..], Goes::On)));
        let resumed = resumed[0].as_ref().unwrap();
        assert_eq!(
            (resumed.progress.configurations, resumed.progress.transitions, lengths(resumed)),
            (whole.progress.configurations, whole.progress.transitions, lengths(whole))
        );
    }
    let deeper = Settings { workers: 1, ..depth_at_most(3) };
    for outcome in each(&deeper, &clusters(), Some((&levels[..], Goes::On))) {
        assert!(matches!(outcome, Err(ShareError::OtherStored { .. })));
    }
    levels[1].levels.lock().unwrap().clear();
    for outcome in each(&settings, &clusters(), Some((&levels[..], Goes::On))) {
        assert!(matches!(outcome, Err(ShareError::NothingToResume { process: 1 })));
    }
}

#[test]
fn a_connection_that_breaks_ends_the_search_of_all_processes() {
    let mut all = connections(3);
    let cut = all[2][0].as_ref().unwrap().try_clone().unwrap();
    let lost: Vec<usize> = std::thread::scope(|scope| {
        let run = |(process, connections): (usize, Vec<_>)| {
            let cut = (process == 1).then(|| cut.try_clone().unwrap());
            scope.spawn(move || {
                let (subject, keep) = (String::new(), Keep::Nothing);
                let share = Share { process, connections, subject, keep, now: now() };
                let mut watch = |progress: &cadre_explore::Progress| {
                    if let (6, Some(cut)) = (progress.depth, &cut) {
                        let _ = cut.shutdown(Shutdown::Both);
                    }
                    Flow::Continue
                };
                let cluster = two_phase::cluster(5, 5);
                let outcome = explore_shared(&cluster, &one_worker(), share, &mut watch);
                let Err(ShareError::Lost { process }) = outcome else { panic!("{outcome:?}") };
                process
            })
        };
        let running: Vec<_> = std::mem::take(&mut all).into_iter().enumerate().map(run).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(lost[0] != 0 && lost[1] != 1 && lost[2] != 2, "{lost:?}");
}

#[test]
fn processes_that_do_not_search_the_same_do_not_begin() {
    let settings = [one_worker(), Settings { workers: 1, ..depth_at_most(3) }];
    let all = connections(2);
    std::thread::scope(|scope| {
        for ((process, connections), settings) in all.into_iter().enumerate().zip(&settings) {
            scope.spawn(move || {
                let (subject, keep) = (String::new(), Keep::Nothing);
                let share = Share { process, connections, subject, keep, now: now() };
                let cluster = two_phase::cluster(2, 2);
                let outcome = explore_shared(&cluster, settings, share, &mut |_| Flow::Continue);
                let error = outcome.unwrap_err();
                let ShareError::Other { process: other, .. } = error else { panic!("{error}") };
                assert_eq!(other, 1 - process);
            });
        }
    });
}
