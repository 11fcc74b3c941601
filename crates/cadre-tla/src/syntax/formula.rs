use std::collections::BTreeSet;
use std::fmt;

use super::token::{Kind, Token};

/// The logical structure of a formula; what has none is text.
#[derive(Clone, Debug)]
pub enum Formula {
    /// All of them.
    All(Vec<Formula>),
    /// At least one of them.
    Any(Vec<Formula>),
    /// `\E x \in S : body`, or `\A x \in S : body`.
    Quantified {
        /// All before the body, the colon included.
        head: Excerpt,
        /// The names that it binds.
        names: Vec<String>,
        /// What it says of them.
        body: Box<Formula>,
    },
    /// `IF condition THEN one ELSE another`; `a => b` is one that says nothing otherwise, and
    /// `CASE` is several of them.
    Choice {
        /// The condition.
        condition: Excerpt,
        /// Both branches.
        branches: Box<[Formula; 2]>,
    },
    /// `LET definitions IN body`.
    Local {
        /// The definitions between `LET` and `IN`.
        definitions: Excerpt,
        /// What they are for.
        body: Box<Formula>,
    },
    /// An operator with its arguments.
    Applied {
        /// The name of the operator.
        name: String,
        /// The arguments.
        arguments: Vec<Excerpt>,
        /// All of it.
        whole: Excerpt,
    },
    /// Anything else.
    Other(Excerpt),
}

/// A part of a module.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// Its text, in the columns in which it stands in the module.
    pub text: String,
    /// Its text in one line, without comments.
    pub line_text: String,
    /// The file of the module.
    pub file: String,
    /// The line in which it begins, from 1.
    pub line: u32,
    /// All names and keywords in it, but not those of the fields of records.
    pub words: BTreeSet<String>,
    /// Whether it says something of the next state by itself.
    pub has_prime: bool,
    /// If it is a comparison: the symbol, and what stands on its two sides.
    pub comparison: Option<Box<(String, [Excerpt; 2])>>,
}

/// A module that is cut into pieces.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

const COMPARISONS: [&str; 12] =
    ["=", "#", "/=", "\\in", "\\notin", "\\subseteq", "<", ">", "<=", "=<", ">=", "\\leq"];

/// What binds weaker than a comparison, or so that the sides of one are not those of the whole.
const LOOSER: [&str; 13] =
    ["/\\", "\\/", "=>", "<=>", "\\equiv", "~>", "-+->", "~", "\\lnot", "\\neg", "[]", "<>", ":"];

impl Excerpt {
    pub(crate) fn of(source: &Source<'_>, tokens: &[Token<'_>]) -> Self {
        let mut excerpt = Self::plain(source, tokens);
        if let Some(at) = comparison(tokens) {
            let sides = [&tokens[..at], &tokens[at + 1..]].map(|side| Self::plain(source, side));
            excerpt.comparison = Some(Box::new((tokens[at].text.to_owned(), sides)));
        }
        excerpt
    }

    fn plain(source: &Source<'_>, tokens: &[Token<'_>]) -> Self {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return Self::empty(source);
        };
        let mut line_text = String::new();
        let mut end = first.start;
        for token in tokens {
            if token.start > end {
                line_text.push(' ');
            }
            line_text.push_str(token.text);
            end = token.end();
        }
        let words = (0..tokens.len()).filter(|at| is_name(tokens, *at)).map(|at| tokens[at].text);
        Self {
            text: " ".repeat(first.column) + &source.text[first.start..last.end()],
            line_text,
            file: source.file.to_owned(),
            line: first.line,
            words: words.map(str::to_owned).collect(),
            has_prime: tokens.iter().any(|token| token.is_any(&["'", "UNCHANGED"])),
            comparison: None,
        }
    }

    fn empty(source: &Source<'_>) -> Self {
        Self {
            text: String::new(),
            line_text: String::new(),
            file: source.file.to_owned(),
            line: 0,
            words: BTreeSet::new(),
            has_prime: false,
            comparison: None,
        }
    }
}

