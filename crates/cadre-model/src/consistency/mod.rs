//! Whether what clients were answered is consistent: linearizability, sequential consistency,
//! causal consistency and session guarantees, judged from a history alone.
//!
//! A [`History`] is plain data: who called what when, and what came of it. A [`Specification`] says
//! what an object answers to one client at a time; [`objects`] has ready-made ones.
//!
//! * [`linearizable`], [`explain_linearizability`]: Wing and Gong's search (1993), memoised as by
//!   Lowe (2017), key by key; of any object.
//! * [`sequential`], [`explain_sequential`]: the same search without real time, all keys at once;
//!   of any object.
//! * [`causal`]: bad patterns, after Bouajjani, Enea, Guerraoui and Hamza (POPL 2017); of reads and
//!   writes of distinct values.
//! * [`session`]: what one process saw, after Terry and others (1994); of reads and writes of
//!   distinct values.
//!
//! The first two decide NP-complete questions: they stop at a bound and then say
//! [`Verdict::Unknown`], never more. The others are polynomial.
//!
//! # Operations without an answer
//!
//! [`Outcome::Failed`] says that an operation certainly had no effect: it is left out.
//! [`Outcome::Unknown`], which a pending operation has too, says nothing: it may take effect at any
//! time from its invocation on, even after later operations of its process, or never. A negative
//! answer, such as that of a compare-and-set that found something else, is an answer like others.
//!
//! # Examples
//!
//! ```
//! use cadre_model::consistency::objects::{Answer, Register, RegisterOperation::{Read, Write}};
//! use cadre_model::consistency::{Budget, History, Verdict, linearizable, sequential};
//!
//! let register = Register { initial: 0 };
//! let mut history = History::new();
//! history.invoke(0, Write(1))?;
//! history.answer(0, Answer::Done)?;
//! history.invoke(1, Read)?;
//! history.answer(1, Answer::Value(0))?;
//!
//! let budget = Budget::default();
//! assert_eq!(linearizable(&register, &history, budget), Verdict::Violated);
//! assert_eq!(sequential(&register, &history, budget), Verdict::Holds);
//! # Ok::<(), cadre_model::consistency::HistoryError>(())
//! ```

mod accesses;
mod causal;
mod clocks;
mod explanation;
mod history;
mod linearizability;
mod minimal;
pub mod objects;
mod patterns;
mod recording;
mod search;
mod sequential;
mod sessions;
mod specification;
mod verdict;

pub use accesses::{Access, Accesses, ReadsAndWrites, Unsuitable};
pub use causal::{Causality, causal};
pub use explanation::{Told, draw, tell};
pub use history::{Call, History, HistoryError, Outcome};
pub use linearizability::{explain_linearizability, linearizable};
pub use patterns::smallest_pattern;
pub use recording::{
    Consistency, FORMAT as RECORDING_FORMAT, Object, Recording, RecordingError, RecordingHeader,
    RecordingReport, VERSION as RECORDING_VERSION,
};
pub use sequential::{explain_sequential, sequential};
pub use sessions::{SessionGuarantee, session};
pub use specification::Specification;
pub use verdict::{Budget, Explained, Pattern, Reason, Verdict, Violation};
