use std::fmt;

use crate::Json;
use crate::trace::brief;

/// Lists what differs between two values: the smallest parts, by path, in the order of the paths.
///
/// # Examples
///
/// ```
/// use serde_json::json;
///
/// let before = json!({"term": 1, "log": ["a"]});
/// let after = json!({"term": 2, "log": ["a", "b"]});
/// let lines: Vec<String> =
///     cadre_trace::diff("n1", &before, &after).iter().map(ToString::to_string).collect();
/// assert_eq!(lines, ["n1.log[1] none → b", "n1.term 1 → 2"]);
/// ```
pub fn diff(path: &str, before: &Json, after: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(path, Some(before), Some(after), &mut found);
    found
}

/// One part that differs between two values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, such as `rm1.log[3].term`.
    pub path: String,
    /// What was there; `None` where nothing was.
    pub before: Option<Json>,
    /// What is there; `None` where nothing is.
    pub after: Option<Json>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Json>| value.as_ref().map_or("none".to_owned(), brief);
        write!(f, "{} {} → {}", self.path, show(&self.before), show(&self.after))
    }
}

fn walk(path: &str, before: Option<&Json>, after: Option<&Json>, found: &mut Vec<Difference>) {
    match (before, after) {
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, old.get(name), new.get(name), found);
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                walk(&format!("{path}[{index}]"), old.get(index), new.get(index), found);
            }
        }
        (before, after) if before == after => {}
        (before, after) => found.push(Difference {
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}
