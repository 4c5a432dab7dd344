//! What is known of the place at the cursor: what it means, and which values can stand there.

use std::fmt::Write as _;

use super::context::{CursorContext, Part};
use crate::element_docs;
use crate::property::{self, PropertyType};
use crate::rules::Rule;
use crate::rules::docs::Markup;
use crate::rules::path::{Axis, Name, Path};
use crate::rules::schema::Check;

/// A value that can stand at the cursor, and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The value.
    pub value: String,
    /// What it is good for; empty where nothing is to be said.
    pub detail: String,
}

/// These pages, one below the other.
pub fn joined(pages: impl IntoIterator<Item = String>, markup: Markup) -> String {
    let between = if markup == Markup::Markdown { "\n---\n\n" } else { "\n\n" };
    pages.into_iter().collect::<Vec<_>>().join(between)
}

/// What an element or an attribute means, and which rules are about it; None where nothing is known
/// of it.
pub fn meaning(spot: &CursorContext, rules: &[&Rule], markup: Markup) -> Option<String> {
    let attribute = match &spot.part {
        Part::Name(_) => "",
        Part::Attribute(name, _) | Part::Value(name, _) => name,
    };
    let word = element_docs::find(&spot.path, attribute);
    let about: Vec<&&Rule> = rules.iter().filter(|rule| is_about(rule, spot, attribute)).collect();
    if word.is_none() && about.is_empty() {
        return None;
    }
    let name = spot.path.last().map_or("", String::as_str);
    let name = if attribute.is_empty() {
        format!("<{name}>")
    } else {
        format!("<{name} {attribute}='…'>")
    };
    let is_markdown = markup == Markup::Markdown;
    let mut text = if is_markdown { format!("`{name}`\n") } else { format!("{name}\n") };
    if let Some(word) = word {
        let meaning =
            if is_markdown { word.meaning.replace('<', "\\<") } else { word.meaning.to_owned() };
        let _ = writeln!(text, "\n{meaning}");
    }
    for (index, rule) in about.into_iter().enumerate() {
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

/// The values that can stand at the cursor, those that a rule allows first.
pub fn suggestions(spot: &CursorContext, rules: &[&Rule]) -> Vec<Suggestion> {
    let Part::Value(attribute, _) = &spot.part else { return Vec::new() };
    let element = spot.path.last().map_or("", String::as_str);
    let mut found: Vec<Suggestion> = Vec::new();
    let mut add = |value: &str, detail: &str| {
        if !found.iter().any(|known| known.value == value) {
            found.push(Suggestion { value: value.to_owned(), detail: detail.to_owned() });
        }
    };
    for rule in rules
        .iter()
        .filter(|rule| attribute_of(rule) == Some(attribute) && selects(rule, &spot.path))
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
    let sibling = |name: &str| {
        spot.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    };
    match (element, attribute.as_str()) {
        ("qemu:property", "name") => property::names()
            .for_each(|name| add(name, property::type_of(name).map_or("", PropertyType::name))),
        ("qemu:property", "type") => {
            if let Some(kind) = property::type_of(sibling("name")) {
                add(kind.name(), &format!("type of {}", sibling("name")));
            }
        }
        ("qemu:property", "value") => match property::type_of(sibling("name")) {
            Some(PropertyType::Bool) => ["true", "false"].iter().for_each(|value| add(value, "")),
            Some(PropertyType::String) if sibling("name") == "display" => {
                ["on", "off", "auto"].iter().for_each(|value| add(value, ""))
            }
            _ => {}
        },
        ("qemu:env", "value") => match sibling("name") {
            "DISPLAY" => add(":0", "the first X display"),
            "GDK_SCALE" => add("1.0", "no scaling"),
            _ => {}
        },
        _ => {}
    }
    let word = element_docs::find(&spot.path, attribute);
    word.into_iter().flat_map(|word| word.values).for_each(|value| add(value, ""));
    found
}

/// Whether a rule is about this element or attribute, or about the property or variable that the
/// tag names.
fn is_about(rule: &Rule, spot: &CursorContext, attribute: &str) -> bool {
    let named =
        spot.attributes.iter().find(|(name, _)| name == "name").map(|(_, value)| value.as_str());
    match (&rule.check, spot.path.last().map_or("", String::as_str)) {
        (Check::Property { name, .. }, "qemu:property") => named == Some(name),
        (Check::Property { name, .. }, "hostdev") => name == attribute,
        (Check::Environment { name, .. }, "qemu:env") => named == Some(name),
        _ => selects(rule, &spot.path) && attribute_of(rule).unwrap_or("") == attribute,
    }
}

/// The attribute that a rule checks.
fn attribute_of(rule: &Rule) -> Option<&str> {
    match &rule.check {
        Check::Attribute { name, .. } => Some(name),
        Check::Unique { attribute, of: None } | Check::Reference { attribute, .. } => {
            Some(attribute)
        }
        _ => None,
    }
}

/// The values that a rule allows; none where it doesn't list them.
fn allowed(rule: &Rule) -> &[crate::rules::path::Text] {
    match &rule.check {
        Check::Attribute { one_of, .. } => one_of,
        _ => &[],
    }
}

/// Whether a rule looks at elements with this path. What must hold for them besides doesn't matter:
/// somebody is writing it.
fn selects(rule: &Rule, names: &[String]) -> bool {
    let is_path = |path: &Path| {
        let steps = path.steps.iter().map(|step| match (&step.axis, &step.name) {
            (Axis::Child, Name::Plain(name)) => Some(name.to_string()),
            (Axis::Child, Name::Qemu(name)) => Some(format!("qemu:{name}")),
            // `*`, `//` and `..` are about no element in particular.
            _ => None,
        });
        steps.eq(names.iter().map(|name| Some(name.clone())))
    };
    rule.select.as_ref().is_some_and(|select| select.paths.iter().any(is_path))
}

#[cfg(test)]
mod tests {
    use super::super::context::spot;
    use super::*;
    use crate::rules::builtin;

    fn rules() -> Vec<&'static Rule> {
        builtin().iter().collect()
    }

    /// What is suggested at the `|`.
    fn suggested(marked: &str) -> Vec<String> {
        let spot = spot(&marked.replace('|', ""), marked.find('|').unwrap()).unwrap();
        suggestions(&spot, &rules()).into_iter().map(|suggestion| suggestion.value).collect()
    }

    fn meant(marked: &str) -> Option<String> {
        meaning(
            &spot(&marked.replace('|', ""), marked.find('|').unwrap()).unwrap(),
            &rules(),
            Markup::Plain,
        )
    }

    #[test]
    fn values_that_rules_allow_are_suggested_in_tags_that_are_not_whole_too() {
        let hostdev =
            |tag: &str| suggested(&format!("<domain><devices><hostdev type='mdev' {tag}"));
        assert_eq!(hostdev("managed='|' mode='subsystem'/></devices></domain>"), ["yes", "no"]);
        assert_eq!(hostdev("mode='sub|"), ["subsystem"]);
        assert_eq!(hostdev("model='|"), ["vfio-pci"]);
        assert_eq!(hostdev("display='|'>"), ["off", "on"]);
        assert_eq!(hostdev("ramfb='|'>"), ["on", "off"]);
        assert_eq!(hostdev("startupPolicy='|'>"), [""; 0]);
        assert_eq!(suggested("<domain type='|'>"), ["kvm"]);
        assert_eq!(suggested("<volume type='|'>"), [""; 0]);
    }

    #[test]
    fn properties_variables_and_types_are_suggested() {
        let property = |tag: &str| {
            suggested(&format!(
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
            suggested("<domain><qemu:commandline><qemu:env name='|'/>"),
            ["DISPLAY", "GDK_SCALE", "NO_AT_BRIDGE", "DBUS_SESSION_BUS_ADDRESS"]
        );
        assert_eq!(
            suggested("<domain><qemu:commandline><qemu:env name='DISPLAY' value='|'/>"),
            [":0"]
        );
        let types =
            suggested("<domain><metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='|'/>");
        assert_eq!(types[0], "i915-GVTg_V5_4");
    }

    #[test]
    fn what_a_rule_knows_has_a_meaning() {
        let managed = meant("<domain><devices><hostdev type='mdev' mana|ged='maybe'/>").unwrap();
        assert!(
            managed.contains("invalid-vgpu-managed") && managed.contains("(allowed: yes, no)"),
            "{managed}"
        );
        let graphics = meant("<domain><devices><graph|ics/>").unwrap();
        assert!(
            graphics.starts_with("<graphics>\n\nHow the guest's screen")
                && graphics.contains("stray-graphics"),
            "{graphics}"
        );
        let opregion = meant("<domain><qemu:override><qemu:device><qemu:frontend><qemu:property name='x-igd-|opregion'/>").unwrap();
        assert!(
            opregion.contains("missing-opregion") && !opregion.contains("missing-ramfb"),
            "{opregion}"
        );
        assert!(
            meant("<domain><qemu:commandline><qemu:env name='DISPLAY' val|ue=''/>")
                .unwrap()
                .contains("missing-display-env")
        );
        assert_eq!(meant("<domain><na|me/>"), None);
        assert_eq!(meant("<domain><devices><disk type='fi|le'/>"), None);
    }
}
