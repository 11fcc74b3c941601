//! The module that lets TLC walk many traces at once.
//!
//! Each trace is a row of event ids; trace and position are variables beside those of the
//! specification. Input is what costs time in TLC, so events are sent as ids of a table, packed
//! into strings when there are many, and the states are not sent at all but dumped and compared
//! here. Verdicts are printed by an invariant that is always true: no exit code, search order or
//! number of workers has a part in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cadre_tla::{Config, Module, Value};

use crate::batch::{Batch, Logged};
use crate::events::Events;
use crate::{ConformError, Spec};

/// The root module of a batch.
pub(crate) const MODULE: &str = "CadreTraces";
/// The variable that says which row is walked.
pub(crate) const TRACE: &str = "cadreTrace";
/// The variable that says how many events of it have been taken.
pub(crate) const STEP: &str = "cadreStep";
/// The variable that says, within a composition, which of its sequences is walked and how many
/// events of it have been taken. There is none where no step is a composition.
pub(crate) const PART: &str = "cadrePart";

/// The module and the configuration of a batch.
///
/// # Errors
///
/// [`ConformError::Tla`] for a value that TLC cannot read.
pub(crate) fn encode(batch: &Batch<'_>, begin: Begin) -> Result<(Module, Config), ConformError> {
    let spec = batch.spec;
    let module = Module::new(MODULE).extends([spec.trace_module.as_str()]);
    let (module, config) = constants(module, &spec.constants, models(batch))?;
    let steps = if batch.events.is_composed() { &COMPOSED } else { &SINGLE };
    let module = module
        .variables(steps.variables.iter().copied())
        .definition("CadreVariables", &format!("<<{}>>", spec.variables.join(", ")));
    let module = batch.events.define(module)?;
    let module = rows(module, &batch.rows, batch.events.count());
    let module = begin.define_first(steps.define(module, &batch.events));
    let module = match &batch.logged {
        None => walk(module, steps),
        Some(logged) => exact_walk(logged_states(module, spec, logged)?, steps),
    };
    let module = report(begin.define_next(module, steps), batch, steps);
    Ok((module, config.init_next("CadreInit", "CadreNext").invariant("CadreReport")))
}

/// How a trace comes to where none of its events has been taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// It begins there.
    Initially,
    /// By a step of its own. If something cannot be evaluated in an initial state, TLC does not
    /// tell in which; of any other state it does.
    ByStep,
}

/// Gives the constants their values, and declares the model values. Each of those is a constant of
/// another name, as its own may mean something else in a module of the specification.
///
/// # Errors
///
/// [`ConformError::Tla`] for a value that TLC cannot read.
pub(crate) fn constants(
    module: Module,
    constants: &BTreeMap<String, Value>,
    mut models: BTreeSet<String>,
) -> Result<(Module, Config), ConformError> {
    constants.values().for_each(|value| value.collect_models(&mut models));
    let declared = models.iter().map(|model| model_constant(model));
    let module = module.extends(["Integers", "Sequences", "TLC"]).constants(declared);
    let config = models
        .iter()
        .fold(Config::new(), |config, model| config.model(&model_constant(model), model));
    constants.iter().try_fold((module, config), |(module, config), (name, value)| {
        let (definition, text) = (format!("CadreConstant_{name}"), text(value)?);
        Ok(match value {
            Value::Model(model) => (module, config.model(name, model)),
            _ => (module.definition(&definition, &text), config.substitute(name, &definition)),
        })
    })
}

/// The text of a value in a module with these constants.
///
/// # Errors
///
/// [`ConformError::Tla`] for a value that TLC cannot read.
pub(crate) fn text(value: &Value) -> Result<String, ConformError> {
    Ok(value.to_text_with_models(&model_constant)?)
}

/// The constant that is a model value.
fn model_constant(model: &str) -> String {
    format!("cadreModel_{model}")
}

/// Every variable with its value, as a record.
pub(crate) fn state_record(spec: &Spec) -> String {
    let fields = spec.variables.iter().map(|name| format!("{name} |-> {name}"));
    format!("[{}]", fields.collect::<Vec<_>>().join(", "))
}

/// Up to how many events the rows stay readable; more of them are packed.
const READABLE_EVENTS_MAX: usize = 20_000;

/// The digits of a packed event id. Each is the name of a record's field in the generated module.
const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const STARTS: &str = "
  /\\ cadreTrace \\in 1..Len(CadreRows)
  /\\ cadreStep = CadreFirst";

