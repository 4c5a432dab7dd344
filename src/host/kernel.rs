//! The kernel: its command line, the parameters and options of modules, which modules are loaded,
//! and which there are.

use super::boot::{NextStart, NextStarts, Renewal, next_start};
use super::{Probe, Root};
use crate::kernel_cmdline::{split, split_init};

/// Where modprobe's options are; the first folder's file of a name hides the others'.
const MODPROBE: &[&str] =
    &["/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];

/// Where systemd looks for modules to load at boot.
const MODULES_LOAD: &[&str] = &[
    "/etc/modules-load.d",
    "/run/modules-load.d",
    "/usr/lib/modules-load.d",
    "/lib/modules-load.d",
];

/// Where a kernel's modules are. NixOS keeps the running kernel's modules separate from the next
/// one's.
const MODULES: &[&str] = &[
    "/lib/modules",
    "/usr/lib/modules",
    "/run/booted-system/kernel-modules/lib/modules",
    "/run/current-system/kernel-modules/lib/modules",
];

/// What the kernel was told, and what it has.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The words of /proc/cmdline.
    pub line: Probe<Vec<Word>>,
    /// Lines of modprobe.d.
    pub options: Vec<ModprobeLine>,
    /// Names in /sys/module: what is loaded, and what is built in and has parameters.
    pub loaded: Probe<Vec<String>>,
    /// What is built in, from modules.builtin.
    pub built_in: Vec<String>,
    /// Lines of modules-load.d and /etc/modules.
    pub at_boot: Vec<BootLine>,
    /// Modules that this kernel can load, from modules.dep.
    pub available: Probe<Vec<String>>,
    /// Its release, like `6.1.0-50-amd64`.
    pub release: Probe<String>,
    /// The parameters that i915 and kvm have, like `i915.enable_gvt`.
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
    /// As it was written.
    pub text: String,
    /// What is before the first `=`, with `_` for `-` as the kernel compares.
    pub name: String,
    /// What is behind it.
    pub value: Option<String>,
}

/// A line of a file in modprobe.d.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModprobeLine {
    /// The file it is in.
    pub path: String,
    /// `options`, `blacklist`, `install` …
    pub command: String,
    /// The module that it is about, as it was written.
    pub module: String,
    /// The words behind.
    pub words: Vec<Word>,
}

/// A line of a file in modules-load.d: systemd takes all of it as a module's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootLine {
    /// The file it is in.
    pub path: String,
    /// The line.
    pub name: String,
}

/// A module's parameter, wherever it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Like `i915.enable_gvt`.
    pub name: &'static str,
    /// Where its value now is.
    pub path: String,
    /// The value now.
    pub now: Probe<String>,
    /// What the command line says; the last word counts.
    pub line: Option<String>,
    /// What modprobe.d says, and the file.
    pub option: Option<(String, String)>,
    /// The value that the command line of the next start gives it, and where.
    pub next: Option<Next>,
    /// The value in a drop-in that grub-mkconfig does not read, and where.
    pub unread: Option<Next>,
}

/// The value that a parameter gets at the next start.
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
    /// The running kernel's value: the one in force, else the one of its command line. Options of
    /// modprobe.d tell what the next start gives; whether they were there at this one nobody can
    /// tell.
    pub fn value(&self) -> Option<&str> {
        self.now.as_found().or(self.line.as_ref()).map(String::as_str)
    }

    /// Where it is said.
    pub fn read(&self) -> Vec<String> {
        let mut read = vec![self.path.clone(), "/proc/cmdline".to_owned()];
        read.extend(self.option.iter().map(|(_, path)| path.clone()));
        read.extend(self.next.iter().map(|next| next.path.clone()));
        read
    }

    /// The value that the next start gives, as far as files tell: the command line wins over
    /// options of modprobe.d.
    pub fn at_next_start(&self) -> Option<Next> {
        let of_option = |(value, path): &(String, String)| Next {
            value: value.clone(),
            path: path.clone(),
            renewal: Renewal::Initramfs,
        };
        let option = || self.option.as_ref().filter(|_| self.line.is_none()).map(of_option);
        self.next.clone().or_else(option)
    }

    /// The place that turns on a parameter, which is off now, at the next start. If the kernel was
    /// told and has it off all the same, the next start changes nothing; and where the value in
    /// force can't be read, options of modprobe.d may be in force already.
    pub fn pending(&self) -> Option<Next> {
        if self.is_on() == Some(true) || self.line.as_deref().is_some_and(is_on) {
            return None;
        }
        let is_new =
            |next: &Next| self.now.as_found().is_some() || next.renewal != Renewal::Initramfs;
        self.at_next_start().filter(|next| is_on(&next.value) && is_new(next))
    }

    /// The value as the kernel reads a bool: a name without a value is true.
    pub fn is_on(&self) -> Option<bool> {
        self.value().map(is_on)
    }
}

/// A value as the kernel reads a bool (`kstrtobool`).
pub fn is_on(value: &str) -> bool {
    matches!(value.as_bytes(), [] | [b'y' | b'Y' | b't' | b'T' | b'1', ..])
        || value.eq_ignore_ascii_case("on")
}

