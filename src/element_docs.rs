//! The elements and attributes that a GVT-g domain is made of: what they mean, and which values are
//! of use.
//!
//! Sources: libvirt's docs/formatdomain.rst and docs/drvqemu.rst, and QEMU's manual. What a value
//! must be is said by the rules; this is for whoever writes it.

/// An element or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementDoc {
    /// The element's name, with as many of those around it as tell it from others of its name.
    pub element: &'static str,
    /// The attribute's name; empty for the element itself.
    pub attribute: &'static str,
    /// What it is, in a sentence.
    pub meaning: &'static str,
    /// Values that are of use here; none where they can't be listed.
    pub values: &'static [&'static str],
}

const fn word(
    element: &'static str,
    attribute: &'static str,
    values: &'static [&'static str],
    meaning: &'static str,
) -> ElementDoc {
    ElementDoc { element, attribute, meaning, values }
}

/// The vGPU types: a GPU offers those that fit its aperture, most `_4` and `_8`.
const TYPES: &[&str] = &["i915-GVTg_V5_4", "i915-GVTg_V5_8", "i915-GVTg_V5_2", "i915-GVTg_V5_1"];
const GPU: &[&str] = &["0000:00:02.0"];
const SWITCH: &[&str] = &["on", "off"];

/// All of them.
pub const WORDS: &[ElementDoc] = &[
    word("domain", "type", &["kvm"], "The hypervisor; a vGPU needs KVM."),
    word(
        "hostdev",
        "",
        &[],
        "A host device for the guest; with type='mdev' a mediated device (mdev), such as a vGPU.",
    ),
    word(
        "hostdev",
        "mode",
        &["subsystem"],
        "How the host device is identified: subsystem means by its address on a bus. Mediated devices always use it.",
    ),
    word(
        "hostdev",
        "type",
        &["mdev", "pci", "usb"],
        "The kind of device: mdev is a mediated device, such as a vGPU.",
    ),
    word(
        "hostdev",
        "model",
        &["vfio-pci"],
        "How QEMU presents a mediated device to the guest. A vGPU is a PCI device: vfio-pci.",
    ),
    word(
        "hostdev",
        "managed",
        &["no"],
        "Whether libvirt detaches the device from its host driver. It has no effect on a mediated device.",
    ),
    word(
        "hostdev",
        "display",
        &["off", "on"],
        "Whether a <graphics> with OpenGL shows the vGPU. For a QEMU window it stays off, and QEMU's own display property is turned on instead.",
    ),
    word(
        "hostdev",
        "ramfb",
        SWITCH,
        "A simple framebuffer that shows the guest's screen until the guest's driver for the vGPU loads.",
    ),
    word(
        "hostdev/source/address",
        "uuid",
        &[],
        "The vGPU's UUID, under which it is created on the host.",
    ),
    word(
        "hostdev/alias",
        "name",
        &["ua-gvtg"],
        "The device's ID. libvirt keeps an alias that starts with ua- and replaces any other.",
    ),
    word(
        "video",
        "",
        &[],
        "An emulated graphics card. Together with a vGPU, the guest sees two cards.",
    ),
    word(
        "video/model",
        "type",
        &["none"],
        "The kind of card; none keeps libvirt from adding a card when there is a <graphics>.",
    ),
    word(
        "graphics",
        "",
        &[],
        "How the guest's screen reaches the user: SPICE, VNC and others. A QEMU window does not need it.",
    ),
    word(
        "graphics/gl",
        "enable",
        &["yes", "no"],
        "Whether OpenGL is used. A vGPU cannot be shown without it.",
    ),
    word(
        "audio",
        "type",
        &["none", "pulseaudio", "pipewire", "alsa", "jack", "dbus"],
        "The audio backend on the host.",
    ),
    word(
        "qemu:commandline",
        "",
        &[],
        "Arguments and environment variables that libvirt passes to QEMU unchanged.",
    ),
    word("qemu:arg", "", &[], "One argument for QEMU. An option and its value are two arguments."),
    word(
        "qemu:arg",
        "value",
        &["-display", "gtk,gl=on", "-set", "-global"],
        "The argument, exactly as QEMU gets it.",
    ),
    word("qemu:env", "", &[], "An environment variable for QEMU."),
    word("qemu:env", "name", &[], "The variable's name."),
    word(
        "qemu:override",
        "",
        &[],
        "Overrides: device properties that QEMU gets in addition to libvirt's own (usable from libvirt 8.5 on).",
    ),
    word(
        "qemu:override/qemu:device",
        "alias",
        &["ua-gvtg"],
        "The alias of the device that the properties are for.",
    ),
    word("qemu:frontend", "", &[], "Properties of the device as the guest sees it."),
    word(
        "qemu:property",
        "",
        &[],
        "A property of the QEMU device; `qemu-system-x86_64 -device vfio-pci-nohotplug,help` lists them.",
    ),
    word("qemu:property", "name", &[], "The property's name."),
    word(
        "qemu:property",
        "type",
        &["bool", "string", "unsigned", "signed", "remove"],
        "The value's type: bool for switches, string for choices such as on, off and auto.",
    ),
    word(
        "qemu:property",
        "value",
        &[],
        "The value: true or false for a bool, a decimal number for unsigned and signed.",
    ),
    word("qemu:capabilities", "", &[], "Manual changes to what libvirt believes QEMU can do."),
    word(
        "qemu:del",
        "capability",
        &["device.json+hotplug"],
        "A capability that libvirt must not use. Without device.json+hotplug, libvirt passes devices to QEMU in a form that -set can change.",
    ),
    word(
        "gvtg:domain",
        "",
        &[],
        "What gvtg-xml records about the domain's vGPUs. libvirt keeps it and passes it to the libvirt hook.",
    ),
    word(
        "gvtg:domain",
        "type",
        TYPES,
        "The vGPU's type; the smaller the last number, the larger the vGPU.",
    ),
    word("gvtg:domain", "pci", GPU, "The PCI address of the GPU on which the vGPU is created."),
    word(
        "gvtg:ignore",
        "",
        &[],
        "A suppression for this domain, with its reason. `virsh define` keeps it, but drops comments.",
    ),
    word("gvtg:ignore", "rule", &[], "The rule or group of rules whose findings are suppressed."),
    word("gvtg:vgpu", "", &[], "Settings for one of the domain's vGPUs."),
    word("gvtg:vgpu", "uuid", &[], "The UUID of this vGPU."),
    word("gvtg:vgpu", "type", TYPES, "The type of this vGPU."),
    word("gvtg:vgpu", "pci", GPU, "The PCI address of the GPU on which this vGPU is created."),
];

/// What is known of an element, or with a name of an attribute of it; `path` has the names from the
/// root on.
pub fn known(path: &[String], attribute: &str) -> Option<&'static ElementDoc> {
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
        assert_eq!(
            known(&path("domain/devices/hostdev"), "ramfb").map(|word| word.values),
            Some(SWITCH)
        );
        assert!(known(&path("domain/devices/hostdev/source/address"), "uuid").is_some());
        assert!(known(&path("domain/devices/disk/address"), "uuid").is_none());
        assert!(known(&path("domain/devices/hostdev"), "size").is_none());
        assert!(known(&path("domain"), "type").unwrap().meaning.contains("KVM"));
    }

    #[test]
    fn each_word_has_a_sentence_and_is_there_once() {
        for (index, word) in WORDS.iter().enumerate() {
            assert!(
                word.meaning.ends_with('.') && word.meaning.starts_with(char::is_uppercase),
                "{word:?}"
            );
            assert!(!WORDS[..index].iter().any(|other| (other.element, other.attribute) == (word.element, word.attribute)), "{word:?}");
        }
    }
}
