//! A parser for the members of a JSON object with their spans. Like QEMU's parser, it also accepts
//! strings in single quotes.

use std::ops::Range;

/// A member of the outermost object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The unescaped name.
    pub name: String,
    /// The unescaped text of a string; any other value verbatim.
    pub value: String,
    /// The span of the value, including the quotes of a string.
    pub span: Range<usize>,
}

/// Parses an object into its members, in order, and the byte offset of its closing brace.
///
/// # Errors
/// QEMU's message for a JSON parse error.
pub fn members(text: &str) -> Result<(Vec<Member>, usize), String> {
    let mut scanner = Scanner { text, position: 0 };
    let mut members: Vec<Member> = Vec::new();
    scanner.expect('{')?;
    if scanner.next_is('}') {
        return scanner.finish().map(|brace| (members, brace));
    }
    loop {
        let (name, _) = scanner.string()?;
        scanner.expect(':')?;
        let (value, span) = scanner.value()?;
        if members.iter().any(|member| member.name == name) {
            return Err("JSON parse error, duplicate key".into());
        }
        members.push(Member { name, value, span });
        if scanner.next_is('}') {
            return scanner.finish().map(|brace| (members, brace));
        }
        scanner.expect(',')?;
    }
}

/// A cursor over the text of an object.
struct Scanner<'t> {
    text: &'t str,
    /// The byte offset of the next character.
    position: usize,
}

/// QEMU's message for malformed JSON.
fn parse_error() -> String {
    "JSON parse error".into()
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn skip_blanks(&mut self) {
        self.position =
            self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn next_is(&mut self, expected: char) -> bool {
        self.skip_blanks();
        self.rest().starts_with(expected)
    }

    fn expect(&mut self, expected: char) -> Result<(), String> {
        if !self.next_is(expected) {
            return Err(parse_error());
        }
        self.position += expected.len_utf8();
        Ok(())
    }

    /// Returns the byte offset of the closing brace at the cursor, which only blanks may follow.
    fn finish(&mut self) -> Result<usize, String> {
        let brace = self.position;
        if self.rest()[1..].trim().is_empty() { Ok(brace) } else { Err(parse_error()) }
    }

    /// Parses a string in single or double quotes; returns its text and its span with the quotes.
    fn string(&mut self) -> Result<(String, Range<usize>), String> {
        self.skip_blanks();
        let start = self.position;
        let mut characters = self.rest().char_indices();
        let Some((_, quote @ ('"' | '\''))) = characters.next() else { return Err(parse_error()) };
        let mut string = String::new();
        while let Some((index, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.position = start + index + 1;
                    return Ok((string, start..start + index + 1));
                }
                '\\' => match characters.next().ok_or_else(parse_error)?.1 {
                    'n' => string.push('\n'),
                    't' => string.push('\t'),
                    'r' => string.push('\r'),
                    'b' => string.push('\u{8}'),
                    'f' => string.push('\u{c}'),
                    'u' => {
                        let digits: String =
                            characters.by_ref().take(4).map(|(_, digit)| digit).collect();
                        let code = u32::from_str_radix(&digits, 16).map_err(|_| parse_error())?;
                        string.push(char::from_u32(code).ok_or_else(parse_error)?);
                    }
                    escaped @ ('"' | '\'' | '\\' | '/') => string.push(escaped),
                    _ => return Err(parse_error()),
                },
                _ => string.push(character),
            }
        }
        Err(parse_error())
    }

    /// Parses a value; returns its text and its span. Objects and arrays are only checked for
    /// balanced brackets.
    fn value(&mut self) -> Result<(String, Range<usize>), String> {
        if self.next_is('"') || self.next_is('\'') {
            return self.string();
        }
        let start = self.position;
        let mut depth = 0usize;
        loop {
            match self.rest().chars().next().ok_or_else(parse_error)? {
                '"' | '\'' => {
                    self.string()?;
                    continue;
                }
                '{' | '[' => depth += 1,
                '}' | ',' if depth == 0 => break,
                '}' | ']' => depth = depth.checked_sub(1).ok_or_else(parse_error)?,
                _ => {}
            }
            self.position += self.rest().chars().next().map_or(1, char::len_utf8);
        }
        let value = self.text[start..self.position].trim_end();
        if value.is_empty() {
            return Err(parse_error());
        }
        Ok((value.to_owned(), start..start + value.len()))
    }
}

/// Formats a string as a JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_values(text: &str) -> Result<Vec<String>, String> {
        members(text).map(|(members, _)| {
            members.iter().map(|member| format!("{}={}", member.name, member.value)).collect()
        })
    }

    #[test]
    fn parses_members_like_qemu() {
        let text =
            r#" { "driver": "vfio-pci", 'id':'a\'b', "n" : -1 ,"o":{"x":["}",2]},"u":"A\\"} "#;
        assert_eq!(
            names_and_values(text).unwrap(),
            ["driver=vfio-pci", "id=a'b", "n=-1", r#"o={"x":["}",2]}"#, "u=A\\"]
        );
        assert_eq!(names_and_values("{}").unwrap(), [""; 0]);
        let (members, brace) = members(text).unwrap();
        assert_eq!((&text[members[2].span.clone()], &text[brace..brace + 1]), ("-1", "}"));
    }

    #[test]
    fn rejects_objects_that_qemu_rejects() {
        for wrong in [
            "",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}x",
            "{a:1}",
            "{\"a\":\"x}",
            "{\"a\":]}",
            r#"{"a":"\x"}"#,
        ] {
            assert!(names_and_values(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            names_and_values("{'a':1,\"a\":2}").unwrap_err(),
            "JSON parse error, duplicate key"
        );
    }
}
