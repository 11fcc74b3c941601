use cadre_step::NodeId;

use crate::config::{Bursts, Config};
use crate::delay::Delay;
use crate::random::Random;

/// What becomes of messages on their way.
#[derive(Debug)]
pub(crate) struct Links {
    nodes: usize,
    links: Vec<Link>,
}

/// One direction between two nodes.
#[derive(Clone, Debug)]
struct Link {
    latency: Delay,
    loss: f64,
    /// How long the link is busy with one message; 0 without a limit.
    busy_us: f64,
    /// Until when it is busy.
    busy_until_us: f64,
    is_bad: bool,
    last_us: Option<u64>,
    /// When the last of its messages arrives.
    last_arrival_us: u64,
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It takes so long.
    Arrives { after_us: u64 },
    /// It is lost, and would have taken so long.
    Lost { after_us: u64 },
}

impl Links {
    pub(crate) fn new(config: &Config, names: &[String]) -> Self {
        let nodes = names.len();
        let mut link = Link {
            latency: config.latency,
            loss: config.loss,
            busy_us: 0.0,
            busy_until_us: 0.0,
            is_bad: false,
            last_us: None,
            last_arrival_us: 0,
        };
        link.set_bandwidth(config.bandwidth);
        let mut links = vec![link; nodes * nodes];
        for special in &config.links {
            let at = |name| names.iter().position(|known| known == name).expect("it was checked");
            let link = &mut links[at(&special.from) * nodes + at(&special.to)];
            link.latency = special.latency.unwrap_or(link.latency);
            link.loss = special.loss.unwrap_or(link.loss);
            link.set_bandwidth(special.bandwidth.or(config.bandwidth));
        }
        Self { nodes, links }
    }

    /// The number of a link.
    #[inline]
    pub(crate) fn number(&self, from: NodeId, to: NodeId) -> usize {
        from.index() * self.nodes + to.index()
    }

    /// What becomes of a message that is sent now.
    #[inline]
    pub(crate) fn way(
        &mut self,
        number: usize,
        now_us: u64,
        config: &Config,
        draws: bool,
        random: &mut Random,
    ) -> Way {
        let link = &mut self.links[number];
        let mut after_us = link.latency(config, draws, random);
        let mut is_lost = random.chance(link.loss);
        if let Some(bursts) = config.bursts {
            is_lost |= link.burst(bursts, random);
        }
        if link.busy_us > 0.0 {
            let begin = link.busy_until_us.max(now_us as f64);
            let waiting = (begin - now_us as f64) / link.busy_us;
            if waiting >= config.queue as f64 {
                return Way::Lost { after_us };
            }
            link.busy_until_us = begin + link.busy_us;
            after_us += (link.busy_until_us - now_us as f64) as u64;
        }
        if random.chance(config.reordering) {
            after_us += config.held_up.draw(random);
        }
        if is_lost { Way::Lost { after_us } } else { Way::Arrives { after_us } }
    }

    /// The time of an arrival over a link that keeps the order.
    pub(crate) fn in_order(&mut self, number: usize, at_us: u64) -> u64 {
        let link = &mut self.links[number];
        link.last_arrival_us = link.last_arrival_us.max(at_us);
        link.last_arrival_us
    }

    /// Lets no link be bad any more, and no message be lost.
    pub(crate) fn heal(&mut self) {
        for link in &mut self.links {
            link.is_bad = false;
            link.loss = 0.0;
        }
    }
}

impl Link {
    fn set_bandwidth(&mut self, bandwidth: Option<f64>) {
        self.busy_us = bandwidth.map_or(0.0, |messages| 1e6 / messages);
    }

    #[inline]
    fn latency(&mut self, config: &Config, draws: bool, random: &mut Random) -> u64 {
        if !draws {
            return self.latency.typical().us;
        }
        // The same again with some probability: so the distribution stays what it is.
        if let Some(last_us) = self.last_us
            && random.chance(config.correlation)
        {
            return last_us;
        }
        let mut us = self.latency.draw(random);
        if config.jitter.us > 0 {
            let width = usize::try_from(2 * config.jitter.us).unwrap_or(usize::MAX - 1);
            us = (us + random.below(width + 1) as u64).saturating_sub(config.jitter.us);
        }
        self.last_us = Some(us);
        us
    }

    fn burst(&mut self, bursts: Bursts, random: &mut Random) -> bool {
        let turns = random.chance(if self.is_bad { bursts.end } else { bursts.begin });
        self.is_bad ^= turns;
        self.is_bad && random.chance(bursts.loss)
    }
}
