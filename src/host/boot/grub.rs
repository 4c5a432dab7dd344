//! GRUB: its menu, its environment block, and the settings from which grub-mkconfig makes the menu.

use super::{BootFile, Regeneration};
use crate::host::Root;
use crate::host::kernel::{Word, words};
use crate::host::system::System;

/// GRUB's settings file.
const GRUB: &str = "/etc/default/grub";

/// The variables for normal boot entries, in the order in which grub-mkconfig joins them.
const GRUB_VARIABLES: [&str; 2] = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"];

/// The maximum number of words kept for a variable, more than a kernel command line has.
const MAX_WORDS: usize = 1024;

/// Finds the line of /etc/default/grub that sources this file; comments do not count.
pub fn grub_line_with(root: &Root, file: &str) -> Option<String> {
    let text = root.text("/etc/default/grub").present()?;
    let names = |line: &&str| {
        !line.starts_with('#')
            && line.split([' ', '\t', '"', '\'', ';', '&', ']']).any(|word| word == file)
    };
    text.lines().map(str::trim).find(names).map(str::to_owned)
}

/// The words in the `linux /vmlinuz-… …` lines of GRUB's menu, last entry first: the first entry is
/// the default, and the last word takes effect.
pub(super) fn menu_words(text: &str) -> Vec<Word> {
    text.lines()
        .rev()
        .map(str::trim_start)
        .filter(|line| line.starts_with("linux"))
        .flat_map(words)
        .collect()
}

/// The words in the variable `kernelopts` of GRUB's environment block, to which boot entries of
/// Fedora and RHEL may refer.
pub(super) fn environment_words(text: &str) -> Vec<Word> {
    text.lines().filter_map(|line| line.strip_prefix("kernelopts=")).flat_map(words).collect()
}

/// Reads GRUB's settings as grub-mkconfig does. Returns the files it reads and the drop-ins it does
/// not read: only Debian's and Ubuntu's grub-mkconfig reads all of them.
pub(super) fn settings_files(root: &Root, drop_ins: &[String]) -> (Vec<BootFile>, Vec<BootFile>) {
    let settings = root.text(GRUB).present().unwrap_or_default();
    let is_read = |path: &String| System::read(root) == System::Debian || sources(&settings, path);
    let mut variables = GrubVariables::default();
    variables.read(GRUB, &settings);
    let mut unread = Vec::new();
    for path in drop_ins {
        let text = root.text(path).present().unwrap_or_default();
        if is_read(path) {
            variables.read(path, &text);
        } else {
            let mut drop_in_variables = GrubVariables::default();
            drop_in_variables.read(path, &text);
            unread.extend(drop_in_variables.files());
        }
    }
    (variables.files(), unread)
}

/// Whether a line of GRUB's settings sources this drop-in, or the whole folder of drop-ins.
fn sources(settings: &str, drop_in: &str) -> bool {
    let folder = format!("{GRUB}.d");
    let names = |line: &str| {
        line.match_indices(&folder).any(|(at, _)| {
            let rest = line[at + folder.len()..].trim_start_matches('/');
            line[at..].starts_with(drop_in) || !rest.starts_with(|c: char| c.is_alphanumeric())
        })
    };
    settings.lines().map(str::trim_start).any(|line| !line.starts_with('#') && names(line))
}

/// The words in [`GRUB_VARIABLES`], each with the file that sets it.
#[derive(Default)]
struct GrubVariables([Vec<(String, Word)>; 2]);

