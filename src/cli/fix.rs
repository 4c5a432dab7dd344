//! `gvtg-xml fix`.

use std::fmt::Write as _;
use std::path::PathBuf;

use similar::TextDiff;

use super::files::{Input, collect};
use super::lint::{fail, is_met, is_passed_over, located, name, position_in, say_skipped};
use super::{FixArgs, Status, installed, io, rules};
use crate::lint::{FixError, Fixed, fix};
use crate::report::{clean, concise};
use crate::rules::RuleSet;
use crate::rules::schema::Format;
use crate::settings::Settings;
use crate::version::Version;
use crate::vgpu::form_for;
use crate::xml;

/// Why a file in a folder is left as it is, byte for byte.
const HELD_BACK: &str =
    "nothing says that the mediated device is Intel's, so all fixes are held back: name the file, or give --unsafe-fixes";

pub(super) fn run(args: &FixArgs) -> Status {
    let common = &args.common;
    let own = match rules::load(common.rules.as_deref()) {
        Ok(own) => own,
        Err(message) => return fail(&message),
    };
    let rule_set = match rules::chosen(&own, common) {
        Ok(rule_set) => rule_set,
        Err(message) => return fail(&message),
    };
    let to_stdout = !(args.in_place || args.diff || args.check);
    let from_pipe = args.files.is_empty() || args.files == [PathBuf::from("-")];
    if args.files.is_empty() && io::stdin_is_terminal() {
        return fail("give a FILE, or pipe a domain's XML in: virsh dumpxml --inactive NAME | gvtg-xml fix");
    }
    if args.in_place && (args.files.is_empty() || args.files.iter().any(|file| file.as_os_str() == "-")) {
        return fail("--in-place needs files to write: stdin is none");
    }
    let (inputs, unreadable) = collect(&args.files);
    if to_stdout && (inputs.len() != 1 || inputs.iter().any(|input| input.found)) {
        return fail("several files and folders need --in-place, --diff or --check: stdout holds one document");
    }
    let mut status = Status::Clean;
    for (path, message) in unreadable {
        status = fail(&format!("{}: can't be read: {message}", path.display()));
    }
    let mut settings = args.settings.settings(args.unsafe_fixes);
    if from_pipe && let Some(display) = own_display() {
        settings.default_display_env = display;
    }
    let mut skipped = 0;
    for input in &inputs {
        settings.found = is_met(input, common);
        match fix_one(input, args, &rule_set, &settings) {
            Ok(Some(one)) => status = status.max(one),
            Ok(None) => skipped += 1,
            Err(message) => status = fail(&message),
        }
    }
    if !args.quiet {
        say_skipped(skipped, inputs.len());
    }
    status
}

/// The display of whoever pipes a domain through, if it is one on this machine.
fn own_display() -> Option<String> {
    let display = std::env::var("DISPLAY").ok()?;
    (display.starts_with(':') && Format::Display.fits(&display)).then_some(display)
}

fn fix_one(input: &Input, args: &FixArgs, rules: &RuleSet<'_>, settings: &Settings) -> Result<Option<Status>, String> {
    let common = &args.common;
    let name = name(&input.path, common);
    let bytes = io::read(&input.path, common).map_err(|message| format!("{name}: {message}"))?;
    if is_passed_over(input, common, &bytes) {
        // A filter hands on what is not its business, byte for byte.
        let is_filter = !(args.in_place || args.diff || args.check);
        return if is_filter { io::print_bytes(&bytes).map(|()| Some(Status::Clean)) } else { Ok(None) };
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        match xml::decode(bytes) {
            Err(error) => located(&name, position_in(bytes, &error), &error),
            Ok(_) => format!("{name}: is not UTF-8"),
        }
    })?;
    let original = (args.diff || args.check).then(|| text.clone());
    // Where the text that came in is needed for nothing else, it is not kept: a big one is in memory once.
    let fixed = match fix(text, rules, settings) {
        Ok(fixed) => fixed,
        Err(FixError::Xml(error, position)) => return Err(located(&name, position, &error)),
        Err(FixError::Loop(names)) => {
            let message = "the fixes of these rules undo each other, which is a fault of this program: ";
            return Err(format!("{name}: {message}{}\n  help: leave one out with --ignore, and please report it", names.join(", ")));
        }
    };
    let left = common.status(fixed.remaining.iter().map(|diagnostic| &diagnostic.severity));
    let would_change = if (fixed.changed || fixed.held_back) && !common.exit_zero { Status::Findings } else { Status::Clean };
    let status = match &original {
        Some(original) if args.diff => {
            io::print(&diff(&name, original, &fixed.text))?;
            would_change
        }
        Some(_) => {
            let line = if fixed.changed { format!("{}\n", clean(&name)) } else { String::new() };
            io::print(&line)?;
            would_change
        }
        None if args.in_place => {
            if fixed.changed {
                io::replace(&input.path, &fixed.text).map_err(|error| format!("{name}: can't be written: {}", io::describe(&error)))?;
            }
            left
        }
        None => {
            io::print(&fixed.text)?;
            left
        }
    };
    if args.check && fixed.held_back {
        io::complain(&format!("{name}: {HELD_BACK}"));
    }
    if !args.quiet && !args.check {
        io::report(&account(&name, &fixed, settings, !args.diff));
    }
    Ok(Some(status))
}

fn diff(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let name = clean(name);
    let (before, after) = (format!("a/{}", name.trim_start_matches('/')), format!("b/{}", name.trim_start_matches('/')));
    TextDiff::from_lines(old, new).unified_diff().header(&before, &after).to_string()
}

/// What was done and what is left.
///
/// `written` says whether the document was written, or only what would be done is shown.
fn account(name: &str, fixed: &Fixed<'_>, settings: &Settings, written: bool) -> String {
    let mut text = String::new();
    let done = if written { "fixed" } else { "fixable" };
    for diagnostic in &fixed.applied {
        let title = diagnostic.fix.as_ref().map_or("", |fix| &fix.title);
        let (line, column) = (diagnostic.start.line, diagnostic.start.column);
        let _ = writeln!(text, "{}:{line}:{column}: {done}[{}] {}", clean(name), diagnostic.rule.id, clean(title));
    }
    for diagnostic in &fixed.remaining {
        let line = concise::line(name, diagnostic);
        text.push_str(line.trim_end_matches('\n'));
        text.push_str(if diagnostic.is_new { " (in what fix adds here)\n" } else { "\n" });
    }
    let (count, left) = (fixed.applied.len(), fixed.remaining.len());
    let version = settings.libvirt;
    let reader = if version == Version::CURRENT { "libvirt 8.5 and later".to_owned() } else { format!("libvirt {version}") };
    let _ = writeln!(text, "gvtg-xml: {count} {done}, {left} left, for {reader}");
    if fixed.held_back {
        let _ = writeln!(text, "gvtg-xml: {HELD_BACK}");
    }
    if fixed.withheld {
        text.push_str("gvtg-xml: what shows the guest now was left alone: after these fixes nothing would\n");
    }
    if let Some(installed) = installed::libvirt().filter(|installed| form_for(*installed) != form_for(version)) {
        let _ = writeln!(text, "gvtg-xml: this machine's libvirt is {installed}, which reads another form: give --libvirt {installed}");
    }
    text
}
