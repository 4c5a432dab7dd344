//! Domains in which a template engine fills in values later.

use gvtg_xml::Applicability;

use super::*;

/// A domain with a valid vGPU in which `from` is replaced.
fn with_vgpu(from: &str, to: &str) -> String {
    let hostdev = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off' ramfb='on'>\
        <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source><alias name='ua-gvtg'/></hostdev>";
    assert!(hostdev.contains(from), "{from}");
    let hostdev = hostdev.replace(from, to);
    format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices>{hostdev}</devices></domain>"
    )
}

/// Expressions of common template engines.
const EXPRESSIONS: [&str; 11] = [
    "{{ uuid }}",
    "${UUID}",
    "$UUID",
    "@uuid@",
    "&lt;%= uuid %&gt;",
    "%UUID%",
    "{% uuid %}",
    "#{uuid}",
    "{uuid}",
    "%(uuid)s",
    "{ uuid }",
];

#[test]
fn safe_fixes_keep_a_template_expression_as_uuid() {
    for uuid in EXPRESSIONS {
        let fixed = fix(&with_vgpu(UUID, uuid), &Settings::default());
        assert!(fixed.text.contains(&format!("uuid='{uuid}'")), "{uuid}: {}", fixed.text);
        assert!(fixed.text.contains("x-igd-opregion"), "the rest is fixed: {}", fixed.text);
    }
}

#[test]
fn a_template_expression_as_uuid_is_reported_with_an_unsafe_fix() {
    for uuid in EXPRESSIONS {
        let fixed = fix(&with_vgpu(UUID, uuid), &Settings::default());
        let left: Vec<_> =
            fixed.remaining.iter().filter(|left| left.rule.id == "vgpu-uuid").collect();
        let [left] = left[..] else { panic!("{uuid}: {:?}", fixed.remaining) };
        assert!(left.message.ends_with("is filled in later by a template"), "{}", left.message);
        let fix = left.fix.as_ref().unwrap();
        assert_eq!(fix.applicability, Applicability::Unsafe);
        assert_eq!(fix.risk.as_deref(), Some("a value that a template fills in later"));
    }
}

#[test]
fn unsafe_fixes_or_a_requested_uuid_replace_an_expression() {
    let unsafe_fixes = Settings { unsafe_fixes: true, ..Settings::default() };
    for settings in [unsafe_fixes, with_uuid(UUID)] {
        for uuid in EXPRESSIONS {
            let text = fix(&with_vgpu(UUID, uuid), &settings).text;
            assert!(!text.contains(uuid), "{uuid}: {text}");
        }
    }
}

#[test]
fn a_placeholder_of_a_guide_is_replaced() {
    for word in ["your-gpu-uuid-here", "GPU_UUID", "{your-gpu-uuid-here}", "XXXX"] {
        let fixed = fix(&with_vgpu(UUID, word), &Settings::default());
        assert!(!fixed.text.contains(word), "{word}: {}", fixed.text);
        assert!(fixed.remaining.is_empty(), "{word}: {:?}", fixed.remaining);
    }
}

#[test]
fn safe_fixes_keep_an_expression_of_an_unknown_template_engine() {
    for uuid in [
        "`uuidgen`",
        "{uuid:s}",
        "{uuid!s}",
        "!uuid!",
        "&lt;&lt;uuid>>",
        "@Model.Uuid",
        "$[uuid]",
        "{{ uuid",
        "~uuid~",
        "%UUID",
        "§uuid§",
    ] {
        let fixed = fix(&with_vgpu(UUID, uuid), &Settings::default());
        assert!(fixed.text.contains(&format!("uuid='{uuid}'")), "{uuid}: {}", fixed.text);
        assert!(has_rule(&fixed.remaining, "vgpu-uuid"), "{uuid}: {:?}", fixed.remaining);
    }
}

