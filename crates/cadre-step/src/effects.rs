use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::{NodeId, Protocol, RequestId};

/// What one step asks of its surroundings, in the order in which it asks.
///
/// # Contract
///
/// Effects are carried out in order. In particular a message asked for after
/// [`put_synced`](Effects::put_synced) leaves only when that write survives a crash.
pub struct Effects<P: Protocol + ?Sized> {
    list: Vec<EffectOf<P>>,
}

impl<P: Protocol + ?Sized> Effects<P> {
    /// An empty list.
    pub fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// An empty list in the room of an earlier one, for whoever takes many steps.
    pub fn reusing(mut list: Vec<EffectOf<P>>) -> Self {
        list.clear();
        Self { list }
    }

    /// The effects asked for so far.
    pub fn list(&self) -> &[EffectOf<P>] {
        &self.list
    }

    /// Gives the list away.
    pub fn into_list(self) -> Vec<EffectOf<P>> {
        self.list
    }

    /// Sends a message; the network may lose, delay, duplicate or reorder it.
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.list.push(Effect::Send { to, message });
    }

    /// Sends the same message to several nodes.
    pub fn broadcast(&mut self, to: impl IntoIterator<Item = NodeId>, message: P::Message) {
        for node in to {
            self.send(node, message.clone());
        }
    }

    /// Arms a timer; one of the same name that is still armed is replaced.
    ///
    /// The delay is for engines that know time. An untimed search lets an armed timer go off at any
    /// moment.
    pub fn set_timer(&mut self, timer: P::Timer, after: Duration) {
        self.list.push(Effect::SetTimer { timer, after });
    }

    /// Disarms a timer; no effect where it is not armed.
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        self.list.push(Effect::CancelTimer { timer });
    }

    /// Puts a value, as JSON, under a key; lost in a crash until a [`sync`](Effects::sync) is done.
    ///
    /// # Panics
    ///
    /// Where the value has no JSON form, such as a map whose keys are structs.
    pub fn put(&mut self, key: impl AsRef<[u8]>, value: &impl Serialize) {
        self.list.push(Effect::Put { key: key.as_ref().to_vec(), value: to_json(value) });
    }

    /// Puts a value, as JSON, under a key, and syncs: one atomic effect.
    ///
    /// For protocols in which the gap between the write and its sync does not matter; it adds no
    /// configurations to a search. It makes nothing durable that was put before without a sync.
    ///
    /// # Panics
    ///
    /// Where the value has no JSON form.
    pub fn put_synced(&mut self, key: impl AsRef<[u8]>, value: &impl Serialize) {
        self.list.push(Effect::PutSynced { key: key.as_ref().to_vec(), value: to_json(value) });
    }

    /// Deletes a key; comes back in a crash until a [`sync`](Effects::sync) is done.
    pub fn delete(&mut self, key: impl AsRef<[u8]>) {
        self.list.push(Effect::Delete { key: key.as_ref().to_vec() });
    }

    /// Asks that all earlier puts and deletes survive a crash; answered by
    /// [`Event::SyncDone`](crate::Event::SyncDone).
    pub fn sync(&mut self) {
        self.list.push(Effect::Sync);
    }

    /// Answers a client's request.
    pub fn respond(&mut self, request: RequestId, response: P::Response) {
        self.list.push(Effect::Respond { request, response });
    }
}

/// One thing a step asks for: see the method of [`Effects`] with the same name.
///
/// Generic in the message, timer and response types; [`EffectOf`] names it by the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect<M, T, R> {
    /// [`Effects::send`].
    Send {
        /// The node it is for.
        to: NodeId,
        /// What it says.
        message: M,
    },
    /// [`Effects::set_timer`].
    SetTimer {
        /// Its name.
        timer: T,
        /// When it goes off, counted from this step.
        after: Duration,
    },
    /// [`Effects::cancel_timer`].
    CancelTimer {
        /// Its name.
        timer: T,
    },
    /// [`Effects::put`].
    Put {
        /// The key.
        key: Vec<u8>,
        /// The value's JSON text.
        value: Vec<u8>,
    },
    /// [`Effects::put_synced`].
    PutSynced {
        /// The key.
        key: Vec<u8>,
        /// The value's JSON text.
        value: Vec<u8>,
    },
    /// [`Effects::delete`].
    Delete {
        /// The key.
        key: Vec<u8>,
    },
    /// [`Effects::sync`].
    Sync,
    /// [`Effects::respond`].
    Respond {
        /// The request that is answered.
        request: RequestId,
        /// The answer.
        response: R,
    },
}

/// The effects of a protocol's steps.
pub type EffectOf<P> =
    Effect<<P as Protocol>::Message, <P as Protocol>::Timer, <P as Protocol>::Response>;

impl<P: Protocol + ?Sized> Default for Effects<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Protocol + ?Sized> fmt::Debug for Effects<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a value for the disk has a JSON form")
}
