//! modprobe's configuration, and the modules that are loaded at boot.

use super::words::{Word, words};
use crate::host::Root;

/// Folders with modprobe's configuration; a file hides files of the same name in later folders.
const MODPROBE: &[&str] =
    &["/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];

/// Folders in which systemd looks for lists of modules to load at boot.
const MODULES_LOAD: &[&str] = &[
    "/etc/modules-load.d",
    "/run/modules-load.d",
    "/usr/lib/modules-load.d",
    "/lib/modules-load.d",
];

/// A line of a file in modprobe.d.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModprobeLine {
    /// The file that contains the line.
    pub path: String,
    /// `options`, `blacklist`, `install` …
    pub command: String,
    /// The module that the line configures, as written.
    pub module: String,
    /// The words after the module.
    pub words: Vec<Word>,
}

/// A line of a file in modules-load.d. systemd takes the whole line as a module's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootLine {
    /// The file that contains the line.
    pub path: String,
    /// The line.
    pub name: String,
}

/// Reads the lines of the files in modprobe.d.
pub(super) fn read_options(root: &Root) -> Vec<ModprobeLine> {
    configuration(root, MODPROBE)
        .into_iter()
        .flat_map(|(path, text)| modprobe_lines(&path, &text))
        .collect()
}

/// Reads the lines of the files in modules-load.d and of /etc/modules.
pub(super) fn read_boot_lines(root: &Root) -> Vec<BootLine> {
    let mut files = configuration(root, MODULES_LOAD);
    // Debian's file, which is also read through a link in modules-load.d.
    if !files.iter().any(|(path, _)| path.ends_with("/modules.conf")) {
        files.extend(
            root.text("/etc/modules").present().map(|text| ("/etc/modules".to_owned(), text)),
        );
    }
    files.iter().flat_map(|(path, text)| boot_lines(path, text)).collect()
}

/// The path and text of all `*.conf` files of some folders, in the order in which they are read:
/// sorted by name, and of several with the same name only the first.
fn configuration(root: &Root, folders: &[&str]) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for folder in folders {
        for name in root.names(folder).present().unwrap_or_default() {
            if name.ends_with(".conf") && !files.iter().any(|(other, _)| *other == name) {
                files.push((name, (*folder).to_owned()));
            }
        }
    }
    files.sort();
    let read = |(name, folder): (String, String)| {
        let path = format!("{folder}/{name}");
        root.text(&path).present().map(|text| (path, text))
    };
    files.into_iter().filter_map(read).collect()
}

/// Parses the lines of a modprobe file. A line that ends in a backslash continues on the next one.
fn modprobe_lines(path: &str, text: &str) -> Vec<ModprobeLine> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let mut parts = line.splitn(3, char::is_whitespace);
        let (command, module) = (parts.next()?.to_owned(), parts.next()?.trim().to_owned());
        Some(ModprobeLine {
            path: path.to_owned(),
            command,
            module,
            words: words(parts.next().unwrap_or("")),
        })
    };
    lines.filter_map(parse).collect()
}

/// Parses a modules-load file: all lines but empty ones and comments, as systemd reads them.
fn boot_lines(path: &str, text: &str) -> Vec<BootLine> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines.map(|name| BootLine { path: path.to_owned(), name: name.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_modprobe_lines() {
        let lines = modprobe_lines(
            "/etc/modprobe.d/a.conf",
            "# options i915 x=1\noptions i915 enable_gvt=1 \\\n  enable_guc=0\nblacklist nouveau\n",
        );
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].module.as_str(), lines[0].words.len()), ("i915", 2));
        assert_eq!((lines[1].command.as_str(), lines[1].module.as_str()), ("blacklist", "nouveau"));
    }

    #[test]
    fn keeps_a_trailing_comment_in_the_module_name() {
        let names: Vec<String> = boot_lines("a", "# x\n; y\n\n kvmgt # for vGPUs\nvfio_pci\n")
            .into_iter()
            .map(|line| line.name)
            .collect();
        assert_eq!(names, ["kvmgt # for vGPUs", "vfio_pci"]);
    }
}
