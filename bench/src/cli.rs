use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};

use crate::case::Case;
use crate::runner::{Plan, Runner};
use crate::tool::Tool;
use crate::{bridge, growth, liveness, one, output, table, targets};

/// Runs the command with the arguments of this process.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        None => all(&arguments.selection),
        Some(Command::One { tool, case, size, workers }) => single(*tool, *case, *size, *workers),
        Some(Command::Weigh { program }) => return weigh(program),
        Some(Command::Growth { workers }) => growth::run(*workers),
        Some(Command::Bridge { traces, rounds }) => bridge::run(*traces, *rounds),
        Some(Command::Liveness) => {
            liveness::table().iter().for_each(|line| output::line(line));
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs us and the peers alternately on this machine, and prints what each search has cost.
#[derive(Debug, Parser)]
#[command(name = "cadre-bench", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    selection: Selection,
}

#[derive(Clone, Debug, clap::Args)]
struct Selection {
    /// How often each search is run; one that takes more than a minute is run once.
    #[arg(long, default_value_t = 3)]
    repeat: u32,
    /// Only these cases.
    #[arg(long = "case", value_enum)]
    cases: Vec<Case>,
    /// Only this size.
    #[arg(long)]
    size: Option<u32>,
    /// Only these tools.
    #[arg(long = "tool", value_enum)]
    tools: Vec<Tool>,
    /// With how many threads each tool searches, if it can.
    #[arg(long, default_value_t = 2)]
    workers: u32,
    /// One small size of each case, once.
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a single search in this process, and prints one line of JSON.
    One {
        /// What searches.
        tool: Tool,
        /// What is searched.
        case: Case,
        /// How large it is.
        size: u32,
        /// With how many threads, if the tool can.
        #[arg(long, default_value_t = 2)]
        workers: u32,
    },
    /// Searches 10^6 and 10^8 states, and prints how the time for each of them grows.
    Growth {
        /// With how many threads.
        #[arg(long, default_value_t = 2)]
        workers: u32,
    },
    /// Runs a program, and prints in one line of JSON what it has used.
    #[command(hide = true)]
    Weigh {
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        program: Vec<String>,
    },
    /// Has TLC check traces and a graph in one run each, and prints what that is beside single runs
    /// and beside TLC's own exploration.
    Bridge {
        /// How many traces.
        #[arg(long, default_value_t = 10_000)]
        traces: usize,
        /// How often each is measured, in turns.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Gives Stateright small models whose liveness is known, and prints where its answers differ.
    Liveness,
}

fn all(selection: &Selection) -> Result<()> {
    let plan = plan(selection)?;
    let mut runner = Runner::new(&plan);
    table::preface(&plan, runner.skipped()).iter().for_each(|line| output::line(line));
    let mut found = Vec::new();
    for (case, size) in &plan.searches {
        let series = runner.run(*case, *size)?;
        table::rows(*case, *size, &series).iter().for_each(|line| output::line(line));
        found.extend(series);
    }
    targets::lines(&found, plan.workers).iter().for_each(|line| output::line(line));
    Ok(())
}

fn plan(selection: &Selection) -> Result<Plan> {
    ensure!(selection.repeat > 0, "expected --repeat of at least 1, found 0");
    ensure!(selection.workers > 0, "expected --workers of at least 1, found 0");
    let cases = match selection.cases.as_slice() {
        [] => <Case as clap::ValueEnum>::value_variants(),
        some => some,
    };
    let mut searches = Vec::new();
    for case in cases {
        let sizes = match selection.size {
            Some(size) => vec![size],
            None if selection.quick => vec![case.quick_size()],
            None => case.sizes().to_vec(),
        };
        searches.extend(sizes.into_iter().map(|size| (*case, size)));
    }
    Ok(Plan {
        searches,
        tools: match selection.tools.as_slice() {
            [] => <Tool as clap::ValueEnum>::value_variants().to_vec(),
            some => some.to_vec(),
        },
        workers: selection.workers,
        repeat: if selection.quick { 1 } else { selection.repeat },
        runs_long: !selection.tools.is_empty(),
    })
}

fn single(tool: Tool, case: Case, size: u32, workers: u32) -> Result<()> {
    let measurement = one::measure(tool, case, size, workers)?;
    output::line(&serde_json::to_string(&measurement)?);
    Ok(())
}

fn weigh(program: &[String]) -> ExitCode {
    match one::weigh(program) {
        Ok(code) => {
            ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
        }
        Err(error) => {
            output::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
