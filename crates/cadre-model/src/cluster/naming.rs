use cadre_step::Data;
use serde_content::{Data as Contents, Deserializer, Enum, Number, Serializer, Struct, Value};

use crate::fingerprint;

/// What has a name that can be exchanged for another: a node, a value or a client, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Thing {
    Node(u32),
    Value(u32),
    Client(u32),
}

/// A value with other names in it.
///
/// Names are found by way of serde: a [`NodeId`](cadre_step::NodeId), a
/// [`Value`](cadre_step::Value) and a [`RequestId`](cadre_step::RequestId) say what they are
/// wherever they stand in a value, so that no protocol has to tell where its names are. Sets and
/// maps are in order again afterwards, for they are read as a deserializer reads them.
///
/// # Errors
///
/// Where a value does not come back as it went: its serde implementation is not one that reads what
/// it writes.
pub(super) fn renamed<T: Data>(value: &T, name: &dyn Fn(Thing) -> Thing) -> Result<T, String> {
    let Outline(mut content) = Outline::of(value)?;
    if things(&content).into_iter().all(|thing| name(thing) == thing) {
        return Ok(value.clone());
    }
    let read = |content: Value<'static>| {
        let read: Result<T, _> = Deserializer::new(content).human_readable().deserialize();
        read.map_err(|why| format!("{value:?} cannot be read back: {why}"))
    };
    if read(content.clone())? != *value {
        return Err(format!("{value:?} is another value when it is read back"));
    }
    rename(&mut content, name);
    read(content)
}

impl Thing {
    pub(super) fn node(index: usize) -> Self {
        Self::Node(u32::try_from(index).expect("a cluster has fewer than 2^32 nodes"))
    }

    pub(super) fn number(self) -> u32 {
        match self {
            Self::Node(number) | Self::Value(number) | Self::Client(number) => number,
        }
    }
}

/// What a value looks like to whoever knows some names only.
pub(super) struct Outline(Value<'static>);

impl Outline {
    /// # Errors
    ///
    /// Where serde cannot write the value.
    pub(super) fn of<T: Data>(value: &T) -> Result<Self, String> {
        let content = Serializer::new().human_readable().serialize(value);
        let content = content.map_err(|why| format!("{value:?} cannot be written: {why}"))?;
        Ok(Self(content.into_owned()))
    }

    /// What the value names, in the order in which it does so first.
    pub(super) fn things(&self) -> Vec<Thing> {
        things(&self.0)
    }

    /// A fingerprint that is the same for values that differ only in things with equal labels.
    ///
    /// The order of a sequence is left out, for that of a set follows from the names.
    pub(super) fn seen(&self, label: &dyn Fn(Thing) -> u128) -> u128 {
        hash_of(&self.0, &mut |thing| label(thing))
    }
}

fn things(content: &Value<'_>) -> Vec<Thing> {
    let mut found = Vec::new();
    hash_of(content, &mut |thing| {
        if !found.contains(&thing) {
            found.push(thing);
        }
        0
    });
    found
}

/// What stands in a value as a name and not as the data that it is made of, and these data.
fn named<'c>(content: &'c Value<'_>) -> Option<(Thing, &'c Contents<'c>)> {
    let Value::Struct(named) = content else { return None };
    let Struct { name, data } = &**named;
    let thing = match (&**name, data) {
        ("$cadre_step::NodeId", Contents::NewType { value }) => Thing::Node(number_in(value)?),
        ("$cadre_step::Value", Contents::NewType { value }) => Thing::Value(number_in(value)?),
        ("$cadre_step::RequestId", Contents::Struct { fields }) => {
            let (_, client) = fields.iter().find(|(field, _)| field == CLIENT)?;
            Thing::Client(number_in(client)?)
        }
        _ => return None,
    };
    Some((thing, data))
}

/// The field of a request's name that names the client.
const CLIENT: &str = "client";

fn number_in(content: &Value<'_>) -> Option<u32> {
    match content {
        Value::Number(Number::U32(number)) => Some(*number),
        _ => None,
    }
}

