use cadre_model::Model;

use crate::log::Station;

/// The actions on the way to a configuration that a search has met: each station's configuration
/// is expanded again, and the action taken that leads to the next.
///
/// A station's byte may fit several configurations; the last one's fingerprint then tells which.
pub(crate) fn path_along<M: Model>(
    model: &M,
    initial: &[M::State],
    way: &[Station],
    target: u128,
) -> Vec<M::Action> {
    let mut layers =
        vec![vec![Candidate { state: initial[way[0].position].clone(), came_by: None }]];
    for station in &way[1..] {
        let mut layer: Vec<Candidate<M>> = Vec::new();
        for (index, candidate) in layers[layers.len() - 1].iter().enumerate() {
            let mut actions = Vec::new();
            model.actions(&candidate.state, &mut actions);
            for action in actions {
                let Some(state) = model.next(&candidate.state, &action) else { continue };
                let is_known = layer.iter().any(|other| other.state == state);
                if hint_of(model.fingerprint(&state)) == station.hint && !is_known {
                    layer.push(Candidate { state, came_by: Some((index, action)) });
                }
            }
        }
        layers.push(layer);
    }
    let last = &layers[layers.len() - 1];
    let found = last.iter().position(|candidate| model.fingerprint(&candidate.state) == target);
    let mut at = found.expect("a pure model does again what it did before");
    let mut path = Vec::new();
    for layer in layers[1..].iter().rev() {
        let (parent, action) = layer[at].came_by.clone().expect("it came from somewhere");
        path.push(action);
        at = parent;
    }
    path.reverse();
    path
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
