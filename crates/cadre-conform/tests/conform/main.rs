//! Traces and specifications through the real TLC.

mod divergences;
mod hidden;
mod model;
mod support;
mod two_phase;
