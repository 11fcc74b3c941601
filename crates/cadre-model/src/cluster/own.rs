use cadre_step::{Disk, Effect, EffectOf, NodeId, Protocol, SyncError};

use super::action::{ActionOf, TypedAction, TypedFault};
use super::damage::{misreads, remains};
use super::faults::{Spend, cost};
use super::local::{Life, LocalOf};
use super::rows::{ENVELOPE_BITS, Interruption, Own};
use super::tables::Tables;

/// What a node may do or suffer in a local state, messages and requests aside.
impl<P: Protocol> Tables<P> {
    pub(super) fn own(&mut self, node: usize, action: ActionOf<P>) -> Own {
        let spend = cost::<P>(&action);
        let tables = &mut self.nodes[node];
        let action = tables.action_id(action);
        if tables.bits[action as usize] == 0 && self.own_bits < u128::BITS - ENVELOPE_BITS {
            tables.set_bit(action, ENVELOPE_BITS + self.own_bits);
            self.own_bits += 1;
        }
        Own { action, outcome: None, spend, bit: tables.bits[action as usize] }
    }

    /// Timers, sync answers and faults of a node in a local state, of faults that lead to the same
    /// the first one; budgets are looked at later. `None` where there are too many.
    pub(super) fn own_actions(&self, node: NodeId, local: &LocalOf<P>) -> Option<Vec<ActionOf<P>>> {
        let mut own = Vec::new();
        let faults = &self.rules.faults;
        match &local.life {
            Life::Up(_) if local.is_paused => own.push(TypedFault::Resume { node }.into()),
            Life::Up(_) => {
                let fire = |timer: &P::Timer| TypedAction::Fire { node, timer: timer.clone() };
                own.extend(local.ripe().map(fire));
                if local.is_syncing() {
                    own.push(TypedAction::SyncDone { node });
                    let failures =
                        [(Spend::SyncError, SyncError::Lost), (Spend::FullDisk, SyncError::Full)];
                    let allowed = failures.into_iter().filter(|(spend, _)| faults.allows(*spend));
                    let fail = |(_, error)| TypedFault::SyncFail { node, error }.into();
                    own.extend(allowed.map(fail));
                }
                if faults.allows(Spend::Pause) {
                    own.push(TypedFault::Pause { node }.into());
                }
            }
            Life::Down if faults.restarts => {
                own.push(TypedFault::Restart { node, misread: None }.into());
                let misreads = misreads(&local.disk, faults).into_iter();
                let read = |misread| TypedFault::Restart { node, misread: Some(misread) }.into();
                own.extend(misreads.map(read));
            }
            Life::Down | Life::Failed(_) => {}
        }
        if let Life::Up(_) = &local.life {
            own.extend(self.crashes(node, local)?);
            if faults.allows(Spend::ClockJump) && !local.due.is_empty() {
                let jump = |by_us| TypedFault::Jump { node, by_us }.into();
                own.extend([self.rules.tick_us(), -self.rules.tick_us()].map(jump));
            }
        }
        Some(own)
    }

    /// The ways in which a node that is up may crash, of those that leave the same the first one.
    fn crashes(&self, node: NodeId, local: &LocalOf<P>) -> Option<Vec<ActionOf<P>>> {
        let faults = &self.rules.faults;
        let mut own: Vec<ActionOf<P>> = Vec::new();
        let mut seen: Vec<Disk> = Vec::new();
        // A crash with a torn write is one without restart, unless that is the only kind there is.
        let stops = faults.allows(Spend::Crash) || faults.restarts;
        for kept in remains(&local.unsynced, faults)? {
            let (is_stop, is_restart) = match kept.torn {
                Some(_) => (stops, !stops),
                None => (faults.allows(Spend::Crash), faults.allows(Spend::CrashRestart)),
            };
            let disk = local.disk_after_crash(&kept);
            if !(is_stop || is_restart) || seen.contains(&disk) {
                continue;
            }
            seen.push(disk);
            if is_restart {
                own.push(TypedFault::CrashRestart { node, kept: kept.clone() }.into());
            }
            if is_stop {
                own.push(TypedFault::Crash { node, kept }.into());
            }
        }
        Some(own)
    }

    /// Adds the ways in which a step may end in the middle: after each effect that leaves
    /// something behind, but the last; where a sync is done also before the first.
    pub(super) fn add_interruptions(
        &mut self,
        node: usize,
        local: u32,
        of: &ActionOf<P>,
        effects: &[EffectOf<P>],
    ) {
        if !self.rules.faults.allows(Spend::Interruption) || !is_step::<P>(of) {
            return;
        }
        let leaves_something = |(_, effect): &(usize, &EffectOf<P>)| match effect {
            Effect::Send { .. } | Effect::PutSynced { .. } | Effect::Respond { .. } => true,
            Effect::SetTimer { .. }
            | Effect::CancelTimer { .. }
            | Effect::Put { .. }
            | Effect::Delete { .. }
            | Effect::Sync => false,
        };
        let mut ends: Vec<usize> =
            effects.iter().enumerate().filter(leaves_something).map(|(at, _)| at + 1).collect();
        ends.pop();
        if let TypedAction::SyncDone { .. } = of {
            // What is durable by then is more than a crash before the step would have left.
            ends.insert(0, 0);
        }
        for effects in ends {
            let action = TypedFault::Interrupt { of: Box::new(of.clone()), effects };
            let tables = &mut self.nodes[node];
            let of = tables.action_id(of.clone());
            let action = tables.action_id(action.into());
            tables.rows[local as usize].interruptions.push(Interruption { of, action });
        }
    }
}

/// Whether an action makes the node take a step of its own.
fn is_step<P: Protocol>(action: &ActionOf<P>) -> bool {
    match action {
        TypedAction::Deliver { .. }
        | TypedAction::Choose { .. }
        | TypedAction::Fire { .. }
        | TypedAction::SyncDone { .. }
        | TypedAction::Invoke { .. } => true,
        TypedAction::Tick | TypedAction::Fault(_) => false,
    }
}
