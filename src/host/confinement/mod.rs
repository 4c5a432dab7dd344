//! The restrictions of AppArmor and SELinux on a host: which programs libvirt's hooks may run, and
//! whether QEMU may open a window.

use super::{Probe, Root};

mod apparmor;
mod path_pattern;

pub use apparmor::Profile;

/// The folders in which a hook looks for programs: the PATH that the emitted filter sets.
const HOOK_PATH: &[&str] = &[
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/run/current-system/sw/bin",
];

/// The restrictions by AppArmor and SELinux, and the installed copies of gvtg-xml that hooks may need.
#[derive(Clone, Debug)]
pub struct Confinement {
    /// The enforced AppArmor profile of the daemon that runs hooks.
    pub profile: Option<Profile>,
    /// Whether SELinux enforces its policy.
    pub selinux_enforces: bool,
    /// SELinux's boolean `virt_use_xserver`; Absent if the policy does not define it.
    pub virt_use_xserver: Probe<bool>,
    /// The installed copies of gvtg-xml, in the order in which a hook looks for them; Absent if the
    /// root folder has no programs at all, as in a partial copy.
    pub installed_copies: Probe<Vec<InstalledCopy>>,
}

/// A copy of gvtg-xml that a hook can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledCopy {
    /// The path at which the hook finds it.
    pub path: String,
    /// The file after following all links, which is the path that AppArmor checks.
    pub file: String,
}

impl Confinement {
    /// Reads what confines libvirt and QEMU on a machine.
    pub fn read(root: &Root) -> Self {
        let is_executable = |path: &String| {
            root.mode(path)
                .present()
                .is_some_and(|mode| mode & 0o111 != 0 && mode & 0o170_000 == 0o100_000)
        };
        let installed_copy =
            |path: String| Some(InstalledCopy { file: root.real_path(&path)?, path });
        let paths = HOOK_PATH.iter().map(|folder| format!("{folder}/gvtg-xml"));
        let installed_copies: Vec<InstalledCopy> =
            paths.filter(is_executable).filter_map(installed_copy).collect();
        Confinement {
            profile: apparmor::enforced_profile(root),
            selinux_enforces: root.line("/sys/fs/selinux/enforce").present().as_deref()
                == Some("1"),
            // The file has the current value and the pending one, as in `1 1`.
            virt_use_xserver: root
                .line("/sys/fs/selinux/booleans/virt_use_xserver")
                .map(|line| line.starts_with('1')),
            installed_copies: if root.has("/usr/bin") || root.has("/bin") {
                Probe::Present(installed_copies)
            } else {
                Probe::Absent
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_the_path_of_the_emitted_filter() {
        let path = format!("export PATH={} ", HOOK_PATH.join(":"));
        assert!(include_str!("../../emit/filter.sh").contains(&path), "{path}");
    }
}
