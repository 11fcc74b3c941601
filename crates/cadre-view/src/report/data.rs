use cadre_trace::{Change, Effect, Event, Json, Trace};
use serde_json::{Value, json};

use crate::changed::write_word;
use crate::diagram::Plan;
use crate::text::{one_line, say};

/// What the page knows of a run besides its pictures, as JSON.
///
/// Each step that is shown has what changed since the one that is shown before it, so that every
/// configuration that is shown can be rebuilt.
pub(crate) fn data(plan: &Plan<'_>) -> Json {
    let trace = plan.trace;
    let mut steps = Vec::new();
    let mut told = 0;
    for row in plan.steps() {
        let step = row.step;
        let passed = trace.steps.get(told..step.step).unwrap_or_default();
        let change = merged(passed.iter().map(|step| &step.change));
        told = step.step;
        steps.push(json!({
            "step": step.step,
            "action": step.action.to_string(),
            "nodes": step.action.nodes(),
            "event": step.event.as_ref().map(event),
            "effects": step.effects.iter().map(effect).collect::<Vec<_>>(),
            "lamport": step.lamport,
            "clock": step.clock,
            "causes": step.causes,
            "changed": row.changed.all().collect::<Vec<_>>(),
            "change": change,
            "failure": step.failure,
            "at_us": step.at_us,
            "spec": step.spec.as_ref().and_then(|spec| spec.title()),
        }));
    }
    json!({
        "lanes": plan.lanes.iter().map(|lane| lane.name()).collect::<Vec<_>>(),
        "initial": initial(trace),
        "count": trace.steps.len(),
        "steps": steps,
    })
}

/// JSON for a script element: nothing in it can end the element or begin a comment.
pub(crate) fn for_script(data: &Json) -> String {
    data.to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn initial(trace: &Trace) -> Json {
    serde_json::to_value(&trace.header.initial).expect("a configuration is made of JSON values")
}

/// Several changes as one. Messages that come and go again are in neither list.
fn merged<'t>(changes: impl Iterator<Item = &'t Change>) -> Value {
    let mut all = Change::default();
    for change in changes {
        all.nodes.extend(change.nodes.iter().map(|(name, node)| (name.clone(), node.clone())));
        for gone in &change.removed {
            match all.added.iter().position(|added| added == gone) {
                Some(at) => drop(all.added.remove(at)),
                None => all.removed.push(gone.clone()),
            }
        }
        all.added.extend(change.added.iter().cloned());
        all.history.extend(change.history.iter().cloned());
        all.cut = change.cut.clone().or(all.cut);
    }
    serde_json::to_value(&all).expect("a change is made of JSON values")
}

fn event(event: &Event) -> String {
    match event {
        Event::Start => "start".to_owned(),
        Event::Deliver { from, message } => format!("{} from {from}", say(message)),
        Event::Timeout { timer } => format!("timeout {}", say(timer)),
        Event::Request { id, request } => format!("{} asks {}", id.client, say(request)),
        Event::SyncDone => "sync done".to_owned(),
        Event::SyncFailed { error } => format!("sync failed: {error:?}").to_lowercase(),
    }
}

fn effect(effect: &Effect) -> String {
    one_line(&match effect {
        Effect::Send { to, message } => format!("send {} → {to}", say(message)),
        Effect::SetTimer { timer, after_us } => {
            format!("set timer {} after {after_us} µs", say(timer))
        }
        Effect::CancelTimer { timer } => format!("cancel timer {}", say(timer)),
        Effect::Write(write) => format!("write {}", write_word(write)),
        Effect::WriteSynced(write) => format!("write and sync {}", write_word(write)),
        Effect::Sync => "sync".to_owned(),
        Effect::Respond { id, response } => format!("answer {}: {}", id.client, say(response)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_ends_the_script() {
        let text = for_script(&json!({"a": "</script><!--&\u{2028}"}));
        assert_eq!(text, r#"{"a":"\u003c/script\u003e\u003c!--\u0026\u2028"}"#);
        let back: Json = serde_json::from_str(&text).expect("it is JSON still");
        assert_eq!(back["a"], "</script><!--&\u{2028}");
    }
}
