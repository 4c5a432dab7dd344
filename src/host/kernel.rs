//! The kernel: its command line, the parameters and options of its modules, and which modules are
//! loaded, built in or available.

use super::boot::{NextStart, NextStarts, Renewal, next_start};
use super::{Probe, Root};
use crate::emit::kernel_cmdline::{split, split_init};

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

/// Folders with the modules of a kernel. NixOS keeps the running kernel's modules apart from the
/// next kernel's.
const MODULES: &[&str] = &[
    "/lib/modules",
    "/usr/lib/modules",
    "/run/booted-system/kernel-modules/lib/modules",
    "/run/current-system/kernel-modules/lib/modules",
];

/// The kernel's configuration and state.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The words of /proc/cmdline.
    pub line: Probe<Vec<Word>>,
    /// The lines of the files in modprobe.d.
    pub options: Vec<ModprobeLine>,
    /// The names in /sys/module: modules that are loaded, or built in and with parameters.
    pub loaded: Probe<Vec<String>>,
    /// The built-in modules, from modules.builtin.
    pub built_in: Vec<String>,
    /// The lines of the files in modules-load.d and of /etc/modules.
    pub at_boot: Vec<BootLine>,
    /// The modules that this kernel can load, from modules.dep.
    pub available: Probe<Vec<String>>,
    /// The running kernel's release, like `6.1.0-50-amd64`.
    pub release: Probe<String>,
    /// The parameters of the loaded i915 and kvm, like `i915.enable_gvt`.
    pub parameters: Vec<String>,
    /// `i915.enable_gvt`.
    pub enable_gvt: Parameter,
    /// `i915.enable_guc`.
    pub enable_guc: Parameter,
    /// `kvm.ignore_msrs`.
    pub ignore_msrs: Parameter,
}

/// A word of the command line: `name` or `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as written, without double quotes.
    pub text: String,
    /// The part before the first `=`, with `_` in place of `-`, as the kernel compares names.
    pub name: String,
    /// The part after the first `=`; `None` without one.
    pub value: Option<String>,
}

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
    pub next: Option<Next>,
    /// The value in a drop-in that grub-mkconfig does not read, and where.
    pub unread: Option<Next>,
}

/// The value that a parameter gets at the next boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The value.
    pub value: String,
    /// The file that sets it.
    pub path: String,
    /// The command to run before the reboot.
    pub renewal: Renewal,
}

impl Parameter {
    /// The running kernel's value: the current one, else the one on its command line. Options in
    /// modprobe.d are not used: they describe the next boot, and may have been written after this
    /// one.
    pub fn value(&self) -> Option<&str> {
        self.now.as_found().or(self.line.as_ref()).map(String::as_str)
    }

    /// The files that set or show the parameter.
    pub fn read(&self) -> Vec<String> {
        let mut paths = vec![self.path.clone(), "/proc/cmdline".to_owned()];
        paths.extend(self.option.iter().map(|(_, path)| path.clone()));
        paths.extend(self.next.iter().map(|next| next.path.clone()));
        paths
    }

