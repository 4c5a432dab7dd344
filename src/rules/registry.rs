//! The names that rule files may refer to: placeholders, settings and functions. The build script
//! includes this file, so it does not depend on the code that the names stand for; tests keep both
//! in sync.

use crate::domain::setting_overrides::OVERRIDE_FIELDS;

/// Whether a placeholder stands for a setting.
pub fn is_setting_placeholder(name: &str) -> bool {
    matches!(name, "uuid" | "libvirt") || OVERRIDE_FIELDS.iter().any(|field| field.name == name)
}

/// Settings that `when.setting` and `check.setting` can name.
pub fn setting_names() -> impl Iterator<Item = &'static str> {
    let overrides = OVERRIDE_FIELDS.iter().map(|field| field.name);
    std::iter::once("uuid").chain(overrides).chain(["keep-video"])
}

/// Placeholders that checks fill in for their findings.
pub const OF_CHECKS: &[&str] =
    &["found", "element", "what", "device", "property", "other", "canonical"];

/// Placeholders that host checks fill in.
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

/// The functions of `code` checks, sorted by name.
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
