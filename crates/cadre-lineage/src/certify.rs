use std::collections::BTreeMap;
use std::ops::ControlFlow;

use batsat::BasicSolver;
use cadre_step::NodeId;

use crate::ending::Ending;
use crate::literals::FaultLiterals;
use crate::rounds::{SILENCE, StepKey};
use crate::{
    Answer, ChannelRound, FaultSet, Findings, LineageError, Literal, Program, Rounds, Run, Solver,
    Verdict,
};

/// Decides by unrolling local states: no run of the whole is needed where there are too many.
///
/// For every round and node, the states that it can be in and the inboxes that it can have there
/// are enumerated by a SAT solver that knows the faults and all that follows from them so far, so
/// that combinations that cannot occur are never tried. Each is one step, taken once. A model that
/// breaks a guarantee is a fault set of the smallest size, and is run; where there is none, that is
/// a certificate, which rests on these steps.
///
/// `watch` is told the round and may break off.
///
/// # Errors
///
/// As [`Rounds::run`].
///
/// # Panics
///
/// Where a fault set that the unrolling has found breaks nothing when it is run.
pub fn certify<P: Program>(
    rounds: &mut Rounds<P>,
    mut watch: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Certification, LineageError> {
    let baseline = rounds.run(&FaultSet::new())?;
    let mut unrolling = Unrolling::new(rounds, BasicSolver::default());
    let mut is_over = true;
    for round in 1..=unrolling.rounds.spec().eot {
        if watch(round).is_break() {
            is_over = false;
            break;
        }
        unrolling.unroll(round)?;
    }
    let smallest = if is_over { unrolling.smallest_violation()? } else { None };
    let (states, steps) = (unrolling.states, unrolling.steps);
    let verdict = match &smallest {
        Some(run) => Verdict::Violated { counterexamples: vec![run.clone()], is_complete: true },
        None if !is_over => Verdict::Bounded { covered: None },
        None if !baseline.vacuous.is_empty() => Verdict::Vacuous,
        None => Verdict::Certified,
    };
    let runs = 1 + u64::from(smallest.is_some());
    let (vacuous, step_calls) = (baseline.vacuous, rounds.step_calls());
    Ok(Certification { findings: Findings { verdict, vacuous, runs, step_calls }, states, steps })
}

/// What came of unrolling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certification {
    /// The verdict, as of any engine; a counterexample has the smallest size that there is.
    pub findings: Findings,
    /// How many local states there are, over all rounds and nodes.
    pub states: u64,
    /// How many distinct steps they take.
    pub steps: u64,
}

/// Values of which exactly one is true in every execution, each with its literal.
type Choice = BTreeMap<u32, Literal>;

/// The rounds so far, inside a solver.
struct Unrolling<'r, P: Program, S> {
    rounds: &'r mut Rounds<P>,
    solver: S,
    faults: FaultLiterals,
    /// For each node that is up, its state before the next round.
    state: Vec<Choice>,
    /// For each node, what arrives from each node in the next round.
    arriving: Vec<Vec<Choice>>,
    /// For each node, what is seen of it in the end.
    seen: Vec<Choice>,
    /// Some step has panicked.
    panicked: Literal,
    /// The steps that panic.
    panics: Vec<Literal>,
    states: u64,
    steps: u64,
}

/// What a node does in a round, in every way that is possible.
struct Row {
    state: Choice,
    sent: Vec<Choice>,
}

impl<'r, P: Program, S: Solver> Unrolling<'r, P, S> {
    fn new(rounds: &'r mut Rounds<P>, mut solver: S) -> Self {
        let size = rounds.names().len();
        let faults = FaultLiterals::new(rounds.spec(), size, &mut solver);
        let panicked = solver.variable();
        let mut only = |value: u32| {
            let literal = solver.variable();
            solver.add_clause(&[literal]);
            Choice::from([(value, literal)])
        };
        let state = rounds.first().iter().map(|state| only(*state)).collect();
        let silence = only(SILENCE);
        let arriving = vec![vec![silence; size]; size];
        let seen = vec![Choice::new(); size];
        let (panics, states, steps) = (Vec::new(), 0, 0);
        Self { rounds, solver, faults, state, arriving, seen, panicked, panics, states, steps }
    }

