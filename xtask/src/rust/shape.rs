/// A word or a single other character of masked code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Counted from one.
    pub line: usize,
    /// The word or the character.
    pub text: &'a str,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of the word `fn`.
    pub begin: usize,
    /// The line of the closing brace.
    pub end: usize,
}

impl Function {
    /// How many lines it takes.
    pub fn lines(&self) -> usize {
        self.end - self.begin + 1
    }
}

/// An item of a file.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a, 'b> {
    /// What stands before its body.
    pub head: &'b [Token<'a>],
    /// Its body, if it has one.
    pub body: &'b [Token<'a>],
}

/// A path that code mentions, in a `use` or in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathUse<'a> {
    /// The line it begins in.
    pub line: usize,
    /// Its names, for a `use` in full: `use a::{b, c::d}` mentions `a::b` and `a::c::d`.
    pub names: Vec<&'a str>,
}

impl PathUse<'_> {
    /// Whether these names follow each other in it.
    pub fn contains(&self, names: &[&str]) -> bool {
        self.names.windows(names.len()).any(|window| window == names)
    }
}

/// The tokens of masked code.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = word.max(first.len_utf8());
            tokens.push(Token { line: index + 1, text: &rest[..length] });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The line at which a file's tests begin: `#[cfg(test)]` before a module.
pub fn tests_begin(tokens: &[Token<'_>]) -> Option<usize> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let position = (0..tokens.len()).find(|&position| {
        starts_with(&tokens[position..], &attribute) && {
            let item = after_attributes(tokens, position);
            tokens.get(item).is_some_and(|token| token.text == "mod")
        }
    })?;
    Some(tokens[position].line)
}

/// All functions with a body, those inside others included.
pub fn functions(tokens: &[Token<'_>]) -> Vec<Function> {
    let mut functions = Vec::new();
    for (position, pair) in tokens.windows(2).enumerate() {
        if pair[0].text != "fn" || !is_word(pair[1].text) {
            continue;
        }
        let body = skip_until(tokens, position + 2, &["{", ";"]);
        if tokens.get(body).is_some_and(|token| token.text == "{") {
            let end = tokens[close(tokens, body)].line;
            functions.push(Function { name: pair[1].text.into(), begin: pair[0].line, end });
        }
    }
    functions
}

/// The items of the file itself, in order, their attributes left out.
pub fn items<'a, 'b>(tokens: &'b [Token<'a>]) -> Vec<Item<'a, 'b>> {
    let mut items = Vec::new();
    let mut position = after_attributes(tokens, 0);
    while position < tokens.len() {
        let end = skip_until(tokens, position, &["{", ";"]);
        let head = &tokens[position..end];
        let mut next = end;
        if tokens.get(end).is_some_and(|token| token.text == "{") {
            next = close(tokens, end);
            let has = |word: &str| head.iter().any(|token| token.text == word);
            // A braced tree or value ends with the semicolon after it.
            if (has("use") || has("const") || has("static")) && !has("fn") && !has("impl") {
                next = skip_until(tokens, next + 1, &[";"]);
            }
        }
        items.push(Item { head, body: &tokens[end..next.min(tokens.len())] });
        position = after_attributes(tokens, next + 1);
    }
    items
}

/// All paths that are mentioned; a single name outside a `use` is none.
pub fn path_uses<'a>(tokens: &[Token<'a>]) -> Vec<PathUse<'a>> {
    let mut uses = Vec::new();
    let mut position = 0;
    while position < tokens.len() {
        let token = tokens[position];
        if token.text == "use" && tokens.get(position + 1).is_some_and(|next| next.text != "<") {
            position = use_tree(tokens, position + 1, &[], &mut uses);
        } else if is_word(token.text) {
            let mut names = vec![token.text];
            position += 1;
            while starts_with(&tokens[position..], &[":", ":"])
                && tokens.get(position + 2).is_some_and(|next| is_word(next.text))
            {
                names.push(tokens[position + 2].text);
                position += 3;
            }
            if names.len() > 1 {
                uses.push(PathUse { line: token.line, names });
            }
        } else {
            position += 1;
        }
    }
    uses
}

