use std::io;
use std::path::{Path, PathBuf};

use cadre_trace::Trace;

/// Saves a trace below a directory, in a folder of its protocol, and gives its path.
///
/// The file's name follows from what the trace says, so that saving it twice gives one file and two
/// different traces never share one.
///
/// # Errors
///
/// Where the folder cannot be made or the file not be written.
pub fn save(trace: &Trace, directory: &Path) -> io::Result<PathBuf> {
    let folder = directory.join(&trace.header.protocol);
    std::fs::create_dir_all(&folder)?;
    let name = trace_name(trace);
    // Written aside and renamed, so that a reader never sees half a trace.
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    std::fs::write(&draft, trace.to_ndjson())?;
    let path = folder.join(name);
    std::fs::rename(&draft, &path)?;
    Ok(path)
}

/// How many words of a guarantee's name go into the name of a file.
const WORDS_MAX: usize = 5;

/// The file name of a trace: its guarantee, or who found it, and a fingerprint of its schedule.
pub fn trace_name(trace: &Trace) -> String {
    let about = match &trace.header.guarantee {
        Some(guarantee) => slug(&guarantee.name),
        None => slug(&trace.header.origin),
    };
    let mut schedule: Vec<String> = trace.schedule().map(ToString::to_string).collect();
    schedule.extend(trace.header.loop_from.map(|from| format!("for ever after step {from}")));
    let setup = format!("{:?}", trace.header.setup);
    let fingerprint = cadre_model::fingerprint(&(setup, schedule)) as u32;
    format!("{about}-{fingerprint:08x}.ndjson")
}

/// The first words of a phrase, joined by dashes.
fn slug(phrase: &str) -> String {
    let words = phrase.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).take(WORDS_MAX);
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn the_first_words_of_a_guarantee_make_a_file_name() {
        assert_eq!(
            slug("No two nodes decide differently, ever!"),
            "no-two-nodes-decide-differently"
        );
    }
}
