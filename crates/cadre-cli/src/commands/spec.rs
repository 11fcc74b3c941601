use cadre::conform::{self, ModelOptions, Spec, SpecModel, check_model, plan_model};
use cadre::tla::{Engine, Lasso, Outcome, Verdict};
use cadre::view::{LaneOptions, lanes};

use crate::args::EngineName;
use crate::chosen::Chosen;
use crate::commands::{distributed, drive, no_spec, scaffold};
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_conform};
use crate::run_directory::RunDirectory;
use crate::spec_args::{ClaimArgs, SpecArgs};
use crate::specification::judge_claims;
use crate::watch::{count, grouped};
use crate::{engines, output, spec_coverage, spec_watch};

/// `spec`: checks the TLA+ specification of a game itself, by TLC.
pub(crate) fn run(context: &mut Context<'_>, args: &SpecArgs) -> Result<Exit, Failure> {
    if let Some(spec) = &args.scaffold {
        return scaffold::run(context, spec);
    }
    let Some(game) = &args.game else {
        return Err(anyhow::anyhow!("expected a game, or --scaffold with a specification"))
            .or_exit(Exit::Usage);
    };
    if !game.faults.is_empty() {
        let why = "expected no --faults, which the specification says for itself; leave them out";
        return Err(anyhow::anyhow!(why)).or_exit(Exit::Usage);
    }
    let chosen = Chosen::new(context, game)?;
    if args.drive.simulate.is_some() {
        return drive::simulate(context, &chosen, args);
    }
    let mut checked = Checked::new(&chosen, args)?;
    if !args.dry_run {
        output::line(&format!("checking the specification of {}", chosen.title()));
    }
    judge_claims(context, &checked.model, &args.claims)?;
    if context.common.engine == Some(EngineName::Apalache) {
        checked.model = checked.invariants_alone(args, "Apalache is asked about invariants alone");
    }
    if args.distributed.distributed {
        return distributed::run(context, &checked, args);
    }
    match (args.dry_run, args.drive.drive) {
        (true, _) => print_command(context, &checked, args.length),
        (false, true) => drive::counterexample(context, &chosen, &checked, &args.drive),
        (false, false) => check(context, &chosen, &checked, args.length),
    }
}

/// A specification with all that is claimed of it, as TLC is to explore it.
pub(crate) struct Checked {
    pub(crate) spec: Spec,
    pub(crate) model: SpecModel,
    pub(crate) options: ModelOptions,
    /// What was asked for beyond the claims of the game, as it was given.
    asked: Vec<String>,
}

impl Checked {
    fn new(chosen: &Chosen<'_>, args: &SpecArgs) -> Result<Self, Failure> {
        let spec = claimed(chosen, &args.claims)?;
        let mut model = SpecModel::of(spec.clone());
        model.properties.extend(args.claims.property.iter().cloned());
        if let Some(formula) = &args.claims.formula {
            model.specification.clone_from(formula);
        }
        let (workers, coverage) = (args.workers.unwrap_or(1), args.coverage);
        let options = ModelOptions { workers, coverage, ..ModelOptions::default() };
        Ok(Self { spec, model, options, asked: args.claims.to_args() })
    }

    /// The invariants, and of the temporal properties those that are asked for; what is left out is
    /// told with the reason.
    pub(crate) fn invariants_alone(&self, args: &SpecArgs, why: &str) -> SpecModel {
        let mut model = self.model.clone();
        let asked = &args.claims.property;
        let own = model.properties.iter().filter(|name| !asked.contains(name));
        let left_out: Vec<&str> = own.map(String::as_str).collect();
        if !left_out.is_empty() && !args.dry_run {
            output::labelled("left out", &format!("{}: {why}", left_out.join(", ")));
        }
        model.properties.clone_from(asked);
        model
    }

