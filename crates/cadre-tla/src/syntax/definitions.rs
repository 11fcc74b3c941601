use std::collections::{BTreeMap, BTreeSet};

use super::formula::{Excerpt, Formula, Source};
use super::token::{Kind, Token, listed, tokens};

/// The operators that some modules define at their top, by name.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    by_name: BTreeMap<String, Definition>,
}

/// An operator.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The file of the module that defines it.
    pub file: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What it is defined to be.
    pub body: Formula,
    /// All of that as it stands in the module.
    pub(crate) whole: Excerpt,
}

/// A parameter of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// How many arguments it takes itself; none unless it stands for an operator.
    pub arity: usize,
}

impl Definitions {
    /// Reads the definitions of modules: file names and texts.
    ///
    /// # Examples
    ///
    /// ```
    /// use cadre_tla::syntax::Definitions;
    ///
    /// let text = "---- MODULE M ----\nUp(n) ==\n  /\\ x < n\n  /\\ x' = x + 1\n====\n";
    /// let definitions = Definitions::read([("M.tla", text)]);
    /// let up = definitions.get("Up").unwrap();
    /// assert_eq!(up.parameters[0].name, "n");
    /// assert_eq!(up.body.to_string(), "(x < n /\\ x' = x + 1)");
    /// ```
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut definitions = Self::default();
        for (file, text) in files {
            let tokens = tokens(text);
            let source = Source { file, text };
            for unit in units(&tokens) {
                let definition = unit.definition(&source, &tokens);
                definitions.by_name.insert(definition.name.clone(), definition);
            }
        }
        definitions
    }

    /// Reads the definitions that a module has of its own or by `EXTENDS`; others among the files,
    /// which may define the same names, are left out.
    ///
    /// # Examples
    ///
    /// ```
    /// use cadre_tla::syntax::Definitions;
    ///
    /// let modules = [
    ///     ("M.tla", "---- MODULE M ----\nEXTENDS N\n====\n"),
    ///     ("N.tla", "---- MODULE N ----\nUp == 1\n====\n"),
    ///     ("Z.tla", "---- MODULE Z ----\nUp == 2\nDown == 3\n====\n"),
    /// ];
    /// let definitions = Definitions::of_module("M", &modules);
    /// assert_eq!(definitions.get("Up").unwrap().body.to_string(), "1");
    /// assert!(definitions.get("Down").is_none());
    /// ```
    pub fn of_module(module: &str, files: &[(&str, &str)]) -> Self {
        Self::read(extended(module, files))
    }

    /// The operator of a name, unless it is defined elsewhere.
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.by_name.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Definition> {
        self.by_name.values()
    }

    /// All words that some words lead to, through the definitions of those that have one.
    pub fn reach<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let mut open: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let mut reached = BTreeSet::new();
        while let Some(word) = open.pop() {
            if reached.contains(&word) {
                continue;
            }
            if let Some(definition) = self.get(&word) {
                open.extend(definition.whole.words.iter().cloned());
            }
            reached.insert(word);
        }
        reached
    }

    /// Whether some words lead to a definition that says something of the next state.
    pub fn reach_next<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> bool {
        let reached = self.reach(words);
        reached.iter().any(|word| self.get(word).is_some_and(|found| found.whole.has_prime))
    }
}

/// A module and those that it extends, what is extended first; modules are file names and texts.
pub(crate) fn extended<'a>(module: &str, files: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut extended = Vec::new();
    add_extended(module, files, &mut BTreeSet::new(), &mut extended);
    extended
}

/// Adds a module after those that it extends, as its own definitions are those that count.
fn add_extended<'a>(
    module: &str,
    files: &[(&'a str, &'a str)],
    known: &mut BTreeSet<String>,
    extended: &mut Vec<(&'a str, &'a str)>,
) {
    let file = format!("{module}.tla");
    let Some(found) = files.iter().find(|(name, _)| *name == file) else { return };
    if known.insert(file) {
        for other in listed(found.1, &["EXTENDS"]) {
            add_extended(&other, files, known, extended);
        }
        extended.push(*found);
    }
}

/// A definition as a range of tokens.
struct Unit {
    name: usize,
    parameters: Vec<Parameter>,
    body: std::ops::Range<usize>,
}

impl Unit {
    fn definition(&self, source: &Source<'_>, tokens: &[Token<'_>]) -> Definition {
        let body = &tokens[self.body.clone()];
        Definition {
            name: tokens[self.name].text.to_owned(),
            file: source.file.to_owned(),
            parameters: self.parameters.clone(),
            body: Formula::parse(source, body),
            whole: Excerpt::of(source, body),
        }
    }
}

/// Words that begin something else than a definition.
const KEYWORDS: [&str; 19] = [
    "VARIABLE",
    "VARIABLES",
    "CONSTANT",
    "CONSTANTS",
    "ASSUME",
    "ASSUMPTION",
    "AXIOM",
    "THEOREM",
    "LEMMA",
    "PROPOSITION",
    "COROLLARY",
    "INSTANCE",
    "RECURSIVE",
    "LOCAL",
    "USE",
    "HIDE",
    "PROOF",
    "BY",
    "EXTENDS",
];

