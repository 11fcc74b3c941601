//! Automation of the repository: `cargo xtask tidy` and `cargo xtask ci`.
//!
//! Every rule of `tidy` is a function from the files of the repository, a [`Tree`], to the
//! [`Violation`]s it finds. The same rules run as tests of this package.

pub mod architecture;
pub mod ci;
pub mod manifest;
pub mod rules;
pub mod rust;
mod tree;
mod violation;

pub use tree::Tree;
pub use violation::Violation;

use std::path::PathBuf;

/// The root of the repository.
pub fn root() -> PathBuf {
    let folder = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")),
    };
    folder.parent().expect("this package is a folder of the repository").into()
}
