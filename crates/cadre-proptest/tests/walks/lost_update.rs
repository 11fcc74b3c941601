//! Threads that add one to a counter in two steps: the race of every textbook.

use cadre_model::{Checked, Model, check};

/// Threads that read a counter and write one more than they have read, under a lock or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LostUpdate {
    pub(crate) threads: usize,
    pub(crate) is_locked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    pub(crate) counter: u8,
    threads: Vec<Thread>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Thread {
    Waits,
    Has(u8),
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    Read(usize),
    Write(usize),
}

/// The model with the guarantee that as much is counted as was written.
pub(crate) fn checked(threads: usize, is_locked: bool) -> Checked<LostUpdate> {
    check(LostUpdate { threads, is_locked })
        .always("no update is lost", |memory| usize::from(memory.counter) == memory.written())
        .reachable("all have written", |memory| memory.written() == memory.threads.len())
        .reachable("more than all", |memory| usize::from(memory.counter) > memory.threads.len())
}

impl Memory {
    fn written(&self) -> usize {
        self.threads.iter().filter(|thread| **thread == Thread::Done).count()
    }
}

impl Model for LostUpdate {
    type State = Memory;
    type Action = Access;

    fn init(&self) -> Vec<Memory> {
        vec![Memory { counter: 0, threads: vec![Thread::Waits; self.threads] }]
    }

    fn actions(&self, memory: &Memory, out: &mut Vec<Access>) {
        let is_taken = memory.threads.iter().any(|thread| matches!(thread, Thread::Has(_)));
        for (index, thread) in memory.threads.iter().enumerate() {
            match thread {
                Thread::Waits if !(self.is_locked && is_taken) => out.push(Access::Read(index)),
                Thread::Has(_) => out.push(Access::Write(index)),
                Thread::Waits | Thread::Done => {}
            }
        }
    }

    fn next(&self, memory: &Memory, access: &Access) -> Option<Memory> {
        let mut enabled = Vec::new();
        self.actions(memory, &mut enabled);
        if !enabled.contains(access) {
            return None;
        }
        let mut after = memory.clone();
        match access {
            Access::Read(index) => after.threads[*index] = Thread::Has(memory.counter),
            Access::Write(index) => {
                if let Thread::Has(read) = after.threads[*index] {
                    after.counter = read + 1;
                }
                after.threads[*index] = Thread::Done;
            }
        }
        Some(after)
    }
}
