use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use cadre_model::consistency::{
    Budget, Explained, History, Outcome, Specification, Verdict, explain_linearizability,
    linearizable,
};
use cadre_model::{Cause, Class, Nature, guarded};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use crate::random::generator;
use crate::reduce::{Matching, Reduced, Trial, reduce};

/// A system that several clients call at once.
///
/// It may live in this process or be the client of another one.
pub trait Service<S: Specification>: Sync {
    /// Makes one call, and waits for what comes of it. Each client calls from a thread of its own.
    fn call(&self, client: usize, operation: &S::Operation) -> Outcome<S::Answer>;
}

/// How much is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaceOptions {
    /// Clients that call at once.
    pub clients: usize,
    /// Calls of each of them.
    pub calls: usize,
    /// Different plans of calls.
    pub cases: u32,
    /// How often each plan is carried out, for threads do not meet in the same way each time.
    pub rounds: u32,
    /// What the plans follow from.
    pub seed: u64,
    /// How far the search for a legal order goes.
    pub budget: Budget,
}

/// What came of a race.
#[derive(Debug)]
pub struct Raced<S: Specification> {
    /// Plans that were begun.
    pub cases_run: u32,
    /// How often plans were carried out, those of shrinking aside.
    pub rounds_run: u64,
    /// Histories of which it is not known whether they are linearizable: the budget ended.
    pub unknown: u64,
    /// The first failure.
    pub failure: Option<RaceFailure<S>>,
}

/// Calls that went wrong.
#[derive(Debug)]
pub struct RaceFailure<S: Specification> {
    /// Who calls what: in order for each client.
    pub plan: Vec<(usize, S::Operation)>,
    /// What came of it.
    pub history: History<S::Operation, S::Answer>,
    /// What is wrong with it.
    pub why: RaceVerdict<S::Answer>,
    /// How many calls the plan had when it was met.
    pub calls_before_shrinking: usize,
    /// Whether the plan without any of the calls went well as often as it was tried.
    pub is_minimal: bool,
}

/// What is wrong with a history of calls.
#[derive(Debug)]
pub enum RaceVerdict<A> {
    /// No order of the calls explains the answers.
    NotLinearizable(Explained<A>),
    /// A call panicked.
    Panicked(String),
}

/// Lets several clients call a system at once, and judges what they were answered.
///
/// `make` makes a new system, and `alphabet` says what a client may call. The plans follow from the
/// seed, but how threads meet does not: this is the one search here that does not do the same
/// twice. A history that is not linearizable is a failure however rarely it comes; a plan that goes
/// well every time proves nothing.
///
/// In shrinking, each plan is carried out as often as before, and calls are left out as long as
/// some round fails.
pub fn race<S, V>(
    specification: &S,
    make: &dyn Fn() -> V,
    alphabet: &dyn Fn(usize) -> Vec<S::Operation>,
    options: &RaceOptions,
) -> Raced<S>
where
    S: Specification,
    V: Service<S>,
    S::Operation: Clone + Send + Sync,
    S::Answer: Send,
{
    let mut random = generator(options.seed);
    let mut raced = Raced { cases_run: 0, rounds_run: 0, unknown: 0, failure: None };
    let mut racing = Racing { specification, make, options, unknown: 0, rounds_run: 0, last: None };
    for _ in 0..options.cases {
        let plan = draw(alphabet, options, &mut random);
        raced.cases_run += 1;
        let failed = racing.attempt(&plan, Matching::Exact).is_some();
        (raced.rounds_run, raced.unknown) = (racing.rounds_run, racing.unknown);
        if failed {
            raced.failure = racing.shorter(plan);
            break;
        }
    }
    raced
}

/// Carries out one plan, as often as the options say; its failure, if some round fails.
pub fn race_along<S, V>(
    specification: &S,
    make: &dyn Fn() -> V,
    plan: &[(usize, S::Operation)],
    options: &RaceOptions,
) -> Option<RaceFailure<S>>
where
    S: Specification,
    V: Service<S>,
    S::Operation: Clone + Send + Sync,
    S::Answer: Send,
{
    let mut racing = Racing { specification, make, options, unknown: 0, rounds_run: 0, last: None };
    let plan = racing.attempt(plan, Matching::Exact)?;
    racing.shorter(plan)
}

impl Default for RaceOptions {
    /// Three clients of four calls each; fifty plans of twenty rounds.
    fn default() -> Self {
        Self {
            clients: 3,
            calls: 4,
            cases: 50,
            rounds: 20,
            seed: 0,
            budget: Budget { steps_max: 200_000 },
        }
    }
}

