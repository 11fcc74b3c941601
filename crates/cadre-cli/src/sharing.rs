use std::io;
use std::path::Path;
use std::time::Duration;

use cadre::explore::{Bound, Bounds, Flow, Keep, Progress, Settings, ShareError};
use cadre::process::{Conversation, ProcessError, Program, converse};
use cadre::sharing::{Door, Folder, MeetError};
use cadre::{Explored, Part};
use clap::ValueEnum;

use crate::args::{SearchArgs, SharingArgs};
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::output;
use crate::run_directory::RunDirectory;
use crate::watch::Clock;

/// A search as the command line asks for it.
pub(crate) struct Asked<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) chosen: &'a Chosen<'a>,
    pub(crate) search: &'a SearchArgs,
    pub(crate) sharing: &'a SharingArgs,
}

/// In place of a file with the hosts: they are said line by line, as a parent and its children do.
pub(crate) const SPOKEN: &str = "-";

/// How long processes that people start may take to come.
const PEOPLE_LIMIT: Duration = Duration::from_secs(600);

/// How long processes that this one starts may take to come, and to go.
const CHILDREN_LIMIT: Duration = Duration::from_secs(60);

/// How long the children are given to say how they ended, once one of them was lost.
const ENDING_LIMIT: Duration = Duration::from_secs(5);

