//! Inserts elements and comments, each on a line of its own if the others have theirs.

use super::{MAX_CHILDREN_SAMPLED, indentation, short};
use crate::text::{BOM, Edit};
use crate::xml::fragment::Style;
use crate::xml::{COMMENT_MARK, Element};

/// Reindents a piece of the text, which began at `at`, for its new place.
pub fn reindented(text: &str, at: usize, piece: &str, indent: &str) -> String {
    let start = text.len() - text[at..].trim_start().len();
    let old = indentation(text, start).unwrap_or("");
    let lines = piece.trim().split_inclusive('\n').enumerate().map(|(index, line)| {
        match line.strip_prefix(old) {
            Some(rest) if index > 0 && !rest.trim().is_empty() => format!("{indent}{rest}"),
            _ => line.to_owned(),
        }
    });
    lines.collect()
}

/// Returns the edit that inserts `new` directly before what begins at `at`; on a line of its own if
/// `at` begins a line.
pub fn insert_before(style: &Style, text: &str, at: usize, new: &str) -> Edit {
    // A byte order mark does not count as part of the line.
    let is_first = text[..at].strip_prefix(BOM).unwrap_or(&text[..at]).is_empty();
    let indent = if is_first { Some("") } else { indentation(text, at) };
    let text = match indent {
        Some(indent) if !style.newline.is_empty() => format!("{new}{}{indent}", style.newline),
        _ => new.to_owned(),
    };
    Edit { range: at..at, text }
}

/// The place of a new child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InsertionPoint<'d> {
    /// Directly after this child.
    After(Element<'d>),
    /// Before all other children.
    First,
}

/// Returns the indentation that children of `parent` have or should have.
pub fn child_indentation(style: &Style, text: &str, parent: Element<'_>) -> String {
    if style.newline.is_empty() {
        return String::new();
    }
    match parent
        .children()
        .take(MAX_CHILDREN_SAMPLED)
        .find_map(|child| indentation(text, child.span().start))
    {
        Some(indent) => indent.to_owned(),
        None => format!("{}{}", element_indentation(parent), style.unit),
    }
}

fn element_indentation<'d>(element: Element<'d>) -> &'d str {
    let (document, start) = (element.document(), element.span().start);
    let rest = document.text()[document.source().line_start(start)..start].trim_start_matches(BOM);
    short(&rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()])
}

/// Returns the edits that insert children, already written with `indent`, into `parent`.
pub fn insertion(
    style: &Style,
    text: &str,
    parent: Element<'_>,
    place: InsertionPoint<'_>,
    children: &[String],
    indent: &str,
) -> Vec<Edit> {
    let lines: String =
        children.iter().map(|child| format!("{}{indent}{child}", style.newline)).collect();
    let close_line = format!(
        "{}{}",
        style.newline,
        if style.newline.is_empty() { "" } else { element_indentation(parent) }
    );
    let tag = parent.start_tag();
    if tag.self_closing {
        let name = &text[tag.name.clone()];
        let slash = tag.span.end - 2;
        let blank = slash - text[..slash].trim_end_matches([' ', '\t', '\r', '\n']).len();
        return vec![Edit {
            range: slash - blank..tag.span.end,
            text: format!(">{lines}{close_line}</{name}>"),
        }];
    }
    let at = match place {
        InsertionPoint::After(child) => after_comments(text, child.span().end),
        InsertionPoint::First => tag.span.end,
    };
    let rest = text[at..].trim_start_matches([' ', '\t']);
    let after_blanks = text.len() - rest.len();
    let (range, tail) = match rest {
        _ if style.newline.is_empty() => (at..at, String::new()),
        // White space at the end of the line stays where it is.
        _ if rest.starts_with(['\n', '\r']) => (after_blanks..after_blanks, String::new()),
        // Whatever follows on the same line moves to a line of its own.
        _ if rest.starts_with("</") => (at..after_blanks, close_line),
        _ => (at..after_blanks, format!("{}{indent}", style.newline)),
    };
    vec![Edit { range, text: lines + &tail }]
}

