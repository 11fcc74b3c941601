//! Guarantees that only endless executions violate, on graphs whose answers are known beforehand.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

mod clusters;
mod enumerated;
mod graphs;
mod table;
