//! The members of a JSON object with their places, as QEMU's parser reads them: it takes strings in
//! single quotes too.

use std::ops::Range;

/// A member of the outermost object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// A string's text; anything else as it stands.
    pub value: String,
    /// Where the value stands, with its quotes.
    pub span: Range<usize>,
}

/// An object's members in order, and where its closing brace stands.
///
/// # Errors
/// What QEMU calls a JSON parse error.
pub fn members(text: &str) -> Result<(Vec<Member>, usize), String> {
    let mut scan = Scan { text, at: 0 };
    let mut members: Vec<Member> = Vec::new();
    scan.expect('{')?;
    if scan.next_is('}') {
        return scan.end().map(|brace| (members, brace));
    }
    loop {
        let (name, _) = scan.string()?;
        scan.expect(':')?;
        let (value, span) = scan.value()?;
        if members.iter().any(|known| known.name == name) {
            return Err("JSON parse error, duplicate key".into());
        }
        members.push(Member { name, value, span });
        if scan.next_is('}') {
            return scan.end().map(|brace| (members, brace));
        }
        scan.expect(',')?;
    }
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

fn broken() -> String {
    "JSON parse error".into()
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn next_is(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        self.rest().starts_with(wanted)
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if !self.next_is(wanted) {
            return Err(broken());
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    /// The place of the last brace, with nothing but blanks behind it.
    fn end(&mut self) -> Result<usize, String> {
        let brace = self.at;
        if self.rest()[1..].trim().is_empty() { Ok(brace) } else { Err(broken()) }
    }

    fn string(&mut self) -> Result<(String, Range<usize>), String> {
        self.skip_blanks();
        let start = self.at;
        let mut characters = self.rest().char_indices();
        let Some((_, quote @ ('"' | '\''))) = characters.next() else { return Err(broken()) };
        let mut string = String::new();
        while let Some((index, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.at = start + index + 1;
                    return Ok((string, start..start + index + 1));
                }
                '\\' => match characters.next().ok_or_else(broken)?.1 {
                    'n' => string.push('\n'),
                    't' => string.push('\t'),
                    'r' => string.push('\r'),
                    'b' => string.push('\u{8}'),
                    'f' => string.push('\u{c}'),
                    'u' => {
                        let digits: String =
                            characters.by_ref().take(4).map(|(_, digit)| digit).collect();
                        let code = u32::from_str_radix(&digits, 16).map_err(|_| broken())?;
                        string.push(char::from_u32(code).ok_or_else(broken)?);
                    }
                    plain @ ('"' | '\'' | '\\' | '/') => string.push(plain),
                    _ => return Err(broken()),
                },
                _ => string.push(character),
            }
        }
        Err(broken())
    }

    fn value(&mut self) -> Result<(String, Range<usize>), String> {
        if self.next_is('"') || self.next_is('\'') {
            return self.string();
        }
        let (start, mut depth) = (self.at, 0usize);
        loop {
            match self.rest().chars().next().ok_or_else(broken)? {
                '"' | '\'' => {
                    self.string()?;
                    continue;
                }
                '{' | '[' => depth += 1,
                '}' | ',' if depth == 0 => break,
                '}' | ']' => depth = depth.checked_sub(1).ok_or_else(broken)?,
                _ => {}
            }
            self.at += self.rest().chars().next().map_or(1, char::len_utf8);
        }
        let value = self.text[start..self.at].trim_end();
        if value.is_empty() {
            return Err(broken());
        }
        Ok((value.to_owned(), start..start + value.len()))
    }
}

/// A string of JSON with this text.
pub fn quoted(text: &str) -> String {
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
    fn members_are_read_as_qemu_does() {
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
    fn what_qemu_refuses_is_refused() {
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
