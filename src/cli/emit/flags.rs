//! The flags of `gvtg-xml emit`, with a subcommand per kind of file.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::super::flags::OriginArgs;
use super::super::{pci, uuid};
use super::filter::FilterArgs;
use super::guests::GuestArgs;
use crate::emit::hook::Style;

/// The flags of `gvtg-xml emit`.
#[derive(Args, Debug)]
pub(in crate::cli) struct EmitArgs {
    #[command(subcommand)]
    pub(super) kind: Kind,
}

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
    Modules {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel parameters, for a boot loader
    Cmdline {
        /// Form of the output
        #[arg(long, value_name = "FORM", value_enum, default_value_t = Bootloader::Raw)]
        bootloader: Bootloader,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel parameters as module options, for /etc/modprobe.d
    Modprobe {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// A vGPU as a libvirt node device, instead of the hook
    ///
    /// libvirt stores it in mdevctl's files, so use either this or `emit mdevctl`. It is not
    /// started automatically.
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
    Mdevctl {
        /// Use only the vGPU with this UUID
        #[arg(long, value_name = "UUID", value_parser = uuid)]
        only: Option<Uuid>,
        /// Print mdevctl commands instead of a file
        #[arg(long)]
        commands: bool,
        /// Create the vGPUs at boot
        #[arg(long)]
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
    Filter {
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The udev rule for vGPUs in qemu:///session
    Udev {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Lines for qemu.conf that let QEMU open the GPU
    QemuConf {
        /// The Intel GPU's PCI address [default: 0000:00:02.0]
        #[arg(long, value_name = "ADDRESS", value_parser = pci)]
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
    #[command(mut_arg("root", |root| root.required(true)))]
    All {
        /// How libvirt runs the hook
        #[arg(long, value_enum, default_value_t = StyleChoice::Dropin)]
        style: StyleChoice,
        /// Where kernel parameters go, if not modprobe.d
        #[arg(long, value_name = "FORM", value_enum)]
        bootloader: Option<Bootloader>,
        /// Remove the files it wrote, if unchanged
        #[arg(long, conflicts_with_all = WRITING_ARGUMENTS)]
        remove: bool,
        /// List what --remove would remove
        #[arg(long, requires = "remove", conflicts_with_all = WRITING_ARGUMENTS)]
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
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Show what would change below --root
    #[arg(long, requires = "root", conflicts_with = "force")]
    pub(super) diff: bool,
    /// Overwrite files with different content
    #[arg(long, requires = "root")]
    pub(super) force: bool,
    /// Print no notes on stderr
    #[arg(long, short)]
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
