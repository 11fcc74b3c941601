use std::path::{Path, PathBuf};

use crate::exit::{Exit, Failure, OrExit};
use crate::output;
use crate::watch::count;

/// The files of a protocol to begin with.
const TEMPLATE: [(&str, &str); 11] = [
    ("Cargo.toml", include_str!("../../template/Cargo.toml.template")),
    ("README.md", include_str!("../../template/README.md.template")),
    ("src/game.rs", include_str!("../../template/src/game.rs")),
    ("src/lib.rs", include_str!("../../template/src/lib.rs")),
    ("src/main.rs", include_str!("../../template/src/main.rs")),
    ("src/mapping.rs", include_str!("../../template/src/mapping.rs")),
    ("src/step.rs", include_str!("../../template/src/step.rs")),
    ("tests/greeting.rs", include_str!("../../template/tests/greeting.rs")),
    ("tla/Greeting.tla", include_str!("../../template/tla/Greeting.tla")),
    ("tla/MCGreeting.tla", include_str!("../../template/tla/MCGreeting.tla")),
    ("tla/TraceGreeting.tla", include_str!("../../template/tla/TraceGreeting.tla")),
];

/// `init`: writes a protocol to begin with.
pub(crate) fn run(directory: &Path, cadre: &Path) -> Result<Exit, Failure> {
    let name = package(directory)?;
    let cadre = sources(cadre)?;
    if directory.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let directory = directory.display();
        let why = "expected an empty directory or none";
        return Err(anyhow::anyhow!("{why}, found files in {directory}; choose another one"))
            .or_exit(Exit::Usage);
    }
    for (path, text) in TEMPLATE {
        let text = text
            .replace("PACKAGE", &name.replace('-', "_"))
            .replace("NAME", &name)
            .replace("CADRE", &cadre.display().to_string());
        write(&directory.join(path), &text)?;
    }
    let files = count(TEMPLATE.len(), "file", "files");
    output::stage("init", "written", &format!("{}, {files}", directory.display()));
    let commands = "cargo test && cargo run -- check greeting";
    output::labelled("next", &format!("cd {} && {commands}", directory.display()));
    Ok(Exit::Holds)
}

/// The name of the package, after its directory.
fn package(directory: &Path) -> Result<String, Failure> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    match name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_letter) {
        true => Ok(name),
        false => Err(anyhow::anyhow!(
            "expected a directory whose name is that of a package, of small letters, digits, `-` \
             and `_`, found `{name}`"
        ))
        .or_exit(Exit::Usage),
    }
}

/// The sources of Cadre, from anywhere.
fn sources(cadre: &Path) -> Result<PathBuf, Failure> {
    let is_there = cadre.join("crates/cadre-cli/Cargo.toml").is_file();
    let found = cadre.canonicalize().ok().filter(|_| is_there);
    found
        .ok_or_else(|| {
            let cadre = cadre.display();
            anyhow::anyhow!(
                "expected the sources of Cadre in {cadre}, found no crates/cadre-cli there"
            )
        })
        .or_exit(Exit::Usage)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    written
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))
        .or_exit(Exit::ToolChain)
}
