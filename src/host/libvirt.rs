//! The installed libvirt and QEMU: their versions, the hooks, and the devices that QEMU may open.

use super::installed;
use super::owners::{Exposure, find_exposures};
use super::system::System;
use super::{Probe, Root};
use crate::version::Version;

/// The installed libvirt and QEMU, and their configuration.
#[derive(Clone, Debug)]
pub struct Libvirt {
    /// Whether libvirt is installed.
    pub is_installed: bool,
    /// libvirt's version; `None` if no file name contains it.
    pub version: Option<Version>,
    /// QEMU's version, and the file that it is read from.
    pub qemu: Option<(String, String)>,
    /// The hooks for QEMU's domains, in the order in which libvirt runs them.
    pub hooks: Vec<HookFile>,
    /// Scripts in `qemu.d/NAME/`, each with the name of its domain, if the hook `qemu` runs them
    /// (as PassthroughPOST's does).
    pub scripts: Vec<(String, HookFile)>,
    /// Hook folders that cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// The hooks, their folders and the parent folders that users other than root can change.
    pub exposed: Vec<Exposure>,
    /// The devices in `cgroup_device_acl` of qemu.conf; `Present(None)` if it is not set and
    /// libvirt's default applies.
    pub device_acl: Probe<Option<Vec<String>>>,
    /// The security drivers set in qemu.conf; `None` if libvirt chooses among those that the kernel
    /// has.
    pub security_drivers: Option<Vec<String>>,
    /// Whether VMs are confined unless their XML says otherwise: `security_default_confined` of
    /// qemu.conf.
    pub confines_by_default: bool,
    /// The UUIDs of the vGPUs that mdevctl defines.
    pub mdevctl: Vec<String>,
}

/// A file that libvirt runs as a hook, or would run if it were executable.
#[derive(Clone, Debug)]
pub struct HookFile {
    /// Its path.
    pub path: String,
    /// Whether any execute bit is set; libvirt skips files without one.
    pub is_executable: bool,
    /// Its text.
    pub text: Probe<String>,
    /// The file name of the `#!` interpreter after following links, like `dash`. `Some(None)` if
    /// the interpreter does not exist; `None` without a `#!` line, or if the root folder has no
    /// programs, as in a partial copy.
    pub interpreter: Option<Option<String>>,
}

impl Libvirt {
    /// Reads the versions and configuration of libvirt and QEMU.
    pub fn read(root: &Root) -> Self {
        let system = System::read(root);
        let (hooks, qemu_conf) = (system.hooks(), root.text(system.qemu_conf()));
        let mut unreadable = Vec::new();
        let mut paths = vec![format!("{hooks}/qemu")];
        let folder = format!("{hooks}/qemu.d");
        match root.names(&folder) {
            Probe::Present(names) => {
                paths.extend(names.iter().map(|name| format!("{folder}/{name}")))
            }
            Probe::Unreadable(why) => unreadable.push((folder.clone(), why)),
            Probe::Absent => {}
        }
        let exposed =
            find_exposures(root, paths.iter().chain([&folder]).map(String::as_str).chain([hooks]));
        let hook_files: Vec<HookFile> =
            paths.iter().filter_map(|path| hook(root, path.clone())).collect();
        let runs_scripts = hook_files.first().is_some_and(|hook| {
            let text =
                hook.text.as_present().filter(|_| hook.path == paths[0] && hook.is_executable);
            text.is_some_and(|text| text.contains("qemu.d"))
        });
        Libvirt {
            is_installed: installed::has_libvirt(root),
            version: installed::libvirt(root),
            qemu: qemu(root).or_else(|| installed::qemu_of_nixos(root)),
            scripts: if runs_scripts { scripts(root, &folder) } else { Vec::new() },
            hooks: hook_files,
            unreadable,
            exposed,
            security_drivers: qemu_conf
                .as_present()
                .and_then(|text| setting_strings(text, "security_driver")),
            confines_by_default: !qemu_conf
                .as_present()
                .is_some_and(|text| is_zero(text, "security_default_confined")),
            device_acl: qemu_conf.map(|text| setting_strings(&text, "cgroup_device_acl")),
            mdevctl: mdevctl(root),
        }
    }
}

/// Reads a hook; `None` if it is not a regular file, which libvirt skips.
fn hook(root: &Root, path: String) -> Option<HookFile> {
    let mode = match root.mode(&path) {
        Probe::Absent => return None,
        mode => mode.present(),
    };
    if mode.is_some_and(|mode| mode & 0o170_000 != 0o100_000) {
        return None;
    }
    let text = root.text(&path);
    let interpreter = text.as_present().and_then(|text| interpreter(root, text));
    Some(HookFile {
        is_executable: mode.is_some_and(|mode| mode & 0o111 != 0),
        text,
        interpreter,
        path,
    })
}

