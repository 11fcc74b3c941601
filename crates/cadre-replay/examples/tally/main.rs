//! Hosts one node of a small protocol, as a program of a user's would: the process that the tests
//! of this crate replay against.

mod protocol;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, BufReader};
use std::time::Duration;

use cadre_runtime::{Defect, HostOptions, Mode, host};
use cadre_step::NodeId;

use protocol::{Tally, Trouble};

fn main() -> Result<(), Shown> {
    run().map_err(|error| Shown(error.to_string()))
}

/// What `main` prints when it fails, which is the debug form.
struct Shown(String);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let said = arguments(std::env::args().skip(1));
    let word = |name: &str| said.get(name).ok_or_else(|| format!("expected --{name}"));
    let names: Vec<String> = word("names")?.split(',').map(str::to_owned).collect();
    let node = names.iter().position(|name| Some(name) == said.get("node"));
    let node = node.ok_or_else(|| format!("expected --node with one of {names:?}"))?;
    let trouble = match said.get("trouble").map(String::as_str) {
        Some("dies") => Some(Trouble::Dies),
        Some("hangs") => Some(Trouble::Hangs),
        _ => None,
    };
    let mode = match said.get("seed") {
        Some(seed) => {
            Mode::Free { seed: seed.parse()?, choice_delay_max: Duration::from_millis(5) }
        }
        None => Mode::Steered,
    };
    let options = HostOptions {
        node: NodeId::from_index(node),
        listen: word("listen")?.parse()?,
        data: word("data")?.into(),
        clients: vec!["client".to_owned()],
        mode,
        defect: said.get("answers-before-sync").map(|_| Defect::AnswersBeforeSync),
        names,
    };
    let tally =
        Tally { nodes: (0..options.names.len()).map(NodeId::from_index).collect(), trouble };
    host(&tally, &options, BufReader::new(io::stdin()), io::stdout().lock())?;
    Ok(())
}

/// `--name value` pairs.
fn arguments(words: impl Iterator<Item = String>) -> BTreeMap<String, String> {
    let words: Vec<String> = words.collect();
    let pairs = words.as_chunks::<2>().0.iter();
    pairs.map(|[name, value]| (name.trim_start_matches("--").to_owned(), value.clone())).collect()
}