/// Whether a token is a word that stands for something: the name of a record's field does not.
fn is_name(tokens: &[Token<'_>], at: usize) -> bool {
    let is = |at: Option<usize>, texts: &[&str]| {
        at.and_then(|at| tokens.get(at)).is_some_and(|token| token.is_any(texts))
    };
    let (before, after) = (at.checked_sub(1), Some(at + 1));
    let is_field =
        is(before, &["."]) || is(after, &["|->"]) || (is(after, &[":"]) && is(before, &["[", ","]));
    tokens[at].kind == Kind::Word && !is_field
}

/// Where the comparison stands that tokens are, if they are one.
fn comparison(tokens: &[Token<'_>]) -> Option<usize> {
    let mut found = None;
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(token.opens()) - i32::from(token.closes());
        if depth > 0 {
            continue;
        }
        let is_looser = token.is_any(&LOOSER) || token.is_any(&["IF", "CASE", "LET", "CHOOSE"]);
        if is_looser || (token.is_any(&COMPARISONS) && found.replace(at).is_some()) {
            return None;
        }
    }
    found.filter(|at| *at > 0 && at + 1 < tokens.len())
}

impl Formula {
    pub(crate) fn parse(source: &Source<'_>, tokens: &[Token<'_>]) -> Self {
        let tokens = without_parentheses(tokens);
        let parts = |parts: Vec<&[Token<'_>]>| {
            parts.into_iter().map(|part| Self::parse(source, part)).collect()
        };
        let parsed = match tokens.first() {
            Some(first) if first.is("/\\") => bullets(tokens).map(|found| Self::All(parts(found))),
            Some(first) if first.is("\\/") => bullets(tokens).map(|found| Self::Any(parts(found))),
            Some(first) if first.is_any(&["\\E", "\\A", "\\exists", "\\forall"]) => {
                Self::quantified(source, tokens)
            }
            Some(first) if first.is("IF") => Self::choice(source, tokens),
            Some(first) if first.is("LET") => Self::local(source, tokens),
            Some(first) if first.is("CASE") => Self::cases(source, tokens),
            Some(_) => match infix(tokens) {
                Infix::Symbol("/\\", found) => Some(Self::All(parts(found))),
                Infix::Symbol(_, found) => Some(Self::Any(parts(found))),
                Infix::Implies(at) => Self::implication(source, tokens, at),
                Infix::None => Self::applied(source, tokens),
                Infix::Other => None,
            },
            None => None,
        };
        parsed.unwrap_or_else(|| Self::Other(Excerpt::of(source, tokens)))
    }

    fn quantified(source: &Source<'_>, tokens: &[Token<'_>]) -> Option<Self> {
        let colon = find_outside(tokens, |token| token.is(":"))?;
        let mut names = Vec::new();
        let mut group = Vec::new();
        let mut is_set = false;
        let mut depth = 0;
        for token in &tokens[1..colon] {
            depth += i32::from(token.opens()) - i32::from(token.closes());
            match token.text {
                "," if depth == 0 => is_set = false,
                "\\in" if depth == 0 && !is_set => {
                    is_set = true;
                    names.append(&mut group);
                }
                // A group of names can only be told from a set by what comes after it.
                _ if !is_set && depth == 0 && token.kind == Kind::Word => {
                    group.push(token.text.to_owned());
                }
                _ if !is_set => return None,
                _ => {}
            }
        }
        if names.is_empty() || !group.is_empty() {
            return None;
        }
        let head = Excerpt::plain(source, &tokens[..=colon]);
        Some(Self::Quantified {
            head,
            names,
            body: Box::new(Self::parse(source, &tokens[colon + 1..])),
        })
    }

    fn choice(source: &Source<'_>, tokens: &[Token<'_>]) -> Option<Self> {
        let mut depth = 0;
        let (mut then, mut otherwise) = (None, None);
        for (at, token) in tokens.iter().enumerate() {
            match token.text {
                _ if token.kind == Kind::Text => {}
                "IF" => depth += 1,
                "THEN" if depth == 1 => then = Some(at),
                "ELSE" => {
                    if depth == 1 {
                        otherwise = Some(at);
                        break;
                    }
                    depth -= 1;
                }
                _ => {}
            }
        }
        let (then, otherwise) = (then?, otherwise?);
        Some(Self::Choice {
            condition: Excerpt::of(source, &tokens[1..then]),
            branches: Box::new([
                Self::parse(source, &tokens[then + 1..otherwise]),
                Self::parse(source, &tokens[otherwise + 1..]),
            ]),
        })
    }

    /// `a => b`, which says nothing where `a` is false.
    fn implication(source: &Source<'_>, tokens: &[Token<'_>], at: usize) -> Option<Self> {
        let (condition, body) = (&tokens[..at], &tokens[at + 1..]);
        if condition.is_empty() || body.is_empty() {
            return None;
        }
        let nothing = Excerpt { text: "TRUE".to_owned(), ..Excerpt::empty(source) };
        let nothing = Excerpt { line_text: "TRUE".to_owned(), ..nothing };
        Some(Self::Choice {
            condition: Excerpt::of(source, condition),
            branches: Box::new([Self::parse(source, body), Self::Other(nothing)]),
        })
    }

    /// `CASE a -> b [] c -> d [] OTHER -> e`, as one choice after the other. Where none of the
    /// conditions is true, it is the whole that has no value.
    fn cases(source: &Source<'_>, tokens: &[Token<'_>]) -> Option<Self> {
        let mut arms = Vec::new();
        let mut rest = &tokens[1..];
        // The arms after a `CASE` within an arm are its own.
        while let Some(next) = find_outside(rest, |token| token.is_any(&["[]", "CASE"])) {
            if rest[next].is("CASE") {
                return None;
            }
            arms.push(&rest[..next]);
            rest = &rest[next + 1..];
        }
        arms.push(rest);
        let mut otherwise = Self::Other(Excerpt::of(source, tokens));
        for (number, arm) in arms.iter().enumerate().rev() {
            let arrow = find_outside(arm, |token| token.is("->"))?;
            let (condition, body) = (&arm[..arrow], Self::parse(source, &arm[arrow + 1..]));
            match condition {
                [] => return None,
                [only] if only.is("OTHER") && number + 1 == arms.len() => otherwise = body,
                _ => {
                    let condition = Excerpt::of(source, condition);
                    let branches = Box::new([body, otherwise]);
                    otherwise = Self::Choice { condition, branches };
                }
            }
        }
        Some(otherwise)
    }

    fn local(source: &Source<'_>, tokens: &[Token<'_>]) -> Option<Self> {
        let mut depth = 0;
        let within = tokens.iter().position(|token| {
            depth += i32::from(token.is("LET")) - i32::from(token.is("IN"));
            depth == 0
        })?;
        Some(Self::Local {
            definitions: Excerpt::plain(source, &tokens[1..within]),
            body: Box::new(Self::parse(source, &tokens[within + 1..])),
        })
    }

    fn applied(source: &Source<'_>, tokens: &[Token<'_>]) -> Option<Self> {
        let name = tokens.first().filter(|name| name.kind == Kind::Word)?;
        let arguments = match tokens {
            [_] => Vec::new(),
            [_, open, inner @ .., _]
                if open.is("(") && closing(&tokens[1..])? + 2 == tokens.len() =>
            {
                let mut arguments = Vec::new();
                let mut rest = inner;
                while let Some(comma) = find_outside(rest, |token| token.is(",")) {
                    arguments.push(Excerpt::plain(source, &rest[..comma]));
                    rest = &rest[comma + 1..];
                }
                arguments.push(Excerpt::plain(source, rest));
                arguments
            }
            _ => return None,
        };
        let whole = Excerpt::plain(source, tokens);
        Some(Self::Applied { name: name.text.to_owned(), arguments, whole })
    }
}

