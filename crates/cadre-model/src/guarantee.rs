use std::fmt;

use cadre_trace::GuaranteeKind;

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
}

type Predicate<V> = Box<dyn Fn(&V) -> bool + Send + Sync>;
type Finding<V> = Box<dyn Fn(&V) -> String + Send + Sync>;

/// Which predicate of a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The predicate itself; of `pre → post`, the precondition.
    Main,
    /// The postcondition.
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

    /// Adds what a counterexample should say about its last configuration: a clause without a full
    /// stop, such as `rm1 has committed and rm2 has aborted`.
    #[must_use]
    pub fn finding(mut self, finding: impl Fn(&V) -> String + Send + Sync + 'static) -> Self {
        self.finding = Some(Box::new(finding));
        self
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
        Self { name, kind, main, post, finding: None }
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
