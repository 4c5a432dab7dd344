//! The format of rule files. The build script and `--rules` share these types, so both report the
//! same errors.

use serde::Deserialize;

pub use super::examples::{Example, KnownMessage, MessageSource, SnippetContext};
use super::path::{List, Selector, Text};
use super::registry::FUNCTIONS;
use crate::text::Applicability;
use crate::version::VersionRange;

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

/// The conditions under which a rule applies; all that are set must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// The libvirt releases, for example `>=8.1 <8.5`.
    pub libvirt: Option<VersionRange>,
    /// The display that shows the vGPU.
    pub shown_by: Option<DisplayBackend>,
    /// Whether the domain has a vGPU.
    pub vgpu: Option<bool>,
    /// Whether the vGPU has ramfb.
    pub ramfb: Option<bool>,
    /// Whether the rule is for domains that cannot have a GVT-g vGPU. Only such rules run on these
    /// domains, and they run on no others.
    #[serde(default)]
    pub unsuitable: bool,
    /// No element matches, apart from those that earlier fixes remove.
    pub absent: Option<Selector>,
    /// An element matches that no earlier fix removes.
    pub present: Option<Selector>,
    /// A setting that must be set; with `!`, one that must not be.
    pub setting: Option<Text>,
}

/// The display that shows the vGPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisplayBackend {
    /// QEMU's own display (`-display`), with or without a window.
    Qemu,
    /// A window that QEMU opens itself. Unlike `-display egl-headless`, it needs no `<graphics>`.
    Window,
    /// A `<graphics>` of the domain with OpenGL.
    Graphics,
}

/// The condition that a valid domain meets.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "kind",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Check {
    /// No element is selected.
    Forbid,
    /// Every selected element has such a child.
    Require {
        /// A path relative to the selected element.
        child: Selector,
    },
    /// An attribute of the selected elements is valid.
    Attribute {
        /// The attribute's name.
        name: Text,
        /// Whether it must be there.
        #[serde(default)]
        required: bool,
        /// Whether it must not be there.
        #[serde(default)]
        forbidden: bool,
        /// The allowed values; any if empty.
        #[serde(default)]
        one_of: List<Text>,
        /// The required format of a value.
        format: Option<Format>,
    },
    /// The text of the selected elements is valid.
    Text {
        /// The allowed values; any if empty.
        #[serde(default)]
        one_of: List<Text>,
        /// The required format of the text.
        format: Option<Format>,
    },
    /// No two of the selected elements have the same value in an attribute of their own or of a
    /// descendant.
    Unique {
        /// The attribute's name.
        attribute: Text,
        /// The path to the element with the attribute; the selected one by default.
        of: Option<Selector>,
    },
    /// The value of an attribute also occurs in an attribute of another element.
    Reference {
        /// The attribute that refers to another element.
        attribute: Text,
        /// The elements that it may refer to.
        to: Selector,
        /// The attribute of these elements that holds the value.
        key: Text,
    },
    /// A property reaches the vGPU, in whatever form works with the libvirt version.
    Property {
        /// The name in QEMU.
        name: Text,
        /// `true` or `false` for a bool, otherwise the value in QEMU's syntax.
        value: Text,
    },
    /// An environment variable is set for QEMU.
    Environment {
        /// The variable's name.
        name: Text,
        /// The value that the fix sets, with placeholders.
        value: Text,
        /// The required format of a value.
        format: Option<Format>,
        /// The setting that determines the value.
        setting: Option<Text>,
        /// The QEMU displays that need the variable; all if empty.
        #[serde(default)]
        displays: List<Text>,
    },
    /// A function in `code/` finds nothing; for a host rule, one in `host/checks/`.
    Code {
        /// The function's name.
        function: Function,
    },
    /// The document's suppressions are valid.
    Ignore {
        /// The fault to report.
        fault: IgnoreFault,
    },
    /// No other domain uses the same resource. Only checked if a run has several documents.
    Across {
        /// The resource that no other domain may use.
        same: ConflictKind,
    },
    /// The text is well-formed XML; otherwise no other rule runs. Exactly one built-in rule has
    /// this check.
    WellFormed,
    /// The root element is `<domain>`; otherwise no other rule runs. Exactly one built-in rule has
    /// this check.
    Domain,
}

/// The function of a `code` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Text")]
pub struct Function {
    /// The function's name.
    pub name: Text,
    /// The index in `registry::FUNCTIONS`, looked up once instead of for every document. `None` for
    /// a function of a host rule, and for an unknown name.
    pub place: Option<usize>,
}

impl From<Text> for Function {
    fn from(name: Text) -> Self {
        let place = FUNCTIONS.iter().position(|known| *known == name);
        Function { name, place }
    }
}

/// A fault of a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoreFault {
    /// It is malformed.
    Unreadable,
    /// It has no reason.
    WithoutReason,
    /// It names a rule that does not exist.
    UnknownRule,
    /// It suppresses nothing.
    Unused,
}

/// A resource that only one domain of a run may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// The vGPU's UUID: domains with different names may not share it.
    Vgpu,
    /// The domain's name together with the vGPU's GPU: domains with different UUIDs may not share
    /// both.
    Name,
}

/// The format of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A UUID as libvirt reads it: 32 hex digits, with dashes or without.
    Uuid,
    /// A UUID as the kernel writes it: lower case with dashes.
    CanonicalUuid,
    /// The name of an environment variable.
    EnvironmentName,
    /// An X display: `:0`, `host:0.1`.
    Display,
    /// A positive decimal number.
    Number,
}

/// A fix.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fix {
    /// The action as an imperative: "Remove the `<graphics>`".
    pub title: Text,
    /// The change to the document.
    pub op: Operation,
    /// A property that the vGPU gets as well if the fixed element is the vGPU that shows the
    /// picture.
    pub property: Option<Property>,
    /// Whether the fix is safe.
    #[serde(default = "safe")]
    pub applicability: Applicability,
    /// The possible loss by an unsafe fix, as the end of "this may lose …".
    pub risk: Option<Text>,
    /// If the domain has such an element, the fix is unsafe.
    pub unsafe_if: Option<Selector>,
    /// If another display next to the vGPU may be in use, the fix is unsafe.
    #[serde(default)]
    pub unsafe_if_watched: bool,
    /// Whether the fix leaves the guest's display as it is. It is then made even if nothing else
    /// would show the guest, unlike other fixes of the group `display`.
    #[serde(default)]
    pub keeps_picture: bool,
    /// The libvirt releases that the fix is for; all by default.
    pub libvirt: Option<VersionRange>,
}

/// A property of the vGPU.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Property {
    /// The name in QEMU.
    pub name: Text,
    /// The value; `true` or `false` for a bool.
    pub value: Text,
    /// The fix's title if the fix also sets the property; by default the fix's own title.
    pub title: Option<Text>,
}

/// The change that a fix makes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Removes the selected element.
    Remove,
    /// Inserts this element, with placeholders, into the selected one.
    Insert(Text),
    /// Sets the checked attribute to this value, with placeholders.
    SetAttribute(Text),
    /// Removes the checked attribute.
    RemoveAttribute,
    /// Sets the text of the selected element, with placeholders.
    SetText(Text),
    /// Sets the property of the vGPU or the environment variable of QEMU that the check requires.
    Deliver,
    /// Makes the changes that the check's function returns.
    Code,
}

impl Rule {
    /// Returns the fix for a libvirt version.
    pub fn fix_for(&self, libvirt: crate::version::Version) -> Option<&Fix> {
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

fn safe() -> Applicability {
    Applicability::Safe
}
