//! Traces and specifications through the real TLC.

mod foreign;
mod hidden;
mod model;
mod support;
mod two_phase;
