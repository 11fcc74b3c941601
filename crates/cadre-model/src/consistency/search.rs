use std::collections::HashSet;

use smallvec::SmallVec;

use super::{Call, History, Outcome, Specification};

/// An operation as the search sees it.
pub(super) struct Item<'a, S: Specification> {
    /// Its place in the history.
    pub(super) call: usize,
    pub(super) process: usize,
    pub(super) operation: &'a S::Operation,
    /// `None` where it may take effect or not.
    pub(super) answer: Option<&'a S::Answer>,
    pub(super) invoked: usize,
    /// The event of the answer; beyond all events where there is none.
    pub(super) ended: usize,
}

/// What orders operations, besides each process itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordering {
    /// What was answered before another was called comes before it.
    RealTime,
    /// Nothing.
    Processes,
}

/// What came of a search for a legal order.
pub(super) enum Found<A> {
    /// There is one: this.
    Legal(Vec<usize>),
    /// There is none.
    Illegal(Stuck<A>),
    /// The steps ran out.
    Exhausted,
}

/// How far a search came that found no legal order.
pub(super) struct Stuck<A> {
    /// The longest legal beginning of an order.
    pub(super) order: Vec<usize>,
    /// What else the watched operation could have been answered where it was tried.
    pub(super) expected: Vec<A>,
    /// The latest event before which everything could be placed, in real time.
    pub(super) furthest: usize,
}

/// The most answers that are remembered of the watched operation.
const EXPECTED_MAX: usize = 8;

/// Looks for an order of operations that the specification allows.
///
/// Wing and Gong's search (1993) with Lowe's memory (2017) of what has been tried: depth first over
/// which operation is next, never twice from the same operations placed and the same state. What
/// only observes is placed as soon as it is legal, which loses nothing. States are remembered where
/// there is a choice only, so that a history without concurrency costs no memory.
pub(super) struct Search<'a, 'i, S: Specification> {
    specification: &'a S,
    items: &'i [Item<'a, S>],
    ordering: Ordering,
    /// Answered operations in chains, each in order.
    lanes: Vec<Vec<usize>>,
    floating: Vec<Floating>,
    certain: usize,
    watched: Option<usize>,
    expected: Vec<S::Answer>,
    furthest: usize,
    results: Vec<(S::State, S::Answer)>,
}

/// An operation without an answer.
struct Floating {
    item: usize,
    lane: usize,
    /// How many operations of the lane come before it.
    after: u32,
}

/// Which operations have been placed: how many of each lane, and which of the floating ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Placed {
    positions: SmallVec<[u32; 8]>,
    floating: SmallVec<[u64; 1]>,
}

#[derive(Clone, Copy)]
enum Choice {
    Lane(usize),
    Floating(usize),
}

struct Frame<S> {
    chosen: Option<Choice>,
    /// What is still to be tried, the first last.
    rest: Vec<(Choice, S)>,
}

