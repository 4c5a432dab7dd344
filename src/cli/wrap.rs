//! Wraps pages of text to the width of a terminal.

use crate::text::wrap;

/// Wraps lines to `width` columns. Lines indented by four or more are code and stay as they are. In
/// a table, continuation lines align with the last column if there is room.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    text.split_inclusive('\n').map(|line| wrapped_line(line, width)).collect()
}

fn wrapped_line(line: &str, width: usize) -> String {
    let is_code = line.starts_with("    ");
    if is_code || line.trim_end_matches('\n').chars().count() <= width {
        return line.to_owned();
    }
    let hanging = " ".repeat(hanging(line, width));
    let text = wrap::line(line.trim_end_matches('\n'), width, &hanging);
    text + if line.ends_with('\n') { "\n" } else { "" }
}

/// Returns the indentation of a paragraph's continuation lines, in columns.
fn hanging(line: &str, width: usize) -> usize {
    let indent_of_line = line.len() - line.trim_start_matches(' ').len();
    let indent =
        if line[indent_of_line..].starts_with("- ") { indent_of_line + 2 } else { indent_of_line };
    let cell = line.match_indices("  ").map(|(at, _)| at + 2).filter(|at| *at <= width / 2).last();
    let column = cell.map_or(indent, |at| {
        at + line[at..].len() - line[at..].trim_start_matches([' ', '*']).len()
    });
    if column <= width / 2 { column } else { indent + 2 }
}

/// Joins the lines of each paragraph. List items and indented text keep their own lines.
pub(super) fn paragraphs(prose: &str) -> String {
    let mut text = String::new();
    for line in prose.lines() {
        let starts_line = line.is_empty()
            || line.starts_with([' ', '-'])
            || text.is_empty()
            || text.ends_with('\n');
        text.push_str(if !starts_line {
            " "
        } else if text.is_empty() {
            ""
        } else {
            "\n"
        });
        text.push_str(line);
    }
    text
}

/// Removes trailing whitespace from each line.
pub(super) fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_lines_between_words() {
        assert_eq!(wrapped("short\n", 10), "short\n");
        assert_eq!(wrapped("one two three\nfour", 8), "one two\nthree\nfour");
        assert_eq!(wrapped("- one two three\n", 10), "- one two\n  three\n");
        assert_eq!(wrapped("    <code that stays/>\n", 10), "    <code that stays/>\n");
        assert_eq!(wrapped("a-word-too-long for it\n", 8), "a-word-too-long\nfor it\n");
        assert_eq!(
            wrapped("id    error  * what it finds in it\n", 30),
            "id    error  * what it finds\n               in it\n"
        );
    }

    #[test]
    fn joins_the_lines_of_a_paragraph() {
        assert_eq!(
            paragraphs("one\ntwo\n\nthree\nfour\n- a\n- b\n"),
            "one two\n\nthree four\n- a\n- b"
        );
        for rule in crate::rules::builtin() {
            assert!(
                rule.why.split_whitespace().eq(paragraphs(&rule.why).split_whitespace()),
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn keeps_every_word() {
        for rule in crate::rules::builtin() {
            let page = crate::rules::docs::page(rule, crate::rules::docs::Markup::Plain);
            for width in [1, 20, 40, 80] {
                let wrapped = wrapped(&page, width);
                assert!(page.split_whitespace().eq(wrapped.split_whitespace()), "{}", rule.id);
                let words = page.lines().flat_map(|line| wrap::SEPARATOR.find_words(line));
                let longest = words.map(|word| word.chars().count()).max().unwrap_or(0);
                let is_code = |line: &str| line.starts_with("    ");
                let most = longest.max(width) + 4;
                assert!(
                    wrapped.lines().all(|line| is_code(line) || line.chars().count() <= most),
                    "{}",
                    rule.id
                );
            }
        }
    }
}
