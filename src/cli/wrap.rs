//! Text for a terminal of a width: broken between words.

use crate::wrap;

/// Lines of at most so many columns. What stands four blanks in or more is code, and stays; the
/// rest of a line begins under its last column of a table, where that leaves it room.
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

/// How far in the second line of a paragraph begins.
fn hanging(line: &str, width: usize) -> usize {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let indent = if line[blanks..].starts_with("- ") { blanks + 2 } else { blanks };
    let cell = line.match_indices("  ").map(|(at, _)| at + 2).filter(|at| *at <= width / 2).last();
    let column = cell.map_or(indent, |at| {
        at + line[at..].len() - line[at..].trim_start_matches([' ', '*']).len()
    });
    if column <= width / 2 { column } else { indent + 2 }
}

/// Prose whose paragraphs are a line each; items of lists, and what is indented, have lines of
/// their own.
pub(super) fn paragraphs(prose: &str) -> String {
    let mut text = String::new();
    for line in prose.lines() {
        let is_own = line.is_empty()
            || line.starts_with([' ', '-'])
            || text.is_empty()
            || text.ends_with('\n');
        text.push_str(if !is_own {
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

/// A text without blanks at the ends of its lines.
pub(super) fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
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
    fn a_paragraph_is_one_line() {
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
    fn no_word_is_lost() {
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
