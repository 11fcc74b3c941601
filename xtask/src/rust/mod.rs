//! As much of Rust's grammar as the rules need: what is code and what is not, tokens, items,
//! functions, paths. It is approximate where only macros could tell the difference.

mod mask;
mod shape;

pub use mask::mask;
pub use shape::{Function, Item, PathUse, Token, functions, items, path_uses, tests_begin, tokens};
