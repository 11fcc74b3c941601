/// What clients called when, and what came of it.
///
/// Events are numbered from 0 in the order in which they happened. A process calls one operation at
/// a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct History<O, A> {
    calls: Vec<Call<O, A>>,
    /// By process: its open call.
    open: Vec<Option<usize>>,
    events: usize,
}

/// One operation of one process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call<O, A> {
    /// Who called it.
    pub process: usize,
    /// What was called.
    pub operation: O,
    /// What came of it.
    pub outcome: Outcome<A>,
    /// The event of the call.
    pub invoked: usize,
    /// The event of its end; `None` while it is pending.
    pub ended: Option<usize>,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome<A> {
    /// It was answered.
    Answered(A),
    /// It certainly had no effect, and never will.
    Failed,
    /// It may take effect at any time from its call on, or never.
    Unknown,
}

/// Why an event cannot follow the events so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A call by a process that still waits.
    #[error("expected process {process} to wait for the end of its operation, found another call")]
    Busy {
        /// The process.
        process: usize,
    },
    /// An end of what was not called.
    #[error("expected a call of process {process} first, found the end of one")]
    Idle {
        /// The process.
        process: usize,
    },
}

impl<O, A> History<O, A> {
    /// A history without events.
    pub fn new() -> Self {
        Self { calls: Vec::new(), open: Vec::new(), events: 0 }
    }

    /// A process calls an operation; gives the place of the call in [`calls`](History::calls).
    ///
    /// # Errors
    ///
    /// Where the process still waits for the end of another one.
    pub fn invoke(&mut self, process: usize, operation: O) -> Result<usize, HistoryError> {
        if self.open.len() <= process {
            self.open.resize(process + 1, None);
        }
        if self.open[process].is_some() {
            return Err(HistoryError::Busy { process });
        }
        let index = self.calls.len();
        self.open[process] = Some(index);
        let (outcome, invoked) = (Outcome::Unknown, self.next_event());
        self.calls.push(Call { process, operation, outcome, invoked, ended: None });
        Ok(index)
    }

    /// The open call of a process is answered.
    ///
    /// # Errors
    ///
    /// Where it has none.
    pub fn answer(&mut self, process: usize, answer: A) -> Result<(), HistoryError> {
        self.end(process, Outcome::Answered(answer))
    }

    /// The open call of a process certainly has no effect.
    ///
    /// # Errors
    ///
    /// Where it has none.
    pub fn fail(&mut self, process: usize) -> Result<(), HistoryError> {
        self.end(process, Outcome::Failed)
    }

    /// A process gives up its open call without knowing what comes of it.
    ///
    /// # Errors
    ///
    /// Where it has none.
    pub fn give_up(&mut self, process: usize) -> Result<(), HistoryError> {
        self.end(process, Outcome::Unknown)
    }

    /// All calls, in the order in which they were made.
    pub fn calls(&self) -> &[Call<O, A>] {
        &self.calls
    }

    /// The open call of a process.
    pub fn open(&self, process: usize) -> Option<&Call<O, A>> {
        self.open.get(process).copied().flatten().map(|index| &self.calls[index])
    }

    /// How many events there are.
    pub fn events(&self) -> usize {
        self.events
    }

    /// How many processes there are, counted up to the last that called something.
    pub fn processes(&self) -> usize {
        self.open.len()
    }

    fn end(&mut self, process: usize, outcome: Outcome<A>) -> Result<(), HistoryError> {
        let open = self.open.get_mut(process).and_then(Option::take);
        let index = open.ok_or(HistoryError::Idle { process })?;
        let ended = Some(self.next_event());
        self.calls[index].outcome = outcome;
        self.calls[index].ended = ended;
        Ok(())
    }

    fn next_event(&mut self) -> usize {
        self.events += 1;
        self.events - 1
    }
}

impl<O, A> Default for History<O, A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> Outcome<A> {
    /// The answer.
    pub fn answer(&self) -> Option<&A> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::Failed | Self::Unknown => None,
        }
    }
}
