//! The format of rule files. The build script and `--rules` share these types, so both report the
//! same errors.

use serde::Deserialize;

mod check;
mod fix;
mod when;

pub use super::examples::{Example, KnownMessage, MessageSource, SnippetContext};
use super::path::{List, Selector, Text};
use crate::version::Version;
pub use check::{Check, ConflictKind, Format, Function, SuppressionFault};
pub use fix::{Fix, Operation, Property};
pub use when::{DisplayBackend, When};

/// One rule: everything that the program knows about one problem.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The file's name without `.toml`; names the problem.
    pub id: Text,
    /// One line for lists of rules.
    pub summary: Text,
    /// The impact on the user.
    pub severity: Severity,
    /// The part of the domain that the rule is about.
    pub group: Group,
    /// The first version of this program with the rule.
    pub since: Text,
    /// The conditions under which the rule applies; always by default.
    #[serde(default)]
    pub when: When,
    /// The elements to check.
    pub select: Option<Selector>,
    /// The message of a finding, with placeholders.
    pub message: Text,
    /// The message if elements that `when.absent` matches are still in the file, but other fixes of
    /// the same run remove them.
    pub message_once_removed: Option<Text>,
    /// The condition that a valid domain meets.
    pub check: Check,
    /// The fixes; the first that suits the libvirt version is used.
    #[serde(default)]
    pub fix: List<Fix>,
    /// Advice for the user, with placeholders.
    pub help: Option<Text>,
    /// The line that `gvtg-xml host` reports if nothing is wrong, with placeholders. Only host
    /// rules have it.
    pub ok_message: Option<Text>,
    /// Texts for the rule's page, which has no document to fill in the placeholders of `help` and
    /// of the fix's title.
    #[serde(default)]
    pub page: Page,
    /// The explanation of the problem, in Markdown.
    pub why: Text,
    /// The messages of libvirt or QEMU about the problem; `{}` matches any text.
    #[serde(default)]
    pub known_message: List<KnownMessage>,
    /// The sources of the facts.
    #[serde(default)]
    pub references: List<Text>,
    /// Former ids.
    #[serde(default)]
    pub aliases: List<Text>,
    /// Example documents; all run as tests.
    #[serde(default)]
    pub example: List<Example>,
}

/// Texts for a rule's page, needed if the rule's own texts have placeholders.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Page {
    /// Replaces the rule's `help`.
    pub help: Option<Text>,
    /// Replaces the title of the rule's first fix.
    pub fix: Option<Text>,
}

/// The impact of a problem on the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Harmless; does not affect the exit code.
    Info,
    /// The VM starts, but works worse than it could.
    Warning,
    /// The domain cannot be defined or started, or the vGPU silently shows nothing.
    Error,
}

/// The part of the domain that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Displays of the guest. Fixes in this group are withheld if they would leave the guest
    /// without a display.
    Display,
    /// The `<hostdev>` of the vGPU.
    Vgpu,
    /// The namespace of QEMU's arguments.
    Namespace,
    /// Arguments and overrides that libvirt passes on to QEMU.
    Qemu,
    /// The rest of the domain.
    Domain,
    /// The host instead of a domain; only `gvtg-xml host` runs these rules.
    Host,
}

impl Rule {
    /// Returns the fix for a libvirt version.
    pub fn fix_for(&self, libvirt: Version) -> Option<&Fix> {
        self.fix.iter().find(|fix| fix.libvirt.is_none_or(|range| range.contains(libvirt)))
    }

    /// Returns the help text for the rule's page, or `None` if only a look at the host tells what
    /// to do.
    pub fn page_help(&self) -> Option<&str> {
        self.page.help.as_deref().or(self.help.as_deref())
    }

    /// Returns the first fix and its title on the rule's page.
    pub fn page_fix(&self) -> Option<(&str, &Fix)> {
        let fix = self.fix.first()?;
        Some((self.page.fix.as_deref().unwrap_or(&fix.title), fix))
    }

    /// Whether the rule's fixes may remove the guest's display.
    pub fn touches_picture(&self) -> bool {
        self.group == Group::Display && self.fix.iter().any(|fix| !fix.keeps_picture)
    }

    /// Returns the phase in which the rule runs.
    pub fn phase(&self) -> Phase {
        let removes = self.fix.iter().any(|fix| matches!(fix.op, Operation::Remove))
            && matches!(self.check, Check::Forbid);
        match removes {
            true if self.when.absent.is_some() || self.when.present.is_some() => {
                Phase::DependentRemoval
            }
            true => Phase::Removal,
            false => Phase::Rest,
        }
    }
}

/// The phase in which a rule runs: rules that remove elements run first, so that the others see
/// what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Removes elements.
    Removal,
    /// Removes elements depending on what other rules removed.
    DependentRemoval,
    /// Sees the remaining elements.
    Rest,
}
