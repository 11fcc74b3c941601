use cadre::tla::{Coverage, Place};

use crate::output;
use crate::rejected::clipped;
use crate::watch::{count, grouped};

/// Says of each action how often it was taken, and of all definitions which of their parts were
/// never evaluated, as far as TLC tells.
pub(crate) fn print(coverage: &[Coverage], files: &[(String, String)]) {
    for definition in coverage {
        match definition.steps {
            Some(steps) if steps.all == 0 => {
                output::stage("", "never", &format!("{} is taken", definition.name));
            }
            Some(steps) => {
                let all = count(usize::try_from(steps.all).unwrap_or(usize::MAX), "step", "steps");
                let new = format!("{} to a new state", grouped(steps.new));
                output::stage("", "taken", &format!("{}: {all}, {new}", definition.name));
            }
            None => {}
        }
        for place in &definition.never {
            let text = clipped(&text(place, files));
            let at = format!("{}.tla, line {}", place.module, place.begin.0);
            let what = format!("{text} is evaluated ({} in {at})", definition.name);
            output::stage("", "never", &what);
        }
    }
}

fn text(place: &Place, files: &[(String, String)]) -> String {
    let file = files.iter().find(|(name, _)| name.strip_suffix(".tla") == Some(&place.module));
    file.map_or("a part".to_owned(), |(_, text)| place.text(text))
}
