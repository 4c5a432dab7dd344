//! A log, looked through piece by piece.

use std::collections::BTreeMap;
use std::ops::Range;

use super::catalog::{Answer, Catalog};
use super::strip_ansi::plain;

/// A log that is being looked through. It keeps what it found and the line that is not complete
/// yet.
#[derive(Debug)]
pub struct LogScanner<'k, 'r> {
    known: &'k Catalog<'r>,
    /// What has come of a line whose end has not.
    line: Vec<u8>,
    /// How many lines have ended.
    lines: usize,
    found: BTreeMap<usize, Occurrences>,
    unknown: Unknown,
    last_start: Option<usize>,
    has_other_letters: bool,
}

/// What a log says.
#[derive(Clone, Debug)]
pub struct Report<'k, 'r> {
    /// The known errors in it, by the line where each is first.
    pub complaints: Vec<LogMatch<'k, 'r>>,
    /// The lines of libvirt and QEMU that report an error which is not known.
    pub unknown: Unknown,
    /// How many lines it has.
    pub lines: usize,
    /// The line, from 1, in which the guest was started for the last time: QEMU's log has all of
    /// them.
    pub last_start: Option<usize>,
    /// Whether there are letters in it that English does without: its messages may be in another
    /// language.
    pub has_other_letters: bool,
}

/// A known error in a log.
#[derive(Clone, Debug)]
pub struct LogMatch<'k, 'r> {
    /// What explains it.
    pub answer: &'k Answer<'r>,
    /// Where and how often it is said.
    pub seen: Occurrences,
}

/// Where something stands in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrences {
    /// In how many lines.
    pub count: usize,
    /// The first of them, from 1.
    pub first: usize,
    /// The last of them.
    pub last: usize,
    /// What the first says, without what is not text; a long one only as far as it is about this.
    pub text: String,
}

/// Errors that nothing is known of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// In how many lines.
    pub count: usize,
    /// The last of them, from 1, with what it says: a log's end is about what somebody did last.
    pub last: Option<(usize, String)>,
}

/// What libvirt writes into QEMU's log before each start.
const START: &[u8] = b": starting up libvirt version: ";

/// A line that goes on for longer is looked at in pieces of this size, so that any log fits into
/// memory.
const MAX_LINE_BYTES: usize = 4 << 20;

impl<'k, 'r> LogScanner<'k, 'r> {
    /// A log of which nothing has come yet.
    pub fn new(known: &'k Catalog<'r>) -> Self {
        LogScanner {
            known,
            line: Vec::new(),
            lines: 0,
            found: BTreeMap::new(),
            unknown: Unknown::default(),
            last_start: None,
            has_other_letters: false,
        }
    }

    /// Looks at what comes next of the log, wherever that begins and ends.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            if self.line.is_empty() {
                self.look_at(&bytes[..end]);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&bytes[..end]);
                self.look_at(&line);
            }
            self.lines += 1;
            bytes = &bytes[end + 1..];
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > MAX_LINE_BYTES {
            let line = std::mem::take(&mut self.line);
            self.look_at(&line);
        }
    }

    /// What the log says, when all of it has come.
    pub fn finish(mut self) -> Report<'k, 'r> {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.look_at(&line);
            self.lines += 1;
        }
        let numbers = self.known.without_vague(self.found.keys().copied().collect());
        let complaint = |number| {
            Some(LogMatch { answer: self.known.answer(number), seen: self.found.remove(&number)? })
        };
        let mut complaints: Vec<_> = numbers.into_iter().filter_map(complaint).collect();
        complaints.sort_by_key(|complaint| complaint.seen.first);
        Report {
            complaints,
            unknown: self.unknown,
            lines: self.lines,
            last_start: self.last_start,
            has_other_letters: self.has_other_letters,
        }
    }

    fn look_at(&mut self, line: &[u8]) {
        let line = plain(line.strip_suffix(b"\r").unwrap_or(line));
        let number = self.lines + 1;
        if memchr::memmem::find(&line, START).is_some() {
            self.last_start = Some(number);
        }
        self.has_other_letters |= !line.is_ascii()
            && String::from_utf8_lossy(&line).chars().any(|c| c.is_alphabetic() && !c.is_ascii());
        let answers = self.known.in_line(&line);
        if answers.is_empty() && is_error(&line) {
            self.unknown.count += 1;
            self.unknown.last = Some((number, shown(&line, 0..0)));
        }
        for (answer, place) in answers {
            let seen = self.found.entry(answer).or_insert_with(|| Occurrences {
                count: 0,
                first: number,
                last: number,
                text: shown(&line, place),
            });
            seen.count += 1;
            seen.last = number;
        }
    }
}

/// Whether a line is one in which libvirt, virsh or QEMU report an error, by how they begin it.
fn is_error(line: &[u8]) -> bool {
    let has = |words: &[u8]| memchr::memmem::find(line, words).is_some();
    let is_qemus = || {
        has(b"qemu-system-")
            && has(b": ")
            && !has(b"warning")
            && !has(b"info:")
            && !has(b"terminating on signal")
    };
    // virsh says that a start failed before it says why.
    line.starts_with(b"error: ") && !line.starts_with(b"error: Failed to start domain")
        || has(b": error : ")
        || (line.first().is_some_and(u8::is_ascii_digit) && is_qemus())
}

/// A message is shown with so much of its line before it and behind it, in bytes.
const CONTEXT_BYTES: Range<usize> = 200..300;

/// A line as text, or the part of a long one around a place.
fn shown(line: &[u8], place: Range<usize>) -> String {
    let is_start = |at: usize| line.get(at).is_none_or(|byte| *byte & 0xc0 != 0x80);
    let start = place.start.saturating_sub(CONTEXT_BYTES.start);
    let end = line.len().min(place.end.min(place.start + CONTEXT_BYTES.end) + CONTEXT_BYTES.end);
    let start = (start..line.len()).take(4).find(|at| is_start(*at)).unwrap_or(start);
    let end = (end..line.len()).take(4).find(|at| is_start(*at)).unwrap_or(end);
    let text = String::from_utf8_lossy(&line[start..end]);
    let (before, behind) =
        (if start > 0 { "…" } else { "" }, if end < line.len() { "…" } else { "" });
    format!("{before}{}{behind}", text.trim())
}
