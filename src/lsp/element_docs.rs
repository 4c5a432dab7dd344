//! Documentation of the elements and attributes that matter for GVT-g, with useful values.
//!
//! Sources: libvirt's docs/formatdomain.rst and docs/drvqemu.rst, and QEMU's manual. These are the
//! descriptions for hovers and completions in editors; the rules decide which values are valid.

/// Documentation of an element or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementDoc {
    /// The element's name, preceded by as many ancestors as tell it apart from others with this
    /// name, as in `hostdev/source/address`.
    pub element: &'static str,
    /// The attribute's name; empty for the element itself.
    pub attribute: &'static str,
    /// Its meaning, as one or a few sentences.
    pub meaning: &'static str,
    /// Useful values; empty if they can't be listed.
    pub values: &'static [&'static str],
}

const fn doc(
    element: &'static str,
    attribute: &'static str,
    values: &'static [&'static str],
    meaning: &'static str,
) -> ElementDoc {
    ElementDoc { element, attribute, meaning, values }
}

/// The vGPU types. A GPU offers those that fit its aperture: most offer `_4` and `_8`.
const TYPES: &[&str] = &["i915-GVTg_V5_4", "i915-GVTg_V5_8", "i915-GVTg_V5_2", "i915-GVTg_V5_1"];
const GPU: &[&str] = &["0000:00:02.0"];
const SWITCH: &[&str] = &["on", "off"];

/// All documented elements and attributes.
pub const ELEMENT_DOCS: &[ElementDoc] = &[
    doc("domain", "type", &["kvm"], "The hypervisor; a vGPU needs KVM."),
    doc(
        "hostdev",
        "",
        &[],
        "A host device for the guest; with type='mdev' a mediated device (mdev), such as a vGPU.",
    ),
    doc(
        "hostdev",
        "mode",
        &["subsystem"],
        "How the host device is identified: subsystem means by its address on a bus. Mediated devices always use it.",
    ),
    doc(
        "hostdev",
        "type",
        &["mdev", "pci", "usb"],
        "The kind of device: mdev is a mediated device, such as a vGPU.",
    ),
    doc(
        "hostdev",
        "model",
        &["vfio-pci"],
        "How QEMU presents a mediated device to the guest. A vGPU is a PCI device: vfio-pci.",
    ),
    doc(
        "hostdev",
        "managed",
        &["no"],
        "Whether libvirt detaches the device from its host driver. It has no effect on a mediated device.",
    ),
    doc(
        "hostdev",
        "display",
        &["off", "on"],
        "Whether a <graphics> with OpenGL shows the vGPU. For a QEMU window it stays off, and QEMU's own display property is turned on instead.",
    ),
    doc(
        "hostdev",
        "ramfb",
        SWITCH,
        "A simple framebuffer that shows the guest's screen until the guest's driver for the vGPU loads.",
    ),
    doc(
        "hostdev/source/address",
        "uuid",
        &[],
        "The vGPU's UUID, under which it is created on the host.",
    ),
    doc(
        "hostdev/alias",
        "name",
        &["ua-gvtg"],
        "The device's ID. libvirt keeps an alias that starts with ua- and replaces any other.",
    ),
    doc(
        "video",
        "",
        &[],
        "An emulated graphics card. Together with a vGPU, the guest sees two cards.",
    ),
    doc(
        "video/model",
        "type",
        &["none"],
        "The kind of card; none keeps libvirt from adding a card when there is a <graphics>.",
    ),
    doc(
        "graphics",
        "",
        &[],
        "How the guest's screen reaches the user: SPICE, VNC and others. A QEMU window does not need it.",
    ),
    doc(
        "graphics/gl",
        "enable",
        &["yes", "no"],
        "Whether OpenGL is used. A vGPU cannot be shown without it.",
    ),
    doc(
        "audio",
        "type",
        &["none", "pulseaudio", "pipewire", "alsa", "jack", "dbus"],
        "The audio backend on the host.",
    ),
    doc(
        "qemu:commandline",
        "",
        &[],
        "Arguments and environment variables that libvirt passes to QEMU unchanged.",
    ),
    doc("qemu:arg", "", &[], "One argument for QEMU. An option and its value are two arguments."),
    doc(
        "qemu:arg",
        "value",
        &["-display", "gtk,gl=on", "-set", "-global"],
        "The argument, exactly as QEMU gets it.",
    ),
    doc("qemu:env", "", &[], "An environment variable for QEMU."),
    doc("qemu:env", "name", &[], "The variable's name."),
    doc(
        "qemu:override",
        "",
        &[],
        "Overrides: device properties that QEMU gets in addition to libvirt's own (usable from libvirt 8.5 on).",
    ),
    doc(
        "qemu:override/qemu:device",
        "alias",
        &["ua-gvtg"],
        "The alias of the device that the properties are for.",
    ),
    doc("qemu:frontend", "", &[], "Properties of the device as the guest sees it."),
    doc(
        "qemu:property",
        "",
        &[],
        "A property of the QEMU device; `qemu-system-x86_64 -device vfio-pci-nohotplug,help` lists them.",
    ),
    doc("qemu:property", "name", &[], "The property's name."),
    doc(
        "qemu:property",
        "type",
        &["bool", "string", "unsigned", "signed", "remove"],
        "The value's type: bool for switches, string for choices such as on, off and auto.",
    ),
    doc(
        "qemu:property",
        "value",
        &[],
        "The value: true or false for a bool, a decimal number for unsigned and signed.",
    ),
    doc("qemu:capabilities", "", &[], "Manual changes to what libvirt believes QEMU can do."),
    doc(
        "qemu:del",
        "capability",
        &["device.json+hotplug"],
        "A capability that libvirt must not use. Without device.json+hotplug, libvirt passes devices to QEMU in a form that -set can change.",
    ),
    doc(
        "gvtg:domain",
        "",
        &[],
        "What gvtg-xml records about the domain's vGPUs. libvirt keeps it and passes it to the libvirt hook.",
    ),
    doc(
        "gvtg:domain",
        "type",
        TYPES,
        "The vGPU's type; the smaller the last number, the larger the vGPU.",
    ),
    doc("gvtg:domain", "pci", GPU, "The PCI address of the GPU on which the vGPU is created."),
    doc(
        "gvtg:ignore",
        "",
        &[],
        "A suppression for this domain, with its reason. `virsh define` keeps it, but drops comments.",
    ),
    doc("gvtg:ignore", "rule", &[], "The rule or group of rules whose findings are suppressed."),
    doc("gvtg:vgpu", "", &[], "Settings for one of the domain's vGPUs."),
    doc("gvtg:vgpu", "uuid", &[], "The UUID of this vGPU."),
    doc("gvtg:vgpu", "type", TYPES, "The type of this vGPU."),
    doc("gvtg:vgpu", "pci", GPU, "The PCI address of the GPU on which this vGPU is created."),
];

