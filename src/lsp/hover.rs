//! Documentation and completions for the element or attribute at the cursor.

use std::fmt::Write as _;

use super::context::{CursorContext, Part};
use crate::lsp::element_docs;
use crate::qemu::property::{self, PropertyType};
use crate::rules::Rule;
use crate::rules::docs::Markup;
use crate::rules::path::{Axis, Name, Path};
use crate::rules::schema::Check;

/// A completion for an attribute's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The value.
    pub value: String,
    /// A description; empty if there is none.
    pub detail: String,
}

/// Joins pages with separators.
pub fn join_pages(pages: impl IntoIterator<Item = String>, markup: Markup) -> String {
    let separator = if markup == Markup::Markdown { "\n---\n\n" } else { "\n\n" };
    pages.into_iter().collect::<Vec<_>>().join(separator)
}

/// Builds the documentation of an element or attribute with the rules that check it; `None` if
/// there is none.
pub fn documentation(
    cursor_context: &CursorContext,
    rules: &[&Rule],
    markup: Markup,
) -> Option<String> {
    let attribute = match &cursor_context.part {
        Part::Name(_) => "",
        Part::Attribute(name, _) | Part::Value(name, _) => name,
    };
    let doc = element_docs::find(&cursor_context.path, attribute);
    let rules_about: Vec<&&Rule> =
        rules.iter().filter(|rule| is_about(rule, cursor_context, attribute)).collect();
    if doc.is_none() && rules_about.is_empty() {
        return None;
    }
    let name = cursor_context.path.last().map_or("", String::as_str);
    let name = if attribute.is_empty() {
        format!("<{name}>")
    } else {
        format!("<{name} {attribute}='…'>")
    };
    let is_markdown = markup == Markup::Markdown;
    let mut text = if is_markdown { format!("`{name}`\n") } else { format!("{name}\n") };
    if let Some(doc) = doc {
        let meaning =
            if is_markdown { doc.meaning.replace('<', "\\<") } else { doc.meaning.to_owned() };
        let _ = writeln!(text, "\n{meaning}");
    }
    for (index, rule) in rules_about.into_iter().enumerate() {
        let summary =
            if is_markdown { rule.summary.replace('<', "\\<") } else { rule.summary.to_string() };
        let id = if is_markdown { format!("`{}`", rule.id) } else { rule.id.to_string() };
        let _ = write!(text, "{}- {id}: {summary}", if index == 0 { "\n" } else { "" });
        let allowed: Vec<&str> = allowed(rule).iter().map(|value| &**value).collect();
        if !attribute.is_empty() && !allowed.is_empty() {
            let _ = write!(text, " (allowed: {})", allowed.join(", "));
        }
        text.push('\n');
    }
    Some(text)
}

/// The values for the attribute at the cursor; those that a rule allows come first.
pub fn suggestions(cursor_context: &CursorContext, rules: &[&Rule]) -> Vec<Suggestion> {
    let Part::Value(attribute, _) = &cursor_context.part else { return Vec::new() };
    let element = cursor_context.path.last().map_or("", String::as_str);
    let mut suggestions: Vec<Suggestion> = Vec::new();
    let mut add = |value: &str, detail: &str| {
        if !suggestions.iter().any(|known| known.value == value) {
            suggestions.push(Suggestion { value: value.to_owned(), detail: detail.to_owned() });
        }
    };
    for rule in rules
        .iter()
        .filter(|rule| attribute_of(rule) == Some(attribute) && selects(rule, &cursor_context.path))
    {
        allowed(rule).iter().for_each(|value| add(value, &format!("allowed by {}", rule.id)));
    }
    for rule in rules {
        match &rule.check {
            Check::Environment { name, .. }
                if (element, attribute.as_str()) == ("qemu:env", "name") =>
            {
                add(name, &rule.summary)
            }
            Check::Property { name, .. }
                if (element, attribute.as_str()) == ("qemu:property", "name") =>
            {
                add(name, &rule.summary)
            }
            _ => {}
        }
    }
    let sibling_value = |name: &str| {
        cursor_context
            .attributes
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    };
    match (element, attribute.as_str()) {
        ("qemu:property", "name") => property::names()
            .for_each(|name| add(name, property::type_of(name).map_or("", PropertyType::name))),
        ("qemu:property", "type") => {
            if let Some(kind) = property::type_of(sibling_value("name")) {
                add(kind.name(), &format!("type of {}", sibling_value("name")));
            }
        }
        ("qemu:property", "value") => match property::type_of(sibling_value("name")) {
            Some(PropertyType::Bool) => ["true", "false"].iter().for_each(|value| add(value, "")),
            Some(PropertyType::String) if sibling_value("name") == "display" => {
                ["on", "off", "auto"].iter().for_each(|value| add(value, ""))
            }
            _ => {}
        },
        ("qemu:env", "value") => match sibling_value("name") {
            "DISPLAY" => add(":0", "the first X display"),
            "GDK_SCALE" => add("1.0", "no scaling"),
            _ => {}
        },
        _ => {}
    }
    let doc = element_docs::find(&cursor_context.path, attribute);
    doc.into_iter().flat_map(|doc| doc.values).for_each(|value| add(value, ""));
    suggestions
}

/// Whether a rule checks this element or attribute, or the property or environment variable that
/// the tag names.
fn is_about(rule: &Rule, cursor_context: &CursorContext, attribute: &str) -> bool {
    let name_value = cursor_context
        .attributes
        .iter()
        .find(|(name, _)| name == "name")
        .map(|(_, value)| value.as_str());
    match (&rule.check, cursor_context.path.last().map_or("", String::as_str)) {
        (Check::Property { name, .. }, "qemu:property") => name_value == Some(name),
        (Check::Property { name, .. }, "hostdev") => name == attribute,
        (Check::Environment { name, .. }, "qemu:env") => name_value == Some(name),
        _ => selects(rule, &cursor_context.path) && attribute_of(rule).unwrap_or("") == attribute,
    }
}

