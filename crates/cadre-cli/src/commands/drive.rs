use std::collections::BTreeMap;

use cadre::DrivenTrace;
use cadre::conform::{self, Matching, Simulated, Spec, SpecAction, SpecTrace, Vocabulary};
use cadre::tla::{Engine, Simulation, Verdict};

use crate::chosen::Chosen;
use crate::commands::spec::{self, Checked, Violated, claimed};
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_conform, of_tla};
use crate::run_directory::RunDirectory;
use crate::spec_args::{DriveArgs, SpecArgs};
use crate::stages::{self, Named};
use crate::watch::{Clock, count, grouped};
use crate::{commands, engines, modules, output};

/// `spec --simulate`: has TLC draw random behaviours, and lets the game follow them.
pub(crate) fn simulate(
    context: &mut Context<'_>,
    chosen: &Chosen<'_>,
    args: &SpecArgs,
) -> Result<Exit, Failure> {
    let spec = claimed(chosen, &args.claims)?;
    let args = &args.drive;
    let engine = context.engine()?;
    let mut run = context.run_directory("spec")?;
    output::line(&format!("behaviours of {} for {}", spec.name, chosen.title()));
    let found = draw(context, &spec, args, &*engine, &mut run)?;
    if let Some((verdict, behaviour)) = &found.violated {
        return print_violated(context, chosen, args, verdict, behaviour, &mut run);
    }
    if !args.drive {
        let what = "nothing was found in the behaviours drawn";
        output::verdict("BOUNDED", what, Exit::Bounded);
        return Ok(Exit::Bounded);
    }
    let driven = drive(context, chosen, &found.behaviours, Matching::Actions)?;
    let followed = Followed::of(&found.behaviours, &driven);
    followed.print(&actions(context, &spec, &mut run)?);
    let replayed = replay(context, chosen, args, &driven, &mut run)?;
    if let Some((index, _)) = followed.parted.first() {
        print_parting(context, &found.behaviours[*index], &driven[*index])?;
    }
    Ok(conclude(&followed, replayed))
}

/// `spec --drive`: explores the specification, and lets the game follow the counterexample.
pub(crate) fn counterexample(
    context: &mut Context<'_>,
    chosen: &Chosen<'_>,
    checked: &Checked,
    args: &DriveArgs,
) -> Result<Exit, Failure> {
    let engine = context.engine()?;
    let mut run = context.run_directory("spec")?;
    let outcome = spec::explore(context, checked, &*engine, &mut run)?;
    if outcome.verdict == Verdict::NoError {
        let what = format!("{} hold, so that there is nothing to follow", checked.claims());
        output::verdict("PASS", &what, Exit::Holds);
        return Ok(Exit::Holds);
    }
    let behaviour = conform::counterexample(&checked.spec, &outcome.behaviour);
    print_violated(context, chosen, args, &outcome.verdict, &behaviour, &mut run)
}

/// Has TLC draw behaviours, and prints the stage's line.
fn draw(
    context: &Context<'_>,
    spec: &Spec,
    args: &DriveArgs,
    engine: &dyn Engine,
    run: &mut RunDirectory,
) -> Result<Simulated, Failure> {
    let directory = run.part("simulate").or_exit(Exit::ToolChain)?;
    let simulation = Simulation {
        behaviours: args.simulate.unwrap_or_default(),
        states_max: args.steps.saturating_add(1),
        seed: args.seed,
    };
    let found = conform::simulate(spec, simulation, engine, &directory, &context.stop);
    let found = found.map_err(of_conform).inspect_err(|_| {
        run.keep();
    })?;
    let steps: usize = found.behaviours.iter().map(|behaviour| behaviour.steps.len()).sum();
    let particulars = format!(
        "{}, {} of them distinct with {}, seed {}, {}, {:.1} s",
        count(found.drawn, "behaviour", "behaviours"),
        grouped(found.behaviours.len() as u64),
        count(steps, "step", "steps"),
        args.seed,
        engines::name(&found.version),
        found.elapsed.as_secs_f64()
    );
    let outcome = if found.violated.is_some() { "violated" } else { "drawn" };
    output::stage("simulate", outcome, &particulars);
    Ok(found)
}

