use clap::ValueEnum;

/// What searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Tool {
    /// Our explorer.
    Ours,
    /// Stateright, breadth-first.
    StaterightBfs,
    /// Stateright, depth-first.
    StaterightDfs,
    /// TLC.
    Tlc,
    /// Spin, depth-first and exact.
    Spin,
}

impl Tool {
    /// Its name in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::StaterightBfs => "stateright-bfs",
            Self::StaterightDfs => "stateright-dfs",
            Self::Tlc => "tlc",
            Self::Spin => "spin",
        }
    }

    /// Whether it is an order of search of Stateright.
    pub(crate) fn is_stateright(self) -> bool {
        matches!(self, Self::StaterightBfs | Self::StaterightDfs)
    }
}
