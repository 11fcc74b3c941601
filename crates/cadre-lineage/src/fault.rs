use std::collections::BTreeSet;

use cadre_step::NodeId;

use crate::LineageError;

/// A set of faults, the hypothesis that a run tries.
///
/// Its text form is canonical: `O(a,b,1) C(a,2)` is the loss of all that `a` sends to `b` in round
/// 1, and the crash of `a` in round 2.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultSet(BTreeSet<Fault>);

/// One fault of the model of synchronous rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Everything that one node sends to another in a round is lost.
    Omit(ChannelRound),
    /// A node takes no step in this round or later; its state stays as it is.
    Crash {
        /// The node.
        node: NodeId,
        /// The first round without it.
        round: u32,
    },
}

/// What one node sends to another in a round: lost as a whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelRound {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// The round of sending; what arrives does so in the next.
    pub round: u32,
}

impl FaultSet {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The faults, in order: omissions first.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// How many faults it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this channel loses what is sent in this round.
    pub fn omits(&self, channel: ChannelRound) -> bool {
        self.0.contains(&Fault::Omit(channel))
    }

    /// The round in which a node crashes, if it does.
    pub fn crash_of(&self, node: NodeId) -> Option<u32> {
        self.0.iter().find_map(|fault| match fault {
            Fault::Crash { node: crashed, round } if *crashed == node => Some(*round),
            Fault::Crash { .. } | Fault::Omit(_) => None,
        })
    }

    /// The text form; `names` are the nodes' names in order.
    pub fn text(&self, names: &[String]) -> String {
        let texts: Vec<String> = self.0.iter().map(|fault| fault.text(names)).collect();
        if texts.is_empty() { "no faults".to_owned() } else { texts.join(" ") }
    }

    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// Where something else stands there, or a node has no such name.
    pub fn parse(text: &str, names: &[String]) -> Result<Self, LineageError> {
        if text == "no faults" {
            return Ok(Self::new());
        }
        text.split_whitespace()
            .map(|fault| Fault::parse(fault, names))
            .collect::<Option<_>>()
            .ok_or_else(|| LineageError::Text { found: text.to_owned(), names: names.join(", ") })
    }

    pub(crate) fn with(&self, fault: Fault) -> Self {
        self.0.iter().copied().chain([fault]).collect()
    }
}

impl FromIterator<Fault> for FaultSet {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}

impl Fault {
    fn text(&self, names: &[String]) -> String {
        let name = |node: &NodeId| &names[node.index()];
        match self {
            Self::Omit(ChannelRound { from, to, round }) => {
                format!("O({},{},{round})", name(from), name(to))
            }
            Self::Crash { node, round } => format!("C({},{round})", name(node)),
        }
    }

    fn parse(text: &str, names: &[String]) -> Option<Self> {
        let node =
            |name: &str| names.iter().position(|known| known == name).map(NodeId::from_index);
        let (kind, rest) = text.split_once('(')?;
        let arguments: Vec<&str> = rest.strip_suffix(')')?.split(',').collect();
        match (kind, &arguments[..]) {
            ("O", [from, to, round]) => {
                let (from, to, round) = (node(from)?, node(to)?, round.parse().ok()?);
                Some(Self::Omit(ChannelRound { from, to, round }))
            }
            ("C", [crashed, round]) => {
                Some(Self::Crash { node: node(crashed)?, round: round.parse().ok()? })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_fault_set_reads_back_in_canonical_order() {
        let names = ["a", "b"].map(str::to_owned);
        let set = FaultSet::parse("C(a,2) O(a,b,1)", &names).unwrap();
        assert_eq!(set.text(&names), "O(a,b,1) C(a,2)");
        assert_eq!(FaultSet::parse(&set.text(&names), &names).unwrap(), set);
        assert_eq!(FaultSet::parse("no faults", &names).unwrap(), FaultSet::new());
    }

    #[test]
    fn what_is_no_fault_is_refused_with_the_names_that_there_are() {
        let names = ["a", "b"].map(str::to_owned);
        for text in ["O(a,c,1)", "C(a)", "X(a,1)", "O(a,b,one)", "a"] {
            let error = FaultSet::parse(text, &names).unwrap_err().to_string();
            assert!(error.contains("a, b"), "{error}");
        }
    }
}
