//! Names that may have been meant.

/// The known name that is nearest to a wrong one, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = known.into_iter().map(|name| (distance(wrong, name), name)).min()?;
    // Half of the letters wrong is another word.
    Some(near.1).filter(|name| near.0 * 2 <= name.chars().count().max(2))
}

/// The same as a remark, or nothing.
pub(crate) fn nearest_remark<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(wrong, known);
    near.map_or_else(String::new, |near| format!(" (the nearest is `{near}`)"))
}

/// How many letters have to be put in, left out or replaced, by Wagner and Fischer; the case of a
/// letter does not count.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_one_slip_away_was_meant_and_another_word_was_not() {
        let known = ["RMPrepare", "TMCommit", "TMAbort"];
        assert_eq!(nearest("RMPrepar", known), Some("RMPrepare"));
        assert_eq!(nearest("tmcommit", known), Some("TMCommit"));
        assert_eq!(nearest("Explode", known), None);
        assert_eq!(nearest("x", []), None);
    }
}
