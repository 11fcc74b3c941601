use crate::consistency::{Causality, SessionGuarantee};

/// What was called in a recorded history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// `read`, `write`.
    Register,
    /// `read`, `write`, `compare-and-set`.
    CompareAndSetRegister,
    /// `read`, `write`, of which the first stays.
    WriteOnce,
    /// `read`, `write`, `compare-and-set`, each with a key.
    KeyValue,
    /// `enqueue`, `dequeue`.
    Queue,
    /// `acquire`, `release`.
    Lock,
    /// `add`, `read`.
    Counter,
    /// `append`, `read`.
    Log,
}

/// What is asked of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// Linearizability.
    Linearizable,
    /// Sequential consistency.
    Sequential,
    /// Causal consistency, one of its kinds.
    Causal(Causality),
    /// One session guarantee.
    Session(SessionGuarantee),
    /// All session guarantees.
    Sessions,
}

impl Object {
    /// All objects.
    pub const ALL: [Self; 8] = [
        Self::Register,
        Self::CompareAndSetRegister,
        Self::WriteOnce,
        Self::KeyValue,
        Self::Queue,
        Self::Lock,
        Self::Counter,
        Self::Log,
    ];

    /// Its name in files and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::CompareAndSetRegister => "cas-register",
            Self::WriteOnce => "write-once",
            Self::KeyValue => "kv",
            Self::Queue => "queue",
            Self::Lock => "lock",
            Self::Counter => "counter",
            Self::Log => "log",
        }
    }

    /// The object of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name() == name)
    }
}

impl Consistency {
    /// All properties.
    pub const ALL: [Self; 10] = [
        Self::Linearizable,
        Self::Sequential,
        Self::Causal(Causality::Causal),
        Self::Causal(Causality::Convergent),
        Self::Causal(Causality::Memory),
        Self::Session(SessionGuarantee::ReadYourWrites),
        Self::Session(SessionGuarantee::MonotonicReads),
        Self::Session(SessionGuarantee::MonotonicWrites),
        Self::Session(SessionGuarantee::WritesFollowReads),
        Self::Sessions,
    ];

    /// Its name in commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linearizable => "linearizable",
            Self::Sequential => "sequential",
            Self::Causal(Causality::Causal) => "causal",
            Self::Causal(Causality::Convergent) => "causal-convergence",
            Self::Causal(Causality::Memory) => "causal-memory",
            Self::Session(SessionGuarantee::ReadYourWrites) => "read-your-writes",
            Self::Session(SessionGuarantee::MonotonicReads) => "monotonic-reads",
            Self::Session(SessionGuarantee::MonotonicWrites) => "monotonic-writes",
            Self::Session(SessionGuarantee::WritesFollowReads) => "writes-follow-reads",
            Self::Sessions => "sessions",
        }
    }

    /// The property of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|consistency| consistency.name() == name)
    }
}
