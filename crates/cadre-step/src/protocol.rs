use std::fmt::Debug;
use std::hash::Hash;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Disk, Effects, Event, NodeId};

/// The pure step function of one node, with the types it is made of.
///
/// # Contract
///
/// * The result depends on the arguments alone: no clock, no randomness, no global state, no
///   iteration over a hash map. Engines run steps twice and report the step that differed.
/// * What a node must still know after a crash it has to put on its disk *and* sync; after a crash
///   [`start`](Protocol::start) sees that disk and nothing else.
/// * A panic is a statement that must not be reached: engines report it as a violation with its
///   trace.
///
/// # Examples
///
/// A node that answers every ping:
///
/// ```
/// use cadre_step::{Data, Disk, Effects, Event, NodeId, Nothing, Protocol};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
/// enum Message {
///     Ping,
///     Pong,
/// }
///
/// struct Echo;
///
/// impl Protocol for Echo {
///     type State = u32;
///     type Message = Message;
///     type Timer = Nothing;
///     type Request = Nothing;
///     type Response = Nothing;
///
///     fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u32 {
///         0
///     }
///
///     fn step(&self, _: NodeId, pings: &mut u32, event: Event<Self>, out: &mut Effects<Self>) {
///         if let Event::Deliver { from, message: Message::Ping } = event {
///             *pings += 1;
///             out.send(from, Message::Pong);
///         }
///     }
/// }
///
/// let (mut pings, mut out) = (0, Effects::new());
/// let from = NodeId::from_index(1);
/// let ping = Event::Deliver { from, message: Message::Ping };
/// Echo.step(NodeId::from_index(0), &mut pings, ping, &mut out);
/// assert_eq!(pings, 1);
/// assert_eq!(out.list().len(), 1);
/// ```
pub trait Protocol: Send + Sync {
    /// What a node keeps in memory.
    type State: Data;
    /// What nodes send to each other.
    type Message: Data;
    /// The name of a wake-up; arming it again replaces the earlier one.
    type Timer: Data + Ord;
    /// What a client asks of a node.
    type Request: Data;
    /// What a node answers to a client.
    type Response: Data;

    /// Makes the state of a node that starts, or starts again after a crash, from what its disk
    /// holds.
    fn start(&self, node: NodeId, disk: &Disk, out: &mut Effects<Self>) -> Self::State;

    /// Takes one event: changes `state` and asks for effects.
    fn step(
        &self,
        node: NodeId,
        state: &mut Self::State,
        event: Event<Self>,
        out: &mut Effects<Self>,
    );

    /// Lists what the node may do of its own accord in this state, as timers that could go off now.
    ///
    /// A choice reaches [`step`](Protocol::step) as [`Event::Timeout`]. Since being enabled follows
    /// from the state, choices add no configurations to a search, as armed timers do.
    fn choices(&self, node: NodeId, state: &Self::State) -> Vec<Self::Timer> {
        let _ = (node, state);
        Vec::new()
    }
}

/// What states, messages, timers, requests and responses have to be: plain, comparable serde data.
///
/// Implemented for every type that fits.
pub trait Data:
    Clone + Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T> Data for T where
    T: Clone + Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

/// The type with no values, for a protocol that has no timers, or no requests and responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Nothing {}
