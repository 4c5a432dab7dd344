//! The files in which libvirt itself keeps domains.

/// How libvirt begins them (libvirt: src/util/virxml.c, `virXMLEmitWarning`).
const WARNING: &str = "WARNING: THIS IS AN AUTO-GENERATED FILE.";

/// The name, or uuid, by which libvirt's own comment before the root wants the domain edited:
/// `virsh edit NAME`. None where there is no such comment. libvirt writes none that a shell would
/// read as something else, and any other is `NAME`.
pub fn name_to_edit(text: &str) -> Option<&str> {
    let (prologue, _) = text.split_once("<domain")?;
    let (_, words) = prologue.split_once(WARNING)?;
    let name = words.split_once("virsh edit")?.1.lines().next()?.trim();
    let is_plain = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+,:@/".contains(&byte))
    };
    Some(if is_plain(name) { name } else { "NAME" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libvirt_keeps_says_how_to_edit_it() {
        let kept = |name: &str, root: &str| {
            format!(
                "<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\nOVERWRITTEN AND LOST. Changes to this xml \
                 configuration should be made using:\n  virsh edit {name}\nor other application using the libvirt API.\n-->\n\n{root}"
            )
        };
        assert_eq!(name_to_edit(&kept("win10", "<domain type='kvm'/>")), Some("win10"));
        assert_eq!(name_to_edit(&kept("win10\r", "<domain type='kvm'/>")), Some("win10"));
        for unnamed in ["", "$(reboot)", "a b"] {
            assert_eq!(name_to_edit(&kept(unnamed, "<domain type='kvm'/>")), Some("NAME"));
        }
        assert_eq!(name_to_edit(&kept("win10", "<network/>")), None);
        assert_eq!(
            name_to_edit(&format!("<domain/>{}", kept("win10", ""))),
            None,
            "it stands before the root"
        );
        assert_eq!(name_to_edit("<!-- virsh edit win10 --><domain/>"), None);
    }
}
