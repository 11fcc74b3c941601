//! Modules of TLA+ that users name by their files.

use std::io;
use std::path::Path;

use cadre::tla::is_identifier;

use crate::exit::{Exit, Failure, OrExit};

/// A module with all others in its folder: their file names and texts, and its own name.
pub(crate) fn beside(path: &Path) -> Result<(Vec<(String, String)>, String), Failure> {
    let unreadable = |path: &Path, error: &io::Error| {
        anyhow::anyhow!("cannot read the module {}: {error}", path.display())
    };
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| unreadable(path, &error)).or_exit(Exit::Input)?;
    let (Some(file), Some(module)) = (path.file_name(), path.file_stem()) else {
        let error = anyhow::anyhow!("expected the file of a module, found {}", path.display());
        return Err(error).or_exit(Exit::Usage);
    };
    let (file, module) = (file.to_string_lossy(), module.to_string_lossy().into_owned());
    let mut files = vec![(file.clone().into_owned(), text)];
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder);
    for entry in entries.map_err(|error| unreadable(folder, &error)).or_exit(Exit::Input)? {
        let entry = entry.map_err(|error| unreadable(folder, &error)).or_exit(Exit::Input)?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What cannot be read, or can be no module by its name, may belong to nothing that is
        // asked for.
        if name.strip_suffix(".tla").is_some_and(is_identifier)
            && name != file
            && let Ok(text) = std::fs::read_to_string(&entry)
        {
            files.push((name, text));
        }
    }
    files[1..].sort();
    Ok((files, module))
}

/// Writes modules into a folder.
pub(crate) fn write(folder: &Path, files: &[(String, String)]) -> io::Result<()> {
    files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}
