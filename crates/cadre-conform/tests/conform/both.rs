//! TLC, and beside it the engine without a JVM, which is to find the same in every run of a test.

use std::collections::BTreeSet;
use std::fs;

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{
    Behaviours, Dump, Embedded, Engine, Outcome, Run, Simulation, TlaError, Tlc, Verdict,
};

/// TLC, whose verdicts count, and whose every run is done by the other engine too.
#[derive(Debug)]
pub(crate) struct Both {
    pub(crate) tlc: &'static Tlc,
}

impl Engine for Both {
    fn run(&self, run: &Run, stop: &Stop) -> Result<Outcome, TlaError> {
        let directory = PrivateDirectory::new("both-test").expect("a directory is created");
        for entry in fs::read_dir(&run.directory).expect("the directory is there") {
            let path = entry.expect("the entry is readable").path();
            let name = path.file_name().expect("an entry has a name");
            fs::copy(&path, directory.path().join(name)).expect("the file is copied");
        }
        let authority = self.tlc.run(run, stop);
        let embedded = Run { directory: directory.path().into(), ..run.clone() };
        let embedded = Embedded.run(&embedded, stop);
        if !is_shortfall(&authority, &embedded) {
            assert_eq!(found(&authority), found(&embedded), "of {}", run.module);
        }
        authority
    }

    fn simulate(
        &self,
        run: &Run,
        simulation: Simulation,
        stop: &Stop,
    ) -> Result<Behaviours, TlaError> {
        self.tlc.simulate(run, simulation, stop)
    }

    fn command_line(&self, run: &Run) -> String {
        self.tlc.command_line(run)
    }
}

/// What a run has found: its verdict, how many states there are, which ones, and what was printed.
type Found = (Result<Verdict, String>, u64, BTreeSet<String>, BTreeSet<String>);

fn found(outcome: &Result<Outcome, TlaError>) -> Found {
    let (verdict, distinct, dump, lines) = match outcome {
        Ok(outcome) => {
            let dump = outcome.dump.as_ref().map(|path| Dump::open(path).expect("the dump opens"));
            let lines = outcome.user_values().expect("values are printed");
            (Ok(outcome.verdict.clone()), outcome.distinct, dump, lines)
        }
        Err(TlaError::Evaluation(_)) => (Err("evaluation".to_owned()), 0, None, Vec::new()),
        Err(TlaError::Config { .. }) => (Err("configuration".to_owned()), 0, None, Vec::new()),
        Err(other) => (Err(other.to_string()), 0, None, Vec::new()),
    };
    let states = dump.into_iter().flatten().map(|state| format!("{:?}", state.expect("a state")));
    // How often something is evaluated, and so printed, is up to the engine. What lacks a step is
    // found by what was evaluated just before, in a graph that turns out to be another one anyhow.
    let lines = lines.iter().map(ToString::to_string).filter(|line| !line.contains("LACKS"));
    let lines = lines.collect();
    (verdict, distinct, states.collect(), lines)
}

/// Whether the engines differ in a way that is known: `crates/cadre-tla/tests/embedded` lists all.
fn is_shortfall(
    authority: &Result<Outcome, TlaError>,
    embedded: &Result<Outcome, TlaError>,
) -> bool {
    let evaluation = |outcome: &Result<Outcome, TlaError>, part: &str| match outcome {
        Err(TlaError::Evaluation(error)) => error.message.contains(part),
        _ => false,
    };
    // What ends TLC before it has found anything says nothing about what there is.
    matches!(
        authority,
        Err(TlaError::Parse { .. } | TlaError::TimeLimit { .. } | TlaError::Stopped)
    ) || evaluation(authority, "equality")
        || evaluation(embedded, "infinite set")
}
