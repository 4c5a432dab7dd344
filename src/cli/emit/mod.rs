//! `gvtg-xml emit`: the files that the host needs, on stdout or below a root folder.

use super::error::fail;
use super::{Status, io};
use crate::domain::Settings;
use crate::emit::{Destination, File, FollowUp, manifest, step};
use crate::host::Root;
use crate::host::generation::Generation;
use crate::host::gpu;

mod error;
mod files;
mod filter;
mod flags;
pub(super) mod guests;
mod parameters;
mod remove;
mod stage;
mod tree;

use error::EmitError;
use files::{files, read_bytes};
pub(super) use flags::EmitArgs;
use flags::{Kind, OutputArgs};

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
    let result = files(&args.kind, &root).and_then(|mut files| match output.root {
        Some(_) if files.iter().all(is_configuration) => print(&files, output.quiet),
        Some(_) => {
            if !is_all {
                let listed = root.text(manifest::PATH).present();
                files.extend(listed.and_then(|text| {
                    manifest::updated(&text, &files, |path| read_bytes(&root, path))
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
