//! The list of the files that were written: `cd ROOT && sha1sum --check etc/gvtg-xml/manifest` says which have changed since.

use std::fmt::Write as _;

use super::{File, made_by, names, shell};
use crate::emit::Guest;

/// Where it is.
pub const PATH: &str = "/etc/gvtg-xml/manifest";

/// The manifest of these files, by path, each with its mode and its SHA-1, which tells changes and guards against nobody.
pub fn file(files: &[File], guests: &[Guest], command: &str) -> File {
    let what = format!("What the host has for GVT-g, for {}.", names(guests));
    let mut text = shell::comment(&what) + &made_by(command);
    let mut paths: Vec<(&str, &File)> = files.iter().filter_map(|file| Some((file.path()?, file))).collect();
    paths.sort_unstable_by_key(|(path, _)| *path);
    for (path, file) in paths {
        let _ = writeln!(text, "# mode {:o}\n{}  {}", file.mode, sha1_smol::Sha1::from(&file.text).digest(), path.trim_start_matches('/'));
    }
    File::at(PATH, text, Vec::new())
}
