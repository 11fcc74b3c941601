//! The specification that logs are checked against.

use std::path::{Path, PathBuf};

use cadre::conform::{
    self, ConformError, LogMapping, Reason, Report, Spec, SpecModel, SpecTrace, TraceVerdict,
    Vocabulary,
};
use cadre::tla::{Contents, Level, TlaError, Tlc};

use crate::args::LogArgs;
use crate::chosen::Chosen;
use crate::commands::no_spec;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_tla};
use crate::modules;
use crate::run_directory::RunDirectory;
use crate::spec_args::ClaimArgs;

/// Where a specification comes from.
pub(crate) enum Origin {
    Game(String),
    /// The file of its trace module.
    Module(PathBuf),
}

/// What the command line asks for, and otherwise what the mapping does.
pub(crate) fn origin(args: &LogArgs, mapping: &LogMapping) -> Result<Origin, Failure> {
    if let Some(spec) = &args.spec {
        let is_module = Path::new(spec).extension().is_some_and(|extension| extension == "tla");
        return Ok(match is_module {
            true => Origin::Module(spec.into()),
            false => Origin::Game(spec.clone()),
        });
    }
    let beside = args.mapping.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    match (&mapping.spec, &mapping.game) {
        (Some(spec), None) => Ok(Origin::Module(beside.join(spec))),
        (None, Some(game)) => Ok(Origin::Game(game.clone())),
        (Some(_), Some(_)) => {
            Err(anyhow::anyhow!("expected either `spec` or `game` in the mapping, found both"))
                .or_exit(Exit::Input)
        }
        (None, None) => Err(anyhow::anyhow!(
            "expected a specification, found none; name a game or the file of a trace module by \
             --spec, or in the mapping by `game` or `spec`"
        ))
        .or_exit(Exit::Usage),
    }
}

/// The specification, after a look at whether it has what the mapping names.
pub(crate) fn find(
    context: &Context<'_>,
    origin: Origin,
    mapping: &LogMapping,
    run: &mut RunDirectory,
) -> Result<Spec, Failure> {
    let Some(tlc) = context.parser() else { return unread(context, origin, mapping) };
    let directory = run.part("sany").or_exit(Exit::ToolChain)?;
    let parser = Parser { context, tlc: &tlc, directory };
    let (files, module, game) = match origin {
        Origin::Game(game) => {
            let chosen = Chosen::named(context, &game, mapping.nodes, None)?;
            let spec = chosen.game.spec(&chosen.setup).ok_or_else(|| no_spec(&chosen))?;
            (spec.files.clone(), spec.trace_module.clone(), Some(spec))
        }
        Origin::Module(path) => {
            let (files, module) = modules::beside(&path)?;
            (files, module, None)
        }
    };
    let (mut spec, vocabulary) = match mapping.event {
        Some(_) => parser.of_events(files, &module, mapping)?,
        None => parser.of_states(files, &module, mapping)?,
    };
    if let Some(game) = game {
        let all = completed(game, mapping);
        (spec.constants, spec.invariants) = (all.constants, all.invariants);
    }
    vocabulary.check_mapping(mapping, &spec).or_exit(Exit::Input)?;
    vocabulary.check_events(mapping).or_exit(Exit::Input)?;
    Ok(spec)
}

/// The specification of a game with what a mapping adds to it.
fn completed(mut game: Spec, mapping: &LogMapping) -> Spec {
    game.constants.extend(mapping.constants.clone());
    game.invariants.extend(mapping.invariants.clone());
    game
}

/// The specification where nobody can say which names its modules have: that of a game is known.
fn unread(context: &Context<'_>, origin: Origin, mapping: &LogMapping) -> Result<Spec, Failure> {
    match (origin, &mapping.event) {
        (Origin::Game(game), Some(_)) => {
            let chosen = Chosen::named(context, &game, mapping.nodes, None)?;
            let spec = chosen.game.spec(&chosen.setup).ok_or_else(|| no_spec(&chosen))?;
            Ok(completed(spec, mapping))
        }
        (Origin::Module(_), _) | (Origin::Game(_), None) => Err(anyhow::anyhow!(
            "expected TLC, whose parser says which names a module has, found none; let it be \
             installed, or name a game by --spec and its events in the mapping"
        ))
        .or_exit(Exit::ToolChain),
    }
}

/// Holds the names in a mapping of a game against the specification, once TLC does not take them:
/// a check that finds nothing wrong needs no parser beside TLC itself.
///
/// # Errors
///
/// What the specification has no word for.
pub(crate) fn judge_names(
    context: &Context<'_>,
    spec: &Spec,
    traces: &[SpecTrace],
    checked: &Result<Report, ConformError>,
    run: &mut RunDirectory,
) -> Result<(), Failure> {
    match checked {
        Ok(report) => {
            report.judge_names(spec, traces).or_exit(Exit::Input)?;
            match report.verdicts.iter().any(has_other_arguments) {
                true => parsed(context, spec, run, |names| names.check_traces(traces)),
                false => Ok(()),
            }
        }
        Err(error) => judge_failure(context, spec, error, run),
    }
}

