//! Positions, white space and namespaces.

use super::*;

#[test]
fn findings_of_later_passes_have_their_original_positions() {
    let text = format!(
        "<domain type='kvm'>\n  <devices>\n    {VGPU}\n  <sound model='ich9'/><qemu:commandline xmlns:qemu='{QEMU_NAMESPACE}'>\n      <qemu:arg value='-set'/>\n\
         \t<qemu:arg value='device.hostdev0.xres=800'/>\n    <qemu:arg value='stray'/>\n    </qemu:commandline>\n  </devices>\n</domain>\n"
    );
    let fixed = fix(&text, &Settings::default());
    let at = |list: &[Diagnostic<'_>], rule: &str| {
        let one = list
            .iter()
            .find(|one| one.rule.id == rule)
            .unwrap_or_else(|| panic!("{rule} in {}", fixed.text));
        (one.start.line, one.start.column, one.end.line, one.end.column, one.in_inserted_text)
    };
    assert_eq!(fixed.rounds, 2, "the block moves first");
    assert_eq!(at(&fixed.applied, "misplaced-commandline"), (4, 24, 4, 98, false));
    let in_moved_block = at(&fixed.applied, "set-on-json-device");
    assert_eq!(in_moved_block, (6, 12, 6, 44, false));
    assert_eq!(at(&fixed.remaining, "unreadable-argument"), (7, 15, 7, 28, false));
    assert_eq!(at(&fixed.remaining, "silent-sound"), (4, 3, 4, 24, false));
}

#[test]
fn a_finding_in_inserted_text_is_at_the_place_of_insertion() {
    let text =
        "<domain type='kvm'>\n  <os firmware='efi'/>\n  <devices>\n  </devices>\n</domain>\n";
    let fixed = fix(text, &Settings::default());
    let left = fixed.remaining.iter().find(|left| left.rule.id == "uefi-without-romfile").unwrap();
    assert!(left.in_inserted_text, "{left:?}");
    assert_eq!(left.start, left.end);
    assert!((3..=4).contains(&left.start.line), "{left:?}");
}

#[test]
fn trailing_white_space_stays() {
    let devices = "  <devices>  \n    <controller type='scsi' index='0' model='virtio-scsi'/>   \n  </devices>\t\n";
    for devices in [devices, "  <devices> \n  </devices>  \n", "  <devices/>   \n"] {
        for newline in ["\n", "\r\n"] {
            let text = format!("<domain type='kvm'>  \n  <name>w</name> \n{devices}</domain>  \n")
                .replace('\n', newline);
            let fixed = fix(&text, &Settings::default()).text;
            let mut lines = fixed.split('\n');
            // The root gets a declaration, and an empty <devices/> opens.
            let is_kept =
                |line: &&str| !line.starts_with("<domain") && !line.contains("<devices/>");
            for line in text.split('\n').filter(is_kept) {
                assert!(lines.any(|new| new == line), "{line:?} is gone or moved:\n{fixed}");
            }
        }
    }
}

#[test]
fn a_new_property_has_the_prefix_of_the_block_around_it() {
    let device =
        format!("<q:device xmlns:q='{QEMU_NAMESPACE}' xmlns:qemu='urn:other' alias='ua-gvtg'>");
    let vgpu = VGPU.replace("</hostdev>", "<alias name='ua-gvtg'/></hostdev>");
    for inside in ["<q:frontend></q:frontend>", ""] {
        let qemu = format!("<qemu:override>{device}{inside}</q:device></qemu:override>");
        let text = fixed(&vgpu, &qemu, &Settings::default());
        let properties = "<q:frontend><q:property name='x-igd-opregion' type='bool' value='true'/>\
            <q:property name='display' type='string' value='on'/></q:frontend>";
        assert!(text.contains(&format!("{device}{properties}</q:device>")), "{text}");
    }
}

// libvirt's schema refuses a second block, so no rule has this in an example.
#[test]
fn a_prefix_declared_on_a_merged_block_moves_to_the_root() {
    let second = "<qemu:commandline xmlns:n='urn:n'><n:note/></qemu:commandline>";
    let text = fixed("", &(command_line(&["-s"]) + second), &Settings::default());
    let root = format!("<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}' xmlns:n='urn:n'>");
    assert!(text.starts_with(&root), "{text}");
    assert_eq!(text.matches("<qemu:commandline").count(), 1, "{text}");
    assert!(text.contains("<n:note/>"), "{text}");
}

#[test]
fn an_attribute_in_another_namespace_has_no_meaning() {
    let text = domain("<graphics xmlns:o='urn:o' o:type='x' type='vnc'/>", "");
    let found = lint(&text, &Settings::default());
    let stray = found.iter().find(|found| found.rule.id == "stray-graphics").unwrap();
    assert!(stray.message.contains("<graphics type='vnc'>"), "{stray:?}");
}
