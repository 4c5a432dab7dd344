//! What fix once did wrong.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use gvtg_xml::internals::xml::QEMU_NAMESPACE;
use gvtg_xml::{
    Applicability, Audio, Detail, Diagnostic, Linter, RuleSet, SettingOverrides, Settings, builtin,
};

fn fixed(devices: &str, qemu: &str, settings: &Settings) -> String {
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices>{qemu}</domain>"
    );
    Linter::new(&RuleSet::all(builtin()), settings).fix(text).unwrap().text
}

const VGPU: &str = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>\
    <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>";

#[test]
fn each_new_set_in_a_command_line_that_is_there_has_its_own_option() {
    let settings = Settings { libvirt: "7.0.0".parse().unwrap(), ..Settings::default() };
    let text =
        fixed(VGPU, "<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>", &settings);
    let (options, operands) =
        (text.matches("value='-set'").count(), text.matches("value='device.").count());
    assert_eq!((options, operands), (4, 4), "{text}");
}

#[test]
fn what_later_rounds_find_is_where_it_was_when_the_text_came_in() {
    let text = format!(
        "<domain type='kvm'>\n  <devices>\n    {VGPU}\n  <sound model='ich9'/><qemu:commandline xmlns:qemu='{QEMU_NAMESPACE}'>\n      <qemu:arg value='-set'/>\n\
         \t<qemu:arg value='device.hostdev0.xres=800'/>\n    <qemu:arg value='stray'/>\n    </qemu:commandline>\n  </devices>\n</domain>\n"
    );
    let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text).unwrap();
    let at = |list: &[Diagnostic<'_>], rule: &str| {
        let one = list
            .iter()
            .find(|one| one.rule.id == rule)
            .unwrap_or_else(|| panic!("{rule} in {}", fixed.text));
        (one.start.line, one.start.column, one.end.line, one.end.column, one.in_inserted_text)
    };
    assert_eq!(fixed.rounds, 2, "the block moves first");
    assert_eq!(at(&fixed.applied, "misplaced-commandline"), (4, 24, 4, 98, false));
    assert_eq!(
        at(&fixed.applied, "set-on-json-device"),
        (6, 12, 6, 44, false),
        "in the block that moved"
    );
    assert_eq!(at(&fixed.remaining, "unreadable-argument"), (7, 15, 7, 28, false));
    assert_eq!(at(&fixed.remaining, "silent-sound"), (4, 3, 4, 24, false));
}

#[test]
fn what_is_left_in_what_a_fix_put_in_is_new_and_where_that_was_put() {
    let text =
        "<domain type='kvm'>\n  <os firmware='efi'/>\n  <devices>\n  </devices>\n</domain>\n"
            .to_owned();
    let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text).unwrap();
    let left = fixed.remaining.iter().find(|left| left.rule.id == "uefi-without-romfile").unwrap();
    assert!(
        left.in_inserted_text && left.start == left.end && (3..=4).contains(&left.start.line),
        "{left:?}"
    );
}

#[test]
fn a_new_alias_takes_along_what_names_the_vgpu_or_a_device_behind_it() {
    let sets = ["device.hostdev0.xres=800", "device.hostdev1.bootindex=1"];
    let arguments: String = sets
        .iter()
        .map(|set| format!("<qemu:arg value='-set'/><qemu:arg value='{set}'/>"))
        .collect();
    let capability =
        "<qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities>";
    let devices = format!("{VGPU}<hostdev type='usb'/>");
    let qemu = format!("<qemu:commandline>{arguments}</qemu:commandline>{capability}");
    let settings = Settings {
        explicit: SettingOverrides { alias: Some("ua-own".into()), ..SettingOverrides::default() },
        ..Settings::default()
    };
    let text = fixed(&devices, &qemu, &settings);
    assert!(
        text.contains("value='device.ua-own.xres=800'")
            && text.contains("value='device.hostdev0.bootindex=1'"),
        "{text}"
    );
}

#[test]
fn a_new_alias_and_a_new_value_meet_in_one_argument() {
    let set = "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.hostdev0.display=off'/></qemu:commandline>";
    let settings = Settings {
        libvirt: "7.0.0".parse().unwrap(),
        explicit: SettingOverrides { alias: Some("ua-own".into()), ..SettingOverrides::default() },
        ..Settings::default()
    };
    // The number of the vGPU is the stick's then.
    let text = fixed(&format!("{VGPU}<hostdev type='usb'/>"), set, &settings);
    assert!(
        text.contains("value='device.ua-own.display=on'") && !text.contains("hostdev0"),
        "{text}"
    );
}

#[test]
fn an_alias_that_another_vgpu_has_is_given_with_a_number_and_stays() {
    let alias = "<alias name='ua-own'/></hostdev>";
    let other = VGPU.replace("</hostdev>", alias).replace("ab54baba", "ab54babb");
    let sets = "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.hostdev0.display=on'/></qemu:commandline>";
    let settings = Settings {
        libvirt: "7.0.0".parse().unwrap(),
        explicit: SettingOverrides { alias: Some("ua-own".into()), ..SettingOverrides::default() },
        ..Settings::default()
    };
    let text = fixed(&(other + VGPU), sets, &settings);
    assert!(
        text.contains("<alias name='ua-own-2'/>") && text.contains("device.ua-own-2.display=on"),
        "{text}"
    );
    let again = Linter::new(&RuleSet::all(builtin()), &settings).fix(text).unwrap();
    assert!(!again.changed, "{}", again.text);
}

#[test]
fn a_new_property_has_the_prefix_of_what_it_stands_in() {
    let device =
        format!("<q:device xmlns:q='{QEMU_NAMESPACE}' xmlns:qemu='urn:other' alias='ua-gvtg'>");
    let vgpu = VGPU.replace("</hostdev>", "<alias name='ua-gvtg'/></hostdev>");
    for inside in ["<q:frontend></q:frontend>", ""] {
        let text = fixed(
            &vgpu,
            &format!("<qemu:override>{device}{inside}</q:device></qemu:override>"),
            &Settings::default(),
        );
        let properties = "<q:frontend><q:property name='x-igd-opregion' type='bool' value='true'/>\
            <q:property name='display' type='string' value='on'/></q:frontend>";
        assert!(text.contains(&format!("{device}{properties}</q:device>")), "{text}");
    }
}

