use std::fmt;

/// Where a model puts what it finds when a search asks it to [expand](crate::Model::expand)
/// configurations; `state` is always a position among those.
pub trait Expansion<A> {
    /// A configuration that follows, and what need not be tried there.
    fn successor(&mut self, state: usize, action: A, fingerprint: u128, asleep: Asleep);

    /// An action whose outcome is not known yet: the configuration is to be expanded again once the
    /// model has [learned](crate::Model::learn) it, and nothing else is told of it now.
    fn unknown(&mut self, state: usize, action: A);

    /// A configuration in which only faults can change anything.
    fn at_rest(&mut self, state: usize);

    /// Code of the user did not return: the guarantee that this violates.
    fn failed(&mut self, state: usize, action: Option<A>, guarantee: usize, why: String);
}

/// The actions that need not be tried in a configuration, as each leads to where another order of
/// the same actions leads: a sleep set (Godefroid, "Partial-Order Methods for the Verification of
/// Concurrent Systems", 1996).
///
/// Which bit stands for which action is the model's business. An action without a bit is never
/// asleep, and [`NONE`](Asleep::NONE) is right in every configuration: it only means more work.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Asleep(pub u128);

impl Asleep {
    /// No action is asleep.
    pub const NONE: Self = Self(0);

    /// What is asleep however the configuration was reached: the intersection.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for Asleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asleep({:#x})", self.0)
    }
}