/// An initial state that does not fit begins a negative trace, which goes nowhere.
const STARTS_FITTING: &str = "
  /\\ \\E cadreRow \\in 1..Len(CadreRows) :
       /\\ cadreStep = CadreFirst
       /\\ TraceInit
       /\\ cadreTrace = IF CadreFits(CadreLogged[cadreRow][1]) THEN cadreRow ELSE -cadreRow";

const GOES_ON: &str = "
  /\\ cadreTrace > 0
  /\\ cadreStep < CadreLength(cadreTrace)
  /\\ cadreTrace' = cadreTrace";

// A quantifier over one element makes TLC decode the event once, where `LET` would make it do so at
// every mention: with many traces that is a third of the time.
const TAKE: &str = "
  /\\ cadreStep' = cadreStep + 1
  /\\ \\E cadreId \\in {CadreEvent(cadreTrace, cadreStep + 1)} :
       IF cadreId = 0 THEN UNCHANGED CadreVariables
       ELSE \\E cadreEvent \\in {CadreEvents[cadreId]} : TraceEvent(cadreEvent)";

/// One step more than what fits, into the negative traces.
const PROBE: &str = "
  /\\ cadreTrace > 0
  /\\ cadreStep < CadreLength(cadreTrace)
  /\\ ~ENABLED CadreStep
  /\\ cadreTrace' = -cadreTrace
  /\\ CadreTake";

/// Why an event is no step: its name, its arguments, or the state.
const KIND: &str = "
  IF cadreId = 0 THEN \"disabled\"
  ELSE IF CadreEvents[cadreId].name \\notin DOMAIN TraceArguments THEN \"unknown\"
  ELSE IF CadreEvents[cadreId].args \\notin TraceArguments[CadreEvents[cadreId].name]
  THEN \"arguments\"
  ELSE \"disabled\"";

fn models(batch: &Batch<'_>) -> BTreeSet<String> {
    let mut models = BTreeSet::new();
    batch.events.collect_models(&mut models);
    let values = batch.logged.iter().flat_map(|logged| logged.values.iter().flatten());
    values.for_each(|value| value.collect_models(&mut models));
    models
}

impl Begin {
    /// Defines how many events have been taken initially.
    fn define_first(self, module: Module) -> Module {
        match self {
            Self::Initially => module.definition("CadreFirst", "0"),
            Self::ByStep => module.definition("CadreFirst", "-1"),
        }
    }

    /// Defines `CadreNext`, all that a trace does.
    fn define_next(self, module: Module, steps: &Steps) -> Module {
        match self {
            Self::Initially => module.definition("CadreNext", "CadreMove"),
            Self::ByStep => {
                let others = steps.variables.iter().filter(|name| **name != STEP);
                let others = others.copied().collect::<Vec<_>>().join(", ");
                let begin = format!("{STEP}' = 0 /\\ UNCHANGED <<CadreVariables, {others}>>");
                let next = format!("IF {STEP} < 0 THEN {begin} ELSE CadreMove");
                module.definition("CadreNext", &next)
            }
        }
    }
}

/// How the steps of traces are taken.
struct Steps {
    variables: &'static [&'static str],
    /// What more holds initially.
    initially: &'static str,
    /// The event that is next, given the id of the step.
    next_event: &'static str,
    /// What is printed of the place within a step.
    place: &'static str,
    /// What the state after an event has to fulfil.
    fits: &'static str,
}

/// Each step is one event.
const SINGLE: Steps = Steps {
    variables: &[TRACE, STEP],
    initially: "",
    next_event: "cadreId",
    place: "",
    fits: "CadreFitsNext(CadreLogged[cadreTrace][cadreStep + 2])",
};

/// A step may be several events: the states between them are whatever the specification has there,
/// and only the one after the last event is known.
const COMPOSED: Steps = Steps {
    variables: &[TRACE, STEP, PART],
    initially: "\n  /\\ cadrePart = <<>>",
    next_event: "\n  IF cadrePart = <<>> THEN CadreWaysOf(cadreId)[1][1]\n  \
                 ELSE CadreWaysOf(cadreId)[cadrePart[1]][cadrePart[2] + 1]",
    place: ", cadrePart",
    fits: "IF cadreStep' = cadreStep THEN TRUE \
           ELSE CadreFitsNext(CadreLogged[cadreTrace][cadreStep + 2])",
};

