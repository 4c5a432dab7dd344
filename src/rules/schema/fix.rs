//! The fixes of a rule.

use serde::Deserialize;

use crate::rules::path::{Selector, Text};
use crate::text::Applicability;
use crate::version::VersionRange;

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

fn safe() -> Applicability {
    Applicability::Safe
}
