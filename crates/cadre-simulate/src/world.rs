use cadre_model::{
    ActionOf, Cluster, Consequence, Consequences, Live, Network, Purity, Slot, Timing, TypedAction,
    TypedFault,
};
use cadre_step::{NodeId, Protocol};
use cadre_trace::Action;

use crate::allowed::Allowed;
use crate::config::Config;
use crate::course::Course;
use crate::links::Links;
use crate::random::Random;
use crate::scheduler::{Chain, Queue, STEP, Scheduler};
use crate::suffering::Affliction;
use crate::tally::{Kinds, Tally};

/// A cluster in virtual time: what is to come, and what has happened.
pub(crate) struct World<'c, P: Protocol> {
    pub(crate) live: Live<'c, P>,
    pub(crate) config: Config,
    pub(crate) allowed: Allowed,
    pub(crate) random: Random,
    pub(crate) queue: Queue<Event<P>>,
    pub(crate) links: Links,
    pub(crate) scheduler: Scheduler,
    pub(crate) now_us: u64,
    /// Whether faults still occur.
    pub(crate) is_hostile: bool,
    pub(crate) nodes: Vec<Node<P::Timer>>,
    clients: Vec<Client>,
    /// For each slot the arrival that it waits for.
    pub(crate) tickets: Vec<u64>,
    pub(crate) tickets_given: u64,
    /// Arrivals that wait for a link to heal.
    pub(crate) held: Vec<(Slot, u64)>,
    pub(crate) cut_number: u64,
    pub(crate) tally: Tally,
    pub(crate) kinds: Kinds<P::Message>,
    pub(crate) told: Consequences<P>,
    /// What has been done, where it is kept, and when.
    pub(crate) schedule: Option<Vec<(u64, Action)>>,
    /// The nodes that a step or a fault has changed since somebody asked.
    pub(crate) has_failed: bool,
}

/// What the simulation knows of a node.
#[derive(Clone, Debug)]
pub(crate) struct Node<T> {
    armed: Vec<(T, u64)>,
    wanted: Vec<(T, u64)>,
    /// How often it has crashed, so that what was asked for before is forgotten.
    pub(crate) life: u64,
    /// When its disk is done with what it was asked for.
    disk_until_us: u64,
    /// How fast its clock goes.
    pub(crate) pace: f64,
    /// After how many effects of its next step it stops.
    pub(crate) doom: Option<usize>,
    /// Arrivals that wait for it to go on.
    pub(crate) held: Vec<(Slot, u64)>,
    pub(crate) stays_down: bool,
    pub(crate) was_damaged: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Client {
    asked_at_us: Option<u64>,
    wanted_at_us: Option<u64>,
}

/// What is to come.
pub(crate) enum Event<P: Protocol> {
    Arrive {
        slot: Slot,
        ticket: u64,
        is_lost: bool,
        is_first: bool,
    },
    Fire {
        node: NodeId,
        timer: P::Timer,
        ticket: u64,
    },
    Choose {
        node: NodeId,
        timer: P::Timer,
        ticket: u64,
    },
    SyncDone {
        node: NodeId,
        life: u64,
    },
    Invoke {
        client: usize,
    },
    Tick,
    /// A message that was delivered is sent once more.
    Replay {
        action: Box<ActionOf<P>>,
    },
    Suffer(Affliction),
    Resume {
        node: NodeId,
    },
    Restart {
        node: NodeId,
        life: u64,
    },
    Heal {
        number: u64,
    },
}

impl<'c, P: Protocol> World<'c, P> {
    pub(crate) fn new(
        cluster: &'c Cluster<P>,
        config: Config,
        scheduler: Scheduler,
        mut random: Random,
        keeps: bool,
    ) -> Self {
        let names = cluster.node_names();
        let count = names.len();
        let mut told = Vec::new();
        let live = Live::new(cluster, Purity::Trusted, &mut told);
        let allowed = Allowed::new(cluster, &config);
        let drift = if allowed.clocks { f64::from(config.drift_ppm) / 1e6 } else { 0.0 };
        let nodes = (0..count).map(|_| Node {
            armed: Vec::new(),
            wanted: Vec::new(),
            life: 0,
            disk_until_us: 0,
            pace: 1.0 + drift * (2.0 * random.fraction() - 1.0),
            doom: None,
            held: Vec::new(),
            stays_down: false,
            was_damaged: false,
        });
        let nodes = nodes.collect();
        let clients = cluster.client_names().len();
        // A chain for each link, and one for each node and each client.
        let chains = count * count + count + clients;
        let mut world = Self {
            links: Links::new(&config, names),
            queue: Queue::new(scheduler, chains, &mut random),
            live,
            allowed,
            scheduler,
            random,
            now_us: 0,
            is_hostile: true,
            nodes,
            clients: vec![Client::default(); clients],
            tickets: Vec::new(),
            tickets_given: 0,
            held: Vec::new(),
            cut_number: 0,
            tally: Tally { course: Course::new(config.time.us), ..Tally::default() },
            kinds: Kinds::new(),
            told,
            schedule: keeps.then(Vec::new),
            has_failed: false,
            config,
        };
        world.follow_up();
        (0..count).for_each(|node| world.look_at(NodeId::from_index(node)));
        (0..clients).for_each(|client| world.think(client));
        if let Timing::Interval { .. } = cluster.timing() {
            world.queue.push(world.tick_us(), Chain::Time, Event::Tick);
        }
        world.expect_faults();
        world
    }