/// Domains with a template expression, each with the text that has to stay.
fn templates() -> Vec<(String, &'static str)> {
    let valid = [
        "mode='subsystem'",
        "managed='no'",
        "model='vfio-pci'",
        "display='off'",
        "ramfb='on'",
        "name='ua-gvtg'",
    ];
    let attributes = [
        "mode='{{ x }}'",
        "managed='${x}'",
        "model='@x@'",
        "display='%x%'",
        "ramfb='$x'",
        "name='ua-{{ x }}'",
        "name='#{x}'",
    ];
    let vgpus = attributes.map(|attribute| {
        let (name, _) = attribute.split_once('=').unwrap();
        let replaced = valid.iter().find(|valid| valid.starts_with(name)).unwrap();
        (with_vgpu(replaced, attribute), attribute)
    });
    let plain = with_vgpu("", "");
    let with_device = |device: &str| plain.replace("<devices>", &format!("<devices>{device}"));
    let with_block = |block: &str| plain.replace("</domain>", &format!("{block}</domain>"));
    let qemu =
        |elements: &str| with_block(&format!("<qemu:commandline>{elements}</qemu:commandline>"));
    let os = "<os><type arch='{{ x }}' machine='{{ y }}'>hvm</type></os>";
    let elements = [
        (plain.replace("type='kvm'", "type='{{ x }}'"), "type='{{ x }}'"),
        (with_device("<graphics type='{{ x }}'/><video><model type='qxl'/></video>"), "<video>"),
        (with_device("<graphics type='{{ x }}'/>"), "<graphics type='{{ x }}'/>"),
        (with_device("<video><model type='{{ x }}'/></video>"), "<model type='{{ x }}'/>"),
        (
            with_device("<graphics type='spice'><gl enable='{{ x }}'/></graphics>"),
            "<gl enable='{{ x }}'/>",
        ),
        (plain.replace("<name>", &format!("{os}<name>")), "arch='{{ x }}'"),
        (qemu("<qemu:env name='DISPLAY' value='${x}'/>"), "name='DISPLAY' value='${x}'"),
        (qemu("<qemu:env name='GDK_SCALE' value='{{ x }}'/>"), "name='GDK_SCALE' value='{{ x }}'"),
        (
            qemu("<qemu:arg value='-display'/><qemu:arg value='{{ x }}'/>"),
            "<qemu:arg value='{{ x }}'/>",
        ),
        (
            qemu("<qemu:arg value='-display'/><qemu:arg value='gtk,gl={{ x }}'/>"),
            "<qemu:arg value='gtk,gl={{ x }}'/>",
        ),
    ];
    let with_override = |alias: &str, property: &str, kind: &str, value: &str| {
        with_block(&override_block(alias, property, kind, value))
    };
    let overrides = [
        (with_override("ua-gvtg", "x-igd-opregion", "bool", "{{ x }}"), "value='{{ x }}'"),
        (with_override("ua-gvtg", "display", "string", "@x@"), "value='@x@'"),
        (with_override("ua-gvtg", "x-igd-opregion", "{{ x }}", "true"), "type='{{ x }}'"),
        (with_override("ua-{{ x }}", "x-igd-opregion", "bool", "true"), "alias='ua-{{ x }}'"),
    ];
    vgpus.into_iter().chain(elements).chain(overrides).collect()
}

#[test]
fn safe_fixes_keep_template_expressions_everywhere() {
    for (text, kept) in templates() {
        let fixed = fix(&text, &Settings::default());
        assert!(fixed.text.contains(kept), "{kept} is lost in {}", fixed.text);
    }
}

#[test]
fn fixes_of_templates_are_as_safe_at_every_level_of_detail() {
    let rules = RuleSet::all(builtin());
    for (text, kept) in templates() {
        let applicabilities = |detail: Detail| -> Vec<Option<Applicability>> {
            let settings = Settings::default();
            let found = Linter::new(&rules, &settings).detail(detail).lint(&text).unwrap().open;
            found.iter().map(|one| one.fix.as_ref().map(|fix| fix.applicability)).collect()
        };
        let all = applicabilities(Detail::Edits);
        for detail in [Detail::Line, Detail::Words] {
            assert_eq!(applicabilities(detail), all, "{kept} at {detail:?}");
        }
    }
}

/// Whether a finding notes that all VMs of a template get the same vGPU.
fn has_note_on_sharing(text: &str, settings: &Settings) -> bool {
    let note =
        "all VMs of this template get the same vGPU: make the UUID a template expression too";
    let rules = RuleSet::all(builtin());
    let found = Linter::new(&rules, settings).detail(Detail::Line).lint(text).unwrap().open;
    found.iter().flat_map(|found| &found.related).any(|related| related.message == note)
}

/// Domains that get a UUID from `fix`, made from their name.
fn without_uuid() -> [String; 2] {
    let empty = "<domain type='kvm'><name>x</name><devices/></domain>";
    [with_vgpu(UUID, "GPU_UUID"), empty.to_owned()]
}

