//! Traces and specifications through the real TLC.

#[cfg(feature = "embedded")]
mod both;
mod composed;
mod divergences;
mod foreign;
mod graphs;
mod hidden;
mod letters;
mod messages;
mod model;
mod mutations;
mod scaffolds;
mod several;
#[cfg(feature = "embedded")]
mod shortfalls;
mod support;
mod two_phase;
