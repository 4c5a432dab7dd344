//! The evidence for a rule: messages of libvirt or QEMU, and example documents.

use serde::Deserialize;

use super::path::Text;
use crate::version::VersionRange;

/// A message of libvirt, QEMU or the system that a rule explains.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnownMessage {
    /// The program that prints it.
    pub at: MessageSource,
    /// The message; `{}` matches any text.
    pub text: Text,
    /// The libvirt releases that print it; all by default.
    pub libvirt: Option<VersionRange>,
    /// Whether libvirt also prints it on a host without a vGPU, so that a test can provoke it.
    #[serde(default = "yes")]
    pub tested: bool,
}

/// The program that prints a message, and the step at which it does.
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
    /// The kernel or systemd: in their logs, or as the error of a write to /sys.
    System,
}

/// An example document for a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Example {
    /// A document with the finding; `»` and `«` enclose its span.
    pub bad: Option<Text>,
    /// The document after this rule's fix alone.
    pub fixed: Option<Text>,
    /// A document without the finding.
    pub good: Option<Text>,
    /// A document that the same run reads first.
    pub other_file: Option<Text>,
    /// The element that the snippets go into; by default they are whole documents.
    #[serde(default, rename = "in")]
    pub within: SnippetContext,
    /// Settings, written as on the command line: `--libvirt 7.0`.
    #[serde(default)]
    pub settings: Text,
}

/// The element that an example's snippets go into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnippetContext {
    /// No element: the snippet is a whole document.
    #[default]
    Document,
    /// `<domain>`.
    Domain,
    /// `<devices>`.
    Devices,
}

fn yes() -> bool {
    true
}
