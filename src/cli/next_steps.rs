//! The next steps printed after `fix`, which only writes XML: a VM also needs a defined domain and
//! a prepared host.

use std::path::{Path, PathBuf};

use crate::emit::shell;
use crate::lint::Guest;
use foldhash::{HashSet, HashSetExt};

/// Returns the remaining steps for these guests, as lines; each guest comes with whether this run
/// changed it. Empty if none has a vGPU. `files` are the files that were written.
pub(super) fn steps(guests: &[(Guest, bool)], files: &[PathBuf]) -> String {
    let guests_with_vgpu: Vec<&(Guest, bool)> =
        guests.iter().filter(|(guest, _)| guest.has_vgpu).collect();
    let changed = guests_with_vgpu.iter().any(|(_, is_changed)| *is_changed);
    // Several files may define the same VM.
    let mut names: Vec<Option<&str>> =
        guests_with_vgpu.iter().map(|(guest, _)| guest.name.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let name = match names[..] {
        [] => return String::new(),
        [Some(name)] => shell::argument(name),
        _ => "NAME".to_owned(),
    };
    let is_edit = files.iter().any(|file| is_virsh_edit_file(file));
    let files: Vec<String> =
        files.iter().map(|file| shell::argument(&file.to_string_lossy())).collect();
    let piped = format!("virsh dumpxml --inactive {name} | sudo gvtg-xml emit all --root /");
    let (define, emit) = match &files[..] {
        _ if is_edit => (None, piped),
        [] => (
            Some(
                "define the domain, unless your pipe does that: `virsh define --validate FILE`"
                    .to_owned(),
            ),
            piped,
        ),
        [file] => (
            Some(format!("define the domain: `virsh define --validate {file}`")),
            format!("sudo gvtg-xml emit all --root / {file}"),
        ),
        files => (
            Some("define the domain of each file: `virsh define --validate FILE`".to_owned()),
            format!("sudo gvtg-xml emit all --root / {}", files.join(" ")),
        ),
    };
    let prepare = format!(
        "prepare the host for {}: run `{emit}`, follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`",
        vgpus(&guests_with_vgpu)
    );
    if !changed {
        return format!("gvtg-xml: {prepare}\n");
    }
    let restart = format!(
        "shut the VM down and start it again (rebooting the guest is not enough): `virsh shutdown {name}`, then `virsh start {name}`"
    );
    let steps = define
        .into_iter()
        .chain([prepare, restart])
        .enumerate()
        .map(|(index, step)| format!("  {}. {step}\n", index + 1));
    format!("gvtg-xml: next steps\n{}", steps.collect::<String>())
}

/// Whether this is the temporary file that `virsh edit` passes to the editor and defines afterwards
/// (libvirt: tools/virsh-util.c).
fn is_virsh_edit_file(file: &Path) -> bool {
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let random = name.strip_prefix("virsh").and_then(|name| name.strip_suffix(".xml"));
    let has_temporary_name = random.is_some_and(|random| {
        random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    has_temporary_name && file.parent() == Some(&std::env::temp_dir())
}

/// Returns the phrase that names the guests' vGPUs.
fn vgpus(guests: &[&(Guest, bool)]) -> String {
    // Two files of one VM name the same vGPU.
    let mut seen = HashSet::new();
    let vgpus = guests.iter().flat_map(|(guest, _)| &guest.vgpus);
    let uuids: Vec<_> = vgpus.filter(|uuid| seen.insert(*uuid)).collect();
    match &uuids[..] {
        [] => "its vGPU".to_owned(),
        [uuid] => format!("the vGPU {uuid}"),
        [first, second] => format!("the vGPUs {first} and {second}"),
        uuids => format!("these {} vGPUs", uuids.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "a7ac54ee-0f5b-5731-b099-091b0e8eaf75";
    const OTHER: &str = "b7ac54ee-0f5b-5731-b099-091b0e8eaf75";

    fn guest(name: &str, uuids: &[&str], is_changed: bool) -> (Guest, bool) {
        let vgpus = uuids.iter().map(|uuid| uuid.parse().unwrap()).collect();
        let guest = Guest { name: Some(name.to_owned()), has_vgpu: true, vgpus };
        (guest, is_changed)
    }

    #[test]
    fn defines_and_restarts_a_changed_guest() {
        let shown = steps(&[guest("win 10", &[UUID], true)], &[]);
        let expected = format!(
            "gvtg-xml: next steps\n  1. define the domain, unless your pipe does that: `virsh define --validate FILE`\n  \
             2. prepare the host for the vGPU {UUID}: run `virsh dumpxml --inactive 'win 10' | sudo gvtg-xml emit all --root /`, \
             follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`\n  \
             3. shut the VM down and start it again (rebooting the guest is not enough): `virsh shutdown 'win 10'`, then \
             `virsh start 'win 10'`\n"
        );
        assert_eq!(shown, expected);
        let in_place = steps(&[guest("a", &[UUID], true)], &["a b.xml".into()]);
        assert!(
            in_place.contains("  1. define the domain: `virsh define --validate 'a b.xml'`\n"),
            "{in_place}"
        );
        assert!(
            in_place.contains("run `sudo gvtg-xml emit all --root / 'a b.xml'`, follow"),
            "{in_place}"
        );
    }

    #[test]
    fn shows_only_the_host_step_for_an_unchanged_domain() {
        let shown = steps(&[guest("a", &[UUID], false)], &["a.xml".into()]);
        let expected = format!(
            "gvtg-xml: prepare the host for the vGPU {UUID}: run `sudo gvtg-xml emit all --root / a.xml`, follow the steps that it prints (initramfs, \
             reboot), then run `sudo gvtg-xml host`\n"
        );
        assert_eq!(shown, expected);
        assert_eq!(
            steps(&[(Guest::default(), true)], &[]),
            "",
            "a guest without a vGPU needs no steps"
        );
    }

    #[test]
    fn names_none_of_several_guests() {
        let guests = [guest("a", &[UUID], false), guest("b", &[], true), (Guest::default(), true)];
        let shown = steps(&guests, &["a.xml".into(), "b.xml".into()]);
        assert!(
            shown.contains("  1. define the domain of each file: `virsh define --validate FILE`\n"),
            "{shown}"
        );
        assert!(shown.contains("`virsh shutdown NAME`, then `virsh start NAME`\n"), "{shown}");
        assert!(shown.contains("`sudo gvtg-xml emit all --root / a.xml b.xml`"), "{shown}");
    }

    #[test]
    fn counts_two_files_of_one_vm_once() {
        let shown = steps(&[guest("a", &[UUID], true), guest("a", &[UUID], true)], &["vms".into()]);
        assert!(shown.contains(&format!("prepare the host for the vGPU {UUID}: ")), "{shown}");
        assert!(shown.contains("`virsh start a`\n"), "{shown}");
        let shown =
            steps(&[guest("a", &[UUID, OTHER], true), guest("b", &[UUID], true)], &["vms".into()]);
        assert!(shown.contains(&format!("the vGPUs {UUID} and {OTHER}: ")), "{shown}");
    }

    #[test]
    fn does_not_name_the_file_of_virsh_edit() {
        let file = std::env::temp_dir().join("virshA1b2C3.xml");
        let shown = steps(&[guest("win10", &[UUID], true)], &[file]);
        assert!(!shown.contains("virshA1b2C3") && !shown.contains("virsh define"), "{shown}");
        assert!(
            shown.contains("  1. prepare the host for the vGPU")
                && shown.contains("`virsh dumpxml --inactive win10 | sudo"),
            "{shown}"
        );
        for other in ["/home/user/virshA1b2C3.xml", "virshA1b2C3.xml", "/tmp/virsh-domains.xml"] {
            assert!(!is_virsh_edit_file(Path::new(other)), "{other}");
        }
    }
}
