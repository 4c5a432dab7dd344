//! The kinds of checks, and the values that they need.

use serde::Deserialize;

use crate::rules::path::{List, Selector, Text};
use crate::rules::registry::FUNCTIONS;

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
    #[serde(rename = "ignore")]
    Suppression {
        /// The fault to report.
        fault: SuppressionFault,
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
pub enum SuppressionFault {
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
