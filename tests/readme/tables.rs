//! The tables on pages that show the program's data, and the rules' pages.

use std::fmt::Write as _;

use gvtg_xml::internals::docs::{Markup, page, speaker};
use gvtg_xml::internals::manual::{Length, command};
use gvtg_xml::internals::settings::Key;
use gvtg_xml::internals::settings::config::keys::keys;
use gvtg_xml::{Applicability, Rule, builtin, of_host, symptoms};

/// The names of all tables.
pub const NAMES: [&str; 7] = [
    "rules",
    "rules about the host",
    "pages of the rules",
    "pages of the rules about the host",
    "settings",
    "keys",
    "messages",
];

fn table(name: &str) -> String {
    match name {
        "rules" => rule_table(),
        "rules about the host" => host_table(),
        "pages of the rules" => rule_pages(builtin()),
        "pages of the rules about the host" => rule_pages(of_host()),
        "settings" => settings_table(),
        "keys" => key_table(),
        "messages" => message_table(),
        _ => unreachable!("{name} is none of NAMES"),
    }
}

/// The line before a table.
pub fn begin(name: &str) -> String {
    format!("<!-- {name}: written by tests/readme -->\n")
}

/// A text with all its tables updated.
pub fn with_tables(text: &str) -> String {
    NAMES.iter().fold(text.to_owned(), |text, name| {
        let (begin, end) = (begin(name), format!("<!-- end of {name} -->"));
        let Some((before, rest)) = text.split_once(&begin) else { return text };
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("there is no {end}"));
        format!("{before}{begin}{}{end}{after}", table(name))
    })
}

fn rule_table() -> String {
    let mut rules: Vec<&Rule> = builtin().iter().collect();
    rules.sort_by_key(|rule| &rule.id);
    let mut table =
        String::from("| rule | severity | fixed by | what it finds |\n|---|---|---|---|\n");
    for rule in rules {
        let safe = rule.fix.iter().any(|fix| fix.applicability == Applicability::Safe);
        let fixed_by = match rule.fix.first() {
            None => "you",
            Some(_) if !safe => "`fix --unsafe-fixes`",
            Some(fix) if fix.unsafe_if.is_some() || fix.unsafe_if_watched => "`fix` (1)",
            Some(_) => "`fix`",
        };
        let _ = writeln!(
            table,
            "| [`{0}`](#{0}) | {1} | {fixed_by} | {2} |",
            rule.id,
            rule.severity.name(),
            cell(&rule.summary)
        );
    }
    table
        + "\n(1) Only with `--unsafe-fixes` if the guest may be viewed through something else: a PCI card, Looking Glass, or a screen of QEMU that is not a\nwindow.\n"
}

/// Every rule's page, under its id.
fn rule_pages(rules: &[Rule]) -> String {
    let mut rules: Vec<&Rule> = rules.iter().collect();
    rules.sort_by_key(|rule| &rule.id);
    let mut pages = String::new();
    for rule in rules {
        let page = page(rule, Markup::Markdown);
        let (_, below) = page.split_once("\n\n").unwrap();
        let _ = writeln!(pages, "\n### {}\n\n{}", rule.id, below.trim_end());
    }
    pages + "\n"
}

fn host_table() -> String {
    let mut table = String::from("| rule | severity | what it finds |\n|---|---|---|\n");
    for rule in of_host() {
        let _ = writeln!(
            table,
            "| [`{0}`](#{0}) | {1} | {2} |",
            rule.id,
            rule.severity.name(),
            cell(&rule.summary)
        );
    }
    table
}

fn settings_table() -> String {
    let command = command(Length::Long);
    let fix = command.find_subcommand("fix").unwrap();
    let mut table = String::from("| flag | meaning |\n|---|---|\n");
    for flag in fix.get_arguments().filter(|flag| {
        flag.get_help_heading().is_some_and(|heading| heading.starts_with("Settings"))
    }) {
        let takes_value = flag.get_num_args().is_some_and(|count| count.min_values() > 0);
        let value = flag
            .get_value_names()
            .filter(|_| takes_value)
            .map_or(String::new(), |names| format!(" {}", names[0]));
        let default = flag.get_default_values().first().filter(|_| takes_value);
        let default = default
            .map_or(String::new(), |value| format!(" [default: {}]", value.to_string_lossy()));
        let help =
            flag.get_long_help().or(flag.get_help()).map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            table,
            "| `--{}{value}` | {}{default} |",
            flag.get_long().unwrap(),
            cell(&help)
        );
    }
    table
}

fn key_table() -> String {
    let mut table = String::from("| key | meaning | default | example |\n|---|---|---|---|\n");
    for (Key { name, summary, default, example, .. }, _) in keys() {
        let _ = writeln!(table, "| `{name}` | {} | {default} | `{example}` |", cell(summary));
    }
    table
}

/// Every known message, in alphabetical order.
fn message_table() -> String {
    let mut rows = Vec::new();
    for rule in builtin().iter().chain(of_host()) {
        let meaning = format!("[{}](rules.md#{})", cell(&rule.summary), rule.id);
        rows.extend(
            rule.known_message
                .iter()
                .map(|says| (code(&says.text), speaker(says.at), meaning.clone())),
        );
    }
    for symptom in symptoms() {
        let first =
            symptom.steps.first().map_or(String::new(), |step| format!(". First: {}", cell(step)));
        let meaning = format!("{} (`{}`){first}", cell(&symptom.summary), symptom.id);
        rows.extend(
            symptom
                .known_message
                .iter()
                .map(|says| (code(&says.text), speaker(says.at), meaning.clone())),
        );
    }
    rows.sort_by_key(|(text, ..)| text.to_lowercase());
    rows.dedup();
    let mut table = String::from("| message | from | meaning |\n|---|---|---|\n");
    for (text, who, meaning) in rows {
        let _ = writeln!(table, "| {text} | {who} | {meaning} |");
    }
    table
}

/// A message as code in a cell.
fn code(message: &str) -> String {
    format!("`` {} ``", message.replace("{}", "…").replace('|', "\\|"))
}

/// Text for a cell. A tag is escaped, except in code, where a backslash would be shown.
fn cell(text: &str) -> String {
    let parts = text
        .split('`')
        .enumerate()
        .map(|(at, part)| if at % 2 == 0 { part.replace('<', "\\<") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`").replace('|', "\\|")
}
