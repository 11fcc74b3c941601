use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use cadre_model::PortableError;

use super::error::ShareError;
use super::exchange::Exchange;

/// What every process says before the search begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    /// What it searches, and how.
    pub(super) identity: String,
    /// How many finished levels it could go on from.
    pub(super) levels: u64,
    /// Of which search they are.
    pub(super) kept: Option<String>,
    /// Whether it does.
    pub(super) resumes: bool,
}

/// What every process says when its part of a level is done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Report {
    /// How many configurations it owns of the level.
    pub(super) fresh: u64,
    /// How many it owns in all, those that others cover left out.
    pub(super) configurations: u64,
    pub(super) tallies: Tallies,
    pub(super) memory: u64,
    /// There is more than was allowed to be taken in.
    pub(super) is_more: bool,
    /// It was told to stop.
    pub(super) is_stopped: bool,
    /// For each guarantee what it has met that decides it.
    pub(super) sights: Vec<Option<Sight>>,
}

/// What a process has counted, but for what it can count again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tallies {
    pub(super) transitions: u64,
    /// Configurations that others cover.
    pub(super) covered: u64,
    /// Fingerprints that were looked up of what might cover a configuration.
    pub(super) looked_up: u64,
    /// Configurations of the last level that nothing covers.
    pub(super) looked_at: u64,
}

/// A configuration that decides a guarantee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sight {
    /// The number of its level.
    pub(super) depth: u64,
    pub(super) fingerprint: u128,
    pub(super) process: usize,
    pub(super) position: usize,
    /// What a model says where code of the user did not return.
    pub(super) why: Option<String>,
}

impl Sight {
    /// Of two, the one at the smaller depth, and of the smaller fingerprint: a choice that does not
    /// depend on how configurations are shared out, or on who is first.
    pub(super) fn first_of(one: Option<Self>, two: Option<Self>) -> Option<Self> {
        one.into_iter().chain(two).min_by_key(|sight| (sight.depth, sight.fingerprint))
    }
}

impl Tallies {
    pub(super) fn add(&mut self, other: &Self) {
        self.transitions += other.transitions;
        self.covered += other.covered;
        self.looked_up += other.looked_up;
        self.looked_at += other.looked_at;
    }
}

impl Report {
    /// What all processes have together.
    pub(super) fn total(reports: &[Self]) -> Self {
        let mut total = Self::default();
        for report in reports {
            total.fresh += report.fresh;
            total.configurations += report.configurations;
            total.tallies.add(&report.tallies);
            total.memory += report.memory;
            total.is_more |= report.is_more;
            total.is_stopped |= report.is_stopped;
            total.sights.resize(report.sights.len(), None);
            for (first, sight) in total.sights.iter_mut().zip(&report.sights) {
                *first = Sight::first_of(first.take(), sight.clone());
            }
        }
        total
    }
}

/// One phase in which every process says something: what each said, in order.
pub(super) fn tell_all<T: Serialize + DeserializeOwned>(
    exchange: &mut Exchange,
    said: &T,
) -> Result<Vec<T>, ShareError> {
    let said = serde_json::to_vec(said).expect("reports have a JSON form");
    let heard = exchange.share(&said)?.into_iter().enumerate();
    let read = |(process, bytes): (usize, Vec<u8>)| {
        serde_json::from_slice(&bytes).map_err(|error| ShareError::Unreadable {
            process,
            why: PortableError::Garbled { found: error.to_string() },
        })
    };
    heard.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sight_that_is_chosen_does_not_depend_on_who_reports_first() {
        let sight = |depth, fingerprint| {
            Some(Sight { depth, fingerprint, process: 0, position: 0, why: None })
        };
        let sights = [sight(4, 1), sight(3, 9), sight(3, 7), None, sight(5, 0)];
        for first in 0..sights.len() {
            let mut reports: Vec<Report> = Vec::new();
            for at in 0..sights.len() {
                let sights = vec![sights[(first + at) % sights.len()].clone()];
                reports.push(Report { fresh: 1, sights, ..Report::default() });
            }
            let total = Report::total(&reports);
            assert_eq!((total.fresh, &total.sights[0]), (5, &sight(3, 7)));
        }
    }
}
