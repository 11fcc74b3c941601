//! The tool for this protocol: `cargo run -- check greeting`.

fn main() -> std::process::ExitCode {
    cadre_cli::run(&cadre::Suite::new().game(PACKAGE::Game))
}
