//! The facetta binary: an open OLAP server, and the clients that people need beside it.

mod cli;
mod demo;

fn main() -> std::process::ExitCode {
    cli::main()
}
