//! Traces in the forms of other tools; none of them is read back.

mod dot;
mod itf;
mod mermaid;
mod shiviz;

pub use dot::{dot, lineage_dot};
pub use itf::{NoSpec, itf};
pub use mermaid::mermaid;
pub use shiviz::shiviz;

/// A text on one line, for formats in which a line is a record.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
