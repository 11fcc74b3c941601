use std::io::Write;
use std::path::{Path, PathBuf};

use cadre::model::Claim;
use cadre::trace::{DiskWrite, NodeSnapshot, Snapshot, Status, Trace, brief};
use cadre::{Enabled, Standing, Stepper};

use crate::args::GameArgs;
use crate::chosen::Chosen;
use crate::commands::{read_trace, show};
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::lines::Lines;
use crate::output;
use crate::watch::count;

/// `explore --step`: one execution, chosen by hand, from lines of standard input.
pub(crate) fn run(context: &Context<'_>, game: &GameArgs) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    let stepper = chosen.game.stepper(&chosen.setup).or_exit(Exit::Internal)?;
    output::line(&format!("stepping {}", chosen.title()));
    output::line("a number takes that action, h lists the other commands");
    let mut session =
        Session { context, chosen: &chosen, stepper, known: Vec::new(), violated: None };
    session.announce();
    session.list(LISTED_MAX);
    let lines = Lines::new(&context.stop);
    while let Some(line) = lines.ask("> ") {
        match session.parse(&line) {
            Ok(Command::Quit) => break,
            Ok(command) => session.obey(command),
            Err(expected) => complain(&format!("expected {expected}, found `{line}`")),
        }
    }
    Ok(session.conclude())
}

/// The commands, for people to read.
const HELP: &str = "\
  N           take action number N
  b           go one step back
  s           show the lanes so far
  d [NODE]    what the last step changed; or all of a node
  g           which guarantees hold here
  save [FILE] save the steps so far as a trace
  load FILE   go to the end of a trace
  l           list all actions
  q           quit";

/// As many actions are listed unasked.
const LISTED_MAX: usize = 40;
/// The columns of the lanes.
const WIDTH: usize = 100;

