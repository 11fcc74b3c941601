use std::collections::BTreeMap;
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
}

#[derive(Clone, PartialEq, Eq)]
struct Argument {
    /// The parameter.
    name: String,
    /// The variable that is bound around the call; empty for what is always the same.
    variable: String,
    /// The set from which it is.
    set: String,
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

    fn call(&self, name: &str, call: &Expression, bound: &[Bound], found: &mut Found) {
        let definition = self.contents.definition(name).filter(|d| d.level == Level::Action);
        let Some(definition) = definition else { return self.unnamed(call, found) };
        // A definition that only groups actions is none itself.
        if definition.parameters.is_empty() {
            let mut inner = Found::default();
            if !matches!(definition.body.head, Head::Defined(_)) {
                self.walk(&definition.body, &mut Vec::new(), &mut inner);
            }
            if inner.unnamed.is_empty() && !inner.calls.is_empty() {
                found.calls.extend(inner.calls);
                return;
            }
        }
        let mut arguments = Vec::new();
        for (parameter, operand) in definition.parameters.iter().zip(&call.operands) {
            let variable = match &operand.head {
                Head::Parameter(variable) => bound.iter().rev().find(|(name, _)| name == variable),
                _ => None,
            };
            let (variable, set) = match variable {
                Some((variable, Some(set))) => (variable.clone(), set.clone()),
                _ => (String::new(), format!("{{{}}}", self.text(operand))),
            };
            // An operator has no text, and is no value.
            if set == "{}" || (variable.is_empty() && mentions(operand, bound)) {
                return self.unnamed(call, found);
            }
            arguments.push(Argument { name: parameter.clone(), variable, set });
        }
        // Sets of variables that are no arguments still may be mentioned by the others'.
        let named = |name: &str| arguments.iter().any(|argument| argument.variable == name);
        let is_hidden = |(name, _): &Bound| !named(name);
        if bound.iter().any(|b| is_hidden(b) && arguments.iter().any(|a| word_in(&b.0, &a.set))) {
            return self.unnamed(call, found);
        }
        found.calls.push(Call { action: name.to_owned(), arguments });
    }

    fn unnamed(&self, expression: &Expression, found: &mut Found) {
        found.unnamed.push((expression.place.module.clone(), expression.place.begin.0));
    }

    /// What stands there in the module.
    fn text(&self, expression: &Expression) -> String {
        let file = format!("{}.tla", expression.place.module);
        let text = self.files.iter().find(|(name, _)| *name == file);
        text.map(|(_, text)| expression.place.text(text)).unwrap_or_default()
    }
}

/// Whether an expression mentions a variable that is bound further out.
fn mentions(expression: &Expression, bound: &[Bound]) -> bool {
    let is_bound = |name: &String| bound.iter().any(|(other, _)| other == name);
    matches!(&expression.head, Head::Parameter(name) if is_bound(name))
        || expression.operands.iter().any(|operand| mentions(operand, bound))
}

/// Whether a name stands in a text as a word of its own.
fn word_in(name: &str, text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c| !is_part(c)).any(|word| word == name)
}

fn text(contents: &Contents, module: &str, actions: &BTreeMap<&str, Vec<&Call>>) -> String {
    let mut text = title(module);
    text.push_str(&table(contents, actions));
    let width = actions.keys().map(|name| name.len()).max().unwrap_or_default();
    let _ = write!(text, "EXTENDS {}\n\n", contents.module);
    if actions.values().flatten().any(|call| call.arguments.is_empty()) {
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
    text.push_str("]\n\n");
    for (name, calls) in actions {
        let arguments = calls.iter().take(1).flat_map(|call| &call.arguments);
        let arguments = arguments.map(|argument| format!("e.args.{}", argument.name));
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let call =
            if arguments.is_empty() { name.to_string() } else { format!("{name}({arguments})") };
        let _ = writeln!(text, "Is{name}(e) == e.name = \"{name}\" /\\ {call}");
    }
    text.push_str(
        "\nTraceInit == Init\n\nTraceEvent(e) ==\n    /\\ e.name \\in DOMAIN TraceArguments\n    \
         /\\ e.args \\in TraceArguments[e.name]\n",
    );
    for (index, name) in actions.keys().enumerate() {
        let begin = if index == 0 { "    /\\ \\/ " } else { "       \\/ " };
        let _ = writeln!(text, "{begin}Is{name}(e)");
    }
    if actions.is_empty() {
        text.push_str("    /\\ FALSE\n");
    }
    let _ = write!(text, "\n{}\n", "=".repeat(77));
    text
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
        let set = set(&call.arguments);
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets.join(" \\cup ")
}

fn set(arguments: &[Argument]) -> String {
    if arguments.is_empty() {
        return "NoArguments".to_owned();
    }
    // Of how many other variables the set of an argument depends.
    let sources = |argument: &Argument| {
        let others = arguments.iter().filter(|other| !other.variable.is_empty());
        others.filter(|other| word_in(&other.variable, &argument.set)).count()
    };
    if arguments.iter().all(|argument| sources(argument) == 0) {
        let fields =
            arguments.iter().map(|argument| format!("{} : {}", argument.name, argument.set));
        return format!("[{}]", fields.collect::<Vec<_>>().join(", "));
    }
    // A set that depends on another argument: the records one by one.
    let fields = arguments.iter().map(|argument| match argument.variable.as_str() {
        "" => format!("{} |-> {}", argument.name, &argument.set[1..argument.set.len() - 1]),
        variable => format!("{} |-> {variable}", argument.name),
    });
    let record = format!("[{}]", fields.collect::<Vec<_>>().join(", "));
    let mut bound: Vec<&Argument> =
        arguments.iter().filter(|argument| !argument.variable.is_empty()).collect();
    bound.sort_by_key(|argument| sources(argument));
    let within = |argument: &Argument| format!("{} \\in {}", argument.variable, argument.set);
    let mut bound = bound.into_iter().rev();
    let inner =
        bound.next().map_or(record.clone(), |last| format!("{{{record} : {}}}", within(last)));
    bound.fold(inner, |inner, argument| format!("UNION {{{inner} : {}}}", within(argument)))
}
