//! Every graph of three configurations, and some of four, against another way to tell.
//!
//! What an endless execution comes by again and again, configurations and arrows, is a strongly
//! connected part of the graph, and each such part is what some execution comes by: so all parts
//! are listed, each is asked whether it is fair, and whether it violates. Nothing of this looks for
//! components or leaves anything out.

use cadre_model::{Checked, check};
use cadre_trace::{Fairness, GuaranteeKind, Verdict};

use crate::graphs::{Arrow, FAIRNESSES, Graph, search};

/// A set of configurations, or of arrows.
type Set = u32;

fn has(set: Set, member: usize) -> bool {
    set & (1 << member) != 0
}

/// What an execution may come by again and again.
struct Part {
    nodes: Set,
    arrows: Set,
    has_fault: bool,
    /// For each fairness of [`FAIRNESSES`].
    is_fair: [bool; 3],
}

struct Oracle<'g> {
    graph: &'g Graph,
    nodes: usize,
    parts: Vec<Part>,
}

impl<'g> Oracle<'g> {
    fn new(graph: &'g Graph, nodes: usize) -> Self {
        let moving: Vec<usize> = (0..graph.arrows.len())
            .filter(|at| graph.arrows[*at].0 != graph.arrows[*at].2)
            .collect();
        let mut oracle = Self { graph, nodes, parts: Vec::new() };
        for node in 0..nodes {
            // Rest, if it is rest.
            oracle.add(1 << node, 0);
        }
        for choice in 1..1_u32 << moving.len() {
            let chosen = moving.iter().enumerate().filter(|(at, _)| has(choice, *at));
            let arrows: Set = chosen.map(|(_, arrow)| 1 << arrow).sum();
            let ends = oracle.chosen(arrows).flat_map(|(from, _, to)| [from, to]);
            let nodes: Set = ends.fold(0, |set, node| set | 1 << node);
            if (0..oracle.nodes).filter(|node| has(nodes, *node)).all(|node| {
                let forwards = oracle.closure(1 << node, arrows, false);
                forwards == nodes && oracle.closure(1 << node, arrows, true) == nodes
            }) {
                oracle.add(nodes, arrows);
            }
        }
        oracle
    }

