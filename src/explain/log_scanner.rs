//! Scans a log for known errors.

use std::collections::BTreeMap;
use std::ops::Range;

use super::catalog::{Answer, Catalog};
use super::strip_ansi::plain;

/// A scanner for a log that arrives in chunks. It only keeps its results and the current incomplete
/// line.
#[derive(Debug)]
pub struct LogScanner<'k, 'r> {
    catalog: &'k Catalog<'r>,
    /// The incomplete line at the end of the last chunk.
    line: Vec<u8>,
    /// The number of complete lines so far.
    lines: usize,
    /// By the index of the answer in the catalog.
    occurrences: BTreeMap<usize, Occurrences>,
    unknown: Unknown,
    last_start: Option<usize>,
    has_other_letters: bool,
}

/// The result of scanning a log.
#[derive(Clone, Debug)]
pub struct Report<'k, 'r> {
    /// The known errors, sorted by the line of their first occurrence.
    pub complaints: Vec<LogMatch<'k, 'r>>,
    /// The errors of libvirt and QEMU that are not known.
    pub unknown: Unknown,
    /// The number of lines.
    pub lines: usize,
    /// The 1-based line of the VM's last start; QEMU's log contains all of them.
    pub last_start: Option<usize>,
    /// Whether the log contains non-ASCII letters, so that its messages may not be in English.
    pub has_other_letters: bool,
}

/// A known error in a log.
#[derive(Clone, Debug)]
pub struct LogMatch<'k, 'r> {
    /// The explanation.
    pub answer: &'k Answer<'r>,
    /// The lines in which it occurs.
    pub seen: Occurrences,
}

/// The occurrences of an error in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrences {
    /// The number of lines that contain it.
    pub count: usize,
    /// The 1-based number of the first such line.
    pub first: usize,
    /// The 1-based number of the last such line.
    pub last: usize,
    /// The plain text of the first such line; for a long line, the part around the message.
    pub text: String,
}

/// Unknown errors in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// The number of lines with unknown errors.
    pub count: usize,
    /// The 1-based number and the text of the last such line. The end of a log shows the user's
    /// latest attempt.
    pub last: Option<(usize, String)>,
}

/// The text that libvirt writes to QEMU's log before each start.
const START: &[u8] = b": starting up libvirt version: ";

/// Maximum length of a line in bytes. Longer lines are scanned in pieces of this size, so that
/// memory use is bounded.
const MAX_LINE_BYTES: usize = 4 << 20;

impl<'k, 'r> LogScanner<'k, 'r> {
    /// Creates a scanner for an empty log.
    pub fn new(catalog: &'k Catalog<'r>) -> Self {
        LogScanner {
            catalog,
            line: Vec::new(),
            lines: 0,
            occurrences: BTreeMap::new(),
            unknown: Unknown::default(),
            last_start: None,
            has_other_letters: false,
        }
    }

    /// Scans the next chunk, which may begin and end within a line.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            if self.line.is_empty() {
                self.scan_line(&bytes[..end]);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&bytes[..end]);
                self.scan_line(&line);
            }
            self.lines += 1;
            bytes = &bytes[end + 1..];
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > MAX_LINE_BYTES {
            let line = std::mem::take(&mut self.line);
            self.scan_line(&line);
        }
    }

    /// Returns the result after the last chunk.
    pub fn finish(mut self) -> Report<'k, 'r> {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.scan_line(&line);
            self.lines += 1;
        }
        let answers = self.catalog.drop_vague(self.occurrences.keys().copied().collect());
        let log_match = |index| {
            Some(LogMatch {
                answer: self.catalog.answer(index),
                seen: self.occurrences.remove(&index)?,
            })
        };
        let mut complaints: Vec<_> = answers.into_iter().filter_map(log_match).collect();
        complaints.sort_by_key(|complaint| complaint.seen.first);
        Report {
            complaints,
            unknown: self.unknown,
            lines: self.lines,
            last_start: self.last_start,
            has_other_letters: self.has_other_letters,
        }
    }

    fn scan_line(&mut self, line: &[u8]) {
        let line = plain(line.strip_suffix(b"\r").unwrap_or(line));
        let number = self.lines + 1;
        if memchr::memmem::find(&line, START).is_some() {
            self.last_start = Some(number);
        }
        self.has_other_letters |= !line.is_ascii()
            && String::from_utf8_lossy(&line).chars().any(|c| c.is_alphabetic() && !c.is_ascii());
        let answers = self.catalog.find_in_line(&line);
        if answers.is_empty() && is_error(&line) {
            self.unknown.count += 1;
            self.unknown.last = Some((number, render_line(&line, 0..0)));
        }
        for (answer, place) in answers {
            let seen = self.occurrences.entry(answer).or_insert_with(|| Occurrences {
                count: 0,
                first: number,
                last: number,
                text: render_line(&line, place),
            });
            seen.count += 1;
            seen.last = number;
        }
    }
}

/// Whether the format of a line shows that libvirt, virsh or QEMU report an error.
fn is_error(line: &[u8]) -> bool {
    let has = |words: &[u8]| memchr::memmem::find(line, words).is_some();
    let is_qemu_error = || {
        has(b"qemu-system-")
            && has(b": ")
            && !has(b"warning")
            && !has(b"info:")
            && !has(b"terminating on signal")
    };
    // virsh reports that a start failed before it reports the cause.
    line.starts_with(b"error: ") && !line.starts_with(b"error: Failed to start domain")
        || has(b": error : ")
        || (line.first().is_some_and(u8::is_ascii_digit) && is_qemu_error())
}

/// Bytes of the line shown before and after a message.
const CONTEXT_BYTES: Range<usize> = 200..300;

/// Renders a line; of a long line, only the part around a byte range.
fn render_line(line: &[u8], place: Range<usize>) -> String {
    let is_start = |at: usize| line.get(at).is_none_or(|byte| *byte & 0xc0 != 0x80);
    let start = place.start.saturating_sub(CONTEXT_BYTES.start);
    let end = line.len().min(place.end.min(place.start + CONTEXT_BYTES.end) + CONTEXT_BYTES.end);
    let start = (start..line.len()).take(4).find(|at| is_start(*at)).unwrap_or(start);
    let end = (end..line.len()).take(4).find(|at| is_start(*at)).unwrap_or(end);
    let text = String::from_utf8_lossy(&line[start..end]);
    let prefix = if start > 0 { "…" } else { "" };
    let suffix = if end < line.len() { "…" } else { "" };
    format!("{prefix}{}{suffix}", text.trim())
}
