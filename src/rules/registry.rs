//! The names that a rule file may use beside those of its own format. The build script reads them
//! too, so they stand apart from what they name; tests hold the two together.

/// Settings that a placeholder can name.
pub const PLACEHOLDERS: &[&str] = &[
    "uuid",
    "display",
    "display-env",
    "gdk-scale",
    "alias",
    "romfile",
    "pci",
    "libvirt",
    "audio",
    "type",
];

/// What checks add to them: the value found, and a word or two about it.
pub const OF_CHECKS: &[&str] =
    &["found", "element", "what", "device", "property", "other", "canonical"];

/// What the checks of the host fill in.
pub const OF_HOST: &[&str] = &[
    "address",
    "available",
    "driver",
    "found",
    "generation",
    "gpu",
    "how",
    "instead",
    "libvirt",
    "meant",
    "name",
    "nodes",
    "path",
    "type",
    "types",
    "uuid",
    "what",
];

/// Settings that can be asked for with `setting`.
pub const SETTINGS: &[&str] = &[
    "uuid",
    "type",
    "pci",
    "display",
    "display-env",
    "gdk-scale",
    "alias",
    "romfile",
    "audio",
    "keep-video",
];

/// The functions of `code` checks, by name.
pub const FUNCTIONS: &[&str] = &[
    "audio-without-id",
    "caching-mode",
    "dangling-audio",
    "dangling-override",
    "dangling-set",
    "default-opregion",
    "display-backend",
    "display-gl-off",
    "display-without-graphics",
    "dropped-option",
    "duplicate-audio-id",
    "duplicate-opregion",
    "forced-slot",
    "graphics-audio",
    "i440fx-machine",
    "igpu-function",
    "igpu-passthrough",
    "invalid-audio-reference",
    "invalid-audio-type",
    "joined-argument",
    "low-memory-limit",
    "misplaced-commandline",
    "misplaced-override",
    "missing-vgpu",
    "not-kvm",
    "option-rom",
    "other-audio",
    "ramfb-elsewhere",
    "retired-capability",
    "rom-element",
    "second-devices",
    "second-ramfb",
    "second-vgpu",
    "set-on-json-device",
    "set-wrong-alias",
    "several-displays",
    "split-commandline",
    "stray-ramfb",
    "tcg-features",
    "two-firmware-screens",
    "undeclared-namespace",
    "unknown-audio",
    "unqualified-commandline",
    "unreadable-argument",
    "unrecorded-type",
    "unsuitable-guest",
    "unsupported-override",
    "untyped-override",
    "unusable-audio",
    "unusable-display",
    "vgpu-alias",
    "vgpu-uuid",
    "wrong-namespace",
    "x-vga",
];
