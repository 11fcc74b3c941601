//! Logs that somebody else's program has written, as traces of a specification.

mod clocks;
mod error;
mod events;
mod fields;
mod kind;
mod lines;
mod mapping;
mod merge;
mod orders;
mod read;
mod told;

pub use error::{LogError, LogLine};
pub use kind::Kind;
pub use mapping::{EventFields, EventStep, FieldSource, LogMapping, LoggedVariable};
pub use orders::check_logs;
pub use read::{LogFile, LogTrace, LoggedEvent, read_logs};
