//! The flags of `gvtg-xml emit`, a subcommand for each kind of file.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::super::flags::OriginArgs;
use super::super::{pci, uuid};
use super::filter::FilterArgs;
use super::guests::GuestArgs;
use crate::emit::hook::Style;

/// The flags of `emit`.
#[derive(Args, Debug)]
pub(in crate::cli) struct EmitArgs {
    #[command(subcommand)]
    pub(super) kind: Kind,
}

/// The arguments that say what to write, and have no place beside `--remove`. `--dry-run` needs them too: clap does not ask for a required
/// `--remove` where one of them rules it out.
const OF_WRITING: [&str; 8] = ["files", "uuid", "vgpu_type", "pci", "style", "bootloader", "diff", "force"];

#[derive(Subcommand, Debug)]
pub(super) enum Kind {
    /// The libvirt hook that makes a domain's vGPUs
    Hook {
        /// How libvirt calls it
        #[arg(long, value_enum, default_value_t = StyleChoice::Dropin)]
        style: StyleChoice,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel modules, for /etc/modules-load.d
    Modules {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel parameters, for a bootloader
    Cmdline {
        /// In which form
        #[arg(long, value_name = "FORM", value_enum, default_value_t = Bootloader::Raw)]
        bootloader: Bootloader,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel parameters as options of modules, for /etc/modprobe.d
    Modprobe {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// A vGPU as libvirt's node device, in place of the hook
    ///
    /// libvirt keeps it in mdevctl's files, so it is this or `emit mdevctl`. Nobody starts it by itself.
    Nodedev {
        /// Of several vGPUs, the one with this uuid
        #[arg(long, value_name = "UUID", value_parser = uuid)]
        only: Option<Uuid>,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// A vGPU as mdevctl's file, in place of the hook
    Mdevctl {
        /// Of several vGPUs, the one with this uuid
        #[arg(long, value_name = "UUID", value_parser = uuid)]
        only: Option<Uuid>,
        /// Print commands instead of mdevctl's file
        #[arg(long)]
        commands: bool,
        /// Have the vGPUs made at boot
        #[arg(long)]
        autostart: bool,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The libvirt hook that converts VMs from other machines
    ///
    /// It is called for VMs that come by `virsh migrate --offline`, and gives those with a vGPU the form that this machine's libvirt reads. It changes
    /// what QEMU is given and nothing else; what is not right then comes as it is.
    Filter {
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The udev rule for vGPUs in a qemu:///session
    Udev {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Lines for qemu.conf, by which QEMU sees the GPU
    QemuConf {
        /// The Intel GPU's PCI address [default: 0000:00:02.0]
        #[arg(long, value_name = "ADDRESS", value_parser = pci)]
        pci: Option<String>,
        #[command(flatten)]
        origin: OriginArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// All that a host needs, below --root
    ///
    /// The hook, the modules, the kernel parameters, and a manifest of them. With --style session the udev rule, too. nodedev and mdevctl stand in place of the hook, and qemu-conf goes into a file of yours:
    /// they are not in it.
    #[command(mut_arg("root", |root| root.required(true)))]
    All {
        /// How libvirt calls the hook
        #[arg(long, value_enum, default_value_t = StyleChoice::Dropin)]
        style: StyleChoice,
        /// Where the kernel parameters go [default: modprobe]
        #[arg(long, value_name = "FORM", value_enum)]
        bootloader: Option<Bootloader>,
        /// Remove what it wrote, if it is unchanged
        #[arg(long, conflicts_with_all = OF_WRITING)]
        remove: bool,
        /// Only say what --remove would remove
        #[arg(long, requires = "remove", conflicts_with_all = OF_WRITING)]
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
    /// Replace files that say something else
    #[arg(long, requires = "root")]
    pub(super) force: bool,
    /// Print no notes on stderr
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// How libvirt calls the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StyleChoice {
    /// A file in hooks/qemu.d (libvirt 6.5 and later)
    #[value(name = "qemu.d")]
    Dropin,
    /// The one file hooks/qemu (before libvirt 6.5)
    Qemu,
    /// For qemu:///session: asks with pkexec for root's rights
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

/// What takes the kernel parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Bootloader {
    /// A file for /etc/default/grub.d
    Grub,
    /// Lines to append to entries in loader/entries
    SystemdBoot,
    /// /etc/kernel/cmdline: the line that this machine has, and what it lacks
    KernelInstall,
    /// The words alone, to append to what there is
    Raw,
}

impl Kind {
    /// Where its output goes; each kind has that.
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
