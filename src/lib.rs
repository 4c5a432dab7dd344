//! `gvtg-xml` makes a libvirt VM run on an Intel GVT-g vGPU.
//!
//! The work is done by two pure functions of a text, the rules and the settings:
//! [`Linter::lint`](lint::Linter::lint) and [`Linter::fix`](lint::Linter::fix). A document passes
//! through the modules in this order, which is also a good order to read them in:
//!
//! ```text
//! bytes ─ text ─▶ text + positions ─ xml ─▶ tree with byte spans ─ domain ─▶ meaning
//!       ─ rules ─▶ findings with changes
//!
//! lint: findings ─ report ─▶ text
//! fix:  changes ─ fix ─▶ edits ─ text ─▶ new text ─▶ next pass … until nothing changes
//! ```
//!
//! - [`text`]: lines and columns, byte edits, offsets in the new text mapped to the old one, text
//!   for a terminal.
//! - [`xml`]: a tree with byte spans (the only user of roxmltree), and new elements (the only user
//!   of xmltree).
//! - [`qemu`]: QEMU's command line, and the properties of its vGPU device. [`version`] has libvirt
//!   releases, [`vgpu_types`] the types of vGPUs.
//! - [`domain`]: the meaning of a domain's XML, and the settings for one.
//! - [`fix`](mod@fix): changes to a domain, as edits that match the author's formatting.
//! - [`rules`]: `rules/*.toml` and the checks.
//! - [`explain`]: the catalog of known messages, and the scanner that finds them in logs.
//! - [`lint`](mod@lint): lint and fix, findings, suppressions, conflicts between the files of a run.
//! - [`emit`]: the files that a host needs. [`host`]: facts about a host and checks; the only reader
//!   of /sys, /proc and /etc.
//! - [`settings`]: the syntax of settings, and `gvtg-xml.toml`.
//! - Interfaces: [`report`] (output formats), `lsp` (the language server), [`cli`].

#[cfg(feature = "cli")]
pub mod cli;
pub mod domain;
pub mod emit;
pub mod explain;
pub mod fix;
pub mod host;
pub mod lint;
#[cfg(feature = "lsp")]
pub mod lsp;
pub mod qemu;
pub mod report;
pub mod rules;
pub mod settings;
pub mod text;
pub mod version;
pub mod vgpu_types;
pub mod xml;
