use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cadre_process::Finished;

use crate::parse::parse_state;
use crate::{Coverage, EvaluationError, Run, TlaError, Value};

/// What TLC found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first thing that TLC reported, or that it found nothing.
    pub verdict: Verdict,
    /// How many states it generated.
    pub generated: u64,
    /// How many of them are distinct.
    pub distinct: u64,
    /// The number of states of the longest of all shortest paths, if the search was complete.
    pub depth: Option<u64>,
    /// Up to how many steps behaviours were looked at, by an engine that does not look at all.
    pub bound: Option<u32>,
    /// The states that lead to the violation, from an initial one on.
    pub behaviour: Vec<SpecState>,
    /// How a behaviour goes on that violates a temporal property.
    pub lasso: Option<Lasso>,
    /// How often its definitions were evaluated, if that was asked for.
    pub coverage: Option<Vec<Coverage>>,
    /// The lines which the specification printed into its own file.
    pub user_lines: Vec<String>,
    /// The file of all distinct states.
    pub dump: Option<PathBuf>,
    /// How long the run took.
    pub elapsed: Duration,
    /// The whole output.
    pub log: PathBuf,
    /// What TLC calls itself.
    pub version: String,
}

/// The verdict of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The search is complete and found no violation.
    NoError,
    /// A reachable state violates this invariant.
    InvariantViolated {
        /// Its name.
        name: String,
    },
    /// A behaviour violates a property.
    PropertyViolated {
        /// Its name, if TLC tells it.
        name: Option<String>,
    },
    /// A reachable state has no successor.
    Deadlock,
    /// An assumption of the specification is false.
    AssumptionFailed {
        /// Which one, as TLC puts it.
        assumption: String,
    },
}

/// A state of a behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecState {
    /// Its place in the behaviour, from 1.
    pub index: usize,
    /// The action that leads to it, or `Initial predicate`.
    pub action: String,
    /// Where that action stands, as TLC puts it; empty for the initial state.
    pub location: String,
    /// The values of the variables.
    pub variables: BTreeMap<String, Value>,
}

/// How a behaviour goes on forever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lasso {
    /// It stays in its last state.
    Stuttering,
    /// It goes back to an earlier state.
    BackTo {
        /// The index of that state.
        index: usize,
        /// The action that leads there, and which the behaviour does not list.
        action: String,
    },
}

/// The output of a run, cut into TLC's messages.
#[derive(Debug, Default)]
pub(crate) struct Output {
    messages: Vec<Message>,
    /// Lines outside of any message, which are those of the parser and of Java.
    loose: Vec<String>,
    tail: String,
}

#[derive(Debug)]
struct Message {
    code: u32,
    text: String,
}

/// The codes of TLC's messages that matter here.
mod code {
    pub(super) const GENERAL: u32 = 1000;
    pub(super) const OUT_OF_MEMORY: u32 = 1001;
    pub(super) const INITIAL_STATE_ERROR: u32 = 2102;
    pub(super) const NESTED: u32 = 2103;
    pub(super) const ASSUMPTION_FALSE: u32 = 2104;
    pub(super) const ASSUMPTION_ERROR: u32 = 2105;
    pub(super) const INVARIANT_INITIAL: u32 = 2107;
    pub(super) const PROPERTY_INITIAL: u32 = 2108;
    pub(super) const INCOMPLETE_SUCCESSOR: u32 = 2109;
    pub(super) const INVARIANT: u32 = 2110;
    pub(super) const INVARIANT_ERROR: u32 = 2111;
    pub(super) const ACTION_PROPERTY: u32 = 2112;
    pub(super) const DEADLOCK: u32 = 2114;
    pub(super) const TEMPORAL: u32 = 2116;
    pub(super) const BACK_TO: u32 = 2122;
    pub(super) const SUCCESS: u32 = 2193;
    pub(super) const DEPTH: u32 = 2194;
    pub(super) const COUNTS: u32 = 2199;
    pub(super) const COVERAGE: u32 = 2201;
    pub(super) const STATE: u32 = 2217;
    pub(super) const STUTTERING: u32 = 2218;
    pub(super) const CONSTANT_UNASSIGNED: u32 = 2222;
    pub(super) const CONFIG_UNDEFINED: u32 = 2229;
    pub(super) const VERSION: u32 = 2262;
    pub(super) const NUMBER_TOO_BIG: u32 = 2265;
    pub(super) const PARSING_FAILED: u32 = 3002;
    pub(super) const CONFIG_FILE_FIRST: u32 = 5001;
    pub(super) const CONFIG_FILE_LAST: u32 = 5099;
}

