//! What shows that a rule is right: what libvirt or QEMU say, and documents that show it at work.

use serde::Deserialize;

use super::path::Text;
use crate::version::VersionRange;

/// What libvirt or QEMU say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnownMessage {
    /// Who says it.
    pub at: MessageSource,
    /// In their words; `{}` stands for what varies.
    pub text: Text,
    /// The libvirt releases that say so.
    pub libvirt: Option<VersionRange>,
    /// Whether a libvirt without a vGPU at hand says it too.
    #[serde(default = "yes")]
    pub tested: bool,
}

/// When they say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageSource {
    /// `virsh define`.
    Define,
    /// `virsh define --validate`.
    Validate,
    /// `virsh start`, before QEMU runs.
    Start,
    /// QEMU, when it starts.
    Qemu,
    /// The kernel or systemd, in their logs or to whoever writes to /sys.
    System,
}

/// A document that shows a rule at work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Example {
    /// A document with the finding; `»` and `«` mark its place.
    pub bad: Option<Text>,
    /// What this rule's fix alone makes of it.
    pub fixed: Option<Text>,
    /// A document without the finding.
    pub good: Option<Text>,
    /// The document that the run looks at before it.
    pub other_file: Option<Text>,
    /// Where the snippets belong; a whole document by default.
    #[serde(default, rename = "in")]
    pub within: SnippetContext,
    /// Settings as on the command line: `--libvirt 7.0`.
    #[serde(default)]
    pub settings: Text,
}

/// Where an example's snippet belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnippetContext {
    /// It is a whole document.
    #[default]
    Document,
    /// Inside `<domain>`.
    Domain,
    /// Inside `<devices>`.
    Devices,
}

fn yes() -> bool {
    true
}
