//! Says at the end of `cargo test` what was left out, and how to run it. Cargo runs tests in the
//! order of their names, and without a harness this is seen however the others went.

#[path = "common/skips.rs"]
mod skips;

#[allow(clippy::print_stdout, reason = "it is no test, but the end of all of them")]
fn main() {
    // For what lists tests this is none.
    if !std::env::args().any(|argument| argument == "--list") {
        println!("\n{}", skips::summary());
    }
}
