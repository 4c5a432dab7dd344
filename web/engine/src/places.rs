//! Converts byte offsets to positions in a browser's editor: UTF-16 code units, with each line
//! ending counted as one.

/// Converts byte offsets in a text. For ascending offsets, each conversion only reads the text
/// since the previous one.
pub struct Places<'t> {
    text: &'t str,
    /// The last byte offset, and its position.
    last: (usize, usize),
}

impl<'t> Places<'t> {
    /// Creates a converter for a text.
    pub fn new(text: &'t str) -> Self {
        Places { text, last: (0, 0) }
    }

    /// The position of a byte offset. An offset inside a character or a line ending is rounded
    /// down, one past the end becomes the end.
    pub fn at(&mut self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) || self.is_inside_ending(offset) {
            offset -= 1;
        }
        let (from, place) = if self.last.0 <= offset { self.last } else { (0, 0) };
        let place = place + length(&self.text[from..offset]);
        self.last = (offset, place);
        place
    }

    fn is_inside_ending(&self, offset: usize) -> bool {
        offset > 0 && self.text.as_bytes().get(offset - 1..=offset) == Some(b"\r\n")
    }
}

/// The length of a text in editor positions.
fn length(text: &str) -> usize {
    text.encode_utf16().count() - text.matches("\r\n").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_utf16_units() {
        let text = "aé😀<";
        let mut places = Places::new(text);
        let all: Vec<usize> = (0..=text.len()).map(|offset| places.at(offset)).collect();
        // é is two bytes and one unit, 😀 four bytes and two units.
        assert_eq!(all, [0, 1, 1, 2, 2, 2, 2, 4, 5]);
        assert_eq!(places.at(99), 5, "past the end is the end");
    }

    #[test]
    fn counts_a_line_ending_as_one() {
        let text = "a\r\nb\rc\n\r\nd";
        let mut places = Places::new(text);
        let at = |places: &mut Places<'_>, what: &str| places.at(text.find(what).unwrap());
        assert_eq!(at(&mut places, "b"), 2);
        assert_eq!(at(&mut places, "c"), 4);
        assert_eq!(at(&mut places, "d"), 7);
        assert_eq!(places.at(2), 1, "between CR and LF is before both");
    }

    #[test]
    fn accepts_offsets_in_any_order() {
        let text = "é\r\né😀é\n".repeat(50);
        let forwards: Vec<usize> =
            (0..=text.len()).map(|offset| Places::new(&text).at(offset)).collect();
        let mut places = Places::new(&text);
        let mut backwards: Vec<usize> =
            (0..=text.len()).rev().map(|offset| places.at(offset)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        let mut places = Places::new(&text);
        assert_eq!(forwards, (0..=text.len()).map(|offset| places.at(offset)).collect::<Vec<_>>());
    }

    #[test]
    fn counts_a_byte_order_mark_as_one() {
        assert_eq!(Places::new("\u{feff}<a/>").at(3), 1);
    }
}
