//! Renders the results of the host's checks, as text for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::host::checks::{Item, SETUP_STEPS, Status, first};
use crate::rules::schema::Severity;
use crate::text::sanitize::clean;

/// Verbosity of detail in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only problems.
    Quiet,
    /// Problems, what could not be checked, and a summary.
    Normal,
    /// Everything, with the checks that passed.
    Verbose,
}

/// Renders the results as text, with as much detail as `verbosity` allows. The check to resolve
/// first is marked.
pub fn text(items: &[Item<'_>], verbosity: Verbosity) -> String {
    let first_to_resolve = first(items);
    let is_first_to_resolve = |item: &Item<'_>| {
        first_to_resolve.is_some_and(|first_to_resolve| std::ptr::eq(first_to_resolve, item))
    };
    let with_status = |status: Status| items.iter().filter(move |item| item.status == status);
    let severities = [Severity::Error, Severity::Warning, Severity::Info];
    let (mut text, mut has_next) = (String::new(), false);
    for item in severities.into_iter().flat_map(|severity| with_status(Status::Failed(severity))) {
        let _ = writeln!(text, "{}[{}] {}", item.status.name(), item.rule.id, clean(&item.message));
        if let Some(help) = &item.help {
            // A step shared by several findings is written out once.
            let help = if has_next { help.replace(SETUP_STEPS, "as above") } else { help.clone() };
            has_next |= help.contains(SETUP_STEPS);
            let _ = writeln!(
                text,
                "  {} {}",
                if is_first_to_resolve(item) { "do this first:" } else { "what to do:" },
                clean(&help)
            );
        }
        let _ = writeln!(text, "  checked: {}\n", clean(&item.files_read.join(", ")));
    }
    if verbosity == Verbosity::Quiet {
        return text;
    }
    for item in with_status(Status::Unknown) {
        let _ = writeln!(text, "unknown[{}] {}", item.rule.id, clean(&item.message));
    }
    for item in with_status(Status::Ok).filter(|_| verbosity == Verbosity::Verbose) {
        let _ = writeln!(text, "ok  {}", clean(&item.message));
    }
    // A finding ends with a blank line.
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str(&summary(items));
    text
}

/// Returns the last line: the number of results per status, and where to start.
fn summary(items: &[Item<'_>]) -> String {
    let count = |status: Status| items.iter().filter(|item| item.status == status).count();
    let counted = |count: usize, word: &str| {
        if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
    };
    let errors = counted(count(Status::Failed(Severity::Error)), "error");
    let warnings = counted(count(Status::Failed(Severity::Warning)), "warning");
    let passed = format!("{} passed", counted(count(Status::Ok), "check"));
    let unknown = match count(Status::Unknown) {
        0 => String::new(),
        count => format!(", {count} unknown"),
    };
    let counts = format!("{errors}, {warnings}, {passed}{unknown}");
    let needs_root = |item: &Item<'_>| {
        item.status == Status::Unknown
            && (item.message.contains("ermission denied") || item.message.contains("only root"))
    };
    let more =
        if items.iter().any(needs_root) { " Root can see more: `sudo gvtg-xml host`." } else { "" };
    match first(items) {
        Some(item) => format!(
            "{counts}. Start with {}; for details, run `gvtg-xml explain {}`.{more}\n",
            item.rule.id, item.rule.id
        ),
        None => format!("{counts}. Found nothing that prevents GVT-g.{more}\n"),
    }
}

/// Renders all results as JSON, including checks that had nothing to examine.
pub fn json(items: &[Item<'_>]) -> String {
    let item = |item: &Item<'_>| -> Value {
        json!({
            "rule": item.rule.id,
            "status": item.status.name(),
            "message": item.message,
            "help": item.help,
            "read": item.files_read,
        })
    };
    let first = first(items).map(|item| &item.rule.id);
    format!(
        "{}\n",
        json!({ "version": 1, "first": first, "checks": items.iter().map(item).collect::<Vec<_>>() })
    )
}
