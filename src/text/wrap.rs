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
}
