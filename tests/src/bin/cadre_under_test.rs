//! The command with the protocol library, as `cadre-app` has it.

fn main() -> std::process::ExitCode {
    cadre_cli::run(&cadre_protocols::suite())
}
