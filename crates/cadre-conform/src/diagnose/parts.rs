//! Formulas taken apart, so that TLC says which part of one is false.

use std::collections::BTreeSet;

use cadre_tla::Module;
use cadre_tla::syntax::{Definition, Definitions, Excerpt, Formula, Parameter};

/// A part of a formula that is not taken apart any further.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) excerpt: Excerpt,
    /// The operator in whose definition it stands.
    pub(super) operator: String,
    /// The place in each conjunction around it. Where several alternatives fail, the one that gets
    /// farthest is the one that was meant.
    pub(super) path: Vec<usize>,
    /// The names whose values TLC prints: parameters and bound names.
    pub(super) names: Vec<String>,
    /// The sides of a comparison whose values TLC prints.
    pub(super) sides: Vec<String>,
    /// The variables that it mentions beside those sides.
    pub(super) variables: BTreeSet<String>,
}

/// Writes formulas as operators of a module that say what is false.
pub(super) struct Parts<'a> {
    definitions: &'a Definitions,
    variables: &'a [String],
    pub(super) module: Module,
    pub(super) leaves: Vec<Leaf>,
    count: usize,
    /// The operators that are being written, which are not taken apart within themselves.
    open: Vec<String>,
}

/// What names mean at some place of a formula.
#[derive(Clone, Debug, Default)]
struct Scope {
    operator: String,
    parameters: Vec<Parameter>,
    locals: Vec<Excerpt>,
    /// Whether a parameter stands for something of the next state.
    has_prime: bool,
    path: Vec<usize>,
}

/// How many operators a formula may become; what is larger is not taken apart to the end.
const PARTS_MAX: usize = 5_000;

impl<'a> Parts<'a> {
    pub(super) fn new(
        definitions: &'a Definitions,
        variables: &'a [String],
        module: Module,
    ) -> Self {
        let (leaves, open) = (Vec::new(), Vec::new());
        Self { definitions, variables, module, leaves, count: 0, open }
    }

    /// Writes an operator, and gives the name of one with the same parameters that is as true, and
    /// prints what is false in it.
    pub(super) fn add(&mut self, name: &str) -> Option<String> {
        let definition = self.definitions.get(name)?;
        Some(self.operator(definition, Vec::new(), false))
    }

    fn operator(&mut self, definition: &Definition, path: Vec<usize>, has_prime: bool) -> String {
        let scope = Scope {
            operator: definition.name.clone(),
            parameters: definition.parameters.clone(),
            locals: Vec::new(),
            has_prime,
            path,
        };
        self.open.push(definition.name.clone());
        let name = self.part(&scope, &definition.body);
        self.open.pop();
        name
    }

    fn part(&mut self, scope: &Scope, formula: &Formula) -> String {
        match formula {
            Formula::All(parts) => {
                let inner =
                    |index| Scope { path: [&scope.path[..], &[index]].concat(), ..scope.clone() };
                let parts = parts.iter().enumerate();
                let calls: Vec<String> =
                    parts.map(|(index, part)| self.call(&inner(index), part)).collect();
                self.define("Part", scope, &calls.join(" /\\ "))
            }
            Formula::Any(parts) => {
                let calls: Vec<String> = parts.iter().map(|part| self.call(scope, part)).collect();
                self.define("Part", scope, &calls.join(" \\/ "))
            }
            Formula::Quantified { head, names, body } => {
                let mut inner = scope.clone();
                let bound = names.iter().map(|name| Parameter { name: name.clone(), arity: 0 });
                inner.parameters.extend(bound);
                let call = self.call(&inner, body);
                self.define("Part", scope, &format!("{}\n  {call}", head.text))
            }
            Formula::Choice { condition, branches } => {
                let condition = self.define("Condition", scope, &condition.text);
                let [one, another] = [0, 1].map(|branch| self.call(scope, &branches[branch]));
                let condition = applied(&condition, &scope.parameters);
                let text = format!("  IF {condition} THEN {one} ELSE {another}");
                self.define("Part", scope, &text)
            }
            Formula::Local { definitions, body } => {
                let mut inner = scope.clone();
                inner.locals.push(definitions.clone());
                self.part(&inner, body)
            }
            Formula::Applied { name, arguments, whole } => {
                let definition = self.definitions.get(name).filter(|definition| {
                    definition.parameters.len() == arguments.len()
                        && !self.open.contains(name)
                        && self.count < PARTS_MAX
                });
                let Some(definition) = definition else { return self.leaf(scope, whole) };
                let has_prime = arguments.iter().any(|argument| self.has_prime(scope, argument));
                let inner = self.operator(definition, scope.path.clone(), has_prime);
                if arguments.is_empty() {
                    return self.define("Part", scope, &inner);
                }
                let arguments: Vec<&str> =
                    arguments.iter().map(|argument| argument.text.as_str()).collect();
                self.define("Part", scope, &format!("{inner}(\n{})", arguments.join(",\n")))
            }
            Formula::Other(excerpt) => self.leaf(scope, excerpt),
        }
    }

