//! The manifest of written files. `cd ROOT && sha1sum --check etc/gvtg-xml/manifest` lists those
//! that have changed since.

use std::fmt::Write as _;

use super::cmdline::KERNEL_INSTALL;
use super::{File, names, origin_comment, shell};
use crate::emit::Guest;

/// The path of the manifest.
pub const PATH: &str = "/etc/gvtg-xml/manifest";

/// The folder with the files that `--force` replaced, each at its original path below this folder.
pub const REPLACED: &str = "/etc/gvtg-xml/replaced";

/// The content of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The entries of the files, in the manifest's order.
    pub entries: Vec<Entry>,
    /// The folders that were created for the files. Older manifests list none.
    pub folders: Vec<String>,
    /// Whether the kernel parameters were printed for the user to add by hand.
    pub has_printed_parameters: bool,
}

/// A file in a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The absolute path.
    pub path: String,
    /// The mode, like `0o644`.
    pub mode: Option<u32>,
    /// The SHA-1 of the text, which detects changes but does not protect against attackers.
    pub sum: String,
    /// The SHA-1 of the version that this one replaces, which is still in place if the run is
    /// interrupted.
    pub earlier: Option<String>,
    /// Whether the file did not exist before. Recorded only for the kernel command line, of which
    /// this program wrote only a part.
    pub is_new: bool,
    /// The SHA-1 of the user's file that it replaced, which is kept in [`REPLACED`].
    pub replaced: Option<String>,
}

const MODE: &str = "# mode ";
const FOLDER: &str = "# folder ";
const EARLIER: &str = "# earlier ";
const NEW: &str = "# new";
const REPLACED_SUM: &str = "# replaced ";
const PRINTED: &str = "# parameters added by hand";

impl Manifest {
    /// Parses a manifest; unknown lines are ignored.
    pub fn read(text: &str) -> Self {
        let (mut manifest, mut next) = (Manifest::default(), Entry::default());
        for line in text.lines() {
            if let Some(folder) = line.strip_prefix(FOLDER) {
                manifest.folders.push(format!("/{folder}"));
            } else if let Some(digits) = line.strip_prefix(MODE) {
                next.mode = u32::from_str_radix(digits, 8).ok();
            } else if let Some(sum) = line.strip_prefix(EARLIER).filter(|sum| is_sum(sum)) {
                next.earlier = Some(sum.to_owned());
            } else if line == NEW {
                next.is_new = true;
            } else if let Some(sum) = line.strip_prefix(REPLACED_SUM).filter(|sum| is_sum(sum)) {
                next.replaced = Some(sum.to_owned());
            } else if line == PRINTED {
                manifest.has_printed_parameters = true;
            } else if let Some((sum, path)) = line.split_once("  ").filter(|(sum, _)| is_sum(sum)) {
                let entry = Entry {
                    path: format!("/{path}"),
                    sum: sum.to_owned(),
                    ..std::mem::take(&mut next)
                };
                manifest.entries.push(entry);
            }
        }
        manifest
    }

    /// The entry with this path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }

    /// Writes the lines of the files and folders.
    pub fn lines(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            if let Some(sum) = &entry.earlier {
                let _ = writeln!(text, "{EARLIER}{sum}");
            }
            if let Some(sum) = &entry.replaced {
                let _ = writeln!(text, "{REPLACED_SUM}{sum}");
            }
            if entry.is_new {
                let _ = writeln!(text, "{NEW}");
            }
            // The mode must be on the line before the sum, where older versions and the Ansible
            // role expect it.
            if let Some(mode) = entry.mode {
                let _ = writeln!(text, "{MODE}{mode:o}");
            }
            let _ = writeln!(text, "{}  {}", entry.sum, entry.path.trim_start_matches('/'));
        }
        for folder in &self.folders {
            let _ = writeln!(text, "{FOLDER}{}", folder.trim_start_matches('/'));
        }
        if self.has_printed_parameters {
            let _ = writeln!(text, "{PRINTED}");
        }
        text
    }
}

