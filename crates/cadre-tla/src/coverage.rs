use crate::Place;

/// How often a definition of a specification was evaluated in a run: an action, the initial
/// predicate, or an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// How often it was taken, if it is an action.
    pub steps: Option<StepsTaken>,
    /// Its parts that were never evaluated: of an expression and its parts the expression alone.
    /// TLC counts the parts of actions; those of an invariant it often leaves out.
    pub never: Vec<Place>,
}

/// How often an action was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepsTaken {
    /// How many steps it is.
    pub all: u64,
    /// How many of them led to a state that no step had led to before.
    pub new: u64,
}

/// The kinds of lines in which TLC counts; their codes.
const ACTION: u32 = 2772;
const INITIAL: u32 = 2773;
const INVARIANT: u32 = 2774;
const EXPRESSION: u32 = 2221;

/// Reads the messages of one report, in TLC's order.
pub(crate) fn read<'a>(messages: impl Iterator<Item = (u32, &'a str)>) -> Vec<Coverage> {
    let mut definitions: Vec<Coverage> = Vec::new();
    // Inside of what was never evaluated nothing was.
    let mut skipped_below = None;
    for (code, text) in messages {
        match code {
            ACTION | INITIAL | INVARIANT => {
                skipped_below = None;
                let read = definition(text.trim());
                definitions.extend(read.map(|read| match code {
                    ACTION => read,
                    _ => Coverage { steps: None, ..read },
                }));
            }
            EXPRESSION => {
                let (depth, counted) = depth_of(text.trim());
                if skipped_below.is_some_and(|outer| depth > outer) {
                    continue;
                }
                let never = expression(counted).filter(|(_, count)| *count == 0);
                skipped_below = never.as_ref().map(|_| depth);
                if let (Some((place, _)), Some(last)) = (never, definitions.last_mut()) {
                    last.never.push(place);
                }
            }
            _ => {}
        }
    }
    definitions
}

/// Reads `<Name line 1, col 2 to line 3, col 4 of module M>: new:all`, or without the counts.
fn definition(text: &str) -> Option<Coverage> {
    let (head, counts) = text.strip_prefix('<')?.split_once('>')?;
    let (name, place) = head.split_once(" line ")?;
    let counts = counts.strip_prefix(": ").and_then(|counts| counts.split_once(':'));
    let steps =
        counts.and_then(|(new, all)| Some(StepsTaken { all: number(all)?, new: number(new)? }));
    let place = Place::parse(&format!("line {place}"))?;
    Some(Coverage { name: name.to_owned(), place, steps, never: Vec::new() })
}

/// How deep an expression is inside of others: so many bars stand before it.
fn depth_of(text: &str) -> (usize, &str) {
    let bare = text.trim_start_matches('|');
    (text.len() - bare.len(), bare)
}

/// Reads `line 1, col 2 to line 3, col 4 of module M: count`, or with a cost after the count.
fn expression(text: &str) -> Option<(Place, u64)> {
    let (place, counts) = text.split_once(": ")?;
    let count = counts.split(':').next()?;
    Some((Place::parse(place)?, number(count)?))
}

fn number(text: &str) -> Option<u64> {
    text.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_counted_and_of_what_was_never_evaluated_the_outermost_part_is_told() {
        let messages = [
            (INITIAL, "<Init line 1, col 1 to line 1, col 4 of module M>: 1:1\n"),
            (ACTION, "<Up line 3, col 1 to line 3, col 4 of module M>: 2:1,024"),
            (EXPRESSION, "  line 4, col 8 to line 4, col 12 of module M: 0\n"),
            (EXPRESSION, "  |line 4, col 8 to line 4, col 9 of module M: 0"),
            (EXPRESSION, "  ||line 4, col 8 to line 4, col 8 of module M: 0"),
            (EXPRESSION, "  line 5, col 8 to line 5, col 12 of module M: 7:9"),
            (EXPRESSION, "  |line 5, col 8 to line 5, col 9 of module M: 0"),
            (ACTION, "<Down line 7, col 1 to line 7, col 4 of module M>: 0:0"),
            (INVARIANT, "<Small line 9, col 1 to line 9, col 5 of module M>"),
            (EXPRESSION, "  line 9, col 8 to line 9, col 12 of module M: 0"),
        ];
        let coverage = read(messages.into_iter());
        let told = coverage.iter().map(|told| {
            let never = told.never.iter().map(|place| place.begin).collect::<Vec<_>>();
            (told.name.as_str(), told.steps.map(|steps| (steps.all, steps.new)), never)
        });
        let expected = [
            ("Init", None, vec![]),
            ("Up", Some((1024, 2)), vec![(4, 8), (5, 8)]),
            ("Down", Some((0, 0)), vec![]),
            ("Small", None, vec![(9, 8)]),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
