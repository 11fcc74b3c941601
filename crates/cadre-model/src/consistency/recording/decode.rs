use std::fmt::Display;

use cadre_trace::Json;

use super::event::{Event, Kind, Recording, shown, unexpected};
use super::{Object, RecordingError};
use crate::consistency::objects::{
    Answer, At, Counter, CounterOperation, Keyed, Lock, LockOperation, Log, LogOperation, Queue,
    QueueOperation, Register, RegisterOperation, WriteOnce, WriteOnceOperation,
};
use crate::consistency::{History, HistoryError, Specification};

/// An object whose operations and answers have names in recordings.
pub(super) trait Recorded:
    Specification<Operation: Display + Clone, Answer: Display>
{
    /// An operation by its name; what was expected where it is none of the object's.
    fn operation(&self, said: &Said<'_>) -> Result<Self::Operation, String>;

    /// The answer of an operation; what was expected where it cannot be one.
    fn answer(
        &self,
        operation: &Self::Operation,
        given: Option<&Json>,
    ) -> Result<Self::Answer, String>;
}

/// What an event says of a call.
pub(super) struct Said<'a> {
    name: &'a str,
    value: Option<&'a Json>,
    process: &'a str,
}

/// A recorded history of many objects of one kind, each under the text of its key.
pub(super) type HistoryOf<S> =
    History<At<String, <S as Specification>::Operation>, <S as Specification>::Answer>;

/// The history that a recording is of, and the line of each call.
pub(super) fn decode<S: Recorded>(
    recording: &Recording,
    object: Object,
    keyed: &Keyed<String, S>,
) -> Result<(HistoryOf<S>, Vec<usize>), RecordingError> {
    let mut history = HistoryOf::<S>::new();
    let mut lines = Vec::new();
    for event in &recording.events {
        let out_of_turn = |error: HistoryError| match error {
            HistoryError::Busy { .. } => {
                let name = &recording.names[event.process];
                let expected = format!("the end of the open operation of {name}");
                unexpected(event.line, &expected, "another invoke".to_owned())
            }
            HistoryError::Idle { .. } => {
                let name = &recording.names[event.process];
                let expected = format!("an open operation of {name}");
                unexpected(event.line, &expected, "the end of one".to_owned())
            }
        };
        match event.kind {
            Kind::Invoke => {
                let operation = called(recording, object, keyed.object(), event)?;
                history.invoke(event.process, operation).map_err(out_of_turn)?;
                lines.push(event.line);
            }
            Kind::Ok => {
                let open = history.open(event.process).map(|call| call.operation.clone());
                let open =
                    open.ok_or_else(|| out_of_turn(HistoryError::Idle { process: event.process }))?;
                let given = event.answer.as_ref().or(event.value.as_ref());
                let answer = keyed.object().answer(&open.operation, given).map_err(|expected| {
                    let found = given.map_or("nothing".to_owned(), shown);
                    unexpected(event.line, &expected, found)
                })?;
                history.answer(event.process, answer).map_err(out_of_turn)?;
            }
            Kind::Fail => history.fail(event.process).map_err(out_of_turn)?,
            Kind::Info => history.give_up(event.process).map_err(out_of_turn)?,
        }
    }
    Ok((history, lines))
}

fn called<S: Recorded>(
    recording: &Recording,
    object: Object,
    specification: &S,
    event: &Event,
) -> Result<At<String, S::Operation>, RecordingError> {
    let key = match &event.key {
        Some(Json::String(key)) => key.clone(),
        Some(key) => key.to_string(),
        None if object == Object::KeyValue => {
            return Err(unexpected(event.line, "a key", "none".to_owned()));
        }
        None => String::new(),
    };
    let name = event.operation.as_deref().unwrap_or_default();
    let process = &recording.names[event.process];
    let said = Said { name, value: event.value.as_ref(), process };
    let operation = match (object, name) {
        // A plain register is one that is only read and written.
        (Object::Register, "compare-and-set" | "cas") => {
            Err("read or write (cas-register has compare-and-set)".to_owned())
        }
        _ => specification.operation(&said),
    };
    let operation = operation.map_err(|expected| {
        let value = said.value.map_or(String::new(), |value| format!(" with {}", shown(value)));
        unexpected(event.line, &expected, format!("`{name}`{value}"))
    })?;
    Ok(At { key, operation })
}

impl Recorded for Register<Json> {
    fn operation(&self, said: &Said<'_>) -> Result<RegisterOperation<Json>, String> {
        match (said.name, said.value) {
            ("read", _) => Ok(RegisterOperation::Read),
            ("write", Some(value)) => Ok(RegisterOperation::Write(value.clone())),
            ("compare-and-set" | "cas", Some(Json::Array(pair))) if pair.len() == 2 => {
                let (from, to) = (pair[0].clone(), pair[1].clone());
                Ok(RegisterOperation::CompareAndSet { from, to })
            }
            _ => Err("read, write with a value, or compare-and-set with [from, to]".to_owned()),
        }
    }

