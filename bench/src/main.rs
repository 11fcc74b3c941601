//! The command: see the README of this package.

fn main() -> std::process::ExitCode {
    cadre_bench::run()
}
