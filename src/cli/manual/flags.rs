//! What help and manual pages say of a flag beside its one line, and where they list it. tests/help.rs reads it all.

/// What `--help` and manual pages say of a flag where a line is not enough; of all commands where none is named.
const LONG: &[(&str, &str, &str)] = &[
    ("fix", "files", "Domain XML file; stdin without one, or for -. Several, and folders, with --in-place, --diff or --check"),
    ("lint", "files", "Domain XML files or folders of them; stdin without any, or for -"),
    ("fix", "diff", "Show the changes as a diff; write nothing, exit 1 if there are any"),
    ("fix", "check", "Name the files that would change; write nothing, exit 1 if there are any"),
    ("", "suppress", "Mend nothing, but write down that what these rules or groups find is to be ignored: it is suppressed from then on"),
    (
        "",
        "suppress_in",
        "Where --suppress writes it: in the metadata, which `virsh define` keeps, or as comments, which it drops [default: metadata]",
    ),
    ("", "only", "Only these rules or groups of rules (display, vgpu, namespace, qemu, domain); `gvtg-xml explain` lists them"),
    ("host", "ignore", "Not these rules; `gvtg-xml explain host` lists them"),
    ("", "ignore", "Not these rules or groups; `gvtg-xml explain` lists them"),
    ("explain", "rules", "A folder of further rules"),
    ("", "rules", "A folder of further rules; one with a built-in rule's id replaces that"),
    ("", "rule_pages", "The address of the rules' pages, to which a rule's id is added: SARIF and editors link to it"),
    ("", "skip_foreign", "Skip files that are no domain XML, and domains with no sign of GVT-g"),
    ("", "stdin_filename", "The name that messages show for stdin, and whose configuration counts"),
    ("lint", "format", "How findings are printed; several times with an --output-file behind all but one [default: full]"),
    ("fix", "format", "How findings are printed; several times with an --output-file behind all but one [default: concise, on stderr]"),
    ("", "config", "The configuration [default: the nearest gvtg-xml.toml, in the file's folder or above]"),
    ("kubevirt", "libvirt", "The libvirt in virt-launcher: a version like 9.0, or `newest` (the form for 8.5 and later) [default: newest]"),
    (
        "kubevirt",
        "display",
        "Show the vGPU by QEMU's -display: egl-headless for KubeVirt's VNC, where virt-launcher's QEMU has OpenGL and a render node",
    ),
    (
        "emit",
        "libvirt",
        "The libvirt that reads the VMs: a version like 9.0, or `installed`, which is found out at each call [default: installed]",
    ),
    ("emit", "display_env", "The X display that QEMU opens its window on, where the VM says none [default: :0]"),
    (
        "",
        "libvirt",
        "The libvirt that will read the domain: a version like 9.0, `installed` (this machine's), or `newest` (the form for 8.5 and later) \
         [default: newest]",
    ),
    (
        "emit",
        "vgpu_type",
        "The vGPU's type [default: the one recorded in the domain, else the configuration's, else i915-GVTg_V5_4, or V4_4 where this machine's GPU is a Broadwell]",
    ),
    ("", "vgpu_type", "The vGPU's type, like i915-GVTg_V5_4, to be recorded in the domain's metadata; `gvtg-xml types` lists them"),
    ("emit qemu-conf", "pci", "The Intel GPU's PCI address [default: the configuration's of the current folder, else 0000:00:02.0]"),
    ("emit", "pci", "The Intel GPU's PCI address [default: the one recorded in the domain, else the configuration's, else 0000:00:02.0]"),
    ("", "pci", "The Intel GPU's PCI address; recorded in the domain's metadata where it is given [default: 0000:00:02.0]"),
    ("emit", "uuid", "The vGPU's uuid [default: the domain's own]"),
    ("", "uuid", "The vGPU's uuid [default: the vGPU's own, else made from the domain's]"),
    ("", "display", "QEMU's -display: gtk or sdl with gl=on, es or core, or egl-headless [default: gtk,gl=on]"),
    ("", "display_env", "The X display that QEMU opens its window on [default: $DISPLAY on a pipe if it is like :0, else :0]"),
    ("", "audio", "Where sound goes that SPICE carried: a type of <audio>, and attributes of it [default: none]"),
    ("", "romfile", "An option ROM for the vGPU of a UEFI guest"),
    (
        "emit",
        "autostart",
        "Have the vGPUs made at boot: a host that is suspended while one exists may hang, and the hook does not remove them",
    ),
    (
        "emit",
        "remove",
        "Remove each file that the manifest below --root lists, unless it was changed, and put back what --force replaced; then remove the empty folders \
         that were created for the files, and the manifest. It reads no domain",
    ),
    ("emit", "dry_run", "With --remove: print the paths that it would remove, and remove nothing"),
    ("", "root", "Write the file below this folder, at its place and with its mode, and print its path; / is this machine"),
    (
        "explain",
        "what",
        "Rules, groups of rules, a message or a piece of one, or the FILE of a log; stdin for `-`, or where a log is piped in",
    ),
];

/// Where `--help` lists flags.
const HEADINGS: &[(&str, &[&str])] = &[
    ("Rules", &["only", "ignore", "rules", "fail_on", "rule_pages", "unsafe_fixes", "suppress", "reason", "suppress_in"]),
    ("Configuration", &["config", "isolated"]),
    ("Input", &["all", "skip_foreign", "stdin_filename", "max_size"]),
    ("Output", &["quiet", "verbose", "format", "output_file", "statistics", "exit_zero", "color"]),
];

/// The longer text about a flag.
pub(super) fn long(path: &str, id: &str) -> Option<&'static str> {
    let is_about = |command: &str| command.is_empty() || path == command || path.starts_with(&format!("{command} "));
    // The root folder of a machine that is looked at is another than that which is written to.
    let is_one = |(command, flag, _): &&(&str, &str, &str)| *flag == id && is_about(command) && (id != "root" || path.starts_with("emit"));
    LONG.iter().find(is_one).map(|(_, _, text)| *text)
}

/// The heading that `--help` has a flag under.
pub(super) fn heading(id: &str) -> Option<&'static str> {
    HEADINGS.iter().find(|(_, flags)| flags.contains(&id)).map(|(heading, _)| *heading)
}
