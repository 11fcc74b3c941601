/// Why a program could not be judged in the model of synchronous rounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    /// The parameters contradict each other.
    #[error(
        "expected at least one round and EFF < EOT, found EOT {eot} and EFF {eff}; raise EOT, so \
         that there is time to recover"
    )]
    Spec {
        /// The end of time.
        eot: u32,
        /// The end of finite failures.
        eff: u32,
    },
    /// A step asks for something that rounds do not have.
    #[error(
        "expected sends and the tick of the next round alone from node {node} in round {round}, \
         found {effect}; this failure model has rounds, no disks and no other timers"
    )]
    Effect {
        /// The name of the node.
        node: String,
        /// The round; 0 is the start.
        round: u32,
        /// What it asks for.
        effect: String,
    },
    /// A step is no function of its arguments.
    #[error(
        "expected a pure step, but node {node} gave two results for the same inbox in round \
         {round}; look for clocks, randomness and hash order"
    )]
    Impure {
        /// The name of the node.
        node: String,
        /// The round.
        round: u32,
    },
    /// A text is no set of faults.
    #[error(
        "expected faults such as `O({{from}},{{to}},1) C({{node}},2)` of the nodes {names}, found \
         `{found}`; write one after another, with a space between"
    )]
    Text {
        /// The text.
        found: String,
        /// The names of the nodes.
        names: String,
    },
    /// The faults of a set are not those that the parameters admit.
    #[error("expected faults within {spec}, found {found}; drop what is outside or raise a bound")]
    Inadmissible {
        /// The parameters.
        spec: String,
        /// The faults.
        found: String,
    },
    /// A trace is not one of a run of rounds.
    #[error(
        "expected the trace of a run in synchronous rounds, found one of {protocol} that says \
         nothing of EOT, EFF, crashes and faults; use the verb that recorded it"
    )]
    NoRun {
        /// What the trace is of.
        protocol: String,
    },
}
