use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A length of virtual time, in microseconds; written `5ms`, `1.5s`, `200us` or `2m`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    /// In microseconds.
    pub us: u64,
}

const UNITS: [(&str, u64); 4] = [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000)];

impl Span {
    /// So many microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self { us }
    }

    /// So many milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self { us: ms * 1_000 }
    }

    /// So many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self { us: seconds * 1_000_000 }
    }

    /// In seconds.
    pub fn seconds(self) -> f64 {
        self.us as f64 / 1e6
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("expected a length of time such as 5ms, 200us, 1.5s or 2m, found `{text}`{why}")
        };
        let unit = text.trim_start_matches(|sign: char| !sign.is_ascii_alphabetic());
        let number = &text[..text.len() - unit.len()];
        let found = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, length) = found.ok_or_else(|| wrong("; the units are us, ms, s and m"))?;
        let number: f64 = number.trim().parse().map_err(|_| wrong(""))?;
        if number < 0.0 {
            return Err(wrong(", which is negative"));
        }
        let us = number * *length as f64;
        if !us.is_finite() || us > LONGEST_US {
            return Err(wrong(", which is more than a year"));
        }
        // Whole microseconds: the conversion cuts off what is beyond.
        Ok(Self { us: (us + 0.5) as u64 })
    }
}

/// A year.
const LONGEST_US: f64 = 365.0 * 24.0 * 3_600.0 * 1e6;

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, length): &&(&str, u64)| *length != 60_000_000 && self.us >= *length;
        let (unit, length) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[0]);
        write!(f, "{}{unit}", self.us as f64 / *length as f64)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}
