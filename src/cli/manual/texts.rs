//! What help and manual pages say of a command beside its summary. All of it is tried: each example is run by
//! tests/help.rs, each flag named here is one.

/// What is told of a command.
#[derive(Debug)]
pub struct Page {
    /// Its words behind the program's name.
    pub command: &'static str,
    /// The flags that `-h` shows; none: all.
    pub usual: &'static [&'static str],
    /// What it does, in paragraphs, for the manual page.
    pub description: &'static [&'static str],
    /// Commands to try.
    pub examples: &'static [Example],
    /// Exit codes and what they mean.
    pub exit_status: &'static [(&'static str, &'static str)],
    /// Files that it reads or writes.
    pub files: &'static [(&'static str, &'static str)],
    /// Other manual pages, beside those of this program.
    pub see_also: &'static [&'static str],
}

/// A command to try.
#[derive(Debug)]
pub struct Example {
    /// What it is for.
    pub what: &'static str,
    /// The command for a shell, on one line.
    pub command: &'static str,
}

const fn example(what: &'static str, command: &'static str) -> Example {
    Example { what, command }
}

const CONFIGURATION: (&str, &str) =
    ("gvtg-xml.toml", "What is wanted of all domains in a folder and below it; `gvtg-xml config` shows what is in force for a file");
const FAILED: (&str, &str) = ("2", "It could not be done");
const PIPE: &str = "virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin";

