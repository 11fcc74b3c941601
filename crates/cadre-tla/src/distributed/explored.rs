use std::path::PathBuf;
use std::time::Duration;

use cadre_process::Finished;

use crate::output::Output;
use crate::{Outcome, Run, SpecState, TlaError, Verdict};

/// What a distributed run found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// How many states it generated; none if TLC stumbled after a violation and did not count.
    pub generated: Option<u64>,
    /// How many of them are distinct; none as above.
    pub distinct: Option<u64>,
    /// The number of states of the longest path, which is approximate; none after a violation.
    pub depth: Option<u64>,
    /// The violation that TLC names, or `None` if it names none.
    pub verdict: Option<Verdict>,
    /// The last two states before and at the violation; empty if there is none.
    pub last: Vec<SpecState>,
    /// How long the run took.
    pub elapsed: Duration,
    /// The output of the leading process.
    pub log: PathBuf,
    /// What TLC calls itself.
    pub version: String,
}

impl Explored {
    /// What the leading process said.
    pub(super) fn read(run: &Run, finished: &Finished) -> Result<Self, TlaError> {
        let output = Output::parse(&finished.output()?);
        let (verdict, last) = Self::told(&output)?;
        let counts = output.counts();
        if last.is_empty() && verdict.as_ref().is_none_or(|named| *named == Verdict::NoError) {
            if let Some(error) = output.error(run, finished)? {
                return Err(error);
            }
            if verdict.is_none() || counts.is_none() {
                return Err(TlaError::NoVerdict {
                    code: finished.code.unwrap_or_default(),
                    log: finished.log.clone(),
                    tail: output.tail().to_owned(),
                });
            }
        }
        let (generated, distinct) = counts.unzip();
        let (depth, version) = (output.depth(), output.version());
        let (elapsed, log) = (finished.elapsed, finished.log.clone());
        Ok(Self { generated, distinct, depth, verdict, last, elapsed, log, version })
    }

    /// The verdict that TLC names, and the last states.
    fn told(output: &Output) -> Result<(Option<Verdict>, Vec<SpecState>), TlaError> {
        Ok(match output.verdict()? {
            Some((Verdict::NoError, _)) => (Some(Verdict::NoError), Vec::new()),
            Some((named, states)) => (Some(named), states),
            None => (None, some_states(output.states()?)),
        })
    }

    /// Whether TLC told nothing because of an exception of its own: TLC 2.15 throws one if a
    /// worker registers while the run ends, which happens to small runs. A violation is told
    /// before that, its counts and that there is none are not.
    pub(super) fn is_stumble(finished: &Finished) -> Result<bool, TlaError> {
        let output = Output::parse(&finished.output()?);
        Ok(output.is_own_exception() && Self::told(&output)? == (None, Vec::new()))
    }
}

impl From<Outcome> for Explored {
    /// What TLC alone found, without the way to a violation.
    fn from(outcome: Outcome) -> Self {
        Self {
            generated: Some(outcome.generated),
            distinct: Some(outcome.distinct),
            depth: outcome.depth,
            verdict: Some(outcome.verdict),
            last: outcome.behaviour.into_iter().rev().take(2).rev().collect(),
            elapsed: outcome.elapsed,
            log: outcome.log,
            version: outcome.version,
        }
    }
}

/// The first of TLC's last states has the words of an initial one, which it need not be.
fn some_states(mut states: Vec<SpecState>) -> Vec<SpecState> {
    let words = if states.len() > 1 { "an earlier state" } else { "a reachable state" };
    if let Some(first) = states.first_mut() {
        words.clone_into(&mut first.action);
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::LOG;

    /// What the leading process of TLC 2.15 wrote when the second worker came too late.
    const STUMBLED: &str = "TLC2 TLC Server Version 2.15 of Day Month 20??
@!@!@STARTMSG 2121:1 @!@!@
The behavior up to this point is:
@!@!@ENDMSG 2121 @!@!@
@!@!@STARTMSG 2217:4 @!@!@
1: <Initial predicate>
x = <<2, 4, 2>>

@!@!@ENDMSG 2217 @!@!@
@!@!@STARTMSG 2217:4 @!@!@
2: <Next line 5, col 25 to line 5, col 64 of module M>
x = <<2, 4, 3>>

@!@!@ENDMSG 2217 @!@!@
@!@!@STARTMSG 1000:1 @!@!@
TLC threw an unexpected exception.
This was probably caused by an error in the spec or model.
See the User Output or TLC Console for clues to what happened.
The exception was a java.lang.NullPointerException
: Cannot read the array length because \"this.states\" is null
@!@!@ENDMSG 1000 @!@!@
@!@!@STARTMSG 2211:0 @!@!@
vm, work completed. Thank you!
@!@!@ENDMSG 2211 @!@!@
";

    /// What is read of this output, and whether it is a reason to run TLC again.
    fn read(text: &str) -> (Result<Explored, TlaError>, bool) {
        let directory = cadre_process::PrivateDirectory::new("tla-test").expect("it is created");
        let log = directory.path().join(LOG);
        std::fs::write(&log, text).expect("the log is written");
        let finished = Finished { code: Some(0), elapsed: Duration::ZERO, log };
        let is_stumble = Explored::is_stumble(&finished).expect("the log is read");
        (Explored::read(&Run::new(directory.path(), "M"), &finished), is_stumble)
    }

    #[test]
    fn a_violation_counts_also_if_tlc_stumbles_after_it() {
        let (explored, is_stumble) = read(STUMBLED);
        let explored = explored.expect("the violation is told");
        let actions: Vec<&str> = explored.last.iter().map(|state| state.action.as_str()).collect();
        assert_eq!(actions, ["an earlier state", "Next"]);
        assert_eq!((explored.verdict, explored.distinct, explored.generated), (None, None, None));
        assert!(!is_stumble);
    }

    #[test]
    fn an_exception_of_tlc_without_a_violation_is_no_verdict() {
        let start = STUMBLED.find("@!@!@STARTMSG 1000").expect("it stumbles");
        let (error, is_stumble) = read(&STUMBLED[start..]);
        assert!(error.unwrap_err().to_string().contains("NullPointerException"));
        assert!(is_stumble);
    }
}
