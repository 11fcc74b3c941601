//! Random behaviours of a specification.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::Stop;

use crate::output::Output;
use crate::parse::parse_state;
use crate::run::create;
use crate::{Run, SpecState, TlaError, Tlc, Value, Verdict};

/// How many random behaviours there shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// How many.
    pub behaviours: u32,
    /// The most states of each.
    pub states_max: u32,
    /// What chance follows from.
    pub seed: u64,
}

/// The random behaviours of a run.
#[derive(Clone, Debug)]
pub struct Behaviours {
    /// The states of each.
    pub all: Vec<Vec<BTreeMap<String, Value>>>,
    /// What ended the run early, and the states that lead there.
    pub violated: Option<(Verdict, Vec<SpecState>)>,
    /// How long the run took.
    pub elapsed: Duration,
    /// The whole output.
    pub log: PathBuf,
    /// What TLC calls itself.
    pub version: String,
}

/// Has TLC draw random behaviours.
pub(crate) fn simulate(
    tlc: &Tlc,
    run: &Run,
    simulation: Simulation,
    stop: &Stop,
) -> Result<Behaviours, TlaError> {
    let folder = run.directory.join(FOLDER);
    create(&folder)?;
    let run = run_of(run, simulation);
    let finished = tlc.carry_out(&run, stop)?;
    let output = Output::parse(&finished.output()?);
    if let Some(error) = output.error(&run, &finished)? {
        return Err(error);
    }
    let (all, violated) = (read(&folder)?, output.verdict()?);
    if violated.is_none() && all.len() != simulation.behaviours as usize {
        return Err(TlaError::NoVerdict {
            code: finished.code.unwrap_or_default(),
            log: finished.log,
            tail: output.tail().to_owned(),
        });
    }
    let (elapsed, log) = (finished.elapsed, finished.log);
    Ok(Behaviours { all, violated, elapsed, log, version: output.version() })
}

/// Where TLC writes the behaviours, a file for each.
const FOLDER: &str = "behaviours";
const PREFIX: &str = "b";

fn run_of(run: &Run, simulation: Simulation) -> Run {
    let mut run = run.clone();
    let Simulation { behaviours, states_max, seed } = simulation;
    run.extra.extend([
        "-simulate".to_owned(),
        format!("file={FOLDER}/{PREFIX},num={behaviours}"),
        "-depth".to_owned(),
        states_max.to_string(),
        "-seed".to_owned(),
        seed.to_string(),
        // Where this is not given, TLC draws it and does the same only half.
        "-aril".to_owned(),
        "0".to_owned(),
    ]);
    run
}

/// The behaviours in the order in which they were drawn.
fn read(folder: &Path) -> Result<Vec<Vec<BTreeMap<String, Value>>>, TlaError> {
    let entries = fs::read_dir(folder).map_err(|source| TlaError::io("read", folder, source))?;
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|source| TlaError::io("read", folder, source))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbers = name.split('_').skip(1).map(|part| part.parse().unwrap_or(u64::MAX));
        files.insert((numbers.collect::<Vec<_>>(), name), path);
    }
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).map_err(|source| TlaError::io("read", path, source))?;
        behaviour(&text)
    };
    files.values().map(read).collect()
}

/// The states of a behaviour: each stands below a line such as `STATE_3 ==`.
fn behaviour(text: &str) -> Result<Vec<BTreeMap<String, Value>>, TlaError> {
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with("STATE_") {
            blocks.push(String::new());
        } else if let Some(block) = blocks.last_mut()
            && !line.starts_with("===")
            && !line.starts_with("\\*")
        {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks.iter().map(|block| parse_state(block)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_a_behaviour_are_read_as_old_and_new_versions_write_them() {
        let text = "---- MODULE b_0_0 ----\nSTATE_1 == \n/\\ x = 1\n/\\ y = {1,\n 2}\n\n\n\
                    \\* <Up line 3, col 4 to line 5, col 6 of module M>\n\
                    STATE_2 == \n/\\ x = 2\n/\\ y = {}\n\n====\n";
        let states = behaviour(text).unwrap();
        assert_eq!(states.len(), 2);
        assert_eq!(states[0]["y"].to_string(), "{1, 2}");
        assert_eq!(states[1]["x"], Value::Int(2));
    }
}
