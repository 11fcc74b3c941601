use std::fmt;
use std::str::FromStr;

use super::faults::{Budget, Faults, SPENDS, Spend, Unsynced};

/// One thing to change in what [`Faults`] allow, as people write it: `losses=2`,
/// `crashes=unlimited`, `bursts=none`, `restarts=yes` or `unsynced=any-prefix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultChange(Change);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Budget { spend: Spend, budget: Budget },
    Restarts(bool),
    Unsynced(Unsynced),
}

impl FaultChange {
    /// Makes the change.
    pub fn apply(self, faults: &mut Faults) {
        match self.0 {
            Change::Budget { spend, budget } => *faults.of_mut(spend) = budget,
            Change::Restarts(may) => faults.restarts = may,
            Change::Unsynced(unsynced) => faults.unsynced = unsynced,
        }
    }
}

impl FromStr for FaultChange {
    type Err = FaultChangeError;

    fn from_str(text: &str) -> Result<Self, FaultChangeError> {
        let none = || FaultChangeError::NoValue { found: text.to_owned() };
        let (name, value) = text.split_once('=').ok_or_else(none)?;
        let wrong = |expected| {
            let (name, found) = (name.to_owned(), value.to_owned());
            FaultChangeError::Value { name, expected, found }
        };
        let change = match name {
            RESTARTS => Change::Restarts(match value {
                "yes" => true,
                "no" => false,
                _ => return Err(wrong("yes or no")),
            }),
            UNSYNCED => {
                let known = UNSYNCED_NAMES.iter().find(|(_, known)| *known == value);
                let (unsynced, _) = known.ok_or_else(|| wrong("lost, any-prefix or any-subset"))?;
                Change::Unsynced(*unsynced)
            }
            _ => {
                let known = SPENDS.into_iter().find(|(_, known)| *known == name);
                let unknown = || FaultChangeError::NoSuchFault { found: name.to_owned() };
                let (spend, _) = known.ok_or_else(unknown)?;
                let budget = match value {
                    "none" => Budget::None,
                    "unlimited" => Budget::Unlimited,
                    _ => match value.parse().map_err(|_| wrong(COUNT))? {
                        0 => Budget::None,
                        count => Budget::AtMost(count),
                    },
                };
                Change::Budget { spend, budget }
            }
        };
        Ok(Self(change))
    }
}

impl fmt::Display for FaultChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Change::Budget { spend, budget } => match budget {
                Budget::None => write!(f, "{}=none", spend.name()),
                Budget::AtMost(count) => write!(f, "{}={count}", spend.name()),
                Budget::Unlimited => write!(f, "{}=unlimited", spend.name()),
            },
            Change::Restarts(may) => write!(f, "{RESTARTS}={}", if may { "yes" } else { "no" }),
            Change::Unsynced(unsynced) => {
                let name = UNSYNCED_NAMES.iter().find(|(known, _)| *known == unsynced);
                write!(f, "{UNSYNCED}={}", name.map_or("lost", |(_, name)| name))
            }
        }
    }
}

/// Why a text is no change of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultChangeError {
    /// There is no `=` in it.
    #[error("expected a fault and how often it may happen, such as losses=2, found `{found}`")]
    NoValue {
        /// The text.
        found: String,
    },
    /// The name is that of no fault.
    #[error("there is no fault `{found}`; there are {}", names())]
    NoSuchFault {
        /// The name.
        found: String,
    },
    /// What it is to be is nothing that it can be.
    #[error("expected {expected} for {name}, found `{found}`")]
    Value {
        /// The name.
        name: String,
        /// What it can be.
        expected: &'static str,
        /// The value.
        found: String,
    },
}

const RESTARTS: &str = "restarts";
const UNSYNCED: &str = "unsynced";
const COUNT: &str = "none, a count up to 255, or unlimited";
const UNSYNCED_NAMES: [(Unsynced, &str); 3] = [
    (Unsynced::Lost, "lost"),
    (Unsynced::AnyPrefix, "any-prefix"),
    (Unsynced::AnySubset, "any-subset"),
];

fn names() -> String {
    let spent: Vec<&str> = SPENDS.iter().map(|(_, name)| *name).collect();
    format!("{}, {RESTARTS} and {UNSYNCED}", spent.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_read_as_it_is_written() {
        let values = ["none", "1", "255", "unlimited"];
        let budgets = SPENDS.iter().flat_map(|(_, name)| values.map(|value| (*name, value)));
        let others = [(RESTARTS, "yes"), (RESTARTS, "no")];
        let unsynced = UNSYNCED_NAMES.map(|(_, value)| (UNSYNCED, value));
        for (name, value) in budgets.chain(others).chain(unsynced) {
            let text = format!("{name}={value}");
            let read = text.parse::<FaultChange>().map(|change| change.to_string());
            assert_eq!(read, Ok(text));
        }
    }

    #[test]
    fn a_change_changes_what_it_names_and_nothing_else() {
        for (spend, name) in SPENDS {
            let change: FaultChange = format!("{name}=3").parse().expect("a change");
            let mut faults = Faults::default();
            change.apply(&mut faults);
            for (other, _) in SPENDS {
                let expected = if other == spend { Budget::AtMost(3) } else { Budget::None };
                assert_eq!(faults.of(other), expected);
            }
            assert_eq!((faults.restarts, faults.unsynced), (false, Unsynced::Lost));
        }
    }

    #[test]
    fn what_is_no_change_is_told() {
        let told = |text: &str| text.parse::<FaultChange>().map_err(|error| error.to_string());
        let cases = [
            ("losses", "expected a fault and how often it may happen, such as losses=2"),
            ("loses=1", "there is no fault `loses`; there are losses, bursts, duplications"),
            (
                "losses=256",
                "expected none, a count up to 255, or unlimited for losses, found `256`",
            ),
            ("losses=-1", "expected none, a count up to 255, or unlimited for losses, found `-1`"),
            ("restarts=1", "expected yes or no for restarts, found `1`"),
            ("unsynced=", "expected lost, any-prefix or any-subset for unsynced, found ``"),
        ];
        for (text, expected) in cases {
            let found = told(text).expect_err(text);
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
