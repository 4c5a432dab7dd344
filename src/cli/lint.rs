//! `gvtg-xml lint`.

use std::io::IsTerminal;
use std::path::Path;

use super::files::{Input, collect};
use super::{CommonArgs, LintArgs, Status, io, rules};
use crate::lint::{lint, lint_without_edits, passed_over};
use crate::report::Report;
use crate::rules::RuleSet;
use crate::settings::Settings;
use crate::source::{Position, Source};
use crate::xml;

pub(super) fn run(args: &LintArgs) -> Status {
    let common = &args.common;
    let own = match rules::load(common.rules.as_deref()) {
        Ok(own) => own,
        Err(message) => return fail(&message),
    };
    let rule_set = match rules::chosen(&own, common) {
        Ok(rule_set) => rule_set,
        Err(message) => return fail(&message),
    };
    if args.files.is_empty() && io::stdin_is_terminal() {
        return fail("give a FILE, or pipe a domain's XML in: virsh dumpxml --inactive NAME | gvtg-xml lint");
    }
    let (inputs, unreadable) = collect(&args.files);
    let mut status = Status::Clean;
    for (path, message) in unreadable {
        status = fail(&format!("{}: can't be read: {message}", path.display()));
    }
    let color = io::use_color(common.color, std::io::stdout().is_terminal());
    let mut report = Report::new(args.format, color);
    let (mut skipped, several) = (0, inputs.len() > 1);
    for input in &inputs {
        let settings = Settings { found: is_met(input, common), ..args.settings.settings(false) };
        match lint_one(input, common, &rule_set, &settings, &mut report) {
            Ok(Some(one)) => status = status.max(one),
            Ok(None) => skipped += 1,
            Err(message) => status = fail(&message),
        }
        // A long run shows what it has; a closed pipe ends it.
        if several && report.is_large() && io::print(&report.take()).is_err() {
            return Status::Failed;
        }
    }
    if let Err(message) = io::print(&report.finish()) {
        return fail(&message);
    }
    say_skipped(skipped, inputs.len());
    status
}

/// The status that a file's findings mean; None for one that is passed over.
fn lint_one(
    input: &Input,
    common: &CommonArgs,
    rules: &RuleSet<'_>,
    settings: &Settings,
    report: &mut Report,
) -> Result<Option<Status>, String> {
    let name = name(&input.path, common);
    let bytes = io::read(&input.path, common).map_err(|message| format!("{name}: {message}"))?;
    if is_passed_over(input, common, &bytes) {
        return Ok(None);
    }
    let text = xml::decode(&bytes).map_err(|error| located(&name, position_in(&bytes, &error), &error))?;
    let source = Source::new(&name, text);
    let lint = if report.shows_edits() { lint } else { lint_without_edits };
    let diagnostics = lint(text, rules, settings).map_err(|error| located(&name, source.position(error.offset), &error))?;
    report.add(&source, &diagnostics);
    Ok(Some(common.status(diagnostics.iter().map(|diagnostic| &diagnostic.severity))))
}

/// Whether nobody says that a file is meant: it was met in a folder, or a hook hands on whatever there is.
pub(super) fn is_met(input: &Input, common: &CommonArgs) -> bool {
    input.found || common.skip_foreign
}

/// Whether a file was not named one by one, and is no domain or has no sign of GVT-g; said where it is asked for.
pub(super) fn is_passed_over(input: &Input, common: &CommonArgs, bytes: &[u8]) -> bool {
    let why = if is_met(input, common) { passed_over(bytes, common.all) } else { None };
    if let Some(why) = why.filter(|_| common.list_skipped) {
        io::complain(&format!("{}: passed over: {why}", name(&input.path, common)));
    }
    why.is_some()
}

/// Says how many files were passed over, so that silence means that all is well and not that nothing was looked at.
pub(super) fn say_skipped(skipped: usize, all: usize) {
    if skipped > 0 {
        let looked_at = all - skipped;
        io::complain(&format!(
            "looked at {looked_at} of {all} files: the others are no domains with a sign of GVT-g (--list-skipped names them, --all looks at all domains)"
        ));
    }
}

/// The name that messages show for a path.
pub(super) fn name(path: &Path, common: &CommonArgs) -> String {
    if path == Path::new("-") { common.stdin_filename.clone() } else { path.display().to_string() }
}

/// Where bytes that are not UTF-8 stop being text.
pub(super) fn position_in(bytes: &[u8], error: &xml::XmlError) -> Position {
    let text = String::from_utf8_lossy(&bytes[..error.offset]);
    Source::new("", &text).position(error.offset)
}

/// file:line:column: what is wrong, and what to do.
pub(super) fn located(name: &str, position: Position, error: &xml::XmlError) -> String {
    format!("{name}:{}:{}: error: {}\n  help: {}", position.line, position.column, error.message, error.help)
}

/// Says what could not be done.
pub(super) fn fail(message: &str) -> Status {
    let mut lines = message.lines();
    io::complain(lines.next().unwrap_or(""));
    for line in lines {
        io::report(&format!("{}\n", crate::report::clean(line)));
    }
    Status::Failed
}
