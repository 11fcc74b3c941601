//! A specification that is ready to be explored.

use std::fs;
use std::sync::Arc;

use tla_checker::ast::{Env, Expr, Spec, State, Transition, Value as Found};
use tla_checker::checker::{CheckerConfig, PrepareSpecError, format_value, prepare_spec};
use tla_checker::config::{TlcConfig, apply_config, parse_cfg};
use tla_checker::eval::{
    Definitions, EvalContext, EvalError, eval, eval_with_context, init_states, make_primed_names,
    next_states, set_symbolic_integers,
};
use tla_checker::modules::merge_extended_declarations;
use tla_checker::parser::{builtin_arity, parse_expr, parse_with_overrides};

use super::constants::Constants;
use super::modules::{Modules, PRINT, PRINT_T, SELECT};
use super::{Task, values};
use crate::{Run, TlaError};

/// A specification with its constants, and what it has printed.
pub(super) struct World {
    /// As it was parsed and configured.
    pub(super) spec: Spec,
    pub(super) config: CheckerConfig,
    /// The values of the constants.
    pub(super) constants: Env,
    pub(super) invariants: Vec<(String, Expr)>,
    /// Whether the configuration lets a state without successor pass.
    pub(super) deadlock_passes: bool,
    init: Expr,
    next: Expr,
    primed: Vec<Arc<str>>,
    bindings: Env,
    definitions: Definitions,
    context: EvalContext,
    /// The lines that it has printed.
    pub(super) printed: Vec<String>,
}

/// Why there is no world.
pub(super) enum Refusal {
    /// It cannot be said whether it holds.
    Error(TlaError),
    /// An assumption is false.
    Assumption(usize),
}

impl From<TlaError> for Refusal {
    fn from(error: TlaError) -> Self {
        Self::Error(error)
    }
}

impl World {
    /// Reads the modules and the configuration of a run.
    pub(super) fn read(task: &Task) -> Result<Self, Refusal> {
        set_symbolic_integers(true);
        let modules = Modules::copy(&task.run)?;
        let once = Constants::of(&modules);
        let text = task.read_config()?;
        let asked = parse_cfg(&text).map_err(|message| task.config_error(message))?;
        supported(&asked, &task.run)?;
        let (spec, config) = task.parse(&modules, &once, &asked)?;
        Self::prepare(task, spec, config, &once, &asked)
    }

    fn prepare(
        task: &Task,
        mut spec: Spec,
        config: CheckerConfig,
        once: &Constants,
        asked: &TlcConfig,
    ) -> Result<Self, Refusal> {
        forget_printed();
        let given: Env = asked.constants.iter().cloned().collect();
        let path = config.spec_path.as_ref();
        let prepared = prepare_spec(&spec, &given, path, true);
        let (mut bindings, mut definitions) = prepared.map_err(|error| task.refusal(error))?;
        let mut constants = given;
        for name in &once.order {
            // What cannot be evaluated may never be needed; if it is, that is an error then.
            if let Ok(value) = eval(&Expr::Var(name.clone()), &mut bindings, &definitions) {
                bindings.insert(name.clone(), value.clone());
                constants.insert(name.clone(), value);
                // The checker looks for primes in all that is mentioned, tables included.
                definitions.remove(name);
                spec.definitions.remove(name);
            }
        }
        let missing = |what| task.config_error(format!("expected {what}, found none"));
        let init = spec.init.clone().ok_or_else(|| missing("an initial predicate"))?;
        let next = spec.next.clone().ok_or_else(|| missing("a next-state action"))?;
        // Those after the invariants of the configuration are parts of properties.
        let invariants = asked.invariants.iter().map(ToString::to_string);
        let invariants = invariants.zip(spec.invariants.iter().cloned()).collect();
        let mut world = Self {
            primed: make_primed_names(&spec.vars),
            context: EvalContext { state_vars: spec.vars.clone() },
            deadlock_passes: asked.check_deadlock == Some(false),
            spec,
            config,
            constants,
            invariants,
            init,
            next,
            bindings,
            definitions,
            printed: Vec::new(),
        };
        world.note_printed();
        Ok(world)
    }

    /// The initial states.
    pub(super) fn initial(&mut self) -> Result<Vec<State>, EvalError> {
        let found = init_states(&self.init, &self.spec.vars, &self.bindings, &self.definitions);
        self.note_printed();
        found
    }

