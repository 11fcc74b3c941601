//! Modules through both engines.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Dump, Embedded, Engine, Find, Outcome, Run, TlaError, Tlc, Verdict, find};

pub(crate) fn tlc() -> &'static Tlc {
    static TLC: OnceLock<Tlc> = OnceLock::new();
    TLC.get_or_init(|| find(&Find::default(), &mut |_| {}, &Stop::new()).expect("TLC is found"))
}

/// The modules and the configurations of a run: file names and texts.
pub(crate) type Files = Vec<(String, String)>;

/// A root module `M` with its configuration.
pub(crate) fn files(body: &str, config: &str) -> Files {
    vec![
        ("M.tla".to_owned(), format!("---- MODULE M ----\n{body}====\n")),
        ("M.cfg".to_owned(), config.to_owned()),
    ]
}

/// What a run has come to, with the states that it has written.
pub(crate) struct Seen {
    pub(crate) outcome: Outcome,
    pub(crate) states: BTreeSet<String>,
}

/// Runs an engine in a directory that is gone afterwards.
pub(crate) fn run(
    engine: &dyn Engine,
    files: &Files,
    change: impl Fn(&mut Run),
) -> Result<Seen, TlaError> {
    let directory = PrivateDirectory::new("embedded-test").expect("a directory is created");
    write(directory.path(), files);
    let mut run = Run::new(directory.path(), "M");
    run.user_file = true;
    run.dump = true;
    change(&mut run);
    let outcome = engine.run(&run, &Stop::new())?;
    let dump = outcome.dump.as_ref().map(|path| Dump::open(path).expect("the dump is there"));
    let states = dump.into_iter().flatten().map(|state| format!("{:?}", state.expect("a state")));
    Ok(Seen { states: states.collect(), outcome })
}

pub(crate) fn write(directory: &Path, files: &Files) {
    for (name, text) in files {
        fs::write(directory.join(name), text).expect("the file is written");
    }
}

/// What both engines are to agree on, in words.
pub(crate) fn told(seen: &Result<Seen, TlaError>) -> String {
    let outcome = match seen {
        Ok(seen) => &seen.outcome,
        Err(error) => return kind(error),
    };
    let verdict = match &outcome.verdict {
        Verdict::NoError => {
            let depth = outcome.depth.expect("a complete search has a depth");
            format!("holds, {} states, depth {depth}", outcome.distinct)
        }
        Verdict::InvariantViolated { name } => format!("{name} is violated"),
        Verdict::PropertyViolated { name: Some(name) } => format!("property {name} is violated"),
        Verdict::PropertyViolated { name: None } => "a temporal property is violated".to_owned(),
        Verdict::Deadlock => "deadlock".to_owned(),
        Verdict::AssumptionFailed { .. } => "an assumption is false".to_owned(),
    };
    match (outcome.behaviour.len(), &outcome.lasso) {
        (0, _) => verdict,
        // Nobody promises that a behaviour without end is the shortest one.
        (_, Some(_)) => format!("{verdict} without end"),
        (states, None) => format!("{verdict} after {states} states"),
    }
}

fn kind(error: &TlaError) -> String {
    match error {
        TlaError::Parse { .. } => "does not parse".to_owned(),
        TlaError::Config { .. } => "refuses the configuration".to_owned(),
        TlaError::Evaluation(error) => {
            format!("cannot evaluate, after {} states", error.behaviour.len())
        }
        TlaError::NotByEngine { what, .. } => format!("refuses {what}"),
        TlaError::TimeLimit { .. } => "is too slow".to_owned(),
        other => other.to_string(),
    }
}

/// Both engines, and that they agree on everything; what they say.
pub(crate) fn agreed(files: &Files, change: impl Fn(&mut Run)) -> (Seen, String) {
    let authority = run(tlc(), files, &change);
    let embedded = run(&Embedded, files, &change);
    let words = told(&authority);
    assert_eq!(words, told(&embedded), "{:?}", embedded.err().map(|error| error.to_string()));
    let (authority, embedded) = (authority.expect("a verdict"), embedded.expect("a verdict"));
    if authority.outcome.verdict == Verdict::NoError {
        assert_eq!(authority.states, embedded.states);
        assert_eq!(sorted(&authority.outcome), sorted(&embedded.outcome));
    }
    (embedded, words)
}

/// What a specification has printed, in no order.
fn sorted(outcome: &Outcome) -> Vec<String> {
    let values = outcome.user_values().expect("values are printed");
    let mut lines: Vec<String> = values.iter().map(ToString::to_string).collect();
    lines.sort();
    lines
}