#[test]
fn a_uuid_made_from_a_templates_name_is_noted_as_shared() {
    for text in without_uuid() {
        let template = text.replace("<name>x<", "<name>{{ vm }}<");
        assert!(has_note_on_sharing(&template, &Settings::default()), "{template}");
    }
}

#[test]
fn a_uuid_from_elsewhere_is_not_noted_as_shared() {
    for text in without_uuid() {
        assert!(!has_note_on_sharing(&text, &Settings::default()), "not a template: {text}");
        let template = text.replace("<name>x<", "<name>{{ vm }}<");
        assert!(!has_note_on_sharing(&template, &with_uuid(UUID)), "requested: {template}");
        let with_own_uuid =
            template.replace("<name>", "<uuid>c1b2e3d4-0000-4000-8000-000000000001</uuid><name>");
        let is_noted = has_note_on_sharing(&with_own_uuid, &Settings::default());
        assert!(!is_noted, "made from the domain's UUID: {with_own_uuid}");
    }
    let template = with_vgpu(UUID, "{{ uuid }}").replace("<name>x<", "<name>{{ vm }}<");
    assert!(!has_note_on_sharing(&template, &Settings::default()), "an expression: {template}");
}

const TEMPLATE_WITHOUT_VGPU: &str =
    "<domain type='kvm'><name>{{ n }}</name><uuid>{{ u }}</uuid><devices/></domain>";

#[test]
fn no_vgpu_is_added_that_all_vms_of_a_template_would_share() {
    assert_eq!(fix(TEMPLATE_WITHOUT_VGPU, &Settings::default()).text, TEMPLATE_WITHOUT_VGPU);
}

#[test]
fn a_requested_vgpu_is_added_to_a_template() {
    let text = fix(TEMPLATE_WITHOUT_VGPU, &with_uuid(UUID)).text;
    assert!(text.contains(UUID), "{text}");
}

#[test]
fn a_device_argument_with_a_template_expression_is_the_vgpu() {
    for device in [
        "vfio-pci,sysfsdev=/sys/bus/mdev/devices/{{ uuid }}",
        "vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUID},display=on",
    ] {
        let line = command_line(&["-device", device]);
        let text = format!(
            "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices/>{line}</domain>"
        );
        let text = fix(&text, &Settings::default()).text;
        assert!(!text.contains("<hostdev"), "it needs no second vGPU: {text}");
        let (_, kept) = device.split_once(',').unwrap();
        assert!(text.contains(kept) && text.contains("x-igd-opregion=on"), "{text}");
    }
}

#[test]
fn a_template_expression_moves_from_an_argument_to_an_override() {
    let line = command_line(&["-set", "device.hostdev0.romfile={{ rom }}"]);
    let text =
        with_vgpu("<alias name='ua-gvtg'/>", "").replace("</domain>", &format!("{line}</domain>"));
    let text = fix(&text, &Settings::default()).text;
    let property = "<qemu:property name='romfile' type='string' value='{{ rom }}'/>";
    assert!(text.contains(property) && !text.contains("-set"), "{text}");
}

#[test]
fn a_template_expression_in_a_second_devices_element_is_kept() {
    let devices = "<devices><graphics type='vnc' port='{{ port }}'><gl enable='no'/></graphics></devices></domain>";
    let text = fix(&with_vgpu("", "").replace("</domain>", devices), &Settings::default()).text;
    assert_eq!(text.matches("<devices>").count(), 1, "{text}");
    assert!(text.contains("port='{{ port }}'"), "{text}");
}

/// A domain without vGPU whose window is on this X display.
fn on_x_display(display: &str) -> String {
    let variable = format!("<qemu:env name='DISPLAY' value='{display}'/>");
    format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices/>\
         <qemu:commandline>{variable}</qemu:commandline></domain>"
    )
}

#[test]
fn a_missing_vgpu_is_added_next_to_a_template_expression() {
    let text = fix(&on_x_display("{{ display }}"), &Settings::default()).text;
    assert!(text.contains("<hostdev") && text.contains("value='{{ display }}'"), "{text}");
}

#[test]
fn the_shell_variable_of_a_guide_is_not_a_template_expression() {
    let text = fix(&on_x_display("$DISPLAY"), &Settings::default()).text;
    assert!(text.contains("name='DISPLAY' value=':0'"), "{text}");
}
