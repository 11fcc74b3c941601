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
        let purse = &self.purse;
        if purse.full() == 0 || purse.combinations() > COMBINATIONS_MAX {
            return;
        }
        for (index, state) in states.iter().enumerate() {
            let left = state.budgets(self.layout);
            let without = state.fingerprint().wrapping_sub(purse.key(left));
            let mut more = left;
            while let Some(next) = purse.next_above(more, left) {
                more = next;
                found(index, without.wrapping_add(purse.key(more)));
            }
        }
    }
}

/// Where budgets allow more combinations than this, looking for what covers takes longer than it
/// spares.
const COMBINATIONS_MAX: u64 = 256;

#[cfg(test)]
mod tests {
    use crate::cluster::faults::{Budget, Faults, Purse};

    #[test]
    fn what_is_left_at_most_is_told_once_each_and_without_the_least() {
        let budget = Budget::AtMost;
        let faults = Faults {
            losses: budget(3),
            crashes: budget(2),
            pauses: Budget::Unlimited,
            clock_jumps: budget(1),
            ..Faults::default()
        };
        let purse = Purse::new(faults).expect("they fit");
        assert_eq!(purse.combinations(), 4 * 3 * 2);
        let spent = |word: u32, spend| purse.spend(word, spend).expect("there is some left");
        use crate::cluster::faults::Spend::{ClockJump, Crash, Loss};
        let least = [Loss, Loss, Crash, ClockJump].into_iter().fold(purse.full(), spent);
        let all = std::iter::successors(Some(least), |at| purse.next_above(*at, least));
        let mut found: Vec<u32> = all.skip(1).collect();
        found.sort_unstable();
        let mut expected = Vec::new();
        for losses in 0..=2 {
            for crashes in 0..=1 {
                for jumps in 0..=1 {
                    let spends = [(Loss, losses), (Crash, crashes), (ClockJump, jumps)];
                    let each = spends.into_iter();
                    let each = each.flat_map(|(spend, times)| (0..times).map(move |_| spend));
                    expected.push(each.fold(purse.full(), spent));
                }
            }
        }
        expected.retain(|word| *word != least);
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(purse.next_above(purse.full(), purse.full()), None);
    }
}
