//! The program; everything it does is in the library.

use std::process::ExitCode;

#[cfg(target_env = "musl")]
mod alloc;
mod streams;

fn main() -> ExitCode {
    gvtg_xml::cli::run(streams::is_stdout_closed())
}
