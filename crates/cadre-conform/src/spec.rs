use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cadre_tla::Value;

/// A TLA+ specification together with the module that maps traces to it.
///
/// # Contract
///
/// The trace module extends the specification and defines
///
/// - `TraceInit`, the initial states a trace may have;
/// - `TraceEvent(e)`, an action: the step of the specification which the event
///   `e = [name |-> action, args |-> record of arguments]` stands for, and `FALSE` for all others;
/// - `TraceArguments`, a record from each action's name to the set of its argument records
///   (`[rm : RM]`), `{<<>>}` for an action without arguments.
///
/// For [`check_graph`](crate::check_graph) these sets are finite, and the next-state action of the
/// specification is called `Next`.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The name by which the specification is reported, such as `TwoPhase`.
    pub name: String,
    /// The trace module, such as `TraceTwoPhase`.
    pub trace_module: String,
    /// All modules: file name and text.
    pub files: Vec<(String, String)>,
    /// The values of the specification's constants. Model values are declared as they occur.
    pub constants: BTreeMap<String, Value>,
    /// The variables of the specification, all of them.
    pub variables: Vec<String>,
    /// Invariants to be checked in every state that a trace reaches.
    pub invariants: Vec<String>,
    /// What is claimed of endless behaviours, which traces cannot show; for
    /// [`check_model`](crate::check_model) alone.
    pub temporal: Option<Temporal>,
}

impl Spec {
    /// A specification with a trace module that is called like it, behind `Trace`; for the rest it
    /// is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use cadre_conform::Spec;
    /// use cadre_tla::Value;
    ///
    /// let text = "---- MODULE Counter ----\n…\n====\n";
    /// let trace = "---- MODULE TraceCounter ----\nEXTENDS Counter\n…\n====\n";
    /// let spec = Spec::new("Counter")
    ///     .module("Counter", text)
    ///     .module("TraceCounter", trace)
    ///     .constant("Max", Value::Int(3))
    ///     .variables(["count"])
    ///     .invariants(["Small"]);
    /// assert_eq!(spec.trace_module, "TraceCounter");
    /// assert_eq!(spec.files[0].0, "Counter.tla");
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            trace_module: format!("Trace{name}"),
            name,
            files: Vec::new(),
            constants: BTreeMap::new(),
            variables: Vec::new(),
            invariants: Vec::new(),
            temporal: None,
        }
    }

    /// With another trace module than the one of its name.
    pub fn trace_module(mut self, module: impl Into<String>) -> Self {
        self.trace_module = module.into();
        self
    }

    /// With the text of a module.
    pub fn module(mut self, name: &str, text: impl Into<String>) -> Self {
        self.files.push((format!("{name}.tla"), text.into()));
        self
    }

    /// With the value of a constant.
    pub fn constant(mut self, name: impl Into<String>, value: Value) -> Self {
        self.constants.insert(name.into(), value);
        self
    }

    /// With these variables, which are all.
    pub fn variables<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.variables = names.into_iter().map(Into::into).collect();
        self
    }

    /// With these invariants.
    pub fn invariants<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.invariants = names.into_iter().map(Into::into).collect();
        self
    }

    /// With properties of the behaviours of a formula, which has the fairness that they need.
    pub fn temporal<N: Into<String>>(
        mut self,
        specification: impl Into<String>,
        properties: impl IntoIterator<Item = N>,
    ) -> Self {
        let properties = properties.into_iter().map(Into::into).collect();
        self.temporal = Some(Temporal { specification: specification.into(), properties });
        self
    }
}

/// What is claimed of a specification's behaviours as wholes.
#[derive(Clone, Debug)]
pub struct Temporal {
    /// The formula that is the specification with its fairness, such as `FairSpec`.
    pub specification: String,
    /// The properties of it.
    pub properties: Vec<String>,
}

/// A recorded behaviour in the words of the specification.
#[derive(Clone, Debug, Default)]
pub struct SpecTrace {
    /// The name by which it is reported.
    pub name: String,
    /// What is known of the state it starts in.
    pub initial: Option<BTreeMap<String, Value>>,
    /// Its steps.
    pub steps: Vec<SpecStep>,
}

/// One step of a trace.
#[derive(Clone, Debug)]
pub struct SpecStep {
    /// What happened.
    pub action: SpecAction,
    /// What is known of the state afterwards: some variables, or all.
    pub variables: Option<BTreeMap<String, Value>>,
}

/// What a step is in the specification.
///
/// A step of an implementation may be several steps of the specification, in one of several orders
/// even: such a composition is stated, and the states between its steps are the checker's to find.
///
/// # Examples
///
/// ```
/// use cadre_conform::SpecAction;
///
/// let prepare = || SpecAction::named("Prepare").with("rm", 1.into());
/// let vote = || SpecAction::named("Vote").with("rm", 1.into());
/// let step = vote().or(prepare().then(vote()));
/// assert_eq!(step.to_string(), "Vote(rm: 1) or Prepare(rm: 1) · Vote(rm: 1)");
/// assert_eq!(step.ways(), [vec![vote()], vec![prepare(), vote()]]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpecAction {
    /// Nothing changes in the specification.
    Stutter,
    /// One step of it.
    Step {
        /// The name of the action.
        name: String,
        /// All its arguments by name.
        arguments: BTreeMap<String, Value>,
    },
    /// These, one after the other.
    Sequence(Vec<SpecAction>),
    /// One of these, whichever the specification allows.
    OneOf(Vec<SpecAction>),
}

