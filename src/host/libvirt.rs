//! libvirt and QEMU on a machine: their versions, the hooks, and what QEMU may open.

use super::installed;
use super::owners::{Exposure, exposed};
use super::system::System;
use super::{Probe, Root};
use crate::version::Version;

/// What is installed, and how it is set up.
#[derive(Clone, Debug)]
pub struct Libvirt {
    /// Whether libvirt is installed.
    pub is_installed: bool,
    /// libvirt's release; None where no file name tells it.
    pub version: Option<Version>,
    /// QEMU's version, and the file that says so.
    pub qemu: Option<(String, String)>,
    /// The hooks for QEMU's domains, in the order in which libvirt runs them.
    pub hooks: Vec<HookFile>,
    /// Scripts below `qemu.d/NAME/`, each with the domain's name, where the hook `qemu` runs them
    /// (as PassthroughPOST's does).
    pub scripts: Vec<(String, HookFile)>,
    /// Hook folders that can't be looked at, and why.
    pub unreadable: Vec<(String, String)>,
    /// The hooks, their folders and parent folders that users other than root can change.
    pub exposed: Vec<Exposure>,
    /// The devices in `cgroup_device_acl` of qemu.conf; `Present(None)` where it is libvirt's
    /// default.
    pub device_acl: Probe<Option<Vec<String>>>,
    /// The security drivers that qemu.conf names; None where libvirt picks those that the kernel
    /// has.
    pub security_drivers: Option<Vec<String>>,
    /// Whether VMs are confined that ask for nothing else: `security_default_confined` of
    /// qemu.conf.
    pub confines_by_default: bool,
    /// Definitions of mdevctl for vGPUs: uuids.
    pub mdevctl: Vec<String>,
}

/// A file that libvirt runs, or would.
#[derive(Clone, Debug)]
pub struct HookFile {
    /// Where it is.
    pub path: String,
    /// Whether anyone may execute it: libvirt passes over others.
    pub is_executable: bool,
    /// What is in it.
    pub text: Probe<String>,
    /// The program that its `#!` leads to, like `dash`: `Some(None)` where that is not there, None
    /// where no program is.
    pub interpreter: Option<Option<String>>,
}

impl Libvirt {
    /// Reads how libvirt is set up on a machine.
    pub fn read(root: &Root) -> Self {
        let system = System::of(root);
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
            exposed(root, paths.iter().chain([&folder]).map(String::as_str).chain([hooks]));
        let found: Vec<HookFile> =
            paths.iter().filter_map(|path| hook(root, path.clone())).collect();
        let runs_scripts = found.first().is_some_and(|hook| {
            let text = hook.text.as_found().filter(|_| hook.path == paths[0] && hook.is_executable);
            text.is_some_and(|text| text.contains("qemu.d"))
        });
        Libvirt {
            is_installed: installed::has_libvirt(root),
            version: installed::libvirt(root),
            qemu: qemu(root).or_else(|| installed::qemu_of_nixos(root)),
            scripts: if runs_scripts { scripts(root, &folder) } else { Vec::new() },
            hooks: found,
            unreadable,
            exposed,
            security_drivers: qemu_conf.as_found().and_then(|text| listed(text, "security_driver")),
            confines_by_default: !qemu_conf
                .as_found()
                .is_some_and(|text| is_zero(text, "security_default_confined")),
            device_acl: qemu_conf.map(|text| listed(&text, "cgroup_device_acl")),
            mdevctl: mdevctl(root),
        }
    }
}

/// A hook; None for what is no file: libvirt passes over it.
fn hook(root: &Root, path: String) -> Option<HookFile> {
    let mode = match root.mode(&path) {
        Probe::Absent => return None,
        mode => mode.present(),
    };
    if mode.is_some_and(|mode| mode & 0o170_000 != 0o100_000) {
        return None;
    }
    let text = root.text(&path);
    let interpreter = text.as_found().and_then(|text| interpreter(root, text));
    Some(HookFile {
        is_executable: mode.is_some_and(|mode| mode & 0o111 != 0),
        text,
        interpreter,
        path,
    })
}

