use cadre_step::Disk;
use cadre_trace::{Json, Kept, Misread, bytes_from_text, bytes_to_text};

use super::faults::{Faults, Spend, Unsynced};
use super::local::Write;

/// The values that one altered number, text or truth value makes of a value.
///
/// Integers differ in their lowest bit and texts in their last character. Names of fields and the
/// order of lists stay: a decoder would notice.
pub(super) fn altered(value: &Json) -> Vec<Json> {
    match value {
        Json::Null => Vec::new(),
        Json::Bool(truth) => vec![Json::from(!truth)],
        Json::Number(number) => {
            let unsigned = number.as_u64().map(|number| Json::from(number ^ 1));
            let signed = || number.as_i64().map(|number| Json::from(number ^ 1));
            let other = || number.as_f64().map(|number| Json::from(-number));
            Vec::from_iter(unsigned.or_else(signed).or_else(other))
        }
        Json::String(text) => {
            let mut text = text.clone();
            let last = text.pop().unwrap_or('x');
            text.push(if last == '!' { '?' } else { '!' });
            vec![Json::from(text)]
        }
        Json::Array(items) => {
            let with = |at: usize, item: Json| {
                let mut items = items.clone();
                items[at] = item;
                Json::from(items)
            };
            let each = items.iter().enumerate();
            each.flat_map(|(at, item)| altered(item).into_iter().map(move |item| with(at, item)))
                .collect()
        }
        Json::Object(fields) => {
            let with = |name: &String, field: Json| {
                let mut fields = fields.clone();
                fields.insert(name.clone(), field);
                Json::from(fields)
            };
            let each = fields.iter();
            each.flat_map(|(name, field)| {
                altered(field).into_iter().map(move |field| with(name, field))
            })
            .collect()
        }
    }
}

/// What may be left of un-synced writes after a crash, torn ones included where they are allowed.
///
/// `None` where there are too many to try every subset.
pub(super) fn remains(unsynced: &[Write], faults: &Faults) -> Option<Vec<Kept>> {
    let is_write = |(_, write): &(usize, &Write)| !matches!(write, Write::Sync);
    let writes: Vec<usize> =
        unsynced.iter().enumerate().filter(is_write).map(|(at, _)| at).collect();
    let kept: Vec<Vec<usize>> = match faults.unsynced {
        Unsynced::Lost => vec![Vec::new()],
        Unsynced::AnyPrefix => (0..=writes.len()).map(|count| writes[..count].to_vec()).collect(),
        Unsynced::AnySubset if writes.len() > SUBSET_MAX => return None,
        Unsynced::AnySubset => (0..1_usize << writes.len())
            .map(|bits| {
                let numbered = writes.iter().enumerate();
                numbered.filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, at)| *at).collect()
            })
            .collect(),
    };
    let mut found: Vec<Kept> =
        kept.iter().map(|kept| Kept { writes: kept.clone(), torn: None }).collect();
    if faults.allows(Spend::TornWrite) {
        for kept in kept {
            let lost = writes.iter().copied().filter(|at| !kept.contains(at));
            // A disk that keeps the order tears the first write that it loses.
            let most = if faults.unsynced == Unsynced::AnyPrefix { 1 } else { usize::MAX };
            let puts = lost.take(most).filter(|at| matches!(unsynced[*at], Write::Put { .. }));
            found.extend(puts.map(|at| Kept { writes: kept.clone(), torn: Some(at) }));
        }
    }
    Some(found)
}

/// Whether these are un-synced writes of which that may be left.
pub(super) fn can_remain(unsynced: &[Write], kept: &Kept) -> bool {
    let is_write =
        |at: &usize| matches!(unsynced.get(*at), Some(Write::Put { .. } | Write::Delete { .. }));
    let can_tear = |at: usize| matches!(unsynced.get(at), Some(Write::Put { .. }));
    kept.writes.iter().all(is_write) && kept.torn.is_none_or(can_tear)
}

/// How many un-synced writes are lost or kept in every way.
pub(super) const SUBSET_MAX: usize = 10;

/// What of a value reaches the disk where its write is torn.
pub(super) fn half(value: &[u8]) -> Vec<u8> {
    value[..value.len() / 2].to_vec()
}

/// Whether a disk holds what is read wrongly.
pub(super) fn can_misread(disk: &Disk, misread: &Misread) -> bool {
    let holds = |text: &String| {
        bytes_from_text(text).is_some_and(|key| disk.range(key.clone()..=key).next().is_some())
    };
    match misread {
        Misread::Corrupt { key, .. } => holds(key),
        Misread::Misdirected { key, instead } => holds(key) && holds(instead),
    }
}

/// What may be read wrongly from a disk.
pub(super) fn misreads(disk: &Disk, faults: &Faults) -> Vec<Misread> {
    let entries: Vec<(&[u8], &[u8])> = disk.range(..).collect();
    let mut found = Vec::new();
    if faults.allows(Spend::CorruptRead) {
        for (key, value) in &entries {
            let json = serde_json::from_slice(value).unwrap_or(Json::Null);
            let values = altered(&json).into_iter().map(|json| json.to_string().into_bytes());
            let garbled = [[b"\xff", *value].concat()];
            found.extend(values.chain(garbled).map(|value| Misread::Corrupt {
                key: bytes_to_text(key),
                value: bytes_to_text(&value),
            }));
        }
    }
    if faults.allows(Spend::MisdirectedRead) {
        for (key, value) in &entries {
            let others = entries.iter().filter(|(_, other)| other != value);
            found.extend(others.map(|(instead, _)| Misread::Misdirected {
                key: bytes_to_text(key),
                instead: bytes_to_text(instead),
            }));
        }
    }
    found
}
