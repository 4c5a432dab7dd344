//! What makes a host take notice of new files, in the order in which it is done.

use super::parameter::words;

/// A step; the order of the variants is that of the steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A device for virsh, by the name that libvirt gives it.
    DefineDevice(String),
    /// A vGPU that mdevctl knows by this uuid.
    StartDevice(String),
    /// A hook with this path, which NixOS keeps only if it is declared.
    CopyHook(String),
    /// NixOS' configuration.
    RebuildNixos,
    /// udev rules.
    ReloadUdev,
    /// Modules to load.
    LoadModules,
    /// libvirt looks for hooks when it starts and when it is told to (libvirt: src/util/virhook.c).
    ReloadLibvirt,
    /// libvirt reads qemu.conf when it starts.
    RestartLibvirt,
    /// Options of modules that are loaded before the root file system is there.
    RenewInitramfs,
    /// A line of /etc/default/grub that sources the drop-in.
    SourceGrubFile(String),
    /// GRUB's menu.
    RenewGrub,
    /// One start without these parameters, which kernel-install would copy from the running kernel.
    StartWithout(String),
    /// The entries that kernel-install writes.
    RenewEntries,
    /// The kernel parameters of rpm-ostree's images, whose initramfs reads nothing below /etc.
    AppendKernelArguments,
    /// The kernel reads its parameters once.
    Reboot,
    /// QEMU's window opens on the user's display.
    LetWindowIn,
}

const UPDATE_GRUB: &str = "update-grub (grub2-mkconfig -o /boot/grub2/grub.cfg on Fedora, grub-mkconfig -o /boot/grub/grub.cfg on others)";

const KERNEL_INSTALL_ALL: &str = "kernel-install add-all (an older one: kernel-install add VERSION IMAGE for each kernel)";

impl Step {
    /// What to do, as an order.
    pub fn text(&self) -> String {
        match self {
            Step::DefineDevice(name) => format!("virsh nodedev-define FILE; before the VM starts: virsh nodedev-start {name}"),
            Step::StartDevice(uuid) => format!("before the VM starts: mdevctl start --uuid {uuid}"),
            Step::ReloadUdev => "udevadm control --reload: vGPUs that are made from now on are for the group".into(),
            Step::LoadModules => "systemctl restart systemd-modules-load: the modules are loaded then, and at each boot".into(),
            Step::ReloadLibvirt => "systemctl reload libvirtd (or virtqemud): libvirt sees its first hook only then".into(),
            Step::RestartLibvirt => "systemctl restart libvirtd (or virtqemud): VMs that run go on".into(),
            Step::RenewInitramfs => {
                "update-initramfs -u (mkinitcpio -P on Arch, dracut --force on Fedora): i915 may be loaded from there".into()
            }
            Step::SourceGrubFile(line) => format!(
                "add the line `{line}` at the end of /etc/default/grub: only Debian's and Ubuntu's grub-mkconfig reads that file by itself"
            ),
            Step::RenewGrub => format!("{UPDATE_GRUB}: the menu gets the parameters"),
            Step::StartWithout(words) => format!("start once without {words}, which you take out in the boot menu"),
            Step::RenewEntries => format!("{KERNEL_INSTALL_ALL}: the entries get the parameters"),
            Step::AppendKernelArguments => format!(
                "rpm-ostree kargs{}: the image's initramfs reads no file below /etc",
                words().iter().map(|word| format!(" --append-if-missing={word}")).collect::<String>()
            ),
            Step::CopyHook(path) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                format!(
                    "cp {path} /etc/nixos/{name}, where virtualisation.libvirtd.hooks.qemu.{name} = ./{name}; finds it: NixOS removes a \
                     hook that its configuration does not declare"
                )
            }
            Step::RebuildNixos => "nixos-rebuild switch: NixOS writes what its configuration declares".into(),
            Step::Reboot => "reboot: the parameters count from then on".into(),
            Step::LetWindowIn => {
                "in your session, before the VM starts: xhost +si:localuser:libvirt-qemu (qemu on Fedora), and not `xhost +`, which lets everyone in"
                    .into()
            }
        }
    }

    /// The step after the file is removed, as an instruction; None if there is none.
    pub fn text_of_removal(&self) -> Option<String> {
        Some(match self {
            Step::ReloadUdev => "udevadm control --reload: vGPUs that are created from now on are for root".into(),
            Step::LoadModules => "reboot: the modules stay loaded until then".into(),
            Step::RenewInitramfs => {
                "update-initramfs -u (mkinitcpio -P on Arch, dracut --force on Fedora): it may have a copy of the parameters".into()
            }
            Step::AppendKernelArguments => format!(
                "rpm-ostree kargs{}: takes the parameters off the kernel's command line",
                words().iter().map(|word| format!(" --delete-if-present={word}")).collect::<String>()
            ),
            Step::SourceGrubFile(line) => format!(
                "remove the line `{line}` from /etc/default/grub before you run anything else: the file that it sources is gone, and \
                 grub-mkconfig fails there"
            ),
            Step::RenewGrub => format!("{UPDATE_GRUB}: its menu still has the parameters"),
            Step::StartWithout(words) => format!(
                "reboot once without {words} (in the boot menu, edit the entry): kernel-install now copies the running kernel's command \
                 line, which still has them. Only then:"
            ),
            Step::RenewEntries => format!("{KERNEL_INSTALL_ALL}: the boot entries still have the parameters"),
            Step::RebuildNixos => "nixos-rebuild switch: NixOS takes out what its configuration no longer declares".into(),
            Step::Reboot => "reboot: the parameters apply and the modules stay loaded until then".into(),
            Step::CopyHook(path) => {
                let copy = path.rsplit_once("/qemu.d/").map(|(_, name)| format!(" and /etc/nixos/{name}")).unwrap_or_default();
                format!("take ./gvtg.nix out of the imports in configuration.nix, and remove /etc/nixos/gvtg.nix{copy}")
            }
            _ => return None,
        })
    }

    /// Whether another step does what this one would.
    fn is_covered_by(&self, other: &Step) -> bool {
        match other {
            Step::Reboot => matches!(self, Step::ReloadUdev | Step::LoadModules | Step::ReloadLibvirt | Step::RestartLibvirt),
            Step::RestartLibvirt => *self == Step::ReloadLibvirt,
            _ => false,
        }
    }
}

/// The steps for several files: each once, in order, without those that another one covers.
pub fn merge(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let mut steps: Vec<Step> = steps.into_iter().collect();
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
    fn a_reboot_comes_last_and_spares_the_reloads() {
        let all = [Step::ReloadLibvirt, Step::Reboot, Step::LoadModules, Step::RenewGrub, Step::RenewInitramfs, Step::Reboot];
        assert_eq!(merge(all), [Step::RenewInitramfs, Step::RenewGrub, Step::Reboot]);
        assert_eq!(merge([Step::RestartLibvirt, Step::ReloadLibvirt, Step::LoadModules]), [Step::LoadModules, Step::RestartLibvirt]);
    }
}
