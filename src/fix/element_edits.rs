//! Edits of an element's own attributes, text and prefix.

use super::edit_builder::EditBuilder;
use crate::qemu::property::{PropertyType, written_type_of};
use crate::qemu::{OptionList, Syntax, Value};
use crate::text::Edit;
use crate::xml::Element;
use crate::xml::fragment::{escape_attribute, escape_text};

impl<'c, 'd> EditBuilder<'c, 'd> {
    /// Sets an attribute, or removes it if there is no value. The first change to an attribute
    /// wins.
    pub(super) fn set_attribute(
        &mut self,
        element: Element<'d>,
        name: &'c str,
        value: Option<&String>,
    ) {
        if !self.attributes.insert((element.id(), name)) {
            return;
        }
        let text = self.text();
        let edit = match (element.attribute_place(name), value) {
            (Some(place), Some(value)) => {
                let quote = if text[place.value.end..].starts_with('"') { '"' } else { '\'' };
                Edit { range: place.value, text: escape_attribute(value, quote) }
            }
            (None, Some(value)) => {
                let at = element.start_tag().attributes_end(text);
                let quote = self.style.quote;
                Edit {
                    range: at..at,
                    text: format!(" {name}={quote}{}{quote}", escape_attribute(value, quote)),
                }
            }
            (Some(place), None) => {
                let start =
                    text[..place.name.start].trim_end_matches([' ', '\t', '\n', '\r']).len();
                Edit { range: start..place.span().end, text: String::new() }
            }
            (None, None) => return,
        };
        // A correct value is not touched.
        if text[edit.range.clone()] != edit.text {
            self.edits.push(edit);
        }
    }

    /// Replaces an element's content with a text.
    pub(super) fn set_text(&mut self, element: Element<'d>, text: &str) {
        let tag = element.start_tag();
        let name = &self.text()[tag.name.clone()];
        let edit = match tag.self_closing {
            true => Edit {
                range: tag.span.end - 2..tag.span.end,
                text: format!(">{}</{name}>", escape_text(text)),
            },
            false => Edit { range: element.content(), text: escape_text(text) },
        };
        self.edits.push(edit);
    }

    /// Replaces the prefix (with its colon) of an element's tags.
    pub(super) fn set_prefix(&mut self, element: Element<'d>, prefix: &str) {
        let (tag, content, span) = (element.start_tag(), element.content(), element.span());
        let length = element.written_prefix().len();
        let mut replace = |start: usize| {
            self.edits.push(Edit { range: start..start + length, text: prefix.to_owned() })
        };
        replace(tag.name.start);
        if !tag.self_closing && content.end + 2 < span.end {
            replace(content.end + 2);
        }
        self.prefix_set = true;
    }
}

/// Returns the operand of `-device` with this property set (`true`/`false` for a bool); an operand
/// that QEMU cannot parse is returned unchanged.
pub(super) fn with_device_property(operand: &str, name: &str, value: &str) -> String {
    let written = match written_type_of(name) {
        Some(PropertyType::Bool) => Value::Switch(value == "true"),
        Some(PropertyType::Unsigned | PropertyType::Signed) => Value::Number(value),
        Some(PropertyType::String) | None => Value::Text(value),
    };
    OptionList::parse(operand, Syntax::DEVICE)
        .map_or_else(|_| operand.to_owned(), |list| list.with_option(name, written))
}
