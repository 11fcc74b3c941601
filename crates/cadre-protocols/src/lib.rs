//! The protocol library: each protocol a pure step function, written as a user would write it, with
//! its game: cluster, guarantees, seeded bugs and mapping to a TLA+ specification.
//!
//! # Invariants
//!
//! Nothing here that a user's protocol could not do: this crate depends on the facade alone. A
//! seeded bug is a field of the protocol's configuration, never a compile-time flag, and each has a
//! fixed twin.

mod acknowledged;
pub mod disk_store;
pub mod primary_backup;
pub mod rounds;
pub mod two_phase_commit;

/// The whole library.
pub fn suite() -> cadre::Suite {
    let games = cadre::Suite::new()
        .game(two_phase_commit::Game)
        .game(disk_store::Game)
        .game(primary_backup::Game);
    rounds::with_rounds(games)
}
