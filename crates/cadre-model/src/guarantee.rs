use std::fmt;

use cadre_trace::{Fairness, GuaranteeKind};

use crate::model::Claim;

/// A named demand on the executions of a model, as predicates over one configuration.
///
/// `V` is what the predicates see: the state of a plain model, or the [`View`](crate::View) of a
/// cluster.
///
/// # Examples
///
/// ```
/// use cadre_model::Guarantee;
///
/// let small = Guarantee::always("the counter stays small", |counter: &u32| *counter < 10);
/// assert_eq!(small.claim().name, "the counter stays small");
/// ```
pub struct Guarantee<V: ?Sized> {
    name: String,
    kind: GuaranteeKind,
    main: Predicate<V>,
    post: Option<Predicate<V>>,
    finding: Option<Finding<V>>,
    /// Whether it looks at what clients asked and were answered, and at nothing else.
    is_of_history: bool,
}

type Predicate<V> = Box<dyn Fn(&V) -> bool + Send + Sync>;
type Finding<V> = Box<dyn Fn(&V) -> String + Send + Sync>;

/// Which predicate of a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The predicate itself; of `pre → post`, the precondition; of *leads to*, what leads.
    Main,
    /// The postcondition; of *leads to*, what follows.
    Post,
}

impl<V: ?Sized> Guarantee<V> {
    /// Demands that a predicate is true in every configuration.
    pub fn always(
        name: impl Into<String>,
        holds: impl Fn(&V) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::new(name.into(), GuaranteeKind::Always, Box::new(holds), None)
    }

    /// Demands that a predicate is true in some configuration that can be reached.
    pub fn reachable(
        name: impl Into<String>,
        found: impl Fn(&V) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::new(name.into(), GuaranteeKind::Reachable, Box::new(found), None)
    }

    /// Demands that where nothing but faults can happen any more, `pre` implies `post`.
    pub fn pre_post(
        name: impl Into<String>,
        pre: impl Fn(&V) -> bool + Send + Sync + 'static,
        post: impl Fn(&V) -> bool + Send + Sync + 'static,
    ) -> Self {
        let post: Predicate<V> = Box::new(post);
        Self::new(name.into(), GuaranteeKind::PrePost, Box::new(pre), Some(post))
    }

    /// Demands that wherever nothing but faults can happen any more, `may_rest` is true: that the
    /// system gets stuck nowhere else.
    ///
    /// This is `pre → post` with a precondition that is always true.
    pub fn never_stuck(
        name: impl Into<String>,
        may_rest: impl Fn(&V) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::pre_post(name, |_| true, may_rest)
    }

    /// Demands that a predicate is true at some time in every execution, weakly fair unless said
    /// [otherwise](Guarantee::under).
    ///
    /// An execution is endless, or ends at rest: where nothing but faults can change anything any
    /// more. There it may stay for ever, since faults need not happen.
    pub fn eventually(
        name: impl Into<String>,
        reached: impl Fn(&V) -> bool + Send + Sync + 'static,
    ) -> Self {
        let kind = GuaranteeKind::Eventually(Fairness::default());
        Self::new(name.into(), kind, Box::new(reached), None)
    }

    /// Demands that whenever `from` is true, `to` is true then or later, in every execution, weakly
    /// fair unless said [otherwise](Guarantee::under).
    ///
    /// With a `from` that is always true: `to` is true again and again.
    pub fn leads_to(
        name: impl Into<String>,
        from: impl Fn(&V) -> bool + Send + Sync + 'static,
        to: impl Fn(&V) -> bool + Send + Sync + 'static,
    ) -> Self {
        let kind = GuaranteeKind::LeadsTo(Fairness::default());
        Self::new(name.into(), kind, Box::new(from), Some(Box::new(to)))
    }

    /// Demands that once there are no faults any more, a predicate becomes true and stays so: from
    /// every configuration that can be reached, faults included, in every execution that goes on
    /// without faults, weakly fair unless said [otherwise](Guarantee::under).
    pub fn convergent(
        name: impl Into<String>,
        settled: impl Fn(&V) -> bool + Send + Sync + 'static,
    ) -> Self {
        let kind = GuaranteeKind::Convergent(Fairness::default());
        Self::new(name.into(), kind, Box::new(settled), None)
    }

    /// Says which executions an [`eventually`](Guarantee::eventually),
    /// [`leads_to`](Guarantee::leads_to) or [`convergent`](Guarantee::convergent) is about.
    ///
    /// The other guarantees are violated by what has happened within finitely many steps, which no
    /// fairness undoes: to them this makes no difference.
    #[must_use]
    pub fn under(mut self, fairness: Fairness) -> Self {
        self.kind = match self.kind {
            GuaranteeKind::Eventually(_) => GuaranteeKind::Eventually(fairness),
            GuaranteeKind::LeadsTo(_) => GuaranteeKind::LeadsTo(fairness),
            GuaranteeKind::Convergent(_) => GuaranteeKind::Convergent(fairness),
            kind @ (GuaranteeKind::Always | GuaranteeKind::Reachable | GuaranteeKind::PrePost) => {
                kind
            }
        };
        self
    }

    /// Adds what a counterexample should say about its last configuration: a clause without a full
    /// stop, such as `rm1 has committed and rm2 has aborted`.
    #[must_use]
    pub fn finding(mut self, finding: impl Fn(&V) -> String + Send + Sync + 'static) -> Self {
        self.finding = Some(Box::new(finding));
        self
    }

    /// Says that it looks at the clients' history alone, so that it need not be evaluated again
    /// where that is the same.
    pub(crate) fn of_history(mut self) -> Self {
        self.is_of_history = true;
        self
    }

    pub(crate) fn is_of_history(&self) -> bool {
        self.is_of_history
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kind(&self) -> GuaranteeKind {
        self.kind
    }

    /// The name and the kind.
    pub fn claim(&self) -> Claim {
        Claim { name: self.name.clone(), kind: self.kind }
    }

    /// Evaluates one of the predicates.
    pub fn evaluate(&self, part: Part, view: &V) -> bool {
        match part {
            Part::Main => (self.main)(view),
            Part::Post => self.post.as_ref().is_none_or(|post| post(view)),
        }
    }

    /// What a counterexample says about its last configuration.
    pub fn describe(&self, view: &V) -> Option<String> {
        self.finding.as_ref().map(|finding| finding(view))
    }

    fn new(
        name: String,
        kind: GuaranteeKind,
        main: Predicate<V>,
        post: Option<Predicate<V>>,
    ) -> Self {
        Self { name, kind, main, post, finding: None, is_of_history: false }
    }
}

impl<V: ?Sized> fmt::Debug for Guarantee<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarantee")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
