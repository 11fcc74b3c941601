use cadre_step::{Data, NodeId};
use serde_content::{Data as Contents, Deserializer, Enum, Number, Serializer, Struct, Value};

/// A value in which other nodes are named.
///
/// Ids are found by way of serde: a [`NodeId`] says its name wherever it stands in a value, so that
/// no protocol has to tell where its ids are. Sets and maps are in order again afterwards, for they
/// are read as a deserializer reads them.
///
/// # Errors
///
/// Where a value does not come back as it went: its serde implementation is not one that reads what
/// it writes.
pub(super) fn renamed<T: Data>(value: &T, name: &dyn Fn(NodeId) -> NodeId) -> Result<T, String> {
    let read = |content: Value<'_>| {
        let read: Result<T, _> =
            Deserializer::new(content.into_owned()).human_readable().deserialize();
        read.map_err(|why| format!("{value:?} cannot be read back: {why}"))
    };
    let mut content = content_of(value)?;
    if read(content.clone())? != *value {
        return Err(format!("{value:?} is another value when it is read back"));
    }
    each_id(&mut content, &mut |id| *id = u32_of(name(NodeId::from_index(*id as usize))));
    read(content)
}

/// Which nodes a value names.
pub(super) fn mentioned<T: Data>(value: &T) -> Result<Vec<NodeId>, String> {
    let mut found = Vec::new();
    each_id(&mut content_of(value)?, &mut |id| found.push(NodeId::from_index(*id as usize)));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What a value looks like to whoever cannot tell nodes apart but by `kind`: equal for values that
/// differ in the names of nodes of a kind alone.
///
/// The order of a sequence is left out, for that of a set follows from the names.
pub(super) fn outline<T: Data>(value: &T, kind: &dyn Fn(NodeId) -> u32) -> Result<String, String> {
    let mut content = content_of(value)?;
    each_id(&mut content, &mut |id| *id = kind(NodeId::from_index(*id as usize)));
    sort(&mut content);
    Ok(format!("{content:?}"))
}

fn content_of<T: Data>(value: &T) -> Result<Value<'static>, String> {
    let content = Serializer::new().human_readable().serialize(value);
    content.map(Value::into_owned).map_err(|why| format!("{value:?} cannot be written: {why}"))
}

fn u32_of(node: NodeId) -> u32 {
    u32::try_from(node.index()).expect("a cluster has fewer than 2^32 nodes")
}

/// Calls `visit` for each id in a value.
fn each_id(content: &mut Value<'_>, visit: &mut dyn FnMut(&mut u32)) {
    if let Value::Struct(named) = content
        && let Struct { name, data: Contents::NewType { value: Value::Number(Number::U32(id)) } } =
            &mut **named
        && name == "NodeId"
    {
        visit(id);
        return;
    }
    each_part(content, &mut |part| each_id(part, visit));
}

fn each_part(content: &mut Value<'_>, visit: &mut dyn FnMut(&mut Value<'_>)) {
    let data = match content {
        Value::Unit
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Char(_)
        | Value::String(_)
        | Value::Bytes(_)
        | Value::Option(None) => return,
        Value::Option(Some(part)) => return visit(part),
        Value::Seq(parts) | Value::Tuple(parts) => return parts.iter_mut().for_each(visit),
        Value::Map(entries) => {
            for (key, value) in entries {
                visit(key);
                visit(value);
            }
            return;
        }
        Value::Struct(named) => &mut named.data,
        Value::Enum(variant) => {
            let Enum { data, .. } = &mut **variant;
            data
        }
    };
    match data {
        Contents::Unit => {}
        Contents::NewType { value } => visit(value),
        Contents::Tuple { values } => values.iter_mut().for_each(visit),
        Contents::Struct { fields } => fields.iter_mut().for_each(|(_, value)| visit(value)),
    }
}

fn sort(content: &mut Value<'_>) {
    each_part(content, &mut sort);
    match content {
        Value::Seq(parts) => parts.sort_by_cached_key(|part| format!("{part:?}")),
        Value::Map(entries) => entries.sort_by_cached_key(|entry| format!("{entry:?}")),
        Value::Unit
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Char(_)
        | Value::String(_)
        | Value::Bytes(_)
        | Value::Option(_)
        | Value::Struct(_)
        | Value::Enum(_)
        | Value::Tuple(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    enum Note {
        Of(NodeId, u32),
        Votes { by: BTreeMap<NodeId, u32>, seen: BTreeSet<NodeId>, last: Option<NodeId> },
        Nothing,
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Pair(NodeId, Vec<NodeId>),
        Of { of: BTreeSet<NodeId> },
    }

    fn node(index: usize) -> NodeId {
        NodeId::from_index(index)
    }

    /// One more, and the last becomes the first.
    fn turned(id: NodeId) -> NodeId {
        node((id.index() + 1) % 3)
    }

    #[test]
    fn ids_are_renamed_wherever_they_stand() {
        let votes = |pairs: [(usize, u32); 2], seen: [usize; 2], last: Option<usize>| Note::Votes {
            by: pairs.map(|(id, count)| (node(id), count)).into(),
            seen: seen.map(node).into(),
            last: last.map(node),
        };
        let cases = [
            (Note::Of(node(2), 2), Note::Of(node(0), 2)),
            (votes([(0, 7), (2, 8)], [1, 2], Some(0)), votes([(1, 7), (0, 8)], [2, 0], Some(1))),
            (votes([(0, 0), (1, 1)], [0, 1], None), votes([(1, 0), (2, 1)], [1, 2], None)),
            (Note::Nothing, Note::Nothing),
        ];
        for (before, after) in cases {
            assert_eq!(renamed(&before, &turned).unwrap(), after);
        }
        let untagged = [
            (
                Untagged::Pair(node(0), vec![node(2), node(1)]),
                Untagged::Pair(node(1), vec![node(0), node(2)]),
            ),
            (Untagged::Of { of: [node(0)].into() }, Untagged::Of { of: [node(1)].into() }),
        ];
        for (before, after) in untagged {
            assert_eq!(renamed(&before, &turned).unwrap(), after);
        }
    }

    #[test]
    fn an_outline_tells_nodes_apart_by_their_kind_alone() {
        let of = |ids: &[usize]| ids.iter().copied().map(node).collect::<BTreeSet<_>>();
        let seen_from = |own: usize, ids: &[usize]| {
            outline(&of(ids), &|id| u32::from(id.index() != own)).unwrap()
        };
        assert_eq!(seen_from(0, &[0, 1]), seen_from(2, &[1, 2]));
        assert_ne!(seen_from(0, &[0, 1]), seen_from(0, &[1, 2]));
        assert_eq!(mentioned(&of(&[2, 0])).unwrap(), [node(0), node(2)]);
    }
}
