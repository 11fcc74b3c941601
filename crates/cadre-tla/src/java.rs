use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use cadre_process::{PrivateDirectory, ProcessError, Program, Stop, run};
use serde::{Deserialize, Serialize};

use crate::TlaError;
use crate::environment::Environment;

/// The oldest Java that runs every TLC since 2.15.
pub(crate) const VERSION_MIN: u32 = 11;

/// A Java on this machine that is new enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Java {
    pub(crate) path: PathBuf,
    pub(crate) version: u32,
}

/// The first Java of `JAVA_HOME` and `PATH` that works and is new enough.
///
/// # Errors
///
/// [`TlaError::Stopped`]; a Java that does not start counts as none.
pub(crate) fn on_machine(
    environment: &Environment,
    cache: Option<&Path>,
    stop: &Stop,
) -> Result<Option<Java>, TlaError> {
    for path in candidates(environment) {
        if let Some(java) = usable(&path, cache, stop)? {
            return Ok(Some(java));
        }
    }
    Ok(None)
}

/// The Java at this path, if it works and is new enough.
///
/// A Java that was found to work is remembered in the cache together with its path, size and time
/// of change, so that a later call starts no Java. One that does not work is asked again each time:
/// what is behind a stub may be installed without a change of the stub.
///
/// # Errors
///
/// [`TlaError::Stopped`], and [`TlaError::Process`] if no private directory can be made.
pub(crate) fn usable(
    path: &Path,
    cache: Option<&Path>,
    stop: &Stop,
) -> Result<Option<Java>, TlaError> {
    let Some(identity) = identity(path) else {
        return Ok(None);
    };
    let memory = cache.map(|cache| cache.join("java.json"));
    let mut known = memory.as_deref().map(Known::read).unwrap_or_default();
    let version = match known.versions.get(&identity) {
        Some(version) => *version,
        None => match probe(path, stop)? {
            Some(version) => version,
            None => return Ok(None),
        },
    };
    if let Some(memory) = &memory
        && known.versions.insert(identity, version).is_none()
    {
        known.write(memory);
    }
    Ok((version >= VERSION_MIN).then(|| Java { path: path.into(), version }))
}

fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let program = format!("java{}", env::consts::EXE_SUFFIX);
    let home = environment.java_home.iter().map(|home| home.join("bin").join(&program));
    let path = environment.path.iter().flat_map(env::split_paths);
    let on_path = path.filter(|folder| folder.is_absolute()).map(|folder| folder.join(&program));
    home.chain(on_path).filter(|path| path.is_file()).collect()
}

/// What changes when another Java is put in place of this one.
fn identity(path: &Path) -> Option<String> {
    let target = fs::canonicalize(path).ok()?;
    let metadata = fs::metadata(&target).ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}", target.display(), metadata.len(), changed.as_nanos()))
}

fn probe(path: &Path, stop: &Stop) -> Result<Option<u32>, TlaError> {
    let directory = PrivateDirectory::new("java")?;
    let program = Program::new(path).arg("-version");
    let limit = Duration::from_secs(30);
    match run(&program, &directory.path().join("log"), limit, stop) {
        Ok(finished) if finished.code == Some(0) => Ok(version_in(&finished.output()?)),
        Err(ProcessError::Stopped { .. }) => Err(TlaError::Stopped),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The feature version in the output of `java -version`: `"1.8.0_392"` is 8, `"17.0.15"` is 17.
fn version_in(output: &str) -> Option<u32> {
    let version = output.split_once("version \"")?.1;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        number => Some(number),
    }
}

/// The versions found so far; a file of the cache.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    versions: BTreeMap<String, u32>,
}

impl Known {
    /// A file that cannot be read is as good as none: the answers are found again.
    fn read(path: &Path) -> Self {
        let content = fs::read(path).unwrap_or_default();
        serde_json::from_slice(&content).unwrap_or_default()
    }

    /// Not being able to remember costs one start of Java, and is no error.
    fn write(&self, path: &Path) {
        let Ok(content) = serde_json::to_vec_pretty(self) else {
            return;
        };
        // Another process may read or write the file at this moment: it is replaced as a whole.
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        let parent = path.parent().unwrap_or(Path::new(""));
        let written = fs::create_dir_all(parent)
            .and_then(|()| fs::write(&draft, content))
            .and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feature_version_is_found_in_all_styles() {
        assert_eq!(version_in("java version \"1.8.0_392\"\nmore"), Some(8));
        assert_eq!(version_in("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(version_in("openjdk version \"25-ea\" 2025-09-16"), Some(25));
        assert_eq!(version_in("openjdk version \"11\" 2018-09-25"), Some(11));
        assert_eq!(version_in("No Java runtime present"), None);
    }
}
