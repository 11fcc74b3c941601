use std::time::Instant;

use anyhow::{Result, ensure};
use cadre::explore::{Flow, Settings, explore};
use cadre::model::{Model, check};

use crate::numbers::{grouped, megabytes};
use crate::output;
use crate::usage::{Usage, Whose};

/// Searches 10^6 and then 10^8 states, and prints how the time for each state grows.
///
/// # Errors
///
/// Where a count is not that of the closed form.
pub(crate) fn run(workers: u32) -> Result<()> {
    let small = search(100, workers)?;
    let large = search(465, workers)?;
    output::line(&format!("time for each state at 10^8: {:.2}x of that at 10^6", large / small));
    Ok(())
}

/// Three counters that each go up to a limit, one step at a time: a cube of states.
struct Cube {
    side: u16,
}

impl Model for Cube {
    type State = [u16; 3];
    type Action = usize;

    fn init(&self) -> Vec<[u16; 3]> {
        vec![[0; 3]]
    }

    fn actions(&self, state: &[u16; 3], out: &mut Vec<usize>) {
        out.extend((0..3).filter(|counter| state[*counter] + 1 < self.side));
    }

    fn next(&self, state: &[u16; 3], counter: &usize) -> Option<[u16; 3]> {
        let mut after = *state;
        after[*counter] += 1;
        Some(after)
    }
}

/// The nanoseconds that a state takes in a cube of a side.
#[expect(clippy::disallowed_methods, reason = "measuring the time of a search is the purpose")]
fn search(side: u16, workers: u32) -> Result<f64> {
    let settings = Settings { workers: workers as usize, ..Settings::default() };
    let model = check(Cube { side })
        .always("within the cube", move |state| state.iter().all(|counter| *counter < side));
    let begun = Instant::now();
    let found = explore(&model, &settings, &mut |_| Flow::Continue);
    let seconds = begun.elapsed().as_secs_f64();
    let count = found.progress.configurations;
    ensure!(count == u64::from(side).pow(3), "expected {side}^3 states, found {count}");
    let nanoseconds = seconds * 1e9 / count as f64;
    output::line(&format!(
        "{} states in {seconds:.1} s: {nanoseconds:.0} ns and {:.1} bytes outside the frontier for \
         each, {} at most in all, omission < {:.0e}",
        grouped(count),
        found.progress.memory_behind as f64 / count as f64,
        megabytes(Usage::of(Whose::Own)?.peak_bytes),
        found.omission_bound,
    ));
    Ok(nanoseconds)
}