    /// The steps from a state.
    pub(super) fn steps(&mut self, state: &State) -> Result<Vec<Transition>, EvalError> {
        let Self { next, spec, primed, bindings, definitions, .. } = self;
        let found = next_states(next, state, &spec.vars, primed, bindings, definitions);
        self.note_printed();
        found
    }

    /// The first invariant that is false in a state.
    pub(super) fn broken(&mut self, state: &State) -> Result<Option<String>, EvalError> {
        let Self { spec, bindings, definitions, context, invariants, .. } = self;
        for (name, value) in spec.vars.iter().zip(&state.values) {
            bindings.insert(name.clone(), value.clone());
        }
        let mut broken = Ok(None);
        for (name, invariant) in invariants.iter() {
            broken = match eval_with_context(invariant, bindings, definitions, context) {
                Ok(Found::Bool(true)) => continue,
                Ok(Found::Bool(false)) => Ok(Some(name.clone())),
                Ok(other) => Err(EvalError::type_mismatch("Bool", other)),
                Err(error) => Err(error),
            };
            break;
        }
        for name in &spec.vars {
            bindings.remove(name);
        }
        self.note_printed();
        broken
    }

    fn note_printed(&mut self) {
        let Some(Found::Tuple(lines)) = printed_values() else { return };
        if lines.is_empty() {
            return;
        }
        for line in lines.iter() {
            // What has no end can be printed, although it cannot be read back.
            let text = values::value(line).map(|value| value.to_string());
            self.printed.push(text.unwrap_or_else(|_| format_value(line)));
        }
        forget_printed();
    }
}

/// The register in which it is noted what is to be printed; those of specifications count from 0.
const REGISTER: i64 = -1;

fn printed_values() -> Option<Found> {
    let register = Expr::TLCGet(Box::new(Expr::Lit(Found::Int(REGISTER))));
    eval(&register, &mut Env::new(), &Definitions::new()).ok()
}

fn forget_printed() {
    let register = Box::new(Expr::Lit(Found::Int(REGISTER)));
    let nothing = Box::new(Expr::Lit(Found::tuple(Vec::new())));
    let forgotten = eval(&Expr::TLCSet(register, nothing), &mut Env::new(), &Definitions::new());
    debug_assert!(forgotten.is_ok(), "a register can be set");
}

/// Defines the operators that stand in place of others.
pub(super) fn define_replaced(definitions: &mut Definitions, is_noted: Noted) {
    let note = match is_noted {
        Noted::Yes => format!("TLCSet({REGISTER}, Append(TLCGet({REGISTER}), x))"),
        Noted::No => "TRUE".to_owned(),
    };
    let bodies = [
        (PRINT_T, ["x"].as_slice(), note.clone()),
        (PRINT, &["x", "y"], format!("IF {note} THEN y ELSE y")),
        (SELECT, &["s", "Test"], "SelectSeq(s, LAMBDA x : Test(x))".to_owned()),
    ];
    for ((_, name), parameters, body) in bodies {
        let parameters = parameters.iter().map(|name| Arc::from(*name)).collect();
        let body = parse_expr(&body).expect("the text is a formula");
        definitions.insert(name.into(), (parameters, Arc::new(body)));
    }
}

/// Whether it is noted what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    Yes,
    No,
}

/// Refuses what TLC does and this checker does not.
fn supported(asked: &TlcConfig, run: &Run) -> Result<(), TlaError> {
    let lists = [
        ("counting what is evaluated", run.coverage),
        ("action constraints", !asked.action_constraints.is_empty()),
        ("state constraints", !asked.constraints.is_empty()),
        ("symmetry", asked.symmetry.is_some()),
        ("views", asked.view.is_some()),
        ("aliases and postconditions", !asked.unsupported.is_empty()),
    ];
    match lists.iter().find(|(_, is_asked)| *is_asked) {
        Some((what, _)) => Err(Task::cannot(*what)),
        None => Ok(()),
    }
}

impl Task {
    fn read_config(&self) -> Result<String, TlaError> {
        let path = self.run.directory.join(&self.run.config);
        fs::read_to_string(&path).map_err(|source| TlaError::io("read", &path, source))
    }

    pub(super) fn config_error(&self, message: impl Into<String>) -> TlaError {
        TlaError::Config { message: message.into(), log: self.log() }
    }

