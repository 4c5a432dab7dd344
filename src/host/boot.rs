//! The kernel command line of the next boot: the line for a file that holds all of it, and the boot
//! loader files that set it.

use super::Root;
use super::kernel::{Word, words};
use super::system::System;
use crate::emit::kernel_cmdline::{split, split_init};

/// The files from which kernel-install takes the command line; the first that exists is used.
const KERNEL_INSTALL_FILES: &[&str] = &["/etc/kernel/cmdline", "/usr/lib/kernel/cmdline"];

/// The running kernel's command line.
const RUNNING: &str = "/proc/cmdline";

/// A kernel command line and the file that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The file.
    pub path: &'static str,
    /// The text of the line. If it is the running kernel's, the parameters that the bootloader
    /// added are left out.
    pub text: String,
}

/// Parameters of a live, installer or rescue system, which other kernels must not get.
const TEMPORARY_PARAMETERS: &[&str] = &[
    "root=live:",
    "rd.live.",
    "boot=casper",
    "boot=live",
    "init=",
    "rdinit=",
    "systemd.unit=",
    "single",
    "rescue",
    "emergency",
];

impl CommandLine {
    /// Whether the line is the running kernel's because no file sets one.
    pub fn is_running(&self) -> bool {
        self.path == RUNNING
    }

    /// Why parameters cannot be added to the line; `None` if it is an ordinary line for every boot.
    pub fn unfit(&self) -> Option<&'static str> {
        let is_temporary =
            |word: &&str| TEMPORARY_PARAMETERS.iter().any(|parameter| word.starts_with(parameter));
        if self.text.contains('\u{fffd}') {
            return Some("it is not valid UTF-8");
        }
        if self.text.lines().any(|line| line.trim_start().starts_with('#')) {
            return Some("it has comments, which would swallow the added parameters");
        }
        if self.text.matches('"').count() % 2 == 1 {
            return Some("it has an unclosed double quote");
        }
        if self.path == RUNNING && split(split_init(&self.text).0).iter().any(is_temporary) {
            return Some(
                "this is a rescue, live or installer system, and other kernels must not get its command line",
            );
        }
        None
    }
}

/// The command line that kernel-install would give the next kernel; `None` if no file sets one. An
/// empty file counts as unset: a shell empties the file that it redirects output to before this
/// program reads it.
pub fn command_line(root: &Root) -> Option<CommandLine> {
    let read = |path: &&'static str| {
        let text = root.text(path).present().filter(|text| !text.trim().is_empty())?;
        Some(CommandLine { path, text })
    };
    KERNEL_INSTALL_FILES.iter().find_map(read).or_else(|| {
        read(&RUNNING).map(|line| CommandLine { text: without_bootloader(&line.text), ..line })
    })
}

/// Removes the parameters that the bootloader adds, as kernel-install does (systemd:
/// 90-loaderentry.install).
fn without_bootloader(line: &str) -> String {
    let is_not_bootloaders =
        |word: &&str| !word.starts_with("BOOT_IMAGE=") && !word.starts_with("initrd=");
    split(line).into_iter().filter(is_not_bootloaders).collect::<Vec<_>>().join(" ")
}

/// A file that sets the kernel command line of the next boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStart {
    /// The file.
    pub path: String,
    /// The parameters that it sets.
    pub words: Vec<Word>,
    /// The step that makes it take effect at the next boot.
    pub renewal: Renewal,
}

/// The step before the reboot that makes a changed file take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// No step: the boot loader reads the file itself.
    None,
    /// Regenerate GRUB's menu.
    Grub,
    /// Regenerate the boot entries.
    Entries,
    /// Regenerate the initramfs, which contains options of modules.
    Initramfs,
}

/// The files that set the kernel command line of the next boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextStarts {
    /// Sets of files. Files that the boot loader reads come before the files from which they are
    /// generated. Within a set, the last word of a name takes effect.
    sets: Vec<Vec<NextStart>>,
    /// GRUB drop-ins that this system's grub-mkconfig does not read.
    unread: Vec<NextStart>,
}

