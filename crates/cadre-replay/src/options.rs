use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use cadre_process::Program;
use cadre_trace::Json;

use crate::ReplayError;

/// What a trace is replayed against.
#[derive(Clone, Debug)]
pub struct ReplayOptions<'a> {
    /// What hosts one node and waits for commands, with everything said but which node it is: it is
    /// given `--node NAME --listen ADDRESS --data DIRECTORY` as further arguments.
    pub program: Program,
    /// The port of the first node, the others follow; `None` for free ports.
    pub base_port: Option<u16>,
    /// How long anything may take: a start, a step, a message.
    pub step_limit: Duration,
    /// Where the nodes' disks and logs go. No node's disk may be there yet.
    pub directory: &'a Path,
}

impl ReplayOptions<'_> {
    /// How long a step of a healthy process never takes.
    pub const STEP_LIMIT: Duration = Duration::from_secs(5);
}

/// What is recorded, and for how long.
#[derive(Clone, Debug)]
pub struct RecordOptions<'a> {
    /// What hosts one node and goes its own way, with everything said but which node it is: it is
    /// given `--node NAME --listen ADDRESS --data DIRECTORY --seed SEED` as further arguments.
    pub program: Program,
    /// What the nodes' choices follow from.
    pub seed: u64,
    /// The run is ended after this time, finished or not.
    pub duration_max: Duration,
    /// The run is taken to be finished once no node has made a step for this long.
    pub quiet: Duration,
    /// How long a node may take to start, and to end.
    pub start_limit: Duration,
    /// How messages in flight are accounted for.
    pub network: Network,
    /// What the nodes are asked.
    pub clients: &'a [ClientRequests],
    /// Where the nodes' disks and logs go. No node's disk may be there yet.
    pub directory: &'a Path,
}

/// What one client asks of one node, each request after the answer to the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRequests {
    /// The name of the client.
    pub client: String,
    /// The name of the node.
    pub node: String,
    /// The requests.
    pub requests: Vec<Json>,
}

/// How messages in flight are accounted for, in the words of a trace's header.
///
/// # Examples
///
/// ```
/// use cadre_replay::Network;
///
/// assert_eq!("growing-set".parse::<Network>().unwrap(), Network::GrowingSet);
/// assert_eq!(Network::ConsumedOnce.to_string(), "consumed-once");
/// assert!("pigeons".parse::<Network>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// A message that was sent once is in flight for ever.
    GrowingSet,
    /// A message is in flight until it is delivered, as often as it was sent.
    ConsumedOnce,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GrowingSet => "growing-set",
            Self::ConsumedOnce => "consumed-once",
        })
    }
}

impl FromStr for Network {
    type Err = ReplayError;

    fn from_str(text: &str) -> Result<Self, ReplayError> {
        let all = [Self::GrowingSet, Self::ConsumedOnce];
        let found = all.into_iter().find(|network| network.to_string() == text);
        found.ok_or_else(|| ReplayError::UnknownNetwork { found: text.to_owned() })
    }
}
