//! Quotes words and comments of shell scripts, whatever they contain.

use crate::text::sanitize::is_harmful;

/// Quotes a string as a shell word. A string with a leading dash is quoted, too, so that readers do
/// not take it for a flag.
pub fn word(text: &str) -> String {
    if text.starts_with('-') { quoted(text) } else { argument(text) }
}

/// Quotes a string as a shell word that may be a flag.
pub fn argument(text: &str) -> String {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'.' | b',' | b'/' | b':' | b'@' | b'+' | b'=' | b'-')
    };
    if !text.is_empty() && text.bytes().all(is_plain) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Formats a string as comment lines, each with its line ending. Characters that could end a line
/// or mislead a reader are escaped as `\u{…}`. So is a backslash at the end of a line, after which
/// modprobe and udev would read the next line as part of the comment.
pub fn comment(text: &str) -> String {
    let mut lines = String::new();
    for line in text.split('\n') {
        lines.push_str(if line.is_empty() { "#" } else { "# " });
        let last = line.len().saturating_sub(1);
        for (at, c) in line.char_indices() {
            if is_harmful(c) || (c == '\\' && at == last) {
                lines.extend(c.escape_unicode())
            } else {
                lines.push(c)
            }
        }
        lines.push('\n');
    }
    lines
}

/// Joins items in words: `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [item] => item.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_words_that_a_shell_would_interpret() {
        assert_eq!(word("win10"), "win10");
        assert_eq!(word("i915-GVTg_V5_4"), "i915-GVTg_V5_4");
        for (text, quoted) in [
            ("", "''"),
            ("-n", "'-n'"),
            ("a b", "'a b'"),
            ("$(touch x)", "'$(touch x)'"),
            ("'\"", "''\\''\"'"),
            ("é", "'é'"),
            ("~", "'~'"),
        ] {
            assert_eq!(word(text), quoted);
        }
        assert_eq!(argument("--type=x"), "--type=x");
        assert_eq!(argument("--a b"), "'--a b'");
    }

    #[test]
    fn escapes_line_ends_in_comments() {
        assert_eq!(comment("a\\b\\\\\nc"), "# a\\b\\\\u{5c}\n# c\n");
        assert_eq!(comment("a\n\nb\rrm -rf\u{202e}"), "# a\n#\n# b\\u{d}rm -rf\\u{202e}\n");
    }
}
