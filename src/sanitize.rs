//! Text for a terminal: what a document or a file's name could steer it with is shown instead.

use std::borrow::Cow;
use std::path::Path;

/// Text of a document or a file's name without what could steer a terminal: control characters, and
/// those that reorder or hide what is around them, are shown as `\u{…}`. It stays on one line.
pub fn clean(text: &str) -> Cow<'_, str> {
    clean_but(text, |_| false)
}

/// The same for where a file is.
pub fn clean_path(path: &Path) -> String {
    clean(&path.to_string_lossy()).into_owned()
}

/// The same for text of several lines, whose line endings and tabs stay.
pub fn clean_lines(text: &str) -> String {
    let text = clean_but(text, |c| matches!(c, '\n' | '\t' | '\r'));
    // A lone CR would have what follows it written over what is before.
    let lines = text.split_inclusive('\n').map(|line| {
        let (line, ending) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
        line.replace('\r', "\\u{d}") + ending
    });
    lines.collect()
}

fn clean_but(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.into();
    }
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) && !is_kept(c) {
            result.extend(c.escape_unicode())
        } else {
            result.push(c)
        }
    }
    result.into()
}

/// An error of the system in its own words, without Rust's number.
pub fn system_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Control characters (C0, C1), marks that reorder text, and characters that nobody sees: Unicode's
/// category Cf without the Arabic and Kaithi signs in it, which are drawn, the two separators of
/// lines, and letters without a shape.
pub fn is_harmful(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
        || matches!(c, '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{clean, clean_lines, is_harmful};

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(clean("win10 é"), "win10 é");
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{9b}"), "a\\u{1b}[31mb\\u{202e}c\\u{9b}");
        assert_eq!(clean("a\nb\tc"), "a\\u{a}b\\u{9}c");
        assert_eq!(clean_lines("a\tb\r\nc\rd\u{7f}\n\r\n"), "a\tb\r\nc\\u{d}d\\u{7f}\n\r\n");
        for c in "\u{85}\u{ad}\u{61c}\u{180e}\u{2028}\u{2066}\u{fff9}\u{e0041}".chars() {
            assert!(is_harmful(c), "{c:?}");
        }
        assert!(!"é漢字🙂\u{fe0f}عربي हि".chars().any(is_harmful), "people's names are no harm");
    }
}