impl Steps {
    /// Defines `CadreTake`, which takes the next event of a trace.
    fn define(&self, module: Module, events: &Events) -> Module {
        let module = match self.variables.contains(&PART) {
            false => module.definition("CadreTake", TAKE),
            true => events
                .define_ways(module)
                .definition("CadreWaysOf(cadreId)", WAYS_OF)
                .definition("CadreTakePart(cadreWay, cadreNumber, cadrePlace)", TAKE_PART)
                .definition("CadreTake", TAKE_NEXT_PART),
        };
        module.definition("CadreNextEvent(cadreId)", self.next_event)
    }
}

const WAYS_OF: &str = "IF cadreId = 0 THEN <<<<0>>>> ELSE CadreWays[cadreId]";

/// Takes an event of a sequence. A probe, which ends there, keeps its place.
const TAKE_PART: &str = "
  /\\ cadreStep' = IF cadrePlace = Len(cadreWay) THEN cadreStep + 1 ELSE cadreStep
  /\\ cadrePart' = IF cadrePlace = Len(cadreWay) /\\ cadreTrace' > 0
                  THEN <<>>
                  ELSE <<cadreNumber, cadrePlace>>
  /\\ CadreTakeEvent(cadreWay[cadrePlace])";

const TAKE_NEXT_PART: &str = "
  \\E cadreId \\in {CadreEvent(cadreTrace, cadreStep + 1)} :
    IF cadrePart = <<>>
    THEN \\E cadreNumber \\in DOMAIN CadreWaysOf(cadreId) :
           CadreTakePart(CadreWaysOf(cadreId)[cadreNumber], cadreNumber, 1)
    ELSE CadreTakePart(CadreWaysOf(cadreId)[cadrePart[1]], cadrePart[1], cadrePart[2] + 1)";

/// Defines `CadreRows`, the rows of ids up to the largest one, with `CadreLength` of a row and
/// `CadreEvent`, one of its ids.
pub(crate) fn rows(module: Module, rows: &[Vec<usize>], id_max: usize) -> Module {
    if rows.iter().map(Vec::len).sum::<usize>() <= READABLE_EVENTS_MAX {
        return module
            .definition("CadreRows", &listing(rows.iter().map(|row| tuple(row))))
            .definition("CadreLength(cadreRow)", "Len(CadreRows[cadreRow])")
            .definition("CadreEvent(cadreRow, cadrePlace)", "CadreRows[cadreRow][cadrePlace]");
    }
    let width = packed_width(id_max);
    let rows = rows.iter().map(|row| format!("\"{}\"", packed(row, width)));
    digits(module)
        .definition("CadreRows", &listing(rows))
        .definition("CadreLength(cadreRow)", &format!("Len(CadreRows[cadreRow]) \\div {width}"))
        .definition(
            "CadreEvent(cadreRow, cadrePlace)",
            &number_at(&format!("{width} * cadrePlace - {}", width - 1), width),
        )
}

/// Defines the values of the digits of packed ids.
pub(crate) fn digits(module: Module) -> Module {
    let digits = DIGITS.chars().enumerate().map(|(number, digit)| format!("{digit} |-> {number}"));
    module.definition("CadreDigit", &format!("[{}]", digits.collect::<Vec<_>>().join(", ")))
}

/// The id of so many digits that begins at a position of row `cadreRow` of `CadreRows`.
pub(crate) fn number_at(position: &str, width: usize) -> String {
    let digit = |place: usize| {
        let position =
            if place > 0 { format!("{position} + {place}") } else { position.to_owned() };
        format!("CadreDigit[SubSeq(CadreRows[cadreRow], {position}, {position})]")
    };
    (1..width).fold(digit(0), |sum, place| format!("({sum}) * {} + {}", DIGITS.len(), digit(place)))
}

/// How many digits every id up to this one fits into.
pub(crate) fn packed_width(id_max: usize) -> usize {
    let mut width = 1;
    let mut capacity = DIGITS.len();
    while capacity <= id_max {
        capacity *= DIGITS.len();
        width += 1;
    }
    width
}

pub(crate) fn packed(row: &[usize], width: usize) -> String {
    let digits = DIGITS.as_bytes();
    let mut text = String::with_capacity(row.len() * width);
    for id in row {
        for place in (0..width).rev() {
            let digit = id / digits.len().pow(place as u32) % digits.len();
            text.push(char::from(digits[digit]));
        }
    }
    text
}

