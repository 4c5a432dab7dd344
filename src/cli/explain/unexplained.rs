//! Messages about what `explain` can't explain, with the next steps.

use miette::Diagnostic;
use thiserror::Error;

use crate::explain::{Catalog, Report};
use crate::text::sanitize::clean;

/// Starts a VM and explains why that fails. LC_ALL=C, because only English messages are known.
pub(super) const START: &str = "`LC_ALL=C virsh start win10 2>&1 | gvtg-xml explain`";

const QEMU_LOG: &str = "`sudo gvtg-xml explain /var/log/libvirt/qemu/win10.log`";

const LIBVIRT_LOG: &str = "`journalctl -b -u libvirtd -u virtqemud | gvtg-xml explain`";

const ENGLISH: &str =
    "only English messages are known: run the failed command again with `LC_ALL=C`";

const REPORT: &str = "if that does not help, report the message to the gvtg-xml project, with the versions of libvirt and QEMU";

/// A word, message or log without an explanation.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub(super) struct Unexplained {
    message: String,
    /// The next steps, one per line.
    #[help]
    help: Option<String>,
}

impl Unexplained {
    fn new(message: String, steps: impl IntoIterator<Item = String>) -> Self {
        let steps: Vec<String> = steps.into_iter().collect();
        Unexplained { message, help: if steps.is_empty() { None } else { Some(steps.join("\n")) } }
    }
}

/// Returns the message for an unknown word or message.
pub(super) fn unknown(query: &str, catalog: &Catalog<'_>) -> Unexplained {
    let message = format!("no known message matches '{}'", clean(query));
    if query.contains(char::is_whitespace) {
        let log = format!("explain all of QEMU's log, which often has the cause: {QEMU_LOG}");
        let steps = [log, ENGLISH.to_owned(), REPORT.to_owned()];
        return Unexplained::new(message, related(query, catalog).into_iter().chain(steps));
    }
    match &catalog.nearest(query)[..] {
        [name] => Unexplained::new(format!("{message}; did you mean '{name}'?"), []),
        _ => {
            let list = "`gvtg-xml explain` lists all rules and known messages".to_owned();
            Unexplained::new(message, related(query, catalog).into_iter().chain([list]))
        }
    }
}

/// Returns the step that explains the names nearest to an unknown word; `None` if there are none.
fn related(query: &str, catalog: &Catalog<'_>) -> Option<String> {
    match &catalog.nearest(query)[..] {
        [] => None,
        names => Some(format!("these may be related: `gvtg-xml explain {}`", names.join(" "))),
    }
}

/// Returns the message for an empty log, and where else the cause may be.
pub(super) fn empty_log(name: &str) -> Unexplained {
    if name == "<stdin>" {
        return Unexplained::new(
            format!("{name} is empty"),
            [
                "check that the command before the pipe prints something".to_owned(),
                format!("these are the logs: {}", logs(name)),
            ],
        );
    }
    Unexplained::new(
        format!("{}: the log is empty", clean(name)),
        [
            "start the VM again, so that QEMU writes a log: `virsh start win10`".to_owned(),
            format!(
                "if the log stays empty, QEMU did not start, and the reason is in libvirt's log: {LIBVIRT_LOG}"
            ),
        ],
    )
}

/// Returns the message for the last unknown error of a log without a known one. `location` is where
/// the error is.
pub(super) fn unknown_error(
    location: String,
    text: &str,
    name: &str,
    report: &Report<'_, '_>,
    catalog: &Catalog<'_>,
) -> Unexplained {
    let steps = related(text, catalog).into_iter().chain(other_logs(name, report));
    Unexplained::new(location, steps.chain([REPORT.to_owned()]))
}

/// Returns the message for a log without an error.
pub(super) fn no_known_message(name: &str, report: &Report<'_, '_>) -> Unexplained {
    let lines =
        if report.lines == 1 { "1 line".to_owned() } else { format!("{} lines", report.lines) };
    Unexplained::new(format!("{name}: no known message in {lines}"), other_logs(name, report))
}

/// Lists the other logs that may show the cause.
fn logs(name: &str) -> String {
    let qemu_log = (!name.contains("/qemu/")).then(|| format!("QEMU's ({QEMU_LOG}), "));
    format!(
        "{}libvirt's ({LIBVIRT_LOG}) and the kernel's (`sudo dmesg | gvtg-xml explain`)",
        qemu_log.unwrap_or_default()
    )
}

/// Returns the next steps for a log without a known message.
fn other_logs(name: &str, report: &Report<'_, '_>) -> Vec<String> {
    let mut steps = Vec::new();
    if name != "<stdin>" {
        steps.push(format!(
            "if the VM does not start, let `explain` read what virsh prints: {START}"
        ));
    }
    steps.push(format!("these logs may show the reason: {}", logs(name)));
    if report.has_other_letters {
        steps.push(ENGLISH.to_owned());
    }
    steps
}