    fn answer(
        &self,
        operation: &RegisterOperation<Json>,
        given: Option<&Json>,
    ) -> Result<Answer<Json>, String> {
        match operation {
            RegisterOperation::Read => value(given),
            RegisterOperation::Write(_) | RegisterOperation::CompareAndSet { .. } => done(given),
        }
    }
}

impl Recorded for WriteOnce<Json> {
    fn operation(&self, said: &Said<'_>) -> Result<WriteOnceOperation<Json>, String> {
        match (said.name, said.value) {
            ("read", _) => Ok(WriteOnceOperation::Read),
            ("write", Some(value)) => Ok(WriteOnceOperation::Write(value.clone())),
            _ => Err("read, or write with a value".to_owned()),
        }
    }

    fn answer(
        &self,
        operation: &WriteOnceOperation<Json>,
        given: Option<&Json>,
    ) -> Result<Answer<Json>, String> {
        match operation {
            WriteOnceOperation::Read => value_or_empty(given),
            WriteOnceOperation::Write(_) => done(given),
        }
    }
}

impl Recorded for Queue<Json> {
    fn operation(&self, said: &Said<'_>) -> Result<QueueOperation<Json>, String> {
        match (said.name, said.value) {
            ("enqueue", Some(value)) => Ok(QueueOperation::Enqueue(value.clone())),
            ("dequeue", _) => Ok(QueueOperation::Dequeue),
            _ => Err("enqueue with a value, or dequeue".to_owned()),
        }
    }

    fn answer(
        &self,
        operation: &QueueOperation<Json>,
        given: Option<&Json>,
    ) -> Result<Answer<Json>, String> {
        match operation {
            QueueOperation::Enqueue(_) => done(given),
            QueueOperation::Dequeue => value_or_empty(given),
        }
    }
}

impl Recorded for Lock<String> {
    /// The owner is the value, or the process where there is none.
    fn operation(&self, said: &Said<'_>) -> Result<LockOperation<String>, String> {
        let owner = match said.value {
            None | Some(Json::Null) => said.process.to_owned(),
            Some(Json::String(owner)) => owner.clone(),
            Some(owner) => owner.to_string(),
        };
        match said.name {
            "acquire" => Ok(LockOperation::Acquire(owner)),
            "release" => Ok(LockOperation::Release(owner)),
            _ => Err("acquire or release".to_owned()),
        }
    }

    fn answer(
        &self,
        _: &LockOperation<String>,
        given: Option<&Json>,
    ) -> Result<Answer<String>, String> {
        done(given)
    }
}

impl Recorded for Counter {
    fn operation(&self, said: &Said<'_>) -> Result<CounterOperation, String> {
        match (said.name, said.value.and_then(Json::as_i64)) {
            ("read", _) => Ok(CounterOperation::Read),
            ("add", Some(number)) => Ok(CounterOperation::Add(number)),
            _ => Err("read, or add with a whole number".to_owned()),
        }
    }

    fn answer(
        &self,
        operation: &CounterOperation,
        given: Option<&Json>,
    ) -> Result<Answer<i64>, String> {
        match operation {
            CounterOperation::Add(_) => done(given),
            CounterOperation::Read => {
                let number = given.and_then(Json::as_i64).map(Answer::Value);
                number.ok_or_else(|| "a whole number as the answer".to_owned())
            }
        }
    }
}

impl Recorded for Log<Json> {
    fn operation(&self, said: &Said<'_>) -> Result<LogOperation<Json>, String> {
        match (said.name, said.value) {
            ("read", _) => Ok(LogOperation::Read),
            ("append", Some(value)) => Ok(LogOperation::Append(value.clone())),
            _ => Err("read, or append with a value".to_owned()),
        }
    }

    fn answer(
        &self,
        operation: &LogOperation<Json>,
        given: Option<&Json>,
    ) -> Result<Answer<Json>, String> {
        match (operation, given) {
            (LogOperation::Append(_), _) => done(given),
            (LogOperation::Read, Some(Json::Array(values))) => Ok(Answer::Values(values.clone())),
            (LogOperation::Read, _) => Err("an array as the answer".to_owned()),
        }
    }
}

/// Whether something was done. A value that is repeated says nothing more.
fn done<V>(given: Option<&Json>) -> Result<Answer<V>, String> {
    Ok(match given {
        Some(Json::Bool(false)) => Answer::Refused,
        None | Some(_) => Answer::Done,
    })
}

fn value(given: Option<&Json>) -> Result<Answer<Json>, String> {
    given.cloned().map(Answer::Value).ok_or_else(|| "an answer to what was read".to_owned())
}

fn value_or_empty(given: Option<&Json>) -> Result<Answer<Json>, String> {
    Ok(match value(given)? {
        Answer::Value(Json::Null) => Answer::Empty,
        other => other,
    })
}
