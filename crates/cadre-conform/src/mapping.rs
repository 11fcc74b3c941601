use std::collections::BTreeMap;
use std::fmt;

use cadre_model::{ActionOf, Choice, Cluster, Configuration, View};
use cadre_step::Protocol;
use cadre_tla::{TlaError, Value, from_itf, to_itf};
use cadre_trace::{SpecHeader, SpecPart, Trace};

use crate::{Spec, SpecAction, SpecStep, SpecTrace};

/// A refinement mapping: what a cluster's configurations and actions are in a specification.
pub struct Mapping<P: Protocol> {
    spec: Spec,
    action: Box<ActionMapping<P>>,
    variables: Box<VariablesMapping<P>>,
}

type ActionMapping<P> = dyn Fn(&View<P>, &ActionOf<P>) -> SpecAction + Send + Sync;
type VariablesMapping<P> = dyn Fn(&View<P>) -> BTreeMap<String, Value> + Send + Sync;

impl<P: Protocol> Mapping<P> {
    /// A mapping to a specification.
    ///
    /// `action` is asked what an action is, given the configuration before it, if the action
    /// changes the specification's variables; one that does not change them is a stuttering step.
    /// `variables` is asked for the values of the variables in a configuration.
    pub fn new(
        spec: Spec,
        action: impl Fn(&View<P>, &ActionOf<P>) -> SpecAction + Send + Sync + 'static,
        variables: impl Fn(&View<P>) -> BTreeMap<String, Value> + Send + Sync + 'static,
    ) -> Self {
        Self { spec, action: Box::new(action), variables: Box::new(variables) }
    }

    /// The specification.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// What a configuration is in the specification.
    pub(crate) fn state(
        &self,
        cluster: &Cluster<P>,
        configuration: &Configuration,
    ) -> BTreeMap<String, Value> {
        cluster.with_view(configuration, |view| (self.variables)(view))
    }

    /// What an action that changes the specification's variables is there.
    pub(crate) fn action(
        &self,
        cluster: &Cluster<P>,
        before: &Configuration,
        choice: Choice,
    ) -> SpecAction {
        let action = cluster.describe(choice);
        cluster.with_view(before, |view| (self.action)(view, &action))
    }

    /// Writes into a trace what each of its configurations and actions is in the specification.
    ///
    /// Looks at the configurations that the trace tells of, not at what the protocol would do: a
    /// trace of a real process is mapped as it was reported.
    ///
    /// # Errors
    ///
    /// Where the trace is not one of this cluster.
    pub fn annotate(&self, cluster: &Cluster<P>, trace: &mut Trace) -> Result<(), MappingError> {
        let foreign = |step: usize, why: String| MappingError::ForeignTrace { step, why };
        let mut snapshots = trace.snapshots();
        let initial = snapshots.next().expect("a trace has an initial configuration");
        let mut before = cluster.import(&initial).map_err(|why| foreign(0, why))?;
        let mut variables = self.state(cluster, &before);
        let header = SpecHeader {
            module: self.spec.name.clone(),
            constants: itf_of(&self.spec.constants),
            variables: itf_of(&variables),
        };
        let mut steps = Vec::new();
        for (step, snapshot) in trace.steps.iter().zip(snapshots) {
            let after = cluster.import(&snapshot).map_err(|why| foreign(step.step, why))?;
            let later = self.state(cluster, &after);
            let action =
                cluster.read_action(&step.action).map_err(|why| foreign(step.step, why))?;
            let action = match later == variables {
                true => SpecAction::Stutter,
                false => cluster.with_view(&before, |view| (self.action)(view, &action)),
            };
            steps.push(annotation(&action, &later));
            (before, variables) = (after, later);
        }
        trace.header.spec = Some(header);
        for (step, spec) in trace.steps.iter_mut().zip(steps) {
            step.spec = Some(spec);
        }
        Ok(())
    }
}

/// What an annotated trace says about the specification.
///
/// # Errors
///
/// Where the trace has no annotations, or they do not read.
pub fn spec_trace(name: &str, trace: &Trace) -> Result<SpecTrace, MappingError> {
    let header = trace.header.spec.as_ref();
    let header = header.ok_or_else(|| MappingError::NotAnnotated { trace: name.to_owned() })?;
    let mut steps = Vec::new();
    for step in &trace.steps {
        let spec = step.spec.as_ref();
        let spec = spec.ok_or_else(|| MappingError::NotAnnotated { trace: name.to_owned() })?;
        let action = action(spec)?;
        steps.push(SpecStep { action, variables: Some(values_of(&spec.variables)?) });
    }
    Ok(SpecTrace { name: name.to_owned(), initial: Some(values_of(&header.variables)?), steps })
}

/// What a trace says of a step.
fn annotation(action: &SpecAction, variables: &BTreeMap<String, Value>) -> cadre_trace::SpecStep {
    let part = |action: &SpecAction| match action {
        SpecAction::Step { name, arguments } => {
            SpecPart { action: Some(name.clone()), arguments: itf_of(arguments) }
        }
        SpecAction::Stutter | SpecAction::Sequence(_) | SpecAction::OneOf(_) => {
            SpecPart { action: None, arguments: BTreeMap::new() }
        }
    };
    let SpecPart { action: name, arguments } = part(action);
    let ways = if action.is_single() { Vec::new() } else { action.ways() };
    let ways = ways.iter().map(|way| way.iter().map(part).collect()).collect();
    cadre_trace::SpecStep { action: name, arguments, variables: itf_of(variables), ways }
}

/// What [`annotation`] has written.
fn action(spec: &cadre_trace::SpecStep) -> Result<SpecAction, MappingError> {
    let single = |action: &Option<String>, arguments| match action {
        None => Ok(SpecAction::Stutter),
        Some(name) => Ok(SpecAction::Step { name: name.clone(), arguments: values_of(arguments)? }),
    };
    let mut ways = Vec::new();
    for way in &spec.ways {
        let parts = way.iter().map(|part| single(&part.action, &part.arguments));
        ways.push(SpecAction::Sequence(parts.collect::<Result<_, MappingError>>()?));
    }
    match ways.len() {
        0 => single(&spec.action, &spec.arguments),
        1 => Ok(ways.remove(0)),
        _ => Ok(SpecAction::OneOf(ways)),
    }
}

/// Why a trace cannot be mapped to a specification.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The trace is not one of the cluster.
    #[error("expected a trace of this cluster, but step {step} does not read: {why}")]
    ForeignTrace {
        /// The step; 0 is the initial configuration.
        step: usize,
        /// What does not read.
        why: String,
    },
    /// The trace does not say what it is in the specification.
    #[error(
        "trace {trace} does not say what its steps are in the specification; record it with a game \
         that has a refinement mapping"
    )]
    NotAnnotated {
        /// The name of the trace.
        trace: String,
    },
    /// A value of the trace is no value of TLA+.
    #[error(transparent)]
    Value(#[from] TlaError),
}

/// Values by name, as traces keep them.
pub(crate) fn itf_of(values: &BTreeMap<String, Value>) -> BTreeMap<String, cadre_trace::Json> {
    values.iter().map(|(name, value)| (name.clone(), to_itf(value))).collect()
}

fn values_of(
    itf: &BTreeMap<String, cadre_trace::Json>,
) -> Result<BTreeMap<String, Value>, MappingError> {
    let mut values = BTreeMap::new();
    for (name, json) in itf {
        values.insert(name.clone(), from_itf(json)?);
    }
    Ok(values)
}

impl<P: Protocol> fmt::Debug for Mapping<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("spec", &self.spec.name).finish_non_exhaustive()
    }
}
