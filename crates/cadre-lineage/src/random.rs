use cadre_step::NodeId;

use crate::{ChannelRound, Fault, FaultSet, LineageError, Program, Rounds};

/// Runs random fault sets until one breaks a guarantee: the baseline to compare a search with.
///
/// How many nodes crash, which, and when, is uniform among what is admissible; every channel loses
/// what is sent in a round with the same probability. Returns how many runs it took, the last one
/// included; nothing where none of them breaks a guarantee.
///
/// # Errors
///
/// As [`Rounds::run`].
pub fn inject_at_random<P: Program>(
    rounds: &mut Rounds<P>,
    injection: &RandomInjection,
) -> Result<Option<u64>, LineageError> {
    let mut random = SplitMix { state: injection.seed };
    for run in 1..=injection.runs_max {
        let faults = draw(rounds, injection, &mut random);
        if !rounds.run(&faults)?.is_good() {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// How random fault sets are drawn.
#[derive(Clone, Copy, Debug)]
pub struct RandomInjection {
    /// The same seed draws the same sets.
    pub seed: u64,
    /// How probable it is, in percent, that a channel loses what is sent in a round.
    pub loss_percent: u64,
    /// How many runs are made at most.
    pub runs_max: u64,
}

fn draw<P: Program>(
    rounds: &Rounds<P>,
    injection: &RandomInjection,
    random: &mut SplitMix,
) -> FaultSet {
    let spec = rounds.spec();
    let mut standing: Vec<NodeId> = rounds.nodes().collect();
    let mut faults = Vec::new();
    let crashes_max = if spec.last_crash() == 0 { 0 } else { u64::from(spec.crashes) };
    for _ in 0..random.below(crashes_max + 1).min(standing.len() as u64) {
        let position = random.below(standing.len() as u64);
        let node = standing.swap_remove(usize::try_from(position).expect("a position in a list"));
        let round = 1 + random.below(u64::from(spec.last_crash()));
        let round = u32::try_from(round).expect("a round of the parameters");
        faults.push(Fault::Crash { node, round });
    }
    for round in 1..spec.eff {
        for from in rounds.nodes() {
            for to in rounds.nodes().filter(|to| *to != from) {
                if random.below(100) < injection.loss_percent {
                    faults.push(Fault::Omit(ChannelRound { from, to, round }));
                }
            }
        }
    }
    faults.into_iter().collect()
}

/// The generator of Steele, Lea and Flood ("Fast Splittable Pseudorandom Number Generators", 2014).
struct SplitMix {
    state: u64,
}

impl SplitMix {
    /// A number below a bound, which is small enough that the bias of a remainder does not matter.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
