//! Renders a fix as a small diff: removed and added lines, with line numbers.
//!
//! The edits say what changed, so nothing is compared. A line diff such as `similar`'s cannot tell
//! which of several equal lines an edit removes, and has no pieces of lines, which may be megabytes
//! long.

use super::line::{MAX_LINE_CHARS, clipped, window_start};
use crate::text::{Edit, Source};

/// Maximum number of lines shown of a fix.
const MAX_LINES: usize = 8;

/// Maximum number of adjacent removed lines shown in full; of more, only the first ones and the
/// last are shown.
const MAX_REMOVED: usize = 3;

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// 1-based number in the document before the fix; `None` for an added line.
    pub(super) number: Option<usize>,
    pub(super) kind: Kind,
    /// The line's text, sanitized and clipped.
    pub(super) text: String,
}

/// The kind of a line in the diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unchanged,
    Removed,
    Added,
    /// Omitted lines.
    Gap,
}

impl Line {
    fn new(number: Option<usize>, kind: Kind, text: &str) -> Self {
        Line { number, kind, text: clipped(text) }
    }

    fn gap() -> Self {
        Line { number: None, kind: Kind::Gap, text: String::new() }
    }
}

/// Returns the diff of the edits, including the line of the finding, and the number of lines
/// omitted at the end. `finding` is a byte offset.
pub(super) fn lines<'e>(
    source: &Source<'_>,
    edits: impl Iterator<Item = &'e Edit>,
    finding: usize,
) -> (Vec<Line>, usize) {
    let mut finding = Some(source.position(finding).line);
    let mut parts: Vec<Vec<Line>> = Vec::new();
    for hunk in groups(source, edits).iter().map(|group| hunk(source, group)) {
        let last = hunk.iter().rev().find_map(|line| line.number).unwrap_or(0);
        if let Some(number) = finding.take_if(|number| *number <= last) {
            let first = hunk.first().and_then(|line| line.number).unwrap_or(last);
            if number < first {
                parts.push(vec![unchanged_line(source, number)]);
            }
        }
        parts.push(hunk);
    }
    if let Some(number) = finding {
        parts.push(vec![unchanged_line(source, number)]);
    }
    join(parts)
}

/// Concatenates the parts, with a gap where lines of the document are omitted between them.
fn join(parts: Vec<Vec<Line>>) -> (Vec<Line>, usize) {
    let mut lines: Vec<Line> = Vec::new();
    for part in parts {
        let first = part.first().and_then(|line| line.number);
        let last = lines.iter().rev().find_map(|line| line.number);
        if last.zip(first).is_some_and(|(last, first)| first > last + 1) {
            lines.push(Line::gap());
        }
        // A line that is in both parts is shown once.
        let repeated =
            part.first().is_some_and(|line| line.kind == Kind::Unchanged && lines.contains(line));
        lines.extend(part.into_iter().skip(usize::from(repeated)));
    }
    let more = lines.len().saturating_sub(MAX_LINES);
    // A single further line takes no more room than a note that it is omitted.
    if more < 2 {
        return (lines, 0);
    }
    lines.truncate(MAX_LINES);
    if lines.last().is_some_and(|line| line.kind == Kind::Gap) {
        lines.pop();
    }
    (lines, more)
}

/// Returns an unchanged line of the document.
fn unchanged_line(source: &Source<'_>, number: usize) -> Line {
    Line::new(Some(number), Kind::Unchanged, &source.text()[source.line(number)])
}

/// Groups edits that are close to each other.
fn groups<'e>(source: &Source<'_>, edits: impl Iterator<Item = &'e Edit>) -> Vec<Vec<&'e Edit>> {
    let mut groups: Vec<Vec<&Edit>> = Vec::new();
    for edit in edits {
        match groups.last_mut() {
            Some(group) if is_close(source, group, edit) => group.push(edit),
            _ => groups.push(vec![edit]),
        }
    }
    groups
}

/// Whether an edit begins on the last line of the group or the next one, and at most
/// [`MAX_LINE_CHARS`] bytes after its end.
fn is_close(source: &Source<'_>, group: &[&Edit], edit: &Edit) -> bool {
    group.last().is_some_and(|last| {
        let between = &source.text()[last.range.end..edit.range.start];
        between.len() <= MAX_LINE_CHARS && between.matches('\n').count() <= 1
    })
}

