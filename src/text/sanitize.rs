//! Makes untrusted text safe to print: characters that could control the terminal are shown as
//! escapes.

use std::borrow::Cow;
use std::path::Path;

/// Escapes everything in a string or file name that could control a terminal: control characters,
/// and characters that reorder or hide text, become `\u{…}`. The result is a single line.
pub fn clean(text: &str) -> Cow<'_, str> {
    clean_except(text, |_| false)
}

/// Escapes a path like [`clean`].
pub fn clean_path(path: &Path) -> String {
    clean(&path.to_string_lossy()).into_owned()
}

/// Escapes a string of several lines like [`clean`], but keeps its line endings (LF, CRLF) and
/// tabs.
pub fn clean_lines(text: &str) -> String {
    let text = clean_except(text, |c| matches!(c, '\n' | '\t' | '\r'));
    // After a lone CR, a terminal would overwrite the start of the line.
    let lines = text.split_inclusive('\n').map(|line| {
        let (line, ending) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
        line.replace('\r', "\\u{d}") + ending
    });
    lines.collect()
}

fn clean_except(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
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

/// Returns the system's message for an error, without the "(os error N)" that Rust appends.
pub fn system_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Whether a character must not reach a terminal: control characters (C0, C1), marks that reorder
/// text, and invisible characters. The last are Unicode's category Cf, except the Arabic and Kaithi
/// signs in it (they are visible), the line and paragraph separators, and letters without a shape.
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
    fn escapes_what_controls_a_terminal() {
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
