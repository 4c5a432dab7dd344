//! A NixOS module, whose options take the place of the files on other systems. Only the hook
//! remains a file.
//!
//! Sources: nixpkgs' nixos/modules/virtualisation/libvirtd.nix (it has `hooks` since 23.11, and its
//! service empties the hook folder before it links the declared hooks) and kvmgt.nix.

use std::fmt::Write as _;

use super::modules::MODULES;
use super::parameter::{PARAMETERS, words};
use super::{Destination, File, FollowUp, origin_comment, shell, udev};

/// The hook folder of libvirt on NixOS, which is built with /var/lib in place of /etc.
const HOOKS: &str = "/var/lib/libvirt/hooks";

/// The hook folder on other systems.
const USUAL_HOOKS: &str = "/etc/libvirt/hooks";

const KVMGT: &str = "NixOS has its own option, virtualisation.kvmgt.enable, which also sets i915.enable_gvt=1 and loads kvmgt. It can be on as well, but do not\n\
    set its vgpus: NixOS creates them at boot and keeps them, and a host that is suspended while a vGPU exists may hang.";

/// A part of the NixOS configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The kernel parameters, on the kernel command line.
    Parameters,
    /// The kernel parameters, as module options.
    ModuleOptions,
    /// The modules to load at boot.
    Modules,
    /// The udev rule about who may open vGPUs.
    Udev,
    /// The hook, as a file with this path.
    Hook(String),
    /// The lines for qemu.conf about the devices that QEMU may open.
    QemuConf(String),
}

/// Creates a NixOS module with these parts.
pub fn file(parts: &[Part], command: &str) -> File {
    let mut text = shell::comment("A NixOS module with the settings for a GVT-g host.")
        + &origin_comment(command);
    if parts.contains(&Part::Parameters) && parts.contains(&Part::Modules) {
        text += &shell::comment(KVMGT);
    }
    text.push_str("{\n");
    for part in parts {
        part.write(&mut text);
    }
    text.push_str("}\n");
    let follow_ups =
        [FollowUp::RebuildNixos].into_iter().chain(parts.iter().filter_map(Part::step)).collect();
    let place = Destination::Elsewhere(match parts {
        [_] => "add the lines between the braces to /etc/nixos/configuration.nix",
        _ => {
            "save it as /etc/nixos/gvtg.nix, and add ./gvtg.nix to the imports in configuration.nix"
        }
    });
    File { place, mode: 0o644, text, follow_ups }
}

impl Part {
    /// The step that makes the part take effect after NixOS is rebuilt.
    fn step(&self) -> Option<FollowUp> {
        match self {
            Part::Parameters | Part::ModuleOptions | Part::Modules => Some(FollowUp::Reboot),
            Part::QemuConf(_) => Some(FollowUp::RestartLibvirt),
            Part::Udev | Part::Hook(_) => None,
        }
    }

    fn write(&self, text: &mut String) {
        let list = |words: &mut dyn Iterator<Item = String>| {
            words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
        };
        let _ = match self {
            Part::Parameters => {
                for parameter in PARAMETERS {
                    text.push_str(&indented(&shell::comment(&format!(
                        "{}: {}",
                        parameter.word(),
                        parameter.why
                    ))));
                }
                writeln!(text, "  boot.kernelParams = [ {} ];", list(&mut words().into_iter()))
            }
            Part::ModuleOptions => {
                let options = |module: &str, name: &str, value: &str| {
                    format!("    options {module} {name}={value}\n")
                };
                let lines: String = PARAMETERS
                    .iter()
                    .map(|parameter| options(parameter.module, parameter.name, parameter.value))
                    .collect();
                writeln!(text, "  boot.extraModprobeConfig = ''\n{lines}  '';")
            }
            Part::Modules => {
                writeln!(
                    text,
                    "  boot.kernelModules = [ {} ];",
                    list(&mut MODULES.iter().map(|(module, _)| (*module).to_owned()))
                )
            }
            Part::Udev => {
                writeln!(text, "  services.udev.extraRules = ''\n    {}  '';", udev::RULE)
            }
            Part::Hook(path) if !is_declared(path) => Ok(()),
            Part::Hook(path) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                let note = format!(
                    "NixOS 23.11 and later remove {path} when libvirtd starts, unless it is declared here."
                );
                text.push_str(&indented(&shell::comment(&note)));
                writeln!(text, "  virtualisation.libvirtd.hooks.qemu.{name} = ./{name};")
            }
            Part::QemuConf(lines) => {
                // The first line is NixOS's default, which setting this option removes.
                let lines: String = ["namespaces = []"]
                    .into_iter()
                    .chain(lines.lines())
                    .map(|line| format!("    {line}\n"))
                    .collect();
                writeln!(text, "  virtualisation.libvirtd.qemu.verbatimConfig = ''\n{lines}  '';")
            }
        };
    }
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}