impl Output {
    pub(crate) fn parse(text: &str) -> Self {
        let mut output = Self { tail: tail(text), ..Self::default() };
        // Messages may be nested: an exception's text can be a message itself.
        let mut open: Vec<Message> = Vec::new();
        for line in text.lines() {
            match split_marker(line) {
                Marker::Start { before, code } => {
                    output.add_line(&mut open, before);
                    open.push(Message { code, text: String::new() });
                }
                Marker::End => {
                    if let Some(message) = open.pop() {
                        if let Some(outer) = open.last_mut() {
                            outer.text.push_str(&message.text);
                        }
                        output.messages.push(message);
                    }
                }
                Marker::None => output.add_line(&mut open, line),
            }
        }
        output.messages.extend(open);
        output
    }

    /// The verdict, or why there is none.
    pub(crate) fn outcome(&self, run: &Run, finished: &Finished) -> Result<Outcome, TlaError> {
        if let Some(error) = self.error(run, finished)? {
            return Err(error);
        }
        let no_verdict = || TlaError::NoVerdict {
            code: finished.code.unwrap_or_default(),
            log: finished.log.clone(),
            tail: self.tail.clone(),
        };
        let (verdict, behaviour) = self.verdict()?.ok_or_else(no_verdict)?;
        // A violation in the initial state or in an assumption ends the run without counts.
        let (generated, distinct) = match self.counts() {
            Some(counts) => counts,
            None if verdict == Verdict::NoError => return Err(no_verdict()),
            None => (behaviour.len() as u64, behaviour.len() as u64),
        };
        Ok(Outcome {
            verdict,
            generated,
            distinct,
            depth: self.depth(),
            bound: None,
            behaviour,
            lasso: self.lasso(),
            coverage: run.coverage.then(|| self.coverage()),
            user_lines: Vec::new(),
            dump: None,
            elapsed: finished.elapsed,
            log: finished.log.clone(),
            version: self.version(),
        })
    }

    /// How many states were generated, and how many of them are distinct.
    pub(crate) fn counts(&self) -> Option<(u64, u64)> {
        self.first(code::COUNTS).and_then(counts)
    }

    /// The depth of a complete search.
    pub(crate) fn depth(&self) -> Option<u64> {
        self.first(code::DEPTH).and_then(|text| number_after(text, "search is "))
    }

    /// The states of the behaviour that is printed, or the initial state, whatever it is for.
    pub(crate) fn states(&self) -> Result<Vec<SpecState>, TlaError> {
        let mut states = self.states_after(0)?;
        if let Some(text) = self.first(code::INITIAL_STATE_ERROR) {
            states.extend(initial_state(text)?);
        }
        Ok(states)
    }

    /// What TLC calls itself.
    pub(crate) fn version(&self) -> String {
        let in_message = self.first(code::VERSION);
        // The leading process of a distributed run says it outside of any message.
        let loose =
            || self.loose.iter().map(String::as_str).find(|line| line.contains(" Version "));
        in_message.or_else(loose).unwrap_or_default().trim().to_string()
    }

    /// Whether TLC itself has a fault, and not the specification.
    pub(crate) fn is_own_exception(&self) -> bool {
        self.first(code::GENERAL).is_some_and(|text| text.contains("NullPointerException"))
    }

    /// The last lines, for a message to quote.
    pub(crate) fn tail(&self) -> &str {
        &self.tail
    }

    /// Why there is no verdict, if TLC or Java says so.
    pub(crate) fn error(
        &self,
        run: &Run,
        finished: &Finished,
    ) -> Result<Option<TlaError>, TlaError> {
        let log = finished.log.clone();
        let memory = ["OutOfMemoryError", "Java heap space", "GC overhead limit exceeded"];
        let general = self.first(code::GENERAL).unwrap_or_default();
        let texts = self.loose.iter().map(String::as_str).chain([general]);
        if self.first(code::OUT_OF_MEMORY).is_some()
            || texts.into_iter().any(|text| memory.iter().any(|sign| text.contains(sign)))
        {
            return Ok(Some(TlaError::OutOfMemory { heap_mb: run.heap_mb, log }));
        }
        if finished.code.is_none() {
            return Ok(Some(TlaError::Killed { log, tail: self.tail.clone() }));
        }
        if finished.code == Some(150) || self.first(code::PARSING_FAILED).is_some() {
            let (file, line, message) = self.parse_error(run);
            return Ok(Some(TlaError::Parse { file, line, message, log }));
        }
        if let Some(message) = self.messages.iter().find(|message| is_config(message.code)) {
            let message = one_line(&message.text);
            return Ok(Some(TlaError::Config { message, log }));
        }
        if finished.code == Some(151) {
            return Ok(Some(TlaError::Config { message: self.tail.clone(), log }));
        }
        let evaluation = self.messages.iter().find(|message| is_evaluation(message.code));
        let message = match evaluation {
            Some(message) => first_paragraph(&message.text),
            None if matches!(finished.code, Some(75 | 76)) => self.tail.clone(),
            None => return Ok(None),
        };
        let behaviour = self.states()?;
        let places = self.first(code::NESTED).map(places).unwrap_or_default();
        Ok(Some(TlaError::Evaluation(Box::new(EvaluationError {
            message,
            places,
            behaviour,
            user_lines: Vec::new(),
            log,
        }))))
    }

