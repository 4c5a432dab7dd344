//! `gvtg-xml explain` for a log.

use std::io::{ErrorKind, Read};

use super::{Told, nearest, unreadable};
use crate::doctor::{Examination, Known, Report, in_short};
use crate::lint::why_foreign;
use crate::printable::clean;

/// Looks through a log, of any size.
///
/// # Errors
/// Why it can't be read.
pub(super) fn examine(name: &str, mut log: impl Read, known: &Known<'_>, told: &mut Told) -> Result<(), String> {
    let mut examination = Examination::new(known);
    let mut buffer = vec![0; 1 << 18];
    let mut is_first = true;
    loop {
        match log.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                if std::mem::take(&mut is_first) && is_domain(&buffer[..length]) {
                    let name = clean(name);
                    let file = if name == "<stdin>" { String::new() } else { format!(" {name}") };
                    return Err(format!("{name}: this is a domain and no log: `gvtg-xml lint{file}` says what is wrong in it"));
                }
                examination.feed(&buffer[..length]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error)),
        }
    }
    let report = examination.finish();
    if report.lines > 0 {
        tell(&clean(name), &report, known, told);
    } else if name != "<stdin>" {
        told.unknown.push(format!("{}: is empty", clean(name)));
    }
    Ok(())
}

/// Whether this is the beginning of a domain's XML.
fn is_domain(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    text.starts_with(b"<") && why_foreign(text, true).is_none()
}

/// What a log says, each known error once.
fn tell(name: &str, report: &Report<'_, '_>, known: &Known<'_>, told: &mut Told) {
    for complaint in &report.complaints {
        let seen = &complaint.seen;
        let mut when = if seen.count > 1 { format!("  ({} times, last in line {})\n", seen.count, seen.last) } else { String::new() };
        if let Some(start) = report.last_start.filter(|start| *start > seen.last) {
            when += &format!("  (not since the guest's last start, in line {start})\n");
        }
        let explained = in_short(complaint.answer)
            .lines()
            .map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") })
            .collect::<String>();
        told.add(&format!("{name}:{}: {}\n{when}\n{explained}", seen.first, clean(&seen.text)));
    }
    if let (Some((line, text)), count) = (&report.unknown.last, report.unknown.count) {
        let others = if count > 1 { format!("{count} errors are not known, the last is") } else { "not known".to_owned() };
        let message = format!("{name}:{line}: {others}: {}", clean(text));
        // Beside what is known it is news; alone it is the answer.
        if report.complaints.is_empty() {
            told.unknown.push(message + &nearest(text, known));
        } else {
            told.add(&(message + "\n"));
        }
    } else if report.complaints.is_empty() {
        let english = if report.has_other_letters { "; messages are known in English (LC_ALL=C)" } else { "" };
        told.unknown.push(format!("{name}: none of its {} lines says anything that is known here{english}", report.lines));
    }
}
