//! The engine without a JVM beside TLC: they say the same of the same modules, but for what is
//! listed here.

mod agree;
mod shortfalls;
mod support;