fn logged_states(module: Module, spec: &Spec, logged: &Logged) -> Result<Module, ConformError> {
    let mut module = module;
    let mut first = String::new();
    let mut next = String::new();
    for (place, (variable, values)) in spec.variables.iter().zip(&logged.values).enumerate() {
        let table = format!("CadreValues_{variable}");
        let values = values.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        module = module.definition(&table, &listing(values));
        let id = format!("cadreIds[{}]", place + 1);
        // No disjunction: in an action TLC looks at both sides of one.
        let _ = write!(first, "\n  /\\ IF {id} = 0 THEN TRUE ELSE {variable} = {table}[{id}]");
        let _ = write!(next, "\n  /\\ IF {id} = 0 THEN TRUE ELSE {variable}' = {table}[{id}]");
    }
    let ids = logged.ids.iter().map(|states| {
        let states: Vec<String> = states.iter().map(|ids| tuple(ids)).collect();
        format!("<<{}>>", states.join(", "))
    });
    Ok(module
        .definition("CadreLogged", &listing(ids))
        .definition("CadreFits(cadreIds)", &first)
        .definition("CadreFitsNext(cadreIds)", &next))
}

fn walk(module: Module, steps: &Steps) -> Module {
    module
        .definition("CadreInit", &format!("{STARTS}{}\n  /\\ TraceInit", steps.initially))
        .definition("CadreStep", &format!("{GOES_ON}\n  /\\ CadreTake"))
        .definition("CadreMove", "CadreStep")
}

/// As the plain walk, but only through states that fit to what was logged. Where that ends, the
/// event is taken once more regardless, to show what would have come.
fn exact_walk(module: Module, steps: &Steps) -> Module {
    module
        .definition("CadreInit", &format!("{STARTS_FITTING}{}", steps.initially))
        .definition("CadreStep", &format!("{GOES_ON}\n  /\\ CadreTake\n  /\\ {}", steps.fits))
        .definition("CadreProbe", PROBE)
        .definition("CadreMove", "CadreStep \\/ CadreProbe")
}

fn report(module: Module, batch: &Batch<'_>, steps: &Steps) -> Module {
    let state = format!("{}{}", state_record(batch.spec), steps.place);
    // A trace in which nothing happens goes no further than to the initial states.
    let nothing = batch.empty;
    let mut report = format!(
        "{TRACE} > 0 /\\ {STEP} >= 0 =>\n  \
         /\\ {TRACE} = {nothing} => {TELL_ACTIONS}\n  \
         /\\ IF {STEP} = CadreLength({TRACE}) THEN PrintT(<<\"ACC\", {TRACE}>>)\n     \
         ELSE \\/ ENABLED CadreStep\n          \
         \\/ PrintT(<<\"REJ\", {TRACE}, {STEP}, \
         CadreKind(CadreNextEvent(CadreEvent({TRACE}, {STEP} + 1))), {state}>>)"
    );
    for name in &batch.spec.invariants {
        let _ = write!(
            report,
            "\n  /\\ {name} \\/ PrintT(<<\"INV\", {TRACE}, {STEP}, \"{name}\", {state}>>)"
        );
    }
    module.definition("CadreKind(cadreId)", KIND).definition("CadreReport", &report)
}

/// Prints the names of the actions, which an error about a name then says.
pub(crate) const TELL_ACTIONS: &str = "PrintT(<<\"KNOWS\", DOMAIN TraceArguments>>)";

pub(crate) fn listing(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    format!("<<\n  {} >>", items.join(",\n  "))
}

pub(crate) fn tuple(ids: &[usize]) -> String {
    let ids: Vec<String> = ids.iter().map(usize::to_string).collect();
    format!("<<{}>>", ids.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_as_many_digits_as_the_largest_one() {
        assert_eq!([51, 52, 2703, 2704].map(packed_width), [1, 2, 2, 3]);
        assert_eq!(packed(&[0, 51, 52, 2703], 2), "AAAzBAzz");
    }

    #[test]
    fn model_values_are_constants_of_other_names_than_their_own() {
        let given = BTreeMap::from([
            ("None".to_string(), Value::model("None")),
            ("RM".to_string(), Value::set([Value::model("rm1")])),
        ]);
        let models = ["None", "rm2"].map(String::from).into();
        let (module, config) = constants(Module::new("M"), &given, models).unwrap();
        let text = module.to_text();
        assert!(
            text.contains("CONSTANTS cadreModel_None, cadreModel_rm1, cadreModel_rm2\n"),
            "{text}"
        );
        assert!(text.contains("CadreConstant_RM == {cadreModel_rm1}\n"), "{text}");
        assert_eq!(
            config.to_text(),
            "CONSTANT cadreModel_None = None\nCONSTANT cadreModel_rm1 = rm1\n\
             CONSTANT cadreModel_rm2 = rm2\nCONSTANT None = None\n\
             CONSTANT RM <- CadreConstant_RM\n"
        );
    }
}
