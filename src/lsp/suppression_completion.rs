//! Completion and documentation of rule names in suppressions, in incomplete XML.

use std::fmt::Write as _;
use std::ops::Range;

use super::context::{CursorContext, Part};
use super::hover::Suggestion;
use crate::rules::Rule;
use crate::rules::docs::{Markup, page};
use crate::xml::COMMENT_MARK;

/// Finds the rule name at a byte offset, in the brackets of a suppression comment or in the
/// metadata, and returns its byte range.
pub fn name_at(
    text: &str,
    offset: usize,
    cursor_context: Option<&CursorContext>,
) -> Option<Range<usize>> {
    match cursor_context {
        Some(CursorContext { path, part: Part::Value(attribute, span), .. }) => {
            let is_ignore_element = path.last().is_some_and(|name| name == "gvtg:ignore");
            if attribute == "rule" && is_ignore_element { Some(span.clone()) } else { None }
        }
        Some(_) => None,
        None => in_comment(text, offset),
    }
}

fn in_comment(text: &str, offset: usize) -> Option<Range<usize>> {
    let before = &text[..offset];
    let inside = &before[before.rfind("<!--")? + "<!--".len()..];
    if inside.contains("-->") || !inside.trim_start().starts_with(COMMENT_MARK) {
        return None;
    }
    let (_, list) = inside.split_once('[')?;
    if list.contains(']') {
        return None;
    }
    let name = list.rsplit(',').next().unwrap_or(list).trim_start();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let end = text[offset..].find(|c| !is_part(c)).map_or(text.len(), |length| offset + length);
    Some(offset - name.len()..end)
}

/// The rules and groups that can be suppressed.
pub fn names(rules: &[&Rule]) -> Vec<Suggestion> {
    let ids = rules
        .iter()
        .map(|rule| Suggestion { value: rule.id.to_string(), detail: rule.summary.to_string() });
    let mut all: Vec<Suggestion> = ids.collect();
    all.sort_by(|left, right| left.value.cmp(&right.value));
    for group in rules.iter().map(|rule| rule.group.name()) {
        if !all.iter().any(|known| known.value == group) {
            all.push(Suggestion {
                value: group.to_owned(),
                detail: format!("All rules in group {group}"),
            });
        }
    }
    all
}

/// The documentation of a name: the rule's page, or the rules of a group.
pub fn documentation(name: &str, rules: &[&Rule], markup: Markup) -> Option<String> {
    if let Some(rule) = rules.iter().find(|rule| rule.is_named(name)) {
        return Some(page(rule, markup));
    }
    let mut text = format!("All rules in group {name}\n\n");
    let group_rules: Vec<&&Rule> = rules.iter().filter(|rule| rule.group.name() == name).collect();
    for rule in &group_rules {
        let summary = if markup == Markup::Markdown {
            rule.summary.replace('<', "\\<")
        } else {
            rule.summary.to_string()
        };
        let _ = writeln!(text, "- {}: {summary}", rule.id);
    }
    if group_rules.is_empty() { None } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::super::context::context_at;
    use super::*;
    use crate::rules::builtin;

    /// The rule name at the `|`.
    fn name_at_mark(marked: &str) -> String {
        let (text, offset) = (marked.replace('|', ""), marked.find('|').unwrap());
        name_at(&text, offset, context_at(&text, offset).as_ref())
            .map_or("none".into(), |span| format!("<{}>", &text[span]))
    }

    #[test]
    fn finds_the_incomplete_name() {
        assert_eq!(name_at_mark("<a><!-- gvtg-xml: ignore[|"), "<>");
        assert_eq!(
            name_at_mark("<a><!-- gvtg-xml: ignore[str|ay-video, b] c --></a>"),
            "<stray-video>"
        );
        assert_eq!(name_at_mark("<a><!-- gvtg-xml: ignore-file[a, |] c --></a>"), "<>");
        assert_eq!(name_at_mark("<a><!-- gvtg-xml: ignore[a,b|\n<c/></a>"), "<b>");
        assert_eq!(name_at_mark("<a><!-- gvtg-xml: ignore[|é"), "<>");
        assert_eq!(
            name_at_mark("<metadata><g:ignore xmlns:g='urn:gvtg-xml:1' rule='stray|'>x</g:ignore>"),
            "<stray>"
        );
    }

    #[test]
    fn finds_no_name_elsewhere() {
        for marked in [
            "<a><!-- gvtg-xml: ignore[a] b [c|] -->",
            "<a><!-- gvtg-xml: ign|ore[a] b -->",
            "<a><!-- gvtg-xml: ignore[a] b -->[|",
            "<a><!-- see gvtg-xml: ignore[a|] b -->",
            "<a>gvtg-xml: ignore[a|] b",
            "<a rule='|'/>",
            "<metadata><g:ignore xmlns:g='urn:gvtg-xml:1' ru|le='stray'>x</g:ignore>",
            "|",
        ] {
            assert_eq!(name_at_mark(marked), "none", "{marked}");
        }
    }

    #[test]
    fn documents_rules_and_groups() {
        let rules: Vec<&Rule> = builtin().iter().collect();
        let documentation_of = |name: &str| documentation(name, &rules, Markup::Plain);
        assert!(
            documentation_of("stray-video")
                .is_some_and(|page| page.starts_with("stray-video (warning, group display)"))
        );
        assert!(
            documentation_of("display").is_some_and(|text| text.contains("\n- stray-graphics: "))
        );
        assert_eq!(documentation_of("no-such-rule"), None);
        let names = names(&rules);
        assert!(names.len() > rules.len() && names.iter().any(|name| name.value == "vgpu"));
    }
}
