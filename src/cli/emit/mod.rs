//! `gvtg-xml emit`: the files that the host needs, on stdout or below a root folder.

use std::fs;

use miette::Diagnostic;
use thiserror::Error;
use uuid::Uuid;

use super::error::fail;
use super::io::StdoutError;
use super::{Status, io};
use crate::domain::Settings;
use crate::emit::manifest::Manifest;
use crate::emit::nixos::Part;
use crate::emit::{
    Destination, File, FollowUp, Guest, cmdline, filter as filter_file, hook, manifest, mdevctl,
    modprobe, modules, nixos, nodedev, qemu_conf, shell, step, udev,
};
use crate::host::generation::Generation;
use crate::host::gpu;
use crate::host::kernel::words;
use crate::host::system::System;
use crate::host::{Root, boot};

mod filter;
mod flags;
pub(super) mod guests;
mod remove;
mod stage;
mod tree;

pub(super) use flags::EmitArgs;
use flags::{Bootloader, Kind, OutputArgs, StyleChoice};
use guests::{GuestArgs, GuestsError, local_settings, say_defaults};
use tree::TreeError;

/// An error of `emit`.
#[derive(Debug, Error, Diagnostic)]
enum EmitError {
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

pub(super) fn run(args: &EmitArgs) -> Status {
    let output = args.kind.output();
    let root = Root::new(output.root.clone().unwrap_or_else(|| "/".into()));
    if let Kind::All { remove: true, dry_run, .. } = args.kind {
        return remove::remove(&root, dry_run, output.quiet).unwrap_or_else(|error| fail(&error));
    }
    if !output.quiet {
        warn_unsupported_gpu(&root);
    }
    let is_all = matches!(args.kind, Kind::All { .. });
    let result =
        files(&args.kind, &root).and_then(|mut files| match output.root {
            Some(_) if files.iter().all(is_configuration) => print(&files, output.quiet),
            Some(_) => {
                if !is_all {
                    let listed = root.text(manifest::PATH).present();
                    files.extend(listed.and_then(|text| {
                        manifest::updated(&text, &files, |path| bytes(&root, path))
                    }));
                }
                Ok(tree::write(&root, &files, is_all, output)?)
            }
            None => print(&files, output.quiet),
        });
    result.unwrap_or_else(|error| fail(&error))
}

/// Whether this is part of a NixOS configuration, which is printed instead of written below the
/// root.
fn is_configuration(file: &File) -> bool {
    file.path().is_none() && file.follow_ups.contains(&FollowUp::RebuildNixos)
}

/// Returns the files of a kind, for the machine below this root.
fn files(kind: &Kind, root: &Root) -> Result<Vec<File>, EmitError> {
    let generated_by = &command(&["--root"]);
    let quiet = kind.output().quiet;
    let read = |guests: &GuestArgs| {
        let guests = guests.read(root, "sudo gvtg-xml emit all --root /")?;
        if !quiet {
            say_defaults(&guests);
        }
        Ok::<_, EmitError>(guests)
    };
    let system = System::read(root);
    let is_nixos = system == System::Nixos;
    let is_written = kind.output().root.is_some();
    let hook_for_system = |file: File| match is_nixos {
        true if is_written => ensure_writable(root, nixos::hook(file)),
        true => Ok(nixos::hook(file)),
        false => Ok(file),
    };
    Ok(match kind {
        Kind::Hook { style, guests, .. } => {
            vec![hook_for_system(hook::file(&read(guests)?, style.style(), generated_by))?]
        }
        Kind::Filter { filter, .. } => {
            vec![hook_for_system(filter_file::file(&filter.flags(), generated_by))?]
        }
        Kind::Modules { .. } if is_nixos => vec![nixos::file(&[Part::Modules], generated_by)],
        Kind::Modprobe { .. } if is_nixos => {
            vec![nixos::file(&[Part::ModuleOptions], generated_by)]
        }
        Kind::Udev { .. } if is_nixos => vec![nixos::file(&[Part::Udev], generated_by)],
        Kind::Modules { .. } => vec![modules::file()],
        Kind::Cmdline { bootloader, .. } => vec![parameters(*bootloader, root, quiet)?],
        Kind::Modprobe { .. } => vec![with_steps_for(system, modprobe::file())],
        Kind::Udev { .. } => vec![udev::file()],
        Kind::QemuConf { pci, origin, .. } => {
            let pci = match pci {
                Some(pci) => pci.clone(),
                None => local_settings(origin)?.pci().to_owned(),
            };
            let devices = gpu::render_devices(root, &pci);
            if is_nixos {
                vec![nixos::file(&[Part::QemuConf(qemu_conf::list(&devices))], generated_by)]
            } else {
                vec![qemu_conf::file(&devices, generated_by)]
            }
        }
        Kind::Nodedev { only, guests, .. } => {
            let guests = select_vgpu(read(guests)?, *only)?;
            let files_of_guest = |guest: &Guest| {
                guest
                    .vgpus
                    .iter()
                    .map(|vgpu| nodedev::file(guest, vgpu, generated_by))
                    .collect::<Vec<_>>()
            };
            guests.iter().flat_map(files_of_guest).collect()
        }
        Kind::Mdevctl { only, commands, autostart, guests, .. } => {
            let guests = select_vgpu(read(guests)?, *only)?;
            if *autostart && !quiet {
                io::print_note(mdevctl::AUTOSTART);
            }
            if *commands {
                vec![mdevctl::commands(&guests, *autostart, generated_by)]
            } else {
                guests
                    .iter()
                    .flat_map(|guest| &guest.vgpus)
                    .map(|vgpu| mdevctl::file(vgpu, *autostart))
                    .collect()
            }
        }
        Kind::All { style, bootloader, guests, .. } => {
            let guests = read(guests)?;
            // The command that generates the hook alone, so that the hook does not depend on what
            // is written with it.
            let hook_command =
                command(&["--root", "--bootloader"]).replacen("emit all", "emit hook", 1);
            let mut hook = hook_for_system(hook::file(&guests, style.style(), &hook_command))?;
            if *style != StyleChoice::Session {
                hook.follow_ups.push(FollowUp::LetWindowIn);
            }
            let is_session = *style == StyleChoice::Session;
            let mut files;
            if is_nixos {
                if let Some(bootloader) = bootloader {
                    reject_bootloader_on_nixos(*bootloader)?;
                }
                let path = hook.path().unwrap_or_default().to_owned();
                let udev = is_session.then_some(Part::Udev);
                let parts: Vec<Part> = [Part::Parameters, Part::Modules, Part::Hook(path)]
                    .into_iter()
                    .chain(udev)
                    .collect();
                files = vec![hook, nixos::file(&parts, generated_by)];
            } else {
                files = vec![hook, modules::file()];
                files.push(match bootloader {
                    Some(bootloader) => parameters(*bootloader, root, quiet)?,
                    None => with_steps_for(system, modprobe::file()),
                });
                if is_session {
                    files.push(udev::file());
                }
            }
            let old = listed(root);
            let kept_entries = kept(root, &old, &files);
            files.push(manifest::file(
                &files,
                &old,
                kept_entries,
                |path| bytes(root, path),
                (&guests, generated_by),
            ));
            files
        }
    })
}

/// Reads the manifest below the root; empty if there is none.
fn listed(root: &Root) -> Manifest {
    root.text(manifest::PATH).present().map(|text| Manifest::read(&text)).unwrap_or_default()
}

/// Reads a file below the root; `None` if it does not exist or can't be read.
fn bytes(root: &Root, path: &str) -> Option<Vec<u8>> {
    let path = root.resolve(path).ok()?;
    if path.is_file() { fs::read(path).ok() } else { None }
}

/// Returns the files of an earlier run that these do not replace, and the folders that either run
/// creates.
fn kept(root: &Root, old: &Manifest, files: &[File]) -> Manifest {
    let mut kept = old.clone();
    let paths: Vec<&str> = files.iter().filter_map(File::path).collect();
    kept.entries.retain(|entry| {
        !paths.contains(&entry.path.as_str()) && (entry.replaced.is_some() || root.has(&entry.path))
    });
    kept.has_printed_parameters |=
        files.iter().any(|file| file.path().is_none() && file.follow_ups == [FollowUp::Reboot]);
    for path in paths.into_iter().chain([manifest::PATH]) {
        let folders = path
            .match_indices('/')
            .map(|(end, _)| &path[..end])
            .filter(|folder| !folder.is_empty());
        kept.folders.extend(folders.filter(|folder| !root.has(folder)).map(str::to_owned));
    }
    kept
}

/// Warns if the machine's GPU does not support GVT-g.
fn warn_unsupported_gpu(root: &Root) {
    let is_unsupported =
        |gpu: &gpu::Gpu| matches!(gpu.generation, Generation::Older | Generation::Newer(_));
    if let Some(gpu) = gpu::read(root, Settings::default().pci()).present().filter(is_unsupported) {
        io::print_note(&format!(
            "the {} does not support GVT-g, with or without these files: `gvtg-xml host` says what to use instead",
            gpu.title()
        ));
    }
}

/// Checks that the hook can be written: NixOS does not link it from its store, or links this very
/// text.
///
/// # Errors
/// Fails if the hook is a link to a different text in the store, which is read-only.
fn ensure_writable(root: &Root, file: File) -> Result<File, EmitError> {
    let Some(path) = file.path() else { return Ok(file) };
    let target = root.target(path).present().filter(|target| target.starts_with("/nix/store"));
    if target.is_none() || root.text(path).as_present() == Some(&file.text) {
        return Ok(file);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    Err(EmitError::ReadOnlyHook { path: root.shown(path), name: name.to_owned() })
}

/// Replaces the next steps of module options on rpm-ostree systems: module options never take
/// effect there, but kernel arguments do.
fn with_steps_for(system: System, mut file: File) -> File {
    if system == System::Ostree {
        file.follow_ups = vec![FollowUp::AppendKernelArguments, FollowUp::Reboot];
    }
    file
}

/// Rejects boot loader files on NixOS, which generates its own.
///
/// # Errors
/// Fails for every form but [`Bootloader::Raw`].
fn reject_bootloader_on_nixos(bootloader: Bootloader) -> Result<(), EmitError> {
    if bootloader == Bootloader::Raw {
        return Ok(());
    }
    Err(EmitError::BootloaderOnNixos)
}

fn parameters(bootloader: Bootloader, root: &Root, quiet: bool) -> Result<File, EmitError> {
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

/// Keeps only the vGPU with this uuid, and the guests that have it; without a uuid, all of them.
fn select_vgpu(mut guests: Vec<Guest>, only: Option<Uuid>) -> Result<Vec<Guest>, EmitError> {
    let Some(only) = only else { return Ok(guests) };
    for guest in &mut guests {
        guest.vgpus.retain(|vgpu| vgpu.uuid == only);
    }
    guests.retain(|guest| !guest.vgpus.is_empty());
    if guests.is_empty() { Err(EmitError::NoSuchVgpu { uuid: only }) } else { Ok(guests) }
}

/// Prints the file; fails unless there is exactly one.
fn print(files: &[File], quiet: bool) -> Result<Status, EmitError> {
    let [file] = files else {
        return Err(EmitError::SeveralVgpus { count: files.len() });
    };
    io::print(&file.text)?;
    if !quiet {
        match &file.place {
            Destination::At(path) => {
                io::print_note(&format!("install this as {path} (mode {:o})", file.mode))
            }
            Destination::Elsewhere(what) => io::print_note(what),
        }
        print_follow_ups(file.follow_ups.clone());
    }
    Ok(Status::Clean)
}

/// Prints the next steps, in order.
fn print_follow_ups(steps: impl IntoIterator<Item = FollowUp>) {
    for step in step::merge(steps) {
        io::print_note(&format!("then {}", step.text()));
    }
}

/// Returns this run's command line so that it can be repeated, without the output flags and without
/// the flags in `without`, each of which takes a value.
fn command(without: &[&str]) -> String {
    let mut command = String::from("gvtg-xml");
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        if without.contains(&word.as_str()) {
            words.next();
        } else if !OUTPUT_FLAGS.contains(&word.as_str())
            && !word.split_once('=').is_some_and(|(flag, _)| without.contains(&flag))
        {
            command.push(' ');
            command.push_str(&shell::argument(&word));
        }
    }
    command
}

const OUTPUT_FLAGS: &[&str] = &["--diff", "--force", "--quiet", "-q"];
