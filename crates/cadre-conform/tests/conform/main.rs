//! Traces and specifications through the real TLC.

mod foreign;
mod hidden;
mod model;
mod scaffolds;
mod support;
mod two_phase;