fn rename(content: &mut Value<'_>, name: &dyn Fn(Thing) -> Thing) {
    let Some((thing, _)) = named(content) else {
        return each_part(content, &mut |part| rename(part, name));
    };
    let number = Value::Number(Number::U32(name(thing).number()));
    let Value::Struct(named) = content else { return };
    match &mut named.data {
        Contents::NewType { value } => *value = number,
        Contents::Struct { fields } => {
            let client = fields.iter_mut().find(|(field, _)| field == CLIENT);
            client.into_iter().for_each(|(_, client)| *client = number.clone());
        }
        Contents::Unit | Contents::Tuple { .. } => {}
    }
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

fn hash_of(content: &Value<'_>, label: &mut dyn FnMut(Thing) -> u128) -> u128 {
    if let Some((thing, data)) = named(content) {
        return fingerprint(&("name", label(thing), beside_the_name(data)));
    }
    let mut each = |parts: &[Value<'_>]| -> Vec<u128> {
        parts.iter().map(|part| hash_of(part, label)).collect()
    };
    match content {
        Value::Unit => fingerprint("unit"),
        Value::Bool(value) => fingerprint(&("bool", value)),
        Value::Number(value) => fingerprint(&("number", format!("{value:?}"))),
        Value::Char(value) => fingerprint(&("char", value)),
        Value::String(value) => fingerprint(&("string", value)),
        Value::Bytes(value) => fingerprint(&("bytes", value)),
        Value::Option(None) => fingerprint("none"),
        Value::Option(Some(part)) => fingerprint(&("some", hash_of(part, label))),
        Value::Tuple(parts) => fingerprint(&("tuple", each(parts))),
        Value::Seq(parts) => {
            let mut parts = each(parts);
            parts.sort_unstable();
            fingerprint(&("sequence", parts))
        }
        Value::Map(entries) => {
            let entry = |(key, value): &(Value<'_>, Value<'_>)| {
                (hash_of(key, label), hash_of(value, label))
            };
            let mut entries: Vec<(u128, u128)> = entries.iter().map(entry).collect();
            entries.sort_unstable();
            fingerprint(&("map", entries))
        }
        Value::Struct(named) => {
            fingerprint(&("struct", &named.name, hash_of_data(&named.data, label)))
        }
        Value::Enum(variant) => {
            let Enum { name, variant, data, .. } = &**variant;
            fingerprint(&("variant", name, variant, hash_of_data(data, label)))
        }
    }
}

/// What stands in a name beside who it names: of a request's name, which of the client's it is.
fn beside_the_name(data: &Contents<'_>) -> Vec<u32> {
    match data {
        Contents::Struct { fields } => {
            let others = fields.iter().filter(|(field, _)| field != CLIENT);
            others.filter_map(|(_, value)| number_in(value)).collect()
        }
        Contents::Unit | Contents::NewType { .. } | Contents::Tuple { .. } => Vec::new(),
    }
}

fn hash_of_data(data: &Contents<'_>, label: &mut dyn FnMut(Thing) -> u128) -> u128 {
    match data {
        Contents::Unit => fingerprint("unit"),
        Contents::NewType { value } => fingerprint(&("newtype", hash_of(value, label))),
        Contents::Tuple { values } => {
            let values: Vec<u128> = values.iter().map(|value| hash_of(value, label)).collect();
            fingerprint(&("tuple", values))
        }
        Contents::Struct { fields } => {
            let field =
                |(field, value): &(_, Value<'_>)| fingerprint(&(field, hash_of(value, label)));
            let fields: Vec<u128> = fields.iter().map(field).collect();
            fingerprint(&("fields", fields))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use cadre_step::{NodeId, RequestId};
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

    /// Of three nodes the next, and of two values and two clients the other.
    fn turned(thing: Thing) -> Thing {
        match thing {
            Thing::Node(node) => Thing::Node((node + 1) % 3),
            Thing::Value(value) => Thing::Value(1 - value),
            Thing::Client(client) => Thing::Client(1 - client),
        }
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
    fn values_and_clients_are_renamed_and_numbers_stay() {
        let of = |value: usize, client: u32| {
            let asked = RequestId { client, number: 0 };
            (cadre_step::Value::from_index(value), asked, 0_u32, NodeId::from_index(0))
        };
        for (value, client) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (value, asked, number, _) = of(value, client);
            let expected = of(1 - value.index(), 1 - client);
            let expected = (expected.0, expected.1, number, node(1));
            assert_eq!(renamed(&(value, asked, number, node(0)), &turned).unwrap(), expected);
        }
    }

    /// One's own name is known, those of others are not.
    fn from(own: usize) -> impl Fn(Thing) -> u128 {
        move |thing| u128::from(thing != Thing::node(own))
    }

    #[test]
    fn an_outline_tells_things_apart_by_their_labels_alone() {
        let of = |ids: &[usize]| {
            Outline::of(&ids.iter().copied().map(node).collect::<BTreeSet<_>>()).unwrap()
        };
        assert_eq!(of(&[0, 1]).seen(&from(0)), of(&[1, 2]).seen(&from(2)));
        assert_ne!(of(&[0, 1]).seen(&from(0)), of(&[1, 2]).seen(&from(0)));
        assert_eq!(of(&[2, 0]).things(), [Thing::Node(0), Thing::Node(2)]);
    }

    #[test]
    fn an_outline_tells_the_requests_of_one_client_apart() {
        let of = |client, number| Outline::of(&RequestId { client, number }).unwrap().seen(&|_| 0);
        assert_eq!(of(0, 1), of(1, 1));
        assert_ne!(of(0, 1), of(0, 0));
    }
}
