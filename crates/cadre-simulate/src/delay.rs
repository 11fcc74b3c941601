use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::span::Span;

/// How long something takes: a distribution of lengths of time, written `fixed:5ms`,
/// `uniform:1ms..9ms`, `normal:5ms,1ms`, `exp:5ms` or `pareto:1ms,1.5`.
///
/// # Examples
///
/// ```
/// use cadre_simulate::Delay;
///
/// let delay: Delay = "exp:5ms".parse()?;
/// assert_eq!(delay.to_string(), "exp:5ms");
/// assert!("normal:5ms,-1ms".parse::<Delay>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Delay {
    /// Always the same.
    Fixed(Span),
    /// From the first to the second.
    Uniform(Span, Span),
    /// Of this mean and deviation; what would be negative is 0.
    Normal(Span, Span),
    /// Of this mean.
    Exponential(Span),
    /// From this on, with a tail of this shape: the smaller, the heavier.
    Pareto(Span, f64),
}

/// The longest delay that is drawn, whatever the tail.
const LONGEST: Span = Span::from_seconds(3_600);

impl Delay {
    /// Draws a length of time.
    #[inline]
    pub fn draw(self, random: &mut Random) -> u64 {
        let us = match self {
            Self::Fixed(span) => return span.us,
            Self::Uniform(min, max) => {
                let width = usize::try_from(max.us - min.us).unwrap_or(usize::MAX - 1);
                return min.us + random.below(width + 1) as u64;
            }
            Self::Normal(mean, deviation) => mean.us as f64 + deviation.us as f64 * random.normal(),
            Self::Exponential(mean) => mean.us as f64 * random.exponential(),
            Self::Pareto(scale, shape) => scale.us as f64 * random.pareto(shape),
        };
        (us.max(0.0) as u64).min(LONGEST.us)
    }

    /// The same distribution, so many times as long.
    pub fn times(self, factor: u64) -> Self {
        let times = |span: Span| Span::from_us(span.us.saturating_mul(factor));
        match self {
            Self::Fixed(span) => Self::Fixed(times(span)),
            Self::Uniform(min, max) => Self::Uniform(times(min), times(max)),
            Self::Normal(mean, deviation) => Self::Normal(times(mean), times(deviation)),
            Self::Exponential(mean) => Self::Exponential(times(mean)),
            Self::Pareto(scale, shape) => Self::Pareto(times(scale), shape),
        }
    }

    /// What is drawn in the middle, as a fixed length: for schedules that are meant to be regular.
    pub fn typical(self) -> Span {
        match self {
            Self::Fixed(span) | Self::Normal(span, _) | Self::Exponential(span) => span,
            Self::Uniform(min, max) => Span::from_us(u64::midpoint(min.us, max.us)),
            Self::Pareto(scale, _) => scale,
        }
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected fixed:5ms, uniform:1ms..9ms, normal:5ms,1ms, exp:5ms or pareto:1ms,1.5, \
                 found `{text}`"
            )
        };
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        let two = |between: &str| rest.split_once(between).ok_or_else(wrong);
        Ok(match kind {
            "fixed" => Self::Fixed(rest.parse()?),
            "exp" => Self::Exponential(rest.parse()?),
            "uniform" => {
                let (min, max) = two("..")?;
                let (min, max): (Span, Span) = (min.parse()?, max.parse()?);
                if min > max {
                    return Err(format!("expected the shorter time first, found `{text}`"));
                }
                Self::Uniform(min, max)
            }
            "normal" => {
                let (mean, deviation) = two(",")?;
                Self::Normal(mean.parse()?, deviation.parse()?)
            }
            "pareto" => {
                let (scale, shape) = two(",")?;
                let shape: f64 = shape.parse().map_err(|_| wrong())?;
                if !(shape > 0.0 && shape.is_finite()) {
                    return Err(format!("expected a shape above 0, found `{text}`"));
                }
                Self::Pareto(scale.parse()?, shape)
            }
            _ => return Err(wrong()),
        })
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(span) => write!(f, "fixed:{span}"),
            Self::Uniform(min, max) => write!(f, "uniform:{min}..{max}"),
            Self::Normal(mean, deviation) => write!(f, "normal:{mean},{deviation}"),
            Self::Exponential(mean) => write!(f, "exp:{mean}"),
            Self::Pareto(scale, shape) => write!(f, "pareto:{scale},{shape}"),
        }
    }
}

impl TryFrom<String> for Delay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Delay> for String {
    fn from(delay: Delay) -> Self {
        delay.to_string()
    }
}