    fn chosen(&self, arrows: Set) -> impl Iterator<Item = Arrow> + '_ {
        let arrows = (0..self.graph.arrows.len()).filter(move |arrow| has(arrows, *arrow));
        arrows.map(|arrow| self.graph.arrows[arrow])
    }

    fn closure(&self, start: Set, arrows: Set, backwards: bool) -> Set {
        let mut reached = start;
        loop {
            let before = reached;
            for (from, _, to) in self.chosen(arrows) {
                let (from, to) = if backwards { (to, from) } else { (from, to) };
                if has(reached, from.into()) {
                    reached |= 1 << to;
                }
            }
            if reached == before {
                return reached;
            }
        }
    }

    /// Adds a part, if an execution may stay there.
    fn add(&mut self, nodes: Set, arrows: Set) {
        let names = |at: usize| {
            let leaving = self.graph.arrows.iter().filter(move |(from, _, _)| *from == at as u8);
            leaving.filter(|(from, _, to)| from != to).map(|(_, name, _)| *name)
        };
        let members: Vec<usize> = (0..self.nodes).filter(|node| has(nodes, *node)).collect();
        let is_rest = arrows == 0;
        if is_rest && members.iter().any(|at| names(*at).any(|name| !name.starts_with('!'))) {
            return;
        }
        let taken: Vec<&str> = self.chosen(arrows).map(|(_, name, _)| name).collect();
        let is_fair = FAIRNESSES.map(|fairness| {
            ["a", "b"].into_iter().filter(|class| !taken.contains(class)).all(|class| {
                let possible = |at: &usize| names(*at).any(|name| name == class);
                match fairness {
                    Fairness::None => true,
                    Fairness::Weak => !members.iter().all(possible),
                    Fairness::Strong => !members.iter().any(possible),
                }
            })
        });
        let has_fault = taken.iter().any(|name| name.starts_with('!'));
        self.parts.push(Part { nodes, arrows, has_fault, is_fair });
    }

    /// The length of a shortest stem to an execution that violates a guarantee.
    fn violated(&self, kind: GuaranteeKind, main: Set, post: Set) -> Option<usize> {
        let fairness = kind.fairness().unwrap();
        let fairness = FAIRNESSES.iter().position(|known| *known == fairness).unwrap();
        let distances = self.distances(kind, main, post);
        let fair = self.parts.iter().filter(|part| part.is_fair[fairness]);
        let wanted = fair.filter(|part| match kind {
            GuaranteeKind::Eventually(_) => part.nodes & main == 0,
            GuaranteeKind::LeadsTo(_) => part.nodes & post == 0,
            GuaranteeKind::Convergent(_) => part.nodes & !main != 0 && !part.has_fault,
            GuaranteeKind::Always | GuaranteeKind::Reachable | GuaranteeKind::PrePost => false,
        });
        let nearest = |part: &Part| {
            let members = (0..self.nodes).filter(|node| has(part.nodes, *node));
            members.filter_map(|node| distances[node]).min()
        };
        wanted.filter_map(nearest).min()
    }

    /// For each configuration the fewest steps to there so that something is owed.
    fn distances(&self, kind: GuaranteeKind, main: Set, post: Set) -> Vec<Option<usize>> {
        let all = (1 << self.graph.arrows.len()) - 1;
        let mut found = vec![None; self.nodes];
        // Pairs of a configuration and whether something is owed, as two sets.
        let (mut free, mut owed): (Set, Set) = (0, 0);
        for steps in 0..=2 * self.nodes {
            let (reached_free, reached_owed) = match steps {
                0 => (self.graph.initial.iter().fold(0, |set, node| set | 1 << node), 0),
                _ => (self.after(free, all), self.after(owed, all)),
            };
            let reached = reached_free | reached_owed;
            (free, owed) = match kind {
                GuaranteeKind::Eventually(_) => (0, reached & !main),
                GuaranteeKind::LeadsTo(_) => {
                    let owed = (reached_owed | (reached_free & main)) & !post;
                    (reached_free & !main | reached & post, owed)
                }
                _ => (0, reached),
            };
            for (node, distance) in found.iter_mut().enumerate() {
                if has(owed, node) && distance.is_none() {
                    *distance = Some(steps);
                }
            }
        }
        found
    }

    /// The configurations one step after some of a set.
    fn after(&self, set: Set, arrows: Set) -> Set {
        let taken = self.chosen(arrows).filter(|(from, _, _)| has(set, (*from).into()));
        taken.fold(0, |reached, (_, _, to)| reached | 1 << to)
    }
}

/// What is demanded, with the configurations in which the predicates are true.
type Demand = (GuaranteeKind, Set, Set);

/// All demands on predicates over so many configurations.
fn demands(nodes: usize) -> Vec<Demand> {
    let sets = 1_u32 << nodes;
    let mut demands = Vec::new();
    for fairness in FAIRNESSES {
        for main in 0..sets {
            demands.push((GuaranteeKind::Eventually(fairness), main, 0));
            demands.push((GuaranteeKind::Convergent(fairness), main, 0));
            demands.extend((0..sets).map(|post| (GuaranteeKind::LeadsTo(fairness), main, post)));
        }
    }
    demands
}

fn demanding(graph: &Graph, demands: &[Demand]) -> Checked<Graph> {
    demands.iter().fold(check(graph.clone()), |checked, (kind, main, post)| {
        let (main, post) = (*main, *post);
        let is_main = move |state: &u8| has(main, (*state).into());
        let is_post = move |state: &u8| has(post, (*state).into());
        match kind {
            GuaranteeKind::Eventually(_) => checked.eventually("eventually", is_main),
            GuaranteeKind::LeadsTo(_) => checked.leads_to("leads to", is_main, is_post),
            GuaranteeKind::Convergent(_) => checked.convergent("settles", is_main),
            GuaranteeKind::Always | GuaranteeKind::Reachable | GuaranteeKind::PrePost => {
                panic!("not asked for")
            }
        }
        .under(kind.fairness().unwrap())
    })
}

/// How many judgements were compared, and how many of them found a violation, with a cycle and
/// without.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compared {
    judgements: usize,
    cycles: usize,
    rests: usize,
}

