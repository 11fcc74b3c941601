/// What a checker says of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The history has the property.
    Holds,
    /// It has not.
    Violated,
    /// The search stopped at its bound: nothing is known.
    Unknown {
        /// The steps that were taken.
        steps: u64,
    },
}

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The most steps; a step tries one operation in one state.
    pub steps_max: u64,
}

/// A verdict with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained<A> {
    /// The verdict.
    pub verdict: Verdict,
    /// The steps that the verdict took, those of the explanation not counted.
    pub steps: u64,
    /// Why, where it is [`Verdict::Violated`].
    pub violation: Option<Violation<A>>,
}

/// Why a history is not consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation<A> {
    /// Operations that are inconsistent by themselves, by their places in the history.
    ///
    /// Operations are only left out where a consistent history stays consistent without them: those
    /// that change nothing, and those of one subject together, so that no answer is left without
    /// what it came from. See [`Specification::subjects`](super::Specification::subjects).
    pub operations: Vec<usize>,
    /// Whether nothing more can be left out; `false` where the budget ended before that was known.
    pub is_minimal: bool,
    /// The reason.
    pub reason: Reason<A>,
}

/// The reason why a history is not consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason<A> {
    /// Not linearizable: an answer came that no order allows.
    NoPlace {
        /// The number of events of the longest linearizable prefix of the history, as far as the
        /// objects are concerned that this violation is about; `None` where the budget ended.
        legal_events: Option<usize>,
        /// One legal order of that prefix, among the operations that are shown.
        order: Vec<usize>,
        /// The operation whose answer has no place.
        operation: usize,
        /// The answers that would have had one, those that the search came across.
        expected: Vec<A>,
    },
    /// Not sequentially consistent: no order of all operations allows these answers.
    NoOrder {
        /// The longest legal beginning of an order that was found, among the operations shown.
        order: Vec<usize>,
        /// What each process would have to do next, and cannot.
        next: Vec<usize>,
    },
    /// A pattern of reads and writes that cannot be.
    Pattern(Pattern),
}

/// A pattern of reads and writes that contradicts causal consistency or a session guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A read of a value that nobody has written.
    ThinAirRead {
        /// The read.
        read: usize,
    },
    /// Operations each of which comes before the next, and the last before the first.
    Cycle {
        /// In which way one comes before another.
        how: &'static str,
        /// The operations.
        cycle: Vec<usize>,
        /// Reads that force some of them to come before the next, with what leads to these.
        because: Vec<usize>,
    },
    /// A read of the initial value, though a write to the same key comes before it.
    StaleInitial {
        /// Why the read must see the write.
        why: &'static str,
        /// The write.
        write: usize,
        /// Operations by which the one leads to the other.
        path: Vec<usize>,
        /// The read.
        read: usize,
    },
    /// A read of a value that has been overwritten by what comes before the read.
    StaleRead {
        /// Why the read must see the newer write.
        why: &'static str,
        /// The write whose value is read.
        old: usize,
        /// The write that overwrote it.
        new: usize,
        /// Operations by which the newer write leads to the read.
        path: Vec<usize>,
        /// The read.
        read: usize,
    },
}

impl Default for Budget {
    /// Four million steps: some seconds, and some hundred megabytes for small states.
    fn default() -> Self {
        Self { steps_max: 4_000_000 }
    }
}

impl Pattern {
    /// The operations that the pattern is made of, in the order of the history.
    pub fn operations(&self) -> Vec<usize> {
        let mut operations = match self {
            Self::ThinAirRead { read } => vec![*read],
            Self::Cycle { cycle, because, .. } => [cycle.as_slice(), because].concat(),
            Self::StaleInitial { write, path, read, .. } => {
                [&[*write, *read], path.as_slice()].concat()
            }
            Self::StaleRead { old, new, path, read, .. } => {
                [&[*old, *new, *read], path.as_slice()].concat()
            }
        };
        operations.sort_unstable();
        operations.dedup();
        operations
    }
}
