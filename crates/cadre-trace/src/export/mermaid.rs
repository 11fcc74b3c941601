use std::collections::BTreeSet;

use crate::export::one_line;
use crate::{Action, Envelope, Fault, HistoryEvent, Step, Trace, brief};

/// The trace as a sequence diagram of Mermaid: an arrow where a message arrives or is lost, a note
/// where a node does something of its own accord or a fault strikes.
///
/// Arrows of a sequence diagram take no time, so a message is drawn where its way ends; each text
/// begins with the number of its step.
pub fn mermaid(trace: &Trace) -> String {
    let clients = clients(trace);
    let mut lines = vec!["sequenceDiagram".to_owned()];
    for (index, client) in clients.iter().enumerate() {
        lines.push(format!("    actor c{index} as {}", escaped(client)));
    }
    for (index, node) in trace.header.nodes.iter().enumerate() {
        lines.push(format!("    participant n{index} as {}", escaped(node)));
    }
    let names = Names { trace, clients: &clients };
    for step in &trace.steps {
        lines.extend(names.lines(step).into_iter().map(|line| format!("    {line}")));
    }
    lines.join("\n") + "\n"
}

/// What nodes and clients are called in the diagram.
struct Names<'t> {
    trace: &'t Trace,
    clients: &'t [String],
}

impl Names<'_> {
    fn lines(&self, step: &Step) -> Vec<String> {
        let number = step.step;
        let mut lines = vec![match &step.action {
            Action::Deliver(envelope) => self.arrow(number, envelope, "->>", ""),
            Action::Fault(Fault::Drop(envelope)) => self.arrow(number, envelope, "--x", "lost "),
            Action::Invoke { id, node, request } => {
                let (client, node) = (self.client(&id.client), self.node(node));
                format!("{client}->>{node}: {number} {}", escaped(&brief(request)))
            }
            Action::Choose { .. }
            | Action::Fire { .. }
            | Action::SyncDone { .. }
            | Action::Tick
            | Action::Fault(_) => self.note(step),
        }];
        if let Some(failure) = &step.failure {
            let node = self.place(step);
            lines.push(format!("Note over {node}: {number} fails, {}", escaped(failure)));
        }
        for event in &step.change.history {
            if let HistoryEvent::Return { id, response } = event
                && let Some(node) = step.action.node()
            {
                let (client, node) = (self.client(&id.client), self.node(node));
                lines.push(format!("{node}-->>{client}: {number} {}", escaped(&brief(response))));
            }
        }
        lines
    }

    fn arrow(&self, number: usize, envelope: &Envelope, arrow: &str, word: &str) -> String {
        let (from, to) = (self.node(&envelope.from), self.node(&envelope.to));
        format!("{from}{arrow}{to}: {number} {word}{}", escaped(&brief(&envelope.message)))
    }

    fn note(&self, step: &Step) -> String {
        let text = escaped(&step.action.to_string());
        format!("Note over {}: {} {text}", self.place(step), step.step)
    }

    /// Over whom a note stands: those whom it concerns, or all.
    fn place(&self, step: &Step) -> String {
        let envelope = step.action.envelope();
        let ends = envelope.into_iter().flat_map(|envelope| [&*envelope.from, &*envelope.to]);
        let named: Vec<&str> = match step.action.nodes() {
            nodes if !nodes.is_empty() => nodes,
            _ => ends.collect(),
        };
        let position = |name: &&str| self.trace.header.nodes.iter().position(|node| node == name);
        let places: BTreeSet<usize> = named.iter().filter_map(position).collect();
        let last = self.trace.header.nodes.len().saturating_sub(1);
        let (first, last) = match (places.first(), places.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (0, last),
        };
        if first == last { format!("n{first}") } else { format!("n{first},n{last}") }
    }

    fn node(&self, name: &str) -> String {
        let at = self.trace.header.nodes.iter().position(|node| node == name);
        at.map_or_else(|| "n0".to_owned(), |at| format!("n{at}"))
    }

    fn client(&self, name: &str) -> String {
        let at = self.clients.iter().position(|client| client == name);
        at.map_or_else(|| "c0".to_owned(), |at| format!("c{at}"))
    }
}

fn clients(trace: &Trace) -> Vec<String> {
    let asked = trace.steps.iter().flat_map(|step| {
        let invoked = match &step.action {
            Action::Invoke { id, .. } => Some(&id.client),
            Action::Deliver(_)
            | Action::Choose { .. }
            | Action::Fire { .. }
            | Action::SyncDone { .. }
            | Action::Tick
            | Action::Fault(_) => None,
        };
        let told = step.change.history.iter().map(|event| match event {
            HistoryEvent::Invoke { id, .. } | HistoryEvent::Return { id, .. } => &id.client,
        });
        invoked.into_iter().chain(told)
    });
    let names: BTreeSet<&String> = asked.collect();
    names.into_iter().cloned().collect()
}

/// A text in which nothing means anything to Mermaid: every sign that might is written as its
/// number.
fn escaped(text: &str) -> String {
    let mut told = String::new();
    for letter in one_line(text).chars() {
        match letter {
            '#' | ';' | ':' | '<' | '>' | '{' | '}' | '"' | '&' | '%' | '`' | '\\' => {
                told += &format!("#{};", letter as u32);
            }
            letter => told.push(letter),
        }
    }
    // A line that says `end` ends a block.
    match told.as_str() {
        "end" => "#101;nd".to_owned(),
        _ => told,
    }
}
