//! The lines which the generated module prints.

use std::collections::{BTreeMap, BTreeSet};

use cadre_tla::Value;

use crate::ConformError;

/// What TLC printed about each row of a batch.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rows: BTreeMap<usize, Row>,
    /// The actions that the trace module knows, if that was printed.
    pub(crate) actions: Option<BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Row {
    accepted: bool,
    stuck: Option<Place>,
    broken: Option<Place>,
}

/// A state of a row in which something is to be said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// How many steps have been taken.
    pub(crate) step: usize,
    /// What has been taken of the next step, if that is a composition and has been begun.
    pub(crate) within: Option<Within>,
    /// Why the next event is no step, or which invariant is violated.
    pub(crate) word: String,
    pub(crate) state: BTreeMap<String, Value>,
}

/// A place within a composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Within {
    /// How many events have been taken.
    pub(crate) taken: usize,
    /// Of which of its sequences, from 1.
    pub(crate) way: usize,
}

impl Within {
    /// The place that a value of the generated module's variable tells; `None` for what is none.
    pub(crate) fn read(value: &Value) -> Option<Option<Self>> {
        let Value::Sequence(parts) = value else { return None };
        match parts.as_slice() {
            [] => Some(None),
            [Value::Int(way), Value::Int(taken)] => {
                let (way, taken) = (usize::try_from(*way).ok()?, usize::try_from(*taken).ok()?);
                Some(Some(Self { taken, way }))
            }
            _ => None,
        }
    }
}

impl Place {
    /// How many steps have been taken, and how many events of the next one.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.step, self.within.map_or(0, |within| within.taken))
    }
}

impl Lines {
    /// Sorts the printed values by row.
    ///
    /// # Errors
    ///
    /// [`ConformError::ForeignLine`] if something else was printed.
    pub(crate) fn read(values: Vec<Value>) -> Result<Self, ConformError> {
        let mut lines = Self::default();
        for value in values {
            if let Some(actions) = known_actions(&value) {
                lines.actions = Some(actions);
            } else if lines.add(&value).is_none() {
                let found = value.to_string().chars().take(200).collect();
                return Err(ConformError::ForeignLine { found });
            }
        }
        Ok(lines)
    }

    pub(crate) fn accepted(&self, row: usize) -> bool {
        self.rows.get(&row).is_some_and(|row| row.accepted)
    }

    /// The end of the longest prefix, if it is not the end of the row.
    pub(crate) fn stuck(&self, row: usize) -> Option<&Place> {
        self.rows.get(&row)?.stuck.as_ref()
    }

    /// The first state that violates an invariant.
    pub(crate) fn broken(&self, row: usize) -> Option<&Place> {
        self.rows.get(&row)?.broken.as_ref()
    }

    fn add(&mut self, line: &Value) -> Option<()> {
        let Value::Sequence(parts) = line else {
            return None;
        };
        let [Value::String(word), Value::Int(row), rest @ ..] = parts.as_slice() else {
            return None;
        };
        let row = self.rows.entry(usize::try_from(*row).ok()?).or_default();
        match (word.as_str(), rest) {
            ("ACC", []) => row.accepted = true,
            // Several workers print in any order: the choice among equals must not depend on it.
            ("REJ", rest) => {
                let place = place(rest)?;
                let better = |stuck: &Place| {
                    place.progress() > stuck.progress()
                        || (place.progress() == stuck.progress() && place < *stuck)
                };
                if row.stuck.as_ref().is_none_or(better) {
                    row.stuck = Some(place);
                }
            }
            ("INV", rest) => {
                let place = place(rest)?;
                if row.broken.as_ref().is_none_or(|broken| place < *broken) {
                    row.broken = Some(place);
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// The names in the line about the actions that the trace module knows; `None` for another line.
pub(crate) fn known_actions(line: &Value) -> Option<BTreeSet<String>> {
    let Value::Sequence(parts) = line else { return None };
    let [Value::String(word), Value::Set(names)] = parts.as_slice() else { return None };
    let name = |name: &Value| match name {
        Value::String(name) => Some(name.clone()),
        _ => None,
    };
    (word == "KNOWS").then(|| names.iter().map(name).collect())?
}

fn place(parts: &[Value]) -> Option<Place> {
    match parts {
        [Value::Int(step), Value::String(word), Value::Record(state), within @ ..] => Some(Place {
            step: usize::try_from(*step).ok()?,
            within: match within {
                [] => None,
                [only] => Within::read(only)?,
                _ => return None,
            },
            word: word.clone(),
            state: state.clone(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines {
        Lines::read(Value::parse_many(text).unwrap()).unwrap()
    }

    #[test]
    fn a_row_is_stuck_at_the_end_of_its_longest_prefix() {
        let lines = lines(
            "<<\"REJ\", 1, 2, \"disabled\", [x |-> 1]>> <<\"REJ\", 1, 5, \"unknown\", [x |-> 2]>> \
             <<\"REJ\", 1, 5, \"unknown\", [x |-> 1]>> <<\"ACC\", 2>>",
        );
        let stuck = lines.stuck(1).unwrap();
        assert_eq!((stuck.step, stuck.word.as_str()), (5, "unknown"));
        assert_eq!(stuck.state["x"], Value::Int(1));
        assert!(!lines.accepted(1) && lines.accepted(2) && !lines.accepted(3));
    }

    #[test]
    fn of_a_composition_the_sequence_counts_of_which_most_has_been_taken() {
        let lines = lines(
            "<<\"REJ\", 1, 2, \"disabled\", [x |-> 1], <<>>>> \
             <<\"REJ\", 1, 2, \"unknown\", [x |-> 9], <<1, 2>>>> \
             <<\"REJ\", 1, 2, \"disabled\", [x |-> 2], <<2, 1>>>>",
        );
        let stuck = lines.stuck(1).unwrap();
        assert_eq!((stuck.word.as_str(), stuck.progress()), ("unknown", (2, 2)));
        assert_eq!(stuck.within, Some(Within { taken: 2, way: 1 }));
    }

    #[test]
    fn an_invariant_is_broken_where_it_is_broken_first() {
        let lines =
            lines("<<\"INV\", 1, 4, \"A\", [x |-> 1]>> <<\"INV\", 1, 3, \"B\", [x |-> 1]>>");
        assert_eq!(lines.broken(1).unwrap().word, "B");
    }

    #[test]
    fn what_the_module_did_not_print_is_refused() {
        let odd_place = "<<\"INV\", 1, 2, \"A\", [x |-> 1], <<3>>>>";
        let others = ["1", "<<>>", "<<\"ACC\", 1, 2>>", "<<\"ACC\", -1>>", "<<\"XYZ\", 1>>"];
        for text in others.into_iter().chain([odd_place]) {
            let values = Value::parse_many(text).unwrap();
            assert!(matches!(Lines::read(values), Err(ConformError::ForeignLine { .. })), "{text}");
        }
    }
}
