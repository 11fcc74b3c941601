use crate::export::one_line;
use crate::{LineageGraph, LineageKind, Standing, Step, Trace};

/// The causality of a trace as a graph for Graphviz: a vertex for each step, an edge from each step
/// to those that directly follow from it, the steps of a node below each other.
pub fn dot(trace: &Trace) -> String {
    let mut lines = vec![
        format!("digraph {} {{", quoted(&trace.header.protocol)),
        "  node [shape=box, fontname=\"sans-serif\"];".to_owned(),
    ];
    for step in &trace.steps {
        let label = quoted(&format!("{} {}", step.step, step.action));
        let (group, shape) = match step.action.node() {
            Some(node) => (format!(", group={}", quoted(node)), ""),
            None => (String::new(), ", style=dashed"),
        };
        lines.push(format!("  s{} [label={label}{group}{shape}];", step.step));
    }
    for step in &trace.steps {
        for cause in step.causes.iter().filter(|cause| **cause > 0 && **cause < step.step) {
            let style = match is_same_node(trace, *cause, step) {
                true => " [style=bold, arrowhead=none, weight=8]",
                false => "",
            };
            lines.push(format!("  s{cause} -> s{}{style};", step.step));
        }
    }
    lines.push("}".to_owned());
    lines.join("\n") + "\n"
}

/// A lineage as a graph for Graphviz. What faults removed is dashed and says so.
pub fn lineage_dot(lineage: &LineageGraph) -> String {
    let mut lines = vec![
        format!("digraph {} {{", quoted(&lineage.outcome)),
        "  node [fontname=\"sans-serif\"];".to_owned(),
    ];
    for (index, vertex) in lineage.vertices.iter().enumerate() {
        let shape = match vertex.kind {
            LineageKind::Step => "box",
            LineageKind::Message => "ellipse",
            LineageKind::Write => "cylinder",
            LineageKind::Absence => "octagon",
            LineageKind::Outcome => "doubleoctagon",
        };
        let (word, style) = match vertex.standing {
            Standing::Kept => ("", "solid"),
            Standing::Cut => ("CUT ", "bold,dashed"),
            Standing::Fallen => ("fallen ", "dashed"),
            Standing::Added => ("added ", "bold"),
        };
        let label = quoted(&format!("{word}{}", vertex.label));
        lines.push(format!("  v{index} [label={label}, shape={shape}, style={}];", quoted(style)));
    }
    for edge in &lineage.edges {
        let note = match has_alternatives(lineage, edge.to) {
            true => format!(" [label={}]", quoted(&format!("either {}", edge.alternative + 1))),
            false => String::new(),
        };
        lines.push(format!("  v{} -> v{}{note};", edge.from, edge.to));
    }
    lines.push("}".to_owned());
    lines.join("\n") + "\n"
}

fn is_same_node(trace: &Trace, cause: usize, step: &Step) -> bool {
    let cause = cause.checked_sub(1).and_then(|at| trace.steps.get(at));
    cause.is_some_and(|cause| {
        step.action.node().is_some() && cause.action.node() == step.action.node()
    })
}

fn has_alternatives(lineage: &LineageGraph, to: usize) -> bool {
    let mut into = lineage.edges.iter().filter(|edge| edge.to == to).map(|edge| edge.alternative);
    into.next().is_some_and(|first| into.any(|other| other != first))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text).replace('\\', "\\\\").replace('"', "\\\""))
}