impl Entry {
    /// Creates the entry of a file that is about to be written. `listed` is its entry so far, and
    /// `present` the bytes that the file has now.
    fn new(file: &File, listed: Option<&Entry>, present: Option<&[u8]>) -> Option<Self> {
        let path = file.path()?.to_owned();
        let sum = sum(file.text.as_bytes());
        let is_unchanged = |entry: &Entry| present.is_some_and(|present| entry.matches(present));
        let is_generated = |present: &&[u8]| {
            listed.is_some_and(is_unchanged) || differs_only_in_command(&file.text, present)
        };
        let replaced_version =
            present.filter(is_generated).map(self::sum).filter(|earlier| *earlier != sum);
        let earlier =
            replaced_version.or_else(|| listed?.earlier.clone()).filter(|earlier| *earlier != sum);
        let is_new = path == KERNEL_INSTALL
            && (present.is_none()
                || listed.is_some_and(|entry| entry.is_new && is_unchanged(entry)));
        let users_file = present.filter(|present| is_foreign(file, listed, present)).map(self::sum);
        let replaced = users_file.or_else(|| listed?.replaced.clone());
        Some(Entry { path, mode: Some(file.mode), sum, earlier, is_new, replaced })
    }

    /// Whether these bytes are this version of the file or the earlier one.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let sum = sum(bytes);
        self.sum == sum || self.earlier.as_ref() == Some(&sum)
    }

    /// The path at which the replaced file is kept.
    pub fn replaced_path(&self) -> String {
        format!("{REPLACED}{}", self.path)
    }
}

/// Whether the bytes at a file's path are the user's: neither the file itself nor something that
/// this program wrote. The kernel command line never counts, because the new file contains
/// everything that the old one had.
pub fn is_foreign(file: &File, listed: Option<&Entry>, present: &[u8]) -> bool {
    let is_known =
        listed.is_some_and(|entry| entry.matches(present) || lines(present).any(is_origin_comment));
    file.path() != Some(KERNEL_INSTALL)
        && !is_known
        && !differs_only_in_command(&file.text, present)
}

