//! TLC's own distributed mode: a server that leads, workers, and servers of fingerprints.

mod explored;
mod hosts;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use cadre_process::{Finished, Program, Stop};

pub use explored::Explored;
pub use hosts::{Hosts, Worker};

use crate::run::{LOG, create, start, write_command};
use crate::{Run, TlaError, Tlc};
use hosts::{HERE, is_here};

/// TLC on several processes, on one host or on many.
///
/// Only invariants are checked: TLC passes over temporal properties in silence here, so that the
/// caller has to refuse them. Of a violation it tells neither the name nor how it came about, but
/// its last states.
#[derive(Clone, Debug)]
pub struct Distributed {
    /// TLC on this host, which leads.
    pub tlc: Tlc,
    /// Who takes part.
    pub hosts: Hosts,
    /// The name or address by which the other hosts reach this one.
    pub address: String,
    /// The port of the leading process.
    pub port: u16,
}

impl Distributed {
    /// Explores what a run names; its workers, dump, lines and coverage are of no account.
    ///
    /// Processes on this host are started, and are ended with the run. Those of other hosts are
    /// waited for, see [`elsewhere`](Self::elsewhere).
    ///
    /// # Errors
    ///
    /// As those of [`Engine::run`](crate::Engine::run), and [`TlaError::WorkersLost`] if all
    /// workers have ended and the leading process has not.
    pub fn explore(&self, run: &Run, stop: &Stop) -> Result<Explored, TlaError> {
        let mut finished = self.carry_out(run, stop)?;
        for _ in 0..AGAIN_MAX {
            if !self.hosts.are_here() || !Explored::is_stumble(&finished)? {
                break;
            }
            finished = self.carry_out(run, stop)?;
        }
        Explored::read(run, &finished)
    }

    /// What is to be run on other hosts, which are named, and need Java and the same jar.
    pub fn elsewhere(&self, run: &Run) -> Vec<(&str, String)> {
        let helpers = self.helpers().into_iter().filter(|helper| !is_here(helper.host));
        let command = |program: Program| program.command_line();
        helpers.map(|helper| (helper.host, command(self.on_another_host(&helper, run)))).collect()
    }

    /// The command of the leading process as one line for a POSIX shell.
    pub fn command_line(&self, run: &Run) -> String {
        self.leading(run).command_line()
    }

    fn carry_out(&self, run_of: &Run, stop: &Stop) -> Result<Finished, TlaError> {
        create(&run_of.directory.join(META))?;
        write_command(&run_of.directory, &self.command_line(run_of))?;
        let here = self.helpers_here(run_of)?;
        let (ends, ended) = channel();
        let stops = Stops { leading: Stop::new(), helping: Stop::new() };
        let finished = thread::scope(|scope| {
            let leading = self.leading(run_of);
            let leader = scope.spawn({
                let (ends, stop) = (ends.clone(), stops.leading.clone());
                move || announced(&ends, End::Leading, start(&leading, run_of, &stop))
            });
            for (helper, program, log) in &here {
                let (ends, stop) = (ends.clone(), stops.helping.clone());
                let end = if helper.role == WORKER { End::Worker } else { End::Other };
                // What a helper ends with is in its log: the verdict is the leading process's.
                scope.spawn(move || {
                    let limit = run_of.time_limit;
                    announced(&ends, end, cadre_process::run(program, log, limit, &stop))
                });
            }
            drop(ends);
            let workers = here.iter().filter(|(helper, ..)| helper.role == WORKER).count();
            let lost = wait(&ended, &stops, stop, self.hosts.are_here().then_some(workers));
            let finished = leader.join().expect("a child is run without a panic");
            match lost {
                true => Err(TlaError::WorkersLost { log: run_of.directory.join(LOG) }),
                false => finished,
            }
        });
        let _ = std::fs::remove_dir_all(run_of.directory.join(META));
        finished
    }

    /// The helpers of this host, each with its program and its log in a directory of its own.
    fn helpers_here(&self, run: &Run) -> Result<Vec<(Helper<'_>, Program, PathBuf)>, TlaError> {
        let here = self.helpers().into_iter().filter(|helper| is_here(helper.host));
        let started = here.enumerate().map(|(number, helper)| {
            let folder = run.directory.join(format!("{}-{}", helper.role, number + 1));
            create(&folder)?;
            let program = self.helping(&helper, run, &folder);
            write_command(&folder, &program.command_line())?;
            Ok((helper, program, folder.join("log")))
        });
        started.collect()
    }

