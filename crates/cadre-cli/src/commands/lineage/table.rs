use cadre::lineage::Verdict;
use cadre::{AnyRoundsGame, Known, RoundsSetup};

use super::Playing;
use super::search::Pace;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::lineage_args::LineageArgs;
use crate::output;
use crate::watch::{Clock, count, grouped};

/// `lineage --table`: every program at the parameters at which something is known of it.
pub(super) fn run(context: &Context<'_>, args: &LineageArgs) -> Result<Exit, Failure> {
    output::line(&row(&[
        "program",
        "EOT/EFF/C",
        "verdict",
        "faults",
        "runs",
        "published",
        "random",
        "found",
    ]));
    let mut wrong = 0;
    let mut rows = 0;
    for game in context.suite.rounds_games() {
        for known in game.known() {
            rows += 1;
            let as_known = print_row(context, args, game, &known)?;
            wrong += usize::from(!as_known);
            if context.stop.requested() {
                output::verdict("BOUNDED", "interrupted", Exit::Bounded);
                return Ok(Exit::Bounded);
            }
        }
    }
    if wrong > 0 {
        let what = format!("{} not as known", count(wrong, "row is", "rows are"));
        output::verdict("FAIL", &what, Exit::Violated);
        return Ok(Exit::Violated);
    }
    let what = format!("{} as known", count(rows, "row is", "rows are"));
    output::verdict("PASS", &what, Exit::Holds);
    Ok(Exit::Holds)
}

fn print_row(
    context: &Context<'_>,
    args: &LineageArgs,
    game: &dyn AnyRoundsGame,
    known: &Known,
) -> Result<bool, Failure> {
    let Known { bug, spec, smallest, published } = *known;
    let setup = RoundsSetup { spec, bug: bug.map(str::to_owned) };
    let mut playing = Playing::begin(game, &setup)?;
    let clock = Clock::start();
    let mut pace = Pace::new(&clock, None);
    let (found, is_unrolled) = playing.search_quietly(context, &mut pace)?;
    let (verdict, size, example) = match &found.verdict {
        Verdict::Certified => ("certified", None, String::new()),
        Verdict::Vacuous => ("vacuous", None, String::new()),
        Verdict::Bounded { .. } => ("bounded", None, String::new()),
        Verdict::Violated { counterexamples, .. } => {
            let faults = &counterexamples[0].faults;
            ("violated", Some(faults.len()), faults.text(playing.rounds.names()))
        }
    };
    let random = match args.random {
        Some(series) if size.is_some() => match playing.random_mean(series, args.seed)? {
            (Some(mean), 0) => format!("{mean:.1}"),
            (Some(mean), _) => format!("> {mean:.1}"),
            (None, _) => "none".to_owned(),
        },
        Some(_) | None => "–".to_owned(),
    };
    let is_settled = verdict == "certified" || verdict == "violated";
    let as_known = is_settled && size == smallest;
    let name = game.name();
    let name = bug.map_or(name.to_owned(), |bug| format!("{name} {bug}"));
    let example = if is_unrolled { format!("{example}unrolled at last") } else { example };
    let remark = if as_known { example } else { format!("{example} NOT AS KNOWN") };
    output::line(&row(&[
        &name,
        &format!("{}/{}/{}", spec.eot, spec.eff, spec.crashes),
        verdict,
        &size.map_or("–".to_owned(), |size| size.to_string()),
        &grouped(found.runs),
        &published.map_or("–".to_owned(), grouped),
        &random,
        &remark,
    ]));
    Ok(as_known)
}

/// The columns of a row, numbers to the right.
fn row(cells: &[&str; 8]) -> String {
    let [program, at, verdict, faults, runs, published, random, found] = cells;
    format!(
        "{program:<38} {at:>9}  {verdict:<9} {faults:>6} {runs:>6} {published:>9} {random:>8}  \
         {found}"
    )
}
