use std::fmt;

use cadre_trace::{Difference, Json, diff};

use crate::text::{one_line, say};

/// One part in which two states differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A value became another one.
    Became(Difference),
    /// A list has got an element somewhere before its end, as ordered sets do.
    Gained(String, Json),
    /// A list has lost an element somewhere before its end.
    Lost(String, Json),
}

/// The parts in which two states differ: as [`diff`] lists them, but an element that is put into
/// the middle of a list is one part, although it moves all later ones.
pub(crate) fn parts(path: &str, before: &Json, after: &Json) -> Vec<Part> {
    let mut found = Vec::new();
    walk(path, before, after, &mut found);
    found
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Became(Difference { path, before, after }) => {
                let show = |side: &Option<Json>| side.as_ref().map_or("none".to_owned(), say);
                write!(f, "{} {} → {}", one_line(path), show(before), show(after))
            }
            Self::Gained(path, value) => write!(f, "{} +{}", one_line(path), say(value)),
            Self::Lost(path, value) => write!(f, "{} -{}", one_line(path), say(value)),
        }
    }
}

fn walk(path: &str, before: &Json, after: &Json, found: &mut Vec<Part>) {
    match (before, after) {
        (Json::Object(old), Json::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => walk(&path, old, new, found),
                    (old, new) => found.push(Part::Became(Difference {
                        path,
                        before: old.cloned(),
                        after: new.cloned(),
                    })),
                }
            }
        }
        (Json::Array(old), Json::Array(new)) => {
            if let Some(gained) = inserted(old, new) {
                let part = |value: &&Json| Part::Gained(path.to_owned(), (*value).clone());
                found.extend(gained.iter().map(part));
            } else if let Some(lost) = inserted(new, old) {
                found
                    .extend(lost.iter().map(|value| Part::Lost(path.to_owned(), (*value).clone())));
            } else {
                found.extend(diff(path, before, after).into_iter().map(Part::Became));
            }
        }
        (before, after) => found.extend(diff(path, before, after).into_iter().map(Part::Became)),
    }
}

/// What has to be put into a list to make the longer one, if that does and putting it at the end
/// does not.
fn inserted<'l>(shorter: &[Json], longer: &'l [Json]) -> Option<Vec<&'l Json>> {
    if longer.len() <= shorter.len() || longer.starts_with(shorter) {
        return None;
    }
    let mut rest = shorter.iter().peekable();
    let mut extra = Vec::new();
    for item in longer {
        match rest.peek() {
            Some(next) if *next == item => drop(rest.next()),
            Some(_) | None => extra.push(item),
        }
    }
    rest.peek().is_none().then_some(extra)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parts;

    #[test]
    fn an_element_in_the_middle_of_a_list_is_one_part() {
        let check = |before, after, expected: &[&str]| {
            let found: Vec<String> =
                parts("n", &before, &after).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected);
        };
        check(json!({"set": [1, 3]}), json!({"set": [1, 2, 3]}), &["n.set +2"]);
        check(json!({"set": [1, 2, 3]}), json!({"set": [2, 3]}), &["n.set -1"]);
        check(json!({"log": [1, 3]}), json!({"log": [1, 3, 2]}), &["n.log[2] none → 2"]);
        check(
            json!({"log": [1, 3]}),
            json!({"log": [2, 4]}),
            &["n.log[0] 1 → 2", "n.log[1] 3 → 4"],
        );
        check(json!({"a": 1}), json!({"b": 1}), &["n.a 1 → none", "n.b none → 1"]);
        check(json!("a"), json!(""), &["n a → \"\""]);
    }
}
