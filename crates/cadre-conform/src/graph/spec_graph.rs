use std::collections::{BTreeMap, BTreeSet, HashMap};

use cadre_tla::Value;

use crate::{ConformError, SpecAction};

/// States and steps of an implementation in the words of a specification, each of them once.
///
/// A state is known by its number, from 0 in the order in which states were added; so is a step.
#[derive(Clone, Debug)]
pub struct SpecGraph {
    variables: Vec<String>,
    /// For each variable the values that it ever has.
    tables: Vec<Table>,
    /// Each state as the positions of its values.
    states: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, usize>,
    initial: BTreeSet<usize>,
    actions: Vec<SpecAction>,
    action_numbers: HashMap<SpecAction, usize>,
    steps: Vec<GraphStep>,
    /// Source, action and target of all steps.
    known: HashMap<GraphStep, usize>,
    unexpanded: BTreeSet<usize>,
}

/// One step of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GraphStep {
    /// The number of the state before it.
    pub from: usize,
    /// The number of its action: see [`SpecGraph::action`].
    pub action: usize,
    /// The number of the state after it, which is another one.
    pub to: usize,
}

/// The values of one variable.
#[derive(Clone, Debug, Default)]
struct Table {
    values: Vec<Value>,
    positions: HashMap<Value, u32>,
}

impl SpecGraph {
    /// An empty graph over the variables of a specification.
    pub fn new(variables: &[String]) -> Self {
        Self {
            variables: variables.to_vec(),
            tables: vec![Table::default(); variables.len()],
            states: Vec::new(),
            numbers: HashMap::new(),
            initial: BTreeSet::new(),
            actions: Vec::new(),
            action_numbers: HashMap::new(),
            steps: Vec::new(),
            known: HashMap::new(),
            unexpanded: BTreeSet::new(),
        }
    }

    /// Adds a state unless it is there already; gives its number.
    ///
    /// # Errors
    ///
    /// [`ConformError::OtherVariables`] if it does not give a value to every variable and to
    /// nothing else.
    pub fn add_state(&mut self, state: BTreeMap<String, Value>) -> Result<usize, ConformError> {
        if state.len() != self.variables.len()
            || self.variables.iter().any(|name| !state.contains_key(name))
        {
            let found: Vec<&str> = state.keys().map(String::as_str).collect();
            let (expected, found) = (self.variables.join(", "), found.join(", "));
            return Err(ConformError::OtherVariables { expected, found });
        }
        let mut state = state;
        let mut positions = Vec::with_capacity(self.variables.len());
        for (name, table) in self.variables.iter().zip(&mut self.tables) {
            let value = state.remove(name).expect("every variable was found to have a value");
            positions.push(table.add(value.normal()));
        }
        let positions = positions.into_boxed_slice();
        if let Some(number) = self.numbers.get(&positions) {
            return Ok(*number);
        }
        self.numbers.insert(positions.clone(), self.states.len());
        self.states.push(positions);
        Ok(self.states.len() - 1)
    }

    /// Says that an execution may begin in a state.
    pub fn add_initial(&mut self, state: usize) {
        self.initial.insert(state);
    }

    /// Adds a step; gives its number if it was not there already. What changes nothing is a
    /// stutter, which every specification allows, and is no step.
    pub fn add_step(&mut self, from: usize, action: SpecAction, to: usize) -> Option<usize> {
        if from == to {
            return None;
        }
        let next = self.actions.len();
        let action = *self.action_numbers.entry(action).or_insert_with_key(|action| {
            self.actions.push(action.clone());
            next
        });
        let step = GraphStep { from, action, to };
        let number = self.steps.len();
        if *self.known.entry(step).or_insert(number) < number {
            return None;
        }
        self.steps.push(step);
        Some(number)
    }

    /// Says that a state may have more steps than were added, as a bound has ended the search.
    pub fn set_unexpanded(&mut self, state: usize) {
        self.unexpanded.insert(state);
    }

    /// How many states there are.
    pub fn states_count(&self) -> usize {
        self.states.len()
    }

    /// The steps.
    pub fn steps(&self) -> &[GraphStep] {
        &self.steps
    }

    /// The states that an execution may begin in.
    pub fn initial(&self) -> &BTreeSet<usize> {
        &self.initial
    }

    /// The states that may have more steps.
    pub fn unexpanded(&self) -> &BTreeSet<usize> {
        &self.unexpanded
    }

    /// The action of a number.
    pub fn action(&self, number: usize) -> &SpecAction {
        &self.actions[number]
    }

    /// All actions.
    pub(crate) fn actions(&self) -> &[SpecAction] {
        &self.actions
    }

    /// The values of a state.
    pub fn state(&self, number: usize) -> BTreeMap<String, Value> {
        let values = self.variables.iter().zip(&self.tables).zip(&self.states[number]);
        values
            .map(|((name, table), position)| {
                (name.clone(), table.values[*position as usize].clone())
            })
            .collect()
    }

    pub(crate) fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The number of an action, if any step has it.
    pub(crate) fn action_number(&self, action: &SpecAction) -> Option<usize> {
        self.action_numbers.get(action).copied()
    }

    /// The positions of a state's values.
    pub(crate) fn positions(&self, state: usize) -> &[u32] {
        &self.states[state]
    }

    pub(crate) fn value(&self, variable: usize, position: u32) -> &Value {
        &self.tables[variable].values[position as usize]
    }

    /// Where a value of a variable is in its table, if any state has it.
    pub(crate) fn position(&self, variable: usize, value: &Value) -> Option<u32> {
        self.tables[variable].positions.get(value).copied()
    }

    /// The number of the state with the values at these positions.
    pub(crate) fn number(&self, positions: &[u32]) -> Option<usize> {
        self.numbers.get(positions).copied()
    }

    pub(crate) fn has_step(&self, step: &GraphStep) -> bool {
        self.known.contains_key(step)
    }
}

impl Table {
    fn add(&mut self, value: Value) -> u32 {
        let next = u32::try_from(self.values.len()).expect("a graph has fewer values than 2^32");
        *self.positions.entry(value).or_insert_with_key(|value| {
            self.values.push(value.clone());
            next
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(x: i32) -> BTreeMap<String, Value> {
        BTreeMap::from([("x".to_owned(), Value::from(x))])
    }

    #[test]
    fn equal_states_and_equal_steps_are_kept_once_and_stuttering_not_at_all() {
        let mut graph = SpecGraph::new(&["x".to_owned()]);
        let [zero, one, again] = [0, 1, 0].map(|x| graph.add_state(state(x)).unwrap());
        assert_eq!((zero, one, again), (0, 1, 0));
        let up = || SpecAction::named("Up");
        assert_eq!(graph.add_step(zero, up(), one), Some(0));
        assert_eq!(graph.add_step(zero, up(), one), None);
        assert_eq!(graph.add_step(zero, SpecAction::named("Jump"), one), Some(1));
        assert_eq!(graph.add_step(one, up(), one), None);
        assert_eq!((graph.states_count(), graph.steps().len()), (2, 2));
        assert_eq!(graph.state(one), state(1));
    }

    #[test]
    fn a_state_that_lacks_a_variable_or_has_a_foreign_one_is_refused() {
        let mut graph = SpecGraph::new(&["x".to_owned()]);
        for other in [BTreeMap::new(), BTreeMap::from([("y".to_owned(), Value::from(1))])] {
            let error = graph.add_state(other).unwrap_err();
            assert!(matches!(error, ConformError::OtherVariables { .. }), "{error}");
        }
    }
}
