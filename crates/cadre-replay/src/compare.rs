use cadre_trace::{
    Action, Difference, Effect, Event, Fault, Json, LoggedStep, NodeSnapshot, Step, diff,
};
use serde::Serialize;
use serde_json::json;

/// A step of one node: what the trace says about it, or what a process reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken<'a> {
    /// `None` for a start.
    pub(crate) action: Option<&'a Action>,
    pub(crate) event: Option<&'a Event>,
    pub(crate) effects: &'a [Effect],
    pub(crate) failure: Option<&'a str>,
    pub(crate) after: &'a NodeSnapshot,
}

impl<'a> Taken<'a> {
    /// What the trace expects; a restart is a start to the process.
    pub(crate) fn expected(step: &'a Step, after: &'a NodeSnapshot) -> Self {
        let action = match &step.action {
            Action::Fault(Fault::Restart { .. } | Fault::CrashRestart { .. }) => None,
            Action::Fault(Fault::Interrupt { of, .. }) => Some(of.as_ref()),
            Action::Deliver(_)
            | Action::Tick
            | Action::Fault(_)
            | Action::Choose { .. }
            | Action::Fire { .. }
            | Action::SyncDone { .. }
            | Action::Invoke { .. } => Some(&step.action),
        };
        Self {
            action,
            event: step.event.as_ref(),
            effects: &step.effects,
            failure: step.failure.as_deref(),
            after,
        }
    }

    pub(crate) fn reported(step: &'a LoggedStep) -> Self {
        Self {
            action: step.action.as_ref(),
            event: Some(&step.event),
            effects: &step.effects,
            failure: step.failure.as_deref(),
            after: &step.after,
        }
    }

    /// What differs in the step that was taken instead. That both failed is enough: how a panic is
    /// worded may depend on who has caught it.
    pub(crate) fn compare(&self, node: &str, found: &Taken<'_>) -> Vec<Difference> {
        let both_failed = self.failure.is_some() && found.failure.is_some();
        diff(node, &self.to_json(both_failed), &found.to_json(both_failed))
    }

    fn to_json(self, both_failed: bool) -> Json {
        json!({
            "action": value(&self.action),
            "event": value(&self.event),
            "effects": value(&self.effects),
            "failure": value(&self.failure.filter(|_| !both_failed)),
            "status": value(&self.after.status),
            "state": value(&self.after.state),
            "timers": value(&self.after.timers),
            "disk": value(&self.after.disk),
            "unsynced": value(&self.after.unsynced),
        })
    }
}

fn value(part: &impl Serialize) -> Json {
    serde_json::to_value(part).expect("what a trace contains has a JSON form")
}
