use cadre_model::{Asleep, Expansion, Model};

use crate::log::Station;

/// The actions on the way to a configuration that a search has met, and the configuration: each
/// station's configuration is expanded again, and the action taken that leads to the next.
///
/// A station's byte may fit several configurations; the last one's fingerprint then tells which.
/// Where several actions lead there, it is the first once `order` has put them in order.
pub(crate) fn path_along<M: Model>(
    model: &M,
    initial: &[M::State],
    way: &[Station],
    target: u128,
    order: impl Fn(&mut [(M::Action, u128)]),
) -> (Vec<M::Action>, M::State) {
    let mut layers =
        vec![vec![Candidate { state: initial[way[0].position].clone(), came_by: None }]];
    for station in &way[1..] {
        let mut layer: Vec<Candidate<M>> = Vec::new();
        for (index, candidate) in layers[layers.len() - 1].iter().enumerate() {
            let mut found = Successors::of(model, &candidate.state).found;
            order(&mut found);
            for (action, fingerprint) in found {
                if hint_of(fingerprint) != station.hint {
                    continue;
                }
                let state = model.next(&candidate.state, &action);
                let state = state.expect("an action that was found is enabled");
                if layer.iter().all(|other| other.state != state) {
                    layer.push(Candidate { state, came_by: Some((index, action)) });
                }
            }
        }
        layers.push(layer);
    }
    let last = &layers[layers.len() - 1];
    let found = last.iter().position(|candidate| model.fingerprint(&candidate.state) == target);
    let mut at = found.expect("a pure model does again what it did before");
    let end = last[at].state.clone();
    let mut path = Vec::new();
    for layer in layers[1..].iter().rev() {
        let (parent, action) = layer[at].came_by.clone().expect("it came from somewhere");
        path.push(action);
        at = parent;
    }
    path.reverse();
    (path, end)
}

/// The action of a configuration whose code does not return, which violates a guarantee; none where
/// it is not the code of an action.
pub(crate) fn failing<M: Model>(
    model: &M,
    state: &M::State,
    guarantee: usize,
) -> Option<M::Action> {
    let mut failures = Successors::of(model, state).failures.into_iter();
    failures.find(|(_, violated)| *violated == guarantee)?.0
}

/// What follows a configuration, as the search has seen it.
struct Successors<A> {
    found: Vec<(A, u128)>,
    unknown: Vec<A>,
    /// The actions whose code does not return, with the guarantees that this violates.
    failures: Vec<(Option<A>, usize)>,
}

impl<A> Successors<A> {
    fn of<M: Model<Action = A>>(model: &M, state: &M::State) -> Self {
        loop {
            let mut found = Self { found: Vec::new(), unknown: Vec::new(), failures: Vec::new() };
            model.expand(std::slice::from_ref(state), &[Asleep::NONE], &mut found);
            if found.unknown.is_empty() {
                return found;
            }
            let unknown = found.unknown.into_iter().map(|action| (state.clone(), action));
            model.learn(&unknown.collect::<Vec<_>>());
        }
    }
}

impl<A> Expansion<A> for Successors<A> {
    fn successor(&mut self, _: usize, action: A, fingerprint: u128, _: Asleep) {
        self.found.push((action, fingerprint));
    }

    fn unknown(&mut self, _: usize, action: A) {
        self.unknown.push(action);
    }

    fn at_rest(&mut self, _: usize) {}

    fn failed(&mut self, _: usize, action: Option<A>, guarantee: usize, _: String) {
        self.failures.push((action, guarantee));
    }
}

/// The byte of a fingerprint that the log keeps; none of those that the table keeps.
#[inline]
pub(crate) fn hint_of(fingerprint: u128) -> u8 {
    fingerprint as u8
}

struct Candidate<M: Model> {
    state: M::State,
    came_by: Option<(usize, M::Action)>,
}