    pub(crate) fn verdict(&self) -> Result<Option<(Verdict, Vec<SpecState>)>, TlaError> {
        for (position, message) in self.messages.iter().enumerate() {
            let text = message.text.trim();
            let verdict = match message.code {
                code::INVARIANT | code::INVARIANT_INITIAL => {
                    Verdict::InvariantViolated { name: word_after(text, "Invariant ") }
                }
                code::ACTION_PROPERTY => {
                    Verdict::PropertyViolated { name: Some(word_after(text, "property ")) }
                }
                code::PROPERTY_INITIAL => {
                    Verdict::PropertyViolated { name: Some(word_after(text, "Property ")) }
                }
                code::TEMPORAL => Verdict::PropertyViolated { name: None },
                code::DEADLOCK => Verdict::Deadlock,
                code::ASSUMPTION_FALSE => {
                    let assumption = text.strip_suffix(" is false.").unwrap_or(text);
                    Verdict::AssumptionFailed { assumption: one_line(assumption) }
                }
                code::SUCCESS => Verdict::NoError,
                _ => continue,
            };
            let behaviour = match message.code {
                code::INVARIANT_INITIAL | code::PROPERTY_INITIAL => {
                    initial_state(text)?.into_iter().collect()
                }
                _ => self.states_after(position)?,
            };
            return Ok(Some((verdict, behaviour)));
        }
        Ok(None)
    }

    /// The states of the first behaviour printed after this message.
    fn states_after(&self, position: usize) -> Result<Vec<SpecState>, TlaError> {
        let mut states: Vec<SpecState> = Vec::new();
        for message in self.messages.iter().skip(position) {
            if message.code != code::STATE {
                continue;
            }
            let state = spec_state(&message.text)?;
            if states.last().is_some_and(|last| last.index >= state.index) {
                break;
            }
            states.push(state);
        }
        Ok(states)
    }

    fn lasso(&self) -> Option<Lasso> {
        self.messages.iter().find_map(|message| match message.code {
            code::STUTTERING => Some(Lasso::Stuttering),
            code::BACK_TO => {
                let (index, action) = message.text.split_once(": Back to state")?;
                let (action, _) = action_at(action.trim_start_matches(':'));
                let index = index.trim().parse().ok()?;
                Some(Lasso::BackTo { index, action: action.to_owned() })
            }
            _ => None,
        })
    }

    /// The counts after the last heading.
    fn coverage(&self) -> Vec<Coverage> {
        let heading = self.messages.iter().rposition(|message| message.code == code::COVERAGE);
        let counts = self.messages.iter().skip(heading.unwrap_or(self.messages.len()));
        crate::coverage::read(counts.map(|message| (message.code, message.text.as_str())))
    }

    /// The file, the line and the words of the parser's first error.
    pub(crate) fn parse_error(&self, run: &Run) -> (String, Option<u32>, String) {
        let file = |module: &str| format!("{module}.tla");
        let lines = &self.loose;
        if let Some(position) = lines.iter().position(|line| line.starts_with("***Parse Error***"))
        {
            // The parser says which file failed only at the end of its complaint.
            let failed = lines.iter().find_map(|line| line.strip_prefix("In module "));
            let text = lines[position + 1..].iter();
            let text: Vec<&str> = text
                .map(|line| line.trim())
                .take_while(|line| !line.starts_with("Residual stack trace"))
                .filter(|line| !line.is_empty())
                .collect();
            let message = text.join("; ");
            let line = number_after(&message, "at line ");
            return (file(failed.unwrap_or(&run.module)), line, format!("parse error: {message}"));
        }
        let errors = lines.iter().position(|line| {
            line.starts_with("*** Errors:") || line.starts_with("*** Abort messages:")
        });
        let Some(position) = errors else {
            return (file(&run.module), None, format!("the parser failed:\n{}", self.tail));
        };
        let mut rest = lines[position + 1..].iter().map(|l| l.trim()).filter(|l| !l.is_empty());
        let place = rest.next().unwrap_or_default();
        let message = rest.next().unwrap_or_default().to_string();
        let module = match place.rsplit_once("of module ").or(place.rsplit_once("In module ")) {
            Some((_, module)) => module,
            None => &run.module,
        };
        (file(module), number_after(place, "line "), message)
    }

