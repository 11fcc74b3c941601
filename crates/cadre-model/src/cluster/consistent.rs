use cadre_step::Protocol;

use super::history::HistoryEntry;
use super::view::View;
use crate::consistency::{Budget, History, Specification, Verdict, linearizable, sequential};
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
        Self::on_history(name, move |view| {
            linearizable(&object, &told(view, &operation, &answer), UNLIMITED) == Verdict::Holds
        })
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
        Self::on_history(name, move |view| {
            sequential(&object, &told(view, &operation, &answer), UNLIMITED) == Verdict::Holds
        })
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
}

/// Histories of a search are short: its bounds bound them too.
const UNLIMITED: Budget = Budget { steps_max: u64::MAX };

/// The clients' history as the checkers read it, a process for each client.
fn told<P: Protocol, O, A>(
    view: &View<P>,
    operation: &impl Fn(&P::Request) -> O,
    answer: &impl Fn(&P::Response) -> A,
) -> History<O, A> {
    let mut history = History::new();
    for entry in view.history() {
        let process = entry.id().client as usize;
        let noted = match entry {
            HistoryEntry::Invoke { id } => {
                history.invoke(process, operation(view.request(*id))).map(drop)
            }
            HistoryEntry::Return { response, .. } => history.answer(process, answer(response)),
        };
        noted.expect("a client waits for its answer before it asks again");
    }
    history
}
