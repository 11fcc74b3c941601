//! What supported an outcome.

use serde::{Deserialize, Serialize};

/// The lineage of one outcome: an acyclic graph of what happened and of what it rests on.
///
/// Lineage is the happened-before and the data dependencies that support an outcome; see Alvaro,
/// Rosen and Hellerstein, "Lineage-driven Fault Injection" (SIGMOD 2015). Who computes it decides
/// how precise it is; this is only its plain form, for whoever draws or exports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageGraph {
    /// The outcome, in words.
    pub outcome: String,
    /// What is part of it, in the order of time; the outcome itself last.
    pub vertices: Vec<LineageVertex>,
    /// What rests on what.
    pub edges: Vec<LineageEdge>,
}

/// One thing that happened, or failed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageVertex {
    /// What kind of thing it is.
    pub kind: LineageKind,
    /// What is written on it.
    pub label: String,
    /// The node where it happened; for a message the one that sent it; none for the outcome.
    pub node: Option<String>,
    /// When, in rounds or in steps, as the trace counts.
    pub time: usize,
    /// The step of the trace that it is, or is part of.
    pub step: Option<usize>,
    /// What became of it under the faults.
    pub standing: Standing,
}

/// The kinds of vertices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineageKind {
    /// A step of a node.
    Step,
    /// A message on its way.
    Message,
    /// A write to a disk.
    Write,
    /// A negative cause: that something did not come mattered.
    Absence,
    /// What is supported by all of this.
    Outcome,
}

/// What faults did to a vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It happened.
    Kept,
    /// A fault removed it: it belongs to the cut set.
    Cut,
    /// It fell with what it rests on.
    Fallen,
    /// It happened only because of the faults.
    Added,
}

/// That one vertex rests on another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageEdge {
    /// The position of the supporting vertex in [`LineageGraph::vertices`].
    pub from: usize,
    /// The position of the vertex that rests on it.
    pub to: usize,
    /// Edges into one vertex with the same number are needed together; different numbers are
    /// alternatives, of which one is enough.
    pub alternative: u32,
}
