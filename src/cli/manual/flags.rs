//! Long descriptions of flags, and the headings that list them. tests/cli/help.rs checks all of it.

/// Descriptions for `--help` and manual pages, where one line is not enough: command (empty for
/// all), flag, text. The first match applies.
const LONG: &[(&str, &str, &str)] = &[
    (
        "fix",
        "files",
        "Domain XML file; stdin if there is none, or for `-`. Several files or folders need --in-place, --diff or --check",
    ),
    (
        "lint",
        "files",
        "Domain XML files, or folders that are searched for .xml files; stdin if there are none, or for `-`",
    ),
    (
        "emit",
        "files",
        "Domain XML files, or folders that are searched for .xml files; stdin if there are none, or for `-`",
    ),
    ("fix", "diff", "Show the changes as a diff and write nothing; exit with 1 if there are any"),
    (
        "fix",
        "check",
        "List the files that would change and write nothing; exit with 1 if there are any",
    ),
    (
        "",
        "suppress",
        "Fix nothing, but record in the domain that the findings of these rules or groups are suppressed from now on (requires --reason)",
    ),
    (
        "",
        "suppress_in",
        "Where --suppress writes: to the domain's metadata, which `virsh define` keeps, or to comments, which it drops [default: metadata]",
    ),
    ("emit", "only", "Use only the vGPU with this UUID"),
    (
        "",
        "only",
        "Check only these rules or groups of rules (display, vgpu, namespace, qemu, domain); `gvtg-xml explain` lists the rules",
    ),
    ("host", "ignore", "Disable these rules; `gvtg-xml explain host` lists them"),
    ("", "ignore", "Disable these rules or groups of rules; `gvtg-xml explain` lists them"),
    (
        "",
        "rules",
        "Folder of custom rules (*.toml). A rule with the ID of a built-in rule replaces it",
    ),
    ("host", "verbose", "Also list the checks that passed"),
    (
        "",
        "fail_on",
        "Exit with 1 if there are findings of this severity or higher [default: warning]",
    ),
    (
        "",
        "rule_pages",
        "Base URL of the rules' pages: SARIF reports and editors link to this URL followed by the rule's ID",
    ),
    ("", "skip_foreign", "Skip files that are not domain XML, and domains that do not use GVT-g"),
    (
        "",
        "stdin_filename",
        "File name to assume for stdin: messages show it, and the configuration for that file applies",
    ),
    ("lint", "all", "In folders, also check domains that do not use GVT-g"),
    ("fix", "all", "In folders, also fix domains that do not use GVT-g"),
    (
        "lint",
        "format",
        "Report format. Repeatable: each --format but one needs an --output-file after it [default: full]",
    ),
    (
        "fix",
        "format",
        "Report format. Repeatable: each --format but one needs an --output-file after it [default: concise, on stderr]",
    ),
    (
        "",
        "config",
        "Configuration to use [default: the nearest gvtg-xml.toml, in the file's folder or above]",
    ),
    ("", "isolated", "Do not read any configuration"),
    ("kubevirt", "vmi", "The VirtualMachineInstance, as JSON; KubeVirt passes it"),
    ("kubevirt", "domain", "The domain that KubeVirt generated for it, as XML; KubeVirt passes it"),
    (
        "kubevirt",
        "libvirt",
        "The libvirt in virt-launcher: a version such as 9.0, or `newest` (the syntax for 8.5 and later) [default: newest]",
    ),
    (
        "kubevirt",
        "display",
        "Also show the vGPU, with this value of QEMU's -display: egl-headless for KubeVirt's VNC, if virt-launcher's QEMU has OpenGL and a render node",
    ),
    (
        "kubevirt",
        "assume_intel",
        "Treat the vGPU as Intel's even if its resource name does not show it",
    ),
    (
        "emit",
        "libvirt",
        "The libvirt that will read the domains: a version such as 9.0, or `installed`, which is detected each time the hook runs [default: installed]",
    ),
    (
        "emit",
        "display_env",
        "X display for the QEMU window in domains that do not set one [default: :0]",
    ),
    (
        "",
        "libvirt",
        "The libvirt that will read the domain: a version such as 9.0, `installed` (the one on this machine), or `newest` (the syntax for 8.5 and \
         later) [default: newest]",
    ),
    (
        "emit",
        "vgpu_type",
        "The vGPU's type [default: the one recorded in the domain, or else in the configuration, or else i915-GVTg_V5_4, or i915-GVTg_V4_4 \
         if this machine has a Broadwell GPU]",
    ),
    (
        "",
        "vgpu_type",
        "The vGPU's type, such as i915-GVTg_V5_4, which is recorded in the domain's metadata; `gvtg-xml types` lists the types",
    ),
    (
        "emit qemu-conf",
        "pci",
        "The Intel GPU's PCI address [default: the one in the current folder's configuration, or else 0000:00:02.0]",
    ),
    (
        "emit",
        "pci",
        "The Intel GPU's PCI address [default: the one recorded in the domain, or else in the configuration, or else 0000:00:02.0]",
    ),
    (
        "",
        "pci",
        "The Intel GPU's PCI address; if given, it is recorded in the domain's metadata [default: 0000:00:02.0]",
    ),
    ("emit", "uuid", "The vGPU's UUID [default: the one in the domain]"),
    (
        "",
        "uuid",
        "The vGPU's UUID [default: the one in the domain, or else one derived from the domain's own UUID or name]",
    ),
    (
        "",
        "display",
        "Value of QEMU's -display: gtk or sdl with gl=on, gl=es or gl=core, or egl-headless [default: gtk,gl=on]",
    ),
    (
        "fix",
        "display_env",
        "X display for the QEMU window [default: $DISPLAY if it is a local display such as :0 and the domain is piped in; otherwise :0]",
    ),
    ("", "display_env", "X display for the QEMU window [default: :0]"),
    ("", "gdk_scale", "GTK scale of the QEMU window (GDK_SCALE) [default: 1.0]"),
    ("", "alias", "The vGPU's alias, a device name that starts with ua- [default: ua-gvtg]"),
    (
        "",
        "audio",
        "Audio backend that replaces SPICE audio: a type of <audio> such as pulseaudio, and attributes for it [default: none]",
    ),
    (
        "kubevirt",
        "romfile",
        "Absolute path of an option ROM (GPU firmware) in virt-launcher's file system; some UEFI guests show no picture without one",
    ),
    (
        "",
        "romfile",
        "Absolute path of an option ROM (GPU firmware) for the vGPU; some UEFI guests show no picture without one",
    ),
    (
        "emit",
        "autostart",
        "Create the vGPUs at boot. A host that is suspended while a vGPU exists may hang, and the hook does not remove these vGPUs",
    ),
    (
        "emit",
        "remove",
        "Remove each file listed in the manifest below --root, unless it was changed, and restore the files that --force replaced. Then remove the \
         manifest and the folders that were created for the files, if they are empty. No domain is read",
    ),
    ("emit", "dry_run", "With --remove: list the files that would be removed, and remove nothing"),
    ("emit", "force", "Overwrite existing files whose content differs"),
    (
        "emit all",
        "root",
        "Write the files below this folder, at their usual paths and with the right permissions, and print their paths; / is this machine",
    ),
    (
        "",
        "root",
        "Write the file below this folder instead of to stdout, at its usual path and with the right permissions, and print its path; / is this machine",
    ),
    (
        "explain",
        "what",
        "Rules, groups of rules, a message or part of one, or a log FILE; stdin for `-`, or if a log is piped in",
    ),
];

