//! What a search that several processes share needs of the outside: connections between them, and
//! folders in which finished levels are kept.

mod folder;
mod meeting;

pub use folder::Folder;
pub use meeting::{Connections, Door, MeetError};
