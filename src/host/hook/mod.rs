//! The text of a hook: its interpreter, the programs that it runs, and the vGPUs that it creates.

mod creations;
mod setup;
mod shell;

pub use creations::Creations;
pub use setup::{Setup, setups};

use shell::code_lines;

/// The absolute path of the program on the `#!` line; `None` without one.
pub fn interpreter(text: &str) -> Option<&str> {
    let line = text.strip_prefix("#!")?.split('\n').next()?;
    // A DOS line ending makes the carriage return a part of the name; such a hook does not start.
    line.trim_start_matches([' ', '\t'])
        .split([' ', '\t'])
        .next()
        .filter(|program| program.starts_with('/'))
}

/// Whether a hook creates vGPUs: by `setup_gpu` lines, or by its own commands.
pub fn creates_vgpus(text: &str) -> bool {
    code_lines(text).any(|line| {
        line.contains("setup_gpu")
            || line.contains("mdev_supported_types")
            || line.contains("mdevctl")
    })
}

/// The word with which a hook runs gvtg-xml, a name or a path; `None` if it does not run it.
pub fn program_call(text: &str) -> Option<&str> {
    code_lines(text).find_map(program_call_in_line)
}

/// The word in a line that runs gvtg-xml as a command.
fn program_call_in_line(line: &str) -> Option<&str> {
    let mut previous_word = "";
    for word in line.split_whitespace() {
        let name = word.rsplit("$(").next().unwrap_or(word).trim_start_matches(['(', '`', '"']);
        let is_command = name.len() < word.len()
            || matches!(previous_word, "" | "|" | "||" | "&&" | ";" | "!" | "exec" | "then" | "do");
        if is_command
            && (name == "gvtg-xml" || name.starts_with('/') && name.ends_with("/gvtg-xml"))
        {
            return Some(name);
        }
        previous_word = word;
    }
    None
}

/// The first `function NAME`, which is bash syntax and not POSIX.
pub fn bash_function(text: &str) -> Option<&str> {
    code_lines(text)
        .find(|line| line.starts_with("function "))
        .map(|line| line.trim_end_matches([' ', '{', '(', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_absolute_interpreters() {
        assert_eq!(interpreter("#!/bin/sh\necho"), Some("/bin/sh"));
        assert_eq!(interpreter("#! /usr/bin/env bash\n"), Some("/usr/bin/env"));
        assert_eq!(interpreter("#!/bin/sh\r\n"), Some("/bin/sh\r"));
        for none in ["", "\n#!/bin/sh\n", "# a hook\n", "#!sh\n", "\u{feff}#!/bin/sh\n"] {
            assert_eq!(interpreter(none), None, "{none:?}");
        }
    }

    #[test]
    fn finds_calls_of_the_program_but_not_mentions() {
        for (line, call) in [
            ("    gvtg-xml \"$command\" --quiet", Some("gvtg-xml")),
            ("new=$(gvtg-xml fix)", Some("gvtg-xml")),
            ("cat | /opt/bin/gvtg-xml fix", Some("/opt/bin/gvtg-xml")),
            ("exec gvtg-xml fix", Some("gvtg-xml")),
            ("printf 'gvtg-xml: %s\\n' x", None),
            ("echo see gvtg-xml host", None),
            ("# gvtg-xml fix", None),
        ] {
            assert_eq!(program_call(line), call, "{line}");
        }
    }

    #[test]
    fn detects_bash_function_syntax() {
        assert_eq!(
            bash_function("#!/bin/sh\n function create_gpu { \n"),
            Some("function create_gpu")
        );
        assert_eq!(bash_function("create_gpu() {\n"), None);
    }
}