impl<'a, 'i, S: Specification> Search<'a, 'i, S> {
    pub(super) fn new(specification: &'a S, items: &'i [Item<'a, S>], ordering: Ordering) -> Self {
        debug_assert!(items.is_sorted_by_key(|item| item.invoked), "items are in order of calls");
        let mut search = Self {
            specification,
            items,
            ordering,
            lanes: Vec::new(),
            floating: Vec::new(),
            certain: 0,
            watched: None,
            expected: Vec::new(),
            furthest: 0,
            results: Vec::new(),
        };
        search.arrange();
        search
    }

    /// Remembers what else this operation could have been answered.
    pub(super) fn watching(mut self, item: usize) -> Self {
        self.watched = Some(item);
        self
    }

    /// Searches, and takes the steps off those left.
    pub(super) fn run(mut self, steps_left: &mut u64) -> Found<S::Answer> {
        let mut placed = Placed {
            positions: SmallVec::from_elem(0, self.lanes.len()),
            floating: SmallVec::from_elem(0, self.floating.len().div_ceil(64)),
        };
        let mut state = self.specification.initial();
        let mut frames: Vec<Frame<S::State>> = Vec::new();
        let mut seen: HashSet<(Placed, S::State)> = HashSet::new();
        let mut longest: Vec<usize> = Vec::new();
        let mut certain = 0;
        loop {
            if certain == self.certain {
                return Found::Legal(self.order(&frames));
            }
            let Some(successors) = self.successors(&placed, &state, steps_left) else {
                return Found::Exhausted;
            };
            if successors.is_empty() && frames.len() > longest.len() {
                longest = self.order(&frames);
            }
            let is_new = successors.len() < 2 || seen.insert((placed.clone(), state.clone()));
            let rest = if is_new { successors } else { Vec::new() };
            frames.push(Frame { chosen: None, rest });
            loop {
                let Some(frame) = frames.last_mut() else {
                    let Self { expected, furthest, .. } = self;
                    return Found::Illegal(Stuck { order: longest, expected, furthest });
                };
                if let Some(chosen) = frame.chosen.take() {
                    certain -= placed.take_back(chosen);
                }
                if let Some((choice, next)) = frame.rest.pop() {
                    certain += placed.place(choice);
                    frame.chosen = Some(choice);
                    state = next;
                    break;
                }
                frames.pop();
            }
        }
    }

    /// Deals answered operations out to lanes and notes where the others may come.
    fn arrange(&mut self) {
        let mut ends: Vec<usize> = Vec::new();
        let mut lane_of_process: Vec<Option<usize>> = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let lane = match self.ordering {
                Ordering::Processes => {
                    if lane_of_process.len() <= item.process {
                        lane_of_process.resize(item.process + 1, None);
                    }
                    let lane = lane_of_process[item.process].unwrap_or(self.lanes.len());
                    lane_of_process[item.process] = Some(lane);
                    lane
                }
                // In real time any chain serves: as few lanes as operations overlap.
                Ordering::RealTime if item.answer.is_none() => 0,
                Ordering::RealTime => {
                    ends.iter().position(|end| *end < item.invoked).unwrap_or(self.lanes.len())
                }
            };
            if lane == self.lanes.len() {
                self.lanes.push(Vec::new());
                ends.push(0);
            }
            if item.answer.is_some() {
                self.lanes[lane].push(index);
                ends[lane] = item.ended;
                self.certain += 1;
            } else {
                let after = match self.ordering {
                    Ordering::Processes => self.lanes[lane].len() as u32,
                    Ordering::RealTime => 0,
                };
                self.floating.push(Floating { item: index, lane, after });
            }
        }
    }

    /// What can be next, the first last; `None` where the steps ran out.
    fn successors(
        &mut self,
        placed: &Placed,
        state: &S::State,
        steps_left: &mut u64,
    ) -> Option<Vec<(Choice, S::State)>> {
        let mut successors = Vec::new();
        for (choice, index) in self.candidates(placed) {
            *steps_left = steps_left.checked_sub(1)?;
            let item = &self.items[index];
            self.results.clear();
            self.specification.apply(state, item.operation, &mut self.results);
            let Some(answer) = item.answer else {
                // What changes nothing may as well never take effect.
                let changed = self.results.drain(..).filter(|(next, _)| next != state);
                successors.extend(changed.map(|(next, _)| (choice, next)));
                continue;
            };
            if self.watched == Some(index) {
                watch(&self.results, answer, &mut self.expected);
            }
            let legal = self.results.drain(..).filter(|(_, given)| given == answer);
            let before = successors.len();
            successors.extend(legal.map(|(next, _)| (choice, next)));
            let is_placed = successors.len() > before;
            if is_placed && self.specification.observes(item.operation, item.answer) {
                debug_assert!(successors[before..].iter().all(|(_, next)| next == state));
                successors.truncate(before + 1);
                return Some(successors.split_off(before));
            }
        }
        successors.reverse();
        Some(successors)
    }

