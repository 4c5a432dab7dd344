//! Examples in help texts, each a command with its purpose.

use std::fmt::Write as _;

use clap::Command;

/// An example command.
#[derive(Debug, PartialEq, Eq)]
pub struct Example {
    /// The purpose of the command.
    pub what: String,
    /// The shell command, on one line.
    pub command: String,
}

/// Returns the examples of a command: the lines of its `after_help` below the heading.
pub fn examples(command: &Command) -> Vec<Example> {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    parse(&text)
}

/// Parses lines of the form `COMMAND  # PURPOSE`; other lines are skipped.
fn parse(text: &str) -> Vec<Example> {
    let lines = text.lines().filter_map(|line| line.trim().split_once("  # "));
    lines.map(|(command, what)| Example { what: what.into(), command: command.into() }).collect()
}

/// Renders the examples in a help text, wrapped to `width` columns. The purpose of an example
/// follows its last line if there is room, else precedes it.
pub(super) fn section(text: &str, width: usize) -> String {
    let mut section = String::from("Examples:\n");
    for Example { what, command } in parse(text) {
        let lines = wrap_command(&command, width.saturating_sub(2)).join("\n  ");
        let last = lines.lines().last().map_or(0, |line| line.trim_end().chars().count());
        if last + what.chars().count() + "    # ".len() <= width {
            let _ = writeln!(section, "  {lines}  # {what}");
        } else {
            let _ = writeln!(section, "  # {what}\n  {lines}");
        }
    }
    section
}

/// Wraps a command to `width` columns so that a shell still reads it as one command. A word that is
/// longer gets a line of its own.
pub(super) fn wrap_command(command: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for (start, word) in words(command) {
        // Leaves room for the continuation backslash.
        let is_last = start + word.len() == command.len();
        let room = if is_last || word == "|" { 0 } else { " \\".len() };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() + room > width {
            // After a pipe, a shell continues on the next line without a backslash.
            line = match line.rsplit_once("| ") {
                _ if line.ends_with('|') => {
                    lines.push(line);
                    "    ".to_owned()
                }
                Some((before, after)) => {
                    lines.push(format!("{before}|"));
                    format!("    {after} ")
                }
                _ => {
                    lines.push(line + " \\");
                    "    ".to_owned()
                }
            };
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Splits a command into words, each with its byte offset; quoted text stays together.
fn words(command: &str) -> Vec<(usize, &str)> {
    let (mut words, mut start, mut quote) = (Vec::new(), 0, None);
    for (index, c) in command.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ') => {
                words.push((start, &command[start..index]));
                start = index + 1;
            }
            _ => {}
        }
    }
    words.push((start, &command[start..]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_a_command_as_a_shell_continues_it() {
        assert_eq!(wrap_command("gvtg-xml lint win10.xml", 80), ["gvtg-xml lint win10.xml"]);
        assert_eq!(
            wrap_command("virsh dumpxml a | gvtg-xml fix | virsh define b", 34),
            ["virsh dumpxml a | gvtg-xml fix |", "    virsh define b"]
        );
        assert_eq!(
            wrap_command("gvtg-xml fix --diff 'a b c d e'", 24),
            ["gvtg-xml fix --diff \\", "    'a b c d e'"]
        );
    }
}
