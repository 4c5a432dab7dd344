//! Checks that are too odd for data: they need arithmetic, or several places of a domain at once.
//!
//! A rule file names its function as `check = { kind = "code", function = "…" }`; the table below
//! is the only place that knows both.

mod arguments;
mod audio;
mod devices;
mod display;
mod guest;
mod metadata;
mod namespace;
mod opregion;
mod option_rom;
mod options;
mod overrides;
mod ramfb;
mod requirements;
mod vgpu;

use super::finding::Finding;
use super::{Context, schema};

type Function = for<'d, 'r> fn(&Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>>;

/// By name, in the order of [`registry::FUNCTIONS`](super::registry::FUNCTIONS).
const FUNCTIONS: &[(&str, Function)] = &[
    ("audio-without-id", audio::without_id),
    ("caching-mode", devices::caching_mode),
    ("dangling-audio", audio::dangling),
    ("dangling-override", overrides::dangling),
    ("dangling-set", arguments::dangling_set),
    ("default-opregion", opregion::default_opregion),
    ("display-backend", display::backend),
    ("display-gl-off", display::gl_off),
    ("display-without-graphics", devices::display_without_graphics),
    ("dropped-option", options::dropped),
    ("duplicate-audio-id", audio::duplicate_id),
    ("duplicate-opregion", opregion::duplicate_opregion),
    ("forced-slot", devices::forced_slot),
    ("graphics-audio", audio::of_graphics),
    ("i440fx-machine", guest::i440fx),
    ("igpu-function", devices::igpu_function),
    ("igpu-passthrough", devices::igpu_passthrough),
    ("invalid-audio-reference", audio::invalid_reference),
    ("invalid-audio-type", audio::invalid_type),
    ("joined-argument", arguments::joined),
    ("low-memory-limit", guest::low_memory_limit),
    ("misplaced-commandline", namespace::misplaced),
    ("misplaced-override", overrides::misplaced),
    ("missing-vgpu", vgpu::missing),
    ("not-kvm", guest::not_kvm),
    ("option-rom", option_rom::option_rom),
    ("other-audio", audio::other),
    ("ramfb-elsewhere", ramfb::ramfb_elsewhere),
    ("retired-capability", overrides::retired_capability),
    ("rom-element", option_rom::rom_element),
    ("second-devices", namespace::second_devices),
    ("second-ramfb", ramfb::second_ramfb),
    ("second-vgpu", vgpu::second),
    ("set-on-json-device", arguments::set_on_json_device),
    ("set-wrong-alias", arguments::set_wrong_alias),
    ("several-displays", display::several),
    ("split-commandline", namespace::split),
    ("stray-ramfb", ramfb::stray_ramfb),
    ("tcg-features", guest::tcg_features),
    ("two-firmware-screens", ramfb::two_firmware_screens),
    ("undeclared-namespace", namespace::undeclared),
    ("unknown-audio", audio::unknown),
    ("unqualified-commandline", namespace::unqualified),
    ("unreadable-argument", options::unreadable),
    ("unrecorded-type", metadata::unrecorded_type),
    ("unsuitable-guest", guest::unsuitable),
    ("unsupported-override", overrides::unsupported),
    ("untyped-override", overrides::untyped),
    ("unusable-audio", audio::unusable),
    ("unusable-display", display::unusable),
    ("vgpu-alias", vgpu::alias),
    ("vgpu-uuid", vgpu::uuid),
    ("wrong-namespace", namespace::wrong),
    ("x-vga", overrides::x_vga),
];

/// The functions whose findings a new vGPU's fix takes care of.
pub(super) const IS_REQUIREMENT: &[&str] = &["display-backend", "display-gl-off", "option-rom"];

/// What the function that a rule names finds; nothing by one about the host.
pub fn run_check<'d, 'r>(
    function: &schema::Function,
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
    function.place.map_or(Vec::new(), |place| FUNCTIONS[place].1(context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::schema::Check;

    #[test]
    fn every_function_is_used_by_a_rule() {
        for (name, _) in FUNCTIONS {
            let used = crate::rules::builtin().iter().any(
                |rule| matches!(&rule.check, Check::Code { function } if function.name == *name),
            );
            assert!(used, "no rule uses the function {name}");
        }
        let names: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            crate::rules::registry::FUNCTIONS,
            "rule files may name these and no others"
        );
    }
}