/// The attribute that a rule checks, if any.
fn attribute_of(rule: &Rule) -> Option<&str> {
    match &rule.check {
        Check::Attribute { name, .. } => Some(name),
        Check::Unique { attribute, of: None } | Check::Reference { attribute, .. } => {
            Some(attribute)
        }
        _ => None,
    }
}

/// The values that a rule allows; empty if it does not list them.
fn allowed(rule: &Rule) -> &[crate::rules::path::Text] {
    match &rule.check {
        Check::Attribute { one_of, .. } => one_of,
        _ => &[],
    }
}

/// Whether a rule selects elements with this path. Further conditions of its selector are ignored,
/// because the element is still being written.
fn selects(rule: &Rule, names: &[String]) -> bool {
    let is_path = |path: &Path| {
        let steps = path.steps.iter().map(|step| match (&step.axis, &step.name) {
            (Axis::Child, Name::Plain(name)) => Some(name.to_string()),
            (Axis::Child, Name::Qemu(name)) => Some(format!("qemu:{name}")),
            // `*`, `//` and `..` do not refer to a particular element.
            _ => None,
        });
        steps.eq(names.iter().map(|name| Some(name.clone())))
    };
    rule.select.as_ref().is_some_and(|select| select.paths.iter().any(is_path))
}

#[cfg(test)]
mod tests {
    use super::super::context::context_at;
    use super::*;
    use crate::rules::builtin;

    fn rules() -> Vec<&'static Rule> {
        builtin().iter().collect()
    }

    /// The values suggested at the `|`.
    fn suggested_values(marked: &str) -> Vec<String> {
        let cursor_context =
            context_at(&marked.replace('|', ""), marked.find('|').unwrap()).unwrap();
        suggestions(&cursor_context, &rules())
            .into_iter()
            .map(|suggestion| suggestion.value)
            .collect()
    }

    fn documentation_at_mark(marked: &str) -> Option<String> {
        documentation(
            &context_at(&marked.replace('|', ""), marked.find('|').unwrap()).unwrap(),
            &rules(),
            Markup::Plain,
        )
    }

    #[test]
    fn suggests_allowed_values_in_incomplete_tags() {
        let hostdev =
            |tag: &str| suggested_values(&format!("<domain><devices><hostdev type='mdev' {tag}"));
        assert_eq!(hostdev("managed='|' mode='subsystem'/></devices></domain>"), ["yes", "no"]);
        assert_eq!(hostdev("mode='sub|"), ["subsystem"]);
        assert_eq!(hostdev("model='|"), ["vfio-pci"]);
        assert_eq!(hostdev("display='|'>"), ["off", "on"]);
        assert_eq!(hostdev("ramfb='|'>"), ["on", "off"]);
        assert_eq!(hostdev("startupPolicy='|'>"), [""; 0]);
        assert_eq!(suggested_values("<domain type='|'>"), ["kvm"]);
        assert_eq!(suggested_values("<volume type='|'>"), [""; 0]);
    }

    #[test]
    fn suggests_properties_variables_and_types() {
        let property = |tag: &str| {
            suggested_values(&format!(
                "<domain><qemu:override><qemu:device><qemu:frontend><qemu:property {tag}"
            ))
        };
        let names = property("name='|'/>");
        assert!(
            names[..4].contains(&"x-igd-opregion".to_owned()) && names.contains(&"xres".to_owned()),
            "{names:?}"
        );
        assert_eq!(property("name='x-igd-opregion' type='|'/>")[0], "bool");
        assert_eq!(property("name='x-igd-opregion' type='bool' value='|'/>"), ["true", "false"]);
        assert_eq!(property("value='|' name='display'/>"), ["on", "off", "auto"]);
        assert_eq!(
            suggested_values("<domain><qemu:commandline><qemu:env name='|'/>"),
            ["DISPLAY", "GDK_SCALE", "NO_AT_BRIDGE", "DBUS_SESSION_BUS_ADDRESS"]
        );
        assert_eq!(
            suggested_values("<domain><qemu:commandline><qemu:env name='DISPLAY' value='|'/>"),
            [":0"]
        );
        let types = suggested_values(
            "<domain><metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='|'/>",
        );
        assert_eq!(types[0], "i915-GVTg_V5_4");
    }

    #[test]
    fn documents_what_rules_check() {
        let managed =
            documentation_at_mark("<domain><devices><hostdev type='mdev' mana|ged='maybe'/>")
                .unwrap();
        assert!(
            managed.contains("invalid-vgpu-managed") && managed.contains("(allowed: yes, no)"),
            "{managed}"
        );
        let graphics = documentation_at_mark("<domain><devices><graph|ics/>").unwrap();
        assert!(
            graphics.starts_with("<graphics>\n\nHow the guest's screen")
                && graphics.contains("stray-graphics"),
            "{graphics}"
        );
        let opregion = documentation_at_mark("<domain><qemu:override><qemu:device><qemu:frontend><qemu:property name='x-igd-|opregion'/>").unwrap();
        assert!(
            opregion.contains("missing-opregion") && !opregion.contains("missing-ramfb"),
            "{opregion}"
        );
        assert!(
            documentation_at_mark("<domain><qemu:commandline><qemu:env name='DISPLAY' val|ue=''/>")
                .unwrap()
                .contains("missing-display-env")
        );
        assert_eq!(documentation_at_mark("<domain><na|me/>"), None);
        assert_eq!(documentation_at_mark("<domain><devices><disk type='fi|le'/>"), None);
    }
}
