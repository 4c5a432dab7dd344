//! What is still to do when domains were fixed: `fix` writes a text, and no guest has a vGPU by that alone.

use std::path::PathBuf;

use crate::emit::shell;
use crate::lint::Guest;

/// The steps that are left for guests with vGPUs, of which some were changed now, as lines; empty where there is no such guest. `files` are
/// those that were written.
pub(super) fn steps(guests: &[(Guest, bool)], files: &[PathBuf]) -> String {
    let with_vgpu: Vec<&(Guest, bool)> = guests.iter().filter(|(guest, _)| guest.has_vgpu).collect();
    let changed = with_vgpu.iter().any(|(_, is_changed)| *is_changed);
    let name = match with_vgpu[..] {
        [] => return String::new(),
        [(Guest { name: Some(name), .. }, _)] => shell::argument(name),
        _ => "NAME".to_owned(),
    };
    let files: Vec<String> = files.iter().map(|file| shell::argument(&file.to_string_lossy())).collect();
    let (define, emit) = match &files[..] {
        [] => (
            "define what was written, unless a pipe does: virsh define --validate FILE".to_owned(),
            format!("virsh dumpxml --inactive {name} | sudo gvtg-xml emit all --root /"),
        ),
        [file] => (format!("virsh define --validate {file}"), format!("sudo gvtg-xml emit all --root / {file}")),
        files => ("virsh define --validate FILE, for each".to_owned(), format!("sudo gvtg-xml emit all --root / {}", files.join(" "))),
    };
    let prepare =
        format!("prepare the host for {}: {emit}, then what it prints (initramfs, reboot), then sudo gvtg-xml host", vgpus(&with_vgpu));
    if !changed {
        return format!("gvtg-xml: {prepare}\n");
    }
    let restart = format!("stop the guest and start it, a reboot is not enough: virsh shutdown {name}; virsh start {name}");
    format!("gvtg-xml: next\n  1. {define}\n  2. {prepare}\n  3. {restart}\n")
}

/// What the guests' vGPUs are called.
fn vgpus(guests: &[&(Guest, bool)]) -> String {
    let uuids: Vec<String> = guests.iter().flat_map(|(guest, _)| &guest.vgpus).map(ToString::to_string).collect();
    match &uuids[..] {
        [] => "its vGPU".to_owned(),
        [uuid] => format!("the vGPU {uuid}"),
        [first, second] => format!("the vGPUs {first} and {second}"),
        uuids => format!("their {} vGPUs", uuids.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "a7ac54ee-0f5b-5731-b099-091b0e8eaf75";

    fn guest(name: &str, uuids: &[&str], is_changed: bool) -> (Guest, bool) {
        let vgpus = uuids.iter().map(|uuid| uuid.parse().unwrap()).collect();
        let guest = Guest { name: Some(name.to_owned()), has_vgpu: true, vgpus };
        (guest, is_changed)
    }

    #[test]
    fn a_changed_guest_is_defined_and_started_anew() {
        let shown = steps(&[guest("win 10", &[UUID], true)], &[]);
        let wanted = format!(
            "gvtg-xml: next\n  1. define what was written, unless a pipe does: virsh define --validate FILE\n  \
             2. prepare the host for the vGPU {UUID}: virsh dumpxml --inactive 'win 10' | sudo gvtg-xml emit all --root /, \
             then what it prints (initramfs, reboot), then sudo gvtg-xml host\n  \
             3. stop the guest and start it, a reboot is not enough: virsh shutdown 'win 10'; virsh start 'win 10'\n"
        );
        assert_eq!(shown, wanted);
        let in_place = steps(&[guest("a", &[UUID], true)], &["a b.xml".into()]);
        assert!(in_place.contains("  1. virsh define --validate 'a b.xml'\n"), "{in_place}");
        assert!(in_place.contains("sudo gvtg-xml emit all --root / 'a b.xml', then"), "{in_place}");
    }

    #[test]
    fn an_unchanged_domain_needs_only_the_host_step() {
        let shown = steps(&[guest("a", &[UUID], false)], &["a.xml".into()]);
        let wanted = format!(
            "gvtg-xml: prepare the host for the vGPU {UUID}: sudo gvtg-xml emit all --root / a.xml, then what it prints (initramfs, reboot), \
             then sudo gvtg-xml host\n"
        );
        assert_eq!(shown, wanted);
        assert_eq!(steps(&[(Guest::default(), true)], &[]), "", "there is nothing to do for a guest without a vGPU");
    }

    #[test]
    fn of_several_none_is_named() {
        let guests = [guest("a", &[UUID], false), guest("b", &[], true), (Guest::default(), true)];
        let shown = steps(&guests, &["a.xml".into(), "b.xml".into()]);
        assert!(shown.contains("  1. virsh define --validate FILE, for each\n"), "{shown}");
        assert!(shown.contains("virsh shutdown NAME; virsh start NAME\n"), "{shown}");
        assert!(shown.contains("sudo gvtg-xml emit all --root / a.xml b.xml, then"), "{shown}");
    }
}
