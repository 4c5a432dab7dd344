//! Finds who can change a file that root runs: through its owner, group and mode, or those of a folder on the way to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{MOST_LINKS, Root, parts};

/// A file or folder that users other than root can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Where it is.
    pub path: String,
    /// Who can change it, as the subject of a sentence.
    pub who: String,
    /// The command that prevents it, without the path.
    pub command: &'static str,
}

/// The owner, the group and the mode of a file.
struct Rights {
    user: u32,
    group: u32,
    mode: u32,
}

/// Finds which of these files, and of the folders on the way to them, users other than root can change. Links are followed.
pub fn exposed<'p>(root: &Root, paths: impl Iterator<Item = &'p str>) -> Vec<Exposure> {
    // In a copy, the files may belong to the user who made it.
    let owner = if root.is_this_machine() { None } else { fs::symlink_metadata(&root.folder).ok().and_then(|folder| rights(&folder)) };
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for path in paths {
        for (path, metadata) in on_the_way(root, path) {
            if !seen.insert(path.clone()) {
                continue;
            }
            found.extend(rights(&metadata).and_then(|rights| exposure(root, path, &rights, owner.as_ref())));
        }
    }
    found
}

fn exposure(root: &Root, path: String, rights: &Rights, owner: Option<&Rights>) -> Option<Exposure> {
    let is_root = |id: u32, own: Option<u32>| id == 0 || own == Some(id);
    let (who, command) = if !is_root(rights.user, owner.map(|owner| owner.user)) {
        (format!("the user {}", name(root, "/etc/passwd", rights.user)), "chown root:root")
    } else if rights.mode & 0o002 != 0 {
        ("every user of this machine".to_owned(), "chmod o-w")
    } else if rights.mode & 0o020 != 0 && !is_root(rights.group, owner.map(|owner| owner.group)) {
        (format!("the group {}", name(root, "/etc/group", rights.group)), "chmod g-w")
    } else {
        return None;
    };
    Some(Exposure { path, who, command })
}

/// The name of this user or group, with the number; only the number where it has no name.
fn name(root: &Root, file: &str, id: u32) -> String {
    let text = root.text(file).present().unwrap_or_default();
    let is_its = |line: &&str| line.split(':').nth(2) == Some(id.to_string().as_str());
    match text.lines().find(is_its).and_then(|line| line.split(':').next()) {
        Some(name) => format!("{name} ({id})"),
        None => id.to_string(),
    }
}

/// The file and all folders on the way to it, from `/` on, each by its path on that machine; missing ones are left out.
fn on_the_way(root: &Root, path: &str) -> Vec<(String, fs::Metadata)> {
    let mut found = Vec::new();
    if root.is_this_machine() {
        found.extend(fs::symlink_metadata("/").map(|metadata| ("/".to_owned(), metadata)));
    }
    let (mut left, mut inside, mut links) = (parts(Path::new(path)), PathBuf::from("/"), 0);
    while let Some(part) = left.pop() {
        if part == ".." {
            inside.pop();
            continue;
        }
        let next = inside.join(&part);
        let here = root.folder.join(next.strip_prefix("/").unwrap_or(&next));
        let Ok(metadata) = fs::symlink_metadata(&here) else { break };
        if !metadata.is_symlink() {
            inside = next;
            found.push((inside.display().to_string(), metadata));
            continue;
        }
        links += 1;
        let Ok(target) = fs::read_link(&here) else { break };
        if links > MOST_LINKS {
            break;
        }
        if target.is_absolute() {
            inside = PathBuf::from("/");
        }
        left.extend(parts(&target));
    }
    found
}

#[cfg(unix)]
fn rights(metadata: &fs::Metadata) -> Option<Rights> {
    use std::os::unix::fs::MetadataExt;
    Some(Rights { user: metadata.uid(), group: metadata.gid(), mode: metadata.mode() })
}

/// Only Unix has such owners.
#[cfg(not(unix))]
fn rights(_metadata: &fs::Metadata) -> Option<Rights> {
    None
}