/// Holds the names of variables and constants against the specification, once TLC does not parse
/// what was made of them.
///
/// # Errors
///
/// What the specification has no word for.
pub(crate) fn judge_failure(
    context: &Context<'_>,
    spec: &Spec,
    error: &ConformError,
    run: &mut RunDirectory,
) -> Result<(), Failure> {
    match error {
        ConformError::Tla(TlaError::Parse { .. } | TlaError::Config { .. }) => {
            parsed(context, spec, run, |names| names.check_spec(spec))
        }
        _ => Ok(()),
    }
}

/// Sees to it that what is to be an invariant is about a state, and what is to be a property about
/// behaviours: of a property that is about a state TLC judges the initial states and no other.
///
/// # Errors
///
/// Which claim is of the other kind.
pub(crate) fn judge_claims(
    context: &Context<'_>,
    model: &SpecModel,
    claims: &ClaimArgs,
) -> Result<(), Failure> {
    if claims.invariant.is_empty() && claims.property.is_empty() {
        return Ok(());
    }
    let Some(tlc) = context.parser() else { return Ok(()) };
    let run = context.run_directory("spec")?;
    modules::write(run.path(), &model.files).or_exit(Exit::ToolChain)?;
    let contents = tlc.contents(run.path(), &model.module, &context.stop).map_err(of_tla)?;
    let level = |name: &String| contents.definition(name).map(|found| found.level);
    for name in &claims.invariant {
        if level(name).is_some_and(|level| level > Level::State) {
            return Err(anyhow::anyhow!(
                "expected a formula about a state for --invariant, found {name}, which is about \
                 steps or behaviours; ask for it by --property"
            ))
            .or_exit(Exit::Usage);
        }
    }
    for name in &claims.property {
        if level(name).is_some_and(|level| level < Level::Temporal) {
            return Err(anyhow::anyhow!(
                "expected a formula about behaviours for --property, found {name}, which is about \
                 a state or a step, so that TLC would judge it at the beginning alone; ask for it \
                 by --invariant, or say always by []"
            ))
            .or_exit(Exit::Usage);
        }
    }
    Ok(())
}

/// Asks the parser for the names of the trace module; if that does not parse, or is none, then TLC
/// has said so.
fn parsed(
    context: &Context<'_>,
    spec: &Spec,
    run: &mut RunDirectory,
    judge: impl Fn(&Vocabulary) -> Result<(), ConformError>,
) -> Result<(), Failure> {
    let Some(tlc) = context.parser() else { return Ok(()) };
    let directory = run.part("sany").or_exit(Exit::ToolChain)?;
    modules::write(&directory, &spec.files).or_exit(Exit::ToolChain)?;
    let contents = tlc.contents(&directory, &spec.trace_module, &context.stop);
    let names = contents.ok().and_then(|contents| Vocabulary::of(&contents).ok());
    names.map_or(Ok(()), |names| judge(&names).or_exit(Exit::Input))
}

fn has_other_arguments(verdict: &TraceVerdict) -> bool {
    match verdict {
        TraceVerdict::Rejected(rejection) => rejection.reason == Reason::WrongArguments,
        TraceVerdict::Conforms | TraceVerdict::Undetermined { .. } => false,
    }
}

/// SANY, in a directory of its own.
struct Parser<'a, 'c> {
    context: &'a Context<'c>,
    tlc: &'a Tlc,
    directory: PathBuf,
}

impl Parser<'_, '_> {
    fn contents(&self, files: &[(String, String)], module: &str) -> Result<Contents, Failure> {
        modules::write(&self.directory, files).or_exit(Exit::ToolChain)?;
        self.tlc.contents(&self.directory, module, &self.context.stop).map_err(of_tla)
    }

    fn of_events(
        &self,
        mut files: Vec<(String, String)>,
        module: &str,
        mapping: &LogMapping,
    ) -> Result<(Spec, Vocabulary), Failure> {
        let mut contents = self.contents(&files, module)?;
        // Where nobody has written a trace module, one is written for this run.
        if contents.definition("TraceEvent").is_none() {
            let scaffold = conform::scaffold(&contents, &files).or_exit(Exit::Input)?;
            let file = format!("{}.tla", scaffold.module);
            files.retain(|(name, _)| *name != file);
            files.push((file, scaffold.text));
            contents = self.contents(&files, &scaffold.module)?;
        }
        let vocabulary = Vocabulary::of(&contents).or_exit(Exit::Input)?;
        Ok((vocabulary.spec(files, mapping), vocabulary))
    }

    fn of_states(
        &self,
        files: Vec<(String, String)>,
        module: &str,
        mapping: &LogMapping,
    ) -> Result<(Spec, Vocabulary), Failure> {
        let contents = self.contents(&files, without_traces(&files, module))?;
        let spec = conform::spec_of_states(&contents, files, mapping).or_exit(Exit::Input)?;
        let contents = self.contents(&spec.files, &spec.trace_module)?;
        Ok((spec, Vocabulary::of(&contents).or_exit(Exit::Input)?))
    }
}

/// The specification that a trace module is about: states alone need no trace module.
fn without_traces<'a>(files: &[(String, String)], module: &'a str) -> &'a str {
    let named = module.strip_prefix("Trace");
    let is_there =
        |name: &&str| files.iter().any(|(file, _)| file.strip_suffix(".tla") == Some(name));
    named.filter(is_there).unwrap_or(module)
}
