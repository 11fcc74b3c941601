use cadre_step::Protocol;

use super::Cluster;
use super::configuration::Configuration;

/// Which configurations cover another: those that differ from it only in that more is left of the
/// budgets for faults.
///
/// # Why a search may leave out what is covered
///
/// Write `(c, b)` for the rest of a configuration and what is left of each budget. What leads from
/// `(c, b)` to `(d, b - x)` leads from `(c, b + y)` to `(d, b + y - x)`, whatever `y` is: budgets
/// decide nothing but whether they allow a fault. Views do not show them, so that guarantees and
/// what is at rest are the same in both.
///
/// Call a configuration *covered* if some `(c, b + y)` with `y > 0` can be reached in as many steps
/// as `(c, b)` or fewer, and *open* if not.
///
/// 1. What is covered is covered by something open, which is no deeper: take the most that is left
///    among all that cover it.
/// 2. **Every shortest path to an open configuration leads through open ones alone.** Were
///    `(c, b)` on it covered by `(c, b + y)`, then the rest of the path would lead from there to
///    its end with `y` more left, in as many steps or fewer, and that would cover the end.
/// 3. A search that expands open configurations, and leaves out those for which a covering one has
///    been met at their level or before, meets all open ones at their depths, by 2 and induction
///    over the levels; it expands nothing else, by 1. This does not depend on any order within a
///    level, as long as the level is complete when it is looked whether something covers.
/// 4. So it does together with sleep sets. Their proof ([`Survey`](super::survey::Survey)) takes
///    of all shortest paths to a configuration the first in an order, and makes another shortest
///    path of it were one of its actions asleep; for an open configuration all of them lead through
///    what is expanded, by 2.
///
/// A violation is thus found at the depth at which a search of everything finds it: what is open
/// and covers a configuration that violates a guarantee violates it as well. Endless executions are
/// judged on the graph of all configurations, where nothing is left out.
impl<P: Protocol> Cluster<P> {
    /// Tells the fingerprints of all that would cover each of some configurations, with positions.
    pub(super) fn tell_covering(
        &self,
        states: &[Configuration],
        found: &mut impl FnMut(usize, u128),
    ) {
        let full = self.faults.word();
        if full == 0 || combinations(full) > COMBINATIONS_MAX {
            return;
        }
        for (index, state) in states.iter().enumerate() {
            let left = state.budgets(self.layout);
            let without = state.fingerprint().wrapping_sub(self.budget_keys.of(left));
            let mut more = left;
            while let Some(next) = next_between(more, left, full) {
                more = next;
                found(index, without.wrapping_add(self.budget_keys.of(more)));
            }
        }
    }
}

/// Where budgets allow more combinations than this, looking for what covers takes longer than it
/// spares.
const COMBINATIONS_MAX: u64 = 256;

/// How many different things can be left of the budgets.
fn combinations(full: u32) -> u64 {
    full.to_le_bytes().into_iter().map(|left| u64::from(left) + 1).product()
}

/// The next of all budgets that leave at least `least` and at most `most` of each; `least` itself
/// is the first.
fn next_between(at: u32, least: u32, most: u32) -> Option<u32> {
    let mut next = at.to_le_bytes();
    let bounds = least.to_le_bytes().into_iter().zip(most.to_le_bytes());
    for (left, (least, most)) in next.iter_mut().zip(bounds) {
        if *left < most {
            *left += 1;
            return Some(u32::from_le_bytes(next));
        }
        *left = least;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_two_budgets_is_told_once_each_and_without_the_least() {
        let (least, most) = (0x01_00_02_00, 0x01_02_03_01);
        let all = std::iter::successors(Some(least), |at| next_between(*at, least, most));
        let all: Vec<u32> = all.skip(1).collect();
        let mut expected = Vec::new();
        for (low, middle, high) in (0..=2)
            .flat_map(|high| (2..=3).flat_map(move |mid| (0..=1).map(move |low| (low, mid, high))))
        {
            expected.push(0x01_00_00_00 | high << 16 | middle << 8 | low);
        }
        assert_eq!(all, expected[1..]);
        assert_eq!(combinations(most), 2 * 3 * 4 * 2);
        assert_eq!(next_between(most, most, most), None);
    }
}
