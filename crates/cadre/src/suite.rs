use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use cadre_conform::{GraphBounds, Matching, Spec, SpecTrace};
use cadre_explore::{Flow, Keep, Progress, Settings, Share, ShareError};
use cadre_lineage::ScheduleHunt;
use cadre_model::{Claim, Cluster, Coverage, Model, Origin, Reexecution};
use cadre_proptest::{FuzzOptions, MinimiseOptions, SampleOptions, Weights};
use cadre_replay::{ClientRequests, Recording};
use cadre_runtime::{Defect, HostOptions, Mode, RuntimeError};
use cadre_simulate::{Config, Look};
use cadre_step::NodeId;
use cadre_trace::{Action, Json, Recorder, Trace};

use crate::driven::{self, DrivenTrace};
use crate::explored::{Explored, explored};
use crate::fuzzed::{self, Fuzzed, FuzzedTwice};
use crate::graph::{self, GameGraph};
use crate::hunted;
use crate::minimised::{self, Shortened};
use crate::sharing::Connections;
use crate::simulated::{self, Simulated};
use crate::stepper::Steps;
use crate::{AnyRoundsGame, Bug, Game, GameError, Hunt, Setup, Size, Stepper};

/// A list of games and programs of rounds: what a command is about.
#[derive(Default)]
pub struct Suite {
    games: Vec<Box<dyn AnyGame>>,
    pub(crate) rounds: Vec<Box<dyn AnyRoundsGame>>,
}

impl Suite {
    /// An empty suite.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a game.
    #[must_use]
    pub fn game(mut self, game: impl Game) -> Self {
        self.games.push(Box::new(game));
        self
    }

    /// The games, in the order in which they were added.
    pub fn games(&self) -> impl Iterator<Item = &dyn AnyGame> {
        self.games.iter().map(AsRef::as_ref)
    }

    /// The game of a name.
    pub fn find(&self, name: &str) -> Option<&dyn AnyGame> {
        self.games().find(|game| game.name() == name)
    }
}

/// A game whose protocol's types do not show, so that games of different protocols fit in one list.
///
/// Implemented for every [`Game`]; see there for what the first methods mean.
pub trait AnyGame: Send + Sync {
    /// See [`Game::name`].
    fn name(&self) -> &'static str;

    /// See [`Game::summary`].
    fn summary(&self) -> &'static str;

    /// See [`Game::size`].
    fn size(&self) -> Size;

    /// See [`Game::bugs`].
    fn bugs(&self) -> &'static [Bug];

    /// See [`Setup::new`].
    ///
    /// # Errors
    ///
    /// As there.
    fn setup(&self, size: Option<usize>, bug: Option<&str>) -> Result<Setup, GameError>;

    /// See [`Setup::of_trace`].
    ///
    /// # Errors
    ///
    /// As there.
    fn setup_of(&self, trace: &Trace) -> Result<Setup, GameError>;

    /// The guarantees.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built.
    fn claims(&self, setup: &Setup) -> Result<Vec<Claim>, GameError>;

    /// What the clients of the game ask.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built.
    fn clients(&self, setup: &Setup) -> Result<Vec<ClientRequests>, GameError>;

    /// The specification that the game maps to.
    fn spec(&self, setup: &Setup) -> Option<Spec>;

    /// Maps all that the cluster can do to the specification; see
    /// [`cadre_conform::Mapping::graph`].
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built, or the game maps to no specification.
    fn graph<'a>(
        &'a self,
        setup: &'a Setup,
        bounds: GraphBounds,
        watch: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<GameGraph<'a>, GameError>;

