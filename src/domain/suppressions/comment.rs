//! A parser for suppression comments.

use std::ops::Range;

use super::trim_range;
use crate::xml::COMMENT_MARK;

/// A parsed suppression comment, with spans relative to the comment's text.
#[derive(Debug, PartialEq)]
pub(super) struct ParsedComment {
    /// Whether the comment applies to the whole file, not to the next element.
    pub(super) is_for_file: bool,
    /// The byte ranges of the names, none of them empty.
    pub(super) names: Vec<Range<usize>>,
    /// The reason; empty if none is given.
    pub(super) reason: String,
    /// The error if the comment is malformed.
    pub(super) error: Option<String>,
}

impl ParsedComment {
    /// Parses the text of a comment; `None` if it is not addressed to gvtg-xml.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let after_mark = text.trim_start().strip_prefix(COMMENT_MARK)?;
        let Some(instruction) = after_mark.trim_start().strip_prefix(':') else {
            // A comment may mention gvtg-xml without being a suppression.
            let is_suppression = after_mark.starts_with(char::is_whitespace)
                && after_mark.trim_start().starts_with("ignore");
            if !is_suppression {
                return None;
            }
            return Some(ParsedComment::malformed(
                text,
                after_mark,
                "the colon after gvtg-xml is missing",
            ));
        };
        let instruction = instruction.trim_start();
        let keyword_length = instruction
            .find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'))
            .unwrap_or(instruction.len());
        let (keyword, after_keyword) = instruction.split_at(keyword_length);
        if !matches!(keyword, "ignore" | "ignore-file") {
            let problem = if keyword.is_empty() {
                "the keyword is missing; use".to_owned()
            } else {
                format!("'{keyword}' is not a keyword; use")
            };
            let error = format!("{problem} ignore or ignore-file");
            return Some(ParsedComment::malformed(text, instruction, &error));
        }
        let Some(list) = after_keyword.trim_start().strip_prefix('[') else {
            return Some(ParsedComment::malformed(
                text,
                after_keyword,
                "the brackets with the rule are missing",
            ));
        };
        let Some((list, reason)) = list.split_once(']') else {
            return Some(ParsedComment::malformed(
                text,
                after_keyword,
                "the closing bracket is missing",
            ));
        };
        let list_start = offset_in(text, list);
        let ends = list.match_indices(',').map(|(comma, _)| comma).chain([list.len()]);
        let mut name_start = 0;
        let mut names: Vec<Range<usize>> = Vec::new();
        for name_end in ends {
            names.push(trim_range(text, list_start + name_start..list_start + name_end));
            name_start = name_end + 1;
        }
        if names.iter().any(Range::is_empty) {
            return Some(ParsedComment::malformed(
                text,
                after_keyword,
                "a name in the brackets is empty",
            ));
        }
        let reason = reason
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—'))
            .trim_end();
        Some(ParsedComment {
            is_for_file: keyword == "ignore-file",
            names,
            reason: reason.to_owned(),
            error: None,
        })
    }

    /// Builds a malformed comment; `rest` is the part of its text that may name rules, with or
    /// without brackets.
    fn malformed(text: &str, rest: &str, error: &str) -> Self {
        let list =
            rest.split_once('[').map_or(rest, |(_, list)| list.split(']').next().unwrap_or(list));
        let words = list
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .filter(|word| !word.is_empty());
        let names = words.map(|word| {
            let word_start = offset_in(text, word);
            word_start..word_start + word.len()
        });
        let is_for_file =
            rest.trim_start().split('[').next().is_some_and(|word| word.contains("file"));
        ParsedComment {
            is_for_file,
            names: names.collect(),
            reason: String::new(),
            error: Some(error.to_owned()),
        }
    }
}

/// The byte offset of `part`, a slice of `text`, in it.
fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats a parsed comment as one line: its scope, its names, and its reason or error.
    fn format_parsed(text: &str) -> String {
        let Some(ParsedComment { is_for_file, names, reason, error }) = ParsedComment::parse(text)
        else {
            return "none".into();
        };
        let names: Vec<&str> = names.into_iter().map(|name| &text[name]).collect();
        let scope = if is_for_file { "file" } else { "element" };
        format!(
            "{scope} {}: {}",
            names.join("+"),
            error.map_or(reason, |error| format!("! {error}"))
        )
    }

    #[test]
    fn parses_names_and_reason() {
        assert_eq!(
            format_parsed(" gvtg-xml: ignore[stray-video] the installer needs it "),
            "element stray-video: the installer needs it"
        );
        assert_eq!(format_parsed("gvtg-xml:ignore-file[a,b]why"), "file a+b: why");
        assert_eq!(
            format_parsed("\n\tgvtg-xml : ignore [ a ,\n b ] : é [x] - y\n"),
            "element a+b: é [x] - y"
        );
        assert_eq!(format_parsed("gvtg-xml: ignore[a] — why"), "element a: why");
        for without_reason in
            ["gvtg-xml: ignore[a]", "gvtg-xml: ignore[a]  ", "gvtg-xml: ignore[a]: –\n"]
        {
            assert_eq!(format_parsed(without_reason), "element a: ", "{without_reason}");
        }
    }

    #[test]
    fn skips_comments_that_are_not_suppressions() {
        for text in [
            "",
            "x",
            "ignore[a] b",
            "gvtg-xml",
            "gvtg-xml wrote this",
            "gvtg-xmlx: y",
            "see gvtg-xml: ignore[a] b",
        ] {
            assert_eq!(format_parsed(text), "none", "{text}");
        }
    }

    #[test]
    fn reports_malformed_comments_with_their_possible_names() {
        assert_eq!(
            format_parsed("gvtg-xml: ingore[a-b] c"),
            "element a-b: ! 'ingore' is not a keyword; use ignore or ignore-file"
        );
        assert_eq!(
            format_parsed("gvtg-xml: ignore-files[a] c"),
            "file a: ! 'ignore-files' is not a keyword; use ignore or ignore-file"
        );
        assert_eq!(
            format_parsed("gvtg-xml: [a] c"),
            "element a: ! the keyword is missing; use ignore or ignore-file"
        );
        assert_eq!(
            format_parsed("gvtg-xml: ignore a-b, c"),
            "element a-b+c: ! the brackets with the rule are missing"
        );
        assert_eq!(
            format_parsed("gvtg-xml: ignore[a, b"),
            "element a+b: ! the closing bracket is missing"
        );
        assert_eq!(
            format_parsed("gvtg-xml: ignore[] c"),
            "element : ! a name in the brackets is empty"
        );
        assert_eq!(
            format_parsed("gvtg-xml: ignore[a,,b] c"),
            "element a+b: ! a name in the brackets is empty"
        );
        assert_eq!(
            format_parsed("gvtg-xml ignore[a] c"),
            "element a: ! the colon after gvtg-xml is missing"
        );
        assert_eq!(
            format_parsed("gvtg-xml:"),
            "element : ! the keyword is missing; use ignore or ignore-file"
        );
    }
}