/// A kind of what `emit` writes.
const fn kind(command: &'static str, examples: &'static [Example]) -> Page {
    Page { command, usual: EMIT, description: &[], examples, exit_status: &[], files: &[], see_also: &[] }
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

/// All commands, in the order in which they are listed.
pub const PAGES: &[Page] = &[
    Page {
        command: "",
        usual: &[],
        description: &[
            "gvtg-xml makes any libvirt domain run on a vGPU of Intel GVT-g. It says what is wrong in the domain's XML, writes it right and changes \
             nothing else, and writes what the host needs.",
            "`--inactive` gives the stored domain and not the running one, `--security-info` keeps passwords that would be lost, and `--validate` makes \
             libvirt refuse what it would otherwise drop in silence. What runs keeps what it has until it is stopped and started.",
            "Prepare the host once: `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, then what it prints (initramfs, reboot), \
             then `sudo gvtg-xml host`.",
        ],
        examples: &[example("fix a domain that libvirt has", PIPE)],
        exit_status: &[
            ("0", "Nothing is found; for fix: nothing is left"),
            ("1", "Something is found; for fix: something is left, and stdout holds the whole document all the same"),
            ("2", "It could not be done; for fix: stdout is empty"),
        ],
        files: &[CONFIGURATION],
        see_also: &["virsh(1)", "virt-xml-validate(1)"],
    },
    Page {
        command: "lint",
        usual: &["quiet", "format", "only", "ignore", "fail_on", "all", "libvirt", "statistics"],
        description: &[
            "Says what keeps domains from running on a vGPU, where, and what to do. It changes nothing: gvtg-xml-fix(1) does.",
            "In folders the .xml files are looked at that are domains with a sign of GVT-g.",
        ],
        examples: &[
            example("what is wrong in a file", "gvtg-xml lint win10.xml"),
            example("or in a domain that libvirt has", "virsh dumpxml --inactive --security-info win10 | gvtg-xml lint"),
            example("a folder, for code scanning", "gvtg-xml lint --format sarif --output-file gvtg.sarif vms"),
        ],
        exit_status: &[
            ("0", "Nothing is found at or above the severity of --fail-on"),
            ("1", "Something is found"),
            ("2", "It could not be done, or a file is no domain"),
        ],
        files: &[CONFIGURATION],
        see_also: &["virsh(1)", "virt-xml-validate(1)"],
    },
    Page {
        command: "fix",
        usual: &["in_place", "diff", "check", "unsafe_fixes", "ignore", "libvirt", "vgpu_type", "keep_video"],
        description: &[
            "Writes a domain with everything mended that can be. What no rule names stays as it is, byte for byte: comments, quotes, order and spacing. \
             What was mended, and what is left, is said on stderr.",
            "A setting that is not given leaves what the document says, and fills in what is missing.",
            "With one file or stdin the document goes to stdout; with --in-place files are replaced, each in one step or not at all.",
            "A file that libvirt keeps itself, below /etc/libvirt/qemu, is no place to change a domain: libvirt writes over it. Use the pipe, or virsh edit.",
        ],
        examples: &[
            example("fix a domain that libvirt has", PIPE),
            example("what would change", "gvtg-xml fix --libvirt installed --diff win10.xml"),
            example("fix files", "gvtg-xml fix --libvirt installed --in-place win10.xml vms"),
        ],
        exit_status: &[
            ("0", "Nothing is left; with --diff and --check: nothing would change"),
            ("1", "Something is left that it does not mend, and the document is written; with --diff and --check: something would change"),
            ("2", "It could not be done, and stdout is empty"),
        ],
        files: &[CONFIGURATION],
        see_also: &["virsh(1)", "virt-xml-validate(1)"],
    },
    Page {
        command: "emit",
        usual: &[],
        description: &[
            "Prints a file that the host needs for domains with vGPUs, or writes it below a root folder, at its place and with its mode. / is this machine.",
            "A file that says something else is not replaced without --force, unless an earlier `emit all` wrote it and it is unchanged. What is still to be \
             done then is said on stderr. `emit all --force` keeps a file of the user's that it replaces below /etc/gvtg-xml/replaced.",
            "`emit all --remove` is the way back. It removes each file in the manifest that is unchanged, puts back what --force replaced, and removes the folders \
             that were created for the files if they are empty, and then the manifest. A file that was changed stays, and is reported on stderr.",
        ],
        examples: &[
            example("all that this host needs", "virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /"),
            example("look at the hook first", "gvtg-xml emit hook win10.xml"),
        ],
        exit_status: &[
            ("0", "The files are written or removed"),
            ("1", "With --diff and --dry-run: something would change; with --remove: a file was changed, and was left"),
            ("2", "It could not be done, and nothing is written"),
        ],
        files: &[
            ("/etc/libvirt/hooks/qemu.d/gvtg", "The hook that makes a domain's vGPUs when it starts"),
            ("/etc/modules-load.d/gvt.conf", "The kernel modules to load at boot"),
            ("/etc/modprobe.d/gvtg.conf", "The kernel parameters, as options of modules"),
            ("/etc/gvtg-xml/manifest", "What `emit all` has written"),
            ("/etc/gvtg-xml/replaced", "The user's files that `emit all --force` has replaced"),
            CONFIGURATION,
        ],
        see_also: &["virsh(1)", "mdevctl(8)", "modprobe.d(5)", "modules-load.d(5)"],
    },
    kind(
        "emit hook",
        &[
            example("for this host", "sudo gvtg-xml emit hook --root / vms"),
            example("on stdout", "virsh dumpxml --inactive win10 | gvtg-xml emit hook"),
        ],
    ),
    kind("emit modules", &[example("for this host", "sudo gvtg-xml emit modules --root /"), example("on stdout", "gvtg-xml emit modules")]),
    kind(
        "emit cmdline",
        &[
            example("the words alone", "gvtg-xml emit cmdline"),
            example("what would change in GRUB's files", "gvtg-xml emit cmdline --bootloader grub --root / --diff"),
        ],
    ),
    kind(
        "emit modprobe",
        &[example("for this host", "sudo gvtg-xml emit modprobe --root /"), example("on stdout", "gvtg-xml emit modprobe")],
    ),
    kind(
        "emit nodedev",
        &[
            example("have libvirt define a domain's vGPU", "gvtg-xml emit nodedev win10.xml > vgpu.xml && virsh nodedev-define vgpu.xml"),
            example("of another type", "gvtg-xml emit nodedev --type i915-GVTg_V5_8 win10.xml"),
        ],
    ),
    kind(
        "emit mdevctl",
        &[
            example("for this host", "sudo gvtg-xml emit mdevctl --root / win10.xml"),
            example("as commands", "gvtg-xml emit mdevctl --commands win10.xml"),
        ],
    ),
    kind(
        "emit filter",
        &[
            example("for this host", "sudo gvtg-xml emit filter --root /"),
            example("with a window on another display", "gvtg-xml emit filter --display-env :1"),
        ],
    ),
    kind("emit udev", &[example("for this host", "sudo gvtg-xml emit udev --root /"), example("on stdout", "gvtg-xml emit udev")]),
    kind(
        "emit qemu-conf",
        &[
            example("the lines", "gvtg-xml emit qemu-conf"),
            example("for a GPU at another address", "gvtg-xml emit qemu-conf --pci 0000:00:02.0"),
        ],
    ),
    Page {
        usual: &["style", "bootloader", "vgpu_type", "root", "diff", "force", "remove", "quiet"],
        ..kind(
            "emit all",
            &[
                example("all that this host needs", "virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /"),
                example("what would change there", "gvtg-xml emit all --root / --diff win10.xml"),
                example("remove it all", "sudo gvtg-xml emit all --root / --remove"),
            ],
        )
    },
    Page {
        command: "host",
        usual: &[],
        description: &[
            "Says whether this machine can run guests with vGPUs, and what to do first if it can't: kernel, modules, parameters, libvirt and its hook. \
             With domains it also says whether they, the hook and the GPU agree. It changes nothing, and starts no program.",
            "To prepare a host: `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, then what it prints (initramfs, reboot), \
             then `sudo gvtg-xml host`. After the first command and until the reboot, the reboot is the first thing to do.",
        ],
        examples: &[
            example("can this machine do it?", "sudo gvtg-xml host"),
            example("and these domains?", "sudo gvtg-xml host vms"),
            example("prepare it", "virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /"),
        ],
        exit_status: &[("0", "Nothing keeps vGPUs from working"), ("1", "Something does"), FAILED],
        files: &[("/sys, /proc, /etc", "Below --root: what it looks at"), CONFIGURATION],
        see_also: &["virt-host-validate(1)", "mdevctl(8)"],
    },
    Page {
        command: "config",
        usual: &["format", "config", "isolated", "unsafe_fixes", "libvirt"],
        description: &[
            "Shows what is in force for a file, and who said it: a flag, a line of gvtg-xml.toml, or nobody. It takes the flags of gvtg-xml-lint(1).",
        ],
        examples: &[
            example("in this folder", "gvtg-xml config"),
            example("for a file that need not be there", "gvtg-xml config vms/win10.xml"),
            example("for a program, with a flag", "gvtg-xml config --libvirt 9.0 --format json"),
        ],
        exit_status: &[("0", "It is shown"), ("2", "The configuration can't be read, or something in it is wrong")],
        files: &[CONFIGURATION],
        see_also: &[],
    },
    Page {
        command: "explain",
        usual: &[],
        description: &[
            "Explains rules and groups of rules by their names, and what libvirt, QEMU or the kernel said: a message, a piece of one, or a log. \
             Without a word it lists all rules, or reads the log that is piped in.",
        ],
        examples: &[
            example("a rule", "gvtg-xml explain stray-video"),
            example("a message", "gvtg-xml explain \"Display 'gtk' is not available\""),
            example("what went wrong, out of a log", "gvtg-xml explain win10.log"),
        ],
        exit_status: &[("0", "Something was explained"), ("1", "Something is not known"), ("2", "A log can't be read")],
        files: &[("/var/log/libvirt/qemu/NAME.log", "What QEMU said of the domain NAME"), CONFIGURATION],
        see_also: &["virsh(1)", "journalctl(1)", "dmesg(1)"],
    },
    Page {
        command: "lsp",
        usual: &["only", "ignore", "all", "config", "libvirt", "display"],
        description: &[
            "Serves an editor, which starts it and talks to it on stdin and stdout: findings while you type, fixes, and pages about rules. \
             The editor's settings have the names of the flags.",
        ],
        examples: &[
            example("for another libvirt", "gvtg-xml lsp --libvirt 9.0"),
            example("with one configuration for all", "gvtg-xml lsp --config vms/gvtg-xml.toml"),
        ],
        exit_status: &[("0", "The editor has ended the session"), ("1", "It went away without a word"), FAILED],
        files: &[CONFIGURATION],
        see_also: &[],
    },
    Page {
        command: "types",
        usual: &[],
        description: &["Lists the types of vGPUs with what they take, how many fit this machine's GPU, and how many more fit now."],
        examples: &[example("for people", "gvtg-xml types"), example("for a program", "gvtg-xml types --format json")],
        exit_status: &[("0", "They are listed"), FAILED],
        files: &[("/sys/bus/pci/devices, /sys/class/mdev_bus", "Below --root: what the GPU and the kernel offer")],
        see_also: &["mdevctl(8)"],
    },
    Page {
        command: "kubevirt",
        usual: &[],
        description: &[
            "Is KubeVirt's hook onDefineDomain: prints the domain that is to be defined, mended or as it is, on stdout, and what was done on stderr. A \
             program of the name onDefineDomain, such as a link to this one, is this command.",
            "What shows the guest stays, as there is no X display in a pod: the vGPU gets what Intel's driver in the guest needs. --display has the vGPU shown \
             too. The VM's annotation gvtg-xml/flags says for one VM what flags say for all; a flag counts before it.",
        ],
        examples: &[
            example("as KubeVirt calls it", "gvtg-xml kubevirt --vmi '{}' --domain \"$(cat win10.xml)\""),
            example("show the vGPU over VNC", "gvtg-xml kubevirt --display egl-headless --vmi '{}' --domain \"$(cat win10.xml)\""),
        ],
        exit_status: &[
            ("0", "The domain is printed, whatever is left"),
            ("2", "It could not be done, stdout is empty, and KubeVirt does not start the VM"),
        ],
        files: &[("/usr/bin/onDefineDomain", "In the sidecar's image: a link to this program, or a script that runs it")],
        see_also: &["virsh(1)"],
    },
    Page {
        command: "generate",
        usual: &[],
        description: &[
            "Prints what packages and settings are made of: manual pages, completions for shells, a problem matcher, the configuration's schema.",
        ],
        examples: &[
            example("all manual pages", "gvtg-xml generate man ~/.local/share/man/man1"),
            example("completions for bash", "gvtg-xml generate bash > ~/.local/share/bash-completion/completions/gvtg-xml"),
            example("for zsh, in a folder of $fpath", "gvtg-xml generate zsh > ~/.zfunc/_gvtg-xml"),
        ],
        exit_status: &[("0", "It is printed or written"), FAILED],
        files: &[],
        see_also: &["bash(1)", "zsh(1)", "fish(1)"],
    },
];