/// Moves a hook to the folder in which libvirt looks on NixOS.
pub fn hook(file: File) -> File {
    let Destination::At(path) = &file.place else { return file };
    let moved = path.replacen(USUAL_HOOKS, HOOKS, 1);
    let text = file.text.replacen(path, &moved, 1);
    let mut follow_ups = file.follow_ups;
    if is_declared(&moved) {
        follow_ups.extend([FollowUp::CopyHook(moved.clone()), FollowUp::RebuildNixos]);
    }
    File { place: Destination::At(moved), text, follow_ups, ..file }
}

/// Whether the NixOS configuration can declare a hook, in which case NixOS removes it unless it
/// does. This holds for hooks in `qemu.d`, but not for the single `hooks/qemu`.
fn is_declared(path: &str) -> bool {
    path.contains("/qemu.d/")
}

#[cfg(test)]
mod tests {
    use super::super::hook::{Style, file as hook_file};
    use super::*;

    fn lines_of(parts: &[Part]) -> Vec<String> {
        file(parts, "gvtg-xml emit")
            .text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn writes_each_part_as_a_nixos_option() {
        let hook = Part::Hook("/var/lib/libvirt/hooks/qemu.d/gvtg".to_owned());
        assert_eq!(
            lines_of(&[Part::Parameters, Part::Modules, hook]),
            [
                "{",
                "boot.kernelParams = [ \"i915.enable_gvt=1\" \"kvm.ignore_msrs=1\" ];",
                "boot.kernelModules = [ \"kvmgt\" \"vfio-iommu-type1\" \"mdev\" \"vfio_pci\" ];",
                "virtualisation.libvirtd.hooks.qemu.gvtg = ./gvtg;",
                "}"
            ]
        );
        assert_eq!(
            lines_of(&[Part::ModuleOptions]),
            [
                "{",
                "boot.extraModprobeConfig = ''",
                "options i915 enable_gvt=1",
                "options kvm ignore_msrs=1",
                "'';",
                "}"
            ]
        );
    }

    #[test]
    fn keeps_nixos_default_in_qemu_conf() {
        let text =
            lines_of(&[Part::QemuConf("cgroup_device_acl = [\n    \"/dev/null\"\n]\n".to_owned())])
                .join(" ");
        let wanted = "{ virtualisation.libvirtd.qemu.verbatimConfig = '' namespaces = [] cgroup_device_acl = [ \"/dev/null\" ] ''; }";
        assert_eq!(text, wanted);
        assert_eq!(
            lines_of(&[Part::Udev])[1..3],
            ["services.udev.extraRules = ''", "SUBSYSTEM==\"vfio\", GROUP=\"kvm\", MODE=\"0660\""]
        );
    }

    #[test]
    fn moves_the_hook_to_the_nixos_folder() {
        let moved = hook(hook_file(&[], Style::DropIn, "gvtg-xml emit hook"));
        assert_eq!(moved.path(), Some("/var/lib/libvirt/hooks/qemu.d/gvtg"));
        assert!(
            moved.text.contains("Install it as /var/lib/libvirt/hooks/qemu.d/gvtg with mode 755"),
            "{}",
            moved.text
        );
        assert!(
            !moved.text.contains(USUAL_HOOKS)
                && moved.follow_ups.contains(&FollowUp::CopyHook(moved.path().unwrap().to_owned()))
        );
        // The single hook is not in qemu.d, so NixOS does not remove it.
        let whole = hook(hook_file(&[], Style::Whole, "gvtg-xml emit hook"));
        assert_eq!(
            (whole.path(), &whole.follow_ups[..]),
            (Some("/var/lib/libvirt/hooks/qemu"), &[FollowUp::ReloadLibvirt][..])
        );
        assert_eq!(lines_of(&[Part::Hook("/var/lib/libvirt/hooks/qemu".to_owned())]), ["{", "}"]);
    }
}
