use cadre::trace::GuaranteeKind;
use cadre::{Place, RoundsSetup};

use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::output;

/// `list`: the games, what they guarantee and what can be wrong with them.
pub(crate) fn run(context: &Context<'_>) -> Result<Exit, Failure> {
    for game in context.suite.games() {
        let size = game.size();
        let setup = game.setup(None, None).or_exit(Exit::Internal)?;
        output::line(game.name());
        output::line(&format!("  {}", game.summary()));
        output::line(&format!(
            "  --nodes N    {} to {} {}, {} unless said otherwise",
            size.min, size.max, size.many, size.default
        ));
        let spec = game.spec(&setup).map_or("none".to_owned(), |spec| format!("tla/{}", spec.name));
        output::line(&format!("  spec         {spec}"));
        for claim in game.claims(&setup).or_exit(Exit::Internal)? {
            let kind = match claim.kind {
                GuaranteeKind::Always => "always",
                GuaranteeKind::Reachable => "reachable",
                GuaranteeKind::PrePost => "at rest",
                GuaranteeKind::Eventually(_) => "eventually",
                GuaranteeKind::LeadsTo(_) => "leads to",
                GuaranteeKind::Convergent(_) => "converges",
            };
            output::line(&format!("  {kind:<12} {}", claim.name));
        }
        for bug in game.bugs() {
            let place = match bug.place {
                Place::Step => "",
                Place::Process(_) => " (the step function is right)",
            };
            output::line(&format!("  --bug {}", bug.name));
            output::line(&format!("               {}{place}", bug.summary));
        }
    }
    for game in context.suite.rounds_games() {
        output::line(&format!("{} (rounds)", game.name()));
        output::line(&format!("  {}", game.summary()));
        let spec = game.spec();
        let usual = format!("--eot {} --eff {} --crashes {}", spec.eot, spec.eff, spec.crashes);
        output::line(&format!("  lineage      {usual} unless said otherwise"));
        let rounds = game.begin(&RoundsSetup { spec, bug: None }).or_exit(Exit::Internal)?;
        for claim in rounds.claims() {
            output::line(&format!("  at EOT       {claim}"));
        }
        for bug in game.bugs() {
            output::line(&format!("  --bug {}", bug.name));
            output::line(&format!("               {}", bug.summary));
        }
    }
    Ok(Exit::Holds)
}
