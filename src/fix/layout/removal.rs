//! Removes parts of the text together with the lines that they leave empty.

use std::ops::Range;

use super::indentation;
use crate::text::Edit;

/// Returns the bytes to delete to remove `range`, including its line if there is nothing else on
/// it.
fn removal(text: &str, range: Range<usize>) -> Range<usize> {
    let line_before = text[..range.start].trim_end_matches([' ', '\t']);
    let rest = &text[range.end..];
    let line_after = rest.trim_start_matches([' ', '\t']);
    let line_ends = line_after.starts_with('\n') || line_after.starts_with("\r\n");
    if line_ends && line_before.ends_with('\n') {
        let ending = if line_after.starts_with('\r') { 2 } else { 1 };
        return line_before.len()..range.end + (rest.len() - line_after.len()) + ending;
    }
    // At the end of its line: the white space before it is removed too.
    if line_ends {
        return line_before.len()..range.end;
    }
    range
}

/// Like [`removal`], for several ranges. Ranges separated only by white space are joined, so that a
/// line that they share is removed with them.
pub fn removals(text: &str, mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut groups: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match groups.last_mut() {
            Some(last) if range.end <= last.end => {}
            Some(last) if text[last.end..range.start].trim_matches([' ', '\t']).is_empty() => {
                last.end = range.end
            }
            _ => groups.push(range),
        }
    }
    groups.into_iter().map(|range| removal(text, range)).collect()
}

/// Returns the edit that deletes a range except for the kept ones of `pieces`, which are sorted. If
/// the range consists of whole lines, each kept piece gets a line of its own.
pub fn deletion(
    text: &str,
    range: Range<usize>,
    pieces: &[Range<usize>],
    is_kept: impl Fn(&Range<usize>) -> bool,
) -> Edit {
    let first = pieces.partition_point(|piece| piece.start < range.start);
    let inside = pieces[first..]
        .iter()
        .take_while(|piece| piece.end <= range.end)
        .filter(|piece| is_kept(piece));
    let ending = if text[range.clone()].ends_with("\r\n") { "\r\n" } else { "\n" };
    let is_lines = text[range.clone()].ends_with('\n');
    let indent = indentation(
        text,
        range.start
            + (text[range.clone()].len()
                - text[range.clone()].trim_start_matches([' ', '\t']).len()),
    );
    let indent = if is_lines { indent.unwrap_or("") } else { "" };
    let lines = inside.map(|piece| {
        format!("{indent}{}{}", &text[piece.clone()], if is_lines { ending } else { "" })
    });
    Edit { text: lines.collect(), range }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Edits;

    fn remove(text: &str, what: &str) -> String {
        let at = text.find(what).unwrap();
        let edits = removals(text, std::iter::once(at..at + what.len()).collect())
            .into_iter()
            .map(|range| Edit { range, text: String::new() });
        Edits::new(edits.collect()).unwrap().apply(text)
    }

    #[test]
    fn removes_an_element_with_its_line() {
        assert_eq!(remove("<a>\n  <b/>\n  <c/>\n</a>", "<b/>"), "<a>\n  <c/>\n</a>");
        assert_eq!(remove("<a>\r\n\t<b/> \r\n</a>", "<b/>"), "<a>\r\n</a>");
        assert_eq!(remove("<a>\n  <b/> <c/>\n</a>", "<b/>"), "<a>\n   <c/>\n</a>");
        assert_eq!(remove("<a>\n  <c/> <b/>\n</a>", "<b/>"), "<a>\n  <c/>\n</a>");
        assert_eq!(remove("<a><b/><c/></a>", "<b/>"), "<a><c/></a>");
        assert_eq!(remove("<a>\n  <b/> <!-- b -->\n</a>", "<b/>"), "<a>\n   <!-- b -->\n</a>");
    }

    #[test]
    fn keeps_pieces_inside_a_deletion() {
        let without_b = |text: &str| {
            let span = |what: &str| text.find(what).map(|at| at..at + what.len());
            let range = text.find("<b>").unwrap()..text.find("</b>").unwrap() + 4;
            let kept: Vec<_> = ["<!-- 0 -->", "<!-- 1 -->", "<!-- 2 -->", "<!-- 3 -->"]
                .into_iter()
                .filter_map(span)
                .collect();
            Edits::new(vec![deletion(text, removal(text, range), &kept, |_| true)])
                .unwrap()
                .apply(text)
        };
        assert_eq!(
            without_b("<a>\n  <!-- 0 -->\n  <b>\n    <!-- 1 --><c/>\n  </b>\n</a>"),
            "<a>\n  <!-- 0 -->\n  <!-- 1 -->\n</a>"
        );
        assert_eq!(
            without_b("<a>\r\n\t<b><!-- 1 --><c/><!-- 2 --></b>\r\n</a>"),
            "<a>\r\n\t<!-- 1 -->\r\n\t<!-- 2 -->\r\n</a>"
        );
        assert_eq!(
            without_b("<a><!-- 0 --><b>x<!-- 1 -->y<!-- 2 --></b><!-- 3 --></a>"),
            "<a><!-- 0 --><!-- 1 --><!-- 2 --><!-- 3 --></a>"
        );
        assert_eq!(without_b("<a>\n  <b>x</b>\n</a>"), "<a>\n</a>");
    }
}
