use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Instant;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use timely::WorkerConfig;
use timely::communication::Hooks;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::allocator::zero_copy::stream::Stream;
use timely::communication::allocator::{Allocator, ProcessBuilder};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::{Input, Probe};
use timely::dataflow::{InputHandleVec, ProbeHandle, StreamVec};
use timely::worker::Worker;

use super::error::ShareError;
use super::wire::{Losses, Wire, hush};

/// One process's end of a dataflow that carries parcels between all of them, phase by phase.
///
/// A phase is a timestamp of the dataflow: it is over once no process can send in it any more and
/// every parcel of it has been taken in, which the dataflow's frontier tells.
pub(super) struct Exchange {
    worker: Worker,
    input: Option<InputHandleVec<u64, Parcel>>,
    probe: ProbeHandle<u64>,
    inbox: Rc<RefCell<VecDeque<(u64, Parcel)>>>,
    phase: u64,
    pub(super) process: usize,
    pub(super) processes: usize,
}

/// Bytes from one process for one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parcel {
    to: u64,
    pub(super) from: u64,
    pub(super) bytes: Bytes,
}

/// Bytes that are written and read in one piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

/// Lets a process take its part in an exchange, until `part` returns.
///
/// `connections` are those to the other processes, `None` at the position of this one.
pub(super) fn run<S: Stream + 'static, R>(
    process: usize,
    connections: Vec<Option<S>>,
    now: Instant,
    part: impl FnOnce(&mut Exchange) -> Result<R, ShareError>,
) -> Result<R, ShareError> {
    hush();
    let (processes, losses) = (connections.len(), Losses::default());
    let numbered = connections.into_iter().enumerate();
    let wires = numbered.map(|(at, stream)| stream.map(|stream| Wire::new(stream, at, &losses)));
    let wires: Vec<Option<Wire<S>>> = wires.collect();
    let handles: Result<Vec<_>, _> = wires.iter().flatten().map(Stream::try_clone).collect();
    let handles = handles.map_err(ShareError::Connection)?;
    let hooks = Hooks::default();
    let threads = ProcessBuilder::new_typed_vector(1, hooks.refill.clone(), None);
    let started = initialize_networking_from_sockets(threads, wires, process, 1, hooks);
    let (mut builders, guard) = started.map_err(ShareError::Connection)?;
    let builder = builders.pop().expect("as many as there are threads");
    let close = || {
        for handle in &handles {
            // It may be closed already.
            let _ = handle.shutdown(Shutdown::Both);
        }
    };
    let mut result = None;
    // What a panic leaves half done is not looked at again.
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let allocator = Allocator::Tcp(builder.build());
        let worker = Worker::new(WorkerConfig::default(), allocator, Some(now));
        let mut exchange = Exchange::new(worker, process, processes);
        match result.insert(part(&mut exchange)) {
            Ok(_) => exchange.close(),
            Err(error) if error.is_agreed() => exchange.close(),
            // Before anything is dropped: what ends in good order would not be missed by others.
            Err(_) => close(),
        }
    }));
    let (first_lost, result) = (losses.first(), result);
    close();
    // The threads of the connections end by a panic where one was lost.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(guard)));
    match (result, first_lost, caught) {
        (Some(result), ..) => result,
        (None, Some(process), _) => Err(ShareError::Lost { process }),
        (None, None, Err(panic)) => resume_unwind(panic),
        (None, None, Ok(())) => unreachable!("there is a result unless there was a panic"),
    }
}

impl Exchange {
    fn new(mut worker: Worker, process: usize, processes: usize) -> Self {
        let mut input = InputHandleVec::new();
        let probe = ProbeHandle::new();
        let inbox = Rc::new(RefCell::new(VecDeque::new()));
        worker.dataflow(|scope| {
            let parcels: StreamVec<'_, u64, Parcel> = scope.input_from(&mut input);
            let by_receiver = pact::Exchange::new(|parcel: &Parcel| parcel.to);
            let inbox = Rc::clone(&inbox);
            let taken_in = parcels.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
                by_receiver,
                "take in",
                |_, _| {
                    move |input, _| {
                        input.for_each(|time, parcels| {
                            let phase = *time.time();
                            let parcels = parcels.drain(..).map(|parcel| (phase, parcel));
                            inbox.borrow_mut().extend(parcels);
                        });
                    }
                },
            );
            taken_in.probe_with(&probe);
        });
        Self { worker, input: Some(input), probe, inbox, phase: 0, process, processes }
    }

    /// Sends bytes to a process in this phase.
    pub(super) fn send(&mut self, to: usize, bytes: Vec<u8>) {
        let parcel = Parcel { to: to as u64, from: self.process as u64, bytes: Bytes(bytes) };
        let input = self.input.as_mut().expect("the exchange is open");
        input.send(parcel);
        input.flush();
    }

    /// Moves parcels along, and gives one of this phase that has arrived.
    pub(super) fn receive(&mut self) -> Option<Parcel> {
        if self.inbox.borrow().is_empty() {
            self.worker.step();
        }
        self.next()
    }

    /// Ends this phase: takes in what still arrives, until all processes have ended it.
    pub(super) fn end_phase(
        &mut self,
        mut take_in: impl FnMut(Parcel) -> Result<(), ShareError>,
    ) -> Result<(), ShareError> {
        let next = self.phase + 1;
        self.input.as_mut().expect("the exchange is open").advance_to(next);
        while self.probe.less_than(&next) {
            while let Some(parcel) = self.next() {
                take_in(parcel)?;
            }
            self.worker.step_or_park(None);
        }
        while let Some(parcel) = self.next() {
            take_in(parcel)?;
        }
        self.phase = next;
        Ok(())
    }

    /// One phase in which every process tells all of them something: what each said, in order.
    pub(super) fn share(&mut self, said: &[u8]) -> Result<Vec<Vec<u8>>, ShareError> {
        for to in 0..self.processes {
            self.send(to, said.to_vec());
        }
        let mut heard = vec![Vec::new(); self.processes];
        self.end_phase(|Parcel { from, bytes: Bytes(bytes), .. }| {
            heard[from as usize] = bytes;
            Ok(())
        })?;
        Ok(heard)
    }

    /// A parcel of this phase; one of the next may be there before this process has seen the end.
    fn next(&mut self) -> Option<Parcel> {
        let mut inbox = self.inbox.borrow_mut();
        let at = inbox.iter().position(|(phase, _)| *phase == self.phase)?;
        inbox.remove(at).map(|(_, parcel)| parcel)
    }

    /// Ends the dataflow, together with all processes.
    fn close(&mut self) {
        drop(self.input.take());
        while self.worker.has_dataflows() {
            self.worker.step_or_park(None);
        }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOnePiece;

        impl Visitor<'_> for InOnePiece {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(InOnePiece)
    }
}
