use super::builder::Spend;

/// What is known of one local state of one node.
pub(super) struct Row {
    /// The node takes steps.
    pub(super) is_up: bool,
    /// The node's step function did not return as it should.
    pub(super) has_failed: bool,
    /// Choices, timers, sync answers and faults of the node.
    pub(super) own: Vec<Own>,
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

/// What is known of the deliveries of 32 envelopes.
struct Lane {
    known: u32,
    /// The deliveries that are known to change nothing, whatever else the configuration is.
    deaf: u32,
    outcomes: [u32; u32::BITS as usize],
}

impl Row {
    pub(super) fn new(is_up: bool, has_failed: bool, own: Vec<Own>) -> Self {
        Self { is_up, has_failed, own, lanes: Vec::new(), others: Vec::new(), telling: 0 }
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
            Some(own) => own.outcome = Some(outcome),
            None => self.others.push((action, outcome)),
        }
    }

    pub(super) fn has_own(&self, action: u32) -> bool {
        self.own.iter().any(|own| own.action == action)
    }
}

#[inline]
fn place(envelope: u32) -> (usize, usize) {
    ((envelope / u32::BITS) as usize, (envelope % u32::BITS) as usize)
}