/// What a formula is if nothing at its beginning tells.
enum Infix<'t, 'a> {
    /// Parts that one symbol joins.
    Symbol(&'static str, Vec<&'t [Token<'a>]>),
    /// The place of the arrow of an implication.
    Implies(usize),
    None,
    /// Something that is neither.
    Other,
}

fn infix<'t, 'a>(tokens: &'t [Token<'a>]) -> Infix<'t, 'a> {
    let (mut parts, mut symbol, mut begin, mut depth) = (Vec::new(), None, 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(token.opens()) - i32::from(token.closes());
        if depth > 0 {
            continue;
        }
        if token.is("=>") {
            return Infix::Implies(at);
        }
        if token.is_any(&["<=>", "\\equiv", "~>", "-+->"]) {
            return Infix::Other;
        }
        let joins = ["/\\", "\\/"].into_iter().find(|joins| token.is(joins));
        // After a symbol comes a list, a quantifier or the like, which takes all that is left.
        if at == begin && (joins.is_some() || takes_the_rest(token)) {
            break;
        }
        let Some(joins) = joins else { continue };
        if symbol.is_some_and(|symbol| symbol != joins) {
            return Infix::Other;
        }
        symbol = Some(joins);
        parts.push(&tokens[begin..at]);
        begin = at + 1;
    }
    match symbol {
        Some(symbol) if begin < tokens.len() => {
            parts.push(&tokens[begin..]);
            Infix::Symbol(symbol, parts)
        }
        Some(_) => Infix::Other,
        None => Infix::None,
    }
}

fn takes_the_rest(token: &Token<'_>) -> bool {
    token.is_any(&["\\E", "\\A", "\\exists", "\\forall", "IF", "CASE", "LET", "CHOOSE", "LAMBDA"])
}

/// The items of a list of bullets in one column; none if the list is not all there is.
fn bullets<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<Vec<&'t [Token<'a>]>> {
    let bullet = tokens[0];
    let mut items = Vec::new();
    let (mut begin, mut depth) = (1, 0);
    for (at, token) in tokens.iter().enumerate().skip(1) {
        depth += i32::from(token.opens()) - i32::from(token.closes());
        let is_next = depth == 0 && token.column == bullet.column && token.is(bullet.text);
        if is_next && token.line > bullet.line {
            items.push(&tokens[begin..at]);
            begin = at + 1;
        } else if token.column <= bullet.column {
            return None;
        }
    }
    items.push(&tokens[begin..]);
    items.iter().all(|item| !item.is_empty()).then_some(items)
}

