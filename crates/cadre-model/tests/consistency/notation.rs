use cadre_model::consistency::objects::{Answer, At, Keyed, Register, RegisterOperation};
use cadre_model::consistency::{
    Accesses, Budget, Causality, History, SessionGuarantee, Verdict, causal, linearizable,
    sequential, session,
};

pub(crate) type Store = Keyed<char, Register<u32>>;
pub(crate) type StoreHistory = History<At<char, RegisterOperation<u32>>, Answer<u32>>;

/// Registers that are 0 at first.
pub(crate) fn store() -> Store {
    Keyed::new(Register { initial: 0 })
}

/// A history in short: events of processes `a`, `b`, … separated by commas. `a w1` calls a write of
/// 1 to `x`, `a yw1` to `y`, `a r` a read, `a c12` a compare-and-set from 1 to 2; `a ok`, `a no`,
/// `a =1`, `a fail` and `a info` end what was called.
pub(crate) fn history(text: &str) -> StoreHistory {
    let mut history = StoreHistory::new();
    for event in text.split(',') {
        let (process, what) = event.trim().split_once(' ').unwrap();
        let process = (process.as_bytes()[0] - b'a') as usize;
        match what {
            "ok" => history.answer(process, Answer::Done).unwrap(),
            "no" => history.answer(process, Answer::Refused).unwrap(),
            "fail" => history.fail(process).unwrap(),
            "info" => history.give_up(process).unwrap(),
            _ => match what.strip_prefix('=') {
                Some(value) => {
                    history.answer(process, Answer::Value(value.parse().unwrap())).unwrap();
                }
                None => drop(history.invoke(process, operation(what)).unwrap()),
            },
        }
    }
    history
}

fn operation(what: &str) -> At<char, RegisterOperation<u32>> {
    let (key, what) = match what.chars().next().unwrap() {
        key @ ('x' | 'y' | 'z') => (key, &what[1..]),
        _ => ('x', what),
    };
    let digit = |at: usize| what[at..=at].parse().unwrap();
    let operation = match &what[..1] {
        "w" => RegisterOperation::Write(digit(1)),
        "r" => RegisterOperation::Read,
        "c" => RegisterOperation::CompareAndSet { from: digit(1), to: digit(2) },
        other => panic!("no operation {other}"),
    };
    At { key, operation }
}

/// Calls and answers without anything in between: `a w1, b r0` stands for
/// `a w1, a ok, b r, b =0`.
pub(crate) fn one_by_one(text: &str) -> StoreHistory {
    let mut events = Vec::new();
    for call in text.split(',') {
        let (process, what) = call.trim().split_once(' ').unwrap();
        match what.find('r') {
            Some(at) => {
                events.push(format!("{process} {}", &what[..=at]));
                events.push(format!("{process} ={}", &what[at + 1..]));
            }
            None => events.extend([format!("{process} {what}"), format!("{process} ok")]),
        }
    }
    history(&events.join(","))
}

pub(crate) fn is_linearizable(history: &StoreHistory) -> bool {
    decided(linearizable(&store(), history, Budget::default()))
}

pub(crate) fn is_sequential(history: &StoreHistory) -> bool {
    decided(sequential(&store(), history, Budget::default()))
}

pub(crate) fn is_causal(history: &StoreHistory, causality: Causality) -> bool {
    causal(&Accesses::new(&store(), history).unwrap(), causality).is_none()
}

pub(crate) fn has(history: &StoreHistory, guarantee: SessionGuarantee) -> bool {
    session(&Accesses::new(&store(), history).unwrap(), guarantee).is_none()
}

fn decided(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Holds => true,
        Verdict::Violated => false,
        Verdict::Unknown { .. } => panic!("expected a verdict within the usual budget"),
    }
}
