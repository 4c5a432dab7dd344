//! The files in which libvirt stores domains itself.

/// The beginning of libvirt's comment in them (libvirt: src/util/virxml.c `virXMLEmitWarning`).
const WARNING: &str = "WARNING: THIS IS AN AUTO-GENERATED FILE.";

/// The name or uuid in the `virsh edit NAME` of libvirt's comment before the root; `None` if there
/// is no such comment. A name with characters that a shell would interpret, which libvirt does not
/// write there, is returned as `NAME`.
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
    fn reads_the_name_from_libvirts_comment() {
        let managed_file = |name: &str, root: &str| {
            format!(
                "<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\nOVERWRITTEN AND LOST. Changes to this xml \
                 configuration should be made using:\n  virsh edit {name}\nor other application using the libvirt API.\n-->\n\n{root}"
            )
        };
        assert_eq!(name_to_edit(&managed_file("win10", "<domain type='kvm'/>")), Some("win10"));
        assert_eq!(name_to_edit(&managed_file("win10\r", "<domain type='kvm'/>")), Some("win10"));
        for unnamed in ["", "$(reboot)", "a b"] {
            assert_eq!(name_to_edit(&managed_file(unnamed, "<domain type='kvm'/>")), Some("NAME"));
        }
        assert_eq!(name_to_edit(&managed_file("win10", "<network/>")), None);
        assert_eq!(
            name_to_edit(&format!("<domain/>{}", managed_file("win10", ""))),
            None,
            "the comment is before the root"
        );
        assert_eq!(name_to_edit("<!-- virsh edit win10 --><domain/>"), None);
    }
}
