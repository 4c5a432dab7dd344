//! `gvtg-xml` makes a libvirt VM run on an Intel GVT-g vGPU.
//!
//! The work is done by two pure functions, [`lint::lint`] and [`lint::fix`]. A document passes
//! through the modules in this order, which is also a good order to read them in:
//!
//! ```text
//! bytes ─ source ─▶ text + positions ─ xml ─▶ tree with byte spans ─ domain ─▶ meaning
//!       ─ rules ─▶ findings with changes
//!
//! lint: findings ─ report ─▶ text
//! fix:  changes ─ change ─▶ edits ─ edit ─▶ new text ─▶ next pass … until nothing changes
//! ```
//!
//! - Text: [`source`] (text, lines, columns), [`edit`] (byte edits), [`source_map`] (offsets in the
//!   new text mapped to the old one), [`sanitize`] (text for a terminal), [`uri`](mod@uri) (file
//!   URIs).
//! - XML: [`xml`] (a tree with byte spans, the only user of roxmltree), [`fragment`] (new XML, the
//!   only user of xmltree), [`layout`] (edits that match the author's formatting).
//! - QEMU and libvirt: [`qemu`] (QEMU's command line), [`property`] (properties of QEMU's vGPU
//!   device), [`version`] (libvirt releases), [`element_docs`] (hover texts for elements and
//!   attributes).
//! - The domain: [`domain`] (the meaning of a domain's XML), [`change`] (changes to it, as edits).
//! - Rules: [`rules`] (`rules/*.toml` and the checks), [`diagnostic`] (a finding as callers see
//!   it), [`suppress`] (suppressions), [`cross_file`] (conflicts between the files of a run),
//!   [`lint`](mod@lint) (lint and fix).
//! - Settings: [`settings`], [`setting_parsers`] (the syntax of each value), `config`
//!   (`gvtg-xml.toml`).
//! - The host: [`host`] (facts and checks; the only reader of /sys, /proc and /etc),
//!   [`kernel_cmdline`], [`types`] (vGPU types), [`emit`] (the files that a host needs).
//! - [`explain`]: the catalog of known messages, and the scanner that finds them in logs.
//! - Interfaces: [`report`] (output formats), `lsp` (the language server), [`cli`].

pub mod change;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod config;
pub mod cross_file;
pub mod diagnostic;
pub mod domain;
pub mod edit;
pub mod element_docs;
pub mod emit;
pub mod explain;
pub mod fragment;
pub mod host;
pub mod kernel_cmdline;
pub mod layout;
pub mod lint;
#[cfg(feature = "lsp")]
pub mod lsp;
pub mod property;
pub mod qemu;
pub mod report;
pub mod rules;
pub mod sanitize;
pub mod setting_parsers;
pub mod settings;
pub mod source;
pub mod source_map;
pub mod suppress;
pub mod types;
pub mod uri;
pub mod version;
#[cfg(feature = "cli")]
mod wrap;
pub mod xml;
