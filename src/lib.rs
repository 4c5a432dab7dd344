//! `gvtg-xml` makes a libvirt VM run on an Intel GVT-g vGPU.
//!
//! The work is done by two pure functions of a document, the rules and the settings:
//! [`Linter::lint`] and [`Linter::fix`]. A document passes
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
//! - `text`: lines and columns, byte edits, offsets in the new text mapped to the old one, text
//!   for a terminal.
//! - `xml`: a tree with byte spans (the only user of roxmltree), and new elements (the only user
//!   of xmltree).
//! - `qemu`: QEMU's command line, and the properties of its vGPU device. `version` has libvirt
//!   releases, `vgpu_types` the types of vGPUs.
//! - `domain`: the meaning of a domain's XML, and the settings for one.
//! - `fix`: changes to a domain, as edits that match the author's formatting.
//! - `rules`: `rules/*.toml` and the checks.
//! - [`explain`]: the catalog of known messages, and the scanner that finds them in logs.
//! - `lint`: lint and fix, findings, suppressions, conflicts between the files of a run.
//! - [`emit`]: the files that a host needs. `host`: facts about a host and checks; the only reader
//!   of /sys, /proc and /etc.
//! - `settings`: the syntax of settings, and `gvtg-xml.toml`.
//! - Interfaces: [`report`] (output formats), `lsp` (the language server), `cli`.

#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, unused_imports, reason = "the web page uses only a part of the engine")
)]

#[cfg(feature = "cli")]
mod cli;
mod domain;
pub mod emit;
pub mod explain;
mod fix;
mod host;
mod lint;
#[cfg(feature = "lsp")]
mod lsp;
mod qemu;
pub mod report;
mod rules;
mod settings;
mod text;
mod version;
mod vgpu_types;
mod xml;

#[cfg(feature = "cli")]
pub use cli::{parse_settings, run};
pub use domain::{Audio, SettingOverrides, Settings};
pub use lint::claims::Claims;
pub use lint::suppress::SuppressionStyle;
pub use lint::{
    Detail, Diagnostic, Findings, Fix, FixError, Fixed, Foreign, Guest, Linter, Related,
    Suppressed, skip_reason,
};
pub use rules::parse as parse_rule;
pub use rules::schema::{Group, Severity};
pub use rules::{Rule, RuleError, RuleSet, Symptom, UnknownRuleError, builtin, of_host, symptoms};
pub use text::{Applicability, Edit, Edits, Position, Source};
pub use version::Version;
pub use xml::{XmlError, XmlErrorKind, decode};

/// Parts of the crate that its own tests and its web page use besides the public API. They can
/// change in any release.
#[doc(hidden)]
pub mod internals {
    #[cfg(feature = "cli")]
    pub use crate::cli::manual;
    pub use crate::rules::{docs, path, schema, select};
    /// The settings that users can give.
    pub mod settings {
        #[cfg(feature = "cli")]
        pub use crate::settings::config;
        pub use crate::settings::{
            Choices, Completion, Key, Kind, PageField, SETTINGS, Scope, Setting, SettingError,
            parsers, setting, table::vgpu_type_names,
        };
    }

    /// The meaning of a domain.
    pub mod domain {
        pub use crate::domain::{Domain, PropertySyntax, property_syntax_for, read};
    }

    /// Facts about a machine.
    #[cfg(feature = "cli")]
    pub mod host {
        pub use crate::host::{Root, installed};
    }

    /// The language server.
    #[cfg(feature = "lsp")]
    pub mod lsp {
        pub use crate::lsp::{SessionEnd, SessionError, serve};
    }

    /// QEMU's command line.
    pub mod qemu {
        pub use crate::qemu::{
            DisplayValue, OptionList, Syntax, display, known_option, options, property,
        };
    }

    /// XML with byte positions.
    pub mod xml {
        pub use crate::xml::{Children, Document, Element, QEMU_NAMESPACE, read, scan};
    }
}
