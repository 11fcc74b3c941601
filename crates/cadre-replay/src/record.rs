use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use cadre_process::Stop;
use cadre_trace::{Command, LoggedStep};

use crate::child::{Answer, Child, Launcher};
use crate::clients::Clients;
use crate::clock::Deadline;
use crate::merge::{Merged, merge};
use crate::{Ended, RecordOptions, Recording, ReplayError, Site};

/// How long one node is listened to before it is the next one's turn.
const TURN: Duration = Duration::from_millis(1);

/// Lets the nodes run, each a real process, with nobody steering: they talk to each other directly
/// and live by the wall clock, and clients ask what the options say. What each node reports of its
/// steps becomes one execution, ordered by the Lamport clocks.
///
/// # Errors
///
/// Where a process cannot be started, dies, or says something else than it should, where the
/// reports make no execution, and on a stop.
pub fn record(
    names: &[String],
    options: &RecordOptions<'_>,
    stop: &Stop,
) -> Result<Recording, ReplayError> {
    let program = options.program.clone().arg("--seed").arg(options.seed.to_string());
    let launcher = Launcher {
        program: &program,
        names,
        base_port: None,
        limit: options.start_limit,
        directory: options.directory,
        stop,
    };
    launcher.check()?;
    let mut reports = Vec::new();
    let mut children = start_all(&launcher, &mut reports)?;
    let ended = listen(&mut children, options, stop, &mut reports)?;
    end_all(&mut children, &mut reports)?;
    let Merged { initial, happenings } = merge(names, options.network, reports)?;
    Ok(Recording { initial, happenings, ended })
}

/// Starts all processes, and all nodes once every one can be reached.
fn start_all(
    launcher: &Launcher<'_>,
    reports: &mut Vec<LoggedStep>,
) -> Result<Vec<Child>, ReplayError> {
    let at = Site::Start;
    let mut children = Vec::new();
    for node in 0..launcher.names.len() {
        children.push(launcher.start(node, 0, &at)?);
    }
    for child in &mut children {
        child.await_listening(&at)?;
    }
    let addresses: BTreeMap<String, SocketAddr> =
        children.iter().map(|child| (child.name().to_owned(), child.address())).collect();
    for child in &mut children {
        child.invite(addresses.clone(), None, &at)?;
    }
    for child in &mut children {
        let answer = child.await_answer(&at)?;
        reports.push(step(child, answer, &at)?);
    }
    Ok(children)
}

/// Collects reports until the nodes are quiet or their time is over.
fn listen(
    children: &mut [Child],
    options: &RecordOptions<'_>,
    stop: &Stop,
    reports: &mut Vec<LoggedStep>,
) -> Result<Ended, ReplayError> {
    let at = Site::FreeRun;
    let end = Deadline::after(options.duration_max);
    let mut quiet = Deadline::after(options.quiet);
    let mut clients = Clients::new(options.clients);
    loop {
        for child in &mut *children {
            clients.ask(child, &at)?;
            while let Some(answer) = child.answer_within(TURN, &at)? {
                let step = step(child, answer, &at)?;
                clients.hear(&step);
                reports.push(step);
                quiet = Deadline::after(options.quiet);
                if end.has_passed() {
                    return Ok(Ended::TimeLimit);
                }
            }
        }
        if stop.requested() {
            return Err(ReplayError::Stopped { at });
        }
        if quiet.has_passed() {
            return Ok(Ended::Quiet);
        }
        if end.has_passed() {
            return Ok(Ended::TimeLimit);
        }
    }
}

/// Ends all processes, and collects what they have still to report.
fn end_all(children: &mut [Child], reports: &mut Vec<LoggedStep>) -> Result<(), ReplayError> {
    let at = Site::End;
    for child in &mut *children {
        child.command(&Command::Stop, &at)?;
    }
    for child in children {
        while let Some(answer) = child.last_answer(&at)? {
            reports.push(step(child, answer, &at)?);
        }
    }
    Ok(())
}

fn step(child: &Child, answer: Answer, at: &Site) -> Result<LoggedStep, ReplayError> {
    match answer {
        Answer::Step(step) => Ok(*step),
        Answer::Refused(why) => {
            Err(ReplayError::Refused { at: at.clone(), node: child.name().to_owned(), why })
        }
    }
}