impl NextStarts {
    /// The word of this name that takes effect in each set of files, with its file.
    pub fn words<'s>(
        &'s self,
        name: &'s str,
    ) -> impl DoubleEndedIterator<Item = (&'s NextStart, &'s Word)> {
        self.sets.iter().filter_map(|files| last(files, name))
    }

    /// All files that are read, of all sets.
    pub fn files(&self) -> impl Iterator<Item = &NextStart> {
        self.sets.iter().flatten()
    }

    /// The word of this name in a drop-in that grub-mkconfig does not read.
    pub fn unread(&self, name: &str) -> Option<(&NextStart, &Word)> {
        last(&self.unread, name)
    }
}

/// The last word of this name in files that make up one command line.
fn last<'s>(files: &'s [NextStart], name: &str) -> Option<(&'s NextStart, &'s Word)> {
    files
        .iter()
        .rev()
        .find_map(|file| Some((file, file.words.iter().rfind(|word| word.name == name)?)))
}

/// Reads the files in /boot and of NixOS that a boot loader reads, and the files from which those
/// are generated.
pub fn next_start(root: &Root) -> NextStarts {
    let file = |path: &str, renewal, read: fn(&str) -> Vec<Word>| {
        root.text(path).present().map(|text| NextStart {
            path: path.to_owned(),
            words: read(&text),
            renewal,
        })
    };
    let in_folder = |folder: &str, end: &str| -> Vec<String> {
        let names = root.names(folder).present().unwrap_or_default();
        names
            .into_iter()
            .filter(|name| name.ends_with(end))
            .map(|name| format!("{folder}/{name}"))
            .collect()
    };
    let entries = ["/boot", "/efi", "/boot/efi"]
        .iter()
        .flat_map(|folder| in_folder(&format!("{folder}/loader/entries"), ".conf"));
    let menus = ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"];
    let variables = ["/boot/grub/grubenv", "/boot/grub2/grubenv"];
    let (grub, unread) = grub_files(root, &in_folder("/etc/default/grub.d", ".cfg"));
    let sets = vec![
        // `nixos-rebuild boot` and `switch` write the system profile.
        ["/run/current-system/kernel-params", "/nix/var/nix/profiles/system/kernel-params"]
            .into_iter()
            .filter_map(|path| file(path, Renewal::None, words))
            .collect(),
        entries.filter_map(|path| file(&path, Renewal::None, entry_words)).collect(),
        menus.into_iter().filter_map(|path| file(path, Renewal::None, menu_words)).collect(),
        variables
            .into_iter()
            .filter_map(|path| file(path, Renewal::None, environment_words))
            .collect(),
        grub,
        file(KERNEL_INSTALL_FILES[0], Renewal::Entries, words).into_iter().collect(),
    ];
    NextStarts { sets, unread }
}

/// Finds the line of /etc/default/grub that sources this file; comments do not count.
pub fn grub_line_with(root: &Root, file: &str) -> Option<String> {
    let text = root.text("/etc/default/grub").present()?;
    let names = |line: &&str| {
        !line.starts_with('#')
            && line.split([' ', '\t', '"', '\'', ';', '&', ']']).any(|word| word == file)
    };
    text.lines().map(str::trim).find(names).map(str::to_owned)
}

/// The words in the `options` lines of a boot loader entry.
fn entry_words(text: &str) -> Vec<Word> {
    let options = |line: &'_ str| {
        line.trim_start()
            .strip_prefix("options")
            .filter(|rest| rest.starts_with(char::is_whitespace))
            .map(words)
    };
    text.lines().filter_map(options).flatten().collect()
}

/// The words in the `linux /vmlinuz-… …` lines of GRUB's menu, last entry first: the first entry is
/// the default, and the last word takes effect.
fn menu_words(text: &str) -> Vec<Word> {
    text.lines()
        .rev()
        .map(str::trim_start)
        .filter(|line| line.starts_with("linux"))
        .flat_map(words)
        .collect()
}

