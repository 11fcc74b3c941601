use crate::text::{clip, pad, width};

/// Blank columns before the first lane, in which a node's message to itself is drawn.
const MARGIN: usize = 2;
/// Lanes that stand further apart are no easier to read.
const PITCH_WIDE: usize = 7;
/// As many nodes have lanes that stand apart; more stand as close as their names allow.
const NODES_APART: usize = 8;
/// The longest name that is not cut.
const NAME_MAX: usize = 12;
/// The fewest columns in which changes are worth a column of their own.
const CHANGED_MIN: usize = 24;

/// What the columns have to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// The columns of the terminal.
    pub(crate) width: usize,
    /// The number of the last step.
    pub(crate) step_last: usize,
    /// The widest action.
    pub(crate) action: usize,
    /// The widest action in short.
    pub(crate) action_short: usize,
    /// The widest list of changed parts.
    pub(crate) parts: usize,
    /// Every node and whether it takes part in the steps.
    pub(crate) nodes: &'a [(&'a str, bool)],
}

/// What is unpleasant about a table in some columns; less is better, lines first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost {
    /// The lines of the table.
    pub(crate) lines: usize,
    /// The steps whose sends are not listed.
    pub(crate) sends_left_out: usize,
}

/// How actions are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// `deliver Commit tm→rm1`
    Long,
    /// `Commit tm→rm1`
    Short,
}

/// Where everything stands in a row.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// Columns of the step number.
    pub(crate) number: usize,
    /// Columns of the action.
    pub(crate) action: usize,
    /// How actions are said.
    pub(crate) calls: Calls,
    /// Columns of all lanes together.
    pub(crate) lanes: usize,
    /// Columns of the changes.
    pub(crate) changed: usize,
    /// Whether changes stand below their step rather than beside it.
    pub(crate) below: bool,
    /// The lane of each node, by the node's place in the header; `None` where there is no room.
    pub(crate) lane_of: Vec<Option<usize>>,
    names: Vec<String>,
    first: usize,
    pitch: usize,
}

impl Columns {
    /// The columns that cost least, and of these the most generous.
    pub(crate) fn fit(wanted: Wanted<'_>, cost: impl Fn(&Self) -> Cost) -> Self {
        let everyone: Vec<bool> = vec![true; wanted.nodes.len()];
        let involved: Vec<bool> = wanted.nodes.iter().map(|(_, involved)| *involved).collect();
        let fitting = |shown: &[bool], calls: Calls, tightness: Tightness, changed: usize| {
            candidates(wanted.nodes, shown)
                .filter(|spacing| spacing.tightness <= tightness)
                .map(|spacing| Self::new(wanted, shown, Style { spacing, calls }))
                .filter(|columns| columns.total() + changed <= wanted.width)
                .min_by_key(&cost)
        };
        let changed = wanted.parts.clamp("changed".len(), CHANGED_MIN);
        let beside = fitting(&everyone, Calls::Long, Tightness::Roomy, changed)
            .or_else(|| fitting(&everyone, Calls::Short, Tightness::Roomy, changed))
            .or_else(|| fitting(&everyone, Calls::Long, Tightness::Close, changed))
            .or_else(|| fitting(&everyone, Calls::Short, Tightness::Close, changed))
            .or_else(|| fitting(&involved, Calls::Short, Tightness::Close, changed));
        if let Some(columns) = beside {
            return columns;
        }
        let below = fitting(&everyone, Calls::Long, Tightness::Close, 0)
            .or_else(|| fitting(&everyone, Calls::Short, Tightness::Close, 0))
            .or_else(|| fitting(&involved, Calls::Short, Tightness::Close, 0))
            .or_else(|| fitting(&everyone, Calls::Short, Tightness::Cut, 0))
            .or_else(|| fitting(&involved, Calls::Short, Tightness::Cut, 0))
            .unwrap_or_else(|| Self::with_some(wanted, involved));
        Self { below: true, changed: wanted.width.saturating_sub(below.number + 2), ..below }
    }

    /// The first row.
    pub(crate) fn header(&self) -> String {
        let mut lanes = String::new();
        for (lane, name) in self.names.iter().enumerate() {
            let start = self.at(lane) - (width(name).saturating_sub(1)) / 2;
            lanes = pad(&lanes, start) + name;
        }
        let changed = if self.below { "" } else { "changed" };
        self.row("#", "action", &lanes, changed)
    }

    /// A row from its four parts.
    pub(crate) fn row(&self, number: &str, action: &str, lanes: &str, changed: &str) -> String {
        let number = format!("{}{number}", " ".repeat(self.number.saturating_sub(width(number))));
        let action = pad(&clip(action, self.action), self.action);
        let row = format!("{number}  {action} {}  {changed}", pad(lanes, self.lanes));
        row.trim_end().to_owned()
    }