// What the schema refuses, so that no rule has it as an example.

#[test]
fn a_prefix_that_only_a_joined_block_declares_is_declared_on_the_root() {
    let block = |declaration: &str, inside: &str| {
        format!("<qemu:commandline{declaration}>{inside}</qemu:commandline>")
    };
    let text = fixed(
        "",
        &(block("", "<qemu:arg value='-s'/>") + &block(" xmlns:n='urn:n'", "<n:note/>")),
        &Settings::default(),
    );
    assert!(
        text.starts_with(&format!(
            "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}' xmlns:n='urn:n'>"
        )),
        "{text}"
    );
    assert_eq!(text.matches("<qemu:commandline").count(), 1, "{text}");
    assert!(text.contains("<n:note/>"), "{text}");
}

#[test]
fn all_rom_elements_of_a_vgpu_go_together() {
    let roms: String = (0..20).map(|number| format!("<rom file='/{number}.rom'/>")).collect();
    let text =
        fixed(&VGPU.replace("</hostdev>", &format!("{roms}</hostdev>")), "", &Settings::default());
    assert!(
        !text.contains("<rom") && text.contains("name='romfile' type='string' value='/0.rom'"),
        "{text}"
    );
}

/// A domain whose vGPU is right except for what is replaced in it.
fn with_vgpu(from: &str, to: &str) -> String {
    let hostdev = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off' ramfb='on'>\
        <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source><alias name='ua-gvtg'/></hostdev>";
    assert!(hostdev.contains(from), "{from}");
    let hostdev = hostdev.replace(from, to);
    format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices>{hostdev}</devices></domain>"
    )
}

const UUID_HERE: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

#[test]
fn no_safe_fix_replaces_a_uuid_that_a_template_fills_in() {
    for uuid in [
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
    ] {
        let text = with_vgpu(UUID_HERE, uuid);
        let all =
            Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text.clone()).unwrap();
        assert!(all.text.contains(&format!("uuid='{uuid}'")), "{uuid}: {}", all.text);
        assert!(all.text.contains("x-igd-opregion"), "the rest is fixed: {}", all.text);
        let left: Vec<_> =
            all.remaining.iter().filter(|left| left.rule.id == "vgpu-uuid").collect();
        let [left] = left[..] else { panic!("{uuid}: {:?}", all.remaining) };
        assert!(left.message.ends_with("is filled in later by a template"), "{}", left.message);
        let mending = left.fix.as_ref().unwrap();
        assert_eq!(
            (mending.applicability, mending.risk.as_deref()),
            (Applicability::Unsafe, Some("a value that a template fills in later"))
        );
        let asked = Settings { uuid: UUID_HERE.parse().ok(), ..Settings::default() };
        for settings in [Settings { unsafe_fixes: true, ..Settings::default() }, asked] {
            assert!(
                !Linter::new(&RuleSet::all(builtin()), &settings)
                    .fix(text.clone())
                    .unwrap()
                    .text
                    .contains(uuid),
                "{uuid} was to be replaced"
            );
        }
    }
    for word in ["your-gpu-uuid-here", "GPU_UUID", "{your-gpu-uuid-here}", "XXXX"] {
        let all = Linter::new(&RuleSet::all(builtin()), &Settings::default())
            .fix(with_vgpu(UUID_HERE, word))
            .unwrap();
        assert!(!all.text.contains(word) && all.remaining.is_empty(), "{word}: {}", all.text);
    }
}

#[test]
fn no_value_that_a_template_fills_in_is_overwritten_or_removed() {
    let hostdev = [
        "mode='{{ x }}'",
        "managed='${x}'",
        "model='@x@'",
        "display='%x%'",
        "ramfb='$x'",
        "name='ua-{{ x }}'",
        "name='#{x}'",
    ];
    let vgpus = hostdev.iter().map(|attribute| {
        let (name, _) = attribute.split_once('=').unwrap();
        let right = [
            "mode='subsystem'",
            "managed='no'",
            "model='vfio-pci'",
            "display='off'",
            "ramfb='on'",
            "name='ua-gvtg'",
        ];
        (
            with_vgpu(right.iter().find(|right| right.starts_with(name)).unwrap(), attribute),
            *attribute,
        )
    });
    let plain = with_vgpu("", "");
    let qemu = |elements: &str| {
        plain.replace(
            "</domain>",
            &format!("<qemu:commandline>{elements}</qemu:commandline></domain>"),
        )
    };
    let others = [
        (plain.replace("type='kvm'", "type='{{ x }}'"), "type='{{ x }}'"),
        (
            plain.replace(
                "<devices>",
                "<devices><graphics type='{{ x }}'/><video><model type='qxl'/></video>",
            ),
            "<video>",
        ),
        (
            plain.replace("<devices>", "<devices><graphics type='{{ x }}'/>"),
            "<graphics type='{{ x }}'/>",
        ),
        (
            plain.replace("<devices>", "<devices><video><model type='{{ x }}'/></video>"),
            "<model type='{{ x }}'/>",
        ),
        (
            plain.replace(
                "<devices>",
                "<devices><graphics type='spice'><gl enable='{{ x }}'/></graphics>",
            ),
            "<gl enable='{{ x }}'/>",
        ),
        (
            plain.replace(
                "<name>",
                "<os><type arch='{{ x }}' machine='{{ y }}'>hvm</type></os><name>",
            ),
            "arch='{{ x }}'",
        ),
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
    let override_of = |alias: &str, property: &str, kind: &str, value: &str| {
        let property = format!("<qemu:property name='{property}' type='{kind}' value='{value}'/>");
        let device = format!(
            "<qemu:device alias='{alias}'><qemu:frontend>{property}</qemu:frontend></qemu:device>"
        );
        plain.replace("</domain>", &format!("<qemu:override>{device}</qemu:override></domain>"))
    };
    let overrides = [
        (override_of("ua-gvtg", "x-igd-opregion", "bool", "{{ x }}"), "value='{{ x }}'"),
        (override_of("ua-gvtg", "display", "string", "@x@"), "value='@x@'"),
        (override_of("ua-gvtg", "x-igd-opregion", "{{ x }}", "true"), "type='{{ x }}'"),
        (override_of("ua-{{ x }}", "x-igd-opregion", "bool", "true"), "alias='ua-{{ x }}'"),
    ];
    for (text, kept) in vgpus.chain(others).chain(overrides) {
        let fixed =
            Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text.clone()).unwrap();
        assert!(fixed.text.contains(kept), "{kept} is lost in {}", fixed.text);
        let again = Linter::new(&RuleSet::all(builtin()), &Settings::default())
            .fix(fixed.text.clone())
            .unwrap();
        assert_eq!(again.text, fixed.text, "{kept}");
        for detail in [Detail::Line, Detail::Words, Detail::Edits] {
            let found = Linter::new(&RuleSet::all(builtin()), &Settings::default())
                .detail(detail)
                .lint(&text)
                .unwrap()
                .open;
            let sure = |found: &[Diagnostic<'_>]| {
                found
                    .iter()
                    .map(|one| one.fix.as_ref().map(|fix| fix.applicability))
                    .collect::<Vec<_>>()
            };
            let all = Linter::new(&RuleSet::all(builtin()), &Settings::default())
                .detail(Detail::Edits)
                .lint(&text)
                .unwrap()
                .open;
            assert_eq!(
                sure(&found),
                sure(&all),
                "{kept}: at {detail:?} fixes are as safe as with all details"
            );
        }
    }
}

