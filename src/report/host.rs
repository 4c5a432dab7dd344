//! What the checks say about a machine: as text for people, what to do first at its top, and as
//! JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::host::checks::{Item, NEXT, Status, first};
use crate::rules::schema::Severity;
use crate::sanitize::clean;

/// How much of the checks is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// Problems only.
    Quiet,
    /// Problems, what could not be checked, and a summary.
    Normal,
    /// Everything, with the checks that passed.
    Verbose,
}

/// For people: what is wrong, what could not be checked, and a line for each check that passed, as
/// far as `amount` goes.
pub fn text(items: &[Item<'_>], amount: Amount) -> String {
    let begin = first(items);
    let is_begin = |item: &Item<'_>| begin.is_some_and(|begin| std::ptr::eq(begin, item));
    let of = |status: Status| items.iter().filter(move |item| item.status == status);
    let severities = [Severity::Error, Severity::Warning, Severity::Info];
    let (mut text, mut has_next) = (String::new(), false);
    for item in severities.into_iter().flat_map(|severity| of(Status::Wrong(severity))) {
        let _ = writeln!(text, "{}[{}] {}", item.status.name(), item.rule.id, clean(&item.message));
        if let Some(help) = &item.help {
            // A step that several findings share is written out once.
            let help = if has_next { help.replace(NEXT, "as above") } else { help.clone() };
            has_next |= help.contains(NEXT);
            let _ = writeln!(
                text,
                "  {} {}",
                if is_begin(item) { "do this first:" } else { "what to do:" },
                clean(&help)
            );
        }
        let _ = writeln!(text, "  checked: {}\n", clean(&item.read.join(", ")));
    }
    if amount == Amount::Quiet {
        return text;
    }
    for item in of(Status::Unknown) {
        let _ = writeln!(text, "unknown[{}] {}", item.rule.id, clean(&item.message));
    }
    for item in of(Status::Ok).filter(|_| amount == Amount::Verbose) {
        let _ = writeln!(text, "ok  {}", clean(&item.message));
    }
    // A finding ends with a blank line.
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str(&summary(items));
    text
}

/// The last line: how many of each, and where to begin.
fn summary(items: &[Item<'_>]) -> String {
    let count = |status: Status| items.iter().filter(|item| item.status == status).count();
    let some = |count: usize, word: &str| {
        if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
    };
    let errors = some(count(Status::Wrong(Severity::Error)), "error");
    let warnings = some(count(Status::Wrong(Severity::Warning)), "warning");
    let passed = format!("{} passed", some(count(Status::Ok), "check"));
    let unknown = match count(Status::Unknown) {
        0 => String::new(),
        count => format!(", {count} unknown"),
    };
    let counts = format!("{errors}, {warnings}, {passed}{unknown}");
    let is_roots = |item: &Item<'_>| {
        item.status == Status::Unknown
            && (item.message.contains("ermission denied") || item.message.contains("only root"))
    };
    let more =
        if items.iter().any(is_roots) { " Root can see more: `sudo gvtg-xml host`." } else { "" };
    match first(items) {
        Some(item) => format!(
            "{counts}. Start with {}; for details, run `gvtg-xml explain {}`.{more}\n",
            item.rule.id, item.rule.id
        ),
        None => format!("{counts}. Found nothing that prevents GVT-g.{more}\n"),
    }
}

/// For programs: all checks, those too that had nothing to look at.
pub fn json(items: &[Item<'_>]) -> String {
    let item = |item: &Item<'_>| -> Value {
        json!({
            "rule": item.rule.id,
            "status": item.status.name(),
            "message": item.message,
            "help": item.help,
            "read": item.read,
        })
    };
    let first = first(items).map(|item| &item.rule.id);
    format!(
        "{}\n",
        json!({ "version": 1, "first": first, "checks": items.iter().map(item).collect::<Vec<_>>() })
    )
}