    fn parse_error(&self, module: &str, line: Option<u32>, message: String) -> TlaError {
        TlaError::Parse { file: format!("{module}.tla"), line, message, log: self.log() }
    }

    /// The specification with the configuration applied to it.
    fn parse(
        &self,
        modules: &Modules,
        once: &Constants,
        asked: &TlcConfig,
    ) -> Result<(Spec, CheckerConfig), TlaError> {
        let root = &self.run.module;
        let path = modules.path(root);
        let mut spec: Option<Spec> = None;
        let mut assumed = Vec::new();
        for module in &modules.extended {
            let parsed = parse_with_overrides(&module.text, &once.renamed).map_err(|error| {
                let line = error.span.map(|span| line_of(&module.text, span.start as usize));
                self.parse_error(&module.name, line, error.message)
            })?;
            let (parsed, _) = parsed;
            if let Some(unparsed) =
                parsed.definitions.keys().find_map(|name| parsed.unparsed_definition(name))
            {
                let line = u32::try_from(unparsed.line).ok();
                return Err(self.parse_error(&module.name, line, unparsed.message.clone()));
            }
            // An error in the comparison would only be a wrong order.
            if module.definitions.iter().any(|found| found.whole.words.contains("SortSeq")) {
                return Err(Self::cannot("SortSeq"));
            }
            // The checker itself looks at the assumptions of the root alone.
            assumed.extend(parsed.assumes.iter().cloned());
            spec = Some(parsed);
        }
        let none = || self.parse_error(root, None, "expected the module, found no file".to_owned());
        let mut spec = spec.ok_or_else(none)?;
        spec.assumes = assumed;
        spec.operator_overrides = once.renamed.clone();
        merge_extended_declarations(&mut spec, &path)
            .map_err(|message| self.parse_error(root, None, message))?;
        spec.definitions.extend(once.definitions.clone());
        define_replaced(&mut spec.definitions, Noted::Yes);
        // Only what the configuration names is checked, not what has the name of an invariant.
        spec.invariants.clear();
        spec.invariant_names.clear();
        if asked.specification.is_none() && (asked.init.is_none() || asked.next.is_none()) {
            let message = "expected SPECIFICATION, or INIT and NEXT, found neither";
            return Err(self.config_error(message));
        }
        for name in asked.constants.iter().map(|(name, _)| name) {
            self.is_constant(&spec, name)?;
        }
        for (name, _) in &asked.substitutions {
            if spec.definitions.contains_key(name) || builtin_arity(name).is_some() {
                return Err(Self::cannot("operators that the configuration replaces"));
            }
            self.is_constant(&spec, name)?;
        }
        let mut config = CheckerConfig {
            spec_path: Some(path),
            quiet: true,
            symbolic_integers: true,
            max_states: usize::MAX,
            max_depth: usize::MAX,
            ..CheckerConfig::default()
        };
        let mut domains = Env::new();
        apply_config(asked, &mut spec, &mut domains, &mut config, &[], &[], true)
            .map_err(|message| self.config_error(message))?;
        Ok((spec, config))
    }

    fn is_constant(&self, spec: &Spec, name: &Arc<str>) -> Result<(), TlaError> {
        match spec.constants.contains(name) {
            true => Ok(()),
            false => {
                Err(self
                    .config_error(format!("expected a constant {name}, found none of that name")))
            }
        }
    }

    fn refusal(&self, error: PrepareSpecError) -> Refusal {
        use PrepareSpecError as Error;
        let message = match error {
            Error::AssumeViolation(index) => return Refusal::Assumption(index),
            Error::AssumeError(_, error) | Error::InstanceError(error) => {
                return self.evaluation(&error, Vec::new(), Vec::new()).into();
            }
            Error::ModuleParse(message) => {
                return self.parse_error(&self.run.module, None, message).into();
            }
            Error::MissingConstants(names) => {
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                format!("expected values of the constants {}, found none", names.join(", "))
            }
            Error::NonModelValueSymmetry(name, _) => format!("{name} is not symmetric"),
            Error::RefinementConfigError(message)
            | Error::LivenessProperty(message)
            | Error::ConstantSubstitution(message) => message,
        };
        self.config_error(message).into()
    }
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().iter().take(at);
    1 + u32::try_from(before.filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX)
}