    /// Lets time pass, until the next event.
    #[inline]
    pub(crate) fn pass(&mut self, to_us: u64) {
        self.now_us = to_us;
        if to_us >= self.tally.course.next_us() {
            let mut course = std::mem::take(&mut self.tally.course);
            course.pass(to_us, &self.tally);
            self.tally.course = course;
        }
    }

    /// Lets an event happen.
    pub(crate) fn happen(&mut self, event: Event<P>) {
        match event {
            Event::Arrive { slot, ticket, is_lost, is_first } => {
                self.arrive(slot, ticket, is_lost, is_first);
            }
            Event::Fire { node, timer, ticket } => self.fire(node, timer, ticket),
            Event::Choose { node, timer, ticket } => self.choose(node, timer, ticket),
            Event::SyncDone { node, life } => self.finish_sync(node, life),
            Event::Invoke { client } => self.invoke(client),
            Event::Tick => self.tick(),
            Event::Replay { action } => {
                self.act(*action);
            }
            Event::Suffer(affliction) => self.suffer(affliction),
            Event::Resume { node } => self.resume(node),
            Event::Restart { node, life } => self.restart(node, life),
            Event::Heal { number } => self.heal(number),
        }
    }

    /// Carries out an action, and sees to what follows from it; whether it was possible.
    pub(crate) fn act(&mut self, action: ActionOf<P>) -> bool {
        let node = action.node();
        let told = self.schedule.is_some().then(|| self.live.tell(&action));
        if !self.live.act(action, &mut self.told) {
            return false;
        }
        self.keep(told);
        self.follow_up();
        if let Some(node) = node {
            self.look_at(node);
        }
        true
    }

    /// Lets a node take a step, which may be its last.
    fn step(&mut self, node: NodeId, action: ActionOf<P>) -> bool {
        match self.take_doom(node) {
            Some(effects) => self.act(TypedFault::Interrupt { of: action.into(), effects }.into()),
            None => self.act(action),
        }
    }

    pub(crate) fn keep(&mut self, told: Option<Action>) {
        if let (Some(schedule), Some(told)) = (&mut self.schedule, told) {
            schedule.push((self.now_us, told));
        }
    }

    fn fire(&mut self, node: NodeId, timer: P::Timer, ticket: u64) {
        let armed = &self.nodes[node.index()].armed;
        if !armed.iter().any(|known| *known == (timer.clone(), ticket)) {
            return;
        }
        if !self.live.is_active(node) || !self.live.is_ripe(node, &timer) {
            // It goes off once the node goes on, or once the cluster's time has come.
            let at_us = self.now_us + self.later_us();
            let chain = Chain::Timer(self.own_number(node));
            return self.queue.push(at_us, chain, Event::Fire { node, timer, ticket });
        }
        self.nodes[node.index()].armed.retain(|(_, known)| *known != ticket);
        self.step(node, TypedAction::Fire { node, timer });
    }

