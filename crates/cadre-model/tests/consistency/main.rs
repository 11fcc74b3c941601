//! Consistency of histories: classic examples, every small history, random ones against an
//! independent checker, recordings.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod causality;
mod differential;
mod enumerated;
mod explanations;
mod known;
mod notation;
mod objects;
mod oracle;
mod recordings;
