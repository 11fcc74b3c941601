//! Traces and specifications through the real TLC.

mod divergences;
mod foreign;
mod graphs;
mod hidden;
mod model;
mod mutations;
mod scaffolds;
mod support;
mod two_phase;
mod timing;