/// Returns the changed lines of a group of edits.
fn hunk(source: &Source<'_>, edits: &[&Edit]) -> Vec<Line> {
    let (Some(first), Some(last)) = (edits.first(), edits.last()) else { return Vec::new() };
    let text = source.text();
    let line = source.line(source.position(first.range.start).line);
    let from = window_start(text, &line, first.range.start);
    let to = window_end(source, last.range.end);
    let old = &text[from..to];
    let mut new = String::new();
    let mut copied = from;
    for edit in edits {
        new.push_str(&text[copied..edit.range.start]);
        new.push_str(&edit.text);
        copied = edit.range.end;
    }
    new.push_str(&text[copied..to]);

    // If two lines are equal, the removed one is the one at the edit.
    let common_start = common_prefix(old, &new, first.range.start - from);
    let common_end = common_suffix(&old[common_start..], &new[common_start..], to - last.range.end);
    let removed_text = &old[common_start..old.len() - common_end];
    let added_text = &new[common_start..new.len() - common_end];
    let number = source.position(from + common_start).line;
    let mut lines = Vec::new();
    if removed_text.is_empty() && number > 1 {
        // The preceding line shows where the lines are added.
        lines.push(unchanged_line(source, number - 1));
    }
    let mut removed_lines = removed(removed_text, number);
    let mut added_lines: Vec<Line> =
        added_text.lines().map(|line| Line::new(None, Kind::Added, line)).collect();
    for cut in [&mut removed_lines, &mut added_lines] {
        if let Some(first) = cut.first_mut()
            && common_start == 0
            && from > line.start
        {
            first.text.insert(0, '…');
        }
        if let Some(last) = cut.last_mut()
            && common_end == 0
            && is_cut_at(source, to)
        {
            last.text.push('…');
        }
    }
    lines.extend(removed_lines);
    lines.extend(added_lines);
    lines
}

/// Returns removed lines; `number` is that of the first.
fn removed(removed_text: &str, number: usize) -> Vec<Line> {
    let first: Vec<&str> = removed_text.lines().take(MAX_REMOVED + 1).collect();
    let numbered =
        |(index, line): (usize, &&str)| Line::new(Some(number + index), Kind::Removed, line);
    if first.len() <= MAX_REMOVED {
        return first.iter().enumerate().map(numbered).collect();
    }
    let count = removed_text.lines().count();
    let mut lines: Vec<Line> = first[..MAX_REMOVED - 2].iter().enumerate().map(numbered).collect();
    lines.push(Line::gap());
    let last = removed_text.lines().next_back().unwrap_or("");
    lines.push(Line::new(Some(number + count - 1), Kind::Removed, last));
    lines
}

/// Returns the byte offset at which to stop showing the line of the byte `at`: after its end, or,
/// in a long line, far enough that the text before `at` is visible.
fn window_end(source: &Source<'_>, at: usize) -> usize {
    let number = source.position(at).line;
    if source.line(number).end.saturating_sub(at) <= MAX_LINE_CHARS / 2 {
        return source.line(number + 1).start;
    }
    let mut to = at + MAX_LINE_CHARS / 4;
    while !source.text().is_char_boundary(to) {
        to -= 1;
    }
    to
}

/// Whether the line at this byte continues after it.
fn is_cut_at(source: &Source<'_>, to: usize) -> bool {
    source.line_start(to) < to && source.line(source.position(to).line).end > to
}

/// Returns the length in bytes of the common leading lines that begin before the byte `edit`.
fn common_prefix(left: &str, right: &str, edit: usize) -> usize {
    let mut length = 0;
    for (left, right) in left.split_inclusive('\n').zip(right.split_inclusive('\n')) {
        if left != right || length >= edit {
            break;
        }
        length += left.len();
    }
    length
}

