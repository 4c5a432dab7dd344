//! Tests of the program as a user runs it: commands, files, exit codes, reports.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod add_suppressions;
mod basics;
mod completions;
mod config;
mod config_overrides;
mod config_schema;
mod config_trust;
mod config_uses;
mod cross_file;
mod emit;
mod emit_filter;
mod emit_kinds;
mod emit_remove;
mod emit_tools;
mod emit_tree;
mod explain;
mod formats;
mod formats_tools;
mod help;
mod host;
mod host_domains;
mod in_place;
mod kubevirt;
mod manual;
mod matchers;
mod output;
mod pre_commit;
mod release;
mod setting_table;
mod suggestions;
mod suppressions;
mod terminal_output;
mod types;
