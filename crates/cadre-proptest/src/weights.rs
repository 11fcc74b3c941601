use std::collections::BTreeMap;

use cadre_model::{Cause, Class, Model};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

/// How likely the classes of a model's actions are, one beside the other.
///
/// By default each walk draws weights of its own around these before its first step, and does
/// without about half of the faults (swarm testing, Groce and others 2012): walks that are all
/// alike find less.
///
/// # Examples
///
/// ```
/// use cadre_model::{Model, check};
/// use cadre_proptest::Weights;
///
/// # struct Idle;
/// # impl Model for Idle {
/// #     type State = ();
/// #     type Action = ();
/// #     fn init(&self) -> Vec<()> { vec![()] }
/// #     fn actions(&self, _: &(), _: &mut Vec<()>) {}
/// #     fn next(&self, _: &(), _: &()) -> Option<()> { None }
/// # }
/// let weights = Weights::new(&Idle, [("action", 10), ("fault", 1)])?.steady();
/// assert!(Weights::new(&Idle, [("tea-break", 1)]).is_err());
/// # Ok::<(), cadre_proptest::WeightsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// What is not what the model says.
    given: BTreeMap<&'static str, u32>,
    is_steady: bool,
}

/// The largest weight.
pub const WEIGHT_MAX: u32 = 1_000_000;

/// Why classes cannot be weighted so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum WeightsError {
    #[error("there is no class of actions `{found}`; there is {}", .known.join(", "))]
    Unknown { found: String, known: Vec<&'static str> },

    #[error("expected at least one weight above 0, found none: nothing could ever happen")]
    AllZero,

    #[error("expected a weight of at most {WEIGHT_MAX} for {class}, found {found}")]
    TooLarge { class: String, found: u32 },
}

impl Weights {
    /// The model's own weights, but for some classes. What weighs 0 never happens.
    ///
    /// # Errors
    ///
    /// Where the model has no such class, or nothing could ever happen.
    pub fn new<'n, M: Model>(
        model: &M,
        given: impl IntoIterator<Item = (&'n str, u32)>,
    ) -> Result<Self, WeightsError> {
        let classes = model.classes();
        let mut weights = Self::default();
        for (name, weight) in given {
            let known = classes.iter().find(|class| class.name == name);
            let class = known.ok_or_else(|| WeightsError::Unknown {
                found: name.to_owned(),
                known: classes.iter().map(|class| class.name).collect(),
            })?;
            if weight > WEIGHT_MAX {
                return Err(WeightsError::TooLarge { class: name.to_owned(), found: weight });
            }
            weights.given.insert(class.name, weight);
        }
        match classes.iter().all(|class| weights.of(class) == 0) {
            true => Err(WeightsError::AllZero),
            false => Ok(weights),
        }
    }

    /// The same weights in every walk.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.is_steady = true;
        self
    }

    fn of(&self, class: &Class) -> u32 {
        self.given.get(class.name).copied().unwrap_or(class.weight)
    }

    /// The weights of one walk.
    pub(crate) fn draw<M: Model>(&self, model: &M, random: &mut TestRng) -> Drawn {
        let draw = |class: Class| {
            let stated = self.of(&class);
            let factor = match (self.is_steady, class.cause) {
                (true, _) => 1,
                (false, Cause::Fault) if random.random_range(0..2) == 0 => 0,
                (false, _) => 1 << random.random_range(0..4),
            };
            (class.name, Weight { stated, drawn: stated * factor })
        };
        Drawn(model.classes().into_iter().map(draw).collect())
    }
}

impl Default for Weights {
    /// What the model says, varied from walk to walk.
    fn default() -> Self {
        Self { given: BTreeMap::new(), is_steady: false }
    }
}

/// The weights of one walk.
#[derive(Clone, Debug)]
pub(crate) struct Drawn(Vec<(&'static str, Weight)>);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Weight {
    /// What the user or the model says.
    pub(crate) stated: u32,
    /// What it is in this walk.
    pub(crate) drawn: u32,
}

impl Drawn {
    pub(crate) fn of(&self, class: Class) -> Weight {
        let found = self.0.iter().find(|(name, _)| *name == class.name);
        // A model should list every class; what it does not list has the weight that it says.
        found.map_or(Weight { stated: class.weight, drawn: class.weight }, |(_, weight)| *weight)
    }

    /// In words, for a log.
    pub(crate) fn label(&self) -> String {
        let weights = self.0.iter().map(|(name, weight)| format!("{name} {}", weight.drawn));
        weights.collect::<Vec<_>>().join(", ")
    }
}
