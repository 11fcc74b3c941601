//! The peers, each behind a function that runs one search.

pub(crate) mod spin;
pub(crate) mod stateright;
pub(crate) mod tlc;
