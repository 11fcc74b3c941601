use std::collections::HashMap;
use std::hash::Hash;

/// Values with small numbers for names, in the order in which they were first met.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    values: Vec<T>,
    ids: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Interner<T> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), ids: HashMap::new() }
    }

    pub(crate) fn id(&mut self, value: T) -> u32 {
        if let Some(&id) = self.ids.get(&value) {
            return id;
        }
        let id = u32::try_from(self.values.len()).expect("fewer than 2^32 values fit in memory");
        self.values.push(value.clone());
        self.ids.insert(value, id);
        id
    }

    pub(crate) fn value(&self, id: u32) -> &T {
        &self.values[id as usize]
    }
}
