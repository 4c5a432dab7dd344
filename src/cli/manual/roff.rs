//! Manual pages in roff's man macros, which man and mandoc render without warnings.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::{Length, Page, command, examples, page};

/// Release date of this version; build.rs reads it from CHANGELOG.md.
const RELEASED: &str = env!("RELEASED");

/// Renders the pages of the program and of each of its commands, each with its file name.
pub fn pages() -> Vec<(String, String)> {
    let program = command(Length::Long);
    let commands: Vec<&Command> =
        program.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    let names: Vec<String> =
        commands.iter().map(|command| format!("gvtg-xml-{}", command.get_name())).collect();
    let first = page_source("gvtg-xml", &program, "", &names);
    let others = commands.iter().zip(&names).map(|(command, name)| {
        let related: Vec<String> = std::iter::once("gvtg-xml".to_owned())
            .chain(names.iter().filter(|other| *other != name).cloned())
            .collect();
        (format!("{name}.1"), page_source(name, command, command.get_name(), &related))
    });
    std::iter::once(("gvtg-xml.1".to_owned(), first)).chain(others).collect()
}

/// Renders the program's page, which refers to the others.
pub fn first() -> String {
    pages().into_iter().next().map_or(String::new(), |(_, text)| text)
}

fn page_source(name: &str, command: &Command, path: &str, related: &[String]) -> String {
    let mut text = String::new();
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        text,
        ".TH {} 1 {RELEASED} \"gvtg\\-xml {version}\" \"User Commands\"",
        escape(&name.to_uppercase())
    );
    // No hyphenation or justification: commands and options must stay copyable.
    text.push_str(".nh\n.ad l\n");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    section(&mut text, "NAME");
    let _ = writeln!(text, "{} \\- {}", escape(name), lowercase_first(&about));
    section(&mut text, "SYNOPSIS");
    synopsis(&mut text, command, path);
    section(&mut text, "DESCRIPTION");
    let Some(page) = page(path) else { return text };
    paragraphs(&mut text, page.description);
    let kinds: Vec<&Command> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    if path.is_empty() {
        section(&mut text, "COMMANDS");
        for kind in kinds {
            let _ =
                writeln!(text, ".TP\n.BR {} (1)", escape(&format!("{name}-{}", kind.get_name())));
            words(&mut text, &kind.get_about().map(ToString::to_string).unwrap_or_default());
        }
        section(&mut text, "OPTIONS");
        options(&mut text, command.get_arguments());
    } else if kinds.is_empty() {
        section(&mut text, "OPTIONS");
        options_by_heading(&mut text, command);
    } else {
        kind_sections(&mut text, path, &kinds);
    }
    let has_color =
        path.is_empty() || command.get_arguments().any(|argument| argument.get_id() == "color");
    closing_sections(&mut text, page, related, has_color);
    text
}

/// Returns a command's summary, followed by the details if there are any.
fn about(command: &Command) -> String {
    let summary = command.get_about().map(ToString::to_string).unwrap_or_default();
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let details = long.strip_prefix(&summary).unwrap_or_default().trim_start();
    if details.is_empty() {
        summary
    } else {
        format!("{}. {details}", summary.trim_end_matches('.'))
    }
}

/// Renders the kinds of `emit`: the flags of each one, then those that all of them share.
fn kind_sections(text: &mut String, path: &str, kinds: &[&Command]) {
    let is_shared = |id: &str| {
        kinds.iter().all(|kind| kind.get_arguments().any(|argument| argument.get_id() == id))
    };
    section(text, "KINDS");
    for kind in kinds {
        let _ = writeln!(text, ".SS {}", escape(kind.get_name()));
        words(text, &about(kind));
        let _ = writeln!(text, ".PP");
        synopsis(text, kind, &format!("{path} {}", kind.get_name()));
        options(
            text,
            kind.get_arguments().filter(|argument| !is_shared(argument.get_id().as_str())),
        );
        if let Some(page) = page(&format!("{path} {}", kind.get_name())) {
            example_paragraphs(text, page);
        }
    }
    section(text, "OPTIONS");
    if let Some(kind) = kinds.first() {
        options(
            text,
            kind.get_arguments().filter(|argument| is_shared(argument.get_id().as_str())),
        );
    }
}