impl GrubVariables {
    /// Reads another file: assignments, and the `gvtg_add` lines of the drop-in that `emit` writes.
    fn read(&mut self, path: &str, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let line = rest.trim_start_matches([' ', '\t']);
            let line = line.strip_prefix("export ").map_or(line, str::trim_start);
            let end = line.find('\n').map_or(line.len(), |end| end + 1);
            rest = &line[end..];
            if let Some((name, values)) =
                line[..end].strip_prefix("gvtg_add ").and_then(|added| added.split_once(' '))
            {
                self.add(path, name, &values.split_whitespace().collect::<Vec<_>>());
            } else if let Some((variable, is_appended, value)) = parse_assignment(line) {
                let (value, after) = shell_word(value);
                rest = after.split_once('\n').map_or("", |(_, rest)| rest);
                self.assign(path, variable, is_appended, &value);
            }
        }
    }

    fn assign(&mut self, path: &str, variable: usize, is_appended: bool, value: &str) {
        let mut new_words =
            if is_appended { std::mem::take(&mut self.0[variable]) } else { Vec::new() };
        for word in words(value) {
            let variable_reference = GRUB_VARIABLES.iter().position(|name| {
                word.text == format!("${name}") || word.text == format!("${{{name}}}")
            });
            match variable_reference {
                Some(referenced) => new_words.extend(self.0[referenced].clone()),
                None => new_words.push((path.to_owned(), word)),
            }
        }
        // A variable that refers to itself twice would double with each assignment.
        new_words.truncate(MAX_WORDS);
        self.0[variable] = new_words;
    }

    /// Evaluates `gvtg_add NAME VALUE…` like the drop-in that defines it.
    fn add(&mut self, path: &str, name: &str, values: &[&str]) {
        let last = self.0.iter().flatten().rfind(|(_, word)| word.name == name);
        let is_good =
            |word: &Word| word.value.as_deref().is_some_and(|value| values.contains(&value));
        if let Some(value) = values.first().filter(|_| !last.is_some_and(|(_, word)| is_good(word)))
        {
            self.0[1].extend(
                words(&format!("{name}={value}")).into_iter().map(|word| (path.to_owned(), word)),
            );
        }
    }

    /// The words in command-line order, grouped by file.
    fn files(self) -> Vec<BootFile> {
        let mut files: Vec<BootFile> = Vec::new();
        for (path, word) in self.0.into_iter().flatten() {
            match files.last_mut() {
                Some(file) if file.path == path => file.words.push(word),
                _ => files.push(BootFile {
                    path,
                    words: vec![word],
                    regeneration: Regeneration::Grub,
                }),
            }
        }
        files
    }
}

/// Parses an assignment to one of [`GRUB_VARIABLES`]: the index of the variable, whether the value
/// is appended (`+=`), and the text from the value on.
fn parse_assignment(line: &str) -> Option<(usize, bool, &str)> {
    let parse_variable = |(at, name): (usize, &&str)| {
        let rest = line.strip_prefix(*name)?;
        let appended = rest.strip_prefix("+=").map(|value| (at, true, value));
        appended.or_else(|| rest.strip_prefix('=').map(|value| (at, false, value)))
    };
    GRUB_VARIABLES.iter().enumerate().find_map(parse_variable)
}