fn compare(graph: &Graph, nodes: usize, demands: &[Demand], compared: &mut Compared) {
    let oracle = Oracle::new(graph, nodes);
    // A part without arrows is rest in one place.
    assert!(oracle.parts.iter().all(|part| part.arrows != 0 || part.nodes.count_ones() == 1));
    // Not too many at once: each model has a list of its own.
    for demands in demands.chunks(24) {
        let found = search(&demanding(graph, demands));
        for (finding, (kind, main, post)) in found.findings.iter().zip(demands) {
            let expected = oracle.violated(*kind, *main, *post);
            let verdict = if expected.is_some() { Verdict::Violated } else { Verdict::Holds };
            let about = || format!("{kind:?} of {main:b} and {post:b} on {graph:?}: {finding:?}");
            assert_eq!(finding.verdict, verdict, "{}", about());
            assert_eq!(finding.path.as_ref().map(Vec::len), expected, "{}", about());
            compared.judgements += 1;
            compared.cycles += usize::from(finding.cycle.is_some());
            compared.rests += usize::from(finding.path.is_some() && finding.cycle.is_none());
        }
    }
}

const NAMES: [&str; 4] = ["a", "b", "?", "!"];

/// The pairs of different configurations, so that the fourth but next of a pair is the one with 1
/// and 2 exchanged.
const PAIRS: [(u8, u8); 6] = [(0, 1), (1, 0), (1, 2), (0, 2), (2, 0), (2, 1)];

/// For each pair no arrow or one of each name, except for graphs that become an earlier one where
/// `a` and `b` are exchanged, or the configurations 1 and 2.
fn graph_of_three(code: u32) -> Option<Graph> {
    let digits = [0, 1, 2, 3, 4, 5].map(|at| code / 5_u32.pow(at) % 5);
    let code_of = |digits: [u32; 6]| digits.iter().rev().fold(0, |code, digit| code * 5 + digit);
    assert_eq!(code_of(digits), code);
    let exchanged = |digits: [u32; 6]| {
        digits.map(|digit| match digit {
            1 => 2,
            2 => 1,
            other => other,
        })
    };
    let turned = |digits: [u32; 6]| [0, 1, 2, 3, 4, 5].map(|at| digits[(at + 3) % 6]);
    let images = [exchanged(digits), turned(digits), exchanged(turned(digits))];
    if images.into_iter().any(|image| code_of(image) < code) {
        return None;
    }
    let arrows = PAIRS.iter().zip(digits).filter(|(_, digit)| *digit > 0);
    let arrows = arrows.map(|((from, to), digit)| (*from, NAMES[digit as usize - 1], *to));
    Some(Graph { initial: vec![0], arrows: arrows.collect() })
}

#[test]
fn all_graphs_of_three_configurations_are_judged_right() {
    let mut compared = Compared::default();
    let demands = demands(3);
    let mut graphs = 0;
    for graph in (0..5_u32.pow(6)).filter_map(graph_of_three) {
        graphs += 1;
        compare(&graph, 3, &demands, &mut compared);
    }
    // Burnside's lemma: (5^6 + 3^6 + 5^3 + 5^3) / 4.
    assert_eq!(graphs, 4151);
    assert_eq!(compared, Compared { judgements: 996_240, cycles: 281_111, rests: 93_874 });
}

#[test]
fn graphs_of_four_configurations_with_many_arrows_are_judged_right() {
    let mut seed = 1_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut compared = Compared::default();
    let demands = demands(4);
    for graph in 0..2_000 {
        let count = 3 + random(7);
        // Arrows side by side and arrows back to where they begin are among them.
        let mut arrow = || (random(4) as u8, NAMES[random(4) as usize], random(4) as u8);
        let arrows = (0..count).map(|_| arrow()).collect();
        let initial = if count % 2 == 0 { vec![0] } else { vec![1, 0] };
        // Each graph is asked some questions, its neighbours are asked others.
        let demands: Vec<Demand> = demands.iter().skip(graph % 11).step_by(11).copied().collect();
        compare(&Graph { initial, arrows }, 4, &demands, &mut compared);
    }
    assert_eq!(compared, Compared { judgements: 157_092, cycles: 15_148, rests: 48_741 });
}
