//! Wraps text to the width of a terminal, without breaking anything that a reader would copy: a
//! command in backticks, a UUID, an option.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Where a line may be broken: at spaces, but not inside backticks.
pub const SEPARATOR: WordSeparator = WordSeparator::Custom(words);

/// Options for text of at most `width` columns.
pub fn options<'a>(width: usize) -> Options<'a> {
    // A hyphen is part of a UUID or an option more often than of two words.
    Options::new(width)
        .break_words(false)
        .word_separator(SEPARATOR)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// One line as lines of at most `width` columns, each after the first indented by `indent`. A word
/// that is longer has a line of its own.
pub fn line(line: &str, width: usize, indent: &str) -> String {
    textwrap::fill(line, options(width).subsequent_indent(indent))
}

/// Splits a line at spaces outside backticks. A backtick without a partner opens nothing.
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

/// The end of the first word, in bytes.
fn word_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find([' ', '`']) {
        let place = at + found;
        match (text.as_bytes()[place], text[place + 1..].find('`')) {
            (b' ', _) => return place,
            (_, Some(length)) => at = place + 1 + length + 1,
            (_, None) => at = place + 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(line("one two three", 8, ""), "one two\nthree");
        assert_eq!(line("one two three", 8, "  "), "one two\n  three");
        assert_eq!(line("  one  two", 40, ""), "  one  two", "spaces between words stay");
        assert_eq!(line("a-word-too-long for it", 8, ""), "a-word-too-long\nfor it");
    }

    #[test]
    fn what_a_reader_copies_stays_on_one_line() {
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
    fn a_single_backtick_joins_nothing() {
        assert_eq!(line("a ` and some words", 6, ""), "a `\nand\nsome\nwords");
    }
}