/// Parses a shell word: the word without its quotes, and the text after it. A line that ends in a
/// backslash continues on the next one.
fn shell_word(text: &str) -> (String, &str) {
    let (mut word, mut quote) = (String::new(), None);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => match letters.next() {
                Some((_, '\n')) | None => {}
                // In double quotes, a backslash escapes only these characters; outside, it escapes
                // any.
                Some((_, escaped))
                    if quote.is_none() || matches!(escaped, '"' | '\\' | '$' | '`') =>
                {
                    word.push(escaped)
                }
                Some((_, other)) => word.extend(['\\', other]),
            },
            (letter, Some(open)) if letter == open => quote = None,
            ('"' | '\'', None) => quote = Some(letter),
            (' ' | '\t' | '\n' | ';' | '&' | '|', None) => return (word, &text[at..]),
            // grub-mkconfig joins the lines of a quoted value.
            ('\n', Some(_)) => word.push(' '),
            _ => word.push(letter),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_parameters_from_the_settings_the_menu_and_the_environment_block() {
        let word = |words: &[Word], name: &str| {
            words.iter().rfind(|word| word.name == name).and_then(|word| word.value.clone())
        };
        let grub = crate::emit::cmdline::grub().text;
        let settings = |text: &str| {
            let mut variables = GrubVariables::default();
            variables.read("", text);
            variables.files().into_iter().flat_map(|file| file.words).collect::<Vec<_>>()
        };
        for (words, wanted) in [
            (settings(&grub), Some("1")),
            (settings("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet i915.enable_gvt=1\"\n"), Some("1")),
            (settings("GRUB_CMDLINE_LINUX=i915.enable_gvt=0\n"), Some("0")),
            (settings("# GRUB_CMDLINE_LINUX=\"i915.enable_gvt=1\"\nGRUB_TIMEOUT=5\n"), None),
            (settings("GRUB_CMDLINE_LINUX_RECOVERY=i915.enable_gvt=1\n"), None),
            (
                settings("  export GRUB_CMDLINE_LINUX=\"quiet \\\n  i915.enable_gvt=1\" # on\n"),
                Some("1"),
            ),
            (settings("GRUB_CMDLINE_LINUX='quiet\n i915.enable_gvt=1'\n"), Some("1")),
            // GRUB_CMDLINE_LINUX_DEFAULT comes after GRUB_CMDLINE_LINUX, and an assignment replaces
            // the previous value.
            (
                settings(
                    "GRUB_CMDLINE_LINUX_DEFAULT=i915.enable_gvt=0\nGRUB_CMDLINE_LINUX=i915.enable_gvt=1\n",
                ),
                Some("0"),
            ),
            (
                settings(
                    "GRUB_CMDLINE_LINUX=i915.enable_gvt=0\nGRUB_CMDLINE_LINUX=i915.enable_gvt=1\n",
                ),
                Some("1"),
            ),
            (settings("GRUB_CMDLINE_LINUX=i915.enable_gvt=1\nGRUB_CMDLINE_LINUX=quiet\n"), None),
            (
                settings(
                    "GRUB_CMDLINE_LINUX=i915.enable_gvt=1\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX quiet\"\n",
                ),
                Some("1"),
            ),
            (
                settings("GRUB_CMDLINE_LINUX=i915.enable_gvt=1\nGRUB_CMDLINE_LINUX+=\" quiet\"\n"),
                Some("1"),
            ),
            (settings(&format!("GRUB_CMDLINE_LINUX=i915.enable_gvt=0\n{grub}")), Some("1")),
            (
                menu_words(
                    "linux /vmlinuz i915.enable_gvt=0 i915.enable_gvt=1\nlinux /old i915.enable_gvt=0\n",
                ),
                Some("1"),
            ),
            (
                environment_words(
                    "# GRUB Environment Block\nkernelopts=root=UUID=1 i915.enable_gvt=1\n####",
                ),
                Some("1"),
            ),
            (
                menu_words(
                    "  linux\t/vmlinuz-6.1 root=UUID=1 i915.enable_gvt=1\n  initrd /initrd\n",
                ),
                Some("1"),
            ),
        ] {
            assert_eq!(word(&words, "i915.enable_gvt").as_deref(), wanted, "{words:?}");
        }
    }

    #[test]
    fn detects_settings_that_source_a_drop_in() {
        const DROP_IN: &str = "/etc/default/grub.d/gvtg.cfg";
        for (settings, is_read) in [
            (". /etc/default/grub.d/gvtg.cfg\n", true),
            ("for file in /etc/default/grub.d/*.cfg; do . \"$file\"; done\n", true),
            ("[ -d /etc/default/grub.d ] && source /etc/default/grub.d/*\n", true),
            (". /etc/default/grub.d/other.cfg\n", false),
            ("# . /etc/default/grub.d/gvtg.cfg\n", false),
            ("GRUB_TIMEOUT=5\n", false),
        ] {
            assert_eq!(sources(settings, DROP_IN), is_read, "{settings}");
        }
    }
}
