//! Whole graphs: every state and every step of a bounded exploration, against `Init` and `Next`.

mod allowed;
mod check;
mod composed;
mod encode;
mod explore;
mod quick;
mod report;
mod spec_graph;

pub use check::{check_graph, plan_graph};
pub use explore::{GraphBound, GraphBounds, MappedGraph};
pub use report::{ActionCoverage, BadStep, Fault, GraphReport, Missing};
pub use spec_graph::{GraphStep, SpecGraph};
