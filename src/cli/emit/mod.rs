//! `gvtg-xml emit`: the host's side of domains, on stdout or below a root folder.

use uuid::Uuid;

use super::lint::fail;
use super::{Status, io};
use crate::emit::{
    File, Guest, Place, Step, cmdline, filter as filter_file, hook, manifest, mdevctl, modprobe, modules, nodedev, qemu_conf, shell, step,
    udev,
};
use crate::host::gpu::{self, Generation};
use crate::host::{Root, boot};
use crate::settings::Settings;

mod filter;
mod flags;
pub(super) mod guests;
mod stage;
mod tree;

pub(super) use flags::EmitArgs;
use flags::{Bootloader, Kind, OutputArgs, StyleChoice};
use guests::{GuestArgs, say_defaults, settings_here};

#[inline(never)]
pub(super) fn run(args: &EmitArgs) -> Status {
    let output = args.kind.output();
    let root = Root::new(output.root.clone().unwrap_or_else(|| "/".into()));
    if !output.quiet {
        say_unfit(&root);
    }
    let done = files(&args.kind, &root).and_then(|files| match output.root {
        Some(_) => tree::write(&root, &files, output),
        None => print(&files, output.quiet),
    });
    done.unwrap_or_else(|message| fail(&message))
}

/// The files of a kind, for the machine below this root.
fn files(kind: &Kind, root: &Root) -> Result<Vec<File>, String> {
    let own = &command(&["--root"]);
    let quiet = kind.output().quiet;
    let read = |guests: &GuestArgs| {
        let guests = guests.read(root)?;
        if !quiet {
            say_defaults(&guests);
        }
        Ok::<_, String>(guests)
    };
    Ok(match kind {
        Kind::Hook { style, guests, .. } => vec![hook::file(&read(guests)?, style.style(), own)],
        Kind::Modules { .. } => vec![modules::file()],
        Kind::Cmdline { bootloader, .. } => vec![parameters(*bootloader, root, quiet)?],
        Kind::Modprobe { .. } => vec![modprobe::file()],
        Kind::Udev { .. } => vec![udev::file()],
        Kind::Filter { filter, .. } => vec![filter_file::file(&filter.flags(), own)],
        Kind::QemuConf { pci, origin, .. } => {
            let pci = match pci {
                Some(pci) => pci.clone(),
                None => settings_here(origin)?.pci().to_owned(),
            };
            vec![qemu_conf::file(&gpu::render_devices(root, &pci), own)]
        }
        Kind::Nodedev { only, guests, .. } => {
            let guests = chosen(read(guests)?, *only)?;
            let one = |guest: &Guest| guest.vgpus.iter().map(|vgpu| nodedev::file(guest, vgpu, own)).collect::<Vec<_>>();
            guests.iter().flat_map(one).collect()
        }
        Kind::Mdevctl { only, commands, autostart, guests, .. } => {
            let guests = chosen(read(guests)?, *only)?;
            if *autostart && !quiet {
                io::complain(mdevctl::AUTOSTART);
            }
            if *commands {
                vec![mdevctl::commands(&guests, *autostart, own)]
            } else {
                guests.iter().flat_map(|guest| &guest.vgpus).map(|vgpu| mdevctl::file(vgpu, *autostart)).collect()
            }
        }
        Kind::All { style, bootloader, guests, .. } => {
            let guests = read(guests)?;
            // The command that makes the hook alone, so that it is the same whatever else is made with it.
            let alone = command(&["--root", "--bootloader"]).replacen("emit all", "emit hook", 1);
            let mut hook = hook::file(&guests, style.style(), &alone);
            if *style != StyleChoice::Session {
                hook.then.push(Step::LetWindowIn);
            }
            let mut files = vec![hook, modules::file()];
            files.push(match bootloader {
                Some(bootloader) => parameters(*bootloader, root, quiet)?,
                None => modprobe::file(),
            });
            if *style == StyleChoice::Session {
                files.push(udev::file());
            }
            files.push(manifest::file(&files, &guests, own));
            files
        }
    })
}

/// Says so where the machine's GPU is one that makes no vGPUs, whatever is written.
fn say_unfit(root: &Root) {
    let unfit = |gpu: &gpu::Gpu| matches!(gpu.generation, Generation::Older | Generation::Newer(_));
    if let Some(gpu) = gpu::at(root, Settings::default().pci()).present().filter(unfit) {
        io::complain(&format!("the {} makes no vGPUs, with these files or without: `gvtg-xml host` says what to use instead", gpu.title()));
    }
}

fn parameters(bootloader: Bootloader, root: &Root, quiet: bool) -> Result<File, String> {
    Ok(match bootloader {
        Bootloader::Grub => cmdline::grub(),
        Bootloader::SystemdBoot => cmdline::systemd_boot(),
        Bootloader::Raw => cmdline::raw(),
        Bootloader::KernelInstall => {
            let line = boot::command_line(root).ok_or(
                "there is no command line to add the parameters to, neither in etc/kernel/cmdline nor in proc/cmdline\n  \
                 help: a file with the parameters alone would leave the host without its root=: run it on that machine",
            )?;
            if let Some(why) = line.unfit() {
                return Err(format!("{}: {why}\n  help: give --bootloader raw, and add the words by hand", root.shown(line.path)));
            }
            if !quiet {
                io::complain(&format!("the command line is that of {}, and what it lacks", line.path));
            }
            cmdline::kernel_install(&line.text)
        }
    })
}

/// The guests with the one vGPU that was asked for; all of them where none was.
fn chosen(mut guests: Vec<Guest>, only: Option<Uuid>) -> Result<Vec<Guest>, String> {
    let Some(only) = only else { return Ok(guests) };
    for guest in &mut guests {
        guest.vgpus.retain(|vgpu| vgpu.uuid == only);
    }
    guests.retain(|guest| !guest.vgpus.is_empty());
    if guests.is_empty() { Err(format!("no domain there has the vGPU {only}")) } else { Ok(guests) }
}

/// Prints the one file that there is.
fn print(files: &[File], quiet: bool) -> Result<Status, String> {
    let [file] = files else {
        let help = "give --only UUID for one of them; emit mdevctl takes --root DIR or --commands for all";
        return Err(format!("there are {} vGPUs, and stdout holds one file\n  help: {help}", files.len()));
    };
    io::print(&file.text)?;
    if !quiet {
        match &file.place {
            Place::At(path) => io::complain(&format!("for {path}, mode {:o}", file.mode)),
            Place::Elsewhere(what) => io::complain(what),
        }
        say_next(file.then.clone());
    }
    Ok(Status::Clean)
}

/// Says what to do with what was written, in order.
fn say_next(steps: impl IntoIterator<Item = Step>) {
    for step in step::merge(steps) {
        io::complain(&format!("then {}", step.text()));
    }
}

/// The command that was given, as it can be given again, without the flags that say where its output goes and without these, which have
/// a value.
fn command(without: &[&str]) -> String {
    let mut command = String::from("gvtg-xml");
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        if without.contains(&word.as_str()) {
            words.next();
        } else if !OF_OUTPUT.contains(&word.as_str()) && !word.split_once('=').is_some_and(|(flag, _)| without.contains(&flag)) {
            command.push(' ');
            command.push_str(&shell::argument(&word));
        }
    }
    command
}

const OF_OUTPUT: &[&str] = &["--diff", "--force", "--quiet", "-q"];