/// Whether two files are equal except for the comment line with the command that made each.
pub fn differs_only_in_command(text: &str, present: &[u8]) -> bool {
    let is_content = |line: &&[u8]| !is_origin_comment(line);
    lines(text.as_bytes()).filter(is_content).eq(lines(present).filter(is_content))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

fn is_origin_comment(line: &[u8]) -> bool {
    line.starts_with(b"# Made by: gvtg-xml ")
}

fn is_sum(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the SHA-1 of a file's content, in hexadecimal.
pub fn sum(text: &[u8]) -> String {
    sha1_smol::Sha1::from(text).digest().to_string()
}

/// Creates the manifest of these files. `old` is the previous manifest, `kept` has the entries and
/// folders from earlier runs that remain, and `present` reads the file at a path. `about` holds the
/// guests and the command for the introduction.
pub fn file(
    files: &[File],
    old: &Manifest,
    kept: Manifest,
    present: impl Fn(&str) -> Option<Vec<u8>>,
    about: (&[Guest], &str),
) -> File {
    let (guests, command) = about;
    let what = format!("Files that gvtg-xml wrote on this host, for {}.", names(guests));
    let mut manifest = kept;
    manifest.entries.extend(files.iter().filter_map(|file| new_entry(file, old, &present)));
    manifest.entries.sort_unstable_by(|first, other| first.path.cmp(&other.path));
    manifest.folders.sort_unstable();
    manifest.folders.dedup();
    File::at(PATH, shell::comment(&what) + &origin_comment(command) + &manifest.lines(), Vec::new())
}

fn new_entry(
    file: &File,
    old: &Manifest,
    present: impl Fn(&str) -> Option<Vec<u8>>,
) -> Option<Entry> {
    let path = file.path()?;
    Entry::new(file, old.entry(path), present(path).as_deref())
}

/// Updates the entries of these files in the text of a manifest; None if nothing changes.
pub fn updated(
    text: &str,
    files: &[File],
    present: impl Fn(&str) -> Option<Vec<u8>>,
) -> Option<File> {
    let mut manifest = Manifest::read(text);
    let old = manifest.clone();
    for new in files.iter().filter_map(|file| new_entry(file, &old, &present)) {
        if let Some(entry) = manifest.entries.iter_mut().find(|entry| entry.path == new.path) {
            *entry = new;
        }
    }
    (manifest != old).then(|| rewritten(text, &manifest))
}

/// Creates the file of a manifest that keeps the introduction of `text`.
pub fn rewritten(text: &str, manifest: &Manifest) -> File {
    let data_prefixes = [MODE, FOLDER, EARLIER, NEW, REPLACED_SUM, PRINTED];
    let is_introduction = |line: &&str| {
        line.starts_with('#') && !data_prefixes.iter().any(|prefix| line.starts_with(prefix))
    };
    let introduction: String =
        text.lines().take_while(is_introduction).map(|line| format!("{line}\n")).collect();
    File::at(PATH, introduction + &manifest.lines(), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let text = "# What.\n# Made by: x\n# earlier da39a3ee5e6b4b0d3255bfef95601890afd80709\n\
                    # replaced da39a3ee5e6b4b0d3255bfef95601890afd80709\n# mode 755\n\
                    a9993e364706816aba3e25717850c26c9cd0d89d  etc/a  b\n\
                    # new\nda39a3ee5e6b4b0d3255bfef95601890afd80709  etc/c\n# folder etc\n# parameters added by hand\n";
        let manifest = Manifest::read(text);
        assert_eq!(manifest.entries[0].path, "/etc/a  b");
        assert_eq!(
            manifest.entries.iter().map(|entry| entry.mode).collect::<Vec<_>>(),
            [Some(0o755), None]
        );
        assert_eq!(manifest.folders, ["/etc"]);
        let [first, second] = &manifest.entries[..] else { panic!("{manifest:?}") };
        assert!(
            first.matches(b"abc")
                && first.matches(b"")
                && first.replaced.is_some()
                && !first.is_new
        );
        assert!(
            second.is_new
                && second.replaced.is_none()
                && second.earlier.is_none()
                && manifest.has_printed_parameters
        );
        assert_eq!(rewritten(text, &manifest).text, text);
        assert_eq!(Manifest::read("x\n\n0123  etc/a\n"), Manifest::default());
    }

    #[test]
    fn recognizes_files_of_the_user() {
        let file = crate::emit::modules::file();
        let entry = Entry::new(&file, None, None).unwrap();
        assert!(is_foreign(&file, None, b"kvmgt\n") && is_foreign(&file, Some(&entry), b"kvmgt\n"));
        let by_another_command =
            file.text.replacen("gvtg-xml emit modules", "gvtg-xml emit all x.xml", 1);
        assert!(!is_foreign(&file, None, by_another_command.as_bytes()));
        let edited = file.text.clone() + "own\n";
        assert!(
            is_foreign(&file, None, edited.as_bytes())
                && !is_foreign(&file, Some(&entry), edited.as_bytes())
        );
    }

    #[test]
    fn remembers_the_replaced_version() {
        let file = crate::emit::modules::file();
        let old =
            Entry { path: file.path().unwrap().to_owned(), sum: sum(b"old"), ..Entry::default() };
        let new = Entry::new(&file, Some(&old), Some(b"old")).unwrap();
        assert!(new.matches(b"old") && new.matches(file.text.as_bytes()) && !new.matches(b"other"));
        assert_eq!(Entry::new(&file, Some(&new), Some(file.text.as_bytes())), Some(new));
    }
}
