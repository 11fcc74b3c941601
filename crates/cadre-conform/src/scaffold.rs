use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cadre_tla::{Contents, Expression, Head, Level};

use crate::ConformError;

/// A trace module for a specification: see [`Spec`](crate::Spec) for what it defines.
#[derive(Clone, Debug)]
pub struct Scaffold {
    /// Its name, `Trace` and the name of the specification.
    pub module: String,
    /// Its text.
    pub text: String,
    /// The actions that traces may name.
    pub actions: Vec<String>,
    /// The lines of `Next`, with their modules, whose steps have no name of their own, so that
    /// traces cannot name them.
    pub unnamed: Vec<(String, usize)>,
}

/// Writes a trace module by what `Next` is made of: each action that is called there, with the sets
/// from which its arguments are.
///
/// `files` are the modules: file name and text.
///
/// # Errors
///
/// [`ConformError::NoStates`] where the module does not define `Init` and `Next`.
pub fn scaffold(contents: &Contents, files: &[(String, String)]) -> Result<Scaffold, ConformError> {
    let lacks =
        |lacks: &'static str| ConformError::NoStates { module: contents.module.clone(), lacks };
    contents.definition("Init").ok_or_else(|| lacks("Init"))?;
    let next = contents.definition("Next").ok_or_else(|| lacks("Next"))?;
    let reader = Reader { contents, files };
    let mut found = Found::default();
    reader.walk(&next.body, &mut Vec::new(), &mut found);
    let mut actions: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in &found.calls {
        actions.entry(&call.action).or_default().push(call);
    }
    let module = format!("Trace{}", contents.module);
    let text = text(contents, &module, &actions);
    let actions = actions.keys().map(|name| (*name).to_owned()).collect();
    Ok(Scaffold { module, text, actions, unnamed: found.unnamed })
}

/// What `Next` is made of.
#[derive(Default)]
struct Found {
    calls: Vec<Call>,
    unnamed: Vec<(String, usize)>,
}

/// An action as it is called.
struct Call {
    action: String,
    /// Its arguments, in the order of its parameters.
    arguments: Vec<Argument>,
    /// The variables that are bound around it, the outermost first, and the sets they are from.
    bound: Vec<(String, String)>,
}

struct Argument {
    /// The parameter.
    name: String,
    /// What stands there for it.
    text: String,
}

struct Reader<'a> {
    contents: &'a Contents,
    files: &'a [(String, String)],
}

/// A variable that is bound further out, and the set it is from.
type Bound = (String, Option<String>);

impl Reader<'_> {
    fn walk(&self, expression: &Expression, bound: &mut Vec<Bound>, found: &mut Found) {
        match &expression.head {
            Head::Builtin(name) if name == "\\lor" || name == "$DisjList" => {
                expression.operands.iter().for_each(|operand| self.walk(operand, bound, found));
            }
            Head::Builtin(name) if name == "$BoundedExists" => {
                let outer = bound.len();
                for (names, set) in &expression.bounds {
                    let set = set.as_ref().map(|set| self.text(set));
                    bound.extend(names.iter().map(|name| (name.clone(), set.clone())));
                }
                expression.operands.iter().for_each(|operand| self.walk(operand, bound, found));
                bound.truncate(outer);
            }
            Head::Defined(name) => self.call(name, expression, bound, found),
            _ => self.unnamed(expression, found),
        }
    }

    fn call(&self, name: &str, call: &Expression, bound: &mut Vec<Bound>, found: &mut Found) {
        let definition = self.contents.definition(name).filter(|d| d.level == Level::Action);
        let Some(definition) = definition else { return self.unnamed(call, found) };
        // A definition that only groups actions is none itself.
        if definition.parameters.is_empty() {
            let mut inner = Found::default();
            if !matches!(definition.body.head, Head::Defined(_)) {
                self.walk(&definition.body, bound, &mut inner);
            }
            if inner.unnamed.is_empty() && !inner.calls.is_empty() {
                found.calls.extend(inner.calls);
                return;
            }
        }
        let arguments = definition.parameters.iter().zip(&call.operands);
        let arguments: Vec<Argument> = arguments
            .map(|(name, operand)| Argument { name: name.clone(), text: self.text(operand) })
            .collect();
        let sets = bound.iter().map(|(name, set)| Some((name.clone(), set.clone()?)));
        match sets.collect::<Option<Vec<_>>>() {
            // An operator has no text, and is no value; one name for two variables would be read
            // otherwise where both are bound in one place.
            Some(bound) if arguments.iter().all(|a| !a.text.is_empty()) && differ(&bound) => {
                found.calls.push(Call { action: name.to_owned(), arguments, bound });
            }
            Some(_) | None => self.unnamed(call, found),
        }
    }

    fn unnamed(&self, expression: &Expression, found: &mut Found) {
        found.unnamed.push((expression.place.module.clone(), expression.place.begin.0));
    }

    /// What stands there in the module, to stand anywhere in another.
    fn text(&self, expression: &Expression) -> String {
        let file = format!("{}.tla", expression.place.module);
        let text = self.files.iter().find(|(name, _)| *name == file);
        text.map(|(_, text)| expression.place.lines(text)).unwrap_or_default()
    }
}

