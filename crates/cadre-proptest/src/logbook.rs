use std::rc::Rc;

use cadre_model::{Model, Parting, RunLog, Site};

use crate::fuzz::{FuzzOptions, FuzzOutcome, fuzz_noting};
use crate::walk::Walk;

/// Makes the same random search twice, each time with a model of its own, and compares: what was
/// drawn, what was enabled, and what each action led to.
///
/// A model is pure by contract, and this looks whether whole runs are: a protocol that counts in a
/// global variable or looks at a clock does something else the second time, though each of its
/// steps may do the same when it is tried twice in a row. `make` is called before each of the two
/// runs: what a model remembers of the first would hide the difference.
///
/// # Errors
///
/// Where a model cannot be made.
pub fn fuzz_twice<M: Model + 'static, E>(
    make: &mut dyn FnMut() -> Result<Rc<M>, E>,
    options: &FuzzOptions,
    watch: &mut dyn FnMut(u32) -> bool,
) -> Result<Twice<M::Action>, E> {
    let mut run = || {
        let mut logbook = Logbook::new();
        let outcome = fuzz_noting(&make()?, options, watch, Some(&mut logbook));
        Ok((outcome, logbook))
    };
    let ((outcome, first), (again, second)) = (run()?, run()?);
    let stopped = outcome.stopped || again.stopped;
    // Of a search that was ended from outside nobody knows how it would have gone on.
    let parting = if stopped { None } else { first.log.parting(&second.log) };
    let parted = parting.map(|parting| {
        let paths = [&first, &second].map(|logbook| logbook.path_to(parting.site));
        Parted { parting, paths }
    });
    let fingerprint = first.log.fingerprint();
    Ok(Twice { outcome: FuzzOutcome { stopped, ..outcome }, fingerprint, parted })
}

/// What came of making a random search twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twice<A> {
    /// What the first search has found; stopped if either was.
    pub outcome: FuzzOutcome<A>,
    /// The fingerprint of all that was drawn and reached in it.
    pub fingerprint: u128,
    /// Where the second search did something else.
    pub parted: Option<Parted<A>>,
}

/// Where two runs that should be the same are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted<A> {
    /// The place, and what differs.
    pub parting: Parting,
    /// The actions of either run up to there, the step that differs included.
    pub paths: [Vec<A>; 2],
}

/// What happens in a random search.
pub(crate) struct Logbook<A> {
    log: RunLog,
    /// The actions of each walk.
    paths: Vec<Vec<A>>,
}

impl<A: Clone> Logbook<A> {
    fn new() -> Self {
        Self { log: RunLog::new(), paths: Vec::new() }
    }

    /// A walk begins.
    pub(crate) fn begin<M: Model<Action = A>>(&mut self, walk: &Walk<M>) {
        self.paths.push(Vec::new());
        self.log.note(self.site(), "weights", walk.weights());
        self.reach(walk);
    }

    /// A walk is about to go on.
    pub(crate) fn look<M: Model<Action = A>>(&mut self, walk: &Walk<M>) {
        let mut enabled = Vec::new();
        walk.model().actions(walk.state(), &mut enabled);
        let labels: Vec<String> = enabled.iter().map(|action| walk.model().label(action)).collect();
        self.log.note(self.site(), "list of enabled actions", labels.join(", "));
    }

    /// A walk has taken an action.
    pub(crate) fn step<M: Model<Action = A>>(&mut self, walk: &Walk<M>, action: &A) {
        if let Some(path) = self.paths.last_mut() {
            path.push(action.clone());
        }
        self.log.note(self.site(), "action", walk.model().label(action));
        self.reach(walk);
    }

    fn reach<M: Model<Action = A>>(&mut self, walk: &Walk<M>) {
        let fingerprint = walk.model().fingerprint(walk.state());
        self.log.note(self.site(), "configuration", format!("{fingerprint:032x}"));
    }

    fn site(&self) -> Site {
        let steps = self.paths.last().map_or(0, Vec::len);
        Site { run: self.paths.len() as u64, step: steps as u64 }
    }

    /// The actions of a walk up to a place.
    fn path_to(&self, site: Option<Site>) -> Vec<A> {
        let found = site.and_then(|site| {
            let walk = usize::try_from(site.run).ok()?.checked_sub(1)?;
            let path = self.paths.get(walk)?;
            let steps = path.len().min(usize::try_from(site.step).ok()?);
            Some(path[..steps].to_vec())
        });
        found.unwrap_or_default()
    }
}