    /// What holds if nothing is found.
    pub(crate) fn claims(&self) -> String {
        let claims = self.model.invariants.iter().chain(&self.model.properties);
        claims.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// The specification of a game, with the invariants that are asked for.
pub(crate) fn claimed(chosen: &Chosen<'_>, claims: &ClaimArgs) -> Result<Spec, Failure> {
    let mut spec = chosen.game.spec(&chosen.setup).ok_or_else(|| no_spec(chosen))?;
    spec.invariants.extend(claims.invariant.iter().cloned());
    Ok(spec)
}

/// Has TLC explore the specification, and prints the stage's line.
pub(crate) fn explore(
    context: &Context<'_>,
    checked: &Checked,
    engine: &dyn Engine,
    run: &mut RunDirectory,
) -> Result<Outcome, Failure> {
    let Checked { model, options, .. } = checked;
    let explored = spec_watch::watched(run.path(), || {
        check_model(model, engine, run.path(), options, &context.stop)
    });
    let outcome = explored.map_err(of_conform).inspect_err(|_| {
        run.keep();
    })?;
    let seen = match outcome.bound {
        Some(steps) => format!("behaviours of at most {steps} steps"),
        None => counts(outcome.distinct, outcome.generated, outcome.depth),
    };
    let (engine, seconds) = (engines::name(&outcome.version), outcome.elapsed.as_secs_f64());
    let word = match (&outcome.verdict, outcome.bound) {
        (Verdict::NoError, None) => "holds",
        (Verdict::NoError, Some(_)) => "bounded",
        _ => "violated",
    };
    output::stage("spec", word, &format!("{seen}, {engine}, {seconds:.1} s"));
    Ok(outcome)
}

/// How much TLC has seen, for the stage's line.
pub(crate) fn counts(distinct: u64, generated: u64, depth: Option<u64>) -> String {
    let (distinct, generated) = (grouped(distinct), grouped(generated));
    let depth = depth.map_or(String::new(), |depth| format!(", depth {depth}"));
    format!("{distinct} distinct states, {generated} generated{depth}")
}

fn check(
    context: &mut Context<'_>,
    chosen: &Chosen<'_>,
    checked: &Checked,
    steps_max: u32,
) -> Result<Exit, Failure> {
    let engine = context.spec_engine(steps_max)?;
    let mut run = context.run_directory("spec")?;
    let outcome = explore(context, checked, &*engine, &mut run)?;
    if let Some(coverage) = &outcome.coverage {
        spec_coverage::print(coverage, &checked.spec.files);
    }
    let Some(violated) = Violated::of(&outcome.verdict) else {
        return Ok(print_unviolated(checked, &outcome));
    };
    print_behaviour(context, chosen, checked, &outcome, &violated)?;
    output::labelled("logs", &run.keep().display().to_string());
    output::verdict("FAIL", &violated.what, Exit::Violated);
    Ok(Exit::Violated)
}

fn print_unviolated(checked: &Checked, outcome: &Outcome) -> Exit {
    let claims = checked.claims();
    let (word, what, exit) = match outcome.bound {
        None => ("PASS", format!("{claims} hold"), Exit::Holds),
        Some(steps) => {
            ("BOUNDED", format!("{claims} hold for at most {steps} steps"), Exit::Bounded)
        }
    };
    output::verdict(word, &what, exit);
    exit
}

/// `spec --dry-run`: the java command alone.
fn print_command(
    context: &mut Context<'_>,
    checked: &Checked,
    steps_max: u32,
) -> Result<Exit, Failure> {
    let engine = context.spec_engine(steps_max)?;
    let mut run = context.run_directory("spec")?;
    let command = plan_model(&checked.model, &*engine, run.path(), &checked.options);
    let command = command.map_err(of_conform)?;
    // The command is worth nothing without the modules it names.
    run.keep();
    output::line(&command);
    Ok(Exit::Holds)
}

/// What TLC found to be wrong.
pub(crate) struct Violated {
    /// In a clause.
    pub(crate) what: String,
    /// The name of it, for the trace.
    name: String,
}

impl Violated {
    pub(crate) fn of(verdict: &Verdict) -> Option<Self> {
        let (what, name) = match verdict {
            Verdict::NoError => return None,
            Verdict::InvariantViolated { name } => {
                (format!("the invariant {name} is violated"), name.as_str())
            }
            Verdict::PropertyViolated { name } => {
                let name = name.as_deref().unwrap_or("of the model");
                (format!("the property {name} is violated"), name)
            }
            Verdict::Deadlock => ("a state has no successor".to_owned(), "deadlock"),
            Verdict::AssumptionFailed { assumption } => {
                (format!("{assumption} is false"), "assumption")
            }
        };
        Some(Self { what, name: name.to_owned() })
    }
}

/// The columns of a drawing, and the most rows of it.
const LANES: LaneOptions = LaneOptions { width: 100, steps_max: 20 };

/// Draws the behaviour that violates something, and saves it.
fn print_behaviour(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    checked: &Checked,
    outcome: &Outcome,
    violated: &Violated,
) -> Result<(), Failure> {
    if outcome.behaviour.is_empty() {
        return Ok(());
    }
    let trace = conform::behaviour_trace(&checked.spec, outcome, &violated.name);
    let steps = count(trace.steps.len(), "step", "steps");
    output::line("");
    output::line(&format!("violated  {}   {steps} of {}", violated.name, checked.spec.name));
    output::text(&lanes(&trace, &LANES));
    if outcome.lasso == Some(Lasso::Stuttering) {
        output::line("    and then nothing changes any more");
    }
    let saved = context.save(&trace)?;
    output::labelled("saved", &saved.display().to_string());
    output::labelled("show", &context.command("show", &saved));
    if outcome.lasso.is_none() {
        let mut again = vec![context.program.clone(), "spec".to_owned()];
        again.extend(chosen.to_args());
        again.extend(checked.asked.iter().cloned());
        output::labelled("follow", &format!("{} --drive", again.join(" ")));
    }
    Ok(())
}
