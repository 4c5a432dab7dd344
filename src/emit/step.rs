//! The steps that make new files take effect, in the order in which they are done.

use super::parameter::words;

/// A step. The variants are in the order in which steps are done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FollowUp {
    /// Define and start a node device with this name in virsh.
    DefineDevice(String),
    /// Start the vGPU with this UUID in mdevctl.
    StartDevice(String),
    /// Copy the hook with this path into the NixOS configuration, because NixOS removes undeclared
    /// hooks.
    CopyHook(String),
    /// Rebuild NixOS.
    RebuildNixos,
    /// Reload the udev rules.
    ReloadUdev,
    /// Load the modules.
    LoadModules,
    /// Reload libvirt, which looks for hooks only when it starts or reloads (libvirt:
    /// src/util/virhook.c).
    ReloadLibvirt,
    /// Restart libvirt, which reads qemu.conf only when it starts.
    RestartLibvirt,
    /// Regenerate the initramfs, for options of modules that it loads.
    RegenerateInitramfs,
    /// Add this line, which sources the drop-in, to /etc/default/grub.
    SourceGrubFile(String),
    /// Regenerate GRUB's menu.
    RegenerateGrub,
    /// Boot once without these parameters, which kernel-install would copy from the running kernel.
    BootWithout(String),
    /// Regenerate the boot entries of kernel-install.
    RegenerateEntries,
    /// Add the kernel parameters with rpm-ostree, whose initramfs does not read files in /etc.
    AppendKernelArguments,
    /// Reboot, because the kernel reads its parameters only at boot.
    Reboot,
    /// Let QEMU open its window on the user's display.
    LetWindowIn,
}

const UPDATE_GRUB: &str = "run `sudo update-grub` (on Fedora `sudo grub2-mkconfig -o /boot/grub2/grub.cfg`, elsewhere `sudo grub-mkconfig -o /boot/grub/grub.cfg`)";

const KERNEL_INSTALL_ALL: &str = "run `sudo kernel-install add-all` (older versions need `sudo kernel-install add VERSION IMAGE` for each kernel)";

