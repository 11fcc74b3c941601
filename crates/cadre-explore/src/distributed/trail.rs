use cadre_model::{Claim, Model, Portable};

use super::error::ShareError;
use super::exchange::Exchange;
use super::report::{Sight, tell_all};
use super::visited::{Link, owner_of};
use crate::exploration::{Ended, Finding, verdict_of};
use crate::log::Station;
use crate::path::{failing, path_along};

/// For each level after the first where the configurations that one process owns come from.
#[derive(Default)]
pub(super) struct Links(Vec<Vec<Link>>);

impl Links {
    pub(super) fn push(&mut self, level: Vec<Link>) {
        self.0.push(level);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.iter().map(|level| (level.capacity() * size_of::<Link>()) as u64).sum()
    }

    fn get(&self, level: usize, position: usize) -> Link {
        self.0[level - 1][position]
    }
}

/// What a search has found about each guarantee, with the paths that all processes find together.
pub(super) fn findings<M: Portable>(
    model: &M,
    exchange: &mut Exchange,
    (initial, links): (&[M::State], &Links),
    decided: Vec<(Claim, Option<Sight>)>,
    ended: &Ended,
) -> Result<Vec<Finding<M::Action>>, ShareError> {
    let sights: Vec<&Sight> = decided.iter().filter_map(|(_, sight)| sight.as_ref()).collect();
    let mut ways = ways_to(exchange, links, &sights)?.into_iter();
    let roots = Roots::of(model, initial, exchange.processes);
    // In an order that is the same in every process, so that all of them find the same path.
    let in_order = |found: &mut [(M::Action, u128)]| {
        found.sort_by_cached_key(|(action, _)| model.rank(action))
    };
    let findings = decided.into_iter().enumerate().map(|(guarantee, (claim, sight))| {
        let verdict = verdict_of(claim.kind, sight.is_some(), ended);
        let shown = sight.map(|sight| {
            let (process, mut way) = ways.next().expect("a way to each sight");
            way[0].position = roots.0[process][way[0].position];
            let (mut path, end) = path_along(model, initial, &way, sight.fingerprint, in_order);
            if sight.why.is_some() {
                path.extend(failing(model, &end, guarantee));
            }
            (path, sight.why)
        });
        let (path, why) = shown.map_or((None, None), |(path, why)| (Some(path), why));
        Finding { claim, verdict, path, cycle: None, why }
    });
    Ok(findings.collect())
}

/// The stations on the way to each of some configurations, with the process that owns the first:
/// in each phase the owners of some stations tell all processes where they come from.
fn ways_to(
    exchange: &mut Exchange,
    links: &Links,
    sights: &[&Sight],
) -> Result<Vec<(usize, Vec<Station>)>, ShareError> {
    let mut at: Vec<(usize, usize)> =
        sights.iter().map(|sight| (sight.process, sight.position)).collect();
    let mut ways: Vec<Vec<Station>> = vec![Vec::new(); sights.len()];
    let depth = |sight: &Sight| usize::try_from(sight.depth).expect("levels are in memory");
    let deepest = sights.iter().map(|sight| depth(sight)).max().unwrap_or(0);
    for level in (1..=deepest).rev() {
        let here = exchange.process;
        let mut told: Vec<Option<(u16, u32, u8)>> = vec![None; sights.len()];
        for (index, (process, position)) in at.iter().enumerate() {
            if *process == here && depth(sights[index]) >= level {
                let Link { process, position, hint } = links.get(level, *position);
                told[index] = Some((process, position, hint));
            }
        }
        for told in tell_all(exchange, &told)? {
            for (index, link) in told.into_iter().enumerate() {
                let Some((process, parent, hint)) = link else { continue };
                ways[index].push(Station { position: at[index].1, hint });
                at[index] = (process.into(), parent as usize);
            }
        }
    }
    for (way, (_, position)) in ways.iter_mut().zip(&at) {
        way.push(Station { position: *position, hint: 0 });
        way.reverse();
    }
    Ok(at.into_iter().map(|(process, _)| process).zip(ways).collect())
}

/// For each process the positions of the initial configurations that it owns.
struct Roots(Vec<Vec<usize>>);

impl Roots {
    fn of<M: Model>(model: &M, initial: &[M::State], processes: usize) -> Self {
        let mut roots = vec![Vec::new(); processes];
        for (position, state) in initial.iter().enumerate() {
            roots[owner_of(model.fingerprint(state), processes)].push(position);
        }
        Self(roots)
    }
}
