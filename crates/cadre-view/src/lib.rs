//! Pictures of a trace. As text: terminal lanes, the argument why a guarantee is violated, and the
//! whole block that a failing check prints. For a browser: space-time diagrams and lineage as SVG,
//! and a report to look through as one page of HTML.
//!
//! # Invariants
//!
//! Pure functions of a [`Trace`](cadre_trace::Trace): no IO, no printing, no protocol types.
//! Nothing depends on colour; a symbol never stands alone, the words of the same row say the same.
//! The same trace gives the same bytes, and no picture needs anything but itself.
//!
//! # How to read the lanes
//!
//! One row per step, one column per node, time runs downwards.
//!
//! | symbol | meaning |
//! |---|---|
//! | `*` | the node takes a step |
//! | `●` | the node takes a step and sends something |
//! | `o─5──▶*` | a message arrives that the node at `o` sent at step 5 |
//! | `▷*` | a client's request arrives |
//! | `o─5──✗` | a message that was sent at step 5 is lost |
//! | `o─5──+` | a message that was sent at step 5 is in flight once more |
//! | `o─5──~` | a message that was sent at step 5 is altered on its way |
//! | `✗`, `↑`, `✗↑` | the node crashes, restarts or resumes, does both in one step |
//! | `‖` | the node is paused |
//! | `±` | the node's clock jumps |
//! | `:╌╌╌:`, `:───:` | links are cut, all links are whole again |
//! | `!` | the node's step function fails |
//! | `:`, blank | the node is up, is not up |

mod because;
mod causes;
mod changed;
mod chart;
mod columns;
mod diagram;
mod difference;
mod failure;
mod graph;
mod lanes;
mod lineage;
mod parts;
mod report;
mod select;
mod text;

pub use because::because;
pub use changed::last_change;
pub use chart::{Chart, Course, Curve, Shares, charts};
pub use diagram::{DiagramOptions, STEPS_MAX, diagram};
pub use difference::difference;
pub use failure::{FailureNotes, failure, failure_at};
pub use graph::lineage_graph;
pub use lanes::{LaneOptions, lanes, lanes_about};
pub use lineage::lineage_of;
pub use report::{Report, ReportRun, html};
