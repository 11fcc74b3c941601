use std::path::{Path, PathBuf};

use cadre::trace::Trace;

/// A trace of the folder `traces/`, and how the index says that it ends.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its name in the index.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it tells.
    pub trace: Trace,
    /// The verdict in the index, as traces write it.
    pub verdict: String,
}

/// The traces that the index of `traces/` lists.
///
/// # Panics
///
/// Where the index or a trace does not read.
pub fn stored_traces() -> Vec<Stored> {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces");
    let text = |path: &Path| {
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let index: serde_json::Value =
        serde_json::from_str(&text(&traces.join("index.json"))).expect("the index is JSON");
    let listed = index["traces"].as_array().expect("the index has a list of traces");
    assert!(!listed.is_empty(), "the index lists nothing");
    let word = |entry: &serde_json::Value, field: &str| {
        entry[field].as_str().unwrap_or_else(|| panic!("{entry} has no {field}")).to_owned()
    };
    let stored = listed.iter().map(|entry| {
        let name = word(entry, "file");
        let path = traces.join(&name);
        let trace = Trace::from_ndjson(&text(&path));
        let trace = trace.unwrap_or_else(|error| panic!("{name}: {error}"));
        Stored { name, path, trace, verdict: word(entry, "verdict") }
    });
    stored.collect()
}
