//! `gvtg-xml` makes any libvirt domain run on an Intel GVT-g vGPU.
//!
//! Two pure functions do the work, [`lint::lint`] and [`lint::fix`]; the command line is a face on them. The way of a document through
//! the modules, which is also the order to read them in:
//!
//! ```text
//! bytes ─ source ─▶ text + positions ─ xml ─▶ tree with byte spans ─ domain ─▶ what it means ─ rules ─▶ findings with changes
//!                                                                                                            │
//!         lint: diagnostics ─ report ─▶ text ◀───────────────────────────────────────────────────────────────┤
//!         fix:  change ─▶ edit ─▶ new text ─▶ all of it again … until nothing changes ─▶ written once ◀──────┘
//! ```
//!
//! - [`source`]: text, lines and columns. [`edit`]: byte edits. [`undo`]: the way back. [`version`]: libvirt releases. [`printable`]: text for a terminal. [`uri`](mod@uri): names of files as URIs.
//! - [`xml`]: a tree that knows its bytes; the only user of roxmltree. [`fragment`]: new XML; the only user of xmltree.
//!   [`layout`]: where edits go so that they look like the author's.
//! - [`qemu`]: QEMU's command line. [`command_line`]: the kernel's.
//! - [`settings`]: what the user wants. [`values`]: how each must look. `config`: the same out of a `gvtg-xml.toml`. [`property`]: QEMU's properties and their types.
//! - [`domain`]: what a domain says, and how a property reaches its vGPU. [`change`]: what is to be different, as edits.
//! - [`rules`]: `rules/*.toml`, and a function for each kind of check. [`diagnostic`]: a finding as the outside sees it.
//! - [`doctor`]: what messages mean, and which known ones are in a log.
//! - [`host`]: what a machine has; the only reader of /sys, /proc and /etc. [`types`]: the types of vGPUs, and what fits a GPU.
//! - [`emit`]: the host's side of a domain, as files.
//! - [`vocabulary`]: what the elements and attributes mean to whoever writes them.
//! - [`suppress`]: what a document says is to be ignored, held against what is found.
//! - [`across`]: what no two domains of a run may have in common.
//! - [`lint`](mod@lint): lint and fix. [`report`]: formats. `lsp`: the language server. [`cli`]: flags, files, exit codes.

pub mod across;
pub mod change;
#[cfg(feature = "cli")]
pub mod cli;
pub mod command_line;
#[cfg(feature = "cli")]
pub mod config;
pub mod diagnostic;
pub mod doctor;
pub mod domain;
pub mod edit;
pub mod emit;
pub mod fragment;
pub mod host;
pub mod layout;
pub mod lint;
#[cfg(feature = "lsp")]
pub mod lsp;
pub mod printable;
pub mod property;
pub mod qemu;
pub mod report;
pub mod rules;
pub mod settings;
pub mod source;
pub mod suppress;
pub mod types;
pub mod undo;
pub mod uri;
pub mod values;
pub mod version;
pub mod vocabulary;
#[cfg(feature = "cli")]
mod wrap;
pub mod xml;
