//! Tests that cannot run here, because a tool or root is missing.

use std::env;
use std::io::Write as _;
use std::thread;

/// Reports on stderr that a test, or a part of it, is skipped, and why.
///
/// # Panics
/// In CI (`CI=true`), where nothing may be skipped.
pub fn skipped(why: &str) {
    // Threads that a test starts are named `TEST under SHELL`.
    let thread = thread::current();
    let test = thread.name().unwrap_or("main").split(" under ").next().unwrap_or_default();
    assert!(env::var("CI").as_deref() != Ok("true"), "SKIPPED, which CI must not: {why}");
    // Not with `eprintln!`, which the test harness captures and shows only for failed tests.
    let _ = writeln!(
        std::io::stderr(),
        "\nSKIPPED {test}: {why} (docs/install.md says what tests need)"
    );
}
