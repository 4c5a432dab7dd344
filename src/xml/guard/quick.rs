//! A quick pass over a document, which decides whether each tag has to be checked.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::attributes::{check_attributes, check_references};
use crate::xml::limits::{MAX_DECLARATIONS, MAX_DEPTH, MAX_EQUALS_BYTES};
use crate::xml::scan::{StartTag, is_space};

/// A tag shorter than this cannot exceed any of the limits.
const MIN_SUSPECT_BYTES: usize = MAX_EQUALS_BYTES;

/// Whether the document may have an error that [`check_each_tag`](super::tags::check_each_tag)
/// finds. There are no false negatives, except that a start tag with `/>` in an attribute's value
/// is not counted as a level, which is harmless.
///
/// Comments and CDATA can cause false positives. A tag that contains a bare `<` is left to
/// roxmltree, which reports it.
pub(super) fn needs_full_check(text: &str, start: usize) -> bool {
    let bytes = text.as_bytes();
    if check_references(text, 0..text.len()).is_err() || are_declarations_suspect(text) {
        return true;
    }
    // A name that begins with a colon.
    if memchr_iter(b':', bytes)
        .any(|at| at > 0 && (is_space(bytes[at - 1]) || matches!(bytes[at - 1], b'<' | b'/')))
    {
        return true;
    }
    let is_suspect =
        |from: usize, to: usize| to - from > MIN_SUSPECT_BYTES && is_tag_suspect(text, from..to);
    let mut depth = 0usize;
    let mut previous = 0;
    let mut close = 0;
    for at in memchr_iter(b'<', bytes) {
        if is_suspect(previous, at) {
            return true;
        }
        previous = at;
        match bytes.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!')
                if !bytes[at..].starts_with(b"<!--") && !bytes[at..].starts_with(b"<![CDATA[") =>
            {
                return true;
            }
            // The common XML declaration at the beginning has been checked already.
            Some(b'?') if at != start || !bytes[at..].starts_with(b"<?xml ") => return true,
            Some(b'!' | b'?') | None => {}
            Some(_) => {
                // Searched once, even if many `<` precede it.
                if close <= at {
                    close = memchr(b'>', &bytes[at..]).map_or(bytes.len(), |found| at + found);
                }
                if bytes[close - 1] != b'/' {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return true;
                    }
                }
            }
        }
    }
    is_suspect(previous, bytes.len())
}

/// Whether there are too many namespace declarations, or a tag with one has an error.
fn are_declarations_suspect(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut seen = 0;
    for (count, at) in memmem::find_iter(bytes, b"xmlns").enumerate() {
        if count == MAX_DECLARATIONS {
            return true;
        }
        // Without a `<` since the previous declaration, this one is in the same tag.
        if let Some(start) = memrchr(b'<', &bytes[seen..at]).map(|found| seen + found) {
            let end = memchr(b'<', &bytes[at..]).map_or(bytes.len(), |found| at + found);
            if is_tag_suspect(text, start..end) {
                return true;
            }
        }
        seen = at;
    }
    false
}

/// Whether the start tag in a range, which begins with `<` and contains no other, has an error.
fn is_tag_suspect(text: &str, range: Range<usize>) -> bool {
    StartTag::at(&text[..range.end], range.start)
        .is_some_and(|tag| check_attributes(text, &tag).is_err())
}