/// Reads the scripts in `qemu.d/NAME/prepare/begin/` and `start/begin/`, each with the domain's
/// name.
fn scripts(root: &Root, folder: &str) -> Vec<(String, HookFile)> {
    let names = |folder: &str| root.names(folder).present().unwrap_or_default();
    let mut scripts = Vec::new();
    for domain in names(folder) {
        for stage in ["prepare/begin", "start/begin"] {
            let folder = format!("{folder}/{domain}/{stage}");
            let hooks = names(&folder)
                .into_iter()
                .filter_map(|name| hook(root, format!("{folder}/{name}")));
            scripts.extend(hooks.map(|hook| (domain.clone(), hook)));
        }
    }
    scripts
}

fn interpreter(root: &Root, text: &str) -> Option<Option<String>> {
    let has_programs = root.has("/bin") || root.has("/usr/bin");
    super::hook::interpreter(text).filter(|_| has_programs).map(|path| root.real_name(path))
}

/// The strings that a key of qemu.conf is set to, as a list or as a single string; `None` if it is
/// not set.
fn setting_strings(text: &str, key: &str) -> Option<Vec<String>> {
    let text: String = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n");
    let (_, rest) = text.split_once(key)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let list = match value.strip_prefix('[') {
        Some(list) => list.split(']').next().unwrap_or(""),
        None => value.lines().next().unwrap_or(""),
    };
    // Splitting at quotes makes every second piece a quoted string.
    Some(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Whether a key of qemu.conf is set to 0; the last line that sets it takes effect.
fn is_zero(text: &str, key: &str) -> bool {
    let value = |line: &'_ str| {
        line.split('#')
            .next()?
            .trim()
            .strip_prefix(key)?
            .trim_start()
            .strip_prefix('=')
            .map(|value| value.trim() == "0")
    };
    text.lines().filter_map(value).next_back() == Some(true)
}

/// Reads QEMU's version from the database of dpkg or pacman. Other package databases are not text
/// files.
fn qemu(root: &Root) -> Option<(String, String)> {
    const DPKG: &str = "/var/lib/dpkg/status";
    /// The maximum size read, in bytes; each installed package takes one or two KiB.
    const MAX_STATUS_SIZE: u64 = 64 << 20;
    const PACMAN: &str = "/var/lib/pacman/local";
    let dpkg_version = root.text_up_to(DPKG, MAX_STATUS_SIZE).present().and_then(|text| {
        let package = text
            .split("\n\n")
            .find(|package| package.lines().any(|line| line == "Package: qemu-system-x86"))?;
        if !package.lines().any(|line| line == "Status: install ok installed") {
            return None;
        }
        package.lines().find_map(|line| line.strip_prefix("Version: ")).map(upstream_version)
    });
    if let Some(version) = dpkg_version {
        return Some((version, DPKG.to_owned()));
    }
    let names = root.names(PACMAN).present()?;
    let version = names.iter().find_map(|name| {
        name.strip_prefix("qemu-system-x86-")
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })?;
    Some((upstream_version(version), PACMAN.to_owned()))
}

/// Removes the epoch and revision of a package version: `1:7.2+dfsg-7+deb12u3` becomes `7.2`.
fn upstream_version(version: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()
}

/// Lists the UUIDs of the vGPUs that mdevctl defines, in /etc/mdevctl.d/PARENT/UUID.
fn mdevctl(root: &Root) -> Vec<String> {
    const FOLDER: &str = "/etc/mdevctl.d";
    let parents = root.names(FOLDER).present().unwrap_or_default();
    let uuids = parents
        .iter()
        .flat_map(|parent| root.names(&format!("{FOLDER}/{parent}")).present().unwrap_or_default());
    uuids.filter(|name| uuid::Uuid::parse_str(name).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_device_list_of_qemu_conf() {
        let text = "#cgroup_device_acl = [ \"/dev/old\" ]\ncgroup_device_acl = [\n  \"/dev/null\", \"/dev/full\", # two\n  \"/dev/dri/renderD128\"\n]\n";
        assert_eq!(
            setting_strings(text, "cgroup_device_acl"),
            Some(vec!["/dev/null".into(), "/dev/full".into(), "/dev/dri/renderD128".into()])
        );
        assert_eq!(
            setting_strings("#cgroup_device_acl = [ \"/dev/old\" ]\n", "cgroup_device_acl"),
            None
        );
        assert_eq!(
            setting_strings("cgroup_device_acl = [ \"/dev/null\"", "cgroup_device_acl"),
            Some(vec!["/dev/null".into()])
        );
    }

    #[test]
    fn reads_a_single_security_driver_and_a_list() {
        assert_eq!(
            setting_strings("security_driver = \"none\"\nuser = \"root\"\n", "security_driver"),
            Some(vec!["none".into()])
        );
        assert_eq!(
            setting_strings("security_driver = [ \"selinux\", \"apparmor\" ]", "security_driver")
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn extracts_the_upstream_version() {
        assert_eq!(upstream_version("1:7.2+dfsg-7+deb12u3"), "7.2");
        assert_eq!(upstream_version("9.1.2-1"), "9.1.2");
    }
}
