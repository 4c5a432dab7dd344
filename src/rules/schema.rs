//! What a rule file may say. The build script and `--rules` read the same types, so both give the
//! same errors.

use serde::Deserialize;

pub use super::examples::{Example, KnownMessage, MessageSource, SnippetContext};
use super::path::{List, Selector, Text};
use super::registry::FUNCTIONS;
use crate::edit::Applicability;
use crate::version::VersionRange;

/// One rule: everything that the program knows about one thing that can be wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The file's name without `.toml`; reads as what is wrong.
    pub id: Text,
    /// One line for lists of rules.
    pub summary: Text,
    /// What happens to the user.
    pub severity: Severity,
    /// Which part of the domain it is about.
    pub group: Group,
    /// The first release of this program that has it.
    pub since: Text,
    /// When it applies; always by default.
    #[serde(default)]
    pub when: When,
    /// The elements it looks at.
    pub select: Option<Selector>,
    /// What is wrong, with placeholders.
    pub message: Text,
    /// The message where the elements of `when.absent` are still in the file and other fixes of the
    /// same run remove them.
    pub message_once_removed: Option<Text>,
    /// How to find out whether it is.
    pub check: Check,
    /// How to mend it: the first that fits the libvirt version.
    #[serde(default)]
    pub fix: List<Fix>,
    /// What the user can do.
    pub help: Option<Text>,
    /// What a report says where nothing is wrong; rules about the host have it, with placeholders.
    pub ok_message: Option<Text>,
    /// The wording for the rule's own page, where there is no document to fill in the placeholders
    /// of `help` and the fix's title.
    #[serde(default)]
    pub page: Page,
    /// Why it matters, in Markdown.
    pub why: Text,
    /// What libvirt or QEMU say about it, in their own words; `{}` stands for what varies.
    #[serde(default)]
    pub known_message: List<KnownMessage>,
    /// Where the facts come from.
    #[serde(default)]
    pub references: List<Text>,
    /// Names it had before.
    #[serde(default)]
    pub aliases: List<Text>,
    /// Documents that show it; all are run as tests.
    #[serde(default)]
    pub example: List<Example>,
}

/// Texts for a rule's page. A rule has them where its own texts have placeholders.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Page {
    /// In place of the rule's `help`.
    pub help: Option<Text>,
    /// In place of the title of the rule's first fix.
    pub fix: Option<Text>,
}

/// What happens to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know; never an exit code.
    Info,
    /// It starts, worse than it could.
    Warning,
    /// Define or start fails, or the vGPU stays dark without a word.
    Error,
}

/// Which part of the domain a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// What shows the guest's picture: its fixes are withheld where they would leave the guest
    /// without one.
    Display,
    /// The vGPU's hostdev.
    Vgpu,
    /// The namespace of QEMU's arguments.
    Namespace,
    /// What reaches QEMU beside libvirt.
    Qemu,
    /// The rest of the domain.
    Domain,
    /// No part of a domain, but the machine that it runs on: `gvtg-xml host` asks these rules and
    /// no others.
    Host,
}

/// When a rule applies: all that is said must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// The libvirt releases, like `>=8.1 <8.5`.
    pub libvirt: Option<VersionRange>,
    /// What shows the vGPU's picture.
    pub shown_by: Option<DisplayBackend>,
    /// Whether the domain has a vGPU.
    pub vgpu: Option<bool>,
    /// Whether the vGPU has ramfb.
    pub ramfb: Option<bool>,
    /// Whether the guest is one that no GVT-g vGPU can serve; false where it isn't said.
    #[serde(default)]
    pub unsuitable: bool,
    /// No such element is there, those aside that earlier fixes remove.
    pub absent: Option<Selector>,
    /// Such an element is there and stays.
    pub present: Option<Selector>,
    /// A setting that the user must have said; with `!` one that the user must not.
    pub setting: Option<Text>,
}

/// What shows the vGPU's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisplayBackend {
    /// QEMU itself (`-display`), whatever opens the window.
    Qemu,
    /// A window that QEMU opens itself: it needs no `<graphics>`, as `-display egl-headless` does.
    Window,
    /// A `<graphics>` of the domain, with GL.
    Graphics,
}