    /// The column of a lane, counted from where the lanes begin.
    pub(crate) fn at(&self, lane: usize) -> usize {
        self.first + lane * self.pitch
    }

    /// The columns of everything but the changes.
    fn total(&self) -> usize {
        self.number + 2 + self.action + 1 + self.lanes + 2
    }

    fn new(wanted: Wanted<'_>, shown: &[bool], style: Style) -> Self {
        let Style { spacing, calls } = style;
        let mut next = 0;
        let lane_of = shown.iter().map(|shown| {
            next += usize::from(*shown);
            shown.then(|| next - 1)
        });
        let lane_of: Vec<Option<usize>> = lane_of.collect();
        let listed = wanted.nodes.iter().zip(shown).filter(|(_, shown)| **shown);
        let names: Vec<&str> = listed.map(|((name, _), _)| *name).collect();
        let names = cut_names(&names, spacing.name);
        let first = MARGIN + names.first().map_or(0, |name| width(name).saturating_sub(1) / 2);
        let mut lanes = MARGIN;
        for (lane, name) in names.iter().enumerate() {
            // A crash with a restart takes a column more than a lane.
            lanes = first + lane * spacing.pitch + (width(name) / 2).max(1) + 1;
        }
        let number = 1 + wanted.step_last.to_string().len();
        let action = match calls {
            Calls::Long => wanted.action,
            Calls::Short => wanted.action_short,
        };
        let action = action.clamp("action".len(), action_max(wanted.width));
        let total = number + 2 + action + 1 + lanes + 2;
        let changed = wanted.width.saturating_sub(total);
        let pitch = spacing.pitch;
        let below = false;
        Self { number, action, calls, lanes, changed, below, lane_of, names, first, pitch }
    }

    /// Lanes for as many of the nodes that take part as there is room for.
    fn with_some(wanted: Wanted<'_>, mut shown: Vec<bool>) -> Self {
        let spacing = Spacing { name: 1, pitch: 2, tightness: Tightness::Cut };
        loop {
            let columns = Self::new(wanted, &shown, Style { spacing, calls: Calls::Short });
            if columns.total() <= wanted.width {
                return columns;
            }
            match shown.iter().rposition(|shown| *shown) {
                Some(last) => shown[last] = false,
                None => return columns,
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Style {
    spacing: Spacing,
    calls: Calls,
}

#[derive(Clone, Copy, Debug)]
struct Spacing {
    /// The most columns of a name.
    name: usize,
    /// Columns from lane to lane.
    pitch: usize,
    tightness: Tightness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    /// Arrows between neighbours have room for the number of a step.
    Roomy,
    /// Names stand next to each other.
    Close,
    /// Names are cut.
    Cut,
}

/// From the most generous spacing to the tightest.
fn candidates(nodes: &[(&str, bool)], shown: &[bool]) -> impl Iterator<Item = Spacing> {
    let listed = nodes.iter().zip(shown).filter(|(_, shown)| **shown);
    let (count, longest) = listed
        .fold((0, 1), |(count, longest), ((name, _), _)| (count + 1, longest.max(width(name))));
    let name = longest.min(NAME_MAX);
    let (widest, roomy) = match count > NODES_APART {
        true => (name + 2, name + 1),
        false => (PITCH_WIDE.max(name + 3), name + 2),
    };
    let roomy = (roomy..=widest).rev().map(move |pitch| (name, pitch, Tightness::Roomy));
    let close = std::iter::once((name, name + 1, Tightness::Close));
    let cut = (1..name).rev().map(|name| (name, name + 1, Tightness::Cut));
    let spacing = |(name, pitch, tightness)| Spacing { name, pitch, tightness };
    roomy.chain(close).chain(cut).map(spacing)
}

/// A long action leaves room for the rest: it is broken rather than shown on one line.
fn action_max(width: usize) -> usize {
    (width * 2 / 5).max(26)
}

/// Names cut to the columns so that they stay different if they can: to their ends, or their
/// starts.
fn cut_names(names: &[&str], columns: usize) -> Vec<String> {
    let start = |name: &&str| name.chars().take(columns).collect::<String>();
    let end = |name: &&str| {
        let left_out = name.chars().count().saturating_sub(columns);
        name.chars().skip(left_out).collect::<String>()
    };
    let differ = |cut: &[String]| {
        let mut sorted: Vec<&String> = cut.iter().collect();
        sorted.sort();
        sorted.dedup();
        sorted.len() == names.len()
    };
    let starts: Vec<String> = names.iter().map(start).collect();
    let ends: Vec<String> = names.iter().map(end).collect();
    if differ(&starts) && !differ(&ends) { starts } else { ends }
}
