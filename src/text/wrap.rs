//! Wraps text to the width of a terminal without breaking what a reader might copy: a command in
//! backticks, a UUID, an option.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Allows line breaks at spaces, except inside backticks.
pub const SEPARATOR: WordSeparator = WordSeparator::Custom(words);

/// Returns textwrap options for lines of at most `width` columns.
pub fn options<'a>(width: usize) -> Options<'a> {
    // Hyphens are more often part of a UUID or an option than of two words.
    Options::new(width)
        .break_words(false)
        .word_separator(SEPARATOR)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// Wraps one line to at most `width` columns and indents the continuation lines by `indent`. A word
/// that is longer gets a line of its own.
pub fn line(line: &str, width: usize, indent: &str) -> String {
    textwrap::fill(line, options(width).subsequent_indent(indent))
}

/// Wraps each line to `width` columns. The continuation lines of a list item or a labelled line
/// align with its text, those of a table row with its last cell if there is room, and those of
/// other lines are indented by `hanging` more than the line.
pub fn lines(text: &str, width: usize, hanging: usize) -> String {
    let wrapped = |whole: &str| match whole.strip_suffix('\n') {
        Some(text) => line(text, width, &" ".repeat(indentation(text, width, hanging))) + "\n",
        None => line(whole, width, &" ".repeat(indentation(whole, width, hanging))),
    };
    text.split_inclusive('\n').map(wrapped).collect()
}

/// Wraps a page to `width` columns, except lines indented by four or more, which are code.
pub fn wrapped(page: &str, width: usize) -> String {
    let is_code = |line: &str| line.starts_with("    ");
    let wrapped = |line| if is_code(line) { line.to_owned() } else { lines(line, width, 0) };
    page.split_inclusive('\n').map(wrapped).collect()
}

/// Returns the indentation of a line's continuation lines, in columns.
fn indentation(line: &str, width: usize, hanging: usize) -> usize {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    let cells = || line.match_indices("  ").map(|(at, _)| at + 2).filter(|at| *at > indent);
    let last_cell = cells().filter(|at| *at <= width / 2).last();
    let column = last_cell.map(|at| line.len() - line[at..].trim_start_matches([' ', '*']).len());
    match column {
        Some(column) if column <= width / 2 => column,
        None if cells().next().is_none() => indent + label_length(text).unwrap_or(hanging),
        _ => indent + 2,
    }
}

/// Returns the length of a list item's marker (`- `, `1. `) or of a label, with the space after it.
fn label_length(text: &str) -> Option<usize> {
    let label = ["- ", "help: ", "checked: "].into_iter().find(|label| text.starts_with(label));
    let number = text.split_once(". ").map(|(number, _)| number);
    let number = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    label.map(str::len).or(number.map(|number| number.len() + 2))
}

/// Joins the lines of each paragraph. List items and indented text keep their own lines.
pub fn paragraphs(prose: &str) -> String {
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

/// Splits a line at spaces outside backticks. An unpaired backtick counts as an ordinary character.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = word_end(rest);
        let next = end + rest[end..].len() - rest[end..].trim_start_matches(' ').len();
        let word = Word::from(&rest[..next]);
        rest = &rest[next..];
        Some(word)
    }))
}

/// Returns the byte offset at which the first word ends.
fn word_end(text: &str) -> usize {
    let mut searched = 0;
    while let Some(distance) = text[searched..].find([' ', '`']) {
        let position = searched + distance;
        match (text.as_bytes()[position], text[position + 1..].find('`')) {
            (b' ', _) => return position,
            (_, Some(length)) => searched = position + 1 + length + 1,
            (_, None) => searched = position + 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_lines_at_spaces() {
        assert_eq!(line("one two three", 8, ""), "one two\nthree");
        assert_eq!(line("one two three", 8, "  "), "one two\n  three");
        assert_eq!(line("  one  two", 40, ""), "  one  two", "spaces between words stay");
        assert_eq!(line("a-word-too-long for it", 8, ""), "a-word-too-long\nfor it");
    }

    #[test]
    fn keeps_uuids_and_code_on_one_line() {
        let uuid = "7de6b4e1-3de0-5b74-884e-a2cc35cda1cf";
        assert_eq!(
            line(&format!("the vGPU {uuid} is here"), 20, ""),
            format!("the vGPU\n{uuid}\nis here")
        );
        assert_eq!(
            line("run `virsh start win10` (as root)", 12, ""),
            "run\n`virsh start win10`\n(as root)"
        );
        assert_eq!(
            line("run (`virsh start win10`), then `ls`", 12, ""),
            "run\n(`virsh start win10`),\nthen `ls`"
        );
    }

    #[test]
    fn ignores_an_unpaired_backtick() {
        assert_eq!(line("a ` and some words", 6, ""), "a `\nand\nsome\nwords");
    }

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
                let words = page.lines().flat_map(|line| SEPARATOR.find_words(line));
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

    #[test]
    fn aligns_continuation_lines_with_the_text() {
        let message = |text, width| lines(text, width, 2);
        assert_eq!(
            message("gvtg-xml: one two three\nshort\n", 16),
            "gvtg-xml: one\n  two three\nshort\n"
        );
        assert_eq!(message("  help: one two three\n", 16), "  help: one two\n        three\n");
        assert_eq!(message("  1. one two three", 14), "  1. one two\n     three");
        assert_eq!(
            message("  help: run `virsh start win10`\n", 16),
            "  help: run\n        `virsh start win10`\n"
        );
        assert_eq!(message("\n", 16), "\n");
    }
}
