//! The kernel parameters in the form for a boot loader.

use super::super::io;
use super::error::EmitError;
use super::files::command;
use super::flags::Bootloader;
use crate::emit::nixos::Part;
use crate::emit::{File, FollowUp, cmdline, nixos};
use crate::host::kernel::words;
use crate::host::system::System;
use crate::host::{Root, boot};

/// Rejects boot loader files on NixOS, which generates its own.
///
/// # Errors
/// Fails for every form but [`Bootloader::Raw`].
pub(super) fn reject_bootloader_on_nixos(bootloader: Bootloader) -> Result<(), EmitError> {
    if bootloader == Bootloader::Raw {
        return Ok(());
    }
    Err(EmitError::BootloaderOnNixos)
}

/// Returns the file with the kernel parameters for this boot loader.
pub(super) fn parameters(
    bootloader: Bootloader,
    root: &Root,
    quiet: bool,
) -> Result<File, EmitError> {
    if System::read(root) == System::Nixos {
        reject_bootloader_on_nixos(bootloader)?;
        return Ok(nixos::file(&[Part::Parameters], &command(&["--root"])));
    }
    Ok(match bootloader {
        Bootloader::Grub => {
            let mut file = cmdline::grub();
            let is_sourced = |file: &str| boot::grub_line_with(root, file).is_some();
            if System::read(root) != System::Debian
                && !is_sourced(cmdline::GRUB_FILE)
                && !is_sourced("/etc/default/grub.d/*.cfg")
            {
                file.follow_ups
                    .insert(0, FollowUp::SourceGrubFile(format!(". {}", cmdline::GRUB_FILE)));
            }
            file
        }
        Bootloader::SystemdBoot => cmdline::systemd_boot(),
        Bootloader::Raw => cmdline::raw(),
        Bootloader::KernelInstall => {
            let line = boot::command_line(root).ok_or(EmitError::NoCommandLine)?;
            if let Some(reason) = line.obstacle() {
                return Err(EmitError::UnsuitableCommandLine {
                    path: root.shown(line.path),
                    reason,
                });
            }
            if has_guc_submission(&line.text) {
                let advice = "remove it, or GVT-g stays off";
                io::print_note(&format!(
                    "{} sets i915.enable_guc, which turns on GuC submission: {advice}",
                    root.shown(line.path)
                ));
            }
            if !quiet {
                io::print_note(&format!(
                    "this is the command line in {} plus the missing parameters",
                    line.path
                ));
            }
            cmdline::kernel_install(&line.text)
        }
    })
}

/// Whether a kernel command line enables GuC submission, which disables i915's GVT-g: bit 0 of the
/// last value decides.
fn has_guc_submission(line: &str) -> bool {
    let last = words(line).into_iter().rfind(|word| word.name == "i915.enable_guc");
    last.and_then(|word| word.value?.parse::<i64>().ok())
        .is_some_and(|value| value > 0 && value & 1 == 1)
}
