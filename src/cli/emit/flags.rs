//! The flags of `gvtg-xml emit`, with a subcommand per kind of file.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use uuid::Uuid;

use super::super::flags::{CONFIGURATION_FILE, OriginArgs, common_flags};
use super::super::{pci, uuid};
use super::filter::FilterArgs;
use super::guests::GuestArgs;
use crate::emit::hook::Style;

/// Write the files that the host needs (emit all --root /)
///
/// Prints a file that the host needs for domains with vGPUs. With --root, it writes the file below
/// that folder instead, at its own path and with its own mode; / is this machine. The steps that
/// remain are printed on stderr.
///
/// An existing file with different content is only overwritten with --force, unless an earlier
/// `emit all` wrote it and it has not been changed since. If `emit all --force` overwrites a file
/// of yours, it keeps the old one below /etc/gvtg-xml/replaced.
///
/// `emit all --remove` undoes `emit all`. It removes each unchanged file listed in the manifest,
/// restores what --force replaced, and removes the manifest and the folders that were created for
/// the files, if they are empty. A file that was changed stays, and is reported on stderr.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /  # write everything this host \
      needs
  gvtg-xml emit hook win10.xml  # look at the hook first",
    after_long_help = format!("{EXIT_CODES}

Files:
  /etc/libvirt/hooks/qemu.d/gvtg  The hook that creates a domain's vGPUs when it starts
  /etc/modules-load.d/gvt.conf  The kernel modules to load at boot
  /etc/modprobe.d/gvtg.conf  The kernel parameters, as module options
  /etc/gvtg-xml/manifest  The list of files that `emit all` wrote
  /etc/gvtg-xml/replaced  Your files that `emit all --force` replaced
{CONFIGURATION_FILE}

See also:
  virsh(1), mdevctl(8), modprobe.d(5), modules-load.d(5)"),
    mut_subcommands(|kind| kind.after_long_help(EXIT_CODES).mut_args(common_flags(COMMON_FLAGS))),
)]
pub(in crate::cli) struct EmitArgs {
    #[command(subcommand)]
    pub(super) kind: Kind,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  The file was printed, or the files were written or removed
  1  With --diff or --dry-run: something would change; with --remove: a changed file was not removed
  2  The command failed; nothing was written, unless the message says otherwise";

/// The flags that `-h` lists, if a kind has them.
const COMMON_FLAGS: &[&str] = &[
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
    "remove",
    "quiet",
];

/// Arguments that concern writing, and conflict with `--remove`. `--dry-run` conflicts with them
/// too: clap does not enforce its required `--remove` if one of them conflicts with that.
const WRITING_ARGUMENTS: [&str; 8] =
    ["files", "uuid", "vgpu_type", "pci", "style", "bootloader", "diff", "force"];

#[derive(Subcommand, Debug)]
pub(super) enum Kind {
    /// The libvirt hook that creates a domain's vGPUs
    ///
    /// libvirt runs the hook when a VM starts and stops: it creates the VM's vGPUs and removes them
    /// again.
    #[command(after_help = "\
Examples:
  sudo gvtg-xml emit hook --root / vms  # install it on this host
  virsh dumpxml --inactive win10 | gvtg-xml emit hook  # print it")]
    Hook {
        /// How libvirt runs the hook
        #[arg(long, value_enum, default_value_t = StyleChoice::Dropin)]
        style: StyleChoice,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel modules to load, for /etc/modules-load.d
    #[command(after_help = "\
Examples:
  sudo gvtg-xml emit modules --root /  # install it on this host
  gvtg-xml emit modules  # print it")]
    Modules {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel parameters, for a boot loader
    #[command(after_help = "\
Examples:
  gvtg-xml emit cmdline  # print the parameters
  gvtg-xml emit cmdline --bootloader grub --root / --diff  # show what would change for GRUB")]
    Cmdline {
        /// Form of the output
        #[arg(long, value_name = "FORM", value_enum, default_value_t = Bootloader::Raw)]
        bootloader: Bootloader,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel parameters as module options, for /etc/modprobe.d
    #[command(after_help = "\
Examples:
  sudo gvtg-xml emit modprobe --root /  # install it on this host
  gvtg-xml emit modprobe  # print it")]
    Modprobe {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// A vGPU as a libvirt node device, instead of the hook
    ///
    /// libvirt stores it in mdevctl's files, so use either this or `emit mdevctl`. It is not
    /// started automatically.
    #[command(after_help = "\
Examples:
  gvtg-xml emit nodedev win10.xml > vgpu.xml && virsh nodedev-define vgpu.xml  # define a \
      domain's vGPU in libvirt
  gvtg-xml emit nodedev --type i915-GVTg_V5_8 win10.xml  # use another vGPU type")]
    Nodedev {
        /// Use only the vGPU with this UUID
        #[arg(long, value_name = "UUID", value_parser = uuid)]
        only: Option<Uuid>,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// A vGPU as an mdevctl file, instead of the hook
    #[command(after_help = "\
Examples:
  sudo gvtg-xml emit mdevctl --root / win10.xml  # install it on this host
  gvtg-xml emit mdevctl --commands win10.xml  # print mdevctl commands")]
    Mdevctl {
        /// Use only the vGPU with this UUID
        #[arg(long, value_name = "UUID", value_parser = uuid)]
        only: Option<Uuid>,
        /// Print mdevctl commands instead of a file
        #[arg(long)]
        commands: bool,
        /// Create the vGPUs at boot
        #[arg(
            long,
            long_help = "Create the vGPUs at boot. A host that is suspended while a vGPU exists \
                may hang, and the hook does not remove these vGPUs"
        )]
        autostart: bool,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The libvirt hook that converts VMs from other hosts
    ///
    /// libvirt runs it for VMs that arrive by `virsh migrate --offline`. It converts those with a
    /// vGPU to the syntax that this host's libvirt understands. It only changes settings that
    /// libvirt passes through to QEMU. If a VM needs other changes as well, it arrives unchanged.
    #[command(after_help = "\
Examples:
  sudo gvtg-xml emit filter --root /  # install it on this host
  gvtg-xml emit filter --display-env :1  # open QEMU windows on display :1")]
    Filter {
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The udev rule for vGPUs in qemu:///session
    #[command(after_help = "\
Examples:
  sudo gvtg-xml emit udev --root /  # install it on this host
  gvtg-xml emit udev  # print it")]
    Udev {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Lines for qemu.conf that let QEMU open the GPU
    #[command(after_help = "\
Examples:
  gvtg-xml emit qemu-conf  # print the lines
  gvtg-xml emit qemu-conf --pci 0000:03:00.0  # for a GPU at another address")]
    QemuConf {
        /// The Intel GPU's PCI address [default: 0000:00:02.0]
        #[arg(long, value_name = "ADDRESS", value_parser = pci)]
        #[arg(
            long_help = "The Intel GPU's PCI address [default: the one in the current folder's \
                configuration, or else 0000:00:02.0]"
        )]
        pci: Option<String>,
        #[command(flatten)]
        origin: OriginArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Everything that a host needs, below --root
    ///
    /// This writes the hook, the modules, the kernel parameters and a manifest, which lists these
    /// files; with --style session also the udev rule. It does not write nodedev and mdevctl (they
    /// replace the hook), filter (it is for VMs from other hosts) or qemu-conf (its lines belong in
    /// your own qemu.conf).
    #[command(
        after_help = "\
Examples:
  virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /  # write everything this host \
      needs
  gvtg-xml emit all --root / --diff win10.xml  # show what would change
  sudo gvtg-xml emit all --root / --remove  # remove it all",
        mut_arg("pci", |pci| pci.hide_short_help(true)),
        mut_arg("root", |root| root.required(true).long_help(
            "Write the files below this folder, at their usual paths and with the right \
                permissions, and print their paths; / is this machine",
        )),
    )]
    All {
        /// How libvirt runs the hook
        #[arg(long, value_enum, default_value_t = StyleChoice::Dropin)]
        style: StyleChoice,
        /// Where kernel parameters go, if not modprobe.d
        #[arg(long, value_name = "FORM", value_enum)]
        bootloader: Option<Bootloader>,
        /// Remove the files it wrote, if unchanged
        #[arg(long, conflicts_with_all = WRITING_ARGUMENTS)]
        #[arg(long_help = "Remove each file listed in the manifest below --root, unless it was \
                changed, and restore the files that --force replaced. Then remove the manifest and \
                the folders that were created for the files, if they are empty. No domain is read")]
        remove: bool,
        /// List what --remove would remove
        #[arg(long, requires = "remove", conflicts_with_all = WRITING_ARGUMENTS)]
        #[arg(
            long_help = "With --remove: list the files that would be removed, and remove nothing"
        )]
        dry_run: bool,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

#[derive(Args, Debug)]
pub(super) struct OutputArgs {
    /// Write below this folder; / is this machine
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(
        long_help = "Write the file below this folder instead of to stdout, at its usual path and \
            with the right permissions, and print its path; / is this machine"
    )]
    pub(super) root: Option<PathBuf>,
    /// Show what would change below --root
    #[arg(long, requires = "root", conflicts_with = "force")]
    pub(super) diff: bool,
    /// Overwrite files with different content
    #[arg(long, requires = "root")]
    #[arg(long_help = "Overwrite existing files whose content differs")]
    pub(super) force: bool,
    /// Print no notes on stderr
    #[arg(long, short, help_heading = "Output")]
    pub(super) quiet: bool,
}

/// The way in which libvirt runs the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StyleChoice {
    /// A file in hooks/qemu.d (libvirt 6.5 and later)
    #[value(name = "qemu.d")]
    Dropin,
    /// The single file hooks/qemu (before libvirt 6.5)
    Qemu,
    /// For qemu:///session: becomes root with pkexec
    Session,
}

impl StyleChoice {
    pub(super) fn style(self) -> Style {
        match self {
            StyleChoice::Dropin => Style::DropIn,
            StyleChoice::Qemu => Style::Whole,
            StyleChoice::Session => Style::Session,
        }
    }
}

/// Where the kernel parameters go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Bootloader {
    /// A file for /etc/default/grub.d
    Grub,
    /// Lines to append to the entries in loader/entries
    SystemdBoot,
    /// For /etc/kernel/cmdline: this machine's line plus the missing parameters
    KernelInstall,
    /// Only the parameters, to append to a command line
    Raw,
}

impl Kind {
    /// Returns the output flags, which each kind has.
    pub(super) fn output(&self) -> &OutputArgs {
        match self {
            Kind::Hook { output, .. }
            | Kind::Modules { output }
            | Kind::Cmdline { output, .. }
            | Kind::Modprobe { output }
            | Kind::Nodedev { output, .. }
            | Kind::Mdevctl { output, .. }
            | Kind::Filter { output, .. }
            | Kind::Udev { output }
            | Kind::QemuConf { output, .. }
            | Kind::All { output, .. } => output,
        }
    }
}