/// The scripts at `qemu.d/NAME/prepare/begin/` and the like, with their domains.
fn scripts(root: &Root, folder: &str) -> Vec<(String, HookFile)> {
    let names = |folder: &str| root.names(folder).present().unwrap_or_default();
    let mut found = Vec::new();
    for domain in names(folder) {
        for stage in ["prepare/begin", "start/begin"] {
            let folder = format!("{folder}/{domain}/{stage}");
            let hooks = names(&folder)
                .into_iter()
                .filter_map(|name| hook(root, format!("{folder}/{name}")));
            found.extend(hooks.map(|hook| (domain.clone(), hook)));
        }
    }
    found
}

fn interpreter(root: &Root, text: &str) -> Option<Option<String>> {
    let has_programs = root.has("/bin") || root.has("/usr/bin");
    super::hook::interpreter(text).filter(|_| has_programs).map(|named| root.real_name(named))
}

/// The strings that a key of qemu.conf is set to, in a list or alone; None where it is not set.
fn listed(text: &str, key: &str) -> Option<Vec<String>> {
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
    // Every second piece is in quotes.
    Some(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Whether a key of qemu.conf is set to 0; of two lines the last counts.
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

/// QEMU's version from the files of dpkg or pacman; other databases are no text.
fn qemu(root: &Root) -> Option<(String, String)> {
    const DPKG: &str = "/var/lib/dpkg/status";
    /// Each package that is installed has a kilobyte or two.
    const LARGEST_STATUS: u64 = 64 << 20;
    const PACMAN: &str = "/var/lib/pacman/local";
    let of_dpkg = root.text_up_to(DPKG, LARGEST_STATUS).present().and_then(|text| {
        let package = text
            .split("\n\n")
            .find(|package| package.lines().any(|line| line == "Package: qemu-system-x86"))?;
        package.lines().any(|line| line == "Status: install ok installed").then_some(())?;
        package.lines().find_map(|line| line.strip_prefix("Version: ")).map(upstream)
    });
    if let Some(version) = of_dpkg {
        return Some((version, DPKG.to_owned()));
    }
    let names = root.names(PACMAN).present()?;
    let version = names.iter().find_map(|name| {
        name.strip_prefix("qemu-system-x86-")
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })?;
    Some((upstream(version), PACMAN.to_owned()))
}

/// `1:7.2+dfsg-7+deb12u3` is 7.2.
fn upstream(version: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()
}

/// The vGPUs that mdevctl makes: /etc/mdevctl.d/PARENT/UUID.
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
    fn the_device_list_of_qemu_conf_is_read() {
        let text = "#cgroup_device_acl = [ \"/dev/old\" ]\ncgroup_device_acl = [\n  \"/dev/null\", \"/dev/full\", # two\n  \"/dev/dri/renderD128\"\n]\n";
        assert_eq!(
            listed(text, "cgroup_device_acl"),
            Some(vec!["/dev/null".into(), "/dev/full".into(), "/dev/dri/renderD128".into()])
        );
        assert_eq!(listed("#cgroup_device_acl = [ \"/dev/old\" ]\n", "cgroup_device_acl"), None);
        assert_eq!(
            listed("cgroup_device_acl = [ \"/dev/null\"", "cgroup_device_acl"),
            Some(vec!["/dev/null".into()])
        );
    }

    #[test]
    fn a_security_driver_is_read_alone_and_in_a_list() {
        assert_eq!(
            listed("security_driver = \"none\"\nuser = \"root\"\n", "security_driver"),
            Some(vec!["none".into()])
        );
        assert_eq!(
            listed("security_driver = [ \"selinux\", \"apparmor\" ]", "security_driver")
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn packages_have_an_upstream_version() {
        assert_eq!(upstream("1:7.2+dfsg-7+deb12u3"), "7.2");
        assert_eq!(upstream("9.1.2-1"), "9.1.2");
    }
}
