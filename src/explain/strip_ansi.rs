//! Lines of a log as somebody reads them: without a terminal's colours, and with quotes as programs
//! write them.

use std::borrow::Cow;

/// A line without what is not read: colours and other sequences for a terminal, and NULs, which are
/// also between the letters of UTF-16. Quotes that a web page or JSON made of plain ones are plain
/// ones again, and tabs are blanks.
pub fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.iter().any(|byte| matches!(byte, 0x1b | 0 | b'\\' | b'\t' | 0xe2)) {
        return Cow::Borrowed(line);
    }
    let mut result = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            0 => {}
            b'\t' => result.push(b' '),
            b'\\' if matches!(behind.first(), Some(b'"' | b'\'')) => {}
            0x1b => rest = behind_sequence(behind),
            0xe2 => match behind {
                [0x80, 0x98 | 0x99, ..] => {
                    result.push(b'\'');
                    rest = &behind[2..];
                }
                [0x80, 0x9c | 0x9d, ..] => {
                    result.push(b'"');
                    rest = &behind[2..];
                }
                _ => result.push(first),
            },
            _ => result.push(first),
        }
    }
    Cow::Owned(result)
}

/// What is behind a terminal's sequence (ECMA-48): `ESC [ … letter`, or `ESC` and one character.
/// One that is cut off is not longer than others are.
fn behind_sequence(rest: &[u8]) -> &[u8] {
    const LONGEST: usize = 32;
    match rest {
        [b'[', parameters @ ..] => {
            let length = parameters
                .iter()
                .take(LONGEST)
                .take_while(|byte| matches!(byte, b' '..=b'?'))
                .count();
            &parameters[parameters.len().min(length + 1)..]
        }
        [_, behind @ ..] => behind,
        [] => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_line_is_what_somebody_reads() {
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
