use std::io::{self, BufReader};
use std::time::Duration;

use cadre::Hosting;
use cadre::runtime::Mode;

use crate::args::RunArgs;
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};

/// `run`: hosts one node, which talks with whoever started it in lines of JSON.
pub(crate) fn run(context: &Context<'_>, args: RunArgs) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, &args.game)?;
    let mode = match args.steered {
        true => Mode::Steered,
        false => Mode::Free {
            seed: args.seed,
            choice_delay_max: Duration::from_millis(args.choice_delay_ms),
        },
    };
    let hosting = Hosting {
        node: args.node,
        listen: args.listen,
        data: args.data,
        mode,
        defect: chosen.process_bug.map(|(_, defect)| defect),
    };
    let commands = Box::new(BufReader::new(io::stdin()));
    let hosted = chosen.game.host(&chosen.setup, &hosting, commands, &mut io::stdout());
    hosted.or_exit(Exit::Usage)?.or_exit(Exit::ToolChain)?;
    Ok(Exit::Holds)
}
