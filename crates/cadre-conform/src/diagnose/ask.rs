//! The module that lets TLC say what is false in a state, and its answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cadre_tla::syntax::Definitions;
use cadre_tla::{Config, EvaluationError, Module, TlaError, Value};

use super::State;
use super::parts::{Leaf, Parts};
use crate::encode::{constants, text};
use crate::report::FalsePart;
use crate::runs::Runs;
use crate::{ConformError, SpecAction};

const MODULE: &str = "CadreDiagnosis";

/// What is looked at, and in which states.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) subject: Subject,
    pub(super) before: State,
    /// The next state, if there is one.
    pub(super) after: Option<State>,
}

impl Case {
    /// Without a next state that TLC cannot read, as a logged one may be; `None` if the state
    /// itself is such a one.
    pub(super) fn writable(mut self) -> Option<Self> {
        let is_writable = |state: &State| state.values().all(|value| value.to_text().is_ok());
        self.after = self.after.filter(is_writable);
        is_writable(&self.before).then_some(self)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// An event of the trace module.
    Event(Value),
    Stutter,
    Initial,
    Invariant(String),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Whether the whole is true.
    pub(super) holds: bool,
    pub(super) false_parts: Vec<FalsePart>,
    pub(super) enabled: Vec<String>,
}

/// How many evaluation errors an answer may cost, each of them a run.
const ERRORS_MAX: usize = 12;

/// Asks TLC about all cases, in one run unless something cannot be evaluated.
pub(super) fn ask(
    cases: &[Case],
    definitions: &Definitions,
    runs: &mut Runs<'_>,
) -> Result<BTreeMap<usize, Answer>, ConformError> {
    let mut question = Question {
        cases,
        definitions,
        open: (0..cases.len()).collect(),
        judged: BTreeSet::new(),
        is_taken_apart: true,
        not_listed: BTreeSet::new(),
    };
    let mut answers: BTreeMap<usize, Answer> = BTreeMap::new();
    for _ in 0..=ERRORS_MAX {
        let (module, config, leaves) = question.encode(runs)?;
        let run = runs.prepare_alone(&module, &config)?;
        let (values, error) = match runs.run(&run) {
            Ok(outcome) => (outcome.user_lines, None),
            Err(ConformError::Tla(TlaError::Evaluation(error))) => {
                (error.user_lines.clone(), Some(error))
            }
            // A name of the specification that means something else here, for instance.
            Err(ConformError::Tla(TlaError::Parse { .. })) if question.is_taken_apart => {
                question.is_taken_apart = false;
                continue;
            }
            Err(stopped @ ConformError::Tla(TlaError::Stopped)) => return Err(stopped),
            // The verdicts are known, and worth more than why they are.
            Err(ConformError::Tla(_)) => break,
            Err(other) => return Err(other),
        };
        let mut told = Told::read(&values);
        let judged = question.judged.clone();
        let is_over = error.is_none_or(|error| question.blame(&mut told, &error));
        for (case, lines) in &told.cases {
            let answer = answers.entry(*case).or_default();
            if !judged.contains(case) {
                answer.false_parts = lines.false_parts(&cases[*case], &leaves);
            }
            answer.holds = lines.holds;
            answer.enabled.clone_from(&lines.enabled);
            question.open.retain(|open| open != case || !lines.is_done);
        }
        if is_over || question.open.is_empty() {
            break;
        }
    }
    Ok(answers)
}

struct Question<'a> {
    cases: &'a [Case],
    definitions: &'a Definitions,
    /// The cases without an answer.
    open: Vec<usize>,
    /// Those of them in which it is known that a part cannot be evaluated.
    judged: BTreeSet<usize>,
    is_taken_apart: bool,
    /// The actions whose arguments cannot be enumerated.
    not_listed: BTreeSet<String>,
}