/// The actions of the trace module, as far as it lists them and there is a parser to say so.
fn actions(
    context: &Context<'_>,
    spec: &Spec,
    run: &mut RunDirectory,
) -> Result<Vec<String>, Failure> {
    let Some(tlc) = context.parser() else { return Ok(Vec::new()) };
    let directory = run.part("sany").or_exit(Exit::ToolChain)?;
    modules::write(&directory, &spec.files).or_exit(Exit::ToolChain)?;
    let contents = tlc.contents(&directory, &spec.trace_module, &context.stop);
    let vocabulary = Vocabulary::of(&contents.map_err(of_tla)?).map_err(of_conform)?;
    let actions = vocabulary.actions().into_iter().flatten().map(str::to_owned);
    Ok(actions.collect())
}

/// Lets the step function follow behaviours, and prints the stage's line.
fn drive(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    behaviours: &[SpecTrace],
    matching: Matching,
) -> Result<Vec<DrivenTrace>, Failure> {
    let clock = Clock::start();
    let watch = &mut |_| !context.stop.requested();
    let driven = chosen.game.drive(&chosen.setup, behaviours, matching, watch);
    let driven = driven.or_exit(Exit::Internal)?;
    let parted = driven.iter().filter(|driven| driven.parting.is_some()).count();
    let steps: usize = driven.iter().map(|driven| driven.trace.steps.len()).sum();
    let (outcome, what) = match (parted, behaviours.len() - driven.len()) {
        (0, 0) => ("follows", count(driven.len(), "behaviour", "behaviours")),
        (0, left) => ("bounded", format!("interrupted: {} were left", grouped(left as u64))),
        (parted, _) => (
            "parts",
            format!("from {parted} of {}", count(driven.len(), "behaviour", "behaviours")),
        ),
    };
    let particulars = format!(
        "{what}, {} of the step function, {:.1} s",
        count(steps, "step", "steps"),
        clock.elapsed().as_secs_f64()
    );
    output::stage("drive", outcome, &particulars);
    Ok(driven)
}

/// What of the specification's actions a game has followed.
struct Followed<'a> {
    /// For each action how often it was followed, and how often it was to be.
    actions: BTreeMap<&'a str, (usize, usize)>,
    /// The behaviours that were not followed to the end, and whether all was tried.
    parted: Vec<(usize, bool)>,
    /// How many behaviours nobody has looked at.
    left: usize,
}

impl<'a> Followed<'a> {
    fn of(behaviours: &'a [SpecTrace], driven: &[DrivenTrace]) -> Self {
        let mut actions: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut parted = Vec::new();
        for (index, (behaviour, driven)) in behaviours.iter().zip(driven).enumerate() {
            let tried = driven.followed + usize::from(driven.parting.is_some());
            for (position, step) in behaviour.steps.iter().take(tried).enumerate() {
                if let SpecAction::Step { name, .. } = &step.action {
                    let counts = actions.entry(name).or_default();
                    counts.0 += usize::from(position < driven.followed);
                    counts.1 += 1;
                }
            }
            parted.extend(driven.parting.as_ref().map(|parting| (index, !parting.is_bounded)));
        }
        Self { actions, parted, left: behaviours.len() - driven.len() }
    }

    /// Says of each action how often it was followed.
    fn print(&self, known: &[String]) {
        for (name, (followed, tried)) in &self.actions {
            let (outcome, what) = match (*followed, *tried) {
                (followed, tried) if followed == tried => ("taken", count(tried, "time", "times")),
                (0, tried) => ("never", format!("0 of {}", count(tried, "time", "times"))),
                (followed, tried) => {
                    let followed = grouped(followed as u64);
                    ("partly", format!("{followed} of {}", count(tried, "time", "times")))
                }
            };
            output::stage("", outcome, &format!("{name}: {what}"));
        }
        for name in known.iter().filter(|name| !self.actions.contains_key(name.as_str())) {
            output::stage("", "not met", &format!("{name}: in no behaviour that was drawn"));
        }
    }
}

/// Lets real processes do what the step function has done, and prints the stage's line; whether
/// they did.
fn replay(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    args: &DriveArgs,
    driven: &[DrivenTrace],
    run: &mut RunDirectory,
) -> Result<bool, Failure> {
    let Some(most) = args.processes else { return Ok(true) };
    let whole = driven.iter().filter(|driven| driven.parting.is_none());
    let named = whole
        .take(most)
        .map(|driven| Named { name: "behaviour".to_owned(), trace: driven.trace.clone() });
    let traces: Vec<Named> = named.collect();
    let differs = stages::replay(context, chosen, &traces, &args.process, run)?;
    let Some((index, outcome)) = differs else { return Ok(true) };
    commands::replay::print_difference(&outcome);
    let saved = context.save(&traces[index].trace)?;
    output::labelled("saved", &saved.display().to_string());
    output::labelled("logs", &run.keep().display().to_string());
    Ok(false)
}

