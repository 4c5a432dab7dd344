//! A scanner for markup: the byte ranges of tags, attributes, comments and the rest.
//!
//! roxmltree does not tell where a start tag ends, which quotes an attribute has or where a
//! namespace is declared. This scanner does, and the text need not be well-formed.

use std::ops::Range;

use memchr::{memchr, memmem};

/// A piece of markup; the text between pieces is not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// `<name …>` or `<name …/>`.
    Start(StartTag),
    /// `</name>`.
    End {
        /// The byte range including `<` and `>`.
        span: Range<usize>,
        /// The qualified name.
        name: Range<usize>,
    },
    /// `<!--…-->`.
    Comment(Range<usize>),
    /// `<![CDATA[…]]>`.
    CharacterData(Range<usize>),
    /// `<?…?>`, including the XML declaration.
    Instruction(Range<usize>),
    /// `<!DOCTYPE` or another `<!…`: only the offset, as its content is not parsed.
    Declaration(usize),
    /// Markup without an end: its kind and offset.
    Unfinished(&'static str, usize),
}

/// The byte ranges of a start tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartTag {
    /// The whole tag, including `<` and `>`.
    pub span: Range<usize>,
    /// The qualified name.
    pub name: Range<usize>,
    /// Whether it ends with `/>`.
    pub self_closing: bool,
}

/// The byte ranges of an attribute or a namespace declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAttribute {
    /// The qualified name.
    pub name: Range<usize>,
    /// The raw value between the quotes.
    pub value: Range<usize>,
}

impl RawAttribute {
    /// The range from the name up to and including the closing quote.
    pub fn span(&self) -> Range<usize> {
        self.name.start..self.value.end + 1
    }
}

impl StartTag {
    /// Scans the tag whose `<` is at `start`; `None` if it does not end.
    pub fn at(text: &str, start: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut at = start + 1;
        while at < bytes.len() && !is_space(bytes[at]) && !matches!(bytes[at], b'>' | b'/') {
            at += 1;
        }
        let name = start + 1..at;
        loop {
            match *bytes.get(at)? {
                b'>' => {
                    let self_closing = bytes[at - 1] == b'/';
                    return Some(StartTag { span: start..at + 1, name, self_closing });
                }
                quote @ (b'"' | b'\'') => at += 2 + memchr(quote, &bytes[at + 1..])?,
                b'<' => return None,
                _ => at += 1,
            }
        }
    }

    /// Returns the attributes and namespace declarations in order.
    pub fn attributes<'t>(&self, text: &'t str) -> impl Iterator<Item = RawAttribute> + use<'t> {
        let bytes = text.as_bytes();
        let end = self.span.end - 1;
        let mut at = self.name.end;
        std::iter::from_fn(move || {
            while at < end && (is_space(bytes[at]) || bytes[at] == b'/') {
                at += 1;
            }
            let start = at;
            while at < end && !is_space(bytes[at]) && bytes[at] != b'=' {
                at += 1;
            }
            let name = start..at;
            while at < end && !matches!(bytes[at], b'"' | b'\'') {
                at += 1;
            }
            if at >= end {
                return None;
            }
            let value = at + 1..at + 1 + memchr(bytes[at], &bytes[at + 1..end])?;
            at = value.end + 1;
            Some(RawAttribute { name, value })
        })
    }

    /// Returns the offset for a new attribute: after the last one, else after the name.
    pub fn attributes_end(&self, text: &str) -> usize {
        self.attributes(text).last().map_or(self.name.end, |last| last.span().end)
    }
}

