use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use cadre_model::Model;

use crate::visited::Folded;

/// For each of some configurations that a search has met a shortest path of actions to it.
///
/// The search itself keeps no parents, so that its hot path stays small; this walks the same levels
/// again, once for all targets, keeps them, and is only run when there is something to show.
pub(crate) fn shortest_paths<M: Model>(model: &M, targets: &[u128]) -> Vec<Vec<M::Action>> {
    if targets.is_empty() {
        return Vec::new();
    }
    let parents = parents_up_to(model, targets);
    targets.iter().map(|target| path_to(model, &parents, *target)).collect()
}

fn path_to<M: Model>(model: &M, parents: &Parents, target: u128) -> Vec<M::Action> {
    let mut chain = vec![target];
    while let Some(parent) = parents.get(&chain[chain.len() - 1]).copied()
        && parent != chain[chain.len() - 1]
    {
        chain.push(parent);
    }
    chain.reverse();
    let first = model.init().into_iter().find(|state| model.fingerprint(state) == chain[0]);
    let mut state = first.expect("a path begins in an initial configuration");
    let mut path = Vec::new();
    for fingerprint in &chain[1..] {
        let (action, after) = step_to(model, &state, *fingerprint)
            .expect("a pure model does again what it did before");
        path.push(action);
        state = after;
    }
    path
}

type Parents = HashMap<u128, u128, BuildHasherDefault<Folded>>;

/// The parent of each configuration up to the last target; an initial one is its own parent.
fn parents_up_to<M: Model>(model: &M, targets: &[u128]) -> Parents {
    let mut parents = Parents::default();
    let mut level = Vec::new();
    for state in model.init() {
        let fingerprint = model.fingerprint(&state);
        parents.insert(fingerprint, fingerprint);
        level.push(state);
    }
    let mut actions = Vec::new();
    while !level.is_empty() && !targets.iter().all(|target| parents.contains_key(target)) {
        let mut next_level = Vec::new();
        for state in level {
            let parent = model.fingerprint(&state);
            actions.clear();
            model.actions(&state, &mut actions);
            for after in actions.iter().filter_map(|action| model.next(&state, action)) {
                parents.entry(model.fingerprint(&after)).or_insert_with(|| {
                    next_level.push(after);
                    parent
                });
            }
        }
        level = next_level;
    }
    parents
}

fn step_to<M: Model>(
    model: &M,
    state: &M::State,
    fingerprint: u128,
) -> Option<(M::Action, M::State)> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions.into_iter().find_map(|action| {
        let after = model.next(state, &action)?;
        (model.fingerprint(&after) == fingerprint).then_some((action, after))
    })
}
