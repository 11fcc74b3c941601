/// A set of paths, as a tree that branches where they do: actions need no hash and no order for it.
#[derive(Debug)]
pub(crate) struct Paths<A> {
    /// The first is the root.
    places: Vec<Place<A>>,
}

#[derive(Debug)]
struct Place<A> {
    after: Vec<(A, usize)>,
    is_end: bool,
}

impl<A: Clone + Eq> Paths<A> {
    pub(crate) fn new() -> Self {
        Self { places: vec![Place { after: Vec::new(), is_end: false }] }
    }

    /// Adds a path; whether it is new.
    pub(crate) fn insert(&mut self, path: &[A]) -> bool {
        let mut at = 0;
        for action in path {
            let known = self.places[at].after.iter().find(|(other, _)| other == action);
            at = match known {
                Some((_, place)) => *place,
                None => self.grow(at, action),
            };
        }
        !std::mem::replace(&mut self.places[at].is_end, true)
    }

    fn grow(&mut self, at: usize, action: &A) -> usize {
        let place = self.places.len();
        self.places.push(Place { after: Vec::new(), is_end: false });
        self.places[at].after.push((action.clone(), place));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_new_once_and_its_beginnings_are_other_paths() {
        let mut paths = Paths::new();
        let all: [&[u8]; 4] = [&[1, 2, 3], &[1, 2], &[1, 3, 2], &[]];
        assert!(all.iter().all(|path| paths.insert(path)));
        assert!(!all.iter().any(|path| paths.insert(path)));
    }
}