    fn call(&mut self, scope: &Scope, formula: &Formula) -> String {
        let name = self.part(scope, formula);
        applied(&name, &scope.parameters)
    }

    fn leaf(&mut self, scope: &Scope, excerpt: &Excerpt) -> String {
        let truth = self.define("Leaf", scope, &excerpt.text);
        let names = scope
            .parameters
            .iter()
            .filter(|parameter| parameter.arity == 0 && excerpt.words.contains(&parameter.name));
        let names: Vec<String> = names.map(|parameter| parameter.name.clone()).collect();
        let number = self.leaves.len();
        let truth = applied(&truth, &scope.parameters);
        let told = names.join(", ");
        let mut text = format!(
            "  \\/ /\\ PrintT(<<\"TRY\", cadreCase, {number}>>)\n     /\\ {truth}\n  \
             \\/ /\\ PrintT(<<\"NO\", cadreCase, {number}, <<{told}>>>>)\n"
        );
        let mut sides = Vec::new();
        let mut variables = self.variables_of(excerpt);
        if let Some((symbol, [left, right])) = excerpt.comparison.as_deref() {
            // A set on the right may be one that nobody can list.
            let is_listed = ["=", "#", "/="].contains(&symbol.as_str());
            for side in [Some(left), Some(right).filter(|_| is_listed)].into_iter().flatten() {
                if !self.tells(scope, side) {
                    continue;
                }
                let value = self.define("Side", scope, &side.text);
                let value = applied(&value, &scope.parameters);
                let place = sides.len();
                text += &format!(
                    "     /\\ PrintT(<<\"SIDE\", cadreCase, {number}, {place}, {value}>>)\n"
                );
                sides.push(side.line_text.clone());
            }
            let bare = [left, right].into_iter().filter(|side| !sides.contains(&side.line_text));
            variables = bare.flat_map(|side| self.variables_of(side)).collect();
        }
        text += "     /\\ FALSE";
        if self.has_prime(scope, excerpt) {
            let passed = format!("PrintT(<<\"PASS\", cadreCase, {number}>>)");
            text = format!("  IF ~CadreIsTaken THEN {passed} ELSE\n{text}");
        }
        self.leaves.push(Leaf {
            excerpt: excerpt.clone(),
            operator: scope.operator.clone(),
            path: scope.path.clone(),
            names,
            sides,
            variables,
        });
        self.define("Part", scope, &text)
    }

    /// Whether the value of one side of a comparison says more than its text.
    fn tells(&self, scope: &Scope, side: &Excerpt) -> bool {
        let text = side.line_text.trim_end_matches('\'');
        let is_name = self.variables.iter().any(|variable| variable == text)
            || scope.parameters.iter().any(|parameter| parameter.name == text);
        let is_literal = |word: &String| {
            word.bytes().all(|byte| byte.is_ascii_digit())
                || ["TRUE", "FALSE"].contains(&word.as_str())
        };
        !is_name && !side.words.iter().all(is_literal)
    }

    fn variables_of(&self, excerpt: &Excerpt) -> BTreeSet<String> {
        let words = self.definitions.reach(excerpt.words.iter().map(String::as_str));
        self.variables.iter().filter(|variable| words.contains(*variable)).cloned().collect()
    }

    fn has_prime(&self, scope: &Scope, excerpt: &Excerpt) -> bool {
        let is_parameter = |word: &String| scope.parameters.iter().any(|known| known.name == *word);
        excerpt.has_prime
            || self.definitions.reach_next(excerpt.words.iter().map(String::as_str))
            || (scope.has_prime && excerpt.words.iter().any(is_parameter))
            || scope.locals.iter().any(|local| {
                local.has_prime && local.words.intersection(&excerpt.words).next().is_some()
            })
    }

    /// Defines an operator with the parameters of a scope, and gives its name.
    fn define(&mut self, kind: &str, scope: &Scope, text: &str) -> String {
        self.count += 1;
        let name = format!("Cadre{kind}{}", self.count);
        let parameters = scope.parameters.iter().map(|parameter| match parameter.arity {
            0 => parameter.name.clone(),
            arity => format!("{}({})", parameter.name, vec!["_"; arity].join(", ")),
        });
        let parameters: Vec<String> = parameters.collect();
        let signature = match parameters.is_empty() {
            true => name.clone(),
            false => format!("{name}({})", parameters.join(", ")),
        };
        let locals: Vec<String> =
            scope.locals.iter().map(|local| format!("\nLET\n{}\nIN", local.text)).collect();
        let module = std::mem::replace(&mut self.module, Module::new(""));
        self.module = module.definition(&signature, &format!("{}\n{text}", locals.concat()));
        name
    }
}

/// An operator with parameters for its arguments.
fn applied(name: &str, parameters: &[Parameter]) -> String {
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    if names.is_empty() { name.to_owned() } else { format!("{name}({})", names.join(", ")) }
}
