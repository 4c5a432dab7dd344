//! The libvirt hook that converts VMs arriving from other machines to the XML syntax of this
//! machine's libvirt. Its script is `filter.sh`.

use super::{File, FollowUp, origin_comment, shell};

const FILTER: &str = include_str!("filter.sh");

/// The hook, which passes these flags to `fix` and `lint`.
pub fn file(flags: &[String], command: &str) -> File {
    let path = "/etc/libvirt/hooks/qemu.d/gvtg-filter";
    let (first, script) = FILTER.split_once('\n').unwrap_or_default();
    let what = "Converts VMs with a vGPU that arrive from another host (virsh migrate --offline) to the XML syntax that this host's libvirt understands.";
    let place = format!("Install it as {path} with mode 755 (libvirt 6.5 and later).");
    let flags: Vec<String> = flags.iter().map(|flag| shell::argument(flag)).collect();
    let (what, origin_comment) =
        (shell::comment(&format!("{what}\n{place}")), origin_comment(command));
    let text = format!("{first}\n{what}{origin_comment}#\n{script}\nfilter {}\n", flags.join(" "));
    File { mode: 0o755, ..File::at(path, text, vec![FollowUp::ReloadLibvirt]) }
}
