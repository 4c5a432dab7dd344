//! Texts of help and manual pages about each command. tests/cli/help.rs runs each example and checks
//! that each flag exists.

/// The help texts of a command.
#[derive(Debug)]
pub struct Page {
    /// The command's path without the program's name.
    pub command: &'static str,
    /// The flags that `-h` shows; empty for all.
    pub usual: &'static [&'static str],
    /// Description for the manual page, in paragraphs.
    pub description: &'static [&'static str],
    /// Examples.
    pub examples: &'static [Example],
    /// Exit codes and what they mean.
    pub exit_status: &'static [(&'static str, &'static str)],
    /// Files that the command reads or writes.
    pub files: &'static [(&'static str, &'static str)],
    /// Related manual pages, other than those of this program.
    pub see_also: &'static [&'static str],
}

/// An example command.
#[derive(Debug)]
pub struct Example {
    /// The purpose of the command.
    pub what: &'static str,
    /// The shell command, on one line.
    pub command: &'static str,
}

const fn example(what: &'static str, command: &'static str) -> Example {
    Example { what, command }
}

const CONFIGURATION: (&str, &str) = (
    "gvtg-xml.toml",
    "Settings for all domains in its folder and below; `gvtg-xml config FILE` shows which ones apply to a file",
);
const FAILED: (&str, &str) = ("2", "The command failed");
const PIPE: &str = "virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin";

/// Returns the page of a kind of `emit`.
const fn kind(command: &'static str, examples: &'static [Example]) -> Page {
    Page {
        command,
        usual: EMIT,
        description: &[],
        examples,
        exit_status: &[],
        files: &[],
        see_also: &[],
    }
}
const EMIT: &[&str] = &[
    "style",
    "bootloader",
    "only",
    "commands",
    "autostart",
    "vgpu_type",
    "pci",
    "libvirt",
    "display_env",
    "root",
    "diff",
    "force",
    "quiet",
];

