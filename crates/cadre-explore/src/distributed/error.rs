use std::io;

use cadre_model::PortableError;

/// Why a search that is shared by several processes cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// Another process has ended, or the network between.
    #[error("lost process {process}: its connection was closed before the search was over")]
    Lost {
        /// Its number.
        process: usize,
    },
    /// A connection cannot be used.
    #[error("expected an open connection to every process, found: {0}")]
    Connection(#[source] io::Error),
    /// Another process searches something else, or in another way.
    #[error("expected process {process} to search {expected}, found that it searches {found}")]
    Other {
        /// Its number.
        process: usize,
        /// What this process does.
        expected: String,
        /// What that process does.
        found: String,
    },
    /// What another process sent, or what is kept of an earlier search, cannot be read.
    #[error("cannot read what process {process} has found: {why}")]
    Unreadable {
        /// Its number.
        process: usize,
        /// What is wrong.
        why: PortableError,
    },
    /// A finished level cannot be kept, or not be found again.
    #[error("cannot keep or read level {level} of the search: {why}")]
    Storage {
        /// The number of the level.
        level: u64,
        /// What is wrong.
        why: io::Error,
    },
    /// What is kept is of another search.
    #[error(
        "expected process {process} to have kept levels of {expected}, found those of {found}; \
         choose another place"
    )]
    OtherStored {
        /// The number of the process.
        process: usize,
        /// What is searched.
        expected: String,
        /// What was searched.
        found: String,
    },
    /// A new search would overwrite what is kept of an earlier one.
    #[error(
        "expected no levels of an earlier search, found some of process {process}; resume it, or \
         choose another place"
    )]
    Occupied {
        /// The number of the process that has some.
        process: usize,
    },
    /// There is nothing to go on from.
    #[error("expected a finished level of every process to resume from, found none of {process}")]
    NothingToResume {
        /// The number of the process that has none.
        process: usize,
    },
}

impl ShareError {
    /// Whether all processes find this at the same time, so that none is lost to the others.
    pub(super) fn is_agreed(&self) -> bool {
        match self {
            Self::Other { .. }
            | Self::Occupied { .. }
            | Self::OtherStored { .. }
            | Self::NothingToResume { .. } => true,
            Self::Lost { .. }
            | Self::Connection(_)
            | Self::Unreadable { .. }
            | Self::Storage { .. } => false,
        }
    }
}