impl Question<'_> {
    fn encode(&self, runs: &Runs<'_>) -> Result<(Module, Config, Vec<Leaf>), ConformError> {
        let spec = runs.spec;
        let open = || self.open.iter().map(|case| &self.cases[*case]);
        let mut models = BTreeSet::new();
        for case in open() {
            let states = [Some(&case.before), case.after.as_ref()].into_iter().flatten();
            states.flat_map(BTreeMap::values).for_each(|value| value.collect_models(&mut models));
            if let Subject::Event(event) = &case.subject {
                event.collect_models(&mut models);
            }
        }
        let module = Module::new(MODULE).extends([spec.trace_module.as_str()]);
        let (module, config) = constants(module, &spec.constants, models)?;
        let mut module = module.variables(["cadreCase"]);
        let mut init = String::new();
        for (row, case) in self.open.iter().zip(open()) {
            let _ = write!(init, "\n  \\/ /\\ cadreCase = {row}");
            for (variable, value) in &case.before {
                let _ = write!(init, "\n     /\\ {variable} = {}", text(value)?);
            }
        }
        module = module.definition("CadreInit", &init);
        let taken = open().map(|case| case.after.is_some().to_string().to_uppercase());
        module = module
            .definition("CadreTakens", &self.by_case(taken))
            .definition("CadreIsTaken", "CadreTakens[cadreCase]");
        let events = open().map(|case| match &case.subject {
            Subject::Event(event) => text(event),
            Subject::Stutter | Subject::Initial | Subject::Invariant(_) => Ok("0".to_owned()),
        });
        let events = events.collect::<Result<Vec<_>, _>>()?;
        module = module.definition("CadreEvents", &self.by_case(events));
        let mut next = "\n  /\\ cadreCase' = cadreCase".to_owned();
        for variable in &spec.variables {
            let values = open()
                .map(|case| case.after.as_ref().and_then(|after| after.get(variable)).map(text));
            let values = values.map(|value| value.unwrap_or_else(|| Ok(variable.clone())));
            // A value that is not known stays what it was, which nothing is made of.
            let values = values.collect::<Result<Vec<_>, _>>()?;
            module = module.definition(&format!("CadreAfter_{variable}"), &self.by_case(values));
            let _ = write!(next, "\n  /\\ {variable}' = CadreAfter_{variable}[cadreCase]");
        }
        let (module, judge, leaves) = self.judge(module, &spec.variables);
        let _ = write!(next, "\n  /\\ IF {judge} THEN {HOLDS} ELSE TRUE{ENABLED}");
        let not_listed = self.not_listed.iter().map(|name| format!("\"{name}\""));
        let not_listed = not_listed.collect::<Vec<_>>().join(", ");
        let module = module
            .definition("CadreNames", &format!("(DOMAIN TraceArguments) \\ {{{not_listed}}}"))
            .definition("CadreEnabled(cadreName)", LISTED)
            .definition("CadreNext", &next);
        Ok((module, config.init_next("CadreInit", "CadreNext"), leaves))
    }

    /// The formula that prints what is false in each case.
    fn judge(&self, module: Module, variables: &[String]) -> (Module, String, Vec<Leaf>) {
        let mut parts = Parts::new(self.definitions, variables, module);
        let mut judge = String::new();
        if self.is_taken_apart {
            let mut known: BTreeMap<&str, Option<String>> = BTreeMap::new();
            for row in &self.open {
                let (name, argument) = match &self.cases[*row].subject {
                    Subject::Event(_) => ("TraceEvent", "(CadreEvents[cadreCase])"),
                    Subject::Initial => ("TraceInit", ""),
                    Subject::Invariant(name) => (name.as_str(), ""),
                    Subject::Stutter => continue,
                };
                if self.judged.contains(row) {
                    continue;
                }
                let operator = known.entry(name).or_insert_with(|| parts.add(name));
                if let Some(operator) = operator {
                    let _ = write!(judge, "IF cadreCase = {row} THEN {operator}{argument} ELSE ");
                }
            }
        }
        judge.push_str("TRUE");
        (parts.module, judge, parts.leaves)
    }

    /// A function from the number of each case.
    fn by_case(&self, values: impl IntoIterator<Item = String>) -> String {
        let entries =
            self.open.iter().zip(values).map(|(row, value)| format!("{row} :> ({value})"));
        entries.collect::<Vec<_>>().join(" @@ ")
    }

    /// Leaves out what could not be evaluated; says whether nothing can be left out.
    fn blame(&mut self, told: &mut Told, error: &EvaluationError) -> bool {
        match told.last.clone() {
            Last::Part(case) => {
                if let Some(lines) = told.cases.get_mut(&case) {
                    lines.error = Some(error.message.clone());
                }
                !self.judged.insert(case)
            }
            Last::Listing(name) => !self.not_listed.insert(name),
            Last::None => true,
        }
    }
}

const HOLDS: &str = "PrintT(<<\"HOLDS\", cadreCase>>)";

const LISTED: &str = "
  {cadreArguments \\in TraceArguments[cadreName] :
     ENABLED TraceEvent([name |-> cadreName, args |-> cadreArguments])}";