/// The pages of all commands, in the order of the list of commands.
pub const PAGES: &[Page] = &[
    Page {
        command: "",
        usual: &[],
        description: &[
            "gvtg-xml makes a libvirt VM run on an Intel GVT-g vGPU, a share of the host's integrated GPU. It finds what is wrong in the VM's XML (the \
             domain), fixes it and leaves everything else unchanged, and writes the files that the host needs.",
            "To fix a VM, pipe its XML from `virsh dumpxml` through gvtg-xml-fix(1) and back into `virsh define`, as EXAMPLES shows. \
             `--inactive` makes virsh print the stored domain instead of the running one, `--security-info` keeps passwords that would otherwise be \
             lost, and `--validate` makes libvirt reject what it would otherwise drop silently. A running VM uses the new definition only \
             after it has been shut down and started again.",
            "Prepare the host once: run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, follow the steps that it prints (initramfs, reboot), \
             then check the host with `sudo gvtg-xml host`.",
        ],
        examples: &[example("fix a VM's domain", PIPE)],
        exit_status: &[
            ("0", "No findings; for fix: no findings are left"),
            (
                "1",
                "There are findings; for fix: findings are left, but stdout holds the complete document",
            ),
            ("2", "The command failed; for fix: stdout is empty"),
        ],
        files: &[CONFIGURATION],
        see_also: &["virsh(1)", "virt-xml-validate(1)"],
    },
    Page {
        command: "lint",
        usual: &["quiet", "format", "only", "ignore", "fail_on", "all", "libvirt", "statistics"],
        description: &[
            "Reports what keeps domains from running on a vGPU: where the problem is, what happens because of it, and what to do. It changes nothing; \
             gvtg-xml-fix(1) makes the changes.",
            "In folders, only .xml files are checked, and of these only domains that use GVT-g, which means that they have a vGPU or settings for one.",
        ],
        examples: &[
            example("check a file", "gvtg-xml lint win10.xml"),
            example(
                "check a VM's domain",
                "virsh dumpxml --inactive --security-info win10 | gvtg-xml lint",
            ),
            example(
                "check a folder, for code scanning",
                "gvtg-xml lint --format sarif --output-file gvtg.sarif vms",
            ),
        ],
        exit_status: &[
            ("0", "There are no findings of the --fail-on severity or higher"),
            ("1", "There are such findings"),
            ("2", "The command failed, or a file is not a domain"),
        ],
        files: &[CONFIGURATION],
        see_also: &["virsh(1)", "virt-xml-validate(1)"],
    },
    Page {
        command: "fix",
        usual: &[
            "in_place",
            "diff",
            "check",
            "unsafe_fixes",
            "ignore",
            "libvirt",
            "vgpu_type",
            "keep_video",
        ],
        description: &[
            "Writes the domain with every problem fixed that can be fixed safely. Everything else stays as it is, byte for byte: comments, quotes, order and \
             spacing. A report on stderr lists what was fixed and what is left.",
            "A setting given as a flag replaces what the document has. A setting from gvtg-xml.toml, or else a default, only fills in what is missing.",
            "With one file or stdin, the document goes to stdout. With --in-place, files are replaced, each one completely or not at all.",
            "Do not edit the files that libvirt keeps below /etc/libvirt/qemu: libvirt overwrites them. Use the pipe in the examples, or virsh edit.",
        ],
        examples: &[
            example("fix a VM's domain", PIPE),
            example("show what would change", "gvtg-xml fix --libvirt installed --diff win10.xml"),
            example("fix files", "gvtg-xml fix --libvirt installed --in-place win10.xml vms"),
        ],
        exit_status: &[
            ("0", "No findings are left; with --diff or --check: nothing would change"),
            (
                "1",
                "Findings that need your attention are left, and the document was written; with --diff or --check: something would change",
            ),
            ("2", "The command failed, and stdout is empty"),
        ],
        files: &[CONFIGURATION],
        see_also: &["virsh(1)", "virt-xml-validate(1)"],
    },
    Page {
        command: "emit",
        usual: &[],
        description: &[
            "Prints a file that the host needs for domains with vGPUs. With --root, it writes the file below that folder instead, at its own path and \
             with its own mode; / is this machine. The steps that remain are printed on stderr.",
            "An existing file with different content is only overwritten with --force, unless an earlier `emit all` wrote it and it has not been changed \
             since. If `emit all --force` overwrites a file of yours, it keeps the old one below /etc/gvtg-xml/replaced.",
            "`emit all --remove` undoes `emit all`. It removes each unchanged file listed in the manifest, restores what --force replaced, and removes the \
             manifest and the folders that were created for the files, if they are empty. A file that was changed stays, and is reported on stderr.",
        ],
        examples: &[
            example(
                "write everything this host needs",
                "virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /",
            ),
            example("look at the hook first", "gvtg-xml emit hook win10.xml"),
        ],
        exit_status: &[
            ("0", "The file was printed, or the files were written or removed"),
            (
                "1",
                "With --diff or --dry-run: something would change; with --remove: a changed file was not removed",
            ),
            ("2", "The command failed; nothing was written, unless the message says otherwise"),
        ],
        files: &[
            (
                "/etc/libvirt/hooks/qemu.d/gvtg",
                "The hook that creates a domain's vGPUs when it starts",
            ),
            ("/etc/modules-load.d/gvt.conf", "The kernel modules to load at boot"),
            ("/etc/modprobe.d/gvtg.conf", "The kernel parameters, as module options"),
            ("/etc/gvtg-xml/manifest", "The list of files that `emit all` wrote"),
            ("/etc/gvtg-xml/replaced", "Your files that `emit all --force` replaced"),
            CONFIGURATION,
        ],
        see_also: &["virsh(1)", "mdevctl(8)", "modprobe.d(5)", "modules-load.d(5)"],
    },
    kind(
        "emit hook",
        &[
            example("install it on this host", "sudo gvtg-xml emit hook --root / vms"),
            example("print it", "virsh dumpxml --inactive win10 | gvtg-xml emit hook"),
        ],
    ),
    kind(
        "emit modules",
        &[
            example("install it on this host", "sudo gvtg-xml emit modules --root /"),
            example("print it", "gvtg-xml emit modules"),
        ],
    ),
    kind(
        "emit cmdline",
        &[
            example("print the parameters", "gvtg-xml emit cmdline"),
            example(
                "show what would change for GRUB",
                "gvtg-xml emit cmdline --bootloader grub --root / --diff",
            ),
        ],
    ),
    kind(
        "emit modprobe",
        &[
            example("install it on this host", "sudo gvtg-xml emit modprobe --root /"),
            example("print it", "gvtg-xml emit modprobe"),
        ],
    ),
    kind(
        "emit nodedev",
        &[
            example(
                "define a domain's vGPU in libvirt",
                "gvtg-xml emit nodedev win10.xml > vgpu.xml && virsh nodedev-define vgpu.xml",
            ),
            example(
                "use another vGPU type",
                "gvtg-xml emit nodedev --type i915-GVTg_V5_8 win10.xml",
            ),
        ],
    ),
    kind(
        "emit mdevctl",
        &[
            example("install it on this host", "sudo gvtg-xml emit mdevctl --root / win10.xml"),
            example("print mdevctl commands", "gvtg-xml emit mdevctl --commands win10.xml"),
        ],
    ),
    kind(
        "emit filter",
        &[
            example("install it on this host", "sudo gvtg-xml emit filter --root /"),
            example("open QEMU windows on display :1", "gvtg-xml emit filter --display-env :1"),
        ],
    ),
    kind(
        "emit udev",
        &[
            example("install it on this host", "sudo gvtg-xml emit udev --root /"),
            example("print it", "gvtg-xml emit udev"),
        ],
    ),
    kind(
        "emit qemu-conf",
        &[
            example("print the lines", "gvtg-xml emit qemu-conf"),
            example("for a GPU at another address", "gvtg-xml emit qemu-conf --pci 0000:03:00.0"),
        ],
    ),
    Page {
        usual: &["style", "bootloader", "vgpu_type", "root", "diff", "force", "remove", "quiet"],
        ..kind(
            "emit all",
            &[
                example(
                    "write everything this host needs",
                    "virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /",
                ),
                example("show what would change", "gvtg-xml emit all --root / --diff win10.xml"),
                example("remove it all", "sudo gvtg-xml emit all --root / --remove"),
            ],
        )
    },
    Page {
        command: "host",
        usual: &[],
        description: &[
            "Checks whether this machine can run VMs with vGPUs: kernel, modules, parameters, libvirt and its hook. If it cannot, it says what to do first. \
             If you name domains, it also checks that they match the hook and the GPU. It changes nothing and starts no programs.",
            "To prepare a host, run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, follow the steps that it prints (initramfs, reboot), \
             then run `sudo gvtg-xml host`. Until you reboot, it tells you to do that first.",
        ],
        examples: &[
            example("check this host", "sudo gvtg-xml host"),
            example("check it for these domains", "sudo gvtg-xml host vms"),
            example(
                "prepare it",
                "virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /",
            ),
        ],
        exit_status: &[("0", "There are no errors"), ("1", "There are errors"), FAILED],
        files: &[("/sys, /proc, /etc", "Below --root: the files that it reads"), CONFIGURATION],
        see_also: &["virt-host-validate(1)", "mdevctl(8)"],
    },
    Page {
        command: "config",
        usual: &["format", "config", "isolated", "unsafe_fixes", "libvirt"],
        description: &[
            "Shows the settings that apply to a file, and where each one comes from: a flag, a line of gvtg-xml.toml, or the default. \
             The flags that change settings are those of gvtg-xml-lint(1) and gvtg-xml-fix(1).",
        ],
        examples: &[
            example("for this folder", "gvtg-xml config"),
            example("for a file, even a missing one", "gvtg-xml config vms/win10.xml"),
            example("with a flag, as JSON", "gvtg-xml config --libvirt 9.0 --format json"),
        ],
        exit_status: &[
            ("0", "The settings were printed"),
            ("2", "The configuration is invalid or can't be read"),
        ],
        files: &[CONFIGURATION],
        see_also: &[],
    },
    Page {
        command: "explain",
        usual: &[],
        description: &[
            "Explains rules and groups of rules by name, and messages from libvirt, QEMU or the kernel: a whole message, part of one, or a log. \
             Without arguments it lists all rules and known messages, or reads the log that is piped in.",
        ],
        examples: &[
            example("explain a rule", "gvtg-xml explain stray-video"),
            example("explain a message", "gvtg-xml explain \"Display 'gtk' is not available\""),
            example("find known problems in a log", "gvtg-xml explain win10.log"),
        ],
        exit_status: &[
            ("0", "Everything was explained"),
            ("1", "Something could not be explained"),
            ("2", "The command failed, or a log can't be read"),
        ],
        files: &[("/var/log/libvirt/qemu/NAME.log", "QEMU's log for the VM NAME"), CONFIGURATION],
        see_also: &["virsh(1)", "journalctl(1)", "dmesg(1)"],
    },
    Page {
        command: "lsp",
        usual: &["only", "ignore", "all", "config", "libvirt", "display"],
        description: &[
            "Runs the language server, which an editor starts and talks to on stdin and stdout. It shows findings while you type, offers fixes, and \
             explains rules. The editor's settings have the same names as the flags.",
        ],
        examples: &[
            example("for another libvirt", "gvtg-xml lsp --libvirt 9.0"),
            example(
                "with one configuration for all files",
                "gvtg-xml lsp --config vms/gvtg-xml.toml",
            ),
        ],
        exit_status: &[
            ("0", "The editor ended the session"),
            ("1", "The editor exited without ending the session"),
            FAILED,
        ],
        files: &[CONFIGURATION],
        see_also: &[],
    },
    Page {
        command: "types",
        usual: &[],
        description: &[
            "Lists the vGPU types and the resources that each one takes, how many of each fit on this machine's GPU, and how many more can be created now.",
        ],
        examples: &[
            example("as a table", "gvtg-xml types"),
            example("as JSON", "gvtg-xml types --format json"),
        ],
        exit_status: &[("0", "The types were listed"), FAILED],
        files: &[(
            "/sys/bus/pci/devices, /sys/class/mdev_bus",
            "Below --root: the GPU, and the types that the kernel offers",
        )],
        see_also: &["mdevctl(8)"],
    },
    Page {
        command: "kubevirt",
        usual: &[],
        description: &[
            "Implements KubeVirt's onDefineDomain hook: it prints the domain that KubeVirt will define, fixed or unchanged, on stdout, and a report on stderr. \
             If gvtg-xml is called as onDefineDomain, for example through a link, it runs this command.",
            "The guest's display stays as it is, since a pod has no X display: the vGPU only gets what Intel's driver in the guest needs. With --display, \
             the vGPU is shown instead of KubeVirt's VGA card. A VM's gvtg-xml/flags annotation sets flags for that VM; a flag on the command line takes precedence.",
        ],
        examples: &[
            example(
                "as KubeVirt calls it",
                "gvtg-xml kubevirt --vmi \"$(cat vmi.json)\" --domain \"$(cat win10.xml)\"",
            ),
            example(
                "show the vGPU over VNC",
                "gvtg-xml kubevirt --display egl-headless --vmi \"$(cat vmi.json)\" --domain \"$(cat win10.xml)\"",
            ),
        ],
        exit_status: &[
            ("0", "The domain was printed, even if findings are left"),
            ("2", "The command failed, stdout is empty, and KubeVirt does not start the VM"),
        ],
        files: &[(
            "/usr/bin/onDefineDomain",
            "In the sidecar image: a link to gvtg-xml, or a script that runs it",
        )],
        see_also: &["virsh(1)"],
    },
    Page {
        command: "generate",
        usual: &[],
        description: &[
            "Prints files for packages and other tools: manual pages, shell completions, a GitHub problem matcher, and the JSON schema of gvtg-xml.toml.",
        ],
        examples: &[
            example("write all manual pages", "gvtg-xml generate man ~/.local/share/man/man1"),
            example(
                "completions for bash",
                "gvtg-xml generate bash > ~/.local/share/bash-completion/completions/gvtg-xml",
            ),
            example("for zsh, in a folder of $fpath", "gvtg-xml generate zsh > ~/.zfunc/_gvtg-xml"),
        ],
        exit_status: &[("0", "The file was printed or written"), FAILED],
        files: &[],
        see_also: &["bash(1)", "zsh(1)", "fish(1)"],
    },
];
