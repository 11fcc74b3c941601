use crate::{Literal, Solver};

/// Counts how many of a growing number of literals are true, in unary, inside a solver.
///
/// The totalizer of Bailleux and Boufkhad ("Efficient CNF Encoding of Boolean Cardinality
/// Constraints", 2003), in one direction only: that is enough to assume *at most*.
#[derive(Debug, Default)]
pub(crate) struct Totalizer {
    /// The one at `i` is true where more than `i` of the literals are.
    outputs: Vec<Literal>,
}

impl Totalizer {
    /// Counts these as well.
    pub(crate) fn extend(&mut self, solver: &mut impl Solver, literals: &[Literal]) {
        let added = tree(solver, literals);
        self.outputs = merge(solver, &self.outputs, &added);
    }

    /// What is to be assumed so that at most so many are true; nothing where no more can be.
    pub(crate) fn at_most(&self, most: usize) -> Option<Literal> {
        self.outputs.get(most).map(|output| !*output)
    }
}

fn tree(solver: &mut impl Solver, literals: &[Literal]) -> Vec<Literal> {
    if literals.len() <= 1 {
        return literals.to_vec();
    }
    let (left, right) = literals.split_at(literals.len() / 2);
    let (left, right) = (tree(solver, left), tree(solver, right));
    merge(solver, &left, &right)
}

fn merge(solver: &mut impl Solver, left: &[Literal], right: &[Literal]) -> Vec<Literal> {
    if left.is_empty() || right.is_empty() {
        return [left, right].concat();
    }
    let sums: Vec<Literal> = (0..left.len() + right.len()).map(|_| solver.variable()).collect();
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            let Some(sum) = (i + j).checked_sub(1) else { continue };
            let counted = [i.checked_sub(1).map(|i| !left[i]), j.checked_sub(1).map(|j| !right[j])];
            let clause: Vec<Literal> = counted.into_iter().flatten().chain([sums[sum]]).collect();
            solver.add_clause(&clause);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use batsat::BasicSolver;

    use super::*;
    use crate::Answer;

    /// Every assignment of five literals, of which two were added later, against every bound.
    #[test]
    fn at_most_admits_exactly_the_assignments_with_so_many() {
        let mut solver = BasicSolver::default();
        let inputs: Vec<Literal> = (0..5).map(|_| solver.variable()).collect();
        let mut totalizer = Totalizer::default();
        totalizer.extend(&mut solver, &inputs[..3]);
        totalizer.extend(&mut solver, &inputs[3..]);
        for assignment in 0..1u32 << inputs.len() {
            let signed = inputs
                .iter()
                .enumerate()
                .map(|(bit, input)| if assignment & (1 << bit) != 0 { *input } else { !*input });
            let signed: Vec<Literal> = signed.collect();
            for most in 0..6 {
                let assumed: Vec<_> =
                    signed.iter().copied().chain(totalizer.at_most(most)).collect();
                let fits = assignment.count_ones() as usize <= most;
                assert_eq!(solver.solve(&assumed) == Answer::Satisfiable, fits);
            }
        }
    }
}
