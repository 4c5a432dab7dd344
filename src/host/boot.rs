//! The command line that a machine's kernel starts with: for a file that has to hold all of it, and
//! for what waits for a reboot.

use super::Root;
use super::kernel::{Word, words};
use super::system::System;
use crate::kernel_cmdline::{split, split_init};

/// The files that kernel-install reads, in its order: the first that is there.
const FILES: &[&str] = &["/etc/kernel/cmdline", "/usr/lib/kernel/cmdline"];

/// The running kernel's.
const RUNNING: &str = "/proc/cmdline";

/// A command line, and the file that it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The file.
    pub path: &'static str,
    /// Its text; of the running kernel's without what the bootloader put there.
    pub text: String,
}

/// Words of a system that was started to install or to rescue one: no other kernel is to get them.
const PASSING: &[&str] = &[
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
    /// Whether it is that of the running kernel, since no file has one.
    pub fn is_running(&self) -> bool {
        self.path == RUNNING
    }

    /// Why nothing can be added to it without harm; None for what is a plain line for every start.
    pub fn unfit(&self) -> Option<&'static str> {
        let is_passing = |word: &&str| PASSING.iter().any(|passing| word.starts_with(passing));
        if self.text.contains('\u{fffd}') {
            return Some("it is not valid UTF-8");
        }
        if self.text.lines().any(|line| line.trim_start().starts_with('#')) {
            return Some("it has comments, which would swallow the added parameters");
        }
        if self.text.matches('"').count() % 2 == 1 {
            return Some("it has an unclosed double quote");
        }
        let runs = self.path == RUNNING && split(split_init(&self.text).0).iter().any(is_passing);
        runs.then_some("this is a rescue, live or installer system, and other kernels must not get its command line")
    }
}

/// The command line that kernel-install would give the next kernel; None where no file says one. An
/// empty file says none: a shell that was told to write to it has just emptied it.
pub fn command_line(root: &Root) -> Option<CommandLine> {
    let read = |path: &&'static str| {
        let text = root.text(path).present().filter(|text| !text.trim().is_empty())?;
        Some(CommandLine { path, text })
    };
    FILES.iter().find_map(read).or_else(|| {
        read(&RUNNING).map(|line| CommandLine { text: without_bootloader(&line.text), ..line })
    })
}

/// Without what the bootloader adds for itself, as kernel-install does it (systemd:
/// 90-loaderentry.install).
fn without_bootloader(line: &str) -> String {
    let is_own = |word: &&str| !word.starts_with("BOOT_IMAGE=") && !word.starts_with("initrd=");
    split(line).into_iter().filter(is_own).collect::<Vec<_>>().join(" ")
}

/// A file that sets the kernel's command line for the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStart {
    /// The file.
    pub path: String,
    /// The words in it.
    pub words: Vec<Word>,
    /// The step that makes it take effect at the next start.
    pub renewal: Renewal,
}

/// The step before the reboot without which a file has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing: the boot loader reads the file itself.
    None,
    /// Regenerate GRUB's menu.
    Grub,
    /// Regenerate the boot entries.
    Entries,
    /// Regenerate the initramfs, which contains options of modules.
    Initramfs,
}

/// The files of which the next start's command line comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextStarts {
    /// Sets of files, those that a boot loader reads before those that they are made of. Of a set,
    /// the last word counts.
    sets: Vec<Vec<NextStart>>,
    /// Drop-ins for GRUB that this system's grub-mkconfig does not read.
    unread: Vec<NextStart>,
}

impl NextStarts {
    /// The word of this name that counts in each set of files, with its file.
    pub fn words<'s>(
        &'s self,
        name: &'s str,
    ) -> impl DoubleEndedIterator<Item = (&'s NextStart, &'s Word)> {
        self.sets.iter().filter_map(|files| last(files, name))
    }

    /// Every file that is read, in all sets.
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

