//! A module's parameter: its current value, and the one that it gets at the next boot.

use super::modprobe::ModprobeLine;
use super::words::{Word, normalized};
use crate::host::boot::{BootFile, NextBoot, Regeneration};
use crate::host::{Probe, Root};

/// A module's parameter and every value it has or will get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name with the module, like `i915.enable_gvt`.
    pub name: &'static str,
    /// The file in /sys with its current value.
    pub path: String,
    /// The current value.
    pub now: Probe<String>,
    /// The value on the command line, on which the last word takes effect.
    pub line: Option<String>,
    /// The value set in modprobe.d, and the file.
    pub option: Option<(String, String)>,
    /// The value that the command line of the next boot sets, and where.
    pub next: Option<NextValue>,
    /// The value in a drop-in that grub-mkconfig does not read, and where.
    pub unread: Option<NextValue>,
}

/// The value that a parameter gets at the next boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextValue {
    /// The value.
    pub value: String,
    /// The file that sets it.
    pub path: String,
    /// The command to run before the reboot.
    pub regeneration: Regeneration,
}

impl Parameter {
    /// The running kernel's value: the current one, else the one on its command line. Options in
    /// modprobe.d are not used: they describe the next boot, and may have been written after this
    /// one.
    pub fn value(&self) -> Option<&str> {
        self.now.as_present().or(self.line.as_ref()).map(String::as_str)
    }

    /// The files that set or show the parameter.
    pub fn read(&self) -> Vec<String> {
        let mut paths = vec![self.path.clone(), "/proc/cmdline".to_owned()];
        paths.extend(self.option.iter().map(|(_, path)| path.clone()));
        paths.extend(self.next.iter().map(|next| next.path.clone()));
        paths
    }

    /// The value at the next boot, as far as files show it. The command line overrides modprobe.d.
    pub fn at_next_boot(&self) -> Option<NextValue> {
        let from_option = |(value, path): &(String, String)| NextValue {
            value: value.clone(),
            path: path.clone(),
            regeneration: Regeneration::Initramfs,
        };
        if self.next.is_none() && self.line.is_none() {
            return self.option.as_ref().map(from_option);
        }
        self.next.clone()
    }

    /// The setting that turns on a parameter at the next boot while it is off now. `None` if the
    /// command line already turns it on but it is off nevertheless, because a reboot would not
    /// change that, and if the current value cannot be read but an option in modprobe.d, which may
    /// already be in effect, sets it.
    pub fn pending(&self) -> Option<NextValue> {
        if self.is_on() == Some(true) || self.line.as_deref().is_some_and(is_on) {
            return None;
        }
        let is_not_yet_in_effect = |next: &NextValue| {
            self.now.as_present().is_some() || next.regeneration != Regeneration::Initramfs
        };
        self.at_next_boot().filter(|next| is_on(&next.value) && is_not_yet_in_effect(next))
    }

    /// The value as a bool; a parameter without a value is true.
    pub fn is_on(&self) -> Option<bool> {
        self.value().map(is_on)
    }
}

/// Parses a value as the kernel parses a bool (`kstrtobool`).
pub fn is_on(value: &str) -> bool {
    matches!(value.as_bytes(), [] | [b'y' | b'Y' | b't' | b'T' | b'1', ..])
        || value.eq_ignore_ascii_case("on")
}

/// Reads a parameter: its value in /sys, and every setting of it.
pub(super) fn read(
    root: &Root,
    name: &'static str,
    line: &Probe<Vec<Word>>,
    options: &[ModprobeLine],
    next: &NextBoot,
) -> Parameter {
    let (module, parameter) = name.split_once('.').unwrap_or(("", name));
    let path = format!("/sys/module/{module}/parameters/{parameter}");
    let words = line.as_present().map_or(&[][..], Vec::as_slice);
    let value = |word: &Word| word.value.clone().unwrap_or_default();
    let options = options
        .iter()
        .filter(|line| line.command == "options" && normalized(&line.module) == module);
    let mut option = options
        .flat_map(|line| line.words.iter().map(|word| (word, &line.path)))
        .filter(|(word, _)| word.name == parameter);
    let setting = |(file, word): (&BootFile, &Word)| NextValue {
        value: value(word),
        path: file.path.clone(),
        regeneration: file.regeneration,
    };
    let mut settings: Vec<NextValue> = next.words(name).map(setting).collect();
    // Files that a boot loader reads come first; they are regenerated from the later ones, so any
    // file that turns the parameter on is used.
    let chosen = settings
        .iter()
        .position(|next| is_on(&next.value))
        .or_else(|| settings.len().checked_sub(1));
    Parameter {
        name,
        now: root.line(&path),
        next: chosen.map(|at| settings.swap_remove(at)),
        unread: next.unread(name).map(setting),
        path,
        line: words.iter().rfind(|word| word.name == name).map(value),
        option: option.next_back().map(|(word, path)| (value(word), path.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_bools_as_the_kernel_does() {
        for on in ["1", "Y", "y", "on", ""] {
            assert!(is_on(on), "{on}");
        }
        for off in ["0", "N", "off", "no", "2"] {
            assert!(!is_on(off), "{off}");
        }
    }
}