impl FollowUp {
    /// The step as an instruction.
    pub fn text(&self) -> String {
        match self {
            FollowUp::DefineDevice(name) => format!("run `virsh nodedev-define FILE`; before the VM starts, run `virsh nodedev-start {name}`"),
            FollowUp::StartDevice(uuid) => format!("before the VM starts, run `sudo mdevctl start --uuid {uuid}`"),
            FollowUp::ReloadUdev => "run `sudo udevadm control --reload`: vGPUs created from now on are accessible to the group".into(),
            FollowUp::LoadModules => "run `sudo systemctl restart systemd-modules-load`: this loads the modules now; at boot they are loaded automatically".into(),
            FollowUp::ReloadLibvirt => "run `sudo systemctl reload libvirtd` (or virtqemud): libvirt only notices its first hook after a reload".into(),
            FollowUp::RestartLibvirt => "run `sudo systemctl restart libvirtd` (or virtqemud): running VMs are not affected".into(),
            FollowUp::RegenerateInitramfs => {
                "run `sudo update-initramfs -u` (on Arch `sudo mkinitcpio -P`, on Fedora `sudo dracut --force`): the initramfs may load i915".into()
            }
            FollowUp::SourceGrubFile(line) => format!(
                "add the line `{line}` at the end of /etc/default/grub: only on Debian and Ubuntu does grub-mkconfig read that file by itself"
            ),
            FollowUp::RegenerateGrub => format!("{UPDATE_GRUB}: this adds the parameters to the boot menu"),
            FollowUp::BootWithout(words) => format!("boot once without {words} (edit the entry in the boot menu)"),
            FollowUp::RegenerateEntries => format!("{KERNEL_INSTALL_ALL}: this adds the parameters to the boot entries"),
            FollowUp::AppendKernelArguments => format!(
                "run `sudo rpm-ostree kargs{}`: the image's initramfs does not read files in /etc",
                words().iter().map(|word| format!(" --append-if-missing={word}")).collect::<String>()
            ),
            FollowUp::CopyHook(path) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                format!(
                    "run `sudo cp {path} /etc/nixos/{name}`, where `virtualisation.libvirtd.hooks.qemu.{name} = ./{name};` finds it: NixOS \
                     removes hooks that its configuration does not declare"
                )
            }
            FollowUp::RebuildNixos => "run `sudo nixos-rebuild switch`: this applies the configuration".into(),
            FollowUp::Reboot => "reboot: the parameters take effect at boot".into(),
            FollowUp::LetWindowIn => {
                "in your session, before the VM starts, run `xhost +si:localuser:libvirt-qemu` (on Fedora `xhost +si:localuser:qemu`); a bare `xhost +` would let everyone in"
                    .into()
            }
        }
    }

    /// The step to take after the file is removed, as an instruction; `None` if there is none.
    pub fn text_of_removal(&self) -> Option<String> {
        Some(match self {
            FollowUp::ReloadUdev => "run `sudo udevadm control --reload`: vGPUs created from now on are only accessible to root".into(),
            FollowUp::LoadModules => "reboot: the modules stay loaded until then".into(),
            FollowUp::RegenerateInitramfs => {
                "run `sudo update-initramfs -u` (on Arch `sudo mkinitcpio -P`, on Fedora `sudo dracut --force`): the initramfs may have a copy of the \
                 parameters"
                    .into()
            }
            FollowUp::AppendKernelArguments => format!(
                "run `sudo rpm-ostree kargs{}`: this removes the parameters from the kernel command line",
                words().iter().map(|word| format!(" --delete-if-present={word}")).collect::<String>()
            ),
            FollowUp::SourceGrubFile(line) => format!(
                "remove the line `{line}` from /etc/default/grub before you do anything else: the file that it sources is gone, so grub-mkconfig \
                 fails"
            ),
            FollowUp::RegenerateGrub => format!("{UPDATE_GRUB}: the boot menu still has the parameters"),
            FollowUp::BootWithout(words) => format!(
                "reboot once without {words} (edit the entry in the boot menu): kernel-install now copies the running kernel's command line, \
                 which still has them. so do this before the next step"
            ),
            FollowUp::RegenerateEntries => format!("{KERNEL_INSTALL_ALL}: the boot entries still have the parameters"),
            FollowUp::RebuildNixos => "run `sudo nixos-rebuild switch`: this removes what the configuration no longer declares".into(),
            FollowUp::Reboot => "reboot: until then, the parameters stay in effect and the modules stay loaded".into(),
            FollowUp::CopyHook(path) => {
                let copy = path.rsplit_once("/qemu.d/").map(|(_, name)| format!(" and /etc/nixos/{name}")).unwrap_or_default();
                format!("remove ./gvtg.nix from the imports in configuration.nix, and delete /etc/nixos/gvtg.nix{copy}")
            }
            _ => return None,
        })
    }

    /// Whether another step includes the effect of this one.
    fn is_covered_by(&self, other: &FollowUp) -> bool {
        match other {
            FollowUp::Reboot => {
                matches!(
                    self,
                    FollowUp::ReloadUdev
                        | FollowUp::LoadModules
                        | FollowUp::ReloadLibvirt
                        | FollowUp::RestartLibvirt
                )
            }
            FollowUp::RestartLibvirt => *self == FollowUp::ReloadLibvirt,
            _ => false,
        }
    }
}

/// Merges the steps for several files: each once, in order, without those that another step covers.
pub fn merge(steps: impl IntoIterator<Item = FollowUp>) -> Vec<FollowUp> {
    let mut steps: Vec<FollowUp> = steps.into_iter().collect();
    steps.sort();
    steps.dedup();
    let all = steps.clone();
    steps.retain(|step| !all.iter().any(|other| step.is_covered_by(other)));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_reloads_before_a_reboot() {
        let all = [
            FollowUp::ReloadLibvirt,
            FollowUp::Reboot,
            FollowUp::LoadModules,
            FollowUp::RegenerateGrub,
            FollowUp::RegenerateInitramfs,
            FollowUp::Reboot,
        ];
        assert_eq!(
            merge(all),
            [FollowUp::RegenerateInitramfs, FollowUp::RegenerateGrub, FollowUp::Reboot]
        );
        assert_eq!(
            merge([FollowUp::RestartLibvirt, FollowUp::ReloadLibvirt, FollowUp::LoadModules]),
            [FollowUp::LoadModules, FollowUp::RestartLibvirt]
        );
    }
}
