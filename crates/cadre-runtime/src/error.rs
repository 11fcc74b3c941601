use cadre_step::SyncError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a node cannot be hosted, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// There is no such node.
    #[error("expected one of the nodes {names}, found node {found}; check the name and the setup")]
    UnknownNode {
        /// Its name, or its number where it has none.
        found: String,
        /// The names there are.
        names: String,
    },

    /// The protocol answers a client that is not there.
    #[error("expected an answer to one of the clients {names}, found client number {found}")]
    UnknownClient {
        /// The position of the client.
        found: u32,
        /// The names there are.
        names: String,
    },

    /// Somebody else listens at the address.
    #[error(
        "expected to listen on {address}, but the port is already in use; end the process that \
         uses it, or choose another port (0 takes a free one)"
    )]
    PortInUse {
        /// The address.
        address: SocketAddr,
    },

    /// One cannot listen at the address.
    #[error("expected to listen on {address}, but: {source}; choose an address of this machine")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },

    /// The disk is in use.
    #[error(
        "expected the disk {} for this node alone, but another process has it open; end that \
         process, or give this node a directory of its own", path.display()
    )]
    DataLocked {
        /// The file.
        path: PathBuf,
    },

    /// The disk cannot be read or made.
    #[error(
        "expected a directory for the node's disk at {}, but: {source}; check that it is a \
         directory and may be written", path.display()
    )]
    DataUnusable {
        /// The directory, or the file in it.
        path: PathBuf,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The disk is that of something else.
    #[error(
        "expected the disk of {expected} at {}, found {found}; give this node a directory of its \
         own", path.display()
    )]
    DataForeign {
        /// The file.
        path: PathBuf,
        /// Whose it should be.
        expected: String,
        /// Whose it is.
        found: String,
    },

    /// The disk has failed the node.
    #[error("expected to {doing} the disk, but: {source}; check the space and the device")]
    Storage {
        /// What was tried.
        doing: &'static str,
        /// What the store said.
        source: Box<redb::Error>,
    },

    /// The driver asked for a start that reads what cannot be.
    #[error("expected text, or bytes in hexadecimal, to be read from the disk, found `{text}`")]
    Misread {
        /// The text.
        text: String,
    },

    /// The driver said something that is no command.
    #[error("expected a command, found `{found}`: {why}; driver and node must be of one version")]
    Command {
        /// The line, shortened.
        found: String,
        /// What is wrong with it.
        why: String,
    },

    /// The driver does not listen any more.
    #[error("expected to report a step, but: {source}; the driver has gone")]
    Report {
        /// What the operating system said.
        source: io::Error,
    },

    /// A value of the protocol cannot be shown.
    #[error("expected {what} to have a JSON form, but: {source}; use strings as the keys of maps")]
    NoJson {
        /// Which kind of value.
        what: &'static str,
        /// What the encoder said.
        source: serde_json::Error,
    },
}

impl RuntimeError {
    /// What a node is told where this is how a sync has failed; `None` where it is something else.
    pub(crate) fn sync_error(&self) -> Option<SyncError> {
        let Self::Storage { source, .. } = self else { return None };
        match source.as_ref() {
            redb::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
                Some(SyncError::Full)
            }
            redb::Error::Io(_) | redb::Error::PreviousIo => Some(SyncError::Lost),
            _ => None,
        }
    }
}
