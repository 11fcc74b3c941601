use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cadre_step::{Disk, SyncError};
use cadre_trace::{DiskWrite, Kept, Misread, bytes_from_text, bytes_to_text};
use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use crate::{Defect, RuntimeError};

/// The node's keys and values.
const DISK: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("disk");

/// Whose disk it is.
const IDENTITY: TableDefinition<'_, &str, &str> = TableDefinition::new("identity");

/// The version of the layout of both tables.
const LAYOUT: &str = "1";

/// The disk of one node.
///
/// A commit of the store makes everything durable that was written before, so what is not synced
/// yet stays in memory: [`put_synced`](Store::put_synced) must not carry along what was only put.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    durability: Durability,
    /// What survives a crash, or what a defective host takes for it.
    synced: BTreeMap<Vec<u8>, Vec<u8>>,
    unsynced: Vec<Write>,
}

/// A write, or the mark of a sync among the writes.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Put { key: Vec<u8>, value: Vec<u8> },
    Delete { key: Vec<u8> },
    Sync,
}

/// Whose disk it is, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    pub(crate) node: &'a str,
    pub(crate) nodes: &'a [String],
}

impl Store {
    pub(crate) fn open(
        directory: &Path,
        owner: Owner<'_>,
        defect: Option<Defect>,
    ) -> Result<Self, RuntimeError> {
        std::fs::create_dir_all(directory).map_err(|source| unusable(directory, source))?;
        let path = directory.join("node.redb");
        let database = Database::create(&path).map_err(|error| open_error(&path, owner, error))?;
        check_owner(&database, &path, owner)?;
        let synced = read(&database).map_err(storage("read"))?;
        let durability = match defect {
            Some(Defect::AnswersBeforeSync) => Durability::None,
            None => Durability::Immediate,
        };
        Ok(Self { database, durability, synced, unsynced: Vec::new() })
    }

    /// What survives a crash, as a node that starts finds it; read wrongly, if that is asked for.
    pub(crate) fn disk(&self, misread: Option<&Misread>) -> Result<Disk, RuntimeError> {
        let mut entries = self.synced.clone();
        let bytes = |text: &str| {
            bytes_from_text(text).ok_or_else(|| RuntimeError::Misread { text: text.to_owned() })
        };
        match misread {
            None => {}
            Some(Misread::Corrupt { key, value }) => {
                entries.insert(bytes(key)?, bytes(value)?);
            }
            Some(Misread::Misdirected { key, instead }) => {
                if let Some(value) = self.synced.get(&bytes(instead)?) {
                    entries.insert(bytes(key)?, value.clone());
                }
            }
        }
        Ok(Disk::from_entries(entries))
    }

    /// Remembers a write, or a sync that is asked for.
    pub(crate) fn write(&mut self, write: Write) {
        self.unsynced.push(write);
    }

    /// Writes one key so that it survives a crash, and nothing else.
    pub(crate) fn put_synced(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), RuntimeError> {
        let writes = [Write::Put { key, value }];
        self.commit(&writes)?;
        self.apply(writes);
        Ok(())
    }

    /// Whether a sync is asked for that is not done.
    pub(crate) fn sync_pending(&self) -> bool {
        self.unsynced.iter().any(|write| matches!(write, Write::Sync))
    }

    /// Carries out the oldest sync; afterwards everything written before it survives a crash.
    ///
    /// Without effect where none is pending.
    pub(crate) fn sync(&mut self) -> Result<(), RuntimeError> {
        let mark = self.unsynced.iter().position(|write| matches!(write, Write::Sync));
        let Some(mark) = mark else { return Ok(()) };
        self.commit(&self.unsynced[..mark])?;
        let done: Vec<Write> = self.unsynced.drain(..=mark).collect();
        self.apply(done);
        Ok(())
    }

    /// Lets the oldest sync fail; without effect where none is pending.
    pub(crate) fn fail_sync(&mut self, error: SyncError) {
        let mark = self.unsynced.iter().position(|write| matches!(write, Write::Sync));
        let Some(mark) = mark else { return };
        match error {
            SyncError::Lost => drop(self.unsynced.drain(..=mark)),
            SyncError::Full => drop(self.unsynced.remove(mark)),
        }
    }

    /// Puts some un-synced writes on the disk, one of them by half perhaps. For a node that is
    /// killed next: it does not know of it.
    pub(crate) fn keep(&self, kept: &Kept) -> Result<(), RuntimeError> {
        let half = |value: &[u8]| value[..value.len() / 2].to_vec();
        let survives = |(at, write): (usize, &Write)| match write {
            Write::Put { key, value } if kept.torn == Some(at) => {
                Some(Write::Put { key: key.clone(), value: half(value) })
            }
            write => kept.writes.contains(&at).then(|| write.clone()),
        };
        let survivors: Vec<Write> = self.unsynced.iter().enumerate().filter_map(survives).collect();
        self.commit(&survivors)
    }