    /// Adds a round.
    fn unroll(&mut self, round: u32) -> Result<(), LineageError> {
        let mut rows = Vec::new();
        for node in self.rounds.nodes() {
            self.states += self.state[node.index()].len() as u64;
            self.freeze(node, round);
            rows.push(self.row(node, round)?);
        }
        let eot = self.rounds.spec().eot;
        for (node, row) in self.rounds.nodes().zip(rows) {
            self.state[node.index()] = row.state;
            for (to, sent) in self.rounds.nodes().zip(row.sent) {
                let arriving = if round < eot {
                    self.arrival(ChannelRound { from: node, to, round }, sent)
                } else {
                    Choice::new()
                };
                self.arriving[to.index()][node.index()] = arriving;
            }
        }
        if round == eot {
            for node in self.rounds.nodes() {
                one_of(&mut self.solver, &self.seen[node.index()], &[self.panicked]);
            }
        }
        Ok(())
    }

    /// What is seen of a node that crashes in this round is what it was like before.
    fn freeze(&mut self, node: NodeId, round: u32) {
        if round > self.rounds.spec().last_crash() {
            return;
        }
        let now = self.faults.crashed_by(node, round).map(|by| !by);
        let before = self.faults.crashed_by(node, round - 1);
        for (state, literal) in self.state[node.index()].clone() {
            let seen = self.rounds.observation(node.index(), state);
            let seen = self.seen(node, seen);
            let clause: Vec<Literal> =
                now.into_iter().chain(before).chain([!literal, seen]).collect();
            self.solver.add_clause(&clause);
        }
    }

    /// Takes every step that a node can take in a round.
    fn row(&mut self, node: NodeId, round: u32) -> Result<Row, LineageError> {
        let size = self.rounds.names().len();
        let mut row = Row { state: Choice::new(), sent: vec![Choice::new(); size] };
        let crashed = self.faults.crashed_by(node, round);
        let searching = self.solver.variable();
        let assumed: Vec<Literal> =
            [searching, !self.panicked].into_iter().chain(crashed.map(|by| !by)).collect();
        while self.solver.solve(&assumed) == Answer::Satisfiable {
            let (state, state_literal) = self.true_of(&self.state[node.index()]);
            let chosen: Vec<(u32, Literal)> =
                self.arriving[node.index()].iter().map(|choice| self.true_of(choice)).collect();
            let mut unless: Vec<Literal> = vec![!state_literal];
            unless.extend(chosen.iter().map(|(_, literal)| !*literal));
            let inbox = chosen.iter().map(|(content, _)| *content).collect();
            self.steps += 1;
            let stepped = self.rounds.step(StepKey { node: node.index(), round, state, inbox })?;
            let causes: Vec<Literal> = unless.iter().copied().chain(crashed).collect();
            unless.push(!searching);
            self.solver.add_clause(&unless);
            match stepped {
                Err(_panic) => self.panic(&causes),
                Ok(stepped) => {
                    let mut leads_to = vec![self.of(&mut row.state, stepped.state)];
                    for (sent, content) in row.sent.iter_mut().zip(stepped.sent) {
                        leads_to.push(self.of(sent, content));
                    }
                    if round == self.rounds.spec().eot {
                        let seen = self.rounds.observation(node.index(), stepped.state);
                        leads_to.push(self.seen(node, seen));
                    }
                    for literal in leads_to {
                        self.solver.add_clause(&[&causes[..], &[literal]].concat());
                    }
                }
            }
        }
        self.solver.add_clause(&[!searching]);
        let ended: Vec<Literal> = crashed.into_iter().chain([self.panicked]).collect();
        one_of(&mut self.solver, &row.state, &ended);
        for sent in &mut row.sent {
            if let Some(by) = crashed {
                let silence = self.of(sent, SILENCE);
                self.solver.add_clause(&[!by, silence]);
            }
            one_of(&mut self.solver, sent, &[self.panicked]);
        }
        Ok(row)
    }

    /// Says that a step panics, and that nothing else says so.
    fn panic(&mut self, unless: &[Literal]) {
        let happens = self.solver.variable();
        for literal in unless {
            self.solver.add_clause(&[!happens, !*literal]);
        }
        self.solver.add_clause(&[unless, &[happens]].concat());
        self.solver.add_clause(&[!happens, self.panicked]);
        self.panics.push(happens);
    }

    /// What arrives of what is sent: all or nothing.
    fn arrival(&mut self, channel: ChannelRound, sent: Choice) -> Choice {
        let is_lossy = channel.from != channel.to && self.rounds.spec().may_omit(channel.round);
        if !is_lossy || sent.keys().all(|content| *content == SILENCE) {
            return sent;
        }
        self.faults.count_omissions(&mut self.solver, [channel]);
        let lost = self.faults.omitted[&channel];
        let mut arriving = Choice::new();
        let silence = self.of(&mut arriving, SILENCE);
        self.solver.add_clause(&[!lost, silence]);
        for (content, literal) in sent {
            let arrives = self.of(&mut arriving, content);
            self.solver.add_clause(&[!literal, lost, arrives]);
        }
        one_of(&mut self.solver, &arriving, &[self.panicked]);
        arriving
    }

