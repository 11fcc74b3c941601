use std::collections::HashMap;

use cadre_model::{Choice, Cluster, Configuration, Model};
use cadre_step::Protocol;

use super::spec_graph::SpecGraph;
use crate::{ConformError, Mapping};

/// Everything that a bounded exploration of a cluster has met, mapped to a specification.
#[derive(Clone, Debug)]
pub struct MappedGraph {
    /// What it is in the specification.
    pub graph: SpecGraph,
    /// How many configurations the cluster has; several of them may be one state.
    pub configurations: u64,
    /// The number of levels, the initial configuration being the first.
    pub depth: u64,
    /// What ended the exploration before everything was seen.
    pub bound: Option<GraphBound>,
    /// The configuration from which each configuration was first reached, and how.
    parents: Vec<Option<(u32, Choice)>>,
    /// For each state the first configuration that is mapped to it.
    firsts: Vec<u32>,
    /// For each step the configuration in which it is first taken, and how.
    takes: Vec<(u32, Choice)>,
}

/// How far an exploration goes; `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphBounds {
    /// Levels, the initial configuration being the first.
    pub depth_max: Option<u64>,
    /// Distinct configurations.
    pub configurations_max: Option<u64>,
}

/// What ended an exploration before everything was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphBound {
    /// [`GraphBounds::depth_max`].
    Depth(u64),
    /// [`GraphBounds::configurations_max`].
    Configurations(u64),
    /// Whoever watched it.
    Watcher,
}

impl MappedGraph {
    /// A shortest execution whose last action takes a step for the first time.
    pub fn path_to_step(&self, step: usize) -> Vec<Choice> {
        let (configuration, choice) = self.takes[step];
        let mut path = self.path(configuration);
        path.push(choice);
        path
    }

    /// A shortest execution that ends in a state.
    pub fn path_to_state(&self, state: usize) -> Vec<Choice> {
        self.path(self.firsts[state])
    }

    fn path(&self, configuration: u32) -> Vec<Choice> {
        let mut path = Vec::new();
        let mut at = configuration;
        while let Some((before, choice)) = self.parents[at as usize] {
            path.push(choice);
            at = before;
        }
        path.reverse();
        path
    }
}

impl<P: Protocol> Mapping<P> {
    /// Explores a cluster level by level without any reduction, and maps all that it meets.
    ///
    /// `watch` is told every now and then how many configurations there are, and on which level;
    /// it says whether to go on.
    ///
    /// # Errors
    ///
    /// [`ConformError::OtherVariables`] where the mapping does not tell all variables.
    pub fn graph(
        &self,
        cluster: &Cluster<P>,
        bounds: GraphBounds,
        watch: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<MappedGraph, ConformError> {
        let mut search = Search::new(self, cluster)?;
        let bound = search.run(bounds, watch)?;
        Ok(search.finish(bound))
    }
}

struct Search<'a, P: Protocol> {
    mapping: &'a Mapping<P>,
    cluster: &'a Cluster<P>,
    found: MappedGraph,
    configurations: Vec<Configuration>,
    numbers: HashMap<Configuration, u32>,
    /// For each configuration its state.
    states: Vec<usize>,
    /// How many configurations have been expanded.
    expanded: usize,
}

/// After how many configurations the watcher is asked.
const WATCHED: usize = 1024;

impl<'a, P: Protocol> Search<'a, P> {
    fn new(mapping: &'a Mapping<P>, cluster: &'a Cluster<P>) -> Result<Self, ConformError> {
        let found = MappedGraph {
            graph: SpecGraph::new(&mapping.spec().variables),
            configurations: 0,
            depth: 1,
            bound: None,
            parents: Vec::new(),
            firsts: Vec::new(),
            takes: Vec::new(),
        };
        let mut search = Self {
            mapping,
            cluster,
            found,
            configurations: Vec::new(),
            numbers: HashMap::new(),
            states: Vec::new(),
            expanded: 0,
        };
        for initial in cluster.init() {
            let number = search.meet(initial, None)?;
            search.found.graph.add_initial(search.states[number as usize]);
        }
        Ok(search)
    }

    fn run(
        &mut self,
        bounds: GraphBounds,
        watch: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Option<GraphBound>, ConformError> {
        let mut choices = Vec::new();
        while self.expanded < self.configurations.len() {
            if let Some(most) = bounds.depth_max.filter(|most| self.found.depth >= *most) {
                return Ok(Some(GraphBound::Depth(most)));
            }
            let level_end = self.configurations.len();
            while self.expanded < level_end {
                let met = self.configurations.len() as u64;
                if let Some(most) = bounds.configurations_max.filter(|most| met >= *most) {
                    return Ok(Some(GraphBound::Configurations(most)));
                }
                if self.expanded.is_multiple_of(WATCHED) && !watch(met, self.found.depth) {
                    return Ok(Some(GraphBound::Watcher));
                }
                self.expand(self.expanded, &mut choices)?;
                self.expanded += 1;
            }
            self.found.depth += u64::from(self.configurations.len() > level_end);
        }
        Ok(None)
    }

    fn expand(&mut self, number: usize, choices: &mut Vec<Choice>) -> Result<(), ConformError> {
        let before = self.configurations[number].clone();
        let from = self.states[number];
        let number = u32::try_from(number).expect("configurations are numbered by 32 bits");
        choices.clear();
        self.cluster.actions(&before, choices);
        for choice in choices.iter() {
            let Some(after) = self.cluster.next(&before, choice) else { continue };
            let after = self.meet(after, Some((number, *choice)))?;
            let to = self.states[after as usize];
            if from == to {
                continue;
            }
            let action = self.mapping.action(self.cluster, &before, *choice);
            if self.found.graph.add_step(from, action, to).is_some() {
                self.found.takes.push((number, *choice));
            }
        }
        Ok(())
    }

    /// The number of a configuration, which is mapped if it is new.
    fn meet(
        &mut self,
        configuration: Configuration,
        parent: Option<(u32, Choice)>,
    ) -> Result<u32, ConformError> {
        if let Some(number) = self.numbers.get(&configuration) {
            return Ok(*number);
        }
        let number = u32::try_from(self.configurations.len())
            .expect("configurations are numbered by 32 bits");
        let state = self.mapping.state(self.cluster, &configuration);
        let state = self.found.graph.add_state(state)?;
        if state == self.found.firsts.len() {
            self.found.firsts.push(number);
        }
        self.found.parents.push(parent);
        self.states.push(state);
        self.numbers.insert(configuration.clone(), number);
        self.configurations.push(configuration);
        Ok(number)
    }

    fn finish(mut self, bound: Option<GraphBound>) -> MappedGraph {
        for state in &self.states[self.expanded..] {
            self.found.graph.set_unexpanded(*state);
        }
        self.found.configurations = self.configurations.len() as u64;
        self.found.bound = bound;
        self.found
    }
}
