//! The `cadre` command with the protocol library.

fn main() -> std::process::ExitCode {
    cadre_cli::run(&cadre_protocols::suite())
}
