use std::fmt;

use crate::fingerprint;

/// What an engine drew and what came of it, written down so that the same run can be made twice and
/// compared.
///
/// # Examples
///
/// ```
/// use cadre_model::{RunLog, Site};
///
/// let run = |delay: u32| {
///     let mut log = RunLog::new();
///     log.note(Site { run: 1, step: 1 }, "delay", format!("{delay} ms"));
///     log
/// };
/// assert_eq!(run(3).parting(&run(3)), None);
/// let parting = run(3).parting(&run(4)).expect("the delays differ");
/// assert_eq!(
///     parting.to_string(),
///     "run 1, step 1: the delay is `3 ms` the first time and `4 ms` the second time"
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunLog {
    /// The first entries in words.
    entries: Vec<Entry>,
    /// The fingerprints of all entries.
    fingerprints: Vec<u128>,
}

/// The place of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// Which of an engine's executions, from 1.
    pub run: u64,
    /// Which step of it, from 1; 0 is before the first step.
    pub step: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    site: Site,
    what: &'static str,
    value: String,
}

/// The first place where two runs that should be the same are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// Where; `None` where it lies beyond the entries that are kept in words.
    pub site: Option<Site>,
    /// What differs, a noun such as `action`.
    pub what: &'static str,
    /// What it was the first time; `None` where the first run had ended.
    pub first: Option<String>,
    /// What it was the second time; `None` where the second run had ended.
    pub second: Option<String>,
}

/// So many entries are kept in words; of later ones only whether they differ is known.
const ENTRIES_IN_WORDS_MAX: usize = 1 << 20;

impl RunLog {
    /// A log without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes down one thing, such as what was drawn.
    pub fn note(&mut self, site: Site, what: &'static str, value: String) {
        let entry = Entry { site, what, value };
        self.fingerprints.push(fingerprint(&entry));
        if self.entries.len() < ENTRIES_IN_WORDS_MAX {
            self.entries.push(entry);
        }
    }

    /// How much was written down.
    pub fn len(&self) -> usize {
        self.fingerprints.len()
    }

    /// Whether nothing was written down.
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// A fingerprint of everything.
    pub fn fingerprint(&self) -> u128 {
        fingerprint(&self.fingerprints)
    }

    /// The first place where another log differs.
    pub fn parting(&self, other: &Self) -> Option<Parting> {
        let longest = self.len().max(other.len());
        let at =
            (0..longest).find(|at| self.fingerprints.get(*at) != other.fingerprints.get(*at))?;
        let (first, second) = (self.entries.get(at), other.entries.get(at));
        let value = |entry: Option<&Entry>| entry.map(|entry| entry.value.clone());
        Some(match (first, second) {
            (Some(one), Some(two)) if (one.site, one.what) != (two.site, two.what) => Parting {
                site: Some(one.site),
                what: "course of the run",
                first: Some(format!("{} of {}", one.what, one.site)),
                second: Some(format!("{} of {}", two.what, two.site)),
            },
            (Some(entry), _) | (None, Some(entry)) => Parting {
                site: Some(entry.site),
                what: entry.what,
                first: value(first),
                second: value(second),
            },
            (None, None) => {
                Parting { site: None, what: "course of the run", first: None, second: None }
            }
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {}, step {}", self.run, self.step)
    }
}

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(site) = self.site else {
            return write!(f, "two runs differ after their first {ENTRIES_IN_WORDS_MAX} entries");
        };
        let what = self.what;
        match (&self.first, &self.second) {
            (Some(first), Some(second)) => write!(
                f,
                "{site}: the {what} is `{first}` the first time and `{second}` the second time"
            ),
            (Some(first), None) => {
                write!(f, "{site}: the {what} is `{first}` the first time; the second has ended")
            }
            (None, Some(second)) => {
                write!(f, "{site}: the {what} is `{second}` the second time; the first has ended")
            }
            (None, None) => write!(f, "{site}: the {what} differs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(values: &[(&'static str, &str)]) -> RunLog {
        let mut log = RunLog::new();
        for (step, (what, value)) in (1..).zip(values) {
            log.note(Site { run: 1, step }, what, (*value).to_owned());
        }
        log
    }

    #[test]
    fn equal_runs_do_not_part_and_have_one_fingerprint() {
        let run = || log(&[("action", "a"), ("action", "b")]);
        assert_eq!(run().parting(&run()), None);
        assert_eq!(run().fingerprint(), run().fingerprint());
        assert_ne!(run().fingerprint(), log(&[("action", "a")]).fingerprint());
    }

    #[test]
    fn a_run_that_is_shorter_parts_where_it_ends() {
        let (long, short) = (log(&[("action", "a"), ("action", "b")]), log(&[("action", "a")]));
        let parting = long.parting(&short).unwrap();
        assert_eq!(
            (parting.site, parting.first.as_deref()),
            (Some(Site { run: 1, step: 2 }), Some("b"))
        );
        assert_eq!(parting.second, None);
        assert_eq!(short.parting(&long).unwrap().first, None);
    }

    #[test]
    fn runs_that_do_different_things_part_in_their_course() {
        let parting = log(&[("action", "a")]).parting(&log(&[("delay", "a")])).unwrap();
        assert_eq!(
            parting.to_string(),
            "run 1, step 1: the course of the run is `action of run 1, step 1` the first time and \
             `delay of run 1, step 1` the second time"
        );
    }
}
