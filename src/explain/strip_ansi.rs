//! Converts log lines to plain text: without terminal colors and with straight quotes.

use std::borrow::Cow;

/// Removes terminal sequences and NULs (which UTF-16 has between the letters) from a line.
/// Typographic or escaped quotes become straight ones, and tabs become spaces.
pub fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.iter().any(|byte| matches!(byte, 0x1b | 0 | b'\\' | b'\t' | 0xe2)) {
        return Cow::Borrowed(line);
    }
    let mut result = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            0 => {}
            b'\t' => result.push(b' '),
            b'\\' if matches!(after.first(), Some(b'"' | b'\'')) => {}
            0x1b => rest = skip_sequence(after),
            0xe2 => match after {
                [0x80, 0x98 | 0x99, ..] => {
                    result.push(b'\'');
                    rest = &after[2..];
                }
                [0x80, 0x9c | 0x9d, ..] => {
                    result.push(b'"');
                    rest = &after[2..];
                }
                _ => result.push(first),
            },
            _ => result.push(first),
        }
    }
    Cow::Owned(result)
}

/// Skips a terminal sequence (ECMA-48) after its `ESC`: `[ … letter`, or a single character. The
/// length is limited, because a sequence can be cut off.
fn skip_sequence(rest: &[u8]) -> &[u8] {
    const MAX_LENGTH: usize = 32;
    match rest {
        [b'[', parameters @ ..] => {
            let length = parameters
                .iter()
                .take(MAX_LENGTH)
                .take_while(|byte| matches!(byte, b' '..=b'?'))
                .count();
            &parameters[parameters.len().min(length + 1)..]
        }
        [_, after @ ..] => after,
        [] => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn converts_a_line_to_plain_text() {
        let text = |line: &[u8]| String::from_utf8(plain(line).into_owned()).unwrap();
        assert_eq!(
            text(b"\x1b[33mi915 0000:00:02.0: \x1b[0m\x1b[1m[drm]\x1b[0m x"),
            "i915 0000:00:02.0: [drm] x"
        );
        assert_eq!(text("mediated device ‘a’ “b” … é".as_bytes()), "mediated device 'a' \"b\" … é");
        assert_eq!(
            text(br#"device \"hostdev0\" defined, C:\x"#),
            r#"device "hostdev0" defined, C:\x"#
        );
        assert_eq!(text(b"g\0t\0k\0\ta"), "gtk a");
        assert_eq!(text(b"a\x1b"), "a");
        assert_eq!(text(b"a\x1b["), "a");
        assert_eq!(text(b"a\x1b[31"), "a");
        assert_eq!(text(b"a\xe2"[..1].as_ref()), "a");
        assert_eq!(plain(b"\xe2\x80").as_ref(), b"\xe2\x80", "what is cut off stays");
        assert_eq!(plain(b"\xff\xfe").as_ref(), b"\xff\xfe");
    }
}