impl SpecAction {
    /// The action of this name without arguments.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Step { name: name.into(), arguments: BTreeMap::new() }
    }

    /// The same action with one more argument; of a composition each step gets it, and a stutter
    /// stays a stutter.
    pub fn with(mut self, argument: impl Into<String>, value: Value) -> Self {
        self.add_argument(&argument.into(), &value);
        self
    }

    /// This, and then another.
    pub fn then(self, next: Self) -> Self {
        match self {
            Self::Sequence(mut parts) => {
                parts.push(next);
                Self::Sequence(parts)
            }
            first => Self::Sequence(vec![first, next]),
        }
    }

    /// Either this or another.
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::OneOf(mut alternatives) => {
                alternatives.push(other);
                Self::OneOf(alternatives)
            }
            first => Self::OneOf(vec![first, other]),
        }
    }

    /// The sequences that this may be, each of stutters and single steps: never empty, and with a
    /// stutter only where there is nothing else.
    pub fn ways(&self) -> Vec<Vec<Self>> {
        match self {
            Self::Stutter | Self::Step { .. } => vec![vec![self.clone()]],
            Self::Sequence(parts) => {
                let mut ways = vec![Vec::new()];
                for part in parts {
                    let of_part = part.ways();
                    let longer = |way: &Vec<Self>| {
                        let way = way.clone();
                        let joined = move |next: &Vec<Self>| [&way[..], &next[..]].concat();
                        of_part.iter().map(joined).collect::<Vec<_>>()
                    };
                    ways = ways.iter().flat_map(longer).collect();
                }
                ways.into_iter().map(without_stutters).collect()
            }
            Self::OneOf(alternatives) => alternatives.iter().flat_map(Self::ways).collect(),
        }
    }

    /// How many [`ways`](Self::ways) there are; they multiply, so that they are counted before they
    /// are written out.
    pub(crate) fn ways_count(&self) -> usize {
        match self {
            Self::Stutter | Self::Step { .. } => 1,
            Self::Sequence(parts) => {
                parts.iter().map(Self::ways_count).fold(1, usize::saturating_mul)
            }
            Self::OneOf(alternatives) => {
                alternatives.iter().map(Self::ways_count).fold(0, usize::saturating_add)
            }
        }
    }

    /// Whether this is one step at most, and known to be that one.
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Stutter | Self::Step { .. })
    }

    /// Whether each action that this mentions has one of these names.
    pub fn names_are_in(&self, names: &BTreeSet<String>) -> bool {
        self.mentioned().iter().all(|(name, _)| names.contains(*name))
    }

    /// The single steps that this mentions: names with arguments.
    pub(crate) fn mentioned(&self) -> Vec<(&String, &BTreeMap<String, Value>)> {
        match self {
            Self::Stutter => Vec::new(),
            Self::Step { name, arguments } => vec![(name, arguments)],
            Self::Sequence(parts) | Self::OneOf(parts) => {
                parts.iter().flat_map(Self::mentioned).collect()
            }
        }
    }

    fn add_argument(&mut self, argument: &str, value: &Value) {
        match self {
            Self::Stutter => {}
            Self::Step { arguments, .. } => {
                arguments.insert(argument.to_owned(), value.clone());
            }
            Self::Sequence(parts) | Self::OneOf(parts) => {
                parts.iter_mut().for_each(|part| part.add_argument(argument, value));
            }
        }
    }
}

fn without_stutters(mut way: Vec<SpecAction>) -> Vec<SpecAction> {
    way.retain(|step| *step != SpecAction::Stutter);
    if way.is_empty() { vec![SpecAction::Stutter] } else { way }
}

impl fmt::Display for SpecAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stutter => f.write_str("stutter"),
            Self::Step { name, arguments } if arguments.is_empty() => f.write_str(name),
            Self::Step { name, arguments } => {
                write!(f, "{name}(")?;
                for (position, (argument, value)) in arguments.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{argument}: {value}")?;
                }
                f.write_str(")")
            }
            Self::Sequence(parts) => {
                for (position, part) in parts.iter().enumerate() {
                    let dot = if position > 0 { " · " } else { "" };
                    match part {
                        Self::OneOf(_) => write!(f, "{dot}({part})")?,
                        Self::Stutter | Self::Step { .. } | Self::Sequence(_) => {
                            write!(f, "{dot}{part}")?;
                        }
                    }
                }
                Ok(())
            }
            Self::OneOf(alternatives) => {
                for (position, alternative) in alternatives.iter().enumerate() {
                    let or = if position > 0 { " or " } else { "" };
                    write!(f, "{or}{alternative}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> SpecAction {
        SpecAction::named(name)
    }

    #[test]
    fn the_ways_of_a_composition_are_all_orders_that_it_states() {
        let either = named("A").or(named("A").then(named("B"))).or(named("B").then(named("A")));
        let text = |action: &SpecAction| {
            let ways = action.ways().into_iter().map(|way| SpecAction::Sequence(way).to_string());
            ways.collect::<Vec<_>>().join("; ")
        };
        assert_eq!(text(&either), "A; A · B; B · A");
        let twice = named("C").then(either.clone()).then(SpecAction::Stutter);
        assert_eq!(twice.to_string(), "C · (A or A · B or B · A) · stutter");
        assert_eq!(text(&twice), "C · A; C · A · B; C · B · A");
        assert_eq!(text(&SpecAction::Stutter.then(SpecAction::Stutter)), "stutter");
        assert_eq!(text(&SpecAction::OneOf(Vec::new())), "");
        assert_eq!(text(&SpecAction::Sequence(Vec::new())), "stutter");
    }

    #[test]
    fn an_argument_is_given_to_every_step_and_to_no_stutter() {
        let action = named("A").then(SpecAction::Stutter.or(named("B"))).with("n", 1.into());
        assert_eq!(action.to_string(), "A(n: 1) · (stutter or B(n: 1))");
    }
}
