//! Finds who can change a file that root runs: through its owner, group and mode, or those of a
//! folder on the way to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Root;
use super::root::{MAX_LINKS, components};

/// The mode bit of folders in which only the owner of a file can replace it, as in /tmp and
/// /nix/store.
const STICKY: u32 = 0o1000;

/// A file or folder that users other than root can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The path of the link.
    pub path: String,
    /// Who can change it, as the subject of a sentence.
    pub users: String,
    /// The command that prevents it, without the path as its last argument.
    pub command: &'static str,
    /// The link through which root reaches it; `None` if no link is involved.
    pub link: Option<Link>,
}

/// A symbolic link on the way to a file that root runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it is.
    pub path: String,
    /// The file or folder that the link finally leads to.
    pub target: String,
    /// Whether that target is a folder.
    pub is_folder: bool,
}

/// The owner, the group and the mode of a file.
#[derive(Clone, Copy)]
struct Rights {
    user: u32,
    group: u32,
    mode: u32,
}

/// A file, folder or link on the way to a file.
struct Step {
    path: String,
    rights: Rights,
    is_link: bool,
    /// The index of the step with the last link followed before this one.
    link_index: Option<usize>,
}

/// Finds which of these files, and of the folders on the way to them, users other than root can
/// change. Links are followed. Of everything that one link leads to, only the first is reported,
/// because a single command fixes all of it.
pub fn find_exposures<'p>(root: &Root, paths: impl Iterator<Item = &'p str>) -> Vec<Exposure> {
    let mut reported_paths = BTreeSet::new();
    let mut exposures = Vec::new();
    for path in paths {
        let steps = steps_to(root, path);
        let mut owner = copy_owner(root);
        for (at, step) in steps.iter().enumerate() {
            // From here on, the copy has kept the original owners.
            if step.rights.user == 0 {
                owner = None;
            }
            let Some((users, command)) = exposure(root, step, steps.get(at + 1), owner) else {
                continue;
            };
            let link = step
                .link_index
                .and_then(|link| steps.get(link))
                .map(|link| Link::read(root, &link.path));
            let key = link.as_ref().map_or(&step.path, |link| &link.path).clone();
            let is_reached_by_link = link.is_some();
            if reported_paths.insert(key) {
                exposures.push(Exposure { path: step.path.clone(), users, command, link });
            }
            if is_reached_by_link {
                break;
            }
        }
    }
    exposures
}

/// The owner and group of a copied tree: until a file in it belongs to root, they stand for root.
/// `None` on this machine itself.
fn copy_owner(root: &Root) -> Option<Rights> {
    if root.is_this_machine() {
        return None;
    }
    fs::symlink_metadata(&root.folder).ok().and_then(|folder| rights(&folder))
}

impl Link {
    /// The command that replaces the link with a copy that belongs to root. `target` and `path` are
    /// already quoted for a shell.
    pub fn replacement(&self, target: &str, path: &str) -> String {
        if self.is_folder {
            format!("sudo rm {path} && sudo cp -r {target} {path}")
        } else {
            format!("sudo install -m 755 {target} {path}")
        }
    }

    fn read(root: &Root, path: &str) -> Self {
        Link {
            path: path.to_owned(),
            target: root.real_path(path).unwrap_or_else(|| path.to_owned()),
            is_folder: root.resolve(path).is_ok_and(|path| path.is_dir()),
        }
    }
}

/// Returns who can change a file or folder other than root, and the command that prevents it,
/// without the path.
fn exposure(
    root: &Root,
    step: &Step,
    next: Option<&Step>,
    owner: Option<Rights>,
) -> Option<(String, &'static str)> {
    let is_root = |id: u32, owner_id: Option<u32>| id == 0 || owner_id == Some(id);
    let is_owned_by_root = |step: &Step| is_root(step.rights.user, owner.map(|owner| owner.user));
    let rights = &step.rights;
    // In a sticky folder, files can be replaced only by their owners, so the owner of the next step
    // decides.
    let is_safe = rights.mode & STICKY != 0 && next.is_some_and(is_owned_by_root);
    if step.is_link {
        // A link is replaced by writing to its folder, which was checked in an earlier step.
        return None;
    }
    if !is_owned_by_root(step) {
        Some((format!("the user {}", name(root, "/etc/passwd", rights.user)), "chown root:root"))
    } else if rights.mode & 0o002 != 0 && !is_safe {
        Some(("every user on this machine".to_owned(), "chmod o-w"))
    } else if rights.mode & 0o020 != 0
        && !is_safe
        && !is_root(rights.group, owner.map(|owner| owner.group))
    {
        Some((format!("the group {}", name(root, "/etc/group", rights.group)), "chmod g-w"))
    } else {
        None
    }
}

/// Formats a user or group as name and number, or as the number if it has no name in `file`.
fn name(root: &Root, file: &str, id: u32) -> String {
    let text = root.text(file).present().unwrap_or_default();
    let has_this_id = |line: &&str| line.split(':').nth(2) == Some(id.to_string().as_str());
    match text.lines().find(has_this_id).and_then(|line| line.split(':').next()) {
        Some(name) => format!("{name} ({id})"),
        None => id.to_string(),
    }
}

/// Lists the folders and links on the way to a file, and the file, starting at `/`. The list ends
/// where the path does not exist.
fn steps_to(root: &Root, path: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    if root.is_this_machine() {
        let folder = fs::symlink_metadata("/").ok().and_then(|metadata| rights(&metadata));
        steps.extend(folder.map(|rights| Step {
            path: "/".to_owned(),
            rights,
            is_link: false,
            link_index: None,
        }));
    }
    let (mut remaining, mut inside, mut links, mut link_index) =
        (components(Path::new(path)), PathBuf::from("/"), 0, None);
    while let Some(part) = remaining.pop() {
        if part == ".." {
            inside.pop();
            continue;
        }
        let next = inside.join(&part);
        let real_path = root.folder.join(next.strip_prefix("/").unwrap_or(&next));
        let Ok(metadata) = fs::symlink_metadata(&real_path) else { break };
        let Some(rights) = rights(&metadata) else { break };
        let is_link = metadata.is_symlink();
        steps.push(Step { path: next.display().to_string(), rights, is_link, link_index });
        if !is_link {
            inside = next;
            continue;
        }
        links += 1;
        link_index = Some(steps.len() - 1);
        let Ok(target) = fs::read_link(&real_path) else { break };
        if links > MAX_LINKS {
            break;
        }
        if target.is_absolute() {
            inside = PathBuf::from("/");
        }
        remaining.extend(components(&target));
    }
    steps
}

#[cfg(unix)]
fn rights(metadata: &fs::Metadata) -> Option<Rights> {
    use std::os::unix::fs::MetadataExt;
    Some(Rights { user: metadata.uid(), group: metadata.gid(), mode: metadata.mode() })
}

/// Only Unix files have an owner and a group.
#[cfg(not(unix))]
fn rights(_metadata: &fs::Metadata) -> Option<Rights> {
    None
}
