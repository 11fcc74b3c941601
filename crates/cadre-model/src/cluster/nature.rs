use cadre_step::Protocol;
use cadre_trace::Json;

use super::action::{ActionOf, FaultOf, TypedAction, TypedFault};
use super::configuration::Configuration;
use super::names::to_json;
use super::{Choice, Cluster, STEPS_RETURN};
use crate::nature::{Cause, Class, Nature};

/// The classes of a cluster's actions, named as traces name them.
pub(super) const CLASSES: &[Class] = &[
    DELIVER,
    CHOOSE,
    FIRE,
    SYNC_DONE,
    TICK,
    INVOKE,
    DROP,
    BURST,
    DUPLICATE,
    REPLAY,
    CORRUPT,
    FORGE,
    PARTITION,
    CRASH,
    CRASH_GROUP,
    CRASH_RESTART,
    INTERRUPT,
    PAUSE,
    SYNC_FAIL,
    JUMP,
    HEAL,
    RESTART,
    RESUME,
];

const DELIVER: Class = class("deliver", Cause::System);
const CHOOSE: Class = class("choose", Cause::System);
const FIRE: Class = class("fire", Cause::System);
const SYNC_DONE: Class = class("sync-done", Cause::System);
const TICK: Class = class("tick", Cause::System);
const INVOKE: Class = class("invoke", Cause::Client);
const DROP: Class = class("drop", Cause::Fault);
const BURST: Class = class("burst", Cause::Fault);
const DUPLICATE: Class = class("duplicate", Cause::Fault);
const REPLAY: Class = class("replay", Cause::Fault);
const CORRUPT: Class = class("corrupt", Cause::Fault);
const FORGE: Class = class("forge", Cause::Fault);
const PARTITION: Class = class("partition", Cause::Fault);
const CRASH: Class = class("crash", Cause::Fault);
const CRASH_GROUP: Class = class("crash-group", Cause::Fault);
const CRASH_RESTART: Class = class("crash-restart", Cause::Fault);
const INTERRUPT: Class = class("interrupt", Cause::Fault);
const PAUSE: Class = class("pause", Cause::Fault);
const SYNC_FAIL: Class = class("sync-fail", Cause::Fault);
const JUMP: Class = class("jump", Cause::Fault);
const HEAL: Class = ending("heal");
const RESTART: Class = ending("restart");
const RESUME: Class = ending("resume");

const fn class(name: &'static str, cause: Cause) -> Class {
    let weight = match cause {
        Cause::Client | Cause::System => Class::ACTION.weight,
        Cause::Fault => Class::FAULT.weight,
    };
    Class { name, cause, weight }
}

/// The end of a fault: a node that is down should not stay so for most of a walk.
const fn ending(name: &'static str) -> Class {
    Class { name, cause: Cause::Fault, weight: Class::ACTION.weight }
}

impl<P: Protocol> Cluster<P> {
    pub(super) fn nature_of(&self, choice: Choice) -> Nature {
        let action = self.describe(choice);
        let subject = action.node().map(cadre_step::NodeId::index);
        Nature { class: class_of::<P>(&action), subject }
    }

    /// Whether two actions are deliveries of messages of one kind on one link.
    pub(super) fn are_alike(&self, one: Choice, other: Choice) -> bool {
        match (self.describe(one), self.describe(other)) {
            (
                TypedAction::Deliver { from, to, message },
                TypedAction::Deliver { from: other_from, to: other_to, message: other_message },
            ) => {
                let kind = |message: &P::Message| kind_of(&to_json(message));
                (from, to) == (other_from, other_to) && kind(&message) == kind(&other_message)
            }
            _ => false,
        }
    }

    /// How a step failed, without the numbers in its message: an index that is out of bounds is the
    /// same failure whatever the index. The place, behind the message, keeps its numbers.
    pub(super) fn symptom_of(&self, guarantee: usize, at: &Configuration) -> Option<String> {
        if guarantee != STEPS_RETURN {
            return None;
        }
        let failure = self.with_view(at, |view| view.failure().map(|(_, why)| why.to_owned()))?;
        let (message, place) = failure.rsplit_once(" (").unwrap_or((&failure, ""));
        let message = message.replace(|letter: char| letter.is_ascii_digit(), "");
        Some(format!("{message} ({place}"))
    }
}

fn class_of<P: Protocol>(action: &ActionOf<P>) -> Class {
    match action {
        TypedAction::Deliver { .. } => DELIVER,
        TypedAction::Choose { .. } => CHOOSE,
        TypedAction::Fire { .. } => FIRE,
        TypedAction::SyncDone { .. } => SYNC_DONE,
        TypedAction::Tick => TICK,
        TypedAction::Invoke { .. } => INVOKE,
        TypedAction::Fault(fault) => class_of_fault::<P>(fault),
    }
}

fn class_of_fault<P: Protocol>(fault: &FaultOf<P>) -> Class {
    match fault {
        TypedFault::Drop { .. } => DROP,
        TypedFault::Burst { .. } => BURST,
        TypedFault::Duplicate { .. } => DUPLICATE,
        TypedFault::Replay { .. } => REPLAY,
        TypedFault::Corrupt { .. } => CORRUPT,
        TypedFault::Forge { .. } => FORGE,
        TypedFault::Partition { .. } => PARTITION,
        TypedFault::Crash { .. } => CRASH,
        TypedFault::CrashGroup { .. } => CRASH_GROUP,
        TypedFault::CrashRestart { .. } => CRASH_RESTART,
        TypedFault::Interrupt { .. } => INTERRUPT,
        TypedFault::Pause { .. } => PAUSE,
        TypedFault::SyncFail { .. } => SYNC_FAIL,
        TypedFault::Jump { .. } => JUMP,
        TypedFault::Restart { .. } => RESTART,
        TypedFault::Resume { .. } => RESUME,
        TypedFault::Heal => HEAL,
    }
}

/// The name of an enum's variant, or what else tells values of one sort from others.
fn kind_of(message: &Json) -> Option<String> {
    match message {
        Json::String(name) => Some(name.clone()),
        Json::Object(fields) => Some(fields.keys().cloned().collect::<Vec<_>>().join(" ")),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_kind_differ_in_what_their_variant_holds_alone() {
        let kind = |json: &str| kind_of(&serde_json::from_str(json).unwrap());
        assert_eq!(kind(r#"{"Vote":{"term":1}}"#), kind(r#"{"Vote":{"term":2}}"#));
        assert_ne!(kind(r#"{"Vote":{"term":1}}"#), kind(r#"{"Ask":{"term":1}}"#));
        assert_ne!(kind(r#""Yes""#), kind(r#""No""#));
        assert_eq!(kind(r#"{"term":1,"yes":true}"#), kind(r#"{"term":2,"yes":false}"#));
    }
}
