//! Tests of the language server in real editors: Vim, Emacs, Helix or Neovim, and VS Code (tests/editors/setup.sh).

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod editors;
mod vscode;