    fn choose(&mut self, node: NodeId, timer: P::Timer, ticket: u64) {
        let wanted = &mut self.nodes[node.index()].wanted;
        let Some(at) = wanted.iter().position(|(_, known)| *known == ticket) else { return };
        if !self.live.is_active(node) {
            let at_us = self.now_us + self.later_us();
            return self.queue.push(at_us, self.own(node), Event::Choose { node, timer, ticket });
        }
        wanted.swap_remove(at);
        self.step(node, TypedAction::Choose { node, timer });
    }

    fn finish_sync(&mut self, node: NodeId, life: u64) {
        if self.nodes[node.index()].life != life || !self.live.is_syncing(node) {
            return;
        }
        if !self.live.is_active(node) {
            let at_us = self.now_us + self.later_us();
            return self.queue.push(at_us, self.own(node), Event::SyncDone { node, life });
        }
        match self.failing_sync(node) {
            Some(failure) => {
                self.step(node, failure);
            }
            None => {
                self.step(node, TypedAction::SyncDone { node });
            }
        }
    }

    fn invoke(&mut self, client: usize) {
        let Some(action) = self.live.next_request(client) else { return };
        let state = &mut self.clients[client];
        if state.wanted_at_us.is_none() {
            state.wanted_at_us = Some(self.now_us);
            self.tally.asked += 1;
        }
        let node = action.node().expect("a request is made of a node");
        if !self.live.is_active(node) {
            // The client tries again; the time that it waits counts.
            return self.think(client);
        }
        self.clients[client].asked_at_us = Some(self.now_us);
        self.step(node, action);
    }

    /// Lets a client think before its next request.
    fn think(&mut self, client: usize) {
        let at_us = self.now_us + self.config.think.draw(&mut self.random).max(1);
        let chain = self.nodes.len() * (self.nodes.len() + 1) + client;
        self.queue.push(at_us, Chain::Free(chain), Event::Invoke { client });
    }

    /// Lets a unit of time pass in a cluster that counts it.
    fn tick(&mut self) {
        if !self.allowed.delays && self.queue.has_ranked() {
            // Messages take less than a tick.
            return self.queue.push(self.now_us + 2 * STEP.us, Chain::Time, Event::Tick);
        }
        let mut overdue = Vec::new();
        for node in (0..self.nodes.len()).map(NodeId::from_index) {
            overdue.extend(self.live.overdue(node).into_iter().map(|timer| (node, timer)));
        }
        for (node, timer) in overdue {
            self.nodes[node.index()].armed.retain(|(armed, _)| *armed != timer);
            self.step(node, TypedAction::Fire { node, timer });
        }
        self.act(TypedAction::Tick);
        self.queue.push(self.now_us + self.tick_us(), Chain::Time, Event::Tick);
    }

    /// Sees to what the last action made happen.
    pub(crate) fn follow_up(&mut self) {
        let mut told = std::mem::take(&mut self.told);
        for (node, consequence) in told.drain(..) {
            match consequence {
                Consequence::Sent { to, slot } => self.send(node, to, slot),
                Consequence::LostAtOnce { .. } => {
                    self.tally.sent += 1;
                    self.tally.lost += 1;
                }
                Consequence::Armed { timer, after } => {
                    let after_us = after.as_micros() as f64 / self.nodes[node.index()].pace;
                    self.arm(node, timer, after_us as u64);
                }
                Consequence::Disarmed { timer } => {
                    self.nodes[node.index()].armed.retain(|(armed, _)| *armed != timer);
                }
                Consequence::SyncAsked => self.begin_sync(node),
                Consequence::Answered { id } => self.note_answer(id.client as usize),
            }
        }
        self.told = told;
    }

    pub(crate) fn arm(&mut self, node: NodeId, timer: P::Timer, after_us: u64) {
        self.tickets_given += 1;
        let ticket = self.tickets_given;
        let armed = &mut self.nodes[node.index()].armed;
        armed.retain(|(known, _)| *known != timer);
        armed.push((timer.clone(), ticket));
        let event = Event::Fire { node, timer, ticket };
        let chain = Chain::Timer(self.own_number(node));
        self.queue.push(self.now_us + after_us, chain, event);
    }

