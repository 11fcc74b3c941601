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
    /// What stands there in the text of the module, in one line, for people: where it is several
    /// lines, their columns and comments may have meant something.
    pub fn text(&self, module: &str) -> String {
        self.parts(module).iter().map(|part| part.trim()).collect::<Vec<_>>().join(" ")
    }

    /// What stands there in the text of the module, to be written into another one: several lines
    /// begin a line of their own, in the columns in which they stand.
    pub fn lines(&self, module: &str) -> String {
        let parts = self.parts(module);
        match parts.len() {
            0 | 1 => parts.concat(),
            _ => format!("\n{}{}", " ".repeat(self.begin.1 - 1), parts.join("\n")),
        }
    }

    /// The lines there, without what stands before and after it.
    fn parts(&self, module: &str) -> Vec<String> {
        let ((first, from), (last, to)) = (self.begin, self.end);
        let lines = module.lines().enumerate().skip(first.saturating_sub(1));
        let part = |(index, line): (usize, &str)| {
            let line = untabbed(line);
            let begin = if index + 1 == first { from.saturating_sub(1) } else { 0 };
            let end = if index + 1 == last { to } else { line.chars().count() };
            line.chars().take(end).skip(begin).collect::<String>()
        };
        lines.take((last + 1).saturating_sub(first)).map(part).collect()
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

/// A line with blanks for tabs, which the parser of TLA+ counts so.
pub(crate) fn untabbed(line: &str) -> String {
    const TAB: usize = 8;
    let mut text = String::with_capacity(line.len());
    let mut column = 0;
    for letter in line.chars() {
        let width = if letter == '\t' { TAB - column % TAB } else { 1 };
        match letter {
            '\t' => text.push_str(&" ".repeat(width)),
            _ => text.push(letter),
        }
        column += width;
    }
    text
}