/// Whether no two variables have one name.
fn differ(bound: &[(String, String)]) -> bool {
    bound.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() == bound.len()
}

/// Whether a name stands in a text as a word of its own.
fn word_in(name: &str, text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c| !is_part(c)).any(|word| word == name)
}

fn text(contents: &Contents, module: &str, actions: &BTreeMap<&str, Vec<&Call>>) -> String {
    let event = event_name(contents);
    let mut text = title(module);
    text.push_str(&table(contents, actions));
    let width = actions.keys().map(|name| name.len()).max().unwrap_or_default();
    let _ = write!(text, "EXTENDS {}\n\n", contents.module);
    if actions.values().flatten().any(|call| call.is_plain()) {
        text.push_str("NoArguments == {<<>>}\n\n");
    }
    text.push_str(
        "\\* The actions a trace may name, each with the set of its argument records.\n\
         \\* Any other name, and any argument outside its set, is no step.\nTraceArguments ==\n",
    );
    for (index, (name, calls)) in actions.iter().enumerate() {
        let begin = if index == 0 { "    [" } else { ",\n     " };
        let _ = write!(text, "{begin}{name:width$} |-> {}", sets(calls));
    }
    // A record has at least one field.
    text.push_str(if actions.is_empty() { "    [none \\in {} |-> {}]\n\n" } else { "]\n\n" });
    for (name, calls) in actions {
        let arguments = calls.iter().take(1).flat_map(|call| &call.arguments);
        let arguments = arguments.map(|argument| format!("{event}.args.{}", argument.name));
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let call =
            if arguments.is_empty() { name.to_string() } else { format!("{name}({arguments})") };
        let _ = writeln!(text, "Is{name}({event}) == {event}.name = \"{name}\" /\\ {call}");
    }
    let _ = write!(
        text,
        "\nTraceInit == Init\n\nTraceEvent({event}) ==\n    \
         /\\ {event}.name \\in DOMAIN TraceArguments\n    \
         /\\ {event}.args \\in TraceArguments[{event}.name]\n"
    );
    for (index, name) in actions.keys().enumerate() {
        let begin = if index == 0 { "    /\\ \\/ " } else { "       \\/ " };
        let _ = writeln!(text, "{begin}Is{name}({event})");
    }
    if actions.is_empty() {
        text.push_str("    /\\ FALSE\n");
    }
    let _ = write!(text, "\n{}\n", "=".repeat(77));
    text
}

/// A name for an event that means nothing else in the specification.
fn event_name(contents: &Contents) -> &'static str {
    let declared = contents.constants.iter().chain(&contents.variables).map(|found| &found.name);
    let defined = contents.definitions.iter().map(|found| &found.name);
    let names: BTreeSet<&str> = declared.chain(defined).map(String::as_str).collect();
    let free = ["e", "event", "traceEvent"].into_iter().find(|name| !names.contains(name));
    free.unwrap_or("cadreEvent")
}

