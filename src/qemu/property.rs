//! The properties of QEMU's device `vfio-pci-nohotplug`, with the types that `<qemu:override>`
//! needs for them.

/// The type of a `<qemu:property>` (libvirt: docs/drvqemu.rst).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropertyType {
    /// `true` or `false`.
    Bool,
    /// Text, including every on/off/auto enumeration.
    String,
    /// An unsigned decimal number.
    Unsigned,
    /// A decimal number, possibly negative.
    Signed,
}

impl PropertyType {
    /// The type's name in `type='…'`.
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

/// The output of `qemu-system-x86_64 -device vfio-pci-nohotplug,help` of QEMU 5.2 to 11.1, sorted
/// by name, and `driver`, which libvirt itself writes.
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

/// The properties that only a vGPU has, in the order of the guide: a `-set` of one is meant for the
/// vGPU, whichever device it names.
pub const VGPU_PROPERTIES: &[&str] = &["x-igd-opregion", "ramfb", "driver", "display"];

/// The properties without which a vGPU may show nothing: Intel's driver looks for the OpRegion,
/// which is on by default only since QEMU 10.1.
pub const PICTURE_PROPERTIES: &[&str] = &["display", "x-igd-opregion"];

/// Properties of other devices that fixes write too, with their types.
const OTHER_DEVICE_PROPERTIES: &[(&str, PropertyType)] = &[("caching-mode", Bool)];

/// The type of a device property that fixes may write, of a vGPU or another device; `None` for an
/// unknown one.
pub fn written_type_of(name: &str) -> Option<PropertyType> {
    type_of(name).or_else(|| {
        OTHER_DEVICE_PROPERTIES
            .iter()
            .find(|(property, _)| *property == name)
            .map(|(_, kind)| *kind)
    })
}

/// The type of a vGPU property; `None` for one that no QEMU release has.
pub fn type_of(name: &str) -> Option<PropertyType> {
    PROPERTIES.binary_search_by_key(&name, |&(name, _)| name).ok().map(|index| PROPERTIES[index].1)
}

/// The names of all vGPU properties, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROPERTIES.iter().map(|&(name, _)| name)
}

/// Converts a value from the notation of `-set` (`on`, `0x780`) to that of an override of this
/// type; `None` if it is not valid for the type.
pub fn to_override(kind: PropertyType, value: &str) -> Option<String> {
    match kind {
        PropertyType::String => Some(value.to_owned()),
        PropertyType::Bool => match value.to_ascii_lowercase().as_str() {
            "on" | "yes" | "true" | "y" => Some("true".into()),
            "off" | "no" | "false" | "n" => Some("false".into()),
            _ => None,
        },
        PropertyType::Unsigned => parse_number(value).map(|number| number.to_string()),
        PropertyType::Signed => match value.strip_prefix('-') {
            Some(digits) => parse_number(digits).map(|number| format!("-{number}")),
            None => parse_number(value).map(|number| number.to_string()),
        },
    }
}

/// Whether a value in the notation of `-set` turns on a bool property.
pub fn is_on(value: &str) -> bool {
    to_override(PropertyType::Bool, value).as_deref() == Some("true")
}

/// Converts an override's value of type `kind` to the notation of `-set`.
pub fn to_set(kind: &str, value: &str) -> String {
    match (kind, value) {
        ("bool", "true") => "on".into(),
        ("bool", "false") => "off".into(),
        _ => value.to_owned(),
    }
}

/// Parses an unsigned number, decimal or hexadecimal with `0x`.
fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_has_the_vgpu_properties() {
        assert!(PROPERTIES.is_sorted_by(|left, right| left.0 < right.0));
        assert!(VGPU_PROPERTIES.iter().all(|name| type_of(name).is_some()));
        assert_eq!(type_of("xres"), Some(Unsigned));
        assert_eq!(type_of("guesswork"), None);
    }

    #[test]
    fn converts_values_between_set_and_override() {
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