#[test]
fn a_uuid_made_from_a_templates_name_is_noted_as_shared() {
    let note =
        "all VMs of this template get the same vGPU: make the UUID a template expression too";
    let has_note = |text: &str, settings: &Settings| {
        let found = Linter::new(&RuleSet::all(builtin()), settings)
            .detail(Detail::Line)
            .lint(text)
            .unwrap()
            .open;
        found.iter().flat_map(|found| &found.related).any(|related| related.message == note)
    };
    let asked = Settings { uuid: UUID_HERE.parse().ok(), ..Settings::default() };
    for text in [
        with_vgpu(UUID_HERE, "GPU_UUID"),
        "<domain type='kvm'><name>x</name><devices/></domain>".to_owned(),
    ] {
        let template = text.replace("<name>x<", "<name>{{ vm }}<");
        assert!(has_note(&template, &Settings::default()) && !has_note(&template, &asked));
        assert!(!has_note(&text, &Settings::default()), "{text}");
        let named =
            template.replace("<name>", "<uuid>c1b2e3d4-0000-4000-8000-000000000001</uuid><name>");
        assert!(!has_note(&named, &Settings::default()), "it is made from the domain's uuid");
    }
    let template = with_vgpu(UUID_HERE, "{{ uuid }}").replace("<name>x<", "<name>{{ vm }}<");
    assert!(!has_note(&template, &Settings::default()), "each VM has a vGPU of its own");
}

#[test]
fn an_argument_whose_uuid_a_template_fills_in_is_the_vgpu() {
    for device in [
        "vfio-pci,sysfsdev=/sys/bus/mdev/devices/{{ uuid }}",
        "vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUID},display=on",
    ] {
        let arguments = format!("<qemu:arg value='-device'/><qemu:arg value='{device}'/>");
        let text = format!(
            "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices/>\
             <qemu:commandline>{arguments}</qemu:commandline></domain>"
        );
        let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text).unwrap();
        assert!(!fixed.text.contains("<hostdev"), "it needs no second vGPU: {}", fixed.text);
        let (_, kept) = device.split_once(',').unwrap();
        assert!(
            fixed.text.contains(kept) && fixed.text.contains("x-igd-opregion=on"),
            "{}",
            fixed.text
        );
    }
}

#[test]
fn a_template_expression_that_moves_is_not_lost() {
    let set = "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.hostdev0.romfile={{ rom }}'/></qemu:commandline></domain>";
    let text = with_vgpu("<alias name='ua-gvtg'/>", "").replace("</domain>", set);
    let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text).unwrap();
    assert!(
        fixed.text.contains("<qemu:property name='romfile' type='string' value='{{ rom }}'/>"),
        "{}",
        fixed.text
    );
    assert!(!fixed.text.contains("-set"), "{}", fixed.text);
    let devices = "<devices><graphics type='vnc' port='{{ port }}'><gl enable='no'/></graphics></devices></domain>";
    let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default())
        .fix(with_vgpu("", "").replace("</domain>", devices))
        .unwrap();
    assert_eq!(
        fixed.text.matches("<devices>").count(),
        1,
        "a second <devices> is joined with the first: {}",
        fixed.text
    );
    assert!(fixed.text.contains("port='{{ port }}'"), "{}", fixed.text);
}

#[test]
fn a_missing_vgpu_is_added_next_to_what_a_template_fills_in() {
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices/>\
         <qemu:commandline><qemu:env name='DISPLAY' value='{{{{ display }}}}'/></qemu:commandline></domain>"
    );
    let fixed =
        Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text.clone()).unwrap();
    assert!(
        fixed.text.contains("<hostdev") && fixed.text.contains("value='{{ display }}'"),
        "{}",
        fixed.text
    );
    let of_a_shell = text.replace("{{ display }}", "$DISPLAY");
    let fixed =
        Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(of_a_shell).unwrap();
    assert!(
        fixed.text.contains("name='DISPLAY' value=':0'"),
        "a guide's word for a shell is not a template: {}",
        fixed.text
    );
}

#[test]
fn of_two_displays_with_opengl_the_one_that_shows_the_vgpu_stays() {
    let spice = "<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>";
    let window = "<qemu:commandline><qemu:arg value='-display'/><qemu:arg value='gtk,gl=on'/></qemu:commandline>";
    let vgpu = VGPU.replace("'vfio-pci'", "'vfio-pci' display='off'");
    let text = fixed(&format!("{spice}{vgpu}"), window, &Settings::default());
    assert!(
        !text.contains("<graphics") && text.contains("gtk,gl=on"),
        "the hostdev's display is off, so it is the window: {text}"
    );
    let vgpu = VGPU.replace("'vfio-pci'", "'vfio-pci' display='on'");
    let text = fixed(&format!("{spice}{vgpu}"), window, &Settings::default());
    assert!(
        text.contains(spice) && text.contains("display='on'"),
        "the hostdev's display is on: {text}"
    );
}

