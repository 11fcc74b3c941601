use std::sync::Arc;

use cadre_step::{Protocol, RequestId};
use cadre_trace::brief;

use super::history::HistoryEntry;
use super::names::to_json;
use super::view::View;
use crate::consistency::{
    Budget, Explained, History, Reason, Specification, Verdict, explain_linearizability,
    explain_sequential, linearizable, sequential,
};
use crate::guarantee::Guarantee;

/// Guarantees about what clients asked and were answered. Each history is judged once, however many
/// configurations share it.
impl<P: Protocol + 'static> Guarantee<View<P>> {
    /// Demands that whatever clients were answered is linearizable: see
    /// [`consistency::linearizable`](linearizable).
    ///
    /// `operation` says what a request means to the object, `answer` what a response does. A
    /// request that has not been answered may have taken effect or not.
    pub fn linearizable<S>(
        name: impl Into<String>,
        object: S,
        operation: impl Fn(&P::Request) -> S::Operation + Send + Sync + 'static,
        answer: impl Fn(&P::Response) -> S::Answer + Send + Sync + 'static,
    ) -> Self
    where
        S: Specification + Send + Sync + 'static,
    {
        Self::judged(
            name,
            linearizable,
            explain_linearizability,
            Asked { object, operation, answer },
        )
    }

    /// Demands that whatever clients were answered is sequentially consistent: see
    /// [`consistency::sequential`](sequential).
    pub fn sequential<S>(
        name: impl Into<String>,
        object: S,
        operation: impl Fn(&P::Request) -> S::Operation + Send + Sync + 'static,
        answer: impl Fn(&P::Response) -> S::Answer + Send + Sync + 'static,
    ) -> Self
    where
        S: Specification + Send + Sync + 'static,
    {
        Self::judged(name, sequential, explain_sequential, Asked { object, operation, answer })
    }

    /// Demands something of the clients' history.
    ///
    /// # Contract
    ///
    /// The predicate looks at [`View::history`] and [`View::request`] alone.
    pub fn on_history(
        name: impl Into<String>,
        holds: impl Fn(&View<P>) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::always(name, holds).of_history()
    }

    /// Judges what clients asked of an object, and explains where it is wrong.
    fn judged<S, O, A>(
        name: impl Into<String>,
        judge: Judge<S>,
        explain: Explain<S>,
        asked: Asked<S, O, A>,
    ) -> Self
    where
        S: Specification + Send + Sync + 'static,
        O: Fn(&P::Request) -> S::Operation + Send + Sync + 'static,
        A: Fn(&P::Response) -> S::Answer + Send + Sync + 'static,
    {
        let asked = Arc::new(asked);
        let explained = Arc::clone(&asked);
        let holds = move |view: &View<P>| {
            judge(&asked.object, &asked.told(view), UNLIMITED) == Verdict::Holds
        };
        Self::on_history(name, holds).finding(move |view| {
            let explained = explain(&explained.object, &explained.told(view), UNLIMITED);
            match explained.violation {
                Some(violation) => without_place(&calls(view), &violation.reason),
                None => "the answers can be explained".to_owned(),
            }
        })
    }
}

/// A checker, and the one that gives its reasons.
type Judge<S> = fn(&S, &HistoryOf<S>, Budget) -> Verdict;
type Explain<S> = fn(&S, &HistoryOf<S>, Budget) -> Explained<<S as Specification>::Answer>;
type HistoryOf<S> = History<<S as Specification>::Operation, <S as Specification>::Answer>;

/// An object, and what requests and responses mean to it.
struct Asked<S, O, A> {
    object: S,
    operation: O,
    answer: A,
}

/// Histories of a search are short: its bounds bound them too.
const UNLIMITED: Budget = Budget { steps_max: u64::MAX };

impl<S: Specification, O, A> Asked<S, O, A> {
    /// The clients' history as the checkers read it, a process for each client.
    fn told<P: Protocol>(&self, view: &View<P>) -> HistoryOf<S>
    where
        O: Fn(&P::Request) -> S::Operation,
        A: Fn(&P::Response) -> S::Answer,
    {
        let mut history = History::new();
        for entry in view.history() {
            let process = entry.id().client as usize;
            let noted = match entry {
                HistoryEntry::Invoke { id } => {
                    history.invoke(process, (self.operation)(view.request(*id))).map(drop)
                }
                HistoryEntry::Return { response, .. } => {
                    history.answer(process, (self.answer)(response))
                }
            };
            noted.expect("a client waits for its answer before it asks again");
        }
        history
    }
}

/// The clients' calls in the order in which they were made, in the words of the protocol.
fn calls<P: Protocol>(view: &View<P>) -> Vec<String> {
    let answer = |asked: RequestId| {
        view.history().iter().find_map(|entry| match entry {
            HistoryEntry::Return { id, response } if *id == asked => {
                Some(brief(&to_json(response)))
            }
            HistoryEntry::Return { .. } | HistoryEntry::Invoke { .. } => None,
        })
    };
    let call = |entry: &HistoryEntry<P::Response>| match entry {
        HistoryEntry::Invoke { id } => {
            let request = brief(&to_json(view.request(*id)));
            Some(format!("{request} → {}", answer(*id).unwrap_or("?".to_owned())))
        }
        HistoryEntry::Return { .. } => None,
    };
    view.history().iter().filter_map(call).collect()
}

/// Which answers cannot be explained, and how those before them can.
fn without_place<A>(calls: &[String], reason: &Reason<A>) -> String {
    let list = |shown: &[usize]| {
        let shown: Vec<&str> = shown.iter().map(|call| calls[*call].as_str()).collect();
        shown.join(", ")
    };
    let (order, open) = match reason {
        Reason::NoPlace { order, operation, .. } => (list(order), list(&[*operation])),
        Reason::NoOrder { order, next } => (list(order), list(next)),
        Reason::Pattern(pattern) => (String::new(), list(&pattern.operations())),
    };
    match order.is_empty() {
        true => format!("there is no place for {open}"),
        false => format!("after {order} there is no place for {open}"),
    }
}