fn without_parentheses<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    while tokens.first().is_some_and(|first| first.is("("))
        && closing(tokens) == Some(tokens.len() - 1)
    {
        tokens = &tokens[1..tokens.len() - 1];
    }
    tokens
}

/// Where the first bracket is closed.
fn closing(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0;
    tokens.iter().position(|token| {
        depth += i32::from(token.opens()) - i32::from(token.closes());
        depth == 0
    })
}

fn find_outside(tokens: &[Token<'_>], is_it: impl Fn(&Token<'_>) -> bool) -> Option<usize> {
    let mut depth = 0;
    tokens.iter().position(|token| {
        depth += i32::from(token.opens()) - i32::from(token.closes());
        depth == 0 && is_it(token)
    })
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line_text)
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => write_joined(f, parts, " /\\ "),
            Self::Any(parts) => write_joined(f, parts, " \\/ "),
            Self::Quantified { head, body, .. } => write!(f, "{head} {body}"),
            Self::Choice { condition, branches } => {
                let [one, another] = branches.as_ref();
                write!(f, "IF {condition} THEN {one} ELSE {another}")
            }
            Self::Local { definitions, body } => write!(f, "LET {definitions} IN {body}"),
            Self::Applied { whole, .. } | Self::Other(whole) => write!(f, "{whole}"),
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, parts: &[Formula], joint: &str) -> fmt::Result {
    f.write_str("(")?;
    for (position, part) in parts.iter().enumerate() {
        let joint = if position > 0 { joint } else { "" };
        write!(f, "{joint}{part}")?;
    }
    f.write_str(")")
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let source = Source { file: "M.tla", text };
        assert_eq!(Formula::parse(&source, &tokens(text)).to_string(), expected);
    }

    #[test]
    fn lists_are_told_by_their_columns() {
        check(
            "/\\ a\n/\\ \\/ b\n   \\/ /\\ c\n      /\\ d\n/\\ e",
            "(a /\\ (b \\/ (c /\\ d)) /\\ e)",
        );
        check("  /\\ a = 1 /\\ b\n  /\\ c", "((a = 1 /\\ b) /\\ c)");
        check("/\\ f(/\\ a\n      /\\ b)\n/\\ c", "(f(/\\ a /\\ b) /\\ c)");
        // What stands left of the bullets belongs to no item, so that this is no list.
        check("  /\\ a\n  /\\ b\n => c", "/\\ a /\\ b => c");
    }

    #[test]
    fn what_joins_binds_weaker_than_the_rest_and_does_not_mix() {
        check("a /\\ (b \\/ c) /\\ d", "(a /\\ (b \\/ c) /\\ d)");
        check("a /\\ b \\/ c", "a /\\ b \\/ c");
        check("a <=> b /\\ c", "a <=> b /\\ c");
        check("a /\\ \\E x \\in S : b /\\ c", "(a /\\ \\E x \\in S : (b /\\ c))");
    }

    #[test]
    fn quantifiers_choices_and_local_definitions_have_bodies() {
        check("\\E x, y \\in S, z \\in {1, 2} : P(x)", "\\E x, y \\in S, z \\in {1, 2} : P(x)");
        check("\\E <<x, y>> \\in S : P(x)", "\\E <<x, y>> \\in S : P(x)");
        check(
            "IF a THEN IF b THEN c ELSE d /\\ e ELSE f",
            "IF a THEN IF b THEN c ELSE (d /\\ e) ELSE f",
        );
        check("LET a == LET b == 1 IN b IN a /\\ c", "LET a == LET b == 1 IN b IN (a /\\ c)");
    }

    #[test]
    fn an_implication_and_the_arms_of_a_case_are_choices() {
        check("a /\\ b => c \\/ d", "IF a /\\ b THEN (c \\/ d) ELSE TRUE");
        check("\\A x \\in S : a => b /\\ c", "\\A x \\in S : IF a THEN (b /\\ c) ELSE TRUE");
        check("a /\\ \\A x \\in S : b => c", "(a /\\ \\A x \\in S : IF b THEN c ELSE TRUE)");
        check(
            "a => \\A x \\in S : b => c",
            "IF a THEN \\A x \\in S : IF b THEN c ELSE TRUE ELSE TRUE",
        );
        check("(a => b) => c", "IF (a => b) THEN c ELSE TRUE");
        check(
            "CASE a -> b /\\ c [] d = [x -> y] -> e [] OTHER -> f",
            "IF a THEN (b /\\ c) ELSE IF d = [x -> y] THEN e ELSE f",
        );
        check("CASE a -> b", "IF a THEN b ELSE CASE a -> b");
        check("CASE a -> CASE b -> c [] d -> e", "CASE a -> CASE b -> c [] d -> e");
        check(
            "CASE a -> (CASE b -> c) [] OTHER -> d",
            "IF a THEN IF b THEN c ELSE CASE b -> c ELSE d",
        );
        for text in ["=> a", "a =>", "CASE a", "CASE -> a"] {
            check(text, text);
        }
    }

    #[test]
    fn the_fields_of_records_are_no_words() {
        let text = "e.a \\in [b : S, c : T] /\\ [d |-> x].d = {y : z \\in U}";
        let found = Excerpt::of(&Source { file: "M.tla", text }, &tokens(text)).words;
        assert_eq!(found.iter().collect::<Vec<_>>(), ["S", "T", "U", "e", "x", "y", "z"]);
    }

    #[test]
    fn only_a_whole_comparison_has_two_sides() {
        let sides = |text: &str| {
            let source = Source { file: "M.tla", text };
            Excerpt::of(&source, &tokens(text)).comparison.map(|found| found.1.map(|s| s.line_text))
        };
        assert_eq!(sides("f[x = 1] # y'"), Some(["f[x = 1]".to_owned(), "y'".to_owned()]));
        assert_eq!(sides("x \\in {a = b}"), Some(["x".to_owned(), "{a = b}".to_owned()]));
        for none in ["~ x = y", "x = y => z", "x", "\\A x \\in S : y"] {
            assert_eq!(sides(none), None, "{none}");
        }
    }
}