/// Returns the offset after the comments on the same line: they belong to what precedes them. A
/// comment that addresses this program belongs to what follows it.
fn after_comments(text: &str, at: usize) -> usize {
    let mut end = at;
    loop {
        let rest = text[end..].trim_start_matches([' ', '\t']);
        if rest
            .strip_prefix("<!--")
            .is_some_and(|inside| inside.trim_start().starts_with(COMMENT_MARK))
        {
            return end;
        }
        let Some(length) = rest
            .strip_prefix("<!--")
            .and_then(|comment| comment.find("-->"))
            .map(|length| length + 7)
        else {
            return if rest.starts_with(['\n', '\r']) { end } else { at };
        };
        let start = text.len() - rest.len();
        if text[start..start + length].contains('\n') {
            return at;
        }
        end = start + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::layout::style;
    use crate::text::Edits;
    use crate::xml::read;

    fn insert(text: &str, after: Option<&str>) -> String {
        read(text, |document| {
            let style = style(document);
            let parent = document.root();
            let place = after.map_or(InsertionPoint::First, |name| {
                InsertionPoint::After(parent.children().rfind(|child| child.is(name)).unwrap())
            });
            let indent = child_indentation(&style, text, parent);
            let edits =
                insertion(&style, text, parent, place, &["<x/>".into(), "<y/>".into()], &indent);
            Edits::new(edits).unwrap().apply(text)
        })
        .unwrap()
    }

    #[test]
    fn inserts_children_on_new_lines_if_the_others_have_theirs() {
        assert_eq!(insert("<a>\n\t<b/>\n</a>\n", Some("b")), "<a>\n\t<b/>\n\t<x/>\n\t<y/>\n</a>\n");
        assert_eq!(insert("<a>\n  <b/>\n</a>", None), "<a>\n  <x/>\n  <y/>\n  <b/>\n</a>");
        assert_eq!(
            insert("<a>\n  <b/> <!-- b -->\n</a>", Some("b")),
            "<a>\n  <b/> <!-- b -->\n  <x/>\n  <y/>\n</a>"
        );
        assert_eq!(
            insert("<a>\n  <b/>  \t\n</a>", Some("b")),
            "<a>\n  <b/>  \t\n  <x/>\n  <y/>\n</a>"
        );
        assert_eq!(
            insert("<a>\n  <b/> <!-- b -->  \n</a>", Some("b")),
            "<a>\n  <b/> <!-- b -->  \n  <x/>\n  <y/>\n</a>"
        );
        assert_eq!(
            insert("<a> \r\n  <b/>\r\n</a>", None),
            "<a> \r\n  <x/>\r\n  <y/>\r\n  <b/>\r\n</a>"
        );
        assert_eq!(
            insert("<a>\n  <b/> <c/>\n</a>", Some("b")),
            "<a>\n  <b/>\n  <x/>\n  <y/>\n  <c/>\n</a>"
        );
        let ours = "<!-- gvtg-xml: ignore[r] c -->";
        let before_c = insert(&format!("<a>\n  <b/> <!-- b --> {ours}\n  <c/>\n</a>"), Some("b"));
        assert_eq!(
            before_c,
            format!("<a>\n  <b/> <!-- b -->\n  <x/>\n  <y/>\n  {ours}\n  <c/>\n</a>"),
            "it stays before <c/>"
        );
        assert_eq!(insert("<a>\r\n</a>", None), "<a>\r\n  <x/>\r\n  <y/>\r\n</a>");
        assert_eq!(insert("<a>\n</a>\n", None), "<a>\n  <x/>\n  <y/>\n</a>\n");
        assert_eq!(
            insert("<?xml version='1.0'?>\n<a></a>\n", None),
            "<?xml version='1.0'?>\n<a><x/><y/></a>\n"
        );
        assert_eq!(
            insert("<!-- one -->\r\n<a />\r\n", None),
            "<!-- one -->\r\n<a><x/><y/></a>\r\n"
        );
        assert_eq!(insert("<a><b>1\n2</b></a>\n", Some("b")), "<a><b>1\n2</b><x/><y/></a>\n");
        assert_eq!(
            insert("<a\n  k='v'><b/></a>\n", Some("b")),
            "<a\n  k='v'><b/><x/><y/></a>\n",
            "a line break in a tag makes no lines"
        );
        assert_eq!(insert("<a><b/></a>", Some("b")), "<a><b/><x/><y/></a>");
        assert_eq!(insert("<a/>", None), "<a><x/><y/></a>");
    }

    #[test]
    fn inserts_on_a_new_line_before_an_element_that_begins_one() {
        let with_comment = |text: &str, what: &str| {
            let style = read(text, style).unwrap();
            Edits::new(vec![insert_before(&style, text, text.find(what).unwrap(), "<!-- x -->")])
                .unwrap()
                .apply(text)
        };
        assert_eq!(
            with_comment("<a>\r\n\t<b/>\r\n</a>", "<b"),
            "<a>\r\n\t<!-- x -->\r\n\t<b/>\r\n</a>"
        );
        assert_eq!(with_comment("<a>\n  <c/><b/>\n</a>", "<b"), "<a>\n  <c/><!-- x --><b/>\n</a>");
        assert_eq!(with_comment("<a><b/></a>\n", "<b"), "<a><!-- x --><b/></a>\n");
        assert_eq!(
            with_comment("\u{feff}<a>\n  <b/>\n</a>", "<a"),
            "\u{feff}<!-- x -->\n<a>\n  <b/>\n</a>"
        );
        assert_eq!(
            with_comment("<?xml version='1.0'?>\n<a>\n  <b/>\n</a>", "<a"),
            "<?xml version='1.0'?>\n<!-- x -->\n<a>\n  <b/>\n</a>"
        );
    }
}
