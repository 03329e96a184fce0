//! The project's own tasks: `cargo xtask test`, `cargo xtask soak` and `cargo xtask compat`.

mod checks;
mod clients;
mod compat;
mod conformance;
mod floors;
mod machine;
mod server;
mod soak;
mod step;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test [--list] [--raise] [STEP...]   every check of the project, or only the named steps
                                                --list prints the steps, --raise writes higher floors
cargo xtask soak [--seed N] [--histories N] [--kills N]
                                                10,000 histories of the simulation and 1,000 kills of the real
                                                server during traffic, in release; the words play fewer, or one again
cargo xtask compat [--check]                    writes COMPAT.md from the server's own tables

What a step needs and the machine lacks skips that step with a line that says so.
FACETTA_SHARED   folder of the shared reference material (default: ../shared)
FACETTA_NO_SKIP  set to 1: a skipped step is a failed one
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.split_first() {
        Some((&"test", rest)) => step::test(rest),
        Some((&"soak", rest)) => soak::run(rest),
        Some((&"compat", rest)) => compat::run(rest),
        Some((&("help" | "--help" | "-h"), _)) => {
            print!("{HELP}");
            Ok(true)
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
