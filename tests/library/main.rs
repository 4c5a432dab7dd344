//! Tests of the library: rules, fixes, and properties that hold for any input.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod corpus;
mod fixtures;
mod libxml2;
mod malformed;
mod module_order;
mod properties;
mod regressions;
mod rule_errors;
mod rules;
mod xpath;
