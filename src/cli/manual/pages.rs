//! Manual pages: clap_mangen's, and sections of our own for exit codes, files, environment
//! variables and examples.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Length, command, examples, examples::wrap_command};

/// Release date of this version; build.rs reads it from CHANGELOG.md.
const RELEASED: &str = env!("RELEASED");

/// Renders the pages of the program and of each of its commands, each with its file name.
///
/// # Errors
/// Fails if clap_mangen can't write to memory.
pub(in crate::cli) fn pages() -> io::Result<Vec<(String, String)>> {
    let program = command(Length::Long);
    let mut pages = vec![page(&program, None)?];
    for command in shown_subcommands(&program) {
        pages.push(page(command, Some(&program))?);
        for kind in shown_subcommands(command) {
            pages.push(page(kind, Some(command))?);
        }
    }
    Ok(pages)
}

/// Renders the program's page, which refers to the others.
///
/// # Errors
/// Fails if clap_mangen can't write to memory.
pub(in crate::cli) fn first_page() -> io::Result<String> {
    page(&command(Length::Long), None).map(|(_, text)| text)
}

fn shown_subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

fn page_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// Returns the page's file name and its text; `parent` is the command that `command` belongs to.
fn page(command: &Command, parent: Option<&Command>) -> io::Result<(String, String)> {
    // clap_mangen leaves out the help of flags that `-h` hides.
    let shown = command.clone().mut_args(|argument| argument.hide_short_help(false));
    let shown = shown.subcommand_help_heading("COMMANDS").subcommand_value_name("COMMAND");
    let man = Man::new(shown)
        .title(page_name(command).to_uppercase().replace('-', "\\-"))
        .date(RELEASED)
        .source(concat!("gvtg\\-xml ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    // No hyphenation or justification: commands and options must stay copyable.
    text.extend(b".nh\n.ad l\n");
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if shown_subcommands(command).next().is_some() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    exit_codes_and_files(&mut roff, command);
    environment(&mut roff, command);
    example_section(&mut roff, command);
    see_also(&mut roff, command, parent);
    roff.to_writer(&mut text)?;
    let text = tidied(&String::from_utf8_lossy(&text));
    Ok((man.get_filename(), text))
}

/// Returns the lines of a section of a command's `after_long_help`.
fn section(command: &Command, heading: &str) -> Vec<String> {
    let details = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let sections = details.split("\n\n").filter_map(|section| section.split_once(":\n"));
    sections
        .filter(|(name, _)| *name == heading)
        .flat_map(|(_, lines)| lines.lines().map(|line| line.trim().to_owned()))
        .collect()
}

fn entry(roff: &mut Roff, term: &str, text: &str) {
    roff.control("TP", []).text([bold(term)]).text([roman(text)]);
}

fn exit_codes_and_files(roff: &mut Roff, command: &Command) {
    for (heading, title) in [("Exit codes", "EXIT STATUS"), ("Files", "FILES")] {
        let lines = section(command, heading);
        if !lines.is_empty() {
            roff.control("SH", [title]);
        }
        for (term, text) in lines.iter().filter_map(|line| line.split_once("  ")) {
            entry(roff, term, text);
        }
    }
}

fn environment(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["ENVIRONMENT"]);
    let has_flag = |id: &str| command.get_arguments().any(|argument| argument.get_id() == id);
    if has_flag("color") || !command.get_display_name().is_some_and(|name| name.contains("xml-")) {
        entry(
            roff,
            "NO_COLOR",
            "If it is set and not empty, the output has no colors, unless --color always is given",
        );
        entry(
            roff,
            "FORCE_COLOR, CLICOLOR_FORCE",
            "If one of them is set and neither empty nor 0, output that does not go to a terminal \
                has colors too, unless NO_COLOR is set",
        );
    } else {
        entry(roff, "NO_COLOR", "If it is set and not empty, the output has no colors");
    }
    if has_flag("in_place") {
        entry(
            roff,
            "DISPLAY",
            "If stdin is a pipe: the X display for the QEMU window, unless the domain or a setting \
                names another",
        );
    }
}

fn example_section(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["EXAMPLES"]);
    for (index, example) in examples(command).iter().enumerate() {
        // A section already starts a paragraph.
        if index > 0 {
            roff.control("PP", []);
        }
        let mut letters = example.what.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        roff.text([roman(format!("{}{}:", first.unwrap_or_default(), letters.as_str()))]);
        roff.control("PP", []).control("RS", ["4"]).control("nf", []);
        for line in wrap_command(&example.command, 70) {
            roff.text([roman(line)]);
        }
        roff.control("fi", []).control("RE", []);
    }
}

/// Refers to the page of the parent, to those of its other commands, and to other programs' pages.
fn see_also(roff: &mut Roff, command: &Command, parent: Option<&Command>) {
    let siblings = parent.into_iter().flat_map(shown_subcommands);
    let own =
        parent.into_iter().chain(siblings.filter(|other| other.get_name() != command.get_name()));
    let mut names: Vec<String> = own.map(|page| format!("{}(1)", page_name(page))).collect();
    names.extend(section(command, "See also"));
    if !names.is_empty() {
        roff.control("SH", ["SEE ALSO"]).text([roman(names.join(", "))]);
    }
}

/// Sets code in bold instead of backticks, and removes what clap_mangen repeats: the definition of
/// the apostrophe in each section, and line breaks before possible values, of which mandoc warns.
fn tidied(page: &str) -> String {
    let page = page
        .replace(".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n", "")
        .replace("\\*(Aq", "\\(aq")
        .replace("\n.br\n\n.br\n", "\n.sp\n")
        .replace('~', "\\(ti")
        .replace('^', "\\(ha");
    page.lines().map(|line| bold_code(line.trim_end()) + "\n").collect()
}

fn bold_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.replace('`', "\\(ga");
    }
    let fonts = ["\\fB", "\\fR"].into_iter().cycle();
    let rest = parts.iter().skip(1).zip(fonts).map(|(part, font)| format!("{font}{part}"));
    format!("{}{}", parts[0], rest.collect::<String>())
}