impl Asked<'_> {
    /// Lets this process take its part.
    pub(crate) fn search(
        &self,
        settings: &Settings,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Explored, Failure> {
        let mut team = self.gather()?;
        let process = team.process;
        let door = Door::open(&team.own).or_exit(Exit::ToolChain)?;
        team.address(&door)?;
        let met = door.meet(&team.addresses, process, team.limit, &self.context.stop);
        let connections = met.map_err(|error| self.not_met(error, &mut team))?;
        let directory = self.sharing.checkpoint.as_deref();
        let mut folder = directory.map(|directory| folder(directory, process)).transpose()?;
        let keep = match &mut folder {
            None => Keep::Nothing,
            Some(folder) if self.sharing.resume => Keep::Resume(folder),
            Some(folder) => Keep::Levels(folder),
        };
        let memory_max = match team.addresses.len() {
            1 => settings.bounds.memory_max,
            // Free memory differs from process to process: only what was said is a bound of all.
            _ => self.search.memory,
        };
        let bounds = Bounds { memory_max, ..settings.bounds.clone() };
        let settings = Settings {
            bounds,
            workers: (settings.workers / team.share_of_host.max(1)).max(1),
            ..settings.clone()
        };
        let part = Part { process, connections, keep, now: Clock::start().started() };
        let found = self.chosen.game.explore_shared(&self.chosen.setup, &settings, part, watch);
        match found.or_exit(Exit::Internal)? {
            Ok(found) => {
                team.dismiss()?;
                Ok(found)
            }
            Err(error) => Err(self.not_done(error, &mut team)),
        }
    }

    /// Finds out which processes there are; starts those that are to be started.
    fn gather(&self) -> Result<Team, Failure> {
        let SharingArgs { processes, hosts, process, .. } = self.sharing;
        match hosts {
            Some(file) if file.as_os_str() == SPOKEN => {
                Ok(Team { process: process.unwrap_or(0), is_spoken: true, ..Team::on_loopback(1) })
            }
            Some(file) => {
                let addresses = read_hosts(file)?;
                let process = process.unwrap_or(0);
                let own = addresses.get(process).cloned().ok_or_else(|| {
                    let (found, file) = (addresses.len(), file.display());
                    anyhow::anyhow!("there is no process {process}: {file} has {found}, from 0 on")
                });
                let own = own.or_exit(Exit::Usage)?;
                let limit = PEOPLE_LIMIT;
                Ok(Team { process, own, addresses, limit, ..Team::on_loopback(1) })
            }
            None => self.start(processes.map_or(1, usize::from)),
        }
    }

    /// Starts all processes but the first, which is this one.
    fn start(&self, processes: usize) -> Result<Team, Failure> {
        let mut team = Team::on_loopback(processes);
        if processes > 1 {
            let run = self.context.run_directory("explore")?;
            for process in 1..processes {
                let log = run.path().join(format!("process-{process}.log"));
                let child = converse(&self.child(process)?, &log).or_exit(Exit::ToolChain)?;
                team.children.push(child);
            }
            team.run = Some(run);
        }
        Ok(team)
    }

    fn child(&self, process: usize) -> Result<Program, Failure> {
        let executable = std::env::current_exe().or_exit(Exit::Internal)?;
        let program = Program::new(executable).args(self.search_args());
        let program = program.args(["--hosts", SPOKEN, "--process", &process.to_string()]);
        let resume = self.sharing.resume.then_some("--resume");
        Ok(program.args(self.checkpoint_args()).args(resume))
    }

    /// The arguments that ask for the same search.
    fn search_args(&self) -> Vec<String> {
        let mut args = vec!["explore".to_owned()];
        args.extend(self.chosen.to_args());
        // The time is whoever asked's to watch.
        let SearchArgs { depth, configurations, seconds: _, memory, spill: _, workers, without } =
            self.search;
        let workers = workers.map(|workers| workers.get() as u64);
        let numbers = [
            ("--depth", *depth),
            ("--configurations", *configurations),
            ("--memory", *memory),
            ("--workers", workers),
        ];
        for (name, number) in numbers {
            args.extend(number.iter().flat_map(|number| [name.to_owned(), number.to_string()]));
        }
        for reduction in without {
            let value = reduction.to_possible_value().expect("none of the reductions is hidden");
            args.extend(["--without".to_owned(), value.get_name().to_owned()]);
        }
        args
    }

    fn checkpoint_args(&self) -> Vec<String> {
        let directory = self.sharing.checkpoint.iter();
        let args = |directory: &std::path::PathBuf| {
            ["--checkpoint".to_owned(), directory.display().to_string()]
        };
        directory.flat_map(args).collect()
    }

    /// The command that goes on with this search, for one of the processes.
    fn resuming(&self) -> String {
        let SharingArgs { processes, hosts, process, .. } = self.sharing;
        let mut program = Program::new(&self.context.program).args(self.search_args());
        if let Some(processes) = processes {
            program = program.args(["--processes", &processes.to_string()]);
        }
        if let (Some(hosts), Some(process)) = (hosts, process) {
            program = program.arg("--hosts").arg(hosts);
            program = program.args(["--process", &process.to_string()]);
        }
        program.args(self.checkpoint_args()).arg("--resume").command_line()
    }

    fn not_met(&self, error: MeetError, team: &mut Team) -> Failure {
        let exit = match &error {
            MeetError::NoSuchProcess { .. } => Exit::Usage,
            MeetError::Stopped => Exit::Bounded,
            MeetError::Listen { .. } | MeetError::Absent { .. } | MeetError::Stranger { .. } => {
                Exit::ToolChain
            }
        };
        let how = team.endings().map_or(String::new(), |ending| format!("; {}", ending.how));
        Failure { exit, error: anyhow::anyhow!("{error}{how}") }
    }

    /// What is said where a search broke off, and what to do about it.
    fn not_done(&self, error: ShareError, team: &mut Team) -> Failure {
        let processes = team.addresses.len();
        let (exit, told) = match &error {
            ShareError::Lost { process } => {
                let told = match team.endings() {
                    Some(ending) => {
                        format!("lost process {} of {processes}: {}", ending.process, ending.how)
                    }
                    None => {
                        let at = team.addresses.get(*process).map_or("", String::as_str);
                        format!(
                            "lost process {process} of {processes}, at {at}: its connection was \
                             closed before the search was over"
                        )
                    }
                };
                (Exit::ToolChain, format!("{told}; {}", self.advice()))
            }
            ShareError::Connection(_) | ShareError::Storage { .. } => {
                (Exit::ToolChain, error.to_string())
            }
            ShareError::Unreadable { .. } => (Exit::Input, error.to_string()),
            ShareError::Other { .. } => (Exit::Usage, error.to_string()),
            ShareError::OtherStored { process, expected, found } => {
                let (kept, of) = (self.kept(), of_process(*process, processes));
                let told = format!(
                    "expected levels of {expected} in {kept}, found those of {found}{of}; choose \
                     another directory"
                );
                (Exit::Input, told)
            }
            ShareError::Occupied { process } => {
                let (kept, of) = (self.kept(), of_process(*process, processes));
                let told = format!(
                    "expected no levels of an earlier search in {kept}, found some{of}; choose \
                     another directory, or go on with that search by: {}",
                    self.resuming()
                );
                (Exit::Usage, told)
            }
            ShareError::NothingToResume { process } => {
                let (kept, of) = (self.kept(), of_process(*process, processes));
                let told = format!(
                    "expected a finished level in {kept} to resume from, found none{of}; begin \
                     without --resume"
                );
                (Exit::Usage, told)
            }
        };
        Failure { exit, error: anyhow::anyhow!("{told}") }
    }

    /// Where levels are kept, for people to read.
    fn kept(&self) -> String {
        let directory = self.sharing.checkpoint.as_deref();
        directory.map_or(String::new(), |directory| directory.display().to_string())
    }

    /// How to go on with a search that was ended before it had seen everything, if it can be.
    ///
    /// One that was ended by its depth or by its number of configurations would end there again.
    pub(crate) fn how_to_go_on(&self, found: &Explored) -> Option<String> {
        self.sharing.checkpoint.as_ref()?;
        match found.bound? {
            Bound::Watcher => Some(self.advice()),
            Bound::Memory(_) => Some(format!("with more --memory, {}", self.advice())),
            Bound::Depth(_) | Bound::Configurations(_) | Bound::Spill(_) => None,
        }
    }

    fn advice(&self) -> String {
        if self.sharing.checkpoint.is_none() {
            return "nothing was kept: with --checkpoint DIR a search can go on where it broke off"
                .to_owned();
        }
        let command = self.resuming();
        match self.sharing.hosts {
            None => format!("go on after the last finished level by: {command}"),
            Some(_) => format!(
                "go on after the last finished level by starting every process again with \
                 --resume, this one by: {command}"
            ),
        }
    }
}

