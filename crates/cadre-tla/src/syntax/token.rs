/// A word, a number, a string or a symbol of a module; comments are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: Kind,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column in characters, from 0.
    pub(crate) column: usize,
    /// Where it begins in the text of the module, in bytes.
    pub(crate) start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Text,
    Symbol,
}

impl Token<'_> {
    /// Where it ends in the text of the module, in bytes.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }

    pub(crate) fn is_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    pub(crate) fn opens(&self) -> bool {
        self.is_any(&["(", "[", "{", "<<"])
    }

    pub(crate) fn closes(&self) -> bool {
        self.is_any(&[")", "]", "]_", "}", ">>", ">>_"])
    }
}

/// Cuts the text of a module into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line, mut line_start) = (0, 1, 0);
    while at < text.len() {
        let rest = &text[at..];
        let length = match piece(rest) {
            Piece::Blank(length) => length,
            Piece::Token(length, kind) => {
                let column = text[line_start..at].chars().count();
                tokens.push(Token { text: &rest[..length], kind, line, column, start: at });
                length
            }
        };
        for (position, _) in rest[..length].match_indices('\n') {
            line += 1;
            line_start = at + position + 1;
        }
        at += length;
    }
    tokens
}

enum Piece {
    Blank(usize),
    Token(usize, Kind),
}

/// The longest symbols first, so that none is taken for the beginning of another.
const SYMBOLS: [&str; 46] = [
    "-+->", "<=>", "|->", "...", "::=", ">>_", "==", "=>", "=<", "<=", ">=", "/\\", "\\/", "<<",
    ">>", "->", "<-", ":>", "<:", "@@", "..", "~>", "/=", "[]", "<>", "]_", ":=", "||", "|-", "|=",
    "=|", "-|", "&&", "##", "$$", "%%", "!!", "??", "^^", "^+", "^*", "^#", "**", "++", "--", "//",
];

fn piece(rest: &str) -> Piece {
    let first = rest.chars().next().expect("there is more text");
    if first.is_whitespace() {
        return Piece::Blank(first.len_utf8());
    }
    if rest.starts_with("\\*") {
        return Piece::Blank(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("(*") {
        return Piece::Blank(comment(rest));
    }
    if first == '"' {
        return Piece::Token(string(rest), Kind::Text);
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if is_word(first) {
        return Piece::Token(rest.find(|c| !is_word(c)).unwrap_or(rest.len()), Kind::Word);
    }
    for rule in ["----", "===="] {
        if rest.starts_with(rule) {
            let length = rest.len() - rest.trim_start_matches(first).len();
            return Piece::Token(length, Kind::Symbol);
        }
    }
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        return Piece::Token(symbol.len(), Kind::Symbol);
    }
    if first == '\\' {
        let name = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1);
        return Piece::Token(1 + name, Kind::Symbol);
    }
    Piece::Token(first.len_utf8(), Kind::Symbol)
}

/// How long a comment is that may hold others.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("(*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with("*)") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (position, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return position + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The names with commas between them that follow a keyword.
pub(crate) fn listed(text: &str, keywords: &[&str]) -> Vec<String> {
    let tokens = tokens(text);
    let mut names = Vec::new();
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_any(keywords)) {
        let mut rest = tokens[at + 1..].iter();
        names.extend(rest.next().map(|token| token.text.to_owned()));
        while rest.next().is_some_and(|token| token.is(",")) {
            names.extend(rest.next().map(|token| token.text.to_owned()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out_and_places_are_those_of_the_text() {
        let text = "A == (* one (* two *) *) x' \\in \"a\\\"b\" \\* rest\n  /\\ <<1>>_y";
        let found: Vec<_> = tokens(text).iter().map(|t| (t.text, t.line, t.column)).collect();
        assert_eq!(
            found,
            [
                ("A", 1, 0),
                ("==", 1, 2),
                ("x", 1, 25),
                ("'", 1, 26),
                ("\\in", 1, 28),
                ("\"a\\\"b\"", 1, 32),
                ("/\\", 2, 2),
                ("<<", 2, 5),
                ("1", 2, 7),
                (">>_", 2, 8),
                ("y", 2, 11),
            ]
        );
    }

    #[test]
    fn rules_are_one_token_and_an_open_comment_ends_with_the_text() {
        let found: Vec<_> =
            tokens("------ MODULE\n====== (* open").iter().map(|t| t.text).collect();
        assert_eq!(found, ["------", "MODULE", "======"]);
    }

    #[test]
    fn what_is_declared_is_listed() {
        let text = "---- MODULE M ----\nEXTENDS A, B\nVARIABLE x\nVARIABLES y, \\* one\n  z\n\
                    I == INSTANCE C WITH x <- y, z <- x\n====\n";
        assert_eq!(listed(text, &["EXTENDS"]), ["A", "B"]);
        assert_eq!(listed(text, &["VARIABLE", "VARIABLES"]), ["x", "y", "z"]);
        assert_eq!(listed(text, &["INSTANCE"]), ["C"]);
    }
}
