use super::faults::Spend;

/// How many envelopes have a bit in a sleep set; the rest of the bits are for the nodes' own
/// actions.
pub(super) const ENVELOPE_BITS: u32 = 96;

/// What is known of one local state of one node.
pub(super) struct Row {
    /// The node takes steps.
    pub(super) is_up: bool,
    /// The node's step function did not return as it should.
    pub(super) has_failed: bool,
    pub(super) is_down: bool,
    pub(super) is_paused: bool,
    /// No time may pass before one of its timers goes off.
    pub(super) is_overdue: bool,
    /// A sync has been asked for and not been answered.
    pub(super) is_syncing: bool,
    /// Of the first envelopes, those whose delivery is known to change nothing; all of them where
    /// the node takes no steps.
    pub(super) deaf: u128,
    /// Of the first envelopes, those of whose delivery the outcome is known.
    pub(super) known: u128,
    /// The [bits](crate::Asleep) of the node's own actions that cost nothing.
    pub(super) free: u128,
    /// Whether all of the node's own actions cost nothing and have a bit, and their outcomes are
    /// known.
    pub(super) is_plain: bool,
    /// Choices, timers, sync answers and faults of the node.
    pub(super) own: Vec<Own>,
    /// The ways in which steps may end in the middle, of steps whose outcome is known.
    pub(super) interruptions: Vec<Interruption>,
    /// The outcomes of deliveries, for each word of the envelopes' bit set.
    lanes: Vec<Lane>,
    /// The outcomes of requests, and of faults that only schedules ask for.
    others: Vec<(u32, u32)>,
    /// The [bits](crate::Asleep) of the actions that are known to add to the clients' history.
    pub(super) telling: u128,
}

/// One of the actions that a local state allows, messages and requests aside.
pub(super) struct Own {
    pub(super) action: u32,
    /// The position of the outcome, once it is known.
    pub(super) outcome: Option<u32>,
    /// What it costs.
    pub(super) spend: Option<Spend>,
    /// Its [bit](crate::Asleep), if it has one.
    pub(super) bit: u128,
}

/// A step that ends in the middle.
pub(super) struct Interruption {
    /// The action that makes the node take the step.
    pub(super) of: u32,
    pub(super) action: u32,
}

/// What is known of the deliveries of 32 envelopes.
struct Lane {
    known: u32,
    /// The deliveries that are known to change nothing, whatever else the configuration is.
    deaf: u32,
    outcomes: [u32; u32::BITS as usize],
}

impl Row {
    pub(super) fn new(is_up: bool, has_failed: bool, own: Vec<Own>) -> Self {
        let mut row = Self {
            is_up,
            has_failed,
            is_down: false,
            is_paused: false,
            is_overdue: false,
            is_syncing: false,
            interruptions: Vec::new(),
            deaf: if is_up { 0 } else { u128::MAX },
            known: 0,
            free: own.iter().filter(|own| own.spend.is_none()).fold(0, |bits, own| bits | own.bit),
            is_plain: false,
            own,
            lanes: Vec::new(),
            others: Vec::new(),
            telling: 0,
        };
        row.is_plain = row.looks_plain();
        row
    }

    fn looks_plain(&self) -> bool {
        let is_plain = |own: &Own| own.bit != 0 && own.spend.is_none() && own.outcome.is_some();
        self.own.iter().all(is_plain)
    }

    /// The bytes that it takes, what it owns elsewhere included.
    pub(super) fn bytes(&self) -> u64 {
        let own = self.own.capacity() * size_of::<Own>();
        let lanes = self.lanes.capacity() * size_of::<Lane>();
        let others = self.others.capacity() * size_of::<(u32, u32)>();
        (size_of::<Self>() + own + lanes + others) as u64
    }

    /// Of the envelopes of a word, those whose delivery may change something.
    #[inline]
    pub(super) fn open(&self, word: usize) -> u32 {
        match self.is_up {
            true => self.lanes.get(word).map_or(u32::MAX, |lane| !lane.deaf),
            false => 0,
        }
    }

    /// The position of a delivery's outcome.
    #[inline]
    pub(super) fn delivery(&self, envelope: u32) -> Option<u32> {
        let (word, bit) = place(envelope);
        let lane = self.lanes.get(word)?;
        (lane.known & 1 << bit != 0).then(|| lane.outcomes[bit])
    }

    /// Notes the outcome of a delivery, and whether it never changes anything.
    pub(super) fn set_delivery(&mut self, envelope: u32, outcome: u32, is_deaf: bool) {
        let (word, bit) = place(envelope);
        while self.lanes.len() <= word {
            self.lanes.push(Lane { known: 0, deaf: 0, outcomes: [0; u32::BITS as usize] });
        }
        let lane = &mut self.lanes[word];
        lane.known |= 1 << bit;
        lane.deaf |= u32::from(is_deaf) << bit;
        lane.outcomes[bit] = outcome;
        if envelope < ENVELOPE_BITS {
            self.known |= 1 << envelope;
            self.deaf |= u128::from(is_deaf) << envelope;
        }
    }

    /// The position of the outcome of anything but a delivery.
    #[inline]
    pub(super) fn other(&self, action: u32) -> Option<u32> {
        match self.own.iter().find(|own| own.action == action) {
            Some(own) => own.outcome,
            None => self.others.iter().find(|(known, _)| *known == action).map(|(_, at)| *at),
        }
    }

    pub(super) fn set_other(&mut self, action: u32, outcome: u32) {
        match self.own.iter_mut().find(|own| own.action == action) {
            Some(own) => {
                own.outcome = Some(outcome);
                self.is_plain = self.looks_plain();
            }
            None => self.others.push((action, outcome)),
        }
    }

    /// The deliveries of which the outcome is known, as envelopes with the positions of outcomes.
    pub(super) fn delivered(&self) -> impl Iterator<Item = (u32, u32)> {
        let lanes = (0..).zip(&self.lanes);
        lanes.flat_map(|(word, lane): (u32, _)| {
            let known = (0..u32::BITS).filter(|bit| lane.known & 1 << bit != 0);
            known.map(move |bit| (word * u32::BITS + bit, lane.outcomes[bit as usize]))
        })
    }

    /// The other actions of which the outcome is known, with the positions of outcomes.
    pub(super) fn acted(&self) -> impl Iterator<Item = (u32, u32)> {
        let own = self.own.iter().filter_map(|own| Some((own.action, own.outcome?)));
        own.chain(self.others.iter().copied())
    }

    pub(super) fn has_own(&self, action: u32) -> bool {
        self.own.iter().any(|own| own.action == action)
    }
}

#[inline]
fn place(envelope: u32) -> (usize, usize) {
    ((envelope / u32::BITS) as usize, (envelope % u32::BITS) as usize)
}
