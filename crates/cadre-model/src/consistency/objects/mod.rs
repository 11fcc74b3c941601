//! Sequential specifications that are often needed.
//!
//! Values are anything that can be cloned, compared and hashed. Each object of this module becomes
//! many by [`Keyed`]: a key-value store is a keyed [`Register`].

mod counter;
mod keyed;
mod lock;
mod log;
mod queue;
mod register;
mod write_once;

use std::fmt;
use std::fmt::Debug;
use std::hash::Hash;

pub use counter::{Counter, CounterOperation};
pub use keyed::{At, Keyed};
pub use lock::{Lock, LockOperation};
pub use log::{Log, LogOperation};
pub use queue::{Queue, QueueOperation};
pub use register::{Register, RegisterOperation};
pub use write_once::{WriteOnce, WriteOnceOperation};

/// What values need.
pub trait Value: Clone + Eq + Hash + Debug {}

impl<V: Clone + Eq + Hash + Debug> Value for V {}

/// What the objects of this module answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer<V> {
    /// It was done.
    Done,
    /// It was not done: the state did not allow it.
    Refused,
    /// A value.
    Value(V),
    /// There is no value.
    Empty,
    /// Several values.
    Values(Vec<V>),
}

impl<V: fmt::Display> fmt::Display for Answer<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("ok"),
            Self::Refused => f.write_str("refused"),
            Self::Value(value) => write!(f, "{value}"),
            Self::Empty => f.write_str("empty"),
            Self::Values(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", values.join(", "))
            }
        }
    }
}