impl Kernel {
    /// Reads what a machine's kernel was told.
    pub fn read(root: &Root) -> Self {
        let line = root.text("/proc/cmdline").map(|text| words(&text));
        let options: Vec<ModprobeLine> = configuration(root, MODPROBE)
            .into_iter()
            .flat_map(|(path, text)| modprobe_lines(&path, &text))
            .collect();
        let mut files = configuration(root, MODULES_LOAD);
        // Debian's own; a link of modules-load.d may lead there too.
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

    /// Whether a module is loaded or built in; None where nobody can tell.
    pub fn is_loaded(&self, module: &str) -> Option<bool> {
        let is_listed = |names: &[String]| names.iter().any(|name| name == module);
        self.loaded.as_found().map(|names| is_listed(names) || is_listed(&self.built_in))
    }

    /// Whether this kernel has a module; None where its list can't be read.
    pub fn has_module(&self, module: &str) -> Option<bool> {
        self.available
            .as_found()
            .map(|names| names.iter().chain(&self.built_in).any(|name| name == module))
    }

    /// The words of the command line.
    pub fn words(&self) -> &[Word] {
        self.line.as_found().map_or(&[], Vec::as_slice)
    }

    /// The lines of modprobe.d that say this of a module.
    pub fn lines<'k>(
        &'k self,
        command: &'k str,
        module: &'k str,
    ) -> impl Iterator<Item = &'k ModprobeLine> {
        self.options
            .iter()
            .filter(move |line| line.command == command && same(&line.module) == module)
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
    let options =
        options.iter().filter(|line| line.command == "options" && same(&line.module) == module);
    let mut option = options
        .flat_map(|line| line.words.iter().map(|word| (word, &line.path)))
        .filter(|(word, _)| word.name == parameter);
    let said = |(file, word): (&NextStart, &Word)| Next {
        value: value(word),
        path: file.path.clone(),
        renewal: file.renewal,
    };
    let mut of_files: Vec<Next> = next.words(name).map(said).collect();
    // What a boot loader reads is made anew of the files after it.
    let chosen = of_files
        .iter()
        .position(|next| is_on(&next.value))
        .or_else(|| of_files.len().checked_sub(1));
    Parameter {
        name,
        now: root.line(&path),
        next: chosen.map(|at| of_files.swap_remove(at)),
        unread: next.unread(name).map(said),
        path,
        line: words.iter().rfind(|word| word.name == name).map(value),
        option: option.next_back().map(|(word, path)| (value(word), path.clone())),
    }
}

/// The files `*.conf` of some folders, in the order in which they are read: by name, and of one
/// name only the first.
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

/// Module names as the kernel compares them.
fn same(name: &str) -> String {
    name.replace('-', "_")
}

/// The words of a command line that are the kernel's.
pub fn words(text: &str) -> Vec<Word> {
    split(split_init(text).0).into_iter().map(|word| Word::new(word.replace('"', ""))).collect()
}

impl Word {
    fn new(text: String) -> Self {
        let (name, value) = text
            .split_once('=')
            .map_or((text.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
        Word { name: same(name), value, text }
    }
}

/// The lines of a modprobe file; one that ends in a backslash goes on in the next.
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

/// The lines of a modules-load file that systemd takes as names.
pub fn boot_lines(path: &str, text: &str) -> Vec<BootLine> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines.map(|name| BootLine { path: path.to_owned(), name: name.to_owned() }).collect()
}

/// The modules that the running kernel can load, by name.
fn available(root: &Root, release: &Probe<String>) -> Probe<Vec<String>> {
    list(root, release, "modules.dep")
}

/// The modules that are a part of it.
fn built_in(root: &Root, release: &Probe<String>) -> Vec<String> {
    list(root, release, "modules.builtin").present().unwrap_or_default()
}

/// The modules in a list that lies beside them: `kernel/drivers/gpu/drm/i915/kvmgt.ko.xz:
/// kernel/virt/lib/irqbypass.ko.xz …`
fn list(root: &Root, release: &Probe<String>, file: &str) -> Probe<Vec<String>> {
    let Some(release) = release.as_found() else { return Probe::Absent };
    let mut texts = MODULES.iter().map(|folder| root.text(&format!("{folder}/{release}/{file}")));
    let text = texts.find(|text| *text != Probe::Absent).unwrap_or(Probe::Absent);
    let name =
        |line: &str| Some(same(line.split(':').next()?.rsplit('/').next()?.split(".ko").next()?));
    text.map(|text| text.lines().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        words(line).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_those_of_the_kernel() {
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
    fn bools_are_read_as_the_kernel_does() {
        for on in ["1", "Y", "y", "on", ""] {
            assert!(is_on(on), "{on}");
        }
        for off in ["0", "N", "off", "no", "2"] {
            assert!(!is_on(off), "{off}");
        }
    }

    #[test]
    fn modprobe_lines_have_a_module_and_words() {
        let lines = modprobe_lines(
            "/etc/modprobe.d/a.conf",
            "# options i915 x=1\noptions i915 enable_gvt=1 \\\n  enable_guc=0\nblacklist nouveau\n",
        );
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].module.as_str(), lines[0].words.len()), ("i915", 2));
        assert_eq!((lines[1].command.as_str(), lines[1].module.as_str()), ("blacklist", "nouveau"));
    }

    #[test]
    fn a_comment_behind_a_module_belongs_to_its_name() {
        let names: Vec<String> = boot_lines("a", "# x\n; y\n\n kvmgt # for vGPUs\nvfio_pci\n")
            .into_iter()
            .map(|line| line.name)
            .collect();
        assert_eq!(names, ["kvmgt # for vGPUs", "vfio_pci"]);
    }
}
