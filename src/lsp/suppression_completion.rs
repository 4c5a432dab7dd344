//! The names of rules in what a document says is to be ignored, in text that need not be whole:
//! somebody is typing it.

use std::fmt::Write as _;
use std::ops::Range;

use super::context::{CursorContext, Part};
use super::hover::Suggestion;
use crate::rules::Rule;
use crate::rules::docs::{Markup, page};
use crate::xml::COMMENT_MARK;

/// Where the name stands that is being written at a byte offset, in the brackets of a comment or in
/// the metadata; None elsewhere.
pub fn name_at(text: &str, offset: usize, spot: Option<&CursorContext>) -> Option<Range<usize>> {
    match spot {
        Some(CursorContext { path, part: Part::Value(attribute, span), .. }) => {
            (attribute == "rule" && path.last().is_some_and(|name| name == "gvtg:ignore"))
                .then(|| span.clone())
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

/// The names that can stand there.
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

/// What a name means: a rule's page, or which rules a group has.
pub fn meaning(name: &str, rules: &[&Rule], markup: Markup) -> Option<String> {
    if let Some(rule) = rules.iter().find(|rule| rule.is_named(name)) {
        return Some(page(rule, markup));
    }
    let mut text = format!("All rules in group {name}\n\n");
    let of_group: Vec<&&Rule> = rules.iter().filter(|rule| rule.group.name() == name).collect();
    for rule in &of_group {
        let summary = if markup == Markup::Markdown {
            rule.summary.replace('<', "\\<")
        } else {
            rule.summary.to_string()
        };
        let _ = writeln!(text, "- {}: {summary}", rule.id);
    }
    (!of_group.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::context::spot;
    use super::*;
    use crate::rules::builtin;

    /// The name at the `|`.
    fn at(marked: &str) -> String {
        let (text, offset) = (marked.replace('|', ""), marked.find('|').unwrap());
        name_at(&text, offset, spot(&text, offset).as_ref())
            .map_or("none".into(), |span| format!("<{}>", &text[span]))
    }

    #[test]
    fn the_name_in_brackets_is_found_while_it_is_written() {
        assert_eq!(at("<a><!-- gvtg-xml: ignore[|"), "<>");
        assert_eq!(at("<a><!-- gvtg-xml: ignore[str|ay-video, b] c --></a>"), "<stray-video>");
        assert_eq!(at("<a><!-- gvtg-xml: ignore-file[a, |] c --></a>"), "<>");
        assert_eq!(at("<a><!-- gvtg-xml: ignore[a,b|\n<c/></a>"), "<b>");
        assert_eq!(at("<a><!-- gvtg-xml: ignore[|é"), "<>");
        assert_eq!(
            at("<metadata><g:ignore xmlns:g='urn:gvtg-xml:1' rule='stray|'>x</g:ignore>"),
            "<stray>"
        );
    }

    #[test]
    fn nothing_else_is_such_a_name() {
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
            assert_eq!(at(marked), "none", "{marked}");
        }
    }

    #[test]
    fn rules_and_groups_have_a_meaning() {
        let rules: Vec<&Rule> = builtin().iter().collect();
        let meant = |name: &str| meaning(name, &rules, Markup::Plain);
        assert!(
            meant("stray-video")
                .is_some_and(|page| page.starts_with("stray-video (warning, group display)"))
        );
        assert!(meant("display").is_some_and(|text| text.contains("\n- stray-graphics: ")));
        assert_eq!(meant("no-such-rule"), None);
        let names = names(&rules);
        assert!(names.len() > rules.len() && names.iter().any(|name| name.value == "vgpu"));
    }
}
