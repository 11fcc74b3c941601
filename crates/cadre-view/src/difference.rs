use cadre_trace::{Action, Difference, Json};

use crate::text::{clip, one_line, pad, say, width};

/// As many paths are listed; more are counted.
const PATHS_MAX: usize = 8;
/// The most columns of a value.
const VALUE_MAX: usize = 60;
/// How much of two long values' common start is shown before they differ.
const COMMON_MAX: usize = 12;

/// Says where a replay found something else than the trace says: the step, and both sides of each
/// path.
///
/// Without an action it is the start of the node, which is step 0. In a [`Difference`] the side
/// `before` is what the trace says, `after` what the replay found.
///
/// # Examples
///
/// ```
/// use cadre_trace::{Action, Fault, diff};
/// use serde_json::json;
///
/// let action = Action::Fault(Fault::Restart { node: "n1".to_owned(), misread: None });
/// let differences = diff("n1", &json!({"term": 2}), &json!({"term": 1}));
/// let text = cadre_view::difference(7, Some(&action), "n1", &differences);
/// assert_eq!(text, "\
/// differs  at step 7, RESTART n1, in n1
/// --- expected
/// +++ found
/// - n1.term  2
/// + n1.term  1
/// ");
/// ```
pub fn difference(
    step: usize,
    action: Option<&Action>,
    node: &str,
    differences: &[Difference],
) -> String {
    let action = action.map_or("the start".to_owned(), |action| one_line(&action.to_string()));
    let mut lines = vec![format!("differs  at step {step}, {action}, in {}", one_line(node))];
    lines.extend(["--- expected".to_owned(), "+++ found".to_owned()]);
    let shown = &differences[..differences.len().min(PATHS_MAX)];
    let paths: Vec<String> = shown.iter().map(|part| one_line(&part.path)).collect();
    let longest = paths.iter().map(|path| width(path)).max().unwrap_or(0);
    for (part, path) in shown.iter().zip(&paths) {
        let (expected, found) = both_sides(part.before.as_ref(), part.after.as_ref());
        let path = pad(path, longest);
        lines.push(format!("- {path}  {expected}"));
        lines.push(format!("+ {path}  {found}"));
    }
    match differences.len() - shown.len() {
        0 => {}
        1 => lines.push("… 1 more path differs".to_owned()),
        more => lines.push(format!("… {more} more paths differ")),
    }
    lines.join("\n") + "\n"
}

/// The two values, cut so that the place where they differ is seen.
fn both_sides(expected: Option<&Json>, found: Option<&Json>) -> (String, String) {
    let (mut left, mut right) = (show(expected), show(found));
    if left == right {
        // Such as the number 1 and the text "1".
        left = expected.map_or(left, Json::to_string);
        right = found.map_or(right, Json::to_string);
    }
    let common = left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count();
    let skipped = match width(&left).max(width(&right)) > VALUE_MAX {
        true => common.saturating_sub(COMMON_MAX),
        false => 0,
    };
    (focus(&left, skipped), focus(&right, skipped))
}

fn focus(text: &str, skipped: usize) -> String {
    let rest: String = text.chars().skip(skipped).collect();
    clip(&if skipped > 0 { format!("…{rest}") } else { rest }, VALUE_MAX)
}

fn show(value: Option<&Json>) -> String {
    value.map_or("none".to_owned(), say)
}