/// The headings of `--help`, each with its flags.
const HEADINGS: &[(&str, &[&str])] = &[
    (
        "Rules",
        &[
            "only",
            "ignore",
            "rules",
            "fail_on",
            "rule_pages",
            "unsafe_fixes",
            "suppress",
            "reason",
            "suppress_in",
        ],
    ),
    ("Configuration", &["config", "isolated"]),
    ("Input", &["all", "skip_foreign", "stdin_filename", "max_size"]),
    ("Output", &["quiet", "verbose", "format", "output_file", "statistics", "exit_zero", "color"]),
];

/// Returns the long description of a flag.
pub(super) fn long(path: &str, id: &str) -> Option<&'static str> {
    let applies_to = |command: &str| {
        command.is_empty() || path == command || path.starts_with(&format!("{command} "))
    };
    // `--root` of `emit` is written to, unlike that of other commands.
    let is_match = |(command, flag, _): &&(&str, &str, &str)| {
        *flag == id && applies_to(command) && (id != "root" || path.starts_with("emit"))
    };
    LONG.iter().find(is_match).map(|(_, _, text)| *text)
}

/// Returns the heading under which `--help` lists a flag. `emit --only` takes a uuid, not a rule,
/// so it has none.
pub(super) fn heading(path: &str, id: &str) -> Option<&'static str> {
    if id == "only" && path.starts_with("emit") {
        return None;
    }
    HEADINGS.iter().find(|(_, flags)| flags.contains(&id)).map(|(heading, _)| *heading)
}
