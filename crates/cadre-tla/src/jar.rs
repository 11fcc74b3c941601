use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::TlaError;

/// What a jar of TLC can do, read off its list of entries without starting Java.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// A depth-first queue can be chosen.
    pub depth_first_queue: bool,
    /// The standard module `Json` is there.
    pub json: bool,
    /// Traces can be dumped as JSON, and a trace specification is written unless forbidden.
    pub trace_dump: bool,
}

/// Reads the features of a jar.
///
/// # Errors
///
/// [`TlaError::JarCorrupt`] if it is not a readable archive with TLC in it.
pub(crate) fn features(jar: &Path, fix: &str) -> Result<Features, TlaError> {
    let corrupt = |found: String| TlaError::JarCorrupt {
        jar: jar.into(),
        expected: "a zip archive with tlc2/TLC.class".into(),
        found,
        fix: fix.into(),
    };
    let file = File::open(jar).map_err(|source| TlaError::io("open", jar, source))?;
    let archive = zip::ZipArchive::new(io::BufReader::new(file))
        .map_err(|error| corrupt(format!("no archive ({error})")))?;
    let mut features = Features::default();
    let mut has_tlc = false;
    for name in archive.file_names() {
        let name = name.map_err(|error| corrupt(format!("an unreadable entry ({error})")))?;
        match name.as_ref() {
            "tlc2/TLC.class" => has_tlc = true,
            "tlc2/tool/queue/StateDeque.class" => features.depth_first_queue = true,
            "tla2sany/StandardModules/Json.tla" => features.json = true,
            "tlc2/module/_JsonTrace.class" => features.trace_dump = true,
            _ => {}
        }
    }
    if has_tlc { Ok(features) } else { Err(corrupt("an archive without it".into())) }
}

/// Checks that a jar is the very one which this version of Cadre installs.
///
/// # Errors
///
/// [`TlaError::JarCorrupt`] if it is not.
pub(crate) fn verify(jar: &Path, sha256_expected: &str, fix: &str) -> Result<(), TlaError> {
    let found = sha256(jar)?;
    if found == sha256_expected {
        return Ok(());
    }
    Err(TlaError::JarCorrupt {
        jar: PathBuf::from(jar),
        expected: format!("SHA-256 {sha256_expected}"),
        found,
        fix: fix.into(),
    })
}

fn sha256(path: &Path) -> Result<String, TlaError> {
    let content = std::fs::read(path).map_err(|source| TlaError::io("read", path, source))?;
    Ok(Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect())
}