fn closing_sections(text: &mut String, page: &Page, related: &[String], has_color: bool) {
    section(text, "EXIT STATUS");
    for (code, means) in page.exit_status {
        let _ = writeln!(text, ".TP\n.B {code}");
        words(text, means);
    }
    if !page.files.is_empty() {
        section(text, "FILES");
    }
    for (file, description) in page.files {
        let _ = writeln!(text, ".TP\n.I {}", escape(file));
        words(text, description);
    }
    section(text, "ENVIRONMENT");
    let _ = writeln!(text, ".TP\n.B NO_COLOR");
    if has_color {
        words(
            text,
            "If it is set and not empty, the output has no colors, unless --color always is given",
        );
        let _ = writeln!(text, ".TP\n.BR FORCE_COLOR \", \" CLICOLOR_FORCE");
        words(
            text,
            "If one of them is set and neither empty nor 0, output that does not go to a terminal has colors too, unless NO_COLOR is set",
        );
    } else {
        words(text, "If it is set and not empty, the output has no colors");
    }
    if page.command == "fix" {
        let _ = writeln!(text, ".TP\n.B DISPLAY");
        words(
            text,
            "If stdin is a pipe: the X display for the QEMU window, unless the domain or a setting names another",
        );
    }
    section(text, "EXAMPLES");
    example_paragraphs(text, page);
    section(text, "SEE ALSO");
    let pages = page
        .see_also
        .iter()
        .map(|page| page.trim_end_matches(')').split_once('(').unwrap_or((page, "1")));
    let all: Vec<(&str, &str)> = related.iter().map(|name| (&**name, "1")).chain(pages).collect();
    for (index, (name, section)) in all.iter().enumerate() {
        let comma = if index + 1 < all.len() { "," } else { "" };
        let _ = writeln!(text, ".BR {} ({section}){comma}", escape(name));
    }
}

fn section(text: &mut String, name: &str) {
    let name = if name.contains(' ') { format!("\"{name}\"") } else { name.to_owned() };
    let _ = writeln!(text, ".SH {name}");
}

fn synopsis(text: &mut String, command: &Command, path: &str) {
    let _ =
        writeln!(text, ".B gvtg\\-xml{}{}", if path.is_empty() { "" } else { " " }, escape(path));
    let has_flags = command
        .get_arguments()
        .any(|argument| !argument.is_positional() && argument.get_id() != "help");
    if has_flags {
        let _ = writeln!(text, ".RI [ OPTION ]...");
    }
    for argument in command
        .get_arguments()
        .filter(|argument| !argument.is_positional() && argument.is_required_set())
    {
        let _ = writeln!(
            text,
            ".BI \\-\\-{} \" {}\"",
            escape(argument.get_long().unwrap_or_default()),
            escape(&value(argument))
        );
    }
    for argument in command
        .get_arguments()
        .filter(|argument| argument.is_positional() && !argument.is_hide_set())
    {
        let name = escape(&value(argument));
        let more = if argument.get_num_args().is_some_and(|count| count.max_values() > 1) {
            "..."
        } else {
            ""
        };
        let _ = if argument.is_required_set() {
            writeln!(text, "{}", format!(".IR {name} {more}").trim_end())
        } else {
            writeln!(text, ".RI [ {name} ]{more}")
        };
    }
    if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
        let _ = writeln!(text, ".I {}", if path.is_empty() { "COMMAND" } else { "KIND" });
    }
}

/// Renders the flags under the headings of `--help`.
fn options_by_heading(text: &mut String, command: &Command) {
    let mut headings: Vec<Option<&str>> = Vec::new();
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let heading = argument.get_help_heading();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings.sort_by_key(Option::is_some);
    for heading in headings {
        if let Some(heading) = heading {
            let _ = writeln!(text, ".SS {heading}");
        }
        options(
            text,
            command.get_arguments().filter(|argument| argument.get_help_heading() == heading),
        );
    }
}