    fn first(&self, code: u32) -> Option<&str> {
        self.messages.iter().find(|m| m.code == code).map(|m| m.text.as_str())
    }

    fn add_line(&mut self, open: &mut [Message], line: &str) {
        match open.last_mut() {
            Some(message) => {
                message.text.push_str(line);
                message.text.push('\n');
            }
            None => self.loose.push(line.into()),
        }
    }
}

/// The last twenty lines of an output, without the codes and without empty lines.
pub(crate) fn tail(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("@!@!@")).collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

enum Marker<'a> {
    Start { before: &'a str, code: u32 },
    End,
    None,
}

fn split_marker(line: &str) -> Marker<'_> {
    if line.starts_with("@!@!@ENDMSG ") {
        return Marker::End;
    }
    let start = line.split_once("@!@!@STARTMSG ").and_then(|(before, rest)| {
        let code = rest.split_once(':')?.0.parse().ok()?;
        Some(Marker::Start { before, code })
    });
    start.unwrap_or(Marker::None)
}

fn is_config(code: u32) -> bool {
    (code::CONSTANT_UNASSIGNED..=code::CONFIG_UNDEFINED).contains(&code)
        || (code::CONFIG_FILE_FIRST..=code::CONFIG_FILE_LAST).contains(&code)
}

fn is_evaluation(code: u32) -> bool {
    matches!(
        code,
        code::GENERAL
            | code::INITIAL_STATE_ERROR
            | code::NESTED
            | code::ASSUMPTION_ERROR
            | code::INCOMPLETE_SUCCESSOR
            | code::INVARIANT_ERROR
            | code::NUMBER_TOO_BIG
    )
}

/// Reads `3: <Action line 1, col 2 to line 3, col 4 of module M>` and the variables below.
fn spec_state(text: &str) -> Result<SpecState, TlaError> {
    let (head, variables) = text.split_once('\n').unwrap_or((text, ""));
    let (index, action) = head.split_once(": ").unwrap_or(("0", head));
    let (action, location) = action_at(action);
    Ok(SpecState {
        index: index.trim().parse().unwrap_or_default(),
        action: action.into(),
        location,
        variables: parse_state(variables)?,
    })
}

/// Reads `<Action line 1, col 2 to line 3, col 4 of module M>`.
fn action_at(text: &str) -> (&str, String) {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    match text.split_once(" line ") {
        Some((action, location)) => (action, format!("line {location}")),
        None => (text, String::new()),
    }
}

/// The state which stands in a message about an initial state, after the line that ends in a colon.
fn initial_state(text: &str) -> Result<Option<SpecState>, TlaError> {
    let Some((_, variables)) = text.split_once("initial state:\n") else {
        return Ok(None);
    };
    Ok(Some(SpecState {
        index: 1,
        action: "Initial predicate".into(),
        location: String::new(),
        variables: parse_state(variables)?,
    }))
}

fn counts(text: &str) -> Option<(u64, u64)> {
    let (generated, rest) = text.split_once(" states generated")?;
    let distinct = rest.split_once(", ")?.1.split_once(" distinct")?.0;
    let number = |text: &str| text.trim().replace(',', "").parse().ok();
    Some((number(generated)?, number(distinct)?))
}

fn number_after<N: std::str::FromStr>(text: &str, mark: &str) -> Option<N> {
    let rest = text.split_once(mark)?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn word_after(text: &str, mark: &str) -> String {
    let rest = text.split_once(mark).map_or(text, |(_, rest)| rest);
    rest.split_whitespace().next().unwrap_or_default().into()
}

fn places(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.split_once(". Line "));
    lines.map(|(_, place)| format!("line {}", place.trim())).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What TLC says about an exception, without its advice around that.
fn first_paragraph(text: &str) -> String {
    let text = text.split_once("The exception was").map_or(text, |(_, rest)| rest);
    let text = text.split_once("initial state:").map_or(text, |(before, _)| before);
    let text = text.replace("While working on the", "");
    one_line(text.trim_start_matches([' ', 'a']).trim_start_matches(':'))
}
