//! Traces and specifications through the real TLC.

mod divergences;
mod graphs;
mod hidden;
mod model;
mod mutations;
mod support;
mod two_phase;
