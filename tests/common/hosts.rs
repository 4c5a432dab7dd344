//! Machines, each described by one text: the contents of a copy of their /proc, /sys and /etc.
//!
//! A line starts an entry: `PATH = one line`, `PATH:` with the lines indented below, `PATH ->
//! TARGET` for a link, `PATH/` for a folder, `PATH emitted LINE` for this program's hook with that
//! line at its end. `(755)` after a path is its mode, `(755 1000:1000)` also its owner, which needs
//! root. `like NAME` starts with everything that another machine has, and `without PATH` removes
//! what was added so far. `␀` is a NUL byte, `␍` a carriage return.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use gvtg_xml::emit::hook::{Style, file};

/// Creates the machine of this name, from `fixtures/hosts`.
pub fn make(name: &str, folder: &Path) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/hosts/{name}.tree"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    make_of(&text, folder);
}

/// Creates the machine that a text describes.
pub fn make_of(text: &str, folder: &Path) {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(other) = line.strip_prefix("like ") {
            make(other, folder);
        } else if let Some(path) = line.strip_prefix("without ") {
            remove(&inside(folder, path));
        } else if let Some((path, target)) = line.split_once(" -> ") {
            let path = new_path(folder, path);
            remove(&path);
            symlink(target, path).unwrap();
        } else if let Some((path, setup)) = line.split_once(" emitted ") {
            let hook = file(&[], Style::DropIn, "gvtg-xml emit hook").text;
            write(folder, path, &format!("{hook}{setup}\n"));
        } else if let Some((path, text)) = line.split_once(" =") {
            write(
                folder,
                path,
                &format!("{}\n", text.trim_start().replace('␀', "\0").replace('␍', "\r")),
            );
        } else if let Some((path, mode)) =
            line.strip_suffix(')').and_then(|line| line.split_once("/ ("))
        {
            let path = inside(folder, path);
            fs::create_dir_all(&path).unwrap();
            set_rights(&path, mode);
        } else if let Some(path) = line.strip_suffix('/') {
            fs::create_dir_all(inside(folder, path)).unwrap();
        } else if let Some(path) = line.strip_suffix(':') {
            let mut text = String::new();
            while let Some(line) = lines.next_if(|line| line.is_empty() || line.starts_with("    "))
            {
                text.push_str(line.strip_prefix("    ").unwrap_or(line));
                text.push('\n');
            }
            write(folder, path, &text);
        } else {
            panic!("what is {line:?}?");
        }
    }
}

fn inside(folder: &Path, path: &str) -> std::path::PathBuf {
    folder.join(path.strip_prefix('/').unwrap_or_else(|| panic!("{path} is no absolute path")))
}

/// The path of a new file, whose folder is created.
fn new_path(folder: &Path, path: &str) -> std::path::PathBuf {
    let path = inside(folder, path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

fn write(folder: &Path, path: &str, text: &str) {
    let (path, rights) =
        path.strip_suffix(')').and_then(|path| path.split_once(" (")).unwrap_or((path, "644"));
    let path = new_path(folder, path);
    fs::write(&path, text).unwrap();
    set_rights(&path, rights);
}

/// Sets a file's mode and owner: `MODE` or `MODE USER:GROUP`.
fn set_rights(path: &Path, rights: &str) {
    let (mode, owner) = rights.split_once(' ').unwrap_or((rights, ""));
    if let Some((user, group)) = owner.split_once(':') {
        chown(path, Some(user.parse().unwrap()), Some(group.parse().unwrap())).unwrap();
    }
    fs::set_permissions(path, fs::Permissions::from_mode(u32::from_str_radix(mode, 8).unwrap()))
        .unwrap();
}

fn remove(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    if metadata.is_dir() {
        fs::remove_dir_all(path).unwrap()
    } else {
        fs::remove_file(path).unwrap()
    }
}