/// Reads one tree of a `use` and gives the position after it.
fn use_tree<'a>(
    tokens: &[Token<'a>],
    mut position: usize,
    prefix: &[&'a str],
    uses: &mut Vec<PathUse<'a>>,
) -> usize {
    let mut names = prefix.to_vec();
    let mut line = 0;
    while let Some(token) = tokens.get(position) {
        match token.text {
            "{" => {
                position += 1;
                while tokens.get(position).is_some_and(|token| token.text != "}") {
                    position = use_tree(tokens, position, &names, uses);
                    if tokens.get(position).is_some_and(|token| token.text == ",") {
                        position += 1;
                    }
                }
                return position + 1;
            }
            "," | ";" | "}" => break,
            // The new name is passed over.
            "as" => position += 1,
            name if is_word(name) || name == "*" => {
                line = token.line;
                names.push(name);
            }
            _ => {}
        }
        position += 1;
    }
    uses.push(PathUse { line, names });
    position
}

fn is_word(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn starts_with(tokens: &[Token<'_>], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

/// The position after `#[…]` and `#![…]`.
fn after_attributes(tokens: &[Token<'_>], mut position: usize) -> usize {
    while tokens.get(position).is_some_and(|token| token.text == "#") {
        let open = skip_until(tokens, position, &["["]);
        position = close(tokens, open.min(tokens.len() - 1)) + 1;
    }
    position
}

/// The position of the first of these characters outside of parentheses and brackets; the end of
/// the tokens if there is none.
fn skip_until(tokens: &[Token<'_>], from: usize, wanted: &[&str]) -> usize {
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate().skip(from) {
        if depth == 0 && wanted.contains(&token.text) {
            return position;
        }
        match token.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    tokens.len()
}

/// The position of what closes the bracket or brace here; the last token if nothing does.
fn close(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return position;
        }
    }
    tokens.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust::mask;

    const SOURCE: &str = r##"//! Documentation.

#![expect(dead_code, reason = "…")]

use std::{fs, io::{self, Write as _}};
use std::time::Instant;

const WORDS: [&str; 2] = ["{", "}"];
const SUM: usize = { 1 + 2 };

/// A type.
#[derive(Debug)]
pub struct Thing<'a> {
    text: &'a str,
}

impl Thing<'_> {
    pub fn long(&self) -> [u8; 2]
    where
        Self: Sized,
    {
        let f: fn(u8) -> u8 = |x| x;
        let brace = '}'; // }
        fn inner() {}
        let now = Instant::now();
        [f(1), brace as u8]
    }
}

trait Shape { fn area(&self) -> f64; }

#[cfg(test)]
mod tests {
    fn not_counted() {}
}
"##;

    #[test]
    fn functions_have_their_lines() {
        let code = mask(SOURCE);
        let found: Vec<_> = functions(&tokens(&code))
            .into_iter()
            .map(|function| (function.name.clone(), function.lines()))
            .collect();
        let expected = [("long", 10), ("inner", 1), ("not_counted", 1)];
        assert_eq!(found, expected.map(|(name, lines)| (name.to_owned(), lines)));
    }

    #[test]
    fn items_are_those_of_the_file_itself() {
        let code = mask(SOURCE);
        let tokens = tokens(&code);
        let found: Vec<_> = items(&tokens)
            .iter()
            .map(|item| format!("{} {}", item.head[0].text, item.head[1].text))
            .collect();
        let expected = [
            "use std",
            "use std",
            "const WORDS",
            "const SUM",
            "pub struct",
            "impl Thing",
            "trait Shape",
            "mod tests",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn uses_are_given_in_full() {
        let code = mask(SOURCE);
        let found: Vec<_> =
            path_uses(&tokens(&code)).into_iter().map(|path| path.names.join("::")).collect();
        let expected =
            ["std::fs", "std::io::self", "std::io::Write", "std::time::Instant", "Instant::now"];
        assert_eq!(found, expected);
    }

    #[test]
    fn tests_begin_at_their_attribute() {
        let code = mask(SOURCE);
        assert_eq!(tests_begin(&tokens(&code)), Some(32));
        assert_eq!(tests_begin(&tokens("#[cfg(test)]\nuse a;\n")), None);
        let code = "#[cfg(test)]\n#[path = \"\"]\nmod tests;\n";
        assert_eq!(tests_begin(&tokens(code)), Some(1));
    }

    #[test]
    fn a_broken_file_is_read_to_its_end() {
        for code in ["fn a() {", "#[", "#", "use a::{b", "fn a(", "}"] {
            let tokens = tokens(code);
            functions(&tokens);
            items(&tokens);
            path_uses(&tokens);
            tests_begin(&tokens);
        }
    }
}
