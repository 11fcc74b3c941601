use std::fmt;
use std::ops::Not;

use batsat::{BasicSolver, Lit, SolverInterface, lbool};

/// What the search needs of a SAT solver, which keeps what it has learned between calls.
pub trait Solver {
    /// A variable that no clause speaks of yet, as its positive literal.
    fn variable(&mut self) -> Literal;

    /// At least one of these has to be true.
    fn add_clause(&mut self, clause: &[Literal]);

    /// Looks for values of all variables that satisfy all clauses and the assumptions.
    fn solve(&mut self, assumptions: &[Literal]) -> Answer;

    /// Whether a literal is true in the values found last.
    fn is_true(&self, literal: Literal) -> bool;
}

/// A variable of a solver, or its negation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal {
    /// The variable, counted from 0.
    pub variable: u32,
    /// Whether the literal is the variable itself.
    pub is_positive: bool,
}

/// What a solver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There are such values.
    Satisfiable,
    /// There are none under these assumptions.
    NotAssuming,
    /// There are none, whatever is assumed.
    Never,
}

impl Not for Literal {
    type Output = Self;

    fn not(self) -> Self {
        Self { is_positive: !self.is_positive, ..self }
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", if self.is_positive { "" } else { "¬" }, self.variable)
    }
}

/// Its options are fixed, and so is its seed: the same clauses give the same values.
impl Solver for BasicSolver {
    fn variable(&mut self) -> Literal {
        let variable = self.new_var_default().idx();
        Literal { variable, is_positive: true }
    }

    fn add_clause(&mut self, clause: &[Literal]) {
        let mut clause: Vec<Lit> = clause.iter().map(|literal| lit(self, *literal)).collect();
        self.add_clause_reuse(&mut clause);
    }

    fn solve(&mut self, assumptions: &[Literal]) -> Answer {
        let assumptions: Vec<Lit> = assumptions.iter().map(|literal| lit(self, *literal)).collect();
        let answer = self.solve_limited(&assumptions);
        if answer == lbool::TRUE {
            return Answer::Satisfiable;
        }
        assert_eq!(answer, lbool::FALSE, "a solver without limits comes to an end");
        if self.unsat_core().is_empty() { Answer::Never } else { Answer::NotAssuming }
    }

    fn is_true(&self, literal: Literal) -> bool {
        let value = self.get_model().get(literal.variable as usize);
        value == Some(&lbool::new(literal.is_positive))
    }
}

fn lit(solver: &mut BasicSolver, literal: Literal) -> Lit {
    Lit::new(solver.var_of_int(literal.variable), literal.is_positive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_answers_are_told_apart() {
        let mut solver = BasicSolver::default();
        let (a, b) = (solver.variable(), solver.variable());
        solver.add_clause(&[a, b]);
        assert_eq!(solver.solve(&[!a]), Answer::Satisfiable);
        assert!(solver.is_true(b) && solver.is_true(!a) && !solver.is_true(a));
        assert_eq!(solver.solve(&[!a, !b]), Answer::NotAssuming);
        assert_eq!(solver.solve(&[]), Answer::Satisfiable);
        solver.add_clause(&[!a]);
        solver.add_clause(&[!b]);
        assert_eq!(solver.solve(&[a]), Answer::Never);
        assert_eq!(solver.solve(&[]), Answer::Never);
    }
}
