/// A part of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The module.
    pub module: String,
    /// The first line and column, from 1.
    pub begin: (usize, usize),
    /// The last line and column.
    pub end: (usize, usize),
}

impl Place {
    /// What stands there in the text of the module.
    pub fn text(&self, module: &str) -> String {
        let ((first, from), (last, to)) = (self.begin, self.end);
        let lines = module.lines().enumerate().skip(first.saturating_sub(1));
        let part = |(index, line): (usize, &str)| {
            let begin = if index + 1 == first { from.saturating_sub(1) } else { 0 };
            let end = if index + 1 == last { to } else { line.chars().count() };
            line.chars().take(end).skip(begin).collect::<String>()
        };
        let parts: Vec<String> = lines.take((last + 1).saturating_sub(first)).map(part).collect();
        parts.iter().map(|part| part.trim()).collect::<Vec<_>>().join(" ")
    }
    /// Reads `line 1, col 2 to line 3, col 4 of module M`, as TLC writes places.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (range, module) = text.trim().split_once(" of module ")?;
        let (begin, end) = range.split_once(" to ")?;
        let point = |text: &str| {
            let (line, column) = text.strip_prefix("line ")?.split_once(", col ")?;
            Some((line.parse().ok()?, column.parse().ok()?))
        };
        Some(Self { module: module.to_owned(), begin: point(begin)?, end: point(end)? })
    }
}
