//! The list of the files that were written: `cd ROOT && sha1sum --check etc/gvtg-xml/manifest` says which have changed since.

use std::fmt::Write as _;

use super::{File, made_by, names, shell};
use crate::emit::Guest;

/// Where it is.
pub const PATH: &str = "/etc/gvtg-xml/manifest";

/// The content of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The files, in their order.
    pub entries: Vec<Entry>,
    /// The folders that were created for them. Older manifests name none.
    pub folders: Vec<String>,
}

/// A file in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its absolute path.
    pub path: String,
    /// Its mode, like `0o644`.
    pub mode: Option<u32>,
    /// The SHA-1 of its text, which detects changes but does not protect against attackers.
    pub sum: String,
}

const MODE: &str = "# mode ";
const FOLDER: &str = "# folder ";

impl Manifest {
    /// Reads the text of a manifest; other lines are ignored.
    pub fn read(text: &str) -> Self {
        let (mut manifest, mut mode) = (Manifest::default(), None);
        for line in text.lines() {
            if let Some(folder) = line.strip_prefix(FOLDER) {
                manifest.folders.push(format!("/{folder}"));
            } else if let Some(digits) = line.strip_prefix(MODE) {
                mode = u32::from_str_radix(digits, 8).ok();
            } else if let Some((sum, path)) = line.split_once("  ").filter(|(sum, _)| is_sum(sum)) {
                manifest.entries.push(Entry { path: format!("/{path}"), mode: mode.take(), sum: sum.to_owned() });
            }
        }
        manifest
    }

    /// The entry of this path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }

    /// The lines of its files and folders.
    pub fn lines(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            if let Some(mode) = entry.mode {
                let _ = writeln!(text, "{MODE}{mode:o}");
            }
            let _ = writeln!(text, "{}  {}", entry.sum, entry.path.trim_start_matches('/'));
        }
        for folder in &self.folders {
            let _ = writeln!(text, "{FOLDER}{}", folder.trim_start_matches('/'));
        }
        text
    }
}

impl Entry {
    fn of(file: &File) -> Option<Self> {
        Some(Entry { path: file.path()?.to_owned(), mode: Some(file.mode), sum: sum(file.text.as_bytes()) })
    }
}

fn is_sum(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The SHA-1 of a text.
pub fn sum(text: &[u8]) -> String {
    sha1_smol::Sha1::from(text).digest().to_string()
}

/// The manifest of these files and of `kept`, the files and folders from earlier runs.
pub fn file(files: &[File], kept: Manifest, guests: &[Guest], command: &str) -> File {
    let what = format!("What the host has for GVT-g, for {}.", names(guests));
    let mut manifest = kept;
    manifest.entries.extend(files.iter().filter_map(Entry::of));
    manifest.entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    manifest.folders.sort_unstable();
    manifest.folders.dedup();
    File::at(PATH, shell::comment(&what) + &made_by(command) + &manifest.lines(), Vec::new())
}

/// Updates the entries of these files in the text of a manifest; None if nothing changes.
pub fn updated(text: &str, files: &[File]) -> Option<File> {
    let mut manifest = Manifest::read(text);
    let old = manifest.clone();
    for new in files.iter().filter_map(Entry::of) {
        if let Some(entry) = manifest.entries.iter_mut().find(|entry| entry.path == new.path) {
            *entry = new;
        }
    }
    (manifest != old).then(|| rewritten(text, &manifest))
}

/// The file of a manifest, with the introduction at the top of this text.
pub fn rewritten(text: &str, manifest: &Manifest) -> File {
    let is_words = |line: &&str| line.starts_with('#') && !line.starts_with(MODE) && !line.starts_with(FOLDER);
    let words: String = text.lines().take_while(is_words).map(|line| format!("{line}\n")).collect();
    File::at(PATH, words + &manifest.lines(), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "# What.\n# Made by: x\n# mode 755\na9993e364706816aba3e25717850c26c9cd0d89d  etc/a  b\n\
                    da39a3ee5e6b4b0d3255bfef95601890afd80709  etc/c\n# folder etc\n";
        let manifest = Manifest::read(text);
        assert_eq!(manifest.entries[0].path, "/etc/a  b");
        assert_eq!(manifest.entries.iter().map(|entry| entry.mode).collect::<Vec<_>>(), [Some(0o755), None]);
        assert_eq!(manifest.folders, ["/etc"]);
        assert_eq!(rewritten(text, &manifest).text, text);
        assert_eq!(Manifest::read("x\n\n0123  etc/a\n"), Manifest::default());
    }
}