/// The processes of a search.
struct Team {
    process: usize,
    /// Where this process listens.
    own: String,
    addresses: Vec<String>,
    limit: Duration,
    /// How many processes of the search share this host.
    share_of_host: usize,
    /// Whether a parent is told where this process listens, and tells where the others do.
    is_spoken: bool,
    /// The processes after the first, where this one has started them.
    children: Vec<Conversation>,
    run: Option<RunDirectory>,
}

/// How a child has ended that was lost.
struct Ending {
    process: usize,
    how: String,
}

impl Team {
    fn on_loopback(processes: usize) -> Self {
        Self {
            process: 0,
            own: "127.0.0.1:0".to_owned(),
            addresses: Vec::new(),
            limit: CHILDREN_LIMIT,
            share_of_host: processes,
            is_spoken: false,
            children: Vec::new(),
            run: None,
        }
    }

    /// Finds out where all processes are, unless a file has said so.
    fn address(&mut self, door: &Door) -> Result<(), Failure> {
        if !self.addresses.is_empty() {
            return Ok(());
        }
        let own = door.address().to_string();
        if self.is_spoken {
            output::line(&own);
            let mut line = String::new();
            io::stdin().read_line(&mut line).or_exit(Exit::ToolChain)?;
            self.addresses = line.split_whitespace().map(str::to_owned).collect();
            self.share_of_host = self.addresses.len();
            return Ok(());
        }
        self.addresses.push(own);
        for child in &mut self.children {
            let address = child.receive(CHILDREN_LIMIT).or_exit(Exit::ToolChain);
            self.addresses.push(address.inspect_err(|_| {
                self.run.as_mut().map(RunDirectory::keep);
            })?);
        }
        let line = self.addresses.join(" ");
        for child in &mut self.children {
            child.send(&line).or_exit(Exit::ToolChain)?;
        }
        Ok(())
    }

    /// Waits for the children to end.
    fn dismiss(&mut self) -> Result<(), Failure> {
        for child in self.children.drain(..) {
            child.finish(CHILDREN_LIMIT).or_exit(Exit::ToolChain)?;
        }
        Ok(())
    }

    /// How the children have ended: the one that did so of its own accord, before the others lost
    /// it. What they wrote is kept.
    fn endings(&mut self) -> Option<Ending> {
        let mut endings = Vec::new();
        for (index, child) in self.children.iter_mut().enumerate() {
            let Err(ProcessError::Ended { code, log, tail, .. }) = child.receive(ENDING_LIMIT)
            else {
                continue;
            };
            let (rank, ended) = match code {
                None => (0, "it was ended by a signal".to_owned()),
                // That is how one ends that has lost another.
                Some(code) if code == i32::from(Exit::ToolChain.code()) => {
                    (2, format!("it ended with exit code {code}"))
                }
                Some(code) => (1, format!("it ended with exit code {code}")),
            };
            let said = match tail.lines().last() {
                Some(last) => format!(": {}", last.trim_start_matches("error: ")),
                None => String::new(),
            };
            let how = format!("{ended}, see {}{said}", log.display());
            endings.push((rank, Ending { process: index + 1, how }));
        }
        if let Some(run) = &mut self.run {
            run.keep();
        }
        endings.into_iter().min_by_key(|(rank, _)| *rank).map(|(_, ending)| ending)
    }
}

/// Says of which process something is, where there are several.
fn of_process(process: usize, processes: usize) -> String {
    match processes {
        1 => String::new(),
        _ => format!(" of process {process}"),
    }
}

/// Where a process keeps its levels.
fn folder(directory: &Path, process: usize) -> Result<Folder, Failure> {
    Folder::of(directory, process).map_err(|error| {
        let exit = match error.kind() {
            io::ErrorKind::InvalidInput => Exit::Usage,
            _ => Exit::ToolChain,
        };
        let (at, why) = (directory.display(), no_directory(&error));
        let told = format!("expected a directory to keep levels in, found {at}: {why}");
        Failure { exit, error: anyhow::anyhow!("{told}; choose another one") }
    })
}

/// Why a directory cannot be made; that it is there already is only said of what is none.
pub(crate) fn no_directory(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AlreadyExists => "it is no directory".to_owned(),
        _ => error.to_string(),
    }
}

/// The addresses in a file, one in a line; empty lines and comments are left out.
fn read_hosts(file: &Path) -> Result<Vec<String>, Failure> {
    let at = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow::anyhow!("cannot read the hosts {at}: {error}"))
        .or_exit(Exit::Input)?;
    let lines = text.lines().map(str::trim);
    let hosts: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    match hosts.iter().find(|host| !host.contains(':')) {
        Some(host) => Err(anyhow::anyhow!("{at}: expected HOST:PORT in each line, found `{host}`"))
            .or_exit(Exit::Input),
        None => Ok(hosts),
    }
}
