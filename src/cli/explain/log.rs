//! `gvtg-xml explain` for a log.

use std::io::{ErrorKind, Read};

use super::{Explanation, QEMU_LOG, REPORT, START, related, unreadable};
use crate::explain::{Catalog, LogScanner, Report, summary};
use crate::lint::skip_reason;
use crate::text::sanitize::clean;

/// Explains the known messages in a log of any size. Returns false if the log is empty.
///
/// # Errors
/// Fails if the log can't be read or is a domain.
pub(super) fn examine(
    name: &str,
    mut log: impl Read,
    catalog: &Catalog<'_>,
    explanation: &mut Explanation,
) -> Result<bool, String> {
    let mut scanner = LogScanner::new(catalog);
    let mut buffer = vec![0; 1 << 18];
    let mut is_first = true;
    loop {
        match log.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                if std::mem::take(&mut is_first) && is_domain(&buffer[..length]) {
                    let name = clean(name);
                    let file = if name == "<stdin>" { String::new() } else { format!(" {name}") };
                    return Err(format!(
                        "{name}: this is a domain, not a log: check it with `gvtg-xml lint{file}`"
                    ));
                }
                scanner.feed(&buffer[..length]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error)),
        }
    }
    let report = scanner.finish();
    if report.lines > 0 {
        add_report(&clean(name), &report, catalog, explanation);
    }
    Ok(report.lines > 0)
}

/// Returns the message for an empty log, and where else the cause may be.
pub(super) fn empty(name: &str) -> String {
    if name == "<stdin>" {
        return format!(
            "{name} is empty\n  help: check that the command before the pipe prints something\n  help: these are the logs: {}",
            logs(name)
        );
    }
    format!(
        "{}: the log is empty\n  help: start the VM again, so that QEMU writes a log: `virsh start win10`\n  \
         help: if the log stays empty, QEMU did not start, and the reason is in libvirt's log: {LIBVIRT_LOG}",
        clean(name)
    )
}

const LIBVIRT_LOG: &str = "`journalctl -b -u libvirtd -u virtqemud | gvtg-xml explain`";

/// Lists the other logs that may show the cause.
fn logs(name: &str) -> String {
    let qemu_log = (!name.contains("/qemu/")).then(|| format!("QEMU's ({QEMU_LOG}), "));
    format!(
        "{}libvirt's ({LIBVIRT_LOG}) and the kernel's (`sudo dmesg | gvtg-xml explain`)",
        qemu_log.unwrap_or_default()
    )
}

/// Returns the next steps for a log without a known message.
fn other_logs(name: &str, report: &Report<'_, '_>) -> String {
    let mut help = String::new();
    if name != "<stdin>" {
        help += &format!(
            "\n  help: if the VM does not start, let `explain` read what virsh prints: {START}"
        );
    }
    help += &format!("\n  help: these logs may show the reason: {}", logs(name));
    if report.has_other_letters {
        help += "\n  help: only English messages are known: run the failed command again with `LC_ALL=C`";
    }
    help
}

/// Whether these bytes begin a domain's XML.
fn is_domain(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    text.starts_with(b"<") && skip_reason(text).is_none()
}

/// Adds the explanations of a log, each known error once.
fn add_report(
    name: &str,
    report: &Report<'_, '_>,
    catalog: &Catalog<'_>,
    explanation: &mut Explanation,
) {
    for complaint in &report.complaints {
        let seen = &complaint.seen;
        let mut when = if seen.count > 1 {
            format!("  ({} times, last on line {})\n", seen.count, seen.last)
        } else {
            String::new()
        };
        if let Some(start) = report.last_start.filter(|start| *start > seen.last) {
            when += &format!("  (not since the VM was last started, on line {start})\n");
        }
        let indented_summary = summary(complaint.answer)
            .lines()
            .map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") })
            .collect::<String>();
        explanation.add(&format!(
            "{name}:{}: {}\n{when}\n{indented_summary}",
            seen.first,
            clean(&seen.text)
        ));
    }
    if let (Some((line, text)), count) = (&report.unknown.last, report.unknown.count) {
        let others = if count > 1 {
            format!("{count} unknown errors, the last one")
        } else {
            "unknown error".to_owned()
        };
        let message = format!("{name}:{line}: {others}: {}", clean(text));
        // Next to known errors, the unknown one is additional information; alone, it is the answer.
        if report.complaints.is_empty() {
            explanation
                .unknown
                .push(message + &related(text, catalog) + &other_logs(name, report) + REPORT);
        } else {
            explanation.add(&(message + "\n"));
        }
    } else if report.complaints.is_empty() {
        let lines =
            if report.lines == 1 { "1 line".to_owned() } else { format!("{} lines", report.lines) };
        explanation
            .unknown
            .push(format!("{name}: no known message in {lines}{}", other_logs(name, report)));
    }
}
