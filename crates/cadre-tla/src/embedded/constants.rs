//! Definitions that have one value, whatever the state: they are evaluated once.
//!
//! The checker evaluates a definition anew wherever it is mentioned, and the parser even copies it
//! there. For the tables of generated modules that would be the most of all time, so each such
//! definition gets another name, under which its value is known before the search.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use tla_checker::ast::DefinitionMap;
use tla_checker::parser::{OperatorOverrides, Override, parse};

use super::modules::{Module, Modules, PRINT, PRINT_T};
use crate::syntax::Definition;

/// The definitions of some modules that have one value.
#[derive(Default)]
pub(super) struct Constants {
    /// What a mention of each of them becomes.
    pub(super) renamed: OperatorOverrides,
    /// They themselves, by their other names.
    pub(super) definitions: DefinitionMap,
    /// The other names, each after those that it depends on.
    pub(super) order: Vec<Arc<str>>,
}

impl Constants {
    /// Finds them.
    pub(super) fn of(modules: &Modules) -> Self {
        let candidates = Candidates::of(modules);
        let mut chosen = Vec::new();
        let mut known = BTreeSet::new();
        for name in candidates.by_name.keys() {
            candidates.choose(name, &mut known, &mut chosen);
        }
        // They are parsed in a module that has nothing else, where nothing is copied into them.
        let mut text = "---- MODULE CadreConstants ----\n".to_owned();
        for (_, definition) in &chosen {
            let _ = writeln!(text, "{} ==\n{}", other_name(definition), definition.whole.text);
        }
        text.push_str("====\n");
        let Ok(parsed) = parse(&text) else { return Self::default() };
        let mut constants = Self::default();
        for (module, definition) in chosen {
            let other: Arc<str> = other_name(definition).into();
            let Some(found) = parsed.definitions.get(&other) else { continue };
            if parsed.unparsed_definition(&other).is_some() {
                continue;
            }
            constants.definitions.insert(other.clone(), found.clone());
            constants.order.push(other.clone());
            let home = Some(module.name.as_str().into());
            let renamed = Override { target: other, home };
            constants.renamed.insert(definition.name.as_str().into(), renamed);
        }
        constants
    }
}

fn other_name(definition: &Definition) -> String {
    format!("CadreOnce{}", definition.name)
}

/// What depends on more than constants, or on what was done before.
const CHANGING: [&str; 9] = [
    "TLCGet",
    "TLCSet",
    "JavaTime",
    "SystemTime",
    "RandomElement",
    "Any",
    "ENABLED",
    "UNCHANGED",
    "INSTANCE",
];

/// Words of sets that are asked what they contain, and are too large to be listed for that.
const LARGE: [&str; 4] = ["SUBSET", "Seq", "STRING", "Permutations"];

struct Candidates<'a> {
    by_name: BTreeMap<&'a str, (&'a Module, &'a Definition)>,
    excluded: BTreeSet<&'a str>,
}

impl<'a> Candidates<'a> {
    fn of(modules: &'a Modules) -> Self {
        let mut excluded: BTreeSet<&str> = CHANGING.into_iter().chain(LARGE).collect();
        excluded.extend([PRINT.1, PRINT_T.1]);
        let mut by_name = BTreeMap::new();
        let extended = &modules.extended;
        let instantiated: BTreeSet<&String> =
            extended.iter().flat_map(|module| &module.instantiated).collect();
        for module in extended {
            excluded.extend(module.variables.iter().map(String::as_str));
            for definition in module.definitions.iter() {
                let name = definition.name.as_str();
                // What is there twice, or in an instance, may mean several things.
                let again = by_name.insert(name, (module, definition)).is_some();
                if again || instantiated.contains(&module.name) {
                    excluded.insert(name);
                }
            }
        }
        Self { by_name, excluded }
    }

    /// Whether the value of an operator is always the same for the same arguments.
    fn is_constant(&self, name: &'a str, visited: &mut BTreeSet<&'a str>) -> bool {
        if self.excluded.contains(name) {
            return false;
        }
        let Some((_, definition)) = self.by_name.get(name).filter(|_| visited.insert(name)) else {
            return true;
        };
        let whole = &definition.whole;
        !whole.has_prime
            && !has_large_set(&whole.line_text)
            && whole.words.iter().all(|word| self.is_constant(word, visited))
    }

    fn choose(
        &self,
        name: &'a str,
        known: &mut BTreeSet<&'a str>,
        chosen: &mut Vec<(&'a Module, &'a Definition)>,
    ) {
        let Some((module, definition)) = self.by_name.get(name).filter(|_| known.insert(name))
        else {
            return;
        };
        for word in &definition.whole.words {
            self.choose(word, known, chosen);
        }
        let is_value = definition.parameters.is_empty();
        if is_value && self.is_constant(name, &mut BTreeSet::new()) {
            chosen.push((module, definition));
        }
    }
}

/// Whether a text has a symbol of a large set, that of functions or of tuples.
fn has_large_set(text: &str) -> bool {
    let functions = text.match_indices("->").any(|(at, _)| !text[..at].ends_with('|'));
    functions || text.contains("\\X") || text.contains("\\times")
}