    fn helpers(&self) -> Vec<Helper<'_>> {
        let fingerprints = self.hosts.fingerprints.iter();
        let fingerprints = fingerprints.map(|host| Helper { host, role: FINGERPRINTS, threads: 1 });
        let workers = self.hosts.workers.iter();
        let workers = workers.map(|worker| Helper {
            host: &worker.host,
            role: WORKER,
            threads: worker.threads,
        });
        fingerprints.chain(workers).collect()
    }

    /// The process that has the queue of states.
    fn leading(&self, run: &Run) -> Program {
        let fingerprints = self.hosts.fingerprints.len();
        let mut program = self.java_with(&run.directory, run, &self.address);
        if fingerprints > 0 {
            program = program.arg(format!("-D{SERVER}.expectedFPSetCount={fingerprints}"));
        }
        program = program.arg("-cp").arg(&self.tlc.jar).arg(SERVER);
        program = program.args(["-tool", "-nowarning", "-metadir", META]);
        if !run.deadlock {
            program = program.arg("-deadlock");
        }
        program.args(["-config", &run.config, &format!("{}.tla", run.module)])
    }

    /// A process that helps on this host, in a directory of its own.
    fn helping(&self, helper: &Helper<'_>, run: &Run, folder: &Path) -> Program {
        let program = self.java_with(folder, run, HERE).arg(helper.threads_option());
        program.arg("-cp").arg(&self.tlc.jar).args([helper.class(), &self.address])
    }

    /// As one types it on another host, where paths are others.
    fn on_another_host(&self, helper: &Helper<'_>, run: &Run) -> Program {
        let program = Program::new("java").arg(format!("-Xmx{}m", run.heap_mb));
        let program = program.arg(format!("-D{SERVER}.port={}", self.port));
        let program = program.arg(helper.threads_option());
        program.args(["-cp", "tla2tools.jar", helper.class(), &self.address])
    }

    fn java_with(&self, folder: &Path, run: &Run, address: &str) -> Program {
        let program = self.tlc.java(folder).arg("-XX:+UseParallelGC");
        program
            .arg("-XX:+ExitOnOutOfMemoryError")
            .arg(format!("-Xmx{}m", run.heap_mb))
            .arg(format!("-Djava.io.tmpdir={}", folder.display()))
            .arg(format!("-Djava.rmi.server.hostname={address}"))
            .arg(format!("-D{SERVER}.port={}", self.port))
    }
}

/// A process that helps the leading one.
struct Helper<'h> {
    host: &'h str,
    role: &'static str,
    threads: u32,
}

impl Helper<'_> {
    fn class(&self) -> &'static str {
        match self.role {
            WORKER => "tlc2.tool.distributed.TLCWorker",
            _ => "tlc2.tool.distributed.fp.DistributedFPSet",
        }
    }

    fn threads_option(&self) -> String {
        format!("-Dtlc2.tool.distributed.TLCWorker.threadCount={}", self.threads)
    }
}

const SERVER: &str = "tlc2.tool.distributed.TLCServer";
const WORKER: &str = "worker";
const FINGERPRINTS: &str = "fingerprints";
const META: &str = "meta";
/// How often a run is repeated that TLC stumbled over.
const AGAIN_MAX: u32 = 2;
/// How long the others have to end after the leading process has.
const GRACE: Duration = Duration::from_secs(3);
/// The same in naps.
const GRACE_NAPS: u32 = 150;
/// How often it is looked whether somebody wants to stop.
const NAP: Duration = Duration::from_millis(20);

/// Which process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Leading,
    Worker,
    Other,
}

/// What ends the processes on this host.
struct Stops {
    leading: Stop,
    helping: Stop,
}

fn announced<T>(ends: &Sender<End>, end: End, done: T) -> T {
    // Nobody listens any more once the leading process has ended.
    let _ = ends.send(end);
    done
}

/// Waits until the leading process has ended, and the others soon after it; whether the workers, if
/// it is known how many there are, have ended before it.
fn wait(ended: &Receiver<End>, stops: &Stops, stop: &Stop, workers: Option<usize>) -> bool {
    let (mut left, mut naps_left, mut lost) = (workers, GRACE_NAPS, false);
    loop {
        match ended.recv_timeout(NAP) {
            Ok(End::Leading) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(End::Worker) => left = left.map(|left| left.saturating_sub(1)),
            Ok(End::Other) => {}
            Err(RecvTimeoutError::Timeout) if stop.requested() => {
                stops.leading.request();
                stops.helping.request();
            }
            // The leading process says goodbye to its workers before it ends itself.
            Err(RecvTimeoutError::Timeout) if left == Some(0) && naps_left > 0 => naps_left -= 1,
            Err(RecvTimeoutError::Timeout) if left == Some(0) => {
                lost = true;
                stops.leading.request();
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    // Each of the others says that it has ended, and then the channel is closed.
    while ended.recv_timeout(GRACE).is_ok() {}
    stops.helping.request();
    lost && !stop.requested()
}