    /// Lets every armed timer of a node go off at another time, its clock having jumped.
    pub(crate) fn rearm(&mut self, node: NodeId, by_us: i64) {
        let armed = std::mem::take(&mut self.nodes[node.index()].armed);
        for (timer, _) in armed {
            // When exactly it would have been due is not kept: ahead it is due now, back it is due
            // so much later.
            self.arm(node, timer, u64::try_from(-by_us).unwrap_or(0));
        }
    }

    fn begin_sync(&mut self, node: NodeId) {
        let took_us = self.config.sync.draw(&mut self.random);
        let state = &mut self.nodes[node.index()];
        state.disk_until_us = state.disk_until_us.max(self.now_us) + took_us;
        let (mut at_us, life) = (state.disk_until_us, state.life);
        if !self.allowed.slow_syncs {
            at_us = at_us.min(self.before_tick_us());
        }
        self.queue.push(at_us, self.own(node), Event::SyncDone { node, life });
    }

    fn note_answer(&mut self, client: usize) {
        let state = &mut self.clients[client];
        let asked = state.wanted_at_us.take().or(state.asked_at_us);
        let took_us = self.now_us - asked.unwrap_or(self.now_us);
        state.asked_at_us = None;
        self.tally.answered += 1;
        self.tally.in_time += u64::from(took_us <= self.config.answer_within.us);
        self.tally.latencies.push(took_us);
        self.think(client);
    }

    /// Looks at what a node is and wants after it has changed.
    pub(crate) fn look_at(&mut self, node: NodeId) {
        self.has_failed |= self.live.has_failed(node);
        if self.live.choices(node).is_empty() && self.nodes[node.index()].wanted.is_empty() {
            return;
        }
        let choices = self.live.choices(node).to_vec();
        let wanted = &mut self.nodes[node.index()].wanted;
        wanted.retain(|(timer, _)| choices.contains(timer));
        let known: Vec<P::Timer> = wanted.iter().map(|(timer, _)| timer.clone()).collect();
        for timer in choices.into_iter().filter(|timer| !known.contains(timer)) {
            self.tickets_given += 1;
            let ticket = self.tickets_given;
            self.nodes[node.index()].wanted.push((timer.clone(), ticket));
            let at_us = self.now_us + self.config.choice.draw(&mut self.random);
            self.queue.push(at_us, self.own(node), Event::Choose { node, timer, ticket });
        }
    }

    /// Forgets what a node that has stopped was about to do.
    pub(crate) fn forget(&mut self, node: NodeId) {
        let state = &mut self.nodes[node.index()];
        state.life += 1;
        state.armed.clear();
        state.wanted.clear();
        state.disk_until_us = 0;
        state.doom = None;
    }

    /// The counts so far.
    pub(crate) fn into_tally(self) -> Tally {
        let mut tally = self.tally;
        tally.time_us = self.now_us;
        let mut course = std::mem::take(&mut tally.course);
        course.finish(self.now_us, &tally);
        tally.course = course;
        tally.kinds = self.kinds.into_counts();
        tally.latencies.sort();
        tally
    }

    pub(crate) fn grows(&self) -> bool {
        self.live.cluster().network() == Network::GrowingSet
    }

    /// The chain of what a node does by itself.
    fn own(&self, node: NodeId) -> Chain {
        Chain::Free(self.own_number(node))
    }

    fn own_number(&self, node: NodeId) -> usize {
        self.nodes.len() * self.nodes.len() + node.index()
    }

    pub(crate) fn tick_us(&self) -> u64 {
        match self.live.cluster().timing() {
            Timing::Untimed => 0,
            Timing::Interval { tick, .. } => u64::try_from(tick.as_micros()).unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn before_tick_us(&self) -> u64 {
        let tick_us = self.tick_us().max(1);
        (self.now_us / tick_us + 1) * tick_us - 1
    }

    /// How long to wait before something is tried again.
    fn later_us(&self) -> u64 {
        match self.tick_us() {
            0 => 1_000,
            tick_us => tick_us.max(STEP.us),
        }
    }
}
