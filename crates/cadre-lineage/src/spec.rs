use std::fmt;

use num_bigint::BigUint;

use crate::LineageError;

/// The parameters of the game: which faults are admissible, and when a run is judged.
///
/// # Examples
///
/// ```
/// use cadre_lineage::FaultSpec;
///
/// let spec = FaultSpec { eot: 4, eff: 2, crashes: 0 };
/// assert_eq!(spec.to_string(), "EOT 4, EFF 2 (omissions in rounds t with 1 <= t < 2), crashes 0");
/// assert_eq!(spec.combinations(3).to_string(), "4096");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultSpec {
    /// The end of time: the number of rounds, after the last of which the guarantees are judged.
    pub eot: u32,
    /// The end of finite failures: channels lose messages in rounds `t` with `1 <= t < eff`.
    pub eff: u32,
    /// How many nodes may crash, each once and for ever.
    pub crashes: u32,
}

impl FaultSpec {
    /// Whether a channel may lose what is sent in a round.
    pub fn may_omit(&self, round: u32) -> bool {
        1 <= round && round < self.eff
    }

    /// The last round in which a node may crash; crashing later is seen by nobody.
    pub fn last_crash(&self) -> u32 {
        self.eot.saturating_sub(1)
    }

    /// The estimate of how many fault sets there are, by the formula with which Molly, the
    /// prototype of Alvaro, Rosen and Hellerstein ("Lineage-driven Fault Injection", SIGMOD 2015),
    /// made the column *combinations* of its tables.
    ///
    /// It counts `eff` rounds with losses where [`may_omit`](Self::may_omit) admits one less, as
    /// those tables do.
    pub fn combinations(&self, nodes: u32) -> BigUint {
        let patterns = BigUint::from(2u32).pow(nodes.saturating_sub(1));
        let free = patterns.pow(self.eff);
        let prone: BigUint =
            (1..=self.eot + 1).map(|crash| patterns.pow(self.eff.min(crash - 1))).sum();
        let spared = nodes.saturating_sub(self.crashes);
        binomial(nodes, self.crashes) * free.pow(spared) * prone.pow(self.crashes)
    }

    pub(crate) fn check(&self) -> Result<(), LineageError> {
        if self.eot == 0 || self.eff >= self.eot {
            return Err(LineageError::Spec { eot: self.eot, eff: self.eff });
        }
        Ok(())
    }
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { eot, eff, crashes } = self;
        write!(
            f,
            "EOT {eot}, EFF {eff} (omissions in rounds t with 1 <= t < {eff}), crashes {crashes}"
        )
    }
}

fn binomial(of: u32, chosen: u32) -> BigUint {
    if chosen > of {
        return BigUint::ZERO;
    }
    // After each factor the product is itself a binomial coefficient, so that division is exact.
    (1..=chosen).fold(BigUint::from(1u32), |product, i| product * (of - chosen + i) / i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_has_the_values_of_the_prototype_s_own_tests() {
        for ((eot, eff, crashes, nodes), expected) in [
            ((3, 0, 0, 3), 1u32),
            ((3, 0, 2, 2), 16),
            ((3, 0, 1, 1), 4),
            ((3, 0, 2, 4), 96),
            ((3, 2, 0, 2), 16),
            ((3, 1, 0, 2), 4),
            ((3, 2, 2, 2), 121),
        ] {
            let spec = FaultSpec { eot, eff, crashes };
            assert_eq!(spec.combinations(nodes), BigUint::from(expected), "{spec}, {nodes} nodes");
        }
    }

    #[test]
    fn the_estimate_has_the_leading_digits_of_the_published_tables() {
        for ((eot, eff, crashes, nodes), digits, length) in [
            ((4, 2, 1, 3), "407", 5),
            ((5, 3, 0, 3), "262", 6),
            ((5, 0, 1, 4), "24", 2),
            ((9, 7, 1, 4), "243", 27),
            ((11, 10, 1, 3), "807", 19),
            ((22, 21, 1, 4), "620", 77),
        ] {
            let text = FaultSpec { eot, eff, crashes }.combinations(nodes).to_string();
            assert_eq!(text.len(), length, "{text}");
            assert!(text.starts_with(digits), "{text}");
        }
    }
}