/// Returns the length in bytes of the common trailing lines that end within the last `edit` bytes.
fn common_suffix(left: &str, right: &str, edit: usize) -> usize {
    let mut length = 0;
    for (left, right) in left.split_inclusive('\n').rev().zip(right.split_inclusive('\n').rev()) {
        if left != right || length >= edit {
            break;
        }
        length += left.len();
    }
    length
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    /// Renders the diff of edits, which are given as ranges with their new text; `finding` is a
    /// piece of the text.
    fn diff(text: &str, finding: &str, edits: &[(Range<usize>, &str)]) -> String {
        let source = Source::new("x", text);
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(range, text)| Edit { range: range.clone(), text: (*text).into() })
            .collect();
        let (lines, more) = lines(&source, edits.iter(), text.find(finding).unwrap());
        let shown = lines.iter().map(|line| {
            let number = line.number.map_or(String::new(), |number| number.to_string());
            let sign = match line.kind {
                Kind::Unchanged => ' ',
                Kind::Removed => '-',
                Kind::Added => '+',
                Kind::Gap => '…',
            };
            format!("{number}{sign}{}\n", line.text)
        });
        shown.collect::<String>() + &if more > 0 { format!("{more} more\n") } else { String::new() }
    }

    fn at(text: &str, piece: &str) -> Range<usize> {
        let start = text.find(piece).unwrap();
        start..start + piece.len()
    }

    #[test]
    fn shows_first_and_last_line_of_a_removed_element() {
        let text = "<a>\n  <b>\n    <c/>\n    <c/>\n  </b>\n  <d/>\n</a>\n";
        let range = at(text, "  <b>\n    <c/>\n    <c/>\n  </b>\n");
        assert_eq!(diff(text, "<b>", &[(range, "")]), "2-  <b>\n…\n5-  </b>\n");
        let range = at(text, "\n  <b>\n    <c/>\n    <c/>\n  </b>");
        assert_eq!(
            diff(text, "<b>", &[(range, "")]),
            "2-  <b>\n…\n5-  </b>\n",
            "with the line break before it"
        );
    }

    #[test]
    fn shows_the_removed_one_of_equal_lines() {
        let text = "<a>\n  <b/>\n  <b/>\n  <b/>\n</a>\n";
        for (number, start) in [(2, 4), (3, 11), (4, 18)] {
            assert_eq!(
                diff(text, &text[start..], &[(start..start + 7, "")]),
                format!("{number}-  <b/>\n")
            );
        }
        let text = "<a>\r\n  <b/>\r\n  <b/>\r\n</a>";
        assert_eq!(diff(text, "<b/>", &[(5..13, "")]), "2-  <b/>\n");
    }

    #[test]
    fn shows_the_line_of_a_changed_value_twice() {
        let text = "<a>\n\t<b c='1' d='2'/>\n</a>";
        assert_eq!(
            diff(text, "1", &[(at(text, "1"), "3"), (at(text, "2"), "4")]),
            "2-\t<b c='1' d='2'/>\n+\t<b c='3' d='4'/>\n"
        );
    }

    #[test]
    fn shows_added_lines_after_the_preceding_line() {
        let text = "<a>\n  <b/>\n</a>\n";
        let after = at(text, "<b/>").end;
        assert_eq!(diff(text, "<b/>", &[(after..after, "\n  <c/>")]), "2   <b/>\n+  <c/>\n");
        let before = at(text, "</a>").start;
        assert_eq!(diff(text, "<b/>", &[(before..before, "  <c/>\n")]), "2   <b/>\n+  <c/>\n");
        assert_eq!(
            diff(text, "<a>", &[(before..before, "  <c/>\n")]),
            "1 <a>\n2   <b/>\n+  <c/>\n"
        );
        assert_eq!(
            diff(text, "</a>", &[(after..after, "\n  <c/>")]),
            "2   <b/>\n+  <c/>\n3 </a>\n"
        );
        assert_eq!(diff(text, "<a>", &[(0..0, "<!-- x -->\n")]), "+<!-- x -->\n1 <a>\n");
    }

    #[test]
    fn separates_distant_changes_by_a_gap() {
        let text = "<a>\n<b/>\n<c/>\n<d/>\n<e/>\n</a>\n";
        let edits = [(at(text, "b"), "x"), (at(text, "e"), "y")];
        assert_eq!(diff(text, "<b/>", &edits), "2-<b/>\n+<x/>\n…\n5-<e/>\n+<y/>\n");
        assert_eq!(
            diff(text, "<c/>", &edits),
            "2-<b/>\n+<x/>\n3 <c/>\n…\n5-<e/>\n+<y/>\n",
            "the finding's line is shown"
        );
        assert_eq!(
            diff(text, "<b/>", &[(at(text, "b"), "x"), (at(text, "c"), "y")]),
            "2-<b/>\n3-<c/>\n+<x/>\n+<y/>\n"
        );
    }

    #[test]
    fn limits_the_number_and_length_of_lines() {
        let many = "<x/>\n".repeat(40);
        let text = "<a>\n</a>\n";
        assert_eq!(
            diff(text, "<a>", &[(4..4, &many)]),
            format!("1 <a>\n{}33 more\n", "+<x/>\n".repeat(7))
        );
        let seven = "<x/>\n".repeat(8);
        assert_eq!(
            diff(text, "<a>", &[(4..4, &seven)]),
            format!("1 <a>\n{}", "+<x/>\n".repeat(8)),
            "a line takes no more room than words"
        );
        let long = format!("<a>{}<b/>{}</a>", "é".repeat(500), "ü".repeat(500));
        let shown = diff(&long, "<b/>", &[(at(&long, "<b/>"), "<c\u{1b}/>")]);
        assert_eq!(
            shown,
            format!(
                "1-…{e}<b/>{u}…\n+…{e}<c\\u{{1b}}/>{u}…\n",
                e = "é".repeat(20),
                u = "ü".repeat(20)
            )
        );
    }
}
