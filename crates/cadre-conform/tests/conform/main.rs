//! Traces and specifications through the real TLC.

mod divergences;
mod foreign;
mod hidden;
mod model;
mod scaffolds;
mod support;
mod two_phase;