/// What a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command<'l> {
    Take(usize),
    Back,
    Show,
    Difference(Option<&'l str>),
    Guarantees,
    Save(Option<&'l str>),
    Load(&'l str),
    List,
    Help,
    Quit,
}

struct Session<'a> {
    context: &'a Context<'a>,
    chosen: &'a Chosen<'a>,
    stepper: Box<dyn Stepper + 'a>,
    /// How the guarantees stood when last looked at.
    known: Vec<Standing>,
    /// The first guarantee that was violated on the way.
    violated: Option<String>,
}

impl Session<'_> {
    /// Reads a command; an error says what was expected.
    fn parse<'l>(&self, line: &'l str) -> Result<Command<'l>, String> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let argument = (!rest.is_empty()).then_some(rest);
        let alone = |command: Command<'l>| match argument {
            None => Ok(command),
            Some(_) => Err(format!("nothing after `{word}`")),
        };
        match word {
            "" | "l" | "list" => alone(Command::List),
            "b" | "back" => alone(Command::Back),
            "s" | "show" => alone(Command::Show),
            "d" | "diff" => Ok(Command::Difference(argument)),
            "g" | "guarantees" => alone(Command::Guarantees),
            "save" => Ok(Command::Save(argument)),
            "load" => argument.map(Command::Load).ok_or("a file after `load`".to_owned()),
            "h" | "help" | "?" => alone(Command::Help),
            "q" | "quit" => alone(Command::Quit),
            _ => {
                let most = self.stepper.enabled().len();
                let number = word.parse().ok().filter(|number| (1..=most).contains(number));
                match (number, most) {
                    (Some(number), _) => alone(Command::Take(number)),
                    (None, 0) => Err("a command, as h lists them".to_owned()),
                    (None, 1) => Err("the number 1, or a command as h lists them".to_owned()),
                    (None, _) => {
                        Err(format!("a number from 1 to {most}, or a command as h lists them"))
                    }
                }
            }
        }
    }

    /// Does what a line asks for, and says what came of it.
    fn obey(&mut self, command: Command<'_>) {
        let done = match command {
            Command::Take(number) => self.take(number),
            Command::Back => {
                self.back();
                Ok(())
            }
            Command::Show => self.show(),
            Command::Difference(None) => self.difference(),
            Command::Difference(Some(node)) => self.node(node),
            Command::Guarantees => {
                self.guarantees();
                Ok(())
            }
            Command::Save(file) => self.save(file),
            Command::Load(file) => self.load(Path::new(file)),
            Command::List => {
                self.list(usize::MAX);
                Ok(())
            }
            Command::Help => {
                output::line(HELP);
                Ok(())
            }
            Command::Quit => Ok(()),
        };
        if let Err(failure) = done {
            complain(&failure.to_string());
        }
    }

    fn take(&mut self, number: usize) -> Result<(), Failure> {
        let Some(action) = self.stepper.take(number - 1) else { return Ok(()) };
        let change = match self.trace() {
            Ok(trace) => cadre::view::last_change(&trace),
            Err(failure) => {
                // The step has been taken all the same.
                complain(&failure.to_string());
                String::new()
            }
        };
        output::labelled("took", &format!("{action}: {change}"));
        self.announce();
        self.list(LISTED_MAX);
        Ok(())
    }

    fn back(&mut self) {
        match self.stepper.back() {
            true => {
                self.announce();
                self.list(LISTED_MAX);
            }
            false => complain("expected a step to take back, but this is the beginning"),
        }
    }

    fn show(&self) -> Result<(), Failure> {
        let trace = self.trace()?;
        match trace.steps.is_empty() {
            true => output::line("nothing has happened yet"),
            false => show::draw(&trace, WIDTH),
        }
        Ok(())
    }

    /// What the last step changed, part by part.
    fn difference(&self) -> Result<(), Failure> {
        let trace = self.trace()?;
        let Some(last) = trace.steps.last() else {
            output::line("nothing has happened yet");
            return Ok(());
        };
        output::line(&last.action.to_string());
        let snapshots: Vec<Snapshot> = trace.snapshots().collect();
        if let [.., before, after] = snapshots.as_slice() {
            for difference in before.diff(after) {
                output::line(&format!("  {difference}"));
            }
        }
        Ok(())
    }

    /// All of a node, and the messages for it.
    fn node(&self, name: &str) -> Result<(), Failure> {
        let trace = self.trace()?;
        let here = trace.snapshots().last().unwrap_or_default();
        let Some(node) = here.nodes.get(name) else {
            let known = trace.header.nodes.join(", ");
            complain(&format!("expected a node, one of {known}, found `{name}`"));
            return Ok(());
        };
        output::line(&format!("{name}, {}", status(node.status)));
        let writes = |write: &DiskWrite| match write {
            DiskWrite::Put { key, value } => format!("{key} = {value}"),
            DiskWrite::Delete { key } => format!("delete {key}"),
            DiskWrite::Sync => "sync".to_owned(),
        };
        let NodeSnapshot { state, timers, disk, unsynced, .. } = node;
        let in_flight = here.network.iter().filter(|envelope| envelope.to == name);
        for (label, parts) in [
            ("state", vec![brief(state)]),
            ("timers", timers.iter().map(brief).collect()),
            ("disk", disk.iter().map(|(key, value)| format!("{key} = {value}")).collect()),
            ("unsynced", unsynced.iter().map(writes).collect()),
            ("for it", in_flight.map(ToString::to_string).collect()),
        ] {
            if !parts.is_empty() {
                output::labelled(label, &parts.join(", "));
            }
        }
        Ok(())
    }

    fn guarantees(&self) {
        for (claim, standing) in self.stepper.standings() {
            let (word, note) = match standing {
                Standing::Holds => ("holds", ""),
                Standing::Violated => ("violated", ""),
                Standing::Met => ("met", ""),
                Standing::NotMet => ("not met", " (to be reachable)"),
                Standing::NotJudged => ("open", " (judged once only faults can happen)"),
            };
            output::labelled(word, &format!("{}{note}", claim.name));
        }
    }

    fn save(&self, file: Option<&str>) -> Result<(), Failure> {
        let trace = self.trace()?;
        let path = match file {
            None => self.context.save(&trace)?,
            Some(file) => save_as(&trace, Path::new(file))?,
        };
        let bug = self.chosen.process_bug.map_or(String::new(), |(bug, _)| format!(" --bug {bug}"));
        output::labelled("saved", &path.display().to_string());
        output::labelled("replay", &format!("{}{bug}", self.context.command("replay", &path)));
        Ok(())
    }

    fn load(&mut self, path: &Path) -> Result<(), Failure> {
        let trace = read_trace(path)?;
        let differs = self.stepper.load(&trace).or_exit(Exit::Input)?;
        let steps = count(trace.steps.len(), "step", "steps");
        output::labelled("loaded", &format!("{steps} of {}", path.display()));
        if let Some(step) = differs {
            let what = format!("after step {step} the configuration is not the one in the trace");
            output::labelled("differs", &what);
        }
        self.announce();
        self.list(LISTED_MAX);
        Ok(())
    }

    /// Lists what can be done here.
    fn list(&self, most: usize) {
        let enabled = self.stepper.enabled();
        let rest = match enabled.iter().all(|enabled| enabled.is_fault) {
            true if enabled.is_empty() => ": nothing can happen any more",
            true => ": only faults can happen any more",
            false => "",
        };
        output::line(&format!("\nstep {}{rest}", self.stepper.steps()));
        for (number, Enabled { action, is_fault }) in (1..).zip(enabled.iter().take(most)) {
            let fault = if *is_fault { " (fault)" } else { "" };
            output::line(&format!("{number:>4}  {action}{fault}"));
        }
        if enabled.len() > most {
            output::line(&format!("      and {} more, l lists them all", enabled.len() - most));
        }
    }

    /// Says which guarantees have become violated or met since the last time.
    fn announce(&mut self) {
        let standings = self.stepper.standings();
        let before = std::mem::take(&mut self.known);
        for (index, (claim, standing)) in standings.iter().enumerate() {
            if before.get(index) == Some(standing) {
                continue;
            }
            match standing {
                Standing::Violated => {
                    self.violated.get_or_insert_with(|| claim.name.clone());
                    output::labelled("violated", &self.finding(claim));
                }
                Standing::Met => output::labelled("met", &claim.name),
                Standing::Holds | Standing::NotMet | Standing::NotJudged => {}
            }
        }
        self.known = standings.into_iter().map(|(_, standing)| standing).collect();
    }

    /// A guarantee that is violated here, with what it has to say.
    fn finding(&self, claim: &Claim) -> String {
        let guarantee = self.trace().ok().and_then(|trace| trace.header.guarantee);
        let finding = guarantee.filter(|guarantee| guarantee.name == claim.name);
        let finding = finding.and_then(|guarantee| guarantee.finding);
        finding.map_or(claim.name.clone(), |finding| format!("{}: {finding}", claim.name))
    }

    fn trace(&self) -> Result<Trace, Failure> {
        self.stepper.trace().or_exit(Exit::Internal)
    }

    /// Says what came of it: going by hand shows violations, and proves nothing.
    fn conclude(&self) -> Exit {
        match &self.violated {
            Some(guarantee) => {
                output::verdict("FAIL", guarantee, Exit::Violated);
                Exit::Violated
            }
            None => {
                let steps = count(self.stepper.steps(), "step", "steps");
                let what = format!("{steps} by hand, nothing was violated on the way");
                output::verdict("BOUNDED", &what, Exit::Bounded);
                Exit::Bounded
            }
        }
    }
}

fn complain(what: &str) {
    output::labelled("error", what);
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Paused => "paused",
        Status::Down => "down",
        Status::Failed => "failed",
    }
}

/// Saves a trace under a name that is not taken.
fn save_as(trace: &Trace, path: &Path) -> Result<PathBuf, Failure> {
    let written = std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(trace.to_ndjson().as_bytes()));
    written
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                anyhow::anyhow!("expected the name of a new file, but {} exists", path.display())
            }
            _ => anyhow::anyhow!("cannot save the trace in {}: {error}", path.display()),
        })
        .or_exit(Exit::ToolChain)?;
    Ok(path.to_owned())
}