/// The most actions that are told of what could be done instead.
const OFFERS_MAX: usize = 8;

/// Says where a behaviour goes on and the step function does not.
fn print_parting(
    context: &Context<'_>,
    behaviour: &SpecTrace,
    driven: &DrivenTrace,
) -> Result<(), Failure> {
    let Some(parting) = &driven.parting else { return Ok(()) };
    output::line("");
    let Some(index) = parting.step.checked_sub(1) else {
        output::labelled(
            "parts",
            &format!("{}: it begins in a state that the game has not", behaviour.name),
        );
        return Ok(());
    };
    let (step, nothing) = (&behaviour.steps[index], BTreeMap::new());
    let before = match index.checked_sub(1) {
        Some(before) => behaviour.steps[before].variables.as_ref(),
        None => behaviour.initial.as_ref(),
    };
    let (before, after) = (before.unwrap_or(&nothing), step.variables.as_ref().unwrap_or(&nothing));
    output::labelled(
        "parts",
        &format!("{}, step {}, {}", behaviour.name, parting.step, step.action),
    );
    let mut label = "before";
    for (name, value) in before {
        output::labelled(label, &format!("{name} = {value}"));
        label = "";
    }
    label = "after";
    for (name, value) in after.iter().filter(|(name, value)| before.get(*name) != Some(value)) {
        output::labelled(label, &format!("{name} = {value}"));
        label = "";
    }
    let others = parting.offers.iter().map(|offer| match offer.state == *after {
        true => format!("{} (to the same state)", offer.action),
        false => offer.action.to_string(),
    });
    let mut others: Vec<String> = others.collect();
    others.dedup();
    let more = others.len().saturating_sub(OFFERS_MAX);
    others.truncate(OFFERS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let told = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
    output::labelled("instead", &format!("{told}{more}"));
    let saved = context.save(&driven.trace)?;
    output::labelled("saved", &format!("{}, up to there", saved.display()));
    output::labelled("show", &context.command("show", &saved));
    Ok(())
}

fn conclude(followed: &Followed<'_>, replayed: bool) -> Exit {
    let parted = followed.parted.iter().filter(|(_, is_certain)| *is_certain).count();
    let (word, what, exit) = match (replayed, parted, followed.parted.len() + followed.left) {
        (false, ..) => ("FAIL", "the real processes do something else".to_owned(), Exit::Violated),
        (true, 0, 0) => {
            ("PASS", "the game follows every behaviour that was drawn".to_owned(), Exit::Holds)
        }
        (true, 0, open) => (
            "BOUNDED",
            format!("{} not decided", count(open, "behaviour is", "behaviours are")),
            Exit::Bounded,
        ),
        (true, parted, _) => {
            let what = count(parted, "behaviour is not followed", "behaviours are not followed");
            ("FAIL", what, Exit::Violated)
        }
    };
    output::verdict(word, &what, exit);
    exit
}

/// The columns of a drawing.
const WIDTH: usize = 100;

/// Says which behaviour violates something, and whether the game can do so, too.
fn print_violated(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    args: &DriveArgs,
    verdict: &Verdict,
    behaviour: &SpecTrace,
    run: &mut RunDirectory,
) -> Result<Exit, Failure> {
    let what = Violated::of(verdict).map_or(String::new(), |violated| violated.what);
    if args.drive {
        let driven = drive(context, chosen, std::slice::from_ref(behaviour), Matching::States)?;
        replay(context, chosen, args, &driven, run)?;
        for driven in &driven {
            if driven.parting.is_some() {
                print_parting(context, behaviour, driven)?;
                continue;
            }
            let saved = context.save(&driven.trace)?;
            output::line("");
            commands::show::draw(&driven.trace, WIDTH);
            output::labelled("saved", &saved.display().to_string());
            output::labelled("replay", &context.command("replay", &saved));
        }
    }
    output::labelled("logs", &run.keep().display().to_string());
    output::verdict("FAIL", &what, Exit::Violated);
    Ok(Exit::Violated)
}