/// Reads the files in /boot and of NixOS that a boot loader reads, and those that they are made of.
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
    let (grub, unread) = of_grub(root, &in_folder("/etc/default/grub.d", ".cfg"));
    let sets = vec![
        // nixos-rebuild has made the profile, with `boot` or `switch`.
        ["/run/current-system/kernel-params", "/nix/var/nix/profiles/system/kernel-params"]
            .into_iter()
            .filter_map(|path| file(path, Renewal::None, words))
            .collect(),
        entries.filter_map(|path| file(&path, Renewal::None, of_entry)).collect(),
        menus.into_iter().filter_map(|path| file(path, Renewal::None, of_menu)).collect(),
        variables
            .into_iter()
            .filter_map(|path| file(path, Renewal::None, of_environment))
            .collect(),
        grub,
        file(FILES[0], Renewal::Entries, words).into_iter().collect(),
    ];
    NextStarts { sets, unread }
}

/// The line of /etc/default/grub that names this file, to source it. A comment names nothing.
pub fn grub_line_with(root: &Root, file: &str) -> Option<String> {
    let text = root.text("/etc/default/grub").present()?;
    let names = |line: &&str| {
        !line.starts_with('#')
            && line.split([' ', '\t', '"', '\'', ';', '&', ']']).any(|word| word == file)
    };
    text.lines().map(str::trim).find(names).map(str::to_owned)
}

/// The lines `options …` of a boot loader entry.
fn of_entry(text: &str) -> Vec<Word> {
    let options = |line: &'_ str| {
        line.trim_start()
            .strip_prefix("options")
            .filter(|rest| rest.starts_with(char::is_whitespace))
            .map(words)
    };
    text.lines().filter_map(options).flatten().collect()
}

/// The lines `linux /vmlinuz-… …` of GRUB's menu, the first entry last: it is the one that starts
/// by itself.
fn of_menu(text: &str) -> Vec<Word> {
    text.lines()
        .rev()
        .map(str::trim_start)
        .filter(|line| line.starts_with("linux"))
        .flat_map(words)
        .collect()
}

/// The variable `kernelopts` of GRUB's environment block, which Fedora's and RHEL's entries may
/// name.
fn of_environment(text: &str) -> Vec<Word> {
    text.lines().filter_map(|line| line.strip_prefix("kernelopts=")).flat_map(words).collect()
}

/// GRUB's settings.
const GRUB: &str = "/etc/default/grub";

/// The variables of GRUB's settings that are for normal entries, in the order in which
/// grub-mkconfig joins them.
const GRUB_VARIABLES: [&str; 2] = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"];

/// The kernel's command line has fewer words than this.
const MAX_WORDS: usize = 1024;

/// GRUB's settings as grub-mkconfig reads them, and the drop-ins that it does not read: only
/// Debian's and Ubuntu's reads all of them.
fn of_grub(root: &Root, drop_ins: &[String]) -> (Vec<NextStart>, Vec<NextStart>) {
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
            let mut alone = GrubVariables::default();
            alone.read(path, &text);
            unread.extend(alone.files());
        }
    }
    (variables.files(), unread)
}

/// Whether a line of GRUB's settings sources this drop-in, or all of them.
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

/// The words in the variables of GRUB's settings, each with the file that it is from.
#[derive(Default)]
struct GrubVariables([Vec<(String, Word)>; 2]);

impl GrubVariables {
    /// Reads one more file: assignments, and the lines of the drop-in that `emit` writes.
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
            } else if let Some((variable, is_added, value)) = assigned(line) {
                let (value, after) = shell_word(value);
                rest = after.split_once('\n').map_or("", |(_, rest)| rest);
                self.assign(path, variable, is_added, &value);
            }
        }
    }

    fn assign(&mut self, path: &str, variable: usize, is_added: bool, value: &str) {
        let mut words_now =
            if is_added { std::mem::take(&mut self.0[variable]) } else { Vec::new() };
        for word in words(value) {
            let named = GRUB_VARIABLES.iter().position(|name| {
                word.text == format!("${name}") || word.text == format!("${{{name}}}")
            });
            match named {
                Some(named) => words_now.extend(self.0[named].clone()),
                None => words_now.push((path.to_owned(), word)),
            }
        }
        // A variable that names itself twice would double each time.
        words_now.truncate(MAX_WORDS);
        self.0[variable] = words_now;
    }

    /// Does as `gvtg_add NAME VALUE…` of the drop-in.
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

    /// The words in the order of the command line, by file.
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

