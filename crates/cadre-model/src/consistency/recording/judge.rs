use super::decode::{HistoryOf, Recorded, decode};
use super::{Consistency, Object, Recording, RecordingError};
use crate::consistency::objects::{Counter, Keyed, Lock, Log, Queue, Register, WriteOnce};
use crate::consistency::{
    Accesses, Budget, Explained, Pattern, ReadsAndWrites, Reason, SessionGuarantee, Told,
    Unsuitable, Verdict, Violation, causal, draw, explain_linearizability, explain_sequential,
    session, smallest_pattern, tell,
};

/// The most lines of a drawing.
const DRAWING_LINES: usize = 14;

/// What is said of a recorded history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingReport {
    /// What was called.
    pub object: Object,
    /// How many operations there are.
    pub operations: usize,
    /// How many of them had no answer.
    pub unknown: usize,
    /// How many of them failed.
    pub failed: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// The steps of the search; `None` where nothing was searched for.
    pub steps: Option<u64>,
    /// What was violated: the guarantee at fault where several were asked for.
    pub violated: Consistency,
    /// Why, where something was.
    pub told: Option<Told>,
}

impl Recording {
    /// Judges the history; the object is the one that the first line names unless another is given.
    ///
    /// # Errors
    ///
    /// Where the events are not those of such an object, and where the question does not make
    /// sense: see [`RecordingError::is_of_question`].
    pub fn judge(
        &self,
        object: Option<Object>,
        consistency: Consistency,
        budget: Budget,
    ) -> Result<RecordingReport, RecordingError> {
        let object = object.or(self.header.object).ok_or(RecordingError::NoObject)?;
        let question = Question { recording: self, object, consistency, budget };
        match object {
            Object::Register | Object::CompareAndSetRegister | Object::KeyValue => {
                let register = Keyed::new(Register { initial: self.header.initial.clone() });
                question.of_reads_and_writes(&register)
            }
            Object::WriteOnce => question.of_any(&Keyed::new(WriteOnce::new())),
            Object::Queue => question.of_any(&Keyed::new(Queue::new())),
            Object::Lock => question.of_any(&Keyed::new(Lock::new())),
            Object::Counter => question.of_any(&Keyed::new(Counter)),
            Object::Log => question.of_any(&Keyed::new(Log::new())),
        }
    }
}

struct Question<'a> {
    recording: &'a Recording,
    object: Object,
    consistency: Consistency,
    budget: Budget,
}

impl Question<'_> {
    fn of_any<S: Recorded>(
        &self,
        keyed: &Keyed<String, S>,
    ) -> Result<RecordingReport, RecordingError> {
        let (history, _) = decode(self.recording, self.object, keyed)?;
        let explained = match self.consistency {
            Consistency::Linearizable => explain_linearizability(keyed, &history, self.budget),
            Consistency::Sequential => explain_sequential(keyed, &history, self.budget),
            Consistency::Causal(_) | Consistency::Session(_) | Consistency::Sessions => {
                return Err(RecordingError::NotReadAndWritten {
                    consistency: self.consistency.name(),
                    object: self.object.name(),
                });
            }
        };
        let steps = Some(explained.steps);
        Ok(self.report::<S>(&history, explained, steps, self.consistency))
    }

    fn of_reads_and_writes<S: Recorded + ReadsAndWrites>(
        &self,
        keyed: &Keyed<String, S>,
    ) -> Result<RecordingReport, RecordingError> {
        let is_searched =
            matches!(self.consistency, Consistency::Linearizable | Consistency::Sequential);
        if is_searched {
            return self.of_any(keyed);
        }
        let (history, lines) = decode(self.recording, self.object, keyed)?;
        let accesses = Accesses::new(keyed, &history).map_err(|why| {
            let calls = match why {
                Unsuitable::NeitherReadNorWrite { call } | Unsuitable::InitialWritten { call } => {
                    vec![call]
                }
                Unsuitable::WrittenTwice { first, second } => vec![first, second],
            };
            let lines = calls.into_iter().map(|call| lines[call]).collect();
            RecordingError::Unsuitable { why, lines }
        })?;
        let (pattern, violated) = pattern(&accesses, self.consistency);
        let verdict = if pattern.is_some() { Verdict::Violated } else { Verdict::Holds };
        let violation = pattern.map(|pattern| Violation {
            operations: pattern.operations(),
            is_minimal: true,
            reason: Reason::Pattern(pattern),
        });
        let explained = Explained { verdict, steps: 0, violation };
        Ok(self.report::<S>(&history, explained, None, violated))
    }

    fn report<S: Recorded>(
        &self,
        history: &HistoryOf<S>,
        explained: Explained<S::Answer>,
        steps: Option<u64>,
        violated: Consistency,
    ) -> RecordingReport {
        use crate::consistency::Outcome;
        let names = &self.recording.names;
        let told = explained.violation.map(|violation| Told {
            drawing: draw(history, &violation.operations, names, DRAWING_LINES),
            because: tell(history, &violation, names),
            operations: violation.operations.len(),
            is_minimal: violation.is_minimal,
        });
        let calls = history.calls();
        RecordingReport {
            object: self.object,
            operations: calls.len(),
            unknown: calls.iter().filter(|call| call.outcome == Outcome::Unknown).count(),
            failed: calls.iter().filter(|call| call.outcome == Outcome::Failed).count(),
            verdict: explained.verdict,
            steps,
            violated,
            told,
        }
    }
}

/// The pattern that contradicts a property, and which part of the property that is.
fn pattern(accesses: &Accesses, consistency: Consistency) -> (Option<Pattern>, Consistency) {
    let session_of = |guarantee| smallest_pattern(accesses, &|some| session(some, guarantee));
    match consistency {
        Consistency::Causal(causality) => {
            (smallest_pattern(accesses, &|some| causal(some, causality)), consistency)
        }
        Consistency::Session(guarantee) => (session_of(guarantee), consistency),
        Consistency::Sessions => {
            let found = SessionGuarantee::ALL.into_iter().find_map(|guarantee| {
                Some((Some(session_of(guarantee)?), Consistency::Session(guarantee)))
            });
            found.unwrap_or((None, consistency))
        }
        Consistency::Linearizable | Consistency::Sequential => (None, consistency),
    }
}