fn options<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    for argument in arguments.filter(|argument| !argument.is_hide_set()) {
        let takes_value = argument.get_num_args().is_some_and(|count| count.takes_values());
        let value = format!("\\fI{}\\fR", escape(&value(argument)));
        let name = match (argument.get_short(), argument.get_long()) {
            (Some(short), Some(long)) => {
                format!("\\fB\\-{short}\\fR, \\fB\\-\\-{}\\fR", escape(long))
            }
            (None, Some(long)) => format!("\\fB\\-\\-{}\\fR", escape(long)),
            (Some(short), None) => format!("\\fB\\-{short}\\fR"),
            (None, None) => value.clone(),
        };
        let is_optional = argument.is_require_equals_set();
        let value = match (argument.is_positional() || !takes_value, is_optional) {
            (true, _) => String::new(),
            (false, true) => format!("[={value}]"),
            (false, false) => format!(" {value}"),
        };
        let _ = writeln!(text, ".TP\n{name}{value}");
        let help = argument
            .get_long_help()
            .or(argument.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        words(
            text,
            if argument.get_id() == "help" { "Print help; -h prints a summary" } else { &help },
        );
        if !takes_value || is_optional {
            continue;
        }
        if let [default] = argument.get_default_values() {
            words(text, &format!("[default: {}]", default.to_string_lossy()));
        }
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(value_paragraph)
            .collect();
        if !values.is_empty() {
            let _ = writeln!(text, ".RS");
            text.extend(values);
            let _ = writeln!(text, ".RE");
        }
    }
}

fn value_paragraph(value: &clap::builder::PossibleValue) -> String {
    let mut text = format!(".TP\n.B {}\n", escape(value.get_name()));
    match value.get_help() {
        Some(help) => words(&mut text, &help.to_string()),
        None => text.push_str("\\&\n"),
    }
    text
}

fn value(argument: &Arg) -> String {
    let name = argument.get_value_names().and_then(|names| names.first().map(ToString::to_string));
    name.unwrap_or_else(|| argument.get_id().as_str().to_uppercase().replace('_', "-"))
}

fn example_paragraphs(text: &mut String, page: &Page) {
    for (index, example) in page.examples.iter().enumerate() {
        // A section already starts a paragraph.
        if index > 0 || !text.ends_with(".SH EXAMPLES\n") {
            let _ = writeln!(text, ".PP");
        }
        words(text, &format!("{}:", uppercase_first(example.what)));
        let _ = writeln!(text, ".PP\n.RS 4\n.nf");
        for line in examples::wrap_command(example.command, 70) {
            let _ = writeln!(text, "{}", escape(&line));
        }
        let _ = writeln!(text, ".fi\n.RE");
    }
}

fn paragraphs(text: &mut String, paragraphs: &[&str]) {
    for (index, paragraph) in paragraphs.iter().enumerate() {
        if index > 0 {
            let _ = writeln!(text, ".PP");
        }
        words(text, paragraph);
    }
}

/// Renders prose in short lines, with a line break after each sentence; text in backticks is bold.
fn words(text: &mut String, prose: &str) {
    let mut line = String::new();
    let mut is_code = false;
    for word in prose.split_whitespace() {
        let (mut escaped_word, opens) = (String::new(), is_code);
        for part in word.split_inclusive('`') {
            escaped_word.push_str(&escape(part.trim_end_matches('`')));
            if part.ends_with('`') {
                is_code = !is_code;
                escaped_word.push_str(if is_code { "\\fB" } else { "\\fR" });
            }
        }
        if !line.is_empty() && line.len() + 1 + escaped_word.len() > 76 {
            let _ = writeln!(text, "{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&escaped_word);
        if word.ends_with(['.', '?', '!']) && !opens && !is_code {
            let _ = writeln!(text, "{line}");
            line.clear();
        }
    }
    if !line.is_empty() {
        let _ = writeln!(text, "{line}");
    }
}

/// Escapes text so that roff renders each character literally.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '~' => escaped.push_str("\\(ti"),
            '^' => escaped.push_str("\\(ha"),
            '"' => escaped.push_str("\\(dq"),
            '…' => escaped.push_str("..."),
            c => escaped.push(c),
        }
    }
    // A line that begins with a dot is a request.
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

fn lowercase_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

fn uppercase_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_prose_for_roff() {
        let mut text = String::new();
        words(&mut text, "One `virsh edit` 'x'. .Two");
        assert_eq!(text, "One \\fBvirsh edit\\fR \\(aqx\\(aq.\n\\&.Two\n");
        assert_eq!(escape("a \\"), "a \\e");
    }
}
