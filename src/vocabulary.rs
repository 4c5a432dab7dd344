//! The elements and attributes that a GVT-g domain is made of: what they mean, and which values are of use.
//!
//! Sources: libvirt's docs/formatdomain.rst and docs/drvqemu.rst, and QEMU's manual. What a value must be is said by the rules; this
//! is for whoever writes it.

/// An element or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The element's name, with as many of those around it as tell it from others of its name.
    pub element: &'static str,
    /// The attribute's name; empty for the element itself.
    pub attribute: &'static str,
    /// What it is, in a sentence.
    pub meaning: &'static str,
    /// Values that are of use here; none where they can't be listed.
    pub values: &'static [&'static str],
}

const fn word(element: &'static str, attribute: &'static str, values: &'static [&'static str], meaning: &'static str) -> Word {
    Word { element, attribute, meaning, values }
}

/// The vGPU types: a GPU offers those that fit its aperture, most `_4` and `_8`.
const TYPES: &[&str] = &["i915-GVTg_V5_4", "i915-GVTg_V5_8", "i915-GVTg_V5_2", "i915-GVTg_V5_1"];
const GPU: &[&str] = &["0000:00:02.0"];
const SWITCH: &[&str] = &["on", "off"];

/// All of them.
pub const WORDS: &[Word] = &[
    word("domain", "type", &["kvm"], "The hypervisor. A vGPU needs KVM."),
    word("hostdev", "", &[], "A device of the host for the guest; with type='mdev' a mediated one, as a vGPU is."),
    word(
        "hostdev",
        "mode",
        &["subsystem"],
        "How the device is named: subsystem means by its bus and address, as every mediated device is.",
    ),
    word("hostdev", "type", &["mdev", "pci", "usb"], "The kind of device: mdev is a mediated device, such as a vGPU."),
    word("hostdev", "model", &["vfio-pci"], "How QEMU shows a mediated device to the guest. A GPU is a PCI device: vfio-pci."),
    word("hostdev", "managed", &["no"], "Whether libvirt detaches the device from its driver. On a mediated device it has no effect."),
    word(
        "hostdev",
        "display",
        &["off", "on"],
        "Whether a <graphics> with OpenGL shows the vGPU. off where QEMU opens a window of its own: QEMU's property display is on then all the same.",
    ),
    word("hostdev", "ramfb", SWITCH, "A plain framebuffer that shows the guest until its driver for the vGPU loads."),
    word("hostdev/source/address", "uuid", &[], "The vGPU's uuid, under which it was made on the host."),
    word("hostdev/alias", "name", &["ua-gvtg"], "The device's id. libvirt keeps one that begins with ua- and makes up any other."),
    word("video", "", &[], "An emulated graphics card. Beside a vGPU the guest sees two."),
    word("video/model", "type", &["none"], "The kind of card; none keeps libvirt from adding one to a <graphics>."),
    word("graphics", "", &[], "How the guest's screen reaches somebody: SPICE, VNC and the like. QEMU's own window needs none."),
    word("graphics/gl", "enable", &["yes", "no"], "Whether OpenGL draws it, without which no vGPU is shown."),
    word("audio", "type", &["none", "pulseaudio", "pipewire", "alsa", "jack", "dbus"], "Where sound goes on the host."),
    word("qemu:commandline", "", &[], "Arguments and environment for QEMU that libvirt hands on as they are."),
    word("qemu:arg", "", &[], "One argument for QEMU: an option and its operand are two of them."),
    word("qemu:arg", "value", &["-display", "gtk,gl=on", "-set", "-global"], "The argument as QEMU gets it."),
    word("qemu:env", "", &[], "An environment variable for QEMU."),
    word("qemu:env", "name", &[], "The variable's name."),
    word("qemu:override", "", &[], "Properties that libvirt gives to devices beside its own, since libvirt 8.2."),
    word("qemu:override/qemu:device", "alias", &["ua-gvtg"], "The id of the device that the properties are for."),
    word("qemu:frontend", "", &[], "The properties of the device as the guest sees it."),
    word("qemu:property", "", &[], "A property of QEMU's device; `qemu-system-x86_64 -device vfio-pci-nohotplug,help` lists them."),
    word("qemu:property", "name", &[], "The property's name."),
    word(
        "qemu:property",
        "type",
        &["bool", "string", "unsigned", "signed", "remove"],
        "The value's type: switches are bool, choices like on, off and auto are string.",
    ),
    word("qemu:property", "value", &[], "The value: true or false for a bool, a decimal number for the numbers."),
    word("qemu:capabilities", "", &[], "What libvirt believes of QEMU, changed by hand."),
    word(
        "qemu:del",
        "capability",
        &["device.json+hotplug"],
        "A capability that libvirt shall not use: without device.json+hotplug it writes devices so that -set reaches them.",
    ),
    word("gvtg:domain", "", &[], "What this program records of the domain's vGPUs; libvirt keeps it and hands it to the hook."),
    word("gvtg:domain", "type", TYPES, "The type that the vGPU is made with; the number at the end says into how many the GPU is divided."),
    word("gvtg:domain", "pci", GPU, "The PCI address of the GPU that the vGPU is made on."),
    word("gvtg:ignore", "", &[], "What is to be ignored in this domain, and why: what a comment says that `virsh define` drops."),
    word("gvtg:ignore", "rule", &[], "The rule, or the group of rules, whose findings are to be ignored."),
    word("gvtg:vgpu", "", &[], "What holds for one of the domain's vGPUs."),
    word("gvtg:vgpu", "uuid", &[], "Which vGPU it is."),
    word("gvtg:vgpu", "type", TYPES, "The type that this vGPU is made with."),
    word("gvtg:vgpu", "pci", GPU, "The PCI address of the GPU that this vGPU is made on."),
];

/// What is known of an element, or with a name of an attribute of it; `path` has the names from the root on.
pub fn known(path: &[String], attribute: &str) -> Option<&'static Word> {
    let is_end_of_path = |element: &str| {
        let mut names = path.iter().rev();
        element.rsplit('/').all(|name| names.next().is_some_and(|own| own == name))
    };
    WORDS.iter().find(|word| word.attribute == attribute && is_end_of_path(word.element))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_the_end_of_the_path() {
        let path = |names: &str| names.split('/').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(known(&path("domain/devices/hostdev"), "ramfb").map(|word| word.values), Some(SWITCH));
        assert!(known(&path("domain/devices/hostdev/source/address"), "uuid").is_some());
        assert!(known(&path("domain/devices/disk/address"), "uuid").is_none());
        assert!(known(&path("domain/devices/hostdev"), "size").is_none());
        assert!(known(&path("domain"), "type").unwrap().meaning.contains("KVM"));
    }

    #[test]
    fn each_word_has_a_sentence_and_is_there_once() {
        for (index, word) in WORDS.iter().enumerate() {
            assert!(word.meaning.ends_with('.') && word.meaning.starts_with(char::is_uppercase), "{word:?}");
            assert!(!WORDS[..index].iter().any(|other| (other.element, other.attribute) == (word.element, word.attribute)), "{word:?}");
        }
    }
}