/// Finds the documentation of an attribute, or of the element itself if `attribute` is empty.
/// `path` has the names of the elements from the root down.
pub fn find(path: &[String], attribute: &str) -> Option<&'static ElementDoc> {
    let is_end_of_path = |element: &str| {
        let mut names = path.iter().rev();
        element.rsplit('/').all(|name| names.next().is_some_and(|path_name| path_name == name))
    };
    ELEMENT_DOCS.iter().find(|doc| doc.attribute == attribute && is_end_of_path(doc.element))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_docs_by_the_end_of_the_path() {
        let path = |names: &str| names.split('/').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            find(&path("domain/devices/hostdev"), "ramfb").map(|doc| doc.values),
            Some(SWITCH)
        );
        assert!(find(&path("domain/devices/hostdev/source/address"), "uuid").is_some());
        assert!(find(&path("domain/devices/disk/address"), "uuid").is_none());
        assert!(find(&path("domain/devices/hostdev"), "size").is_none());
        assert!(find(&path("domain"), "type").unwrap().meaning.contains("KVM"));
    }

    #[test]
    fn each_doc_is_a_sentence_and_unique() {
        for (index, doc) in ELEMENT_DOCS.iter().enumerate() {
            assert!(
                doc.meaning.ends_with('.') && doc.meaning.starts_with(char::is_uppercase),
                "{doc:?}"
            );
            assert!(
                !ELEMENT_DOCS[..index]
                    .iter()
                    .any(|other| (other.element, other.attribute) == (doc.element, doc.attribute)),
                "{doc:?}"
            );
        }
    }
}
