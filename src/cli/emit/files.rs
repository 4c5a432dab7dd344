//! The files of each kind, for the machine below a root.

use std::fs;

use uuid::Uuid;

use super::super::io;
use super::error::EmitError;
use super::flags::{Kind, StyleChoice};
use super::guests::{GuestArgs, local_settings, print_default_types};
use super::parameters::{parameters, reject_bootloader_on_nixos};
use crate::emit::manifest::Manifest;
use crate::emit::nixos::Part;
use crate::emit::{
    File, FollowUp, Guest, filter as filter_file, hook, manifest, mdevctl, modprobe, modules,
    nixos, nodedev, qemu_conf, shell, udev,
};
use crate::host::system::System;
use crate::host::{Root, gpu};

/// Returns the files of a kind, for the machine below this root.
pub(super) fn files(kind: &Kind, root: &Root) -> Result<Vec<File>, EmitError> {
    let generated_by = &command(&["--root"]);
    let quiet = kind.output().quiet;
    let read = |guests: &GuestArgs| {
        let guests = guests.read(root, "sudo gvtg-xml emit all --root /")?;
        if !quiet {
            print_default_types(&guests);
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
            let old = read_manifest(root);
            let kept_entries = remaining_manifest(root, &old, &files);
            files.push(manifest::file(
                &files,
                &old,
                kept_entries,
                |path| read_bytes(root, path),
                (&guests, generated_by),
            ));
            files
        }
    })
}

/// Reads the manifest below the root; empty if there is none.
pub(super) fn read_manifest(root: &Root) -> Manifest {
    root.text(manifest::PATH).present().map(|text| Manifest::read(&text)).unwrap_or_default()
}

/// Reads a file below the root; `None` if it does not exist or can't be read.
pub(super) fn read_bytes(root: &Root, path: &str) -> Option<Vec<u8>> {
    let path = root.resolve(path).ok()?;
    if path.is_file() { fs::read(path).ok() } else { None }
}

/// Returns the files of an earlier run that these do not replace, and the folders that either run
/// creates.
fn remaining_manifest(root: &Root, old: &Manifest, files: &[File]) -> Manifest {
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

/// Keeps only the vGPU with this uuid, and the guests that have it; without a uuid, all of them.
fn select_vgpu(mut guests: Vec<Guest>, only: Option<Uuid>) -> Result<Vec<Guest>, EmitError> {
    let Some(only) = only else { return Ok(guests) };
    for guest in &mut guests {
        guest.vgpus.retain(|vgpu| vgpu.uuid == only);
    }
    guests.retain(|guest| !guest.vgpus.is_empty());
    if guests.is_empty() { Err(EmitError::NoSuchVgpu { uuid: only }) } else { Ok(guests) }
}

/// Returns this run's command line so that it can be repeated, without the output flags and without
/// the flags in `without`, each of which takes a value.
pub(super) fn command(without: &[&str]) -> String {
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
