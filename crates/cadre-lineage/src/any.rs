use std::ops::ControlFlow;

use cadre_model::Origin;
use cadre_trace::Trace;

use crate::{
    Account, Certification, Exhausted, FaultSet, FaultSpec, Findings, Hunted, LineageError,
    Program, Progress, RandomInjection, Rounds, Run, Wanted, certify, exhaust, explain_and_block,
    hunt, inject_at_random,
};

/// A program within its bounds whose types do not show, so that different programs fit in one list.
///
/// Implemented for [`Rounds`] of every program; the errors are those of [`Rounds::run`].
#[expect(missing_docs, reason = "each method is the function of that name, which says it")]
#[expect(clippy::missing_errors_doc, reason = "said above, once for all")]
pub trait AnyRounds {
    fn spec(&self) -> FaultSpec;

    fn names(&self) -> &[String];

    /// What has to hold at the end.
    fn claims(&self) -> Vec<String>;

    fn step_calls(&self) -> u64;

    fn run(&mut self, faults: &FaultSet) -> Result<Run, LineageError>;

    fn explain_and_block(
        &mut self,
        wanted: Wanted,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Findings, LineageError>;

    fn certify(
        &mut self,
        watch: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<Certification, LineageError>;

    fn hunt(
        &mut self,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Hunted, LineageError>;

    fn exhaust(&mut self) -> Result<Exhausted, LineageError>;

    fn inject_at_random(
        &mut self,
        injection: &RandomInjection,
    ) -> Result<Option<u64>, LineageError>;

    fn record(&mut self, run: &Run, origin: &Origin) -> Result<Trace, LineageError>;

    /// See [`Account::of`].
    fn account(&mut self, bad: &Run, origin: &Origin) -> Result<Account, LineageError>;
}

impl<P: Program> AnyRounds for Rounds<P> {
    fn spec(&self) -> FaultSpec {
        Rounds::spec(self)
    }

    fn names(&self) -> &[String] {
        Rounds::names(self)
    }

    fn claims(&self) -> Vec<String> {
        self.guarantees().iter().map(|guarantee| guarantee.name().to_owned()).collect()
    }

    fn step_calls(&self) -> u64 {
        Rounds::step_calls(self)
    }

    fn run(&mut self, faults: &FaultSet) -> Result<Run, LineageError> {
        Rounds::run(self, faults)
    }

    fn explain_and_block(
        &mut self,
        wanted: Wanted,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Findings, LineageError> {
        explain_and_block(self, wanted, watch)
    }

    fn certify(
        &mut self,
        watch: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<Certification, LineageError> {
        certify(self, watch)
    }

    fn hunt(
        &mut self,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Hunted, LineageError> {
        hunt(self, watch)
    }

    fn exhaust(&mut self) -> Result<Exhausted, LineageError> {
        exhaust(self)
    }

    fn inject_at_random(
        &mut self,
        injection: &RandomInjection,
    ) -> Result<Option<u64>, LineageError> {
        inject_at_random(self, injection)
    }

    fn record(&mut self, run: &Run, origin: &Origin) -> Result<Trace, LineageError> {
        Rounds::record(self, run, origin)
    }

    fn account(&mut self, bad: &Run, origin: &Origin) -> Result<Account, LineageError> {
        Account::of(self, bad, origin)
    }
}