    /// A run with the fewest faults that break a guarantee.
    fn smallest_violation(&mut self) -> Result<Option<Run>, LineageError> {
        let violations = self.violations();
        self.solver.add_clause(&violations);
        // Without a bound first: that there is none at all is easier to see than that there is none
        // of each size.
        if self.solver.solve(&[]) != Answer::Satisfiable {
            return Ok(None);
        }
        let mut faults = self.faults.faults(&self.solver);
        while let Some(fewer) = faults.len().checked_sub(1) {
            let bound = self.faults.at_most(fewer);
            if self.solver.solve(bound.as_slice()) != Answer::Satisfiable {
                break;
            }
            faults = self.faults.faults(&self.solver);
        }
        let run = self.rounds.run(&faults)?;
        let text = faults.text(self.rounds.names());
        assert!(!run.is_good(), "expected {text} to break a guarantee, as the unrolling says");
        Ok(Some(run))
    }

    /// The literals of all ends that break a guarantee, and of panics.
    fn violations(&mut self) -> Vec<Literal> {
        let mut violations = self.panics.clone();
        let panicked: Vec<Literal> =
            [!self.panicked].into_iter().chain(self.panics.clone()).collect();
        self.solver.add_clause(&panicked);
        let searching = self.solver.variable();
        while self.solver.solve(&[searching, !self.panicked]) == Answer::Satisfiable {
            let mut ending = Ending { seen: Vec::new(), correct: Vec::new() };
            let mut literals = Vec::new();
            for node in self.rounds.nodes() {
                let (seen, literal) = self.true_of(&self.seen[node.index()]);
                let crashed = self.faults.crashed_by(node, u32::MAX);
                let is_correct = crashed.is_none_or(|by| !self.solver.is_true(by));
                ending.seen.push(seen);
                ending.correct.push(is_correct);
                literals.push(literal);
                literals.extend(crashed.map(|by| if is_correct { !by } else { by }));
            }
            if self.rounds.breaks(&ending) {
                let violation = self.solver.variable();
                for literal in &literals {
                    self.solver.add_clause(&[!violation, *literal]);
                }
                violations.push(violation);
            }
            let clause: Vec<Literal> =
                literals.into_iter().chain([searching]).map(|literal| !literal).collect();
            self.solver.add_clause(&clause);
        }
        self.solver.add_clause(&[!searching]);
        violations
    }

    fn seen(&mut self, node: NodeId, seen: u32) -> Literal {
        let mut choice = std::mem::take(&mut self.seen[node.index()]);
        let literal = self.of(&mut choice, seen);
        self.seen[node.index()] = choice;
        literal
    }

    /// The literal of a value.
    fn of(&mut self, choice: &mut Choice, value: u32) -> Literal {
        *choice.entry(value).or_insert_with(|| self.solver.variable())
    }

    /// The value that the solver has chosen.
    fn true_of(&self, choice: &Choice) -> (u32, Literal) {
        let mut found = choice.iter().filter(|(_, literal)| self.solver.is_true(**literal));
        let (value, literal) = found.next().expect("one value is true, as the clauses say");
        (*value, *literal)
    }
}

/// Of these values exactly one is true, or none if one of the exceptions is.
fn one_of<S: Solver>(solver: &mut S, choice: &Choice, unless: &[Literal]) {
    let literals: Vec<Literal> = choice.values().copied().collect();
    solver.add_clause(&[unless, &literals].concat());
    at_most_one(solver, &literals);
}

/// No two of these are true: pair by pair where they are few, else by a chain of variables that say
/// that one before was, as in Sinz, "Towards an Optimal CNF Encoding of Boolean Cardinality
/// Constraints" (2005).
fn at_most_one<S: Solver>(solver: &mut S, literals: &[Literal]) {
    if literals.len() <= PAIRS_MAX {
        for (position, one) in literals.iter().enumerate() {
            for other in &literals[..position] {
                solver.add_clause(&[!*one, !*other]);
            }
        }
        return;
    }
    let mut before: Option<Literal> = None;
    for literal in literals {
        let so_far = solver.variable();
        solver.add_clause(&[!*literal, so_far]);
        if let Some(before) = before {
            solver.add_clause(&[!before, so_far]);
            solver.add_clause(&[!before, !*literal]);
        }
        before = Some(so_far);
    }
}

/// Of so many values each pair is excluded on its own.
const PAIRS_MAX: usize = 6;
