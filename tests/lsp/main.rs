//! Tests of the language server, as a client talks to it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/client.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;

mod configuration;
mod findings;
mod protocol;
mod suppressions;