#[test]
fn a_screen_with_opengl_stays_whether_the_vgpu_is_there_or_not() {
    let screens = [
        "<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics><channel type='spicevmc'/>",
        "<graphics type='sdl'><gl enable='yes'/></graphics>",
        "<graphics type='dbus'><gl enable='yes'/></graphics>",
        "<graphics type='vnc'/><graphics type='egl-headless'/>",
        "<graphics type='spice' autoport='yes'/><graphics type='egl-headless'/>",
    ];
    for screen in screens {
        for vgpu in
            [String::new(), VGPU.to_owned(), VGPU.replace("'vfio-pci'", "'vfio-pci' display='off'")]
        {
            for libvirt in ["7.0.0", "9.0.0"] {
                let settings =
                    Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
                let text = fixed(&format!("{screen}{vgpu}"), "", &settings);
                assert!(text.contains(screen) && text.contains("display='on'"), "{text}");
                assert!(
                    !text.contains("-display") && !text.contains("display=on"),
                    "no window opens: {text}"
                );
            }
        }
    }
}

#[test]
fn a_uuid_with_the_signs_of_an_unknown_template_engine_is_replaced_by_no_safe_fix() {
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
        let text = with_vgpu(UUID_HERE, uuid);
        let all = Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text).unwrap();
        assert!(all.text.contains(&format!("uuid='{uuid}'")), "{uuid}: {}", all.text);
        assert!(
            all.remaining.iter().any(|left| left.rule.id == "vgpu-uuid"),
            "{uuid}: {:?}",
            all.remaining
        );
    }
}

#[test]
fn a_template_gets_no_vgpu_that_all_its_vms_share_unasked() {
    let text = "<domain type='kvm'><name>{{ n }}</name><uuid>{{ u }}</uuid><devices/></domain>";
    assert_eq!(
        Linter::new(&RuleSet::all(builtin()), &Settings::default())
            .fix(text.to_owned())
            .unwrap()
            .text,
        text
    );
    let asked = Settings { uuid: UUID_HERE.parse().ok(), ..Settings::default() };
    assert!(
        Linter::new(&RuleSet::all(builtin()), &asked)
            .fix(text.to_owned())
            .unwrap()
            .text
            .contains(UUID_HERE)
    );
}

#[test]
fn a_display_of_none_takes_the_opengl_of_all_but_spice() {
    let none =
        ["<qemu:arg value='-display'/><qemu:arg value='none'/>", "<qemu:arg value='-nographic'/>"];
    for argument in
        none.map(|arguments| format!("<qemu:commandline>{arguments}</qemu:commandline>"))
    {
        let spice = format!(
            "<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>{VGPU}"
        );
        assert!(
            fixed(&spice, &argument, &Settings::default()).contains("display='on'"),
            "SPICE draws by itself: {argument}"
        );
        for screen in [
            "<graphics type='sdl'><gl enable='yes'/></graphics>",
            "<graphics type='vnc'/><graphics type='egl-headless'/>",
        ] {
            let text = fixed(&format!("{screen}{VGPU}"), &argument, &Settings::default());
            assert!(
                !text.contains("model='vfio-pci' display='on'"),
                "nothing draws with OpenGL: {text}"
            );
        }
    }
    // It takes the place of a window, too.
    let window = "<qemu:commandline><qemu:arg value='-display'/><qemu:arg value='gtk,gl=on'/><qemu:arg value='-nographic'/></qemu:commandline>";
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><devices>{VGPU}</devices>{window}</domain>"
    );
    let found = Linter::new(&RuleSet::all(builtin()), &Settings::default())
        .detail(Detail::Edits)
        .lint(&text)
        .unwrap()
        .open;
    assert!(found.iter().any(|found| found.message.contains("-nographic turns off")), "{found:?}");
}

#[test]
fn egl_headless_among_the_arguments_gives_vnc_its_opengl() {
    let argument = "<qemu:commandline><qemu:arg value='-display'/><qemu:arg value='egl-headless'/></qemu:commandline>";
    let text = fixed(&format!("<graphics type='vnc'/>{VGPU}"), argument, &Settings::default());
    assert!(
        text.contains("<graphics type='vnc'/>")
            && text.contains("display='on'")
            && text.contains("'egl-headless'"),
        "{text}"
    );
    // On its own nothing shows what it draws, and libvirt refuses display='on' without a
    // <graphics>.
    let text = fixed(VGPU, argument, &Settings::default());
    assert!(!text.contains("model='vfio-pci' display='on'"), "{text}");
}

#[test]
fn blanks_at_the_end_of_a_line_stay_on_it() {
    let devices = "  <devices>  \n    <controller type='scsi' index='0' model='virtio-scsi'/>   \n  </devices>\t\n";
    for devices in [devices, "  <devices> \n  </devices>  \n", "  <devices/>   \n"] {
        for newline in ["\n", "\r\n"] {
            let text = format!("<domain type='kvm'>  \n  <name>w</name> \n{devices}</domain>  \n")
                .replace('\n', newline);
            let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default())
                .fix(text.clone())
                .unwrap()
                .text;
            let mut lines = fixed.split('\n');
            // The root gets a declaration, and an empty <devices/> opens.
            let is_kept =
                |line: &&str| !line.starts_with("<domain") && !line.contains("<devices/>");
            for line in text.split('\n').filter(is_kept) {
                assert!(lines.any(|new| new == line), "{line:?} is gone or moved:\n{fixed}");
            }
        }
    }
}

#[test]
fn an_audio_gets_the_id_that_a_sound_card_names() {
    let card = "<sound model='ich9'><audio id='2'/></sound>";
    let text = fixed(&format!("{card}<audio type='pulseaudio'/>"), "", &Settings::default());
    assert!(text.contains("<audio type='pulseaudio' id='2'/>"), "{text}");
    let alsa = Audio { backend: "alsa".into(), attributes: Vec::new() };
    let asked = SettingOverrides { audio: Some(alsa), ..SettingOverrides::default() };
    let text =
        fixed(card, "", &Settings { explicit: asked, unsafe_fixes: true, ..Settings::default() });
    assert!(text.contains(card) && text.contains("<audio id='2' type='alsa'/>"), "{text}");
}

