use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::snapshot::Snapshot;
use crate::trace::{Action, Header, Step, Trace};

/// The word in the first line by which a trace is known.
pub const FORMAT: &str = "cadre-trace";

/// The version of the trace format that is written and read.
pub const VERSION: u32 = 2;

impl Trace {
    /// Writes the trace as NDJSON: a line for the header, then a line for each step.
    pub fn to_ndjson(&self) -> String {
        let first = FirstLine {
            format: FORMAT.to_owned(),
            version: VERSION,
            steps: self.steps.len(),
            header: self.header.clone(),
        };
        let mut text = to_line(&first);
        for step in &self.steps {
            let _ = write!(text, "{}", to_line(step));
        }
        text
    }

    /// Reads what [`to_ndjson`](Trace::to_ndjson) wrote, and checks that it hangs together.
    ///
    /// # Errors
    ///
    /// Where the text is not a trace, is of another version, is cut short, or contradicts itself.
    pub fn from_ndjson(text: &str) -> Result<Self, TraceError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (_, first) = lines.next().ok_or(TraceError::Empty)?;
        let FirstLine { steps: expected, header, .. } = first_line(first)?;
        let mut steps = Vec::new();
        for (index, line) in lines {
            let step: Step = serde_json::from_str(line).map_err(|error| match error.is_eof() {
                true => TraceError::CutLine { line: index + 1 },
                false => TraceError::Line { line: index + 1, error: error.to_string() },
            })?;
            steps.push(step);
        }
        if steps.len() != expected {
            return Err(TraceError::Steps { expected, found: steps.len() });
        }
        let trace = Self { header, steps };
        trace.check()?;
        Ok(trace)
    }

    /// The choices alone: enough to execute the trace again.
    pub fn schedule(&self) -> impl Iterator<Item = &Action> {
        self.steps.iter().map(|step| &step.action)
    }

    /// Every configuration from the initial one on, one more than there are steps.
    pub fn snapshots(&self) -> impl Iterator<Item = Snapshot> {
        let mut current = self.header.initial.clone();
        let first = std::iter::once(current.clone());
        first.chain(self.steps.iter().map(move |step| {
            current.apply(&step.change);
            current.clone()
        }))
    }

    /// What a reader relies on: numbered steps, causes that come before, nodes that exist.
    fn check(&self) -> Result<(), TraceError> {
        let known = |name: &str| self.header.nodes.iter().any(|node| node == name);
        if let Some(name) = self.header.initial.nodes.keys().find(|name| !known(name)) {
            return Err(TraceError::UnknownNode { step: 0, node: name.clone() });
        }
        for (index, step) in self.steps.iter().enumerate() {
            if step.step != index + 1 {
                return Err(TraceError::Numbering { expected: index + 1, found: step.step });
            }
            if let Some(cause) = step.causes.iter().find(|cause| **cause >= step.step) {
                return Err(TraceError::Cause { step: step.step, cause: *cause });
            }
            let sender = step.action.envelope().map(|envelope| envelope.from.as_str());
            let named = step.action.node().into_iter().chain(sender);
            let changed = step.change.nodes.keys().map(String::as_str);
            if let Some(name) = named.chain(changed).find(|name| !known(name)) {
                return Err(TraceError::UnknownNode { step: step.step, node: name.to_owned() });
            }
        }
        match self.header.loop_from {
            Some(from) if !self.closes(from) => Err(TraceError::Loop { from }),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether there are steps after that one, and the last configuration is the one after it.
    fn closes(&self, from: usize) -> bool {
        from < self.steps.len() && self.snapshots().nth(from) == self.snapshots().last()
    }
}

/// Why a text is not a trace that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// Nothing is there.
    #[error("expected a trace, found nothing; check that the file was written to its end")]
    Empty,
    /// The first line is something else.
    #[error(
        "expected a first line with \"format\":\"{FORMAT}\", found {found}; is this file a trace?"
    )]
    NotATrace {
        /// What the line looks like.
        found: String,
    },
    /// Written by another version.
    #[error(
        "expected trace version {VERSION}, found version {found}; read it with the version of the \
         tool that wrote it, or record it again"
    )]
    Version {
        /// The version found.
        found: u64,
    },
    /// The first line is a trace's, but does not read.
    #[error("line 1: the header does not read: {error}")]
    Header {
        /// What the decoder says.
        error: String,
    },
    /// A line is not a step.
    #[error("line {line}: expected a step, but it does not read: {error}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What the decoder says.
        error: String,
    },
    /// A line ends in the middle.
    #[error("line {line} ends in the middle of a step: the trace is truncated; record it again")]
    CutLine {
        /// The line, from 1.
        line: usize,
    },
    /// Lines are missing or too many.
    #[error("expected {expected} steps, found {found}: the trace is truncated or was edited")]
    Steps {
        /// As many as the header says.
        expected: usize,
        /// As many as there are.
        found: usize,
    },
    /// Steps are out of order.
    #[error("expected step {expected}, found step {found}: steps are missing or out of order")]
    Numbering {
        /// The number that should come.
        expected: usize,
        /// The number that comes.
        found: usize,
    },
    /// A step is caused by a later one.
    #[error("step {step} names step {cause} as a cause, which does not come before it")]
    Cause {
        /// The step.
        step: usize,
        /// Its alleged cause.
        cause: usize,
    },
    /// A step is about a node that the header does not list.
    #[error("step {step} names node `{node}`, which the header does not list")]
    UnknownNode {
        /// The step; 0 for the initial configuration.
        step: usize,
        /// The name.
        node: String,
    },
    /// What is said to repeat for ever does not.
    #[error(
        "expected the steps after step {from} to repeat for ever, but the last configuration is \
         not the one after that step"
    )]
    Loop {
        /// The step after which the loop is said to begin.
        from: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstLine {
    format: String,
    version: u32,
    steps: usize,
    header: Header,
}

fn first_line(line: &str) -> Result<FirstLine, TraceError> {
    let json: crate::Json = serde_json::from_str(line).map_err(|error| {
        let begins_like_one = line.trim_start().starts_with(&format!("{{\"format\":\"{FORMAT}\""));
        match error.is_eof() && begins_like_one {
            true => TraceError::CutLine { line: 1 },
            false => TraceError::NotATrace { found: shorten(line) },
        }
    })?;
    if json.get("format").and_then(|format| format.as_str()) != Some(FORMAT) {
        return Err(TraceError::NotATrace { found: shorten(line) });
    }
    match json.get("version").and_then(|version| version.as_u64()) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(found) => return Err(TraceError::Version { found }),
        None => return Err(TraceError::Header { error: "there is no version number".to_owned() }),
    }
    serde_json::from_value(json).map_err(|error| TraceError::Header { error: error.to_string() })
}

fn shorten(line: &str) -> String {
    let start: String = line.chars().take(40).collect();
    format!("`{start}`")
}

fn to_line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("a trace has a JSON form");
    line.push('\n');
    line
}
