//! The definitions of a module as far as their logical structure goes.
//!
//! This is no parser of TLA+: SANY is. It cuts definitions into conjuncts, disjuncts and what binds
//! names in them, and leaves everything else as text. What it does not understand stays whole.

mod definitions;
mod formula;
mod token;

pub(crate) use definitions::extended;
pub use definitions::{Definition, Definitions, Parameter};
pub use formula::{Excerpt, Formula};

#[cfg(feature = "embedded")]
pub(crate) use token::{listed, tokens};
