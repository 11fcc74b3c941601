use cadre_explore::{Exploration, Flow, Settings, explore};
use cadre_model::{Checked, Endless, Model};
use cadre_trace::{Fairness, Verdict};

/// A model that is written down: configurations are numbers, and arrows lead from one to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) initial: Vec<u8>,
    pub(crate) arrows: Vec<Arrow>,
}

/// From where, what, to where. What begins with `!` is a fault; with `?`, nobody owes it.
pub(crate) type Arrow = (u8, &'static str, u8);

pub(crate) const FAIRNESSES: [Fairness; 3] = [Fairness::None, Fairness::Weak, Fairness::Strong];

pub(crate) fn graph(arrows: &[Arrow]) -> Graph {
    Graph { initial: vec![0], arrows: arrows.to_vec() }
}

impl Model for Graph {
    type State = u8;
    /// The position of the arrow.
    type Action = usize;

    fn init(&self) -> Vec<u8> {
        self.initial.clone()
    }

    fn actions(&self, state: &u8, out: &mut Vec<usize>) {
        out.extend((0..self.arrows.len()).filter(|arrow| self.arrows[*arrow].0 == *state));
    }

    fn next(&self, state: &u8, action: &usize) -> Option<u8> {
        let (from, _, to) = self.arrows[*action];
        (from == *state).then_some(to)
    }

    fn is_fault(&self, action: &usize) -> bool {
        self.arrows[*action].1.starts_with('!')
    }

    fn fairness_class(&self, action: &usize) -> Option<u128> {
        let name = self.arrows[*action].1;
        (!name.starts_with('?')).then(|| cadre_model::fingerprint(name))
    }
}

/// Searches without bounds; each counterexample is carried out again.
pub(crate) fn search<M: Model>(model: &Checked<M>) -> Exploration<M::Action> {
    let found = explore(model, &Settings::default(), &mut |_| Flow::Continue);
    assert_real(model, &found);
    found
}

/// Each counterexample begins at the beginning, can be carried out, closes, is fair and violates.
pub(crate) fn assert_real<M: Model>(model: &Checked<M>, found: &Exploration<M::Action>) {
    for (guarantee, finding) in found.findings.iter().enumerate() {
        if finding.claim.kind.fairness().is_none() {
            continue;
        }
        assert_eq!(finding.path.is_some(), finding.verdict == Verdict::Violated, "{finding:?}");
        let Some(path) = &finding.path else { continue };
        let cycle = finding.cycle.as_deref().unwrap_or_default();
        assert!(finding.cycle.as_ref().is_none_or(|cycle| !cycle.is_empty()));
        let is_real = |initial| {
            Endless::walk(model, initial, path, cycle)
                .is_some_and(|endless| endless.violates(guarantee))
        };
        assert!(model.init().into_iter().any(is_real), "{finding:?}");
    }
}

/// The execution that violates a guarantee, as the names of what happens, `|` before the cycle.
pub(crate) fn told(graph: &Graph, found: &Exploration<usize>, guarantee: usize) -> String {
    let finding = &found.findings[guarantee];
    let name = |arrow: &usize| graph.arrows[*arrow].1;
    let Some(path) = &finding.path else { return finding.verdict.to_string() };
    let mut words: Vec<&str> = path.iter().map(name).collect();
    words.push(if finding.cycle.is_some() { "|" } else { "." });
    words.extend(finding.cycle.iter().flatten().map(name));
    words.join(" ")
}