#[test]
fn the_vgpu_with_display_and_ramfb_shows_the_picture_and_keeps_doing_so() {
    let vgpu = |attributes: &str, digit: u8| {
        VGPU.replace("<hostdev", &format!("<hostdev {attributes}"))
            .replace("65849", &format!("6584{digit}"))
    };
    let (display, both) = ("display='on'", "display='on' ramfb='on'");
    for (first, second, graphics) in
        [(display, both, "<graphics type='vnc'/>"), (display, both, ""), ("ramfb='on'", both, "")]
    {
        let text = format!(
            "<domain type='kvm'><devices>{graphics}{}{}</devices></domain>",
            vgpu(first, 1),
            vgpu(second, 2)
        );
        let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text).unwrap();
        let (_, second) = fixed.text.split_once("b65841").unwrap();
        assert!(
            second.contains("ramfb='on'") && second.contains("<alias name='ua-gvtg'/>"),
            "{}",
            fixed.text
        );
        let again = Linter::new(&RuleSet::all(builtin()), &Settings::default())
            .fix(fixed.text.clone())
            .unwrap();
        assert_eq!(again.text, fixed.text);
        let claims = fixed
            .applied
            .iter()
            .filter_map(|applied| applied.fix.as_ref())
            .filter(|fix| fix.title.contains("QEMU's display property"));
        assert_eq!(claims.count(), 1, "one vGPU gets the property");
    }
}

#[test]
fn spice_leftovers_are_removed_where_the_screen_has_to_stay() {
    let igpu = "<hostdev mode='subsystem' type='pci' managed='yes'>\
        <source><address domain='0x0000' bus='0x00' slot='0x02' function='0x0'/></source></hostdev>";
    let leftover = "<redirdev bus='usb' type='spicevmc'/>";
    let without = fixed(&format!("{igpu}{leftover}"), "", &Settings::default());
    assert!(!without.contains("redirdev") && !without.contains("mdev"), "{without}");
    let mute = fixed(&format!("{igpu}<audio id='1' type='spice'/>"), "", &Settings::default());
    assert!(mute.contains("<audio id='1' type='none'/>") && !mute.contains("mdev"), "{mute}");
    // With its <graphics> it is not a leftover.
    let kept = fixed(
        &format!("<graphics type='spice'/><video/>{igpu}{leftover}"),
        "",
        &Settings::default(),
    );
    assert!(kept.contains("redirdev") && kept.contains("<graphics type='spice'/>"), "{kept}");
    let unsafely = Settings { unsafe_fixes: true, keep_video: true, ..Settings::default() };
    let function = igpu.replace("function='0x0'", "function='0x3'");
    let kept =
        fixed(&format!("<graphics type='spice'/><video/>{function}{leftover}"), "", &unsafely);
    assert!(
        kept.contains("redirdev") && kept.contains("<graphics type='spice'/>"),
        "nothing shows the guest without it: {kept}"
    );
}

#[test]
fn a_network_card_is_not_a_screen() {
    let address = "<address type='pci' domain='0x0000' bus='0x07' slot='0x10' function='0x0'/>";
    let interface =
        format!("<interface type='hostdev' managed='yes'><source>{address}</source></interface>");
    let teaming = format!(
        "<hostdev type='pci'><source>{address}</source><teaming type='transient' persistent='ua-nic'/></hostdev>"
    );
    for card in [interface, teaming] {
        let text = fixed(
            &format!("{card}<graphics type='spice'/><video><model type='qxl'/></video>"),
            "",
            &Settings::default(),
        );
        assert!(!text.contains("<graphics") && !text.contains("<video"), "{text}");
    }
}

#[test]
fn a_guest_with_a_function_of_the_gpu_stays_as_it_is() {
    let function = "<hostdev mode='subsystem' type='pci' managed='yes'>\
        <source><address domain='0' bus='0' slot='2' function='2'/></source></hostdev>";
    let devices = format!("<graphics type='vnc'/><video><model type='virtio'/></video>{function}");
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices></domain>"
    );
    for unsafe_fixes in [false, true] {
        assert_eq!(
            fixed(&devices, "", &Settings { unsafe_fixes, ..Settings::default() }),
            text,
            "unsafe: {unsafe_fixes}"
        );
    }
}

/// A vGPU that has everything but ramfb.
const WITHOUT_RAMFB: &str = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off'>\
    <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source><alias name='ua-gvtg'/></hostdev>";

/// The number of devices that a text gives ramfb.
fn ramfbs(text: &str) -> usize {
    let spellings = [
        "ramfb='on'",
        "name='ramfb' type='bool' value='true'",
        ".ramfb=on",
        "type='ramfb'",
        "value='ramfb'",
        ",ramfb=on",
    ];
    spellings.iter().map(|spelling| text.matches(spelling).count()).sum()
}

#[test]
fn a_vm_gets_no_second_ramfb() {
    let card = |attributes: &str| {
        let address = "<address domain='0x0000' bus='0x06' slot='0x12' function='0x5'/>";
        format!(
            "<graphics type='vnc'/><hostdev mode='subsystem' type='pci' managed='yes' {attributes}><source>{address}</source></hostdev>"
        )
    };
    let argument = |first: &str, second: &str| {
        format!(
            "<qemu:commandline><qemu:arg value='{first}'/><qemu:arg value='{second}'/></qemu:commandline>"
        )
    };
    let of_override = "<qemu:override><qemu:device alias='hostdev0'><qemu:frontend>\
        <qemu:property name='ramfb' type='bool' value='true'/></qemu:frontend></qemu:device></qemu:override>";
    for (devices, qemu) in [
        (card("display='on' ramfb='on'"), String::new()),
        (card(""), of_override.into()),
        (card(""), argument("-set", "device.hostdev0.ramfb=on")),
        (String::new(), argument("-device", "ramfb")),
        (String::new(), argument("-device", "vfio-pci-nohotplug,host=06:12.5,display=on,ramfb=on")),
        (
            String::new(),
            argument("-device", "vfio-pci-nohotplug,host=06:12.5,id=gpu")
                + &argument("-set", "device.gpu.ramfb=on"),
        ),
        ("<video><model type='ramfb'/></video>".into(), String::new()),
        (format!("{}<video><model type='ramfb'/></video>", card("")), String::new()),
    ] {
        for vgpu in ["", WITHOUT_RAMFB] {
            for libvirt in ["7.0", "9.0", "newest"] {
                let settings =
                    Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
                // libvirt before 10.3 drops a card's attribute.
                if libvirt != "newest" && devices.contains("ramfb='on'") {
                    continue;
                }
                let text = fixed(&format!("{devices}{vgpu}"), &qemu, &settings);
                assert_eq!(ramfbs(&text), 1, "libvirt {libvirt}: {text}");
                let again = Linter::new(&RuleSet::all(builtin()), &settings)
                    .fix(text.clone())
                    .unwrap()
                    .text;
                assert_eq!(again, text, "libvirt {libvirt}");
            }
        }
    }
}