    /// What survives a crash, as a trace shows it.
    pub(crate) fn synced_text(&self) -> BTreeMap<String, String> {
        let entries = self.synced.iter();
        entries.map(|(key, value)| (bytes_to_text(key), bytes_to_text(value))).collect()
    }

    /// What does not yet survive a crash, as a trace shows it.
    pub(crate) fn unsynced_text(&self) -> Vec<DiskWrite> {
        self.unsynced.iter().map(Write::to_text).collect()
    }

    fn apply(&mut self, writes: impl IntoIterator<Item = Write>) {
        for write in writes {
            match write {
                Write::Put { key, value } => {
                    self.synced.insert(key, value);
                }
                Write::Delete { key } => {
                    self.synced.remove(&key);
                }
                Write::Sync => {}
            }
        }
    }

    fn commit(&self, writes: &[Write]) -> Result<(), RuntimeError> {
        commit(&self.database, self.durability, writes).map_err(storage("write to"))
    }
}

impl Write {
    fn to_text(&self) -> DiskWrite {
        match self {
            Self::Put { key, value } => {
                DiskWrite::Put { key: bytes_to_text(key), value: bytes_to_text(value) }
            }
            Self::Delete { key } => DiskWrite::Delete { key: bytes_to_text(key) },
            Self::Sync => DiskWrite::Sync,
        }
    }
}

fn commit(
    database: &Database,
    durability: Durability,
    writes: &[Write],
) -> Result<(), Box<redb::Error>> {
    let mut transaction = database.begin_write().map_err(boxed)?;
    transaction.set_durability(durability).map_err(boxed)?;
    {
        let mut table = transaction.open_table(DISK).map_err(boxed)?;
        for write in writes {
            match write {
                Write::Put { key, value } => {
                    table.insert(key.as_slice(), value.as_slice()).map_err(boxed)?;
                }
                Write::Delete { key } => {
                    table.remove(key.as_slice()).map_err(boxed)?;
                }
                Write::Sync => {}
            }
        }
    }
    transaction.commit().map_err(boxed)
}

fn read(database: &Database) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Box<redb::Error>> {
    let transaction = database.begin_read().map_err(boxed)?;
    let table = transaction.open_table(DISK).map_err(boxed)?;
    let mut entries = BTreeMap::new();
    for entry in table.iter().map_err(boxed)? {
        let (key, value) = entry.map_err(boxed)?;
        entries.insert(key.value().to_vec(), value.value().to_vec());
    }
    Ok(entries)
}

/// Signs a new disk; refuses one with another signature.
fn check_owner(database: &Database, path: &Path, owner: Owner<'_>) -> Result<(), RuntimeError> {
    let expected = owner.signature();
    let found = sign(database, &expected).map_err(storage("read"))?;
    match found {
        Some(found) if found != expected => Err(RuntimeError::DataForeign {
            path: path.to_path_buf(),
            expected: owner.to_string(),
            found: format!("that of {found}"),
        }),
        Some(_) | None => Ok(()),
    }
}

/// The signature that is there; where none is, `signature` is now.
fn sign(database: &Database, signature: &str) -> Result<Option<String>, Box<redb::Error>> {
    let transaction = database.begin_write().map_err(boxed)?;
    let found = {
        let mut table = transaction.open_table(IDENTITY).map_err(boxed)?;
        let found = table.get("owner").map_err(boxed)?.map(|found| found.value().to_owned());
        if found.is_none() {
            table.insert("owner", signature).map_err(boxed)?;
            transaction.open_table(DISK).map_err(boxed)?;
        }
        found
    };
    match found {
        Some(_) => transaction.abort().map_err(boxed)?,
        None => transaction.commit().map_err(boxed)?,
    }
    Ok(found)
}

impl Owner<'_> {
    fn signature(&self) -> String {
        format!("{self} (layout {LAYOUT})")
    }
}

impl std::fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node {} of {}", self.node, self.nodes.join(", "))
    }
}

fn open_error(path: &Path, owner: Owner<'_>, error: DatabaseError) -> RuntimeError {
    let foreign = |found: &str| RuntimeError::DataForeign {
        path: path.to_path_buf(),
        expected: owner.to_string(),
        found: found.to_owned(),
    };
    match error {
        DatabaseError::DatabaseAlreadyOpen => {
            RuntimeError::DataLocked { path: PathBuf::from(path) }
        }
        DatabaseError::UpgradeRequired(_) => foreign("a file of an older format"),
        DatabaseError::Storage(redb::StorageError::Corrupted(_)) => foreign("a damaged file"),
        DatabaseError::Storage(redb::StorageError::Io(source))
            if source.kind() == io::ErrorKind::InvalidData =>
        {
            foreign("a file of something else")
        }
        error => unusable(path, error),
    }
}

fn unusable(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> RuntimeError {
    RuntimeError::DataUnusable { path: path.to_path_buf(), source: source.into() }
}

fn storage(doing: &'static str) -> impl FnOnce(Box<redb::Error>) -> RuntimeError {
    move |source| RuntimeError::Storage { doing, source }
}

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}
