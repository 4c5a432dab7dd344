//! Words and comments of shell scripts, whatever is in them.

use crate::report::is_harmful;

/// A text as one word of a shell.
pub fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b',' | b'/' | b':' | b'@' | b'+' | b'=' | b'-');
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A text as comment lines, each with its line ending. Characters that could end a line, or mislead whoever reads it, are written as
/// `\u{…}`.
pub fn comment(text: &str) -> String {
    let mut lines = String::new();
    for line in text.split('\n') {
        lines.push_str(if line.is_empty() { "#" } else { "# " });
        for c in line.chars() {
            if is_harmful(c) { lines.extend(c.escape_unicode()) } else { lines.push(c) }
        }
        lines.push('\n');
    }
    lines
}

/// A list as people say it: `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it() {
        assert_eq!(word("win10"), "win10");
        assert_eq!(word("i915-GVTg_V5_4"), "i915-GVTg_V5_4");
        for (text, quoted) in
            [("", "''"), ("-n", "'-n'"), ("a b", "'a b'"), ("$(touch x)", "'$(touch x)'"), ("'\"", "''\\''\"'"), ("é", "'é'"), ("~", "'~'")]
        {
            assert_eq!(word(text), quoted);
        }
    }

    #[test]
    fn nothing_leaves_a_comment() {
        assert_eq!(comment("a\n\nb\rrm -rf\u{202e}"), "# a\n#\n# b\\u{d}rm -rf\\u{202e}\n");
    }
}
