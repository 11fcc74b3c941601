//! Histories as text: NDJSON, one event a line.

mod decode;
mod error;
mod event;
mod judge;
mod names;

pub use error::RecordingError;
pub use event::{Recording, RecordingHeader};
pub use judge::RecordingReport;
pub use names::{Consistency, Object};

/// The word in the first line by which a recorded history is known.
pub const FORMAT: &str = "cadre-history";

/// The version of the format.
pub const VERSION: u32 = 1;
