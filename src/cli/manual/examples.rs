//! Examples as they are printed: each with what it is for, and broken where a shell reads on.

use std::fmt::Write as _;

use super::Example;

/// The end of a help text. The purpose of an example is after its last line if there is room, else
/// above it.
pub(super) fn section(examples: &[Example], width: usize) -> String {
    let mut text = String::from("\nExamples:\n");
    for Example { what, command } in examples {
        let lines = written(command, width.saturating_sub(2)).join("\n  ");
        let last = lines.lines().last().map_or(0, |line| line.trim_end().chars().count());
        if last + what.chars().count() + "    # ".len() <= width {
            let _ = writeln!(text, "  {lines}  # {what}");
        } else {
            let _ = writeln!(text, "  # {what}\n  {lines}");
        }
    }
    if examples.is_empty() { String::new() } else { text }
}

/// A command in lines of at most so many columns that a shell reads as one, where its words allow
/// for it.
pub(in crate::cli) fn written(command: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for (start, word) in words(command) {
        // Room for the backslash that says that there is more.
        let is_last = start + word.len() == command.len();
        let room = if is_last || word == "|" { 0 } else { " \\".len() };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() + room > width {
            // Behind a pipe a shell reads on by itself, and a reader too.
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

/// The words of a command, each with where it begins; what stands in quotes stays together.
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
    fn a_long_command_is_broken_where_a_shell_reads_on() {
        assert_eq!(written("gvtg-xml lint win10.xml", 80), ["gvtg-xml lint win10.xml"]);
        assert_eq!(
            written("virsh dumpxml a | gvtg-xml fix | virsh define b", 34),
            ["virsh dumpxml a | gvtg-xml fix |", "    virsh define b"]
        );
        assert_eq!(
            written("gvtg-xml fix --diff 'a b c d e'", 24),
            ["gvtg-xml fix --diff \\", "    'a b c d e'"]
        );
    }
}
