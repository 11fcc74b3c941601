//! What a specification allows in given states, as TLC dumped it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cadre_tla::{Dump, TlaError, Value};

use super::composed::{Composed, Compositions};
use super::encode::{KIND, NODE};
use super::spec_graph::SpecGraph;
use crate::events::IMPOSSIBLE;
use crate::{ConformError, SpecAction};

/// The steps that a specification allows from some states of a graph.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    /// The initial states; `None` for one that the graph does not have.
    pub(crate) initial: Vec<Option<usize>>,
    /// For each action the steps by it as source and target, sorted. The target is `None` if the
    /// graph does not have it.
    pub(crate) by_action: BTreeMap<SpecAction, Vec<(usize, Option<usize>)>>,
    /// The steps of `Next`, likewise.
    pub(crate) by_next: Vec<(usize, Option<usize>)>,
    /// How many of the given states TLC has taken as they are.
    pub(crate) loaded: usize,
    /// Whether TLC has taken the step that is always there.
    pub(crate) stayed: bool,
    /// The steps by compositions all of whose parts are of `Next`.
    by_composed_next: BTreeMap<SpecAction, BTreeSet<(usize, Option<usize>)>>,
    /// Whether TLC has taken an action that does not exist.
    pub(crate) took_impossible: bool,
    /// How many states the dump has.
    pub(crate) dumped: u64,
}

/// What a dumped state stands for.
#[derive(Clone, Debug)]
enum Kind {
    /// One of the given states.
    State,
    /// An initial state of the specification.
    Initial,
    /// What comes after the step that is always there.
    Stay,
    /// What comes after a step of `Next`.
    Next,
    /// What comes after a step by this action.
    Action(SpecAction),
    /// What comes of a composition.
    Composed(Composed),
}

impl Allowed {
    /// Reads what TLC has dumped of some states of a graph.
    ///
    /// # Errors
    ///
    /// [`ConformError::Tla`] if the dump cannot be read, [`ConformError::ForeignLine`] if it is not
    /// one of the generated module.
    pub(crate) fn read(
        graph: &SpecGraph,
        compositions: Option<&Compositions>,
        states: &[usize],
        mut dump: Dump,
    ) -> Result<Self, ConformError> {
        let mut reader = Reader::new(graph, compositions, states);
        while let Some(block) = dump.next_texts() {
            reader.add(block?)?;
        }
        let mut allowed = reader.allowed;
        let mut composed_nothing = false;
        for (kind, steps) in reader.kinds.into_iter().zip(reader.steps) {
            match kind {
                Kind::Next => allowed.by_next.extend(steps),
                Kind::Action(SpecAction::Step { name, .. }) if name == IMPOSSIBLE => {
                    allowed.took_impossible |= !steps.is_empty();
                }
                Kind::Action(action) => allowed.by_action.entry(action).or_default().extend(steps),
                Kind::Composed(Composed::Whole(action, is_next)) => {
                    if is_next {
                        let by_next = allowed.by_composed_next.entry(action.clone()).or_default();
                        by_next.extend(&steps);
                    }
                    allowed.by_action.entry(action).or_default().extend(steps);
                }
                Kind::Composed(Composed::Impossible) => allowed.took_impossible = true,
                Kind::Composed(Composed::Nothing) => composed_nothing = true,
                Kind::State | Kind::Initial | Kind::Stay | Kind::Composed(Composed::Part) => {}
            }
        }
        allowed.stayed &= compositions.is_none() || composed_nothing;
        allowed.by_next.sort_unstable();
        allowed.by_action.values_mut().for_each(|steps| steps.sort_unstable());
        Ok(allowed)
    }

    /// Whether `Next` allows a step.
    pub(crate) fn has_next(&self, from: usize, to: usize) -> bool {
        self.by_next.binary_search(&(from, Some(to))).is_ok()
    }

    /// Whether `Next` allows each part of a composition that is a step.
    pub(crate) fn has_composed_next(&self, action: &SpecAction, from: usize, to: usize) -> bool {
        let steps = self.by_composed_next.get(action);
        steps.is_some_and(|steps| steps.contains(&(from, Some(to))))
    }

    /// Whether an action allows a step.
    pub(crate) fn has_action(&self, action: &SpecAction, from: usize, to: usize) -> bool {
        let steps = self.by_action.get(action);
        steps.is_some_and(|steps| steps.binary_search(&(from, Some(to))).is_ok())
    }

    /// The actions that allow a step.
    pub(crate) fn actions_of(&self, from: usize, to: usize) -> Vec<SpecAction> {
        let actions = self.by_action.keys();
        actions.filter(|action| self.has_action(action, from, to)).cloned().collect()
    }
}