/// How to find out whether something is wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "kind",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Check {
    /// The selected elements must not be there.
    Forbid,
    /// The selected elements must have such a child.
    Require {
        /// A path from the selected element.
        child: Selector,
    },
    /// An attribute of the selected elements.
    Attribute {
        /// Its name.
        name: Text,
        /// Whether it must be there.
        #[serde(default)]
        required: bool,
        /// Whether it must not.
        #[serde(default)]
        forbidden: bool,
        /// The values it may have; any if empty.
        #[serde(default)]
        one_of: List<Text>,
        /// How a value must look.
        format: Option<Format>,
    },
    /// The text of the selected elements.
    Text {
        /// The values it may have; any if empty.
        #[serde(default)]
        one_of: List<Text>,
        /// How it must look.
        format: Option<Format>,
    },
    /// No two of the selected elements have the same value of an attribute (of theirs or of a
    /// descendant's).
    Unique {
        /// The attribute's name.
        attribute: Text,
        /// A path to the element that has it; the selected one by default.
        of: Option<Selector>,
    },
    /// A value that must stand in another place too.
    Reference {
        /// The attribute with the value.
        attribute: Text,
        /// The elements it may refer to.
        to: Selector,
        /// Their attribute.
        key: Text,
    },
    /// A property that must reach the vGPU, by whatever way works on the libvirt at hand.
    Property {
        /// QEMU's name for it.
        name: Text,
        /// `true`/`false` for a bool; else as QEMU reads it.
        value: Text,
    },
    /// An environment variable that QEMU must get.
    Environment {
        /// Its name.
        name: Text,
        /// The value to give it, with placeholders.
        value: Text,
        /// How a value must look.
        format: Option<Format>,
        /// The setting that says which value is wanted.
        setting: Option<Text>,
        /// The QEMU displays that need it.
        #[serde(default)]
        displays: List<Text>,
    },
    /// A function in `code/`, or for a rule about the host in `host/checks/`.
    Code {
        /// Which.
        function: Function,
    },
    /// What the document itself says is to be ignored.
    Ignore {
        /// What is wrong with that.
        fault: IgnoreFault,
    },
    /// No other domain has the same; asked where a run looks at several documents.
    Across {
        /// What is to be this domain's alone.
        same: ConflictKind,
    },
    /// The text is well-formed XML; otherwise no other rule is asked. One rule of the program's own
    /// has this check.
    WellFormed,
    /// The root element is `<domain>`; otherwise no other rule is asked. One rule of the program's
    /// own has this check.
    Domain,
}

/// A function that a rule names.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Text")]
pub struct Function {
    /// Its name.
    pub name: Text,
    /// Where it stands among those that there are: it is looked up once, and not for each document.
    /// None for one about the host.
    pub place: Option<usize>,
}

impl From<Text> for Function {
    fn from(name: Text) -> Self {
        let place = FUNCTIONS.iter().position(|known| *known == name);
        Function { name, place }
    }
}

/// What can be wrong with what a document says is to be ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoreFault {
    /// It can't be read.
    Unreadable,
    /// It doesn't say why.
    WithoutReason,
    /// It names a rule that there isn't.
    UnknownRule,
    /// Nothing is found that it is about.
    Unused,
}

/// What no two domains of a run may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// The uuid of a vGPU: no two domains of different names have it.
    Vgpu,
    /// The name and the GPU of its vGPU: no two domains with different uuids of their own have
    /// both.
    Name,
}

/// How a value must look.
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

/// How to mend it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fix {
    /// What it does, as an order: "Remove the `<graphics>`".
    pub title: Text,
    /// What it does to the document.
    pub op: Operation,
    /// A property that reaches the vGPU with it, where the element is the vGPU that counts.
    pub property: Option<Property>,
    /// How sure it is.
    #[serde(default = "safe")]
    pub applicability: Applicability,
    /// What it may lose, where it is not safe by itself: as the end of "this may lose …".
    pub risk: Option<Text>,
    /// Where such an element is in the domain, it is unsafe.
    pub unsafe_if: Option<Selector>,
    /// Where somebody may watch the guest through a card or screen beside the vGPU, it is unsafe.
    #[serde(default)]
    pub unsafe_if_watched: bool,
    /// Whether the guest's screen stays as it is: then a fix of the group display is made even if
    /// nothing else would show the guest.
    #[serde(default)]
    pub keeps_picture: bool,
    /// The libvirt releases it is for.
    pub libvirt: Option<VersionRange>,
}

/// A property of the vGPU.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Property {
    /// Its name.
    pub name: Text,
    /// Its value; `true` or `false` for a bool.
    pub value: Text,
    /// The fix's title if the property is set with it; without this, the fix's own title.
    pub title: Option<Text>,
}

/// What a fix does to the document.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Remove the selected element.
    Remove,
    /// Insert this element into the selected one; with placeholders.
    Insert(Text),
    /// Set the checked attribute; with placeholders.
    SetAttribute(Text),
    /// Remove the checked attribute.
    RemoveAttribute,
    /// Set the selected element's text.
    SetText(Text),
    /// Give the vGPU or QEMU what the check wants.
    Deliver,
    /// What the function of a code check says.
    Code,
}

impl Rule {
    /// The fix for a libvirt release.
    pub fn fix_for(&self, libvirt: crate::version::Version) -> Option<&Fix> {
        self.fix.iter().find(|fix| fix.libvirt.is_none_or(|range| range.contains(libvirt)))
    }

    /// What the user can do, for the rule's page; None where only a look at the host tells.
    pub fn page_help(&self) -> Option<&str> {
        self.page.help.as_deref().or(self.help.as_deref())
    }

    /// The title of the rule's first fix, for the rule's page.
    pub fn page_fix(&self) -> Option<(&str, &Fix)> {
        let fix = self.fix.first()?;
        Some((self.page.fix.as_deref().unwrap_or(&fix.title), fix))
    }

    /// Whether its fix may remove the guest's screen.
    pub fn touches_picture(&self) -> bool {
        self.group == Group::Display && self.fix.iter().any(|fix| !fix.keeps_picture)
    }

    /// When it is asked.
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

/// When a rule is asked: the others see what those that remove elements leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It removes elements.
    Removal,
    /// So does this, depending on what others removed.
    DependentRemoval,
    /// It sees what is left.
    Rest,
}

fn safe() -> Applicability {
    Applicability::Safe
}