fn title(module: &str) -> String {
    let dashes = 77_usize.saturating_sub(module.len() + 9).max(8);
    let (left, right) = ("-".repeat(dashes / 2), "-".repeat(dashes - dashes / 2));
    format!("{left} MODULE {module} {right}\n")
}

/// The comment that says what is what, to be filled in by whoever knows.
fn table(contents: &Contents, actions: &BTreeMap<&str, Vec<&Call>>) -> String {
    let mut lines = vec![
        format!("Which steps of a recorded trace are steps of {}.", contents.module),
        String::new(),
        format!("{:<24} {}", " trace event", "in the program"),
        format!("{:<24} {}", " -----------------------", "--------------"),
    ];
    for (name, calls) in actions {
        let mut event = format!(" {name}");
        for argument in calls.iter().flat_map(|call| &call.arguments) {
            let word = format!(" {}", argument.name);
            if !event.contains(&word) {
                event.push_str(&word);
            }
        }
        lines.push(format!("{event:<24} ?"));
    }
    lines.push(String::new());
    lines.push(format!("{:<24} {}", " spec variable", "in the program"));
    lines.push(format!("{:<24} {}", " -----------------------", "--------------"));
    lines.extend(contents.variables.iter().map(|v| format!("{:<24} ?", format!(" {}", v.name))));
    lines.push(String::new());
    lines.push("An event is [name |-> action, args |-> record of its arguments].".to_owned());
    let border = format!("({})\n", "*".repeat(75));
    let lines = lines.iter().map(|line| format!("(* {line:<71} *)\n"));
    format!("{border}{}{border}", lines.collect::<String>())
}

/// The set of argument records of all calls of an action.
fn sets(calls: &[&Call]) -> String {
    let mut sets: Vec<String> = Vec::new();
    for call in calls {
        let set = call.records();
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets.join(" \\cup ")
}

impl Call {
    /// Whether there is nothing to be chosen.
    fn is_plain(&self) -> bool {
        self.arguments.is_empty() && self.bound.is_empty()
    }

    /// The set of its argument records.
    fn records(&self) -> String {
        if self.is_plain() {
            return "NoArguments".to_owned();
        }
        if self.is_product() {
            let set = |text: &str| {
                let variable = self.bound.iter().find(|(variable, _)| variable == text);
                variable.map_or_else(|| format!("{{{text}}}"), |(_, set)| set.clone())
            };
            let fields = self.arguments.iter().map(|a| format!("{} : {}", a.name, set(&a.text)));
            return format!("[{}]", fields.collect::<Vec<_>>().join(", "));
        }
        // The records one by one, each with the variables as they are bound around the call.
        let fields = self.arguments.iter().map(|a| format!("{} |-> {}", a.name, a.text));
        let record = match self.arguments.is_empty() {
            true => "<<>>".to_owned(),
            false => format!("[{}]", fields.collect::<Vec<_>>().join(", ")),
        };
        let mut bound = self.bound.iter().rev();
        let innermost = bound.next().map(|(name, set)| format!("{{{record} : {name} \\in {set}}}"));
        let innermost = innermost.unwrap_or_else(|| format!("{{{record}}}"));
        bound.fold(innermost, |inner, (name, set)| format!("UNION {{{inner} : {name} \\in {set}}}"))
    }

    /// Whether its arguments do not depend on each other: each variable is one of them and nothing
    /// else, and none is left out, as that one's set may be empty.
    fn is_product(&self) -> bool {
        self.bound.iter().all(|(variable, _)| {
            let is_it = |argument: &&Argument| argument.text == *variable;
            let texts = self.arguments.iter().filter(|a| a.text != *variable).map(|a| &a.text);
            let mut texts = texts.chain(self.bound.iter().map(|(_, set)| set));
            self.arguments.iter().filter(is_it).count() == 1
                && !texts.any(|text| word_in(variable, text))
        })
    }
}
