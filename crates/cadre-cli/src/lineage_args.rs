use std::path::PathBuf;

use cadre::lineage::FaultSpec;
use cadre::{AnyRoundsGame, RoundsSetup};

use crate::exit::{Exit, Failure, OrExit};

/// Which program of rounds is attacked, with which faults, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct LineageArgs {
    /// The program of rounds, or any other game: of that one a fair schedule is taken, and faults
    /// of its cluster and delays are tried in it: see `list`
    #[arg(required_unless_present = "table")]
    pub(crate) program: Option<String>,
    /// A seeded bug to switch on: see `list`
    #[arg(long)]
    pub(crate) bug: Option<String>,
    /// In a game of no rounds, how large its cluster is
    #[arg(long)]
    pub(crate) nodes: Option<usize>,
    /// In a game of no rounds, the most faults and delays
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) up_to: usize,
    /// The end of time: after so many rounds guarantees are judged [default: see `list`]
    #[arg(long, value_name = "ROUNDS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    eot: Option<u32>,
    /// The end of finite failures: channels lose messages in rounds t with 1 <= t < EFF [default:
    /// see `list`]
    #[arg(long, value_name = "ROUND")]
    eff: Option<u32>,
    /// How many nodes may crash, each once and for ever [default: see `list`]
    #[arg(long, value_name = "N")]
    crashes: Option<u32>,
    /// Find all counterexamples of which no part is one, not only one of the smallest
    #[arg(long)]
    pub(crate) all: bool,
    /// The most seconds
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// Run these faults and nothing else, such as `O(a,b,1) C(a,2)`: all that a sends to b in round
    /// 1 is lost, and a crashes in round 2
    #[arg(long, value_name = "SET", conflicts_with_all = ["all", "random", "verify_complete"])]
    pub(crate) faults: Option<String>,
    /// Unroll the local states of all nodes into SAT, instead of running fault sets: for parameters
    /// that need too many runs, which lineage hands over after 2000
    #[arg(long, conflicts_with_all = ["all", "faults"])]
    pub(crate) certify: bool,
    /// Follow what supported good outcomes: few runs, and never a certificate
    #[arg(long, conflicts_with_all = ["all", "certify", "faults", "verify_complete"])]
    pub(crate) hunt: bool,
    /// Go through EOT and EFF as far as time allows, 60 seconds unless said otherwise
    #[arg(
        long,
        conflicts_with_all = [
            "eot", "eff", "all", "certify", "hunt", "faults", "verify_complete", "dry_run", "random"
        ]
    )]
    pub(crate) sweep: bool,
    /// Write a counterexample as one page of HTML: both runs, and the lineage that differs
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Compare with so many series of random injection
    #[arg(long, value_name = "SERIES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) random: Option<u64>,
    /// What random injection follows from
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Try every fault set as well, and compare: for small parameters
    #[arg(long)]
    pub(crate) verify_complete: bool,
    /// Say how many fault sets there are, and run nothing
    #[arg(long, conflicts_with_all = ["all", "random", "verify_complete", "faults"])]
    pub(crate) dry_run: bool,
    /// Hold what is found of every program against what is known of it
    #[arg(
        long,
        conflicts_with_all = [
            "program", "bug", "eot", "eff", "crashes", "all", "faults", "verify_complete",
            "dry_run",
            "certify", "hunt", "sweep"
        ]
    )]
    pub(crate) table: bool,
}

impl LineageArgs {
    /// Refuses what is about rounds where there are none.
    ///
    /// # Errors
    ///
    /// Names the first such option.
    pub(crate) fn check_for_game(&self, game: &str) -> Result<(), Failure> {
        let asked = [
            ("--eot", self.eot.is_some()),
            ("--eff", self.eff.is_some()),
            ("--crashes", self.crashes.is_some()),
            ("--all", self.all),
            ("--certify", self.certify),
            ("--sweep", self.sweep),
            ("--faults", self.faults.is_some()),
            ("--random", self.random.is_some()),
            ("--verify-complete", self.verify_complete),
            ("--dry-run", self.dry_run),
            ("--html", self.html.is_some()),
        ];
        match asked.iter().find(|(_, is_asked)| *is_asked) {
            None => Ok(()),
            Some((option, _)) => Err(anyhow::anyhow!(
                "{option} is about rounds, and {game} has none: its schedules are hunted, with \
                 --up-to and --seconds as bounds"
            ))
            .or_exit(Exit::Usage),
        }
    }

    /// The parameters that are asked for, with the program's own for the others.
    pub(crate) fn setup(&self, game: &dyn AnyRoundsGame) -> RoundsSetup {
        let FaultSpec { eot, eff, crashes } = game.spec();
        let eot_asked = self.eot.unwrap_or(eot);
        // Whoever changes the end of time alone still wants what fits into it.
        let eff = self.eff.unwrap_or(eff.min(eot_asked.saturating_sub(1)));
        let crashes = self.crashes.unwrap_or(crashes);
        let spec = FaultSpec { eot: eot_asked, eff, crashes };
        RoundsSetup { spec, bug: self.bug.clone() }
    }
}