fn draw<O: Clone>(
    alphabet: &dyn Fn(usize) -> Vec<O>,
    options: &RaceOptions,
    random: &mut TestRng,
) -> Vec<(usize, O)> {
    let mut plan = Vec::new();
    for client in 0..options.clients {
        let letters = alphabet(client);
        for _ in 0..options.calls {
            if !letters.is_empty() {
                plan.push((client, letters[random.random_range(0..letters.len())].clone()));
            }
        }
    }
    plan
}

type Failing<S> =
    (History<<S as Specification>::Operation, <S as Specification>::Answer>, Option<String>);

struct Racing<'a, S: Specification, V> {
    specification: &'a S,
    make: &'a dyn Fn() -> V,
    options: &'a RaceOptions,
    unknown: u64,
    rounds_run: u64,
    /// The history that failed last, with the panic of a call if there was one.
    last: Option<Failing<S>>,
}

impl<S, V> Racing<'_, S, V>
where
    S: Specification,
    V: Service<S>,
    S::Operation: Clone + Send + Sync,
    S::Answer: Send,
{
    fn shorter(&mut self, plan: Vec<(usize, S::Operation)>) -> Option<RaceFailure<S>> {
        let calls_before_shrinking = plan.len();
        let Reduced { steps: plan, is_minimal, .. } = reduce(self, plan, ATTEMPTS_MAX);
        let (history, panic) = self.last.take()?;
        let budget = self.options.budget;
        let why = match panic {
            Some(panic) => RaceVerdict::Panicked(panic),
            None => RaceVerdict::NotLinearizable(explain_linearizability(
                self.specification,
                &history,
                budget,
            )),
        };
        Some(RaceFailure { plan, history, why, calls_before_shrinking, is_minimal })
    }

    /// Carries out a plan once, each client on a thread of its own.
    fn round(&self, plan: &[(usize, S::Operation)]) -> Failing<S> {
        let service = (self.make)();
        let history = Mutex::new((History::new(), None));
        let mut clients: Vec<usize> = plan.iter().map(|(client, _)| *client).collect();
        clients.sort_unstable();
        clients.dedup();
        let barrier = Barrier::new(clients.len());
        thread::scope(|scope| {
            for client in clients {
                let (service, history, barrier) = (&service, &history, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let calls = plan.iter().filter(|(caller, _)| *caller == client);
                    for (_, operation) in calls {
                        if !call::<S>(service, history, client, operation) {
                            break;
                        }
                    }
                });
            }
        });
        history.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many plans may be tried to make one shorter; each may take many rounds.
const ATTEMPTS_MAX: u64 = 500;

/// Makes one call and writes it down; `false` where it panicked.
fn call<S: Specification>(
    service: &impl Service<S>,
    history: &Mutex<Failing<S>>,
    client: usize,
    operation: &S::Operation,
) -> bool
where
    S::Operation: Clone,
{
    let locked = || history.lock().unwrap_or_else(PoisonError::into_inner);
    // What is written down before the call and after it encloses what happened in between.
    let asked = locked().0.invoke(client, operation.clone());
    debug_assert!(asked.is_ok(), "a client waits for the end of each call");
    let outcome = guarded(|| service.call(client, operation));
    let mut written = locked();
    let ended = match &outcome {
        Ok(Outcome::Answered(answer)) => written.0.answer(client, answer.clone()),
        Ok(Outcome::Failed) => written.0.fail(client),
        Ok(Outcome::Unknown) | Err(_) => written.0.give_up(client),
    };
    debug_assert!(ended.is_ok(), "the call was written down");
    let is_well = outcome.is_ok();
    if let Err(panic) = outcome {
        written.1.get_or_insert(panic);
    }
    is_well
}

impl<S, V> Trial for Racing<'_, S, V>
where
    S: Specification,
    V: Service<S>,
    S::Operation: Clone + Send + Sync,
    S::Answer: Send,
{
    type Step = (usize, S::Operation);

    fn nature(&self, (client, _): &Self::Step) -> Nature {
        let class = Class { cause: Cause::Client, ..Class::ACTION };
        Nature { class, subject: Some(*client) }
    }

    fn attempt(&mut self, plan: &[Self::Step], _: Matching) -> Option<Vec<Self::Step>> {
        for _ in 0..self.options.rounds {
            let failing = self.round(plan);
            self.rounds_run += 1;
            let judged = linearizable(self.specification, &failing.0, self.options.budget);
            let is_violated = match judged {
                Verdict::Holds => false,
                Verdict::Violated => true,
                Verdict::Unknown { .. } => {
                    self.unknown += 1;
                    false
                }
            };
            let panics = failing.1.is_some();
            // The same kind of failure as before.
            let before = self.last.as_ref().map(|(_, panic)| panic.is_some());
            if (is_violated || panics) && before.is_none_or(|before| before == panics) {
                self.last = Some(failing);
                return Some(plan.to_vec());
            }
        }
        None
    }
}
