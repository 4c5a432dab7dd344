//! QEMU's option lists: `vfio-pci,sysfsdev=/sys/x,ramfb=on`, or an equivalent JSON object.
//!
//! QEMU has two parsers for the plain form (util/qemu-option.c `opts_do_parse`, util/keyval.c
//! `keyval_parse`). In both, `,,` in a value is one comma, the last of several values for one name
//! takes effect, and a first word without `=` is the value of an implied name.

mod edit;
mod parse;

use std::ops::Range;

pub use edit::Value;
pub use parse::Syntax;

/// A parsed list of names and values, with their spans in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionList<'t> {
    text: &'t str,
    entries: Vec<Entry>,
    /// The byte offset of the closing brace in the JSON form; `None` in the plain form.
    brace: Option<usize>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    value: String,
    /// The span to replace to change the value.
    span: Range<usize>,
    /// Whether it is a switch, whose span is the whole word because it has no separate value.
    is_switch: bool,
}

impl OptionList<'_> {
    /// The value of a name; the last one if there are several, as in QEMU.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().rfind(|entry| entry.name == name).map(|entry| entry.value.as_str())
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.value.as_str()))
    }

    /// All names and values, in order, each with whether the value is a JSON string; `None` in the
    /// plain form.
    pub fn iter_with_string_flag(&self) -> impl Iterator<Item = (&str, &str, Option<bool>)> {
        self.entries.iter().map(|entry| {
            let is_string =
                self.brace.map(|_| self.text[entry.span.clone()].starts_with(['"', '\'']));
            (entry.name.as_str(), entry.value.as_str(), is_string)
        })
    }
}