/// The variable that a line assigns to, whether the value is added to it, and the text from the
/// value on.
fn assigned(line: &str) -> Option<(usize, bool, &str)> {
    let assigns = |(at, name): (usize, &&str)| {
        let rest = line.strip_prefix(*name)?;
        let added = rest.strip_prefix("+=").map(|value| (at, true, value));
        added.or_else(|| rest.strip_prefix('=').map(|value| (at, false, value)))
    };
    GRUB_VARIABLES.iter().enumerate().find_map(assigns)
}

/// A shell's word, without its quotes, and the text after it. A line that ends in a backslash goes
/// on in the next.
fn shell_word(text: &str) -> (String, &str) {
    let (mut word, mut quote) = (String::new(), None);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => match letters.next() {
                Some((_, '\n')) | None => {}
                // In double quotes these alone are taken for themselves; elsewhere every letter is.
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
            // A quoted value may have several lines, of which grub-mkconfig makes one.
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
    fn the_first_file_that_says_something_counts() {
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
        write(FILES[1], "root=/dev/vda2\n");
        write(FILES[0], "\n");
        assert_eq!(
            command_line(&root),
            Some(CommandLine { path: FILES[1], text: "root=/dev/vda2\n".into() })
        );
        write(FILES[0], "root=/dev/vda3 BOOT_IMAGE=x\n");
        assert_eq!(command_line(&root).unwrap().text, "root=/dev/vda3 BOOT_IMAGE=x\n");
    }

    #[test]
    fn what_the_next_start_gives_the_kernel_is_read_in_each_form() {
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
            // The default's words come after the others, and an assignment takes the place of the
            // one before.
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
            (of_entry("options\troot=UUID=1 i915.enable_gvt=1\n"), Some("1")),
            (of_entry("options-x i915.enable_gvt=1\n"), None),
            (
                of_menu(
                    "linux /vmlinuz i915.enable_gvt=0 i915.enable_gvt=1\nlinux /old i915.enable_gvt=0\n",
                ),
                Some("1"),
            ),
            (
                of_environment(
                    "# GRUB Environment Block\nkernelopts=root=UUID=1 i915.enable_gvt=1\n####",
                ),
                Some("1"),
            ),
            (
                of_entry("title Linux\noptions root=UUID=1\noptions i915.enable_gvt=1 quiet\n"),
                Some("1"),
            ),
            (
                of_menu("  linux\t/vmlinuz-6.1 root=UUID=1 i915.enable_gvt=1\n  initrd /initrd\n"),
                Some("1"),
            ),
        ] {
            assert_eq!(word(&words, "i915.enable_gvt").as_deref(), wanted, "{words:?}");
        }
    }

    #[test]
    fn settings_source_one_drop_in_or_all() {
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
    fn a_line_that_is_not_for_every_start_is_unfit() {
        let unfit = |path, text: &str| CommandLine { path, text: text.into() }.unfit().is_some();
        assert!(!unfit(FILES[0], "root=/dev/vda1 rw systemd.unit=x.target dyndbg=\"a b\"\n"));
        assert!(!unfit(RUNNING, "root=/dev/vda1 initcall_debug quiet -- single"));
        for text in ["root=x\n# was: quiet", "root=\u{fffd}", "root=x \"quiet"] {
            assert!(unfit(FILES[0], text), "{text}");
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
