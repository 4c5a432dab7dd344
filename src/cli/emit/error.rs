//! The errors of `emit`.

use miette::Diagnostic;
use thiserror::Error;
use uuid::Uuid;

use super::super::io::StdoutError;
use super::guests::GuestsError;
use super::tree::TreeError;

/// An error of `emit`.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum EmitError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Guests(#[from] GuestsError),
    #[error("none of these domains has the vGPU {uuid}")]
    NoSuchVgpu { uuid: Uuid },
    #[error("there are {count} vGPUs, but only one file can go to stdout")]
    #[diagnostic(help(
        "choose one with --only UUID; for all of them, use `emit mdevctl` with --root DIR or --commands"
    ))]
    SeveralVgpus { count: usize },
    #[error("{path}: NixOS links this hook from its store, which is read-only")]
    #[diagnostic(help(
        "write the new hook to the file that virtualisation.libvirtd.hooks.qemu.{name} names: run `gvtg-xml emit hook win10.xml > hook && \
         sudo install -m 755 hook /etc/nixos/{name}`, then `sudo nixos-rebuild switch`"
    ))]
    ReadOnlyHook {
        path: String,
        /// The file name of the hook.
        name: String,
    },
    #[error("NixOS generates its boot entries from its configuration")]
    #[diagnostic(help("leave out --bootloader, and the parameters are printed as a NixOS option"))]
    BootloaderOnNixos,
    #[error(
        "there is no command line to add the parameters to: neither etc/kernel/cmdline nor proc/cmdline has one"
    )]
    #[diagnostic(help(
        "run this on the machine itself: a file with only these parameters would have no root=, and the host would not boot"
    ))]
    NoCommandLine,
    #[error("{path}: {reason}")]
    #[diagnostic(help("use `--bootloader raw`, and add the parameters by hand"))]
    UnsuitableCommandLine { path: String, reason: &'static str },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdout(#[from] StdoutError),
}