/// Returns the pieces of a document from a byte offset on.
pub fn pieces(text: &str, mut at: usize) -> impl Iterator<Item = Piece> + '_ {
    let bytes = text.as_bytes();
    std::iter::from_fn(move || {
        let start = at + memchr(b'<', bytes.get(at..)?)?;
        let rest = &bytes[start..];
        let until = |open: usize, close: &[u8]| {
            memmem::find(&rest[open.min(rest.len())..], close)
                .map(|found| start..start + open + found + close.len())
        };
        let piece = if rest.starts_with(b"<!--") {
            until(4, b"-->").map_or(Piece::Unfinished("comment", start), Piece::Comment)
        } else if rest.starts_with(b"<![CDATA[") {
            until(9, b"]]>").map_or(Piece::Unfinished("CDATA section", start), Piece::CharacterData)
        } else if rest.starts_with(b"<!") {
            Piece::Declaration(start)
        } else if rest.starts_with(b"<?") {
            until(2, b"?>")
                .map_or(Piece::Unfinished("processing instruction", start), Piece::Instruction)
        } else if rest.starts_with(b"</") {
            match until(2, b">") {
                Some(span) => {
                    let name = text[start + 2..span.end - 1].trim_end();
                    Piece::End { name: start + 2..start + 2 + name.len(), span }
                }
                None => Piece::Unfinished("end tag", start),
            }
        } else {
            StartTag::at(text, start).map_or(Piece::Unfinished("tag", start), Piece::Start)
        };
        at = match &piece {
            Piece::Start(tag) => tag.span.end,
            Piece::End { span, .. }
            | Piece::Comment(span)
            | Piece::CharacterData(span)
            | Piece::Instruction(span) => span.end,
            Piece::Declaration(start) => start + 2,
            Piece::Unfinished(..) => bytes.len(),
        };
        Some(piece)
    })
}

/// Whether XML considers this byte white space.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// `Char` of the XML 1.0 grammar.
pub fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(text: &str) -> Vec<(&str, &str)> {
        let tag = StartTag::at(text, 0).unwrap();
        tag.attributes(text)
            .map(|attribute| (&text[attribute.name], &text[attribute.value]))
            .collect()
    }

    #[test]
    fn reads_a_start_tag_with_unusual_spacing_and_both_quotes() {
        let text = "<a:b  x = '1>' y=\"it's\"\n\txmlns=''/>rest";
        let tag = StartTag::at(text, 0).unwrap();
        assert_eq!(&text[tag.name.clone()], "a:b");
        assert_eq!(&text[tag.span.end..], "rest");
        assert!(tag.self_closing);
        assert_eq!(attributes(text), [("x", "1>"), ("y", "it's"), ("xmlns", "")]);
        assert_eq!(&text[..tag.attributes_end(text)], "<a:b  x = '1>' y=\"it's\"\n\txmlns=''");
    }

    #[test]
    fn returns_none_for_an_unfinished_tag() {
        for text in ["<a", "<a b='", "<a b='>", "<a <b>"] {
            assert_eq!(StartTag::at(text, 0), None, "{text}");
        }
    }

    #[test]
    fn returns_pieces_in_order() {
        let text = "<?xml?><!-- <x> --><a><![CDATA[<y>]]></a ><!DOCTYPE";
        let kinds: Vec<String> = pieces(text, 0)
            .map(|piece| match piece {
                Piece::Start(tag) => format!("start {}", &text[tag.name]),
                Piece::End { name, .. } => format!("end {}", &text[name]),
                Piece::Comment(_) => "comment".into(),
                Piece::CharacterData(_) => "cdata".into(),
                Piece::Instruction(_) => "pi".into(),
                Piece::Declaration(at) => format!("declaration {at}"),
                Piece::Unfinished(what, at) => format!("unfinished {what} {at}"),
            })
            .collect();
        assert_eq!(kinds, ["pi", "comment", "start a", "cdata", "end a", "declaration 42"]);
    }

    #[test]
    fn names_unfinished_markup() {
        let last = |text| pieces(text, 0).last();
        assert_eq!(last("<a><!-- x"), Some(Piece::Unfinished("comment", 3)));
        assert_eq!(last("<a></a"), Some(Piece::Unfinished("end tag", 3)));
        assert_eq!(last("<a><"), Some(Piece::Unfinished("tag", 3)));
        assert_eq!(last("<a><!--"), Some(Piece::Unfinished("comment", 3)));
    }
}
