//! The check whether other users can change a hook, which runs as root.

use super::super::{CheckContext, CheckResult, HELP, Values};
use super::unreadable;
use crate::emit::shell::word;
use crate::host::owners::{Exposure, Link};
use crate::host::system::System;

pub(in crate::host::checks) fn writable_by_all(context: CheckContext<'_>) -> CheckResult {
    let libvirt = &context.host.libvirt;
    let mut files_read: Vec<String> = libvirt.hooks.iter().map(|hook| hook.path.clone()).collect();
    let finding = |exposure: &Exposure| {
        let mut values = vec![("what", exposure.users.clone())];
        match &exposure.link {
            Some(link) => {
                values.push((
                    "found",
                    format!("{}, to which the link {} leads", exposure.path, link.path),
                ));
                values.push((HELP, instead_of_link(context, link)));
            }
            None => values.push(("found", exposure.path.clone())),
        }
        values.push(("how", format!("{} {}", exposure.command, word(&exposure.path))));
        values
    };
    let findings: Vec<Values> = libvirt.exposed.iter().map(finding).collect();
    if !findings.is_empty() {
        files_read.extend(libvirt.exposed.iter().map(|exposure| exposure.path.clone()));
        files_read.dedup();
        return CheckResult::each(files_read, findings);
    }
    match unreadable(context) {
        Some((path, why)) => CheckResult::unreadable(path, why),
        None if files_read.is_empty() => CheckResult::skipped(),
        None => CheckResult::each(files_read, findings),
    }
}

/// The advice to replace a link, which leads to a file that other users can change, with a copy
/// that belongs to root.
fn instead_of_link(context: CheckContext<'_>, link: &Link) -> String {
    let (path, target) = (word(&link.path), word(&link.target));
    let name = link.path.rsplit('/').next().unwrap_or_default();
    if context.host.system == System::Nixos && !link.is_folder {
        return format!(
            "check its contents, then copy the file into the NixOS configuration: `sudo cp {target} {}`, set \
             `virtualisation.libvirtd.hooks.qemu.{name} = ./{name};`, and run `sudo nixos-rebuild switch`",
            word(&format!("/etc/nixos/{name}"))
        );
    }
    format!(
        "check its contents, then replace the link with a copy that belongs to root: `{}`",
        link.replacement(&target, &path)
    )
}
