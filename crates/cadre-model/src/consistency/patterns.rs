use super::Pattern;
use super::accesses::Accesses;

/// The first pattern that is found, with as few operations as possible.
///
/// Left out as long as a pattern is found: a read, or a write with all reads of its value. A
/// history without a pattern stays without one.
pub fn smallest_pattern(
    accesses: &Accesses,
    find: &dyn Fn(&Accesses) -> Option<Pattern>,
) -> Option<Pattern> {
    let mut pattern = find(accesses)?;
    let mut kept = accesses.only(&pattern.operations());
    // Nothing of a pattern needs operations that are not part of it.
    pattern = find(&kept).unwrap_or(pattern);
    let mut group = 0;
    loop {
        let groups = kept.groups();
        let Some(dropped) = groups.get(group) else { return Some(pattern) };
        let calls = kept.nodes.iter().map(|node| node.call);
        let rest: Vec<usize> = calls.filter(|call| !dropped.contains(call)).collect();
        match find(&accesses.only(&rest)) {
            Some(smaller) => {
                kept = accesses.only(&smaller.operations());
                pattern = smaller;
                group = 0;
            }
            None => group += 1,
        }
    }
}
