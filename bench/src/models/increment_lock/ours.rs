use cadre::model::{Checked, Model, check};

/// Threads that increment a counter under a lock.
#[derive(Clone, Debug)]
pub(crate) struct IncrementLock {
    /// How many of them there are.
    pub(crate) threads: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    counter: u8,
    is_locked: bool,
    threads: Vec<Thread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Thread {
    /// What it has read.
    read: u8,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    Begin,
    Locked,
    Read,
    Written,
    End,
}

impl IncrementLock {
    /// The model with its guarantees.
    pub(crate) fn checked(self) -> Checked<Self> {
        check(self)
            .always("the counter counts those who have written", |state: &State| {
                let written = |thread: &&Thread| matches!(thread.at, At::Written | At::End);
                usize::from(state.counter) == state.threads.iter().filter(written).count()
            })
            .always("one thread at most is inside", |state: &State| {
                let inside =
                    |thread: &&Thread| matches!(thread.at, At::Locked | At::Read | At::Written);
                state.threads.iter().filter(inside).count() <= 1
            })
    }
}

impl Model for IncrementLock {
    type State = State;
    /// The thread that takes a step.
    type Action = usize;

    fn init(&self) -> Vec<State> {
        let threads = vec![Thread { read: 0, at: At::Begin }; self.threads];
        vec![State { counter: 0, is_locked: false, threads }]
    }

    fn actions(&self, state: &State, out: &mut Vec<usize>) {
        let can_step = |thread: &usize| match state.threads[*thread].at {
            At::Begin => !state.is_locked,
            At::Locked | At::Read | At::Written => true,
            At::End => false,
        };
        out.extend((0..self.threads).filter(can_step));
    }

    fn next(&self, state: &State, action: &usize) -> Option<State> {
        let mut state = state.clone();
        let thread = &mut state.threads[*action];
        thread.at = match thread.at {
            At::Begin => {
                state.is_locked = true;
                At::Locked
            }
            At::Locked => {
                thread.read = state.counter;
                At::Read
            }
            At::Read => {
                state.counter = thread.read + 1;
                At::Written
            }
            At::Written => {
                state.is_locked = false;
                At::End
            }
            At::End => return None,
        };
        Some(state)
    }
}
