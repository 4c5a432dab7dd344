//! The properties of QEMU's device `vfio-pci-nohotplug`, with the types that `<qemu:override>`
//! wants them in.

/// A type of `<qemu:property>` (libvirt: docs/drvqemu.rst).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropertyType {
    /// `true` or `false`.
    Bool,
    /// Text, and every on/off/auto enumeration.
    String,
    /// A decimal number without a sign.
    Unsigned,
    /// A decimal number.
    Signed,
}

impl PropertyType {
    /// The word in `type='…'`.
    pub fn name(self) -> &'static str {
        match self {
            PropertyType::Bool => "bool",
            PropertyType::String => "string",
            PropertyType::Unsigned => "unsigned",
            PropertyType::Signed => "signed",
        }
    }
}

use PropertyType::{Bool, Signed, String as Str, Unsigned};

/// `qemu-system-x86_64 -device vfio-pci-nohotplug,help` of QEMU 5.2 to 11.1, sorted by name, and
/// `driver`, which libvirt itself writes.
const PROPERTIES: &[(&str, PropertyType)] = &[
    ("acpi-index", Unsigned),
    ("addr", Str),
    ("ats", Str),
    ("bootindex", Signed),
    ("display", Str),
    ("driver", Str),
    ("enable-migration", Str),
    ("failover_pair_id", Str),
    ("host", Str),
    ("iommufd", Str),
    ("migration-events", Bool),
    ("multifunction", Bool),
    ("ramfb", Bool),
    ("rombar", Unsigned),
    ("romfile", Str),
    ("romsize", Unsigned),
    ("skip-vsc-check", Bool),
    ("sriov-pf", Str),
    ("sysfsdev", Str),
    ("use-legacy-x86-rom", Bool),
    ("vf-token", Str),
    ("x-balloon-allowed", Bool),
    ("x-device-dirty-page-tracking", Str),
    ("x-enable-migration", Bool),
    ("x-igd-gms", Unsigned),
    ("x-igd-legacy-mode", Str),
    ("x-igd-lpc", Bool),
    ("x-igd-opregion", Bool),
    ("x-intx-mmap-timeout-ms", Unsigned),
    ("x-max-bounce-buffer-size", Unsigned),
    ("x-migration-load-config-after-iter", Str),
    ("x-migration-max-queued-buffers-size", Unsigned),
    ("x-migration-multifd-transfer", Str),
    ("x-msix-relocation", Str),
    ("x-no-geforce-quirks", Bool),
    ("x-no-kvm-intx", Bool),
    ("x-no-kvm-ioeventfd", Bool),
    ("x-no-kvm-msi", Bool),
    ("x-no-kvm-msix", Bool),
    ("x-no-mmap", Bool),
    ("x-no-vfio-ioeventfd", Bool),
    ("x-nv-gpudirect-clique", Unsigned),
    ("x-pci-class-code", Unsigned),
    ("x-pci-device-id", Unsigned),
    ("x-pci-sub-device-id", Unsigned),
    ("x-pci-sub-vendor-id", Unsigned),
    ("x-pci-vendor-id", Unsigned),
    ("x-pcie-ari-nextfn-1", Bool),
    ("x-pcie-err-unc-mask", Bool),
    ("x-pcie-ext-tag", Bool),
    ("x-pcie-extcap-init", Bool),
    ("x-pcie-lnksta-dllla", Bool),
    ("x-pre-copy-dirty-page-tracking", Str),
    ("x-ramfb-migrate", Str),
    ("x-req", Bool),
    ("x-vga", Bool),
    ("x-vpasid-cap-offset", Unsigned),
    ("xres", Unsigned),
    ("yres", Unsigned),
];

/// The properties that nothing but a vGPU has, in the guide's order: a `-set` of one means the
/// vGPU, whatever device it names.
pub const VGPU_PROPERTIES: &[&str] = &["x-igd-opregion", "ramfb", "driver", "display"];

/// The properties without which a vGPU may show nothing: Intel's driver looks for the OpRegion,
/// which is on by default only since QEMU 10.1.
pub const PICTURE_PROPERTIES: &[&str] = &["display", "x-igd-opregion"];

/// Properties of other devices that are written too, with their types.
const OF_OTHERS: &[(&str, PropertyType)] = &[("caching-mode", Bool)];

/// The type of a device property that this program writes; None for one that it does not know.
pub fn written_type_of(name: &str) -> Option<PropertyType> {
    type_of(name)
        .or_else(|| OF_OTHERS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind))
}

/// The type of a property; None for one that no QEMU has.
pub fn type_of(name: &str) -> Option<PropertyType> {
    PROPERTIES.binary_search_by_key(&name, |&(name, _)| name).ok().map(|index| PROPERTIES[index].1)
}

/// The names of all properties, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROPERTIES.iter().map(|&(name, _)| name)
}

/// A value as `-set` writes it (`on`, `0x780`) in the form that an override of this type takes;
/// None where it has none.
pub fn to_override(kind: PropertyType, value: &str) -> Option<String> {
    match kind {
        PropertyType::String => Some(value.to_owned()),
        PropertyType::Bool => match value.to_ascii_lowercase().as_str() {
            "on" | "yes" | "true" | "y" => Some("true".into()),
            "off" | "no" | "false" | "n" => Some("false".into()),
            _ => None,
        },
        PropertyType::Unsigned => number(value).map(|number| number.to_string()),
        PropertyType::Signed => match value.strip_prefix('-') {
            Some(digits) => number(digits).map(|number| format!("-{number}")),
            None => number(value).map(|number| number.to_string()),
        },
    }
}

/// Whether a value as `-set` writes it turns a bool property on.
pub fn is_on(value: &str) -> bool {
    to_override(PropertyType::Bool, value).as_deref() == Some("true")
}

/// An override's value in the form that `-set` takes.
pub fn to_set(kind: &str, value: &str) -> String {
    match (kind, value) {
        ("bool", "true") => "on".into(),
        ("bool", "false") => "off".into(),
        _ => value.to_owned(),
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_the_vgpus_own() {
        assert!(PROPERTIES.is_sorted_by(|left, right| left.0 < right.0));
        assert!(VGPU_PROPERTIES.iter().all(|name| type_of(name).is_some()));
        assert_eq!(type_of("xres"), Some(Unsigned));
        assert_eq!(type_of("guesswork"), None);
    }

    #[test]
    fn values_change_their_form_and_not_their_meaning() {
        assert_eq!(to_override(Bool, "on"), Some("true".into()));
        assert_eq!(to_override(Bool, "maybe"), None);
        assert_eq!(to_override(Unsigned, "0x780"), Some("1920".into()));
        assert_eq!(to_override(Unsigned, "+5"), None);
        assert_eq!(to_override(Signed, "-1"), Some("-1".into()));
        assert_eq!(to_override(Str, "on"), Some("on".into()));
        assert_eq!(to_set("bool", "true"), "on");
        assert_eq!(to_set("string", "true"), "true");
    }
}