const ENABLED: &str = "
  /\\ \\A cadreName \\in CadreNames :
       /\\ PrintT(<<\"ASK\", cadreCase, cadreName>>)
       /\\ PrintT(<<\"ENABLED\", cadreCase, cadreName, CadreEnabled(cadreName)>>)
  /\\ PrintT(<<\"DONE\", cadreCase>>)
  /\\ FALSE";

/// What TLC has printed.
#[derive(Debug)]
struct Told {
    cases: BTreeMap<usize, Lines>,
    last: Last,
}

/// What was being done when the last line was printed.
#[derive(Clone, Debug)]
enum Last {
    None,
    Part(usize),
    Listing(String),
}

#[derive(Debug, Default)]
struct Lines {
    /// The part that was tried last.
    tried: usize,
    /// The parts that are false, with the values of their names.
    false_leaves: Vec<(usize, Vec<Value>)>,
    /// The parts about the next state that were passed over, because it is not known.
    passed: Vec<usize>,
    /// The values of the sides of those parts, by the position there.
    sides: BTreeMap<(usize, usize), Value>,
    holds: bool,
    enabled: Vec<String>,
    is_done: bool,
    error: Option<String>,
}

impl Told {
    fn read(lines: &[String]) -> Self {
        let mut told = Self { cases: BTreeMap::new(), last: Last::None };
        for line in lines {
            // A value without an end, such as a set of all numbers, cannot be read back.
            let Ok(Value::Sequence(parts)) = Value::parse(line) else { continue };
            told.add(&parts);
        }
        told
    }

    fn add(&mut self, parts: &[Value]) -> Option<()> {
        let [Value::String(word), Value::Int(case), rest @ ..] = parts else { return None };
        let case = usize::try_from(*case).ok()?;
        let lines = self.cases.entry(case).or_default();
        let index = |value: &Value| match value {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        match (word.as_str(), rest) {
            ("TRY", [leaf]) => {
                lines.tried = index(leaf)?;
                self.last = Last::Part(case);
            }
            ("NO", [leaf, Value::Sequence(names)]) => {
                lines.false_leaves.push((index(leaf)?, names.clone()));
            }
            ("PASS", [leaf]) => lines.passed.push(index(leaf)?),
            ("SIDE", [_, place, value]) => {
                let position = lines.false_leaves.len().checked_sub(1)?;
                lines.sides.insert((position, index(place)?), value.clone());
            }
            ("HOLDS", []) => lines.holds = true,
            ("ASK", [Value::String(name)]) => self.last = Last::Listing(name.clone()),
            ("ENABLED", [Value::String(name), Value::Set(arguments)]) => {
                lines.enabled.extend(arguments.iter().map(|found| enabled(name, found)));
            }
            ("DONE", []) => {
                lines.enabled.sort();
                lines.is_done = true;
                self.last = Last::None;
            }
            _ => return None,
        }
        Some(())
    }
}

fn enabled(name: &str, arguments: &Value) -> String {
    let arguments = match arguments {
        Value::Record(fields) => fields.clone(),
        _ => BTreeMap::new(),
    };
    SpecAction::Step { name: name.to_owned(), arguments }.to_string()
}

impl Lines {
    fn false_parts(&self, case: &Case, leaves: &[Leaf]) -> Vec<FalsePart> {
        if let (Some(error), Some(leaf)) = (&self.error, leaves.get(self.tried))
            && self.false_leaves.last().is_none_or(|(last, _)| *last != self.tried)
        {
            let mut part = part(leaf, case, &[], Vec::new());
            part.error = Some(error.clone());
            return vec![part];
        }
        let reached = self.false_leaves.iter().map(|(leaf, _)| leaf).chain(&self.passed);
        let Some(farthest) = reached.filter_map(|leaf| Some(&leaves.get(*leaf)?.path)).max() else {
            return Vec::new();
        };
        let mut known = BTreeSet::new();
        let mut false_parts = Vec::new();
        for (position, (number, names)) in self.false_leaves.iter().enumerate() {
            let Some(leaf) = leaves.get(*number).filter(|leaf| leaf.path == *farthest) else {
                continue;
            };
            // Of a part that is false for several values of a bound name, one is enough.
            if known.insert(*number) {
                let sides = (0..leaf.sides.len()).map(|place| self.sides.get(&(position, place)));
                false_parts.push(part(leaf, case, names, sides.collect()));
            }
        }
        false_parts
    }
}

/// A part with the values of what it mentions.
fn part(leaf: &Leaf, case: &Case, names: &[Value], sides: Vec<Option<&Value>>) -> FalsePart {
    let mut values: Vec<(String, Value)> =
        leaf.names.iter().cloned().zip(names.iter().cloned()).collect();
    let sides = leaf.sides.iter().zip(sides);
    values.extend(sides.filter_map(|(text, value)| Some((text.clone(), value?.clone()))));
    let text = &leaf.excerpt.line_text;
    for variable in &leaf.variables {
        let before = case.before.get(variable);
        let after = case.after.as_ref().and_then(|after| after.get(variable));
        let primed = format!("{variable}'");
        let is_primed = leaf.excerpt.has_prime;
        let is_frame = leaf.excerpt.words.contains("UNCHANGED");
        if is_frame && after.is_none_or(|after| Some(after) == before) {
            continue;
        }
        let is_bare =
            !is_primed || is_frame || text.replace(&primed, "").contains(variable.as_str());
        values.extend(before.filter(|_| is_bare).map(|value| (variable.clone(), value.clone())));
        let is_next = is_primed && (is_frame || text.contains(&primed));
        values.extend(after.filter(|_| is_next).map(|value| (primed, value.clone())));
    }
    FalsePart {
        text: text.clone(),
        operator: leaf.operator.clone(),
        place: Some((leaf.excerpt.file.clone(), leaf.excerpt.line)),
        values,
        error: None,
    }
}
