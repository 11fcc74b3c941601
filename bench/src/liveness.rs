use stateright::{Checker, Model, Property};

/// What Stateright says of small graphs whose liveness is known, beside the right answers.
pub(crate) fn table() -> Vec<String> {
    let mut lines = vec![
        "Does every execution come to the goal? The right answers with no fairness, with weak"
            .to_owned(),
        "(no step stays enabled for ever and is never taken) and with strong (no step is enabled"
            .to_owned(),
        "again and again and never taken); beside them what Stateright answers in both orders."
            .to_owned(),
        String::new(),
        format!(
            "{:<55} {:<5} {:<5} {:<7} {:<4} {:<4}",
            "graph", "none", "weak", "strong", "bfs", "dfs"
        ),
    ];
    for graph in GRAPHS {
        let answers = graph.ask();
        let word = |holds: bool| if holds { "yes" } else { "no" };
        lines.push(format!(
            "{:<55} {:<5} {:<5} {:<7} {:<4} {:<4} {}",
            graph.what,
            word(graph.right.none),
            word(graph.right.weak),
            word(graph.right.strong),
            word(answers[0]),
            word(answers[1]),
            graph.right.remark(answers)
        ));
    }
    lines
}

/// A graph whose executions begin at node 0.
#[derive(Clone, Copy, Debug)]
struct Graph {
    what: &'static str,
    edges: &'static [(u8, u8)],
    goal: u8,
    right: Right,
}

/// Whether every execution comes to the goal, by the fairness that is assumed of each edge.
#[derive(Clone, Copy, Debug)]
struct Right {
    none: bool,
    weak: bool,
    strong: bool,
}

impl Right {
    const fn always(holds: bool) -> Self {
        Self { none: holds, weak: holds, strong: holds }
    }

    /// What is wrong with answers of a tool that promises no fairness.
    fn remark(self, answers: [bool; 2]) -> &'static str {
        match answers {
            right if right == [self.none; 2] => "",
            weak if weak == [self.weak; 2] => "right only if weak fairness is assumed",
            strong if strong == [self.strong; 2] => "right only if strong fairness is assumed",
            _ => "wrong by any of them",
        }
    }
}

const GRAPHS: [Graph; 7] = [
    Graph {
        what: "a line that ends in the goal",
        edges: &[(0, 1), (1, 2)],
        goal: 2,
        right: Right::always(true),
    },
    Graph {
        what: "a dead end beside the goal",
        edges: &[(0, 1), (0, 2)],
        goal: 2,
        right: Right::always(false),
    },
    Graph {
        what: "a cycle of four without the goal",
        edges: &[(0, 1), (1, 2), (2, 3), (3, 0)],
        goal: 4,
        right: Right::always(false),
    },
    Graph {
        what: "a diamond, the goal on the way that is looked at first",
        edges: &[(0, 1), (0, 2), (1, 3), (2, 3)],
        goal: 1,
        right: Right::always(false),
    },
    Graph {
        what: "a diamond, the goal on the way that is looked at last",
        edges: &[(0, 1), (0, 2), (1, 3), (2, 3)],
        goal: 2,
        right: Right::always(false),
    },
    Graph {
        what: "a step in place, or one to the goal",
        edges: &[(0, 0), (0, 1)],
        goal: 1,
        right: Right { none: false, weak: true, strong: true },
    },
    Graph {
        what: "to and fro, and from there to the goal",
        edges: &[(0, 1), (1, 0), (1, 2)],
        goal: 2,
        right: Right { none: false, weak: false, strong: true },
    },
];

impl Graph {
    /// What Stateright answers, breadth-first and depth-first.
    fn ask(self) -> [bool; 2] {
        let breadth_first = self.checker().spawn_bfs().join().discoveries().is_empty();
        let depth_first = self.checker().spawn_dfs().join().discoveries().is_empty();
        [breadth_first, depth_first]
    }

    fn after(self, node: u8) -> impl Iterator<Item = u8> {
        self.edges.iter().filter(move |edge| edge.0 == node).map(|edge| edge.1)
    }
}

impl Model for Graph {
    type State = u8;
    type Action = u8;

    fn init_states(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, state: &u8, actions: &mut Vec<u8>) {
        actions.extend(self.after(*state));
    }

    fn next_state(&self, _: &u8, action: u8) -> Option<u8> {
        Some(action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::eventually("the goal is reached", |graph, node| *node == graph.goal)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an execution without any fairness keeps away from the goal: for more steps than
    /// there are nodes, or up to an end.
    fn can_avoid(graph: Graph, node: u8, steps: u8) -> bool {
        node != graph.goal
            && (steps == 0
                || graph.after(node).next().is_none()
                || graph.after(node).any(|after| can_avoid(graph, after, steps - 1)))
    }

    #[test]
    fn the_answers_without_fairness_are_right() {
        for graph in GRAPHS {
            assert_eq!(graph.right.none, !can_avoid(graph, 0, 6), "{}", graph.what);
        }
    }

    #[test]
    fn more_fairness_never_makes_an_execution_miss_the_goal() {
        for Graph { right, what, .. } in GRAPHS {
            assert!(right.none <= right.weak && right.weak <= right.strong, "{what}");
        }
    }

    #[test]
    fn stateright_answers_graphs_without_cycles_and_joins_rightly() {
        for graph in &GRAPHS[..2] {
            assert_eq!(graph.ask(), [graph.right.none; 2], "{}", graph.what);
        }
    }

    #[test]
    fn a_remark_names_the_fairness_that_would_make_answers_right() {
        let right = Right { none: false, weak: false, strong: true };
        assert_eq!(right.remark([false; 2]), "");
        assert!(right.remark([true; 2]).contains("strong"));
        assert!(Right::always(false).remark([false, true]).contains("wrong"));
    }

    #[test]
    fn stateright_overlooks_a_cycle_that_never_comes_to_the_goal() {
        assert_eq!(GRAPHS[2].ask(), [true; 2]);
    }
}