#[test]
fn ramfb_moves_to_the_vgpu_that_is_asked_for() {
    let other =
        VGPU.replace("<hostdev", "<hostdev display='off' ramfb='on'").replace("65849", "65850");
    let settings = Settings {
        uuid: "ab54baba-ea9a-4ce5-b7b4-51b376b65849".parse().ok(),
        ..Settings::default()
    };
    let text = fixed(&format!("{other}{WITHOUT_RAMFB}"), "", &settings);
    assert!(text.contains("ramfb='off'") && ramfbs(&text) == 1, "{text}");
}

#[test]
fn an_opregion_from_a_file_gets_no_second_one() {
    for arguments in [
        "<qemu:arg value='-fw_cfg'/><qemu:arg value='name=etc/igd-opregion,file=/o.bin'/>",
        "<qemu:arg value='--fw_cfg'/><qemu:arg value='file=/o.bin,name=etc/igd-opregion'/>",
        "<qemu:arg value='-fw_cfg etc/igd-opregion,file=/o.bin'/>",
    ] {
        let qemu = format!("<qemu:commandline>{arguments}</qemu:commandline>");
        for (vgpu, libvirt) in [("", "newest"), (VGPU, "newest"), ("", "7.0"), (VGPU, "7.0")] {
            let text = fixed(
                vgpu,
                &qemu,
                &Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() },
            );
            assert!(!text.contains("x-igd-opregion") && text.contains("ramfb"), "{text}");
        }
    }
}

