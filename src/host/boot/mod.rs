//! The kernel command line of the next boot, with a file for each kind of boot loader.

use super::Root;
use super::kernel::{Word, words};

mod entries;
mod grub;
mod kernel_install;

pub use grub::grub_line_with;
pub use kernel_install::{CommandLine, command_line};

use entries::entry_words;
use grub::{environment_words, menu_words};
use kernel_install::KERNEL_INSTALL_FILES;

/// A file that sets the kernel command line of the next boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootFile {
    /// The file.
    pub path: String,
    /// The parameters that it sets.
    pub words: Vec<Word>,
    /// The step that makes it take effect at the next boot.
    pub regeneration: Regeneration,
}

/// The step before the reboot that makes a changed file take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regeneration {
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
pub struct NextBoot {
    /// Sets of files. Files that the boot loader reads come before the files from which they are
    /// generated. Within a set, the last word of a name takes effect.
    sets: Vec<Vec<BootFile>>,
    /// GRUB drop-ins that this system's grub-mkconfig does not read.
    unread: Vec<BootFile>,
}

impl NextBoot {
    /// The word of this name that takes effect in each set of files, with its file.
    pub fn words<'s>(
        &'s self,
        name: &'s str,
    ) -> impl DoubleEndedIterator<Item = (&'s BootFile, &'s Word)> {
        self.sets.iter().filter_map(|files| last(files, name))
    }

    /// All files that are read, of all sets.
    pub fn files(&self) -> impl Iterator<Item = &BootFile> {
        self.sets.iter().flatten()
    }

    /// The word of this name in a drop-in that grub-mkconfig does not read.
    pub fn unread(&self, name: &str) -> Option<(&BootFile, &Word)> {
        last(&self.unread, name)
    }
}

/// The last word of this name in files that make up one command line.
fn last<'s>(files: &'s [BootFile], name: &str) -> Option<(&'s BootFile, &'s Word)> {
    files
        .iter()
        .rev()
        .find_map(|file| Some((file, file.words.iter().rfind(|word| word.name == name)?)))
}

/// Reads the files in /boot and of NixOS that a boot loader reads, and the files from which those
/// are generated.
pub fn next_boot(root: &Root) -> NextBoot {
    let file = |path: &str, regeneration, read: fn(&str) -> Vec<Word>| {
        root.text(path).present().map(|text| BootFile {
            path: path.to_owned(),
            words: read(&text),
            regeneration,
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
    let (grub, unread) = grub::settings_files(root, &in_folder("/etc/default/grub.d", ".cfg"));
    let sets = vec![
        // `nixos-rebuild boot` and `switch` write the system profile.
        ["/run/current-system/kernel-params", "/nix/var/nix/profiles/system/kernel-params"]
            .into_iter()
            .filter_map(|path| file(path, Regeneration::None, words))
            .collect(),
        entries.filter_map(|path| file(&path, Regeneration::None, entry_words)).collect(),
        menus.into_iter().filter_map(|path| file(path, Regeneration::None, menu_words)).collect(),
        variables
            .into_iter()
            .filter_map(|path| file(path, Regeneration::None, environment_words))
            .collect(),
        grub,
        file(KERNEL_INSTALL_FILES[0], Regeneration::Entries, words).into_iter().collect(),
    ];
    NextBoot { sets, unread }
}