    /// Searches exhaustively; see [`cadre_explore::explore`].
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built, or an execution cannot be mapped to the specification.
    fn explore(
        &self,
        setup: &Setup,
        settings: &Settings,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Explored, GameError>;

    /// Searches exhaustively, up to the names of interchangeable nodes and values; see
    /// [`Cluster::quotient`].
    ///
    /// # Errors
    ///
    /// As those of [`explore`](AnyGame::explore), and where the game declares no such nodes.
    fn explore_orbits(
        &self,
        setup: &Setup,
        settings: &Settings,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Explored, GameError>;

    /// Searches exhaustively as [`explore`](AnyGame::explore) does, and says what was tried.
    ///
    /// # Errors
    ///
    /// As there.
    fn cover(
        &self,
        setup: &Setup,
        settings: &Settings,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<(Explored, Coverage), GameError>;

    /// Begins an execution that is made step by step.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built.
    fn stepper(&self, setup: &Setup) -> Result<Box<dyn Stepper + '_>, GameError>;

    /// Takes part in an exhaustive search that several processes share; see
    /// [`cadre_explore::explore_shared`].
    ///
    /// # Errors
    ///
    /// As [`explore`](AnyGame::explore); the inner result is that of the search.
    fn explore_shared(
        &self,
        setup: &Setup,
        settings: &Settings,
        part: Part<'_>,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Result<Explored, ShareError>, GameError>;

    /// Searches at random; see [`cadre_proptest::fuzz`].
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built, or an execution cannot be mapped to the specification.
    fn fuzz(
        &self,
        setup: &Setup,
        options: &FuzzOptions,
        watch: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Fuzzed, GameError>;

    /// Makes the same random search twice and compares; see [`cadre_proptest::fuzz_twice`].
    ///
    /// # Errors
    ///
    /// As [`fuzz`](AnyGame::fuzz).
    fn fuzz_twice(
        &self,
        setup: &Setup,
        options: &FuzzOptions,
        watch: &mut dyn FnMut(u32) -> bool,
    ) -> Result<FuzzedTwice, GameError>;

    /// Hunts for the fewest faults and delays in a fair schedule that break a guarantee; see
    /// [`cadre_lineage::hunt_schedule`].
    ///
    /// # Errors
    ///
    /// As [`fuzz`](AnyGame::fuzz).
    fn hunt(
        &self,
        setup: &Setup,
        options: &ScheduleHunt,
        watch: &mut dyn FnMut(&cadre_lineage::Progress) -> bool,
    ) -> Result<Hunt, GameError>;

    /// The weights of a random search in which some classes of actions weigh what is given; see
    /// [`Weights::new`].
    ///
    /// # Errors
    ///
    /// Where there is no such class, or nothing could ever happen.
    fn weights(&self, setup: &Setup, given: &[(String, u32)]) -> Result<Weights, GameError>;

    /// Makes a counterexample shorter, whichever engine has found it; see
    /// [`cadre_proptest::minimise`].
    ///
    /// # Errors
    ///
    /// Where the trace is not one of this game, a step cannot be taken, or nothing is violated.
    fn minimise(&self, trace: &Trace, options: &MinimiseOptions) -> Result<Shortened, GameError>;

    /// Simulates runs in virtual time; see [`cadre_simulate::simulate`].
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built, the configuration does not fit it, or an execution cannot
    /// be mapped to the specification.
    fn simulate(
        &self,
        setup: &Setup,
        config: &Config,
        options: &cadre_simulate::Options,
        watch: &mut dyn FnMut(&Look) -> bool,
    ) -> Result<Simulated, GameError>;

    /// Draws distinct random executions; see [`cadre_proptest::sample`].
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built, or an execution cannot be mapped to the specification.
    fn sample(&self, setup: &Setup, options: &SampleOptions) -> Result<Vec<Trace>, GameError>;

    /// Follows behaviours of the specification with the step function, as far as each goes; see
    /// [`Driver`](cadre_conform::Driver). `watch` is told how many are done, and says whether to go
    /// on.
    ///
    /// # Errors
    ///
    /// Where the game maps to no specification, or the cluster cannot be built.
    fn drive(
        &self,
        setup: &Setup,
        behaviours: &[SpecTrace],
        matching: Matching,
        watch: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<DrivenTrace>, GameError>;

    /// Carries out a schedule; see [`Cluster::execute`].
    ///
    /// # Errors
    ///
    /// Where a step cannot be taken.
    fn execute(&self, setup: &Setup, schedule: &[Action]) -> Result<Trace, GameError>;

    /// Executes a trace again and compares; see [`Cluster::reexecute`].
    ///
    /// # Errors
    ///
    /// Where a step cannot be taken, or the trace is not one of this game.
    fn reexecute(&self, trace: &Trace) -> Result<Reexecution, GameError>;

    /// The trace of a free run of real processes, as they reported it.
    ///
    /// # Errors
    ///
    /// Where the reports are not of this game.
    fn recorded(&self, setup: &Setup, recording: Recording) -> Result<Trace, GameError>;

    /// Hosts a node for real; see [`cadre_runtime::host`].
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be built or has no such node; the inner result is the host's.
    fn host(
        &self,
        setup: &Setup,
        options: &Hosting,
        commands: Box<dyn BufRead + Send>,
        reports: &mut dyn Write,
    ) -> Result<Result<(), RuntimeError>, GameError>;
}

/// Which node is hosted, and how.
#[derive(Clone, Debug)]
pub struct Hosting {
    /// The node's name.
    pub node: String,
    /// Where frames are received; port 0 for a free one.
    pub listen: SocketAddr,
    /// The directory of the node's disk.
    pub data: PathBuf,
    /// Who decides what happens next.
    pub mode: Mode,
    /// What the host does wrong on purpose.
    pub defect: Option<Defect>,
}

/// The part of one process in a search that several share: see [`cadre_explore::Share`].
#[derive(Debug)]
pub struct Part<'a> {
    /// The number of this process.
    pub process: usize,
    /// Its connections to the others: see [`Door`](crate::sharing::Door).
    pub connections: Connections,
    /// Whether finished levels are kept: see [`Folder`](crate::sharing::Folder).
    pub keep: Keep<'a>,
    /// Now.
    pub now: Instant,
}

impl<G: Game> AnyGame for G {
    fn name(&self) -> &'static str {
        Game::name(self)
    }

    fn summary(&self) -> &'static str {
        Game::summary(self)
    }

    fn size(&self) -> Size {
        Game::size(self)
    }

    fn bugs(&self) -> &'static [Bug] {
        Game::bugs(self)
    }

    fn setup(&self, size: Option<usize>, bug: Option<&str>) -> Result<Setup, GameError> {
        Setup::new(self, size, bug)
    }

    fn setup_of(&self, trace: &Trace) -> Result<Setup, GameError> {
        Setup::of_trace(self, &trace.header)
    }

    fn claims(&self, setup: &Setup) -> Result<Vec<Claim>, GameError> {
        Ok(setup.cluster(self)?.guarantees())
    }

    fn clients(&self, setup: &Setup) -> Result<Vec<ClientRequests>, GameError> {
        let cluster = setup.cluster(self)?;
        let clients = cluster.client_names().iter().zip(cluster.client_requests());
        let told = |(client, (node, requests)): (&String, (NodeId, Vec<Json>))| ClientRequests {
            client: client.clone(),
            node: cluster.node_names()[node.index()].clone(),
            requests,
        };
        Ok(clients.map(told).collect())
    }

    fn spec(&self, setup: &Setup) -> Option<Spec> {
        self.mapping(setup).map(|mapping| mapping.spec().clone())
    }

    fn graph<'a>(
        &'a self,
        setup: &'a Setup,
        bounds: GraphBounds,
        watch: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<GameGraph<'a>, GameError> {
        graph::graph(self, setup, bounds, watch)
    }

    fn explore(
        &self,
        setup: &Setup,
        settings: &Settings,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Explored, GameError> {
        let cluster = setup.cluster(self)?;
        let found = cadre_explore::explore(&cluster, settings, watch);
        explored(self, setup, &cluster, found)
    }

    fn explore_orbits(
        &self,
        setup: &Setup,
        settings: &Settings,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Explored, GameError> {
        let cluster = setup.cluster(self)?;
        if !cluster.is_symmetric() {
            let game = Game::name(self);
            return Err(match cluster.tells_apart() {
                Some(what) => GameError::ToldApart { game, what },
                None => GameError::NotInterchangeable { game },
            });
        }
        let found = cadre_explore::explore(&cluster.quotient(), settings, watch);
        explored(self, setup, &cluster, found)
    }

    fn cover(
        &self,
        setup: &Setup,
        settings: &Settings,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<(Explored, Coverage), GameError> {
        let cluster = setup.cluster(self)?;
        let found = cadre_explore::explore(&cluster, settings, watch);
        let found = explored(self, setup, &cluster, found)?;
        Ok((found, cluster.coverage()))
    }

    fn stepper(&self, setup: &Setup) -> Result<Box<dyn Stepper + '_>, GameError> {
        Ok(Box::new(Steps::new(self, setup)?))
    }

    fn explore_shared(
        &self,
        setup: &Setup,
        settings: &Settings,
        part: Part<'_>,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Result<Explored, ShareError>, GameError> {
        let cluster = setup.cluster(self)?;
        let Part { process, connections, keep, now } = part;
        let subject = subject(self, setup);
        let share = Share { process, connections, subject, keep, now };
        match cadre_explore::explore_shared(&cluster, settings, share, watch) {
            Ok(found) => explored(self, setup, &cluster, found).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn fuzz(
        &self,
        setup: &Setup,
        options: &FuzzOptions,
        watch: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Fuzzed, GameError> {
        fuzzed::fuzz(self, setup, options, watch)
    }

    fn fuzz_twice(
        &self,
        setup: &Setup,
        options: &FuzzOptions,
        watch: &mut dyn FnMut(u32) -> bool,
    ) -> Result<FuzzedTwice, GameError> {
        fuzzed::fuzz_twice(self, setup, options, watch)
    }

    fn hunt(
        &self,
        setup: &Setup,
        options: &ScheduleHunt,
        watch: &mut dyn FnMut(&cadre_lineage::Progress) -> bool,
    ) -> Result<Hunt, GameError> {
        hunted::hunt(self, setup, options, watch)
    }

    fn weights(&self, setup: &Setup, given: &[(String, u32)]) -> Result<Weights, GameError> {
        fuzzed::weights(self, setup, given)
    }

    fn minimise(&self, trace: &Trace, options: &MinimiseOptions) -> Result<Shortened, GameError> {
        minimised::minimise(self, trace, options)
    }

    fn simulate(
        &self,
        setup: &Setup,
        config: &Config,
        options: &cadre_simulate::Options,
        watch: &mut dyn FnMut(&Look) -> bool,
    ) -> Result<Simulated, GameError> {
        simulated::simulate(self, setup, config, options, watch)
    }

    fn sample(&self, setup: &Setup, options: &SampleOptions) -> Result<Vec<Trace>, GameError> {
        let cluster = Rc::new(setup.cluster(self)?);
        let origin = origin(self, setup, "sample");
        let paths = cadre_proptest::sample(&cluster, options);
        let trace =
            |path: Vec<_>| annotated(self, setup, &cluster, cluster.record(&origin, &path, None));
        paths.into_iter().map(trace).collect()
    }

    fn drive(
        &self,
        setup: &Setup,
        behaviours: &[SpecTrace],
        matching: Matching,
        watch: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<DrivenTrace>, GameError> {
        driven::drive(self, setup, behaviours, matching, watch)
    }

    fn execute(&self, setup: &Setup, schedule: &[Action]) -> Result<Trace, GameError> {
        let cluster = setup.cluster(self)?;
        let trace = cluster.execute(&origin(self, setup, "schedule"), schedule, None)?;
        annotated(self, setup, &cluster, trace)
    }

    fn reexecute(&self, trace: &Trace) -> Result<Reexecution, GameError> {
        let setup = self.setup_of(trace)?;
        let cluster = setup.cluster(self)?;
        let again = cluster.reexecute(trace)?;
        Ok(Reexecution { trace: annotated(self, &setup, &cluster, again.trace)?, ..again })
    }

    fn recorded(&self, setup: &Setup, recording: Recording) -> Result<Trace, GameError> {
        let cluster = setup.cluster(self)?;
        let mut header = cluster.record(&origin(self, setup, "process"), &[], None).header;
        header.initial = recording.initial;
        let mut recorder = Recorder::new(header);
        for happening in recording.happenings {
            recorder.record(happening);
        }
        annotated(self, setup, &cluster, recorder.finish(|_| {}))
    }

    fn host(
        &self,
        setup: &Setup,
        options: &Hosting,
        commands: Box<dyn BufRead + Send>,
        reports: &mut dyn Write,
    ) -> Result<Result<(), RuntimeError>, GameError> {
        let cluster = setup.cluster(self)?;
        let names = cluster.node_names().to_vec();
        let node = names.iter().position(|name| *name == options.node);
        let node = node.ok_or_else(|| GameError::NoSuchNode {
            game: Game::name(self),
            found: options.node.clone(),
            known: names.clone(),
        })?;
        let host_options = HostOptions {
            node: NodeId::from_index(node),
            names,
            clients: cluster.client_names().to_vec(),
            listen: options.listen,
            data: options.data.clone(),
            mode: options.mode,
            defect: options.defect,
        };
        Ok(cadre_runtime::host(cluster.protocol(), &host_options, commands, reports))
    }
}

/// What is searched, in words that differ where the search would.
fn subject<G: Game>(game: &G, setup: &Setup) -> String {
    let parameters = setup.to_parameters();
    let parameter = |(name, value): (&String, &Json)| format!(", {name} {value}");
    let parameters: String = parameters.iter().map(parameter).collect();
    format!("{}{parameters}, by cadre {}", Game::name(game), env!("CARGO_PKG_VERSION"))
}

pub(crate) fn origin<G: Game>(game: &G, setup: &Setup, engine: &str) -> Origin {
    Origin {
        protocol: Game::name(game).to_owned(),
        setup: setup.to_parameters(),
        engine: engine.to_owned(),
    }
}

/// The trace with what it is in the specification, if the game maps to one.
pub(crate) fn annotated<G: Game>(
    game: &G,
    setup: &Setup,
    cluster: &Cluster<G::Protocol>,
    mut trace: Trace,
) -> Result<Trace, GameError> {
    if let Some(mapping) = game.mapping(setup) {
        mapping.annotate(cluster, &mut trace)?;
    }
    Ok(trace)
}

impl std::fmt::Debug for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.games().map(AnyGame::name)).finish()
    }
}