/// The words in the variable `kernelopts` of GRUB's environment block, to which boot entries of
/// Fedora and RHEL may refer.
fn environment_words(text: &str) -> Vec<Word> {
    text.lines().filter_map(|line| line.strip_prefix("kernelopts=")).flat_map(words).collect()
}

/// GRUB's settings file.
const GRUB: &str = "/etc/default/grub";

/// The variables for normal boot entries, in the order in which grub-mkconfig joins them.
const GRUB_VARIABLES: [&str; 2] = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"];

/// The maximum number of words kept for a variable, more than a kernel command line has.
const MAX_WORDS: usize = 1024;

/// Reads GRUB's settings as grub-mkconfig does. Returns the files it reads and the drop-ins it does
/// not read: only Debian's and Ubuntu's grub-mkconfig reads all of them.
fn grub_files(root: &Root, drop_ins: &[String]) -> (Vec<NextStart>, Vec<NextStart>) {
    let settings = root.text(GRUB).present().unwrap_or_default();
    let is_read = |path: &String| System::of(root) == System::Debian || sources(&settings, path);
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
    fn files(self) -> Vec<NextStart> {
        let mut files: Vec<NextStart> = Vec::new();
        for (path, word) in self.0.into_iter().flatten() {
            match files.last_mut() {
                Some(file) if file.path == path => file.words.push(word),
                _ => files.push(NextStart { path, words: vec![word], renewal: Renewal::Grub }),
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
    use std::fs;

    use super::*;

    #[test]
    fn uses_the_first_file_that_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(command_line(&root), None);
        write(
            RUNNING,
            "BOOT_IMAGE=/vmlinuz root=/dev/vda1 initrd=\\initrd.img dyndbg=\"file a +p\" quiet\n",
        );
        assert_eq!(command_line(&root).unwrap().text, "root=/dev/vda1 dyndbg=\"file a +p\" quiet");
        write(KERNEL_INSTALL_FILES[1], "root=/dev/vda2\n");
        write(KERNEL_INSTALL_FILES[0], "\n");
        assert_eq!(
            command_line(&root),
            Some(CommandLine { path: KERNEL_INSTALL_FILES[1], text: "root=/dev/vda2\n".into() })
        );
        write(KERNEL_INSTALL_FILES[0], "root=/dev/vda3 BOOT_IMAGE=x\n");
        assert_eq!(command_line(&root).unwrap().text, "root=/dev/vda3 BOOT_IMAGE=x\n");
    }

    #[test]
    fn reads_the_next_boots_parameters_from_each_kind_of_file() {
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
            (entry_words("options\troot=UUID=1 i915.enable_gvt=1\n"), Some("1")),
            (entry_words("options-x i915.enable_gvt=1\n"), None),
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
                entry_words("title Linux\noptions root=UUID=1\noptions i915.enable_gvt=1 quiet\n"),
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

    #[test]
    fn rejects_lines_of_rescue_and_live_systems() {
        let unfit = |path, text: &str| CommandLine { path, text: text.into() }.unfit().is_some();
        assert!(!unfit(
            KERNEL_INSTALL_FILES[0],
            "root=/dev/vda1 rw systemd.unit=x.target dyndbg=\"a b\"\n"
        ));
        assert!(!unfit(RUNNING, "root=/dev/vda1 initcall_debug quiet -- single"));
        for text in ["root=x\n# was: quiet", "root=\u{fffd}", "root=x \"quiet"] {
            assert!(unfit(KERNEL_INSTALL_FILES[0], text), "{text}");
        }
        for text in [
            "root=live:CDLABEL=x rd.live.image",
            "root=x systemd.unit=rescue.target",
            "root=x init=/bin/bash",
            "root=x single",
        ] {
            assert!(unfit(RUNNING, text), "{text}");
        }
    }
}