/// The definitions at the top of the first module in a text.
fn units(tokens: &[Token<'_>]) -> Vec<Unit> {
    let Some(begin) = tokens.iter().position(|token| token.is("MODULE")) else {
        return Vec::new();
    };
    let mut units: Vec<Unit> = Vec::new();
    let (mut lets, mut open) = (0, false);
    for (at, token) in tokens.iter().enumerate().skip(begin + 2) {
        let end_of_last = |units: &mut Vec<Unit>, end: usize| {
            if let (true, Some(last)) = (open, units.last_mut()) {
                last.body.end = end;
            }
        };
        if token.is("LET") {
            lets += 1;
        } else if token.is("IN") {
            lets -= 1;
        } else if token.text.starts_with("====") && token.kind == Kind::Symbol {
            end_of_last(&mut units, at);
            break;
        } else if lets > 0 {
            continue;
        } else if token.is("==") {
            let (begin, operator) = head(tokens, at);
            end_of_last(&mut units, begin);
            open = operator.is_some();
            units.extend(operator.map(|(name, parameters)| Unit {
                name,
                parameters,
                body: at + 1..tokens.len(),
            }));
        } else if is_break(token) && !tokens[at - 1].is("==") {
            end_of_last(&mut units, at);
            open = false;
        }
    }
    units.retain(|unit| !unit.body.is_empty());
    units
}

fn is_break(token: &Token<'_>) -> bool {
    token.is_any(&KEYWORDS) || (token.kind == Kind::Symbol && token.text.starts_with("----"))
}

/// What stands before `==`: where it begins, and the name with the parameters of a plain operator;
/// none for a function and for an infix operator.
fn head(tokens: &[Token<'_>], equals: usize) -> (usize, Option<(usize, Vec<Parameter>)>) {
    let last = equals - 1;
    if tokens[last].kind == Kind::Word {
        let before = &tokens[last - 1];
        let is_infix = before.kind == Kind::Symbol && !before.closes() && !before.is("'");
        return match is_infix && !is_break(before) && !before.is("==") {
            true => (last - 2, None),
            false => (last, Some((last, Vec::new()))),
        };
    }
    let mut depth = 0;
    let open = (0..=last).rev().find(|at| {
        depth += i32::from(tokens[*at].closes()) - i32::from(tokens[*at].opens());
        depth == 0
    });
    let name = open.and_then(|open| open.checked_sub(1));
    let (Some(open), Some(name)) = (open, name) else { return (last, None) };
    if !tokens[open].is("(") || tokens[name].kind != Kind::Word {
        return (name, None);
    }
    let mut parameters: Vec<Parameter> = Vec::new();
    for token in tokens[open + 1..last].iter().filter(|token| token.kind == Kind::Word) {
        match (token.text, parameters.last_mut()) {
            ("_", Some(operator)) => operator.arity += 1,
            _ => parameters.push(Parameter { name: token.text.to_owned(), arity: 0 }),
        }
    }
    (name, Some((name, parameters)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "text before\n---- MODULE M ----\nEXTENDS Naturals\nVARIABLES x, y\n\
        vars == <<x, y>>\nA(r, F(_)) ==\n  LET z == r IN\n  /\\ x = z\n  /\\ y' = F(r)\n\
        ----\nLOCAL B == A(1, C) \\/ UNCHANGED vars\nf[n \\in 1..2] == n\na ++ b == a\nC(u) == u\n\
        I == INSTANCE Other\nTHEOREM Spec => []B\n====\nD == 1\n";

    #[test]
    fn each_operator_ends_where_the_next_unit_begins() {
        let definitions = Definitions::read([("M.tla", TEXT)]);
        let told = |name: &str| definitions.get(name).map(|found| found.body.to_string());
        assert_eq!(told("vars").unwrap(), "<<x, y>>");
        assert_eq!(told("A").unwrap(), "LET z == r IN (x = z /\\ y' = F(r))");
        assert_eq!(told("B").unwrap(), "(A(1, C) \\/ UNCHANGED vars)");
        assert_eq!(told("C").unwrap(), "u");
        assert_eq!(told("I").unwrap(), "INSTANCE Other");
        for none in ["D", "f", "z", "M", "Spec"] {
            assert_eq!(told(none), None, "{none}");
        }
        let arities = definitions.get("A").unwrap().parameters.iter();
        assert_eq!(
            arities.map(|p| (p.name.as_str(), p.arity)).collect::<Vec<_>>(),
            [("r", 0), ("F", 1)]
        );
    }

    #[test]
    fn words_lead_through_definitions() {
        let definitions = Definitions::read([("M.tla", TEXT)]);
        assert!(definitions.reach(["B"]).contains("y"));
        assert!(!definitions.reach(["C"]).contains("y"));
        assert!(definitions.reach_next(["B"]) && !definitions.reach_next(["C", "vars"]));
    }
}