/// Knows every text of a value after it was read once: a dump says few values very often.
struct Reader<'a> {
    graph: &'a SpecGraph,
    compositions: Option<&'a Compositions>,
    states: &'a [usize],
    allowed: Allowed,
    kinds: Vec<Kind>,
    kind_numbers: HashMap<String, usize>,
    /// For each kind the steps.
    steps: Vec<Vec<(usize, Option<usize>)>>,
    /// For each variable its values by their text; `None` for those that the graph does not have.
    positions: Vec<HashMap<String, Option<u32>>>,
}

impl<'a> Reader<'a> {
    fn new(
        graph: &'a SpecGraph,
        compositions: Option<&'a Compositions>,
        states: &'a [usize],
    ) -> Self {
        Self {
            graph,
            compositions,
            states,
            allowed: Allowed::default(),
            kinds: Vec::new(),
            kind_numbers: HashMap::new(),
            steps: Vec::new(),
            positions: vec![HashMap::new(); graph.variables().len()],
        }
    }

    fn add(&mut self, block: Vec<(&str, &str)>) -> Result<(), ConformError> {
        self.allowed.dumped += 1;
        let text = |name: &str| {
            let found = block.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, text)| *text).ok_or_else(|| foreign(&format!("no {name} in a state")))
        };
        let kind = self.kind(text(KIND)?)?;
        let node = text(NODE)?;
        let row: i64 = node.parse().map_err(|_| foreign(node))?;
        let from = match row {
            0 => None,
            row => {
                let index = usize::try_from(row.unsigned_abs() - 1).unwrap_or(usize::MAX);
                Some(*self.states.get(index).ok_or_else(|| foreign(node))?)
            }
        };
        let graph = self.graph;
        let mut positions = Vec::with_capacity(graph.variables().len());
        for (variable, name) in graph.variables().iter().enumerate() {
            positions.extend(self.position(variable, text(name)?)?);
        }
        let is_known = positions.len() == graph.variables().len();
        let to = if is_known { graph.number(&positions) } else { None };
        match (&self.kinds[kind], from) {
            (Kind::Initial, None) => self.allowed.initial.push(to),
            (Kind::State, Some(from)) => self.allowed.loaded += usize::from(to == Some(from)),
            (Kind::Stay, Some(from)) => self.allowed.stayed |= to == Some(from),
            (Kind::Next | Kind::Action(_), Some(from)) => self.steps[kind].push((from, to)),
            (Kind::Composed(Composed::Part), Some(_)) => {}
            (Kind::Composed(_), Some(from)) => self.steps[kind].push((from, to)),
            (_, _) => return Err(foreign(node)),
        }
        Ok(())
    }

    fn kind(&mut self, text: &str) -> Result<usize, ConformError> {
        if let Some(number) = self.kind_numbers.get(text) {
            return Ok(*number);
        }
        let kind = kind_of(&Value::parse(text)?, self.compositions);
        self.kinds.push(kind.ok_or_else(|| foreign(text))?);
        self.steps.push(Vec::new());
        self.kind_numbers.insert(text.to_owned(), self.kinds.len() - 1);
        Ok(self.kinds.len() - 1)
    }

    fn position(&mut self, variable: usize, text: &str) -> Result<Option<u32>, TlaError> {
        if let Some(position) = self.positions[variable].get(text) {
            return Ok(*position);
        }
        let position = self.graph.position(variable, &Value::parse(text)?.normal());
        self.positions[variable].insert(text.to_owned(), position);
        Ok(position)
    }
}

fn kind_of(value: &Value, compositions: Option<&Compositions>) -> Option<Kind> {
    let Value::Sequence(parts) = value else { return None };
    let [Value::String(word), rest @ ..] = parts.as_slice() else { return None };
    match (word.as_str(), rest) {
        ("state", []) => Some(Kind::State),
        ("initial", []) => Some(Kind::Initial),
        ("stay", []) => Some(Kind::Stay),
        ("next", []) => Some(Kind::Next),
        ("action", [Value::String(name), arguments]) => {
            let arguments = match arguments {
                Value::Record(fields) => fields.clone(),
                _ => BTreeMap::new(),
            };
            Some(Kind::Action(SpecAction::Step { name: name.clone(), arguments }))
        }
        (word, rest) => compositions?.read(word, rest).map(Kind::Composed),
    }
}

fn foreign(found: &str) -> ConformError {
    ConformError::ForeignLine { found: found.to_owned() }
}
