//! Entry point of the binary; see the library crate for everything else.

use std::process::ExitCode;

/// Replaces musl's allocator, with which a run over 1,000 files takes 1.8 times as long (measured).
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    gvtg_xml::run()
}