    /// The value at the next boot, as far as files show it. The command line overrides modprobe.d.
    pub fn at_next_start(&self) -> Option<Next> {
        let from_option = |(value, path): &(String, String)| Next {
            value: value.clone(),
            path: path.clone(),
            renewal: Renewal::Initramfs,
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
    pub fn pending(&self) -> Option<Next> {
        if self.is_on() == Some(true) || self.line.as_deref().is_some_and(is_on) {
            return None;
        }
        let is_not_yet_in_effect =
            |next: &Next| self.now.as_found().is_some() || next.renewal != Renewal::Initramfs;
        self.at_next_start().filter(|next| is_on(&next.value) && is_not_yet_in_effect(next))
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

impl Kernel {
    /// Reads the configuration and state of a machine's kernel.
    pub fn read(root: &Root) -> Self {
        let line = root.text("/proc/cmdline").map(|text| words(&text));
        let options: Vec<ModprobeLine> = configuration(root, MODPROBE)
            .into_iter()
            .flat_map(|(path, text)| modprobe_lines(&path, &text))
            .collect();
        let mut files = configuration(root, MODULES_LOAD);
        // Debian's file, which is also read through a link in modules-load.d.
        if !files.iter().any(|(path, _)| path.ends_with("/modules.conf")) {
            files.extend(
                root.text("/etc/modules").present().map(|text| ("/etc/modules".to_owned(), text)),
            );
        }
        let at_boot = files.iter().flat_map(|(path, text)| boot_lines(path, text)).collect();
        let release = root.line("/proc/sys/kernel/osrelease");
        let next = next_start(root);
        let parameter = |name| parameter(root, name, &line, &options, &next);
        let (enable_gvt, enable_guc, ignore_msrs) = (
            parameter("i915.enable_gvt"),
            parameter("i915.enable_guc"),
            parameter("kvm.ignore_msrs"),
        );
        let parameters = ["i915", "kvm"].into_iter().flat_map(|module| {
            let names = root
                .names(&format!("/sys/module/{module}/parameters"))
                .present()
                .unwrap_or_default();
            names.into_iter().map(move |name| format!("{module}.{name}"))
        });
        Kernel {
            parameters: parameters.collect(),
            built_in: built_in(root, &release),
            loaded: root.names("/sys/module"),
            available: available(root, &release),
            line,
            options,
            at_boot,
            release,
            enable_gvt,
            enable_guc,
            ignore_msrs,
        }
    }

    /// Whether a module is loaded or built in; `None` if /sys/module cannot be read.
    pub fn is_loaded(&self, module: &str) -> Option<bool> {
        let is_listed = |names: &[String]| names.iter().any(|name| name == module);
        self.loaded.as_found().map(|names| is_listed(names) || is_listed(&self.built_in))
    }

    /// Whether this kernel has a module, built in or loadable; `None` if the list of modules cannot
    /// be read.
    pub fn has_module(&self, module: &str) -> Option<bool> {
        self.available
            .as_found()
            .map(|names| names.iter().chain(&self.built_in).any(|name| name == module))
    }

    /// The words of the running kernel's command line.
    pub fn words(&self) -> &[Word] {
        self.line.as_found().map_or(&[], Vec::as_slice)
    }

    /// The lines of modprobe.d with this command for this module.
    pub fn lines<'k>(
        &'k self,
        command: &'k str,
        module: &'k str,
    ) -> impl Iterator<Item = &'k ModprobeLine> {
        self.options
            .iter()
            .filter(move |line| line.command == command && normalized(&line.module) == module)
    }
}

fn parameter(
    root: &Root,
    name: &'static str,
    line: &Probe<Vec<Word>>,
    options: &[ModprobeLine],
    next: &NextStarts,
) -> Parameter {
    let (module, parameter) = name.split_once('.').unwrap_or(("", name));
    let path = format!("/sys/module/{module}/parameters/{parameter}");
    let words = line.as_found().map_or(&[][..], Vec::as_slice);
    let value = |word: &Word| word.value.clone().unwrap_or_default();
    let options = options
        .iter()
        .filter(|line| line.command == "options" && normalized(&line.module) == module);
    let mut option = options
        .flat_map(|line| line.words.iter().map(|word| (word, &line.path)))
        .filter(|(word, _)| word.name == parameter);
    let setting = |(file, word): (&NextStart, &Word)| Next {
        value: value(word),
        path: file.path.clone(),
        renewal: file.renewal,
    };
    let mut settings: Vec<Next> = next.words(name).map(setting).collect();
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

/// Replaces `-` by `_`, as the kernel does to compare module names.
fn normalized(name: &str) -> String {
    name.replace('-', "_")
}

/// Parses the kernel's part of a command line into words.
pub fn words(text: &str) -> Vec<Word> {
    split(split_init(text).0).into_iter().map(|word| Word::new(word.replace('"', ""))).collect()
}

impl Word {
    fn new(text: String) -> Self {
        let (name, value) = text
            .split_once('=')
            .map_or((text.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
        Word { name: normalized(name), value, text }
    }
}

/// Parses the lines of a modprobe file. A line that ends in a backslash continues on the next one.
pub fn modprobe_lines(path: &str, text: &str) -> Vec<ModprobeLine> {
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
pub fn boot_lines(path: &str, text: &str) -> Vec<BootLine> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines.map(|name| BootLine { path: path.to_owned(), name: name.to_owned() }).collect()
}

/// The names of the modules that the running kernel can load.
fn available(root: &Root, release: &Probe<String>) -> Probe<Vec<String>> {
    module_list(root, release, "modules.dep")
}

/// The names of the modules that are built into the running kernel.
fn built_in(root: &Root, release: &Probe<String>) -> Vec<String> {
    module_list(root, release, "modules.builtin").present().unwrap_or_default()
}

/// Reads the module names in a list in the kernel's module folder, with lines like
/// `kernel/drivers/gpu/drm/i915/kvmgt.ko.xz: kernel/virt/lib/irqbypass.ko.xz …`.
fn module_list(root: &Root, release: &Probe<String>, file: &str) -> Probe<Vec<String>> {
    let Some(release) = release.as_found() else { return Probe::Absent };
    let mut texts = MODULES.iter().map(|folder| root.text(&format!("{folder}/{release}/{file}")));
    let text = texts.find(|text| *text != Probe::Absent).unwrap_or(Probe::Absent);
    let name = |line: &str| {
        Some(normalized(line.split(':').next()?.rsplit('/').next()?.split(".ko").next()?))
    };
    text.map(|text| text.lines().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        words(line).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn splits_words_as_the_kernel_does() {
        assert_eq!(texts("quiet  i915.enable_gvt=1\n"), ["quiet", "i915.enable_gvt=1"]);
        assert_eq!(texts("dyndbg=\"file a.c +p\" x -- init=1"), ["dyndbg=file a.c +p", "x"]);
        let word = &words("vfio-pci.ids=8086:5912")[0];
        assert_eq!(
            (word.name.as_str(), word.value.as_deref()),
            ("vfio_pci.ids", Some("8086:5912"))
        );
        assert_eq!(words("nomodeset")[0].value, None);
    }

    #[test]
    fn parses_bools_as_the_kernel_does() {
        for on in ["1", "Y", "y", "on", ""] {
            assert!(is_on(on), "{on}");
        }
        for off in ["0", "N", "off", "no", "2"] {
            assert!(!is_on(off), "{off}");
        }
    }

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