#[test]
fn no_ramfb_is_added_next_to_a_rom_that_draws_the_firmware() {
    let rom = VGPU.replace("</hostdev>", "<rom file='/rom/I915OVMF-debug.rom'/></hostdev>");
    let asked = SettingOverrides {
        romfile: Some("/var/lib/libvirt/qemu/drivers/i915ovmf.rom".into()),
        ..SettingOverrides::default()
    };
    for (vgpu, asked) in
        [(rom.as_str(), SettingOverrides::default()), (VGPU, asked.clone()), ("", asked)]
    {
        for libvirt in ["newest", "7.0"] {
            let text = fixed(
                vgpu,
                "",
                &Settings {
                    libvirt: libvirt.parse().unwrap(),
                    explicit: asked.clone(),
                    ..Settings::default()
                },
            );
            assert!(!text.contains("ramfb") && !text.contains("nohotplug"), "{text}");
            assert!(
                text.to_lowercase().contains("i915ovmf") && text.contains("x-igd-opregion"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_cards_attributes_that_libvirt_drops_are_not_findings() {
    let card = "<hostdev mode='subsystem' type='pci' managed='yes' display='on' ramfb='on'>\
        <source><address domain='0x0000' bus='0x06' slot='0x12' function='0x5'/></source></hostdev>";
    let text = format!("<domain type='kvm'><devices>{card}{WITHOUT_RAMFB}</devices></domain>");
    let finds = |libvirt: &str| {
        let settings = Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
        let found = Linter::new(&RuleSet::all(builtin()), &settings)
            .detail(Detail::Edits)
            .lint(&text)
            .unwrap()
            .open;
        ["display-without-graphics", "ramfb-elsewhere", "missing-ramfb"]
            .map(|rule| found.iter().any(|found| found.rule.id == rule))
    };
    assert_eq!(finds("10.2"), [false, false, true]);
    assert_eq!(finds("10.3"), [true, true, false]);
}

#[test]
fn a_vgpu_without_opregion_next_to_a_file_with_it_is_fine_on_every_qemu() {
    let off = "<qemu:commandline><qemu:arg value='-fw_cfg'/><qemu:arg value='etc/igd-opregion,file=/o.bin'/></qemu:commandline>\
        <qemu:override><qemu:device alias='ua-gvtg'><qemu:frontend>\
        <qemu:property name='x-igd-opregion' type='bool' value='false'/></qemu:frontend></qemu:device></qemu:override>";
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><devices>{WITHOUT_RAMFB}</devices>{off}</domain>"
    );
    let found = Linter::new(&RuleSet::all(builtin()), &Settings::default())
        .detail(Detail::Edits)
        .lint(&text)
        .unwrap()
        .open;
    assert!(!found.iter().any(|found| found.rule.id.contains("opregion")), "{found:?}");
}

#[test]
fn of_two_vgpus_with_one_alias_the_first_keeps_the_properties() {
    let vgpu = WITHOUT_RAMFB.replace("display='off'", "display='off' ramfb='on'");
    let ramfb = "<qemu:override><qemu:device alias='ua-gvtg'><qemu:frontend>\
        <qemu:property name='ramfb' type='string' value='on'/></qemu:frontend></qemu:device></qemu:override>";
    let text =
        fixed(&format!("{vgpu}{}", vgpu.replace("65849", "65850")), ramfb, &Settings::default());
    assert!(
        text.contains("<qemu:property name='ramfb' type='bool' value='true'/>")
            && text.contains("ramfb='off'"),
        "{text}"
    );
}

/// A command line with these arguments.
fn command_line(arguments: &[&str]) -> String {
    let arguments: String =
        arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
    format!("<qemu:commandline>{arguments}</qemu:commandline>")
}

#[test]
fn a_vnc_server_among_the_arguments_is_left_alone() {
    for arguments in [
        &["-display", "vnc=:5"][..],
        &["-display", "vnc=127.0.0.1:5,password"],
        &["-display", "vnc=unix:/tmp/x"],
    ] {
        let devices = format!("<video><model type='qxl'/></video>{VGPU}");
        let text = fixed(&devices, &command_line(arguments), &Settings::default());
        assert!(text.contains(&command_line(arguments)) && text.contains("qxl"), "{text}");
    }
}

#[test]
fn a_vnc_server_next_to_another_display_does_not_replace_it() {
    let devices = format!("<graphics type='vnc'/><graphics type='egl-headless'/>{VGPU}");
    let arguments = command_line(&["-display", "vnc=:5"]);
    let text = fixed(&devices, &arguments, &Settings::default());
    assert!(
        text.contains(&arguments)
            && text.contains("display='on'")
            && text.contains("<graphics type='vnc'/>"),
        "{text}"
    );
    let both = command_line(&["-display", "gtk,gl=on", "-display", "vnc=:5"]);
    let text = fixed(VGPU, &both, &Settings::default());
    assert!(
        text.contains("value='gtk,gl=on'/><qemu:arg value='-display'/><qemu:arg value='vnc=:5'/>"),
        "{text}"
    );
}

#[test]
fn a_display_joined_with_its_operand_shows_what_it_shows_once_split() {
    for argument in [
        "-display=egl-headless",
        "-display egl-headless,rendernode=/dev/dri/renderD128",
        "--display=egl-headless",
    ] {
        let devices =
            format!("<graphics type='vnc'/>{}", VGPU.replace("model=", "display='on' model="));
        let text = fixed(&devices, &command_line(&[argument]), &Settings::default());
        assert!(text.contains("display='on'") && text.contains("<graphics type='vnc'/>"), "{text}");
        assert!(text.contains("value='egl-headless") && !text.contains("qemu:env"), "{text}");
    }
}

#[test]
fn the_old_option_sdl_becomes_a_display_with_opengl_and_no_other_is_added() {
    let text = fixed(VGPU, &command_line(&["-sdl"]), &Settings::default());
    assert!(
        text.contains("<qemu:arg value='-display'/><qemu:arg value='sdl,gl=on'/>")
            && !text.contains("gtk"),
        "{text}"
    );
    let asked =
        SettingOverrides { display: Some("gtk,gl=es".into()), ..SettingOverrides::default() };
    let text =
        fixed(VGPU, &command_line(&["-sdl"]), &Settings { explicit: asked, ..Settings::default() });
    assert!(
        text.contains("<qemu:arg value='-display'/><qemu:arg value='gtk,gl=es'/>")
            && !text.contains("sdl"),
        "{text}"
    );
}

#[test]
fn a_vgpu_gets_no_opregion_next_to_another_device_with_one() {
    let option = |name: &str, operand: &str| {
        format!("<qemu:arg value='{name}'/><qemu:arg value='{operand}'/>")
    };
    let other = "vfio-pci,sysfsdev=/sys/bus/mdev/devices/ab54baba-ea9a-4ce5-b7b4-51b376b65850";
    let card = "<hostdev mode='subsystem' type='pci' managed='yes'>\
        <source><address domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></source></hostdev>";
    let of_override = "<qemu:override><qemu:device alias='hostdev0'><qemu:frontend>\
        <qemu:property name='x-igd-opregion' type='bool' value='true'/></qemu:frontend></qemu:device></qemu:override>";
    for (devices, arguments, override_block) in [
        ("", option("-device", &format!("{other},x-igd-opregion=on")), ""),
        (
            "",
            option("-device", &format!("{other},id=a"))
                + &option("-set", "device.a.x-igd-opregion=on"),
            "",
        ),
        ("", option("-device", "vfio-pci,host=01:00.0,x-igd-opregion=yes"), ""),
        (card, option("-set", "device.hostdev0.x-igd-opregion=on"), ""),
        (card, String::new(), of_override),
    ] {
        for libvirt in ["7.0", "9.0", "newest"] {
            let settings = Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
            let qemu = format!("<qemu:commandline>{arguments}</qemu:commandline>{override_block}");
            let text = fixed(&format!("{devices}{WITHOUT_RAMFB}"), &qemu, &settings);
            assert_eq!(text.matches("x-igd-opregion").count(), 1, "libvirt {libvirt}: {text}");
            assert_eq!(fixed_again(&text, &settings), text, "libvirt {libvirt}");
        }
    }
}

fn fixed_again(text: &str, settings: &Settings) -> String {
    Linter::new(&RuleSet::all(builtin()), settings).fix(text.to_owned()).unwrap().text
}

#[test]
fn the_raw_vgpu_with_display_and_ramfb_is_the_one_and_stays_it() {
    let raw = |number: u8, rest: &str| {
        let path = format!("/sys/bus/mdev/devices/ab54baba-ea9a-4ce5-b7b4-51b376b6585{number}");
        format!(
            "<qemu:arg value='-device'/><qemu:arg value='vfio-pci-nohotplug,sysfsdev={path}{rest}'/>"
        )
    };
    let set =
        |operand: &str| format!("<qemu:arg value='-set'/><qemu:arg value='device.a.{operand}'/>");
    let (both, first) = (raw(1, ",display=on,ramfb=on"), raw(0, ""));
    let by_set = raw(1, ",id=a") + &set("display=on") + &set("ramfb=on");
    let hostdev = WITHOUT_RAMFB.replace("<alias name='ua-gvtg'/>", "");
    for libvirt in ["7.0", "newest"] {
        let settings = Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
        for (devices, arguments) in [
            (hostdev.as_str(), both.clone()),
            (&hostdev, by_set.clone()),
            ("", format!("{first}{both}")),
        ] {
            let qemu = format!("<qemu:commandline>{arguments}</qemu:commandline>");
            let text = fixed(devices, &qemu, &settings);
            let one = text.split('<').find(|tag| tag.contains("6b65851")).unwrap();
            assert!(one.contains(",x-igd-opregion=on"), "libvirt {libvirt}: {text}");
            assert!(
                devices.is_empty() || text.contains(devices),
                "the hostdev stays as it was: {text}"
            );
            assert!(
                !devices.is_empty() || text.contains(&first),
                "the first argument stays as it was: {text}"
            );
            assert_eq!(ramfbs(&text), 1, "{text}");
            assert_eq!(fixed_again(&text, &settings), text, "libvirt {libvirt}");
        }
    }
    // The uuid that is asked for decides.
    let settings = Settings {
        uuid: "ab54baba-ea9a-4ce5-b7b4-51b376b65849".parse().ok(),
        ..Settings::default()
    };
    let text = fixed(&hostdev, &format!("<qemu:commandline>{both}</qemu:commandline>"), &settings);
    assert!(text.contains("name='display' type='string' value='on'"), "{text}");
}

#[test]
fn a_set_reaches_the_device_of_an_argument_and_stays() {
    for operand in ["ramfb=on", "romfile=/x/gpu.rom", "x-vga=on", "display=on", "x-igd-opregion=on"]
    {
        for id in ["gpu", "hostdev7", "ua-gpu"] {
            let set = format!("<qemu:arg value='-set'/><qemu:arg value='device.{id}.{operand}'/>");
            let qemu = format!(
                "<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='vfio-pci-nohotplug,host=01:00.0,id={id}'/>{set}</qemu:commandline>"
            );
            for libvirt in ["7.0", "9.0", "newest"] {
                let settings =
                    Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
                let text = fixed(WITHOUT_RAMFB, &qemu, &settings);
                assert!(text.contains(&set), "libvirt {libvirt}: {text}");
            }
        }
    }
}

#[test]
fn a_global_gives_the_vgpu_no_second_ramfb() {
    let qemu = "<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='vfio-pci-nohotplug,host=01:00.0'/>\
        <qemu:arg value='-global'/><qemu:arg value='vfio-pci-nohotplug.ramfb=on'/></qemu:commandline>";
    for libvirt in ["7.0", "9.0", "newest"] {
        let settings = Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
        let text = fixed(WITHOUT_RAMFB, qemu, &settings);
        assert!(
            ramfbs(&text) == 1 && text.matches("nohotplug").count() == 2,
            "libvirt {libvirt}: {text}"
        );
        assert_eq!(fixed_again(&text, &settings), text, "libvirt {libvirt}");
    }
}

#[test]
fn the_ramfb_that_is_turned_off_on_another_vgpu_is_named() {
    let first = WITHOUT_RAMFB.replace("display='off'", "display='on'");
    let other =
        VGPU.replace("<hostdev", "<hostdev display='off' ramfb='on'").replace("65849", "65850");
    let graphics = "<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>";
    let text = format!("<domain type='kvm'><devices>{first}{other}{graphics}</devices></domain>");
    let place = text.find("ramfb='on'").unwrap();
    let fixed = Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(text).unwrap();
    let mut related = fixed
        .applied
        .iter()
        .filter(|one| one.rule.id == "missing-ramfb")
        .flat_map(|one| &one.related);
    let is_named = related.any(|related| {
        related.is_removed
            && related.message.contains("ramfb='on'")
            && related.start.column == place + 1
    });
    assert!(is_named && fixed.text.contains("ramfb='off'"), "{:?}", fixed.applied);
}

#[test]
fn a_display_that_qemu_cannot_open_is_replaced_only_where_that_is_asked_for() {
    let found = |arguments: &str| {
        let text = format!(
            "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><devices>{VGPU}</devices>{arguments}</domain>"
        );
        let found = Linter::new(&RuleSet::all(builtin()), &Settings::default())
            .detail(Detail::Edits)
            .lint(&text)
            .unwrap()
            .open;
        found.iter().any(|found| found.rule.id == "unusable-display")
    };
    for display in ["dbus,gl=on", "spice-app,gl=on", "nonsense,gl=on"] {
        let line = command_line(&["-display", display]);
        assert!(found(&line), "{display}");
        assert!(fixed(VGPU, &line, &Settings::default()).contains(display), "{display}");
        let replaced = fixed(VGPU, &line, &Settings { unsafe_fixes: true, ..Settings::default() });
        assert!(
            !replaced.contains(display) && replaced.contains("value='gtk,gl=on'"),
            "{replaced}"
        );
    }
    // A bus that the domain names may be there; `disabled:` names none.
    let with_bus = |bus: &str| {
        let variable =
            format!("<qemu:env name='DBUS_SESSION_BUS_ADDRESS' value='{bus}'/></qemu:commandline>");
        command_line(&["-display", "dbus,gl=on"]).replace("</qemu:commandline>", &variable)
    };
    assert!(!found(&with_bus("unix:path=/run/user/1000/bus")) && found(&with_bus("disabled:")));
}

#[test]
fn an_old_libvirt_gets_opengl_for_the_option_sdl_too() {
    let settings = Settings { libvirt: "7.0.0".parse().unwrap(), ..Settings::default() };
    let text = fixed(VGPU, &command_line(&["-sdl"]), &settings);
    assert!(
        text.contains("<qemu:arg value='-display'/><qemu:arg value='sdl,gl=on'/>")
            && !text.contains("gtk"),
        "{text}"
    );
}

#[test]
fn an_audio_type_that_a_template_fills_in_is_not_invalid() {
    let text = "<domain type='kvm'><devices><sound model='ich9'/><audio id='1' type='{{ audio }}'/></devices></domain>";
    let found = Linter::new(&RuleSet::all(builtin()), &Settings::default())
        .detail(Detail::Edits)
        .lint(text)
        .unwrap()
        .open;
    assert!(!found.iter().any(|found| found.rule.id == "invalid-audio-type"), "{found:?}");
}

#[test]
fn a_set_of_the_vgpus_property_moves_from_a_network_card_to_the_vgpu() {
    let nic = "<interface type='hostdev' managed='yes'>\
        <source><address type='pci' domain='0x0000' bus='0x07' slot='0x10' function='0x0'/></source></interface>";
    let line = command_line(&["-set", "device.hostdev0.x-igd-opregion=on"]);
    let settings = Settings { libvirt: "7.0.0".parse().unwrap(), ..Settings::default() };
    let text = fixed(&format!("{nic}{VGPU}"), &line, &settings);
    assert!(
        text.contains("device.ua-gvtg.x-igd-opregion=on") && !text.contains("device.hostdev0."),
        "{text}"
    );
}

#[test]
fn a_vnc_server_after_nographic_chooses_no_display() {
    for arguments in [&["-nographic", "-display", "vnc=:5"][..], &["-nographic", "-vnc", ":5"]] {
        let text = fixed(VGPU, &command_line(arguments), &Settings::default());
        assert!(text.contains(&command_line(arguments)), "the user's screen stays: {text}");
    }
}
