use cadre::model::HistoryEntry;
use cadre::prelude::{Protocol, View};

/// The value of an acknowledged put that is lost: a register holds `held`, which was put by nobody,
/// or by somebody who had his answer before the acknowledged put was asked for.
///
/// `value` says what a request puts, if it is a put. Puts are told apart by their values, and so
/// each has to put another one. Of puts that overlap either may be the later one: whatever the
/// register holds of them is right.
pub(crate) fn lost_put<P: Protocol>(
    view: &View<P>,
    value: impl Fn(&P::Request) -> Option<u32>,
    held: Option<u32>,
) -> Option<u32> {
    let puts = puts(view, value);
    let is_lost = |put: &&Put| {
        let may_follow = |other: &Put| {
            Some(other.value) == held && other.answered.is_none_or(|answered| answered > put.asked)
        };
        put.answered.is_some() && !puts.iter().any(may_follow)
    };
    puts.iter().find(is_lost).map(|put| put.value)
}

/// A put, with its places in the clients' history.
struct Put {
    value: u32,
    asked: usize,
    answered: Option<usize>,
}

fn puts<P: Protocol>(view: &View<P>, value: impl Fn(&P::Request) -> Option<u32>) -> Vec<Put> {
    let entries = || view.history().iter().enumerate();
    let answer = |id| {
        let is_answer = |entry: &HistoryEntry<_>| {
            matches!(entry, HistoryEntry::Return { .. }) && entry.id() == id
        };
        entries().find(|(_, entry)| is_answer(entry)).map(|(place, _)| place)
    };
    entries()
        .filter_map(|(asked, entry)| match entry {
            HistoryEntry::Invoke { id } => {
                let value = value(view.request(*id))?;
                Some(Put { value, asked, answered: answer(*id) })
            }
            HistoryEntry::Return { .. } => None,
        })
        .collect()
}