    /// Operations that nothing comes before, answered ones first, in order of their calls.
    fn candidates(&mut self, placed: &Placed) -> SmallVec<[(Choice, usize); 8]> {
        let next = |lane: usize| self.lanes[lane].get(placed.positions[lane] as usize).copied();
        let mut open: SmallVec<[(Choice, usize); 8]> = (0..self.lanes.len())
            .filter_map(|lane| next(lane).map(|item| (Choice::Lane(lane), item)))
            .collect();
        let deadline = match self.ordering {
            Ordering::RealTime => open.iter().map(|(_, item)| self.items[*item].ended).min(),
            Ordering::Processes => None,
        };
        self.furthest = self.furthest.max(deadline.unwrap_or(0));
        let is_in_time =
            |item: usize| deadline.is_none_or(|deadline| self.items[item].invoked < deadline);
        open.retain(|(_, item)| is_in_time(*item));
        open.sort_unstable_by_key(|(_, item)| match self.ordering {
            Ordering::RealTime => self.items[*item].ended,
            Ordering::Processes => *item,
        });
        let floating = self.floating.iter().enumerate().filter(|(index, floating)| {
            !placed.has(*index)
                && is_in_time(floating.item)
                && (floating.after == 0 || placed.positions[floating.lane] >= floating.after)
        });
        open.extend(floating.map(|(index, floating)| (Choice::Floating(index), floating.item)));
        open
    }

    fn order(&self, frames: &[Frame<S::State>]) -> Vec<usize> {
        let mut positions = vec![0; self.lanes.len()];
        let chosen = frames.iter().filter_map(|frame| frame.chosen);
        let items = chosen.map(|choice| match choice {
            Choice::Lane(lane) => {
                positions[lane] += 1;
                self.lanes[lane][positions[lane] - 1]
            }
            Choice::Floating(index) => self.floating[index].item,
        });
        items.map(|item| self.items[item].call).collect()
    }
}

impl Placed {
    /// Places an operation; gives by how many the answered ones that are placed have grown.
    fn place(&mut self, choice: Choice) -> usize {
        match choice {
            Choice::Lane(lane) => {
                self.positions[lane] += 1;
                1
            }
            Choice::Floating(index) => {
                self.floating[index / 64] |= 1 << (index % 64);
                0
            }
        }
    }

    fn take_back(&mut self, choice: Choice) -> usize {
        match choice {
            Choice::Lane(lane) => {
                self.positions[lane] -= 1;
                1
            }
            Choice::Floating(index) => {
                self.floating[index / 64] &= !(1 << (index % 64));
                0
            }
        }
    }

    fn has(&self, floating: usize) -> bool {
        self.floating[floating / 64] >> (floating % 64) & 1 == 1
    }
}

/// The operations of a history that matter: without those that failed, and without those that
/// would change nothing even if they took effect.
pub(super) fn items<'a, S: Specification>(
    specification: &S,
    history: &'a History<S::Operation, S::Answer>,
) -> Vec<Item<'a, S>> {
    let calls = history.calls().iter().enumerate();
    calls.filter_map(|(index, call)| item(specification, index, call)).collect()
}

fn item<'a, S: Specification>(
    specification: &S,
    index: usize,
    call: &'a Call<S::Operation, S::Answer>,
) -> Option<Item<'a, S>> {
    let (answer, ended) = match &call.outcome {
        Outcome::Failed => return None,
        Outcome::Answered(answer) => (Some(answer), call.ended.unwrap_or(usize::MAX)),
        Outcome::Unknown => (None, usize::MAX),
    };
    let Call { process, operation, invoked, .. } = call;
    let item = Item { call: index, process: *process, operation, answer, invoked: *invoked, ended };
    item.matters(specification).then_some(item)
}

impl<S: Specification> Item<'_, S> {
    /// Whether leaving it out could make a difference.
    pub(super) fn matters(&self, specification: &S) -> bool {
        self.answer.is_some() || !specification.observes(self.operation, None)
    }
}

// Derived, this would ask for copies of the specification.
impl<S: Specification> Clone for Item<'_, S> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

fn watch<T, A: Clone + PartialEq>(results: &[(T, A)], answer: &A, expected: &mut Vec<A>) {
    for (_, given) in results {
        let is_new = given != answer && !expected.contains(given);
        if is_new && expected.len() < EXPECTED_MAX {
            expected.push(given.clone());
        }
    }
}
