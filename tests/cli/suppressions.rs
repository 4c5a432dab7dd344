//! Suppressions in a domain: which findings they match, what `fix` leaves alone because of them,
//! and which fixes are then safe.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use common::program::run;
use gvtg_xml::{Detail, Linter, Rule, RuleSet, Settings, Severity, builtin, parse_settings};

const HEAD: &str = "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>a</name>\n  <devices>\n";

/// Children of `<devices>`.
const VNC: &str = "    <graphics type='vnc' port='-1'/>\n";
const VIDEO: &str = "    <video>\n      <model type='qxl'/>\n    </video>\n";
const SPICE: &str = "    <graphics type='spice'/>\n";
const CHANNEL: &str = "    <channel type='spicevmc'/>\n";
const VGPU: &str = "    <hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>\n      <source>\n        \
    <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n    </hostdev>\n";

fn domain(devices: &[&str]) -> String {
    format!("{HEAD}{}  </devices>\n</domain>\n", devices.concat())
}

fn comment(what: &str) -> String {
    format!("    <!-- gvtg-xml: {what} -->\n")
}

/// The findings in a document: rule and line.
fn found(text: &str) -> Vec<String> {
    let found = Linter::new(&RuleSet::all(builtin()), &Settings::default())
        .detail(Detail::Edits)
        .lint(text)
        .unwrap()
        .open;
    found.iter().map(|found| format!("{} {}", found.rule.id, found.start.line)).collect()
}

fn ids(text: &str) -> Vec<String> {
    found(text).iter().filter_map(|found| found.split(' ').next()).map(str::to_owned).collect()
}

/// The text that `fix` makes of a document, which a second run does not change, and the rules that
/// are left.
fn fixed(text: &str, settings: &Settings) -> (String, Vec<String>) {
    let rules = RuleSet::all(builtin());
    let fixed = Linter::new(&rules, settings).fix(text.to_owned()).unwrap();
    assert_eq!(
        Linter::new(&rules, settings).fix(fixed.text.clone()).unwrap().text,
        fixed.text,
        "twice is once"
    );
    (fixed.text, fixed.remaining.iter().map(|left| left.rule.id.to_string()).collect())
}

fn safely(text: &str) -> (String, Vec<String>) {
    fixed(text, &Settings::default())
}

#[test]
fn a_comment_suppresses_findings_in_the_next_element() {
    let both = domain(&[
        VGPU,
        &comment("ignore[vgpu-boot-order] it boots from there"),
        "    <hostdev type='mdev'><boot order='1'/></hostdev>\n",
    ]);
    assert!(!ids(&both).contains(&"vgpu-boot-order".into()), "the finding is at the <boot> in it");
    let other = domain(&[
        "    <hostdev type='mdev'><boot order='1'/></hostdev>\n",
        &comment("ignore[vgpu-boot-order] no"),
        VGPU,
    ]);
    assert!(ids(&other).contains(&"vgpu-boot-order".into()), "the element before it");
    // What the element lacks is reported at its tag.
    let lacking = domain(&[&comment("ignore[missing-opregion] QEMU 10.1"), VGPU]);
    assert!(!ids(&lacking).contains(&"missing-opregion".into()));
    let other_rule = domain(&[&comment("ignore[missing-ramfb] QEMU 10.1"), VGPU]);
    assert!(ids(&other_rule).contains(&"missing-opregion".into()));
}

#[test]
fn a_comment_for_the_file_can_be_anywhere() {
    let text = domain(&[VGPU, VNC, VIDEO]);
    let own = "<!-- gvtg-xml: ignore-file[stray-video,stray-graphics] c -->";
    for with in [
        format!("{own}{text}"),
        format!("{text}{own}"),
        text.replace("<source>", &format!("<source>{own}")),
    ] {
        assert!(
            ids(&text).contains(&"stray-video".into())
                && !ids(&with).iter().any(|id| id.starts_with("stray")),
            "{with}"
        );
    }
}

#[test]
fn suppresses_groups_like_rules() {
    let text = domain(&[VGPU, &comment("ignore-file[display] watched from afar"), VNC, VIDEO]);
    let groups: Vec<_> = Linter::new(&RuleSet::all(builtin()), &Settings::default())
        .detail(Detail::Edits)
        .lint(&text)
        .unwrap()
        .open;
    assert!(groups.iter().all(|found| found.rule.group.name() != "display"), "{groups:?}");
}

#[test]
fn suppressed_findings_do_not_affect_exit_code_or_fix() {
    let good = run("fix", &domain(&[VGPU])).1;
    let text = good.replace(
        "  </devices>",
        &format!("{}{VIDEO}  </devices>", comment("ignore[stray-video] the installer needs it")),
    );
    let said = "gvtg-xml: no findings in 1 file; 1 suppressed (`--statistics` lists them)\n";
    assert_eq!(run("lint --format concise", &text), (0, String::new(), said.into()));
    let (code, stdout, _) = run("fix", &text);
    assert_eq!((code, stdout), (0, text.clone()));
    assert_eq!(run("fix --check", &text).0, 0);
    let without_reason = text.replace(" the installer needs it", "");
    let (code, stdout, _) = run("lint --format concise", &without_reason);
    assert!(
        code == 1 && stdout.contains("[ignore-without-reason]") && stdout.contains("[stray-video]"),
        "{stdout}"
    );
}

#[test]
fn an_invalid_suppression_suppresses_nothing_but_withholds_the_fix() {
    for wrong in [
        "ignore[stray-video]",
        "ingore[stray-video] the installer needs it",
        "ignore stray-video: the installer needs it",
        "ignore[stray-video",
        "ignore[display]",
        "ignore[other, stray-video,] the installer needs it",
    ] {
        let text = domain(&[VGPU, &comment(wrong), VIDEO]);
        assert!(ids(&text).contains(&"stray-video".into()), "{wrong}");
        let (after, left) = safely(&text);
        assert!(
            after.contains("<model type='qxl'/>") && left.contains(&"stray-video".into()),
            "{wrong}: {after}"
        );
        let (unsafely, _) = fixed(&text, &Settings { unsafe_fixes: true, ..Settings::default() });
        assert!(!unsafely.contains("<model type='qxl'/>"), "{wrong}: {unsafely}");
    }
    // A misspelt name is corrected, and then the suppression applies.
    let (after, left) =
        safely(&domain(&[VGPU, &comment("ignore[stray-vidoe] the installer needs it"), VIDEO]));
    assert!(
        after.contains("ignore[stray-video] the")
            && after.contains("<model type='qxl'/>")
            && left.is_empty(),
        "{after} {left:?}"
    );
}

#[test]
fn suppressing_a_removal_hides_no_other_finding() {
    let text = domain(&[
        VGPU,
        CHANNEL,
        &comment("ignore[stray-graphics] watched through it"),
        SPICE,
        VIDEO,
    ]);
    let ids = ids(&text);
    assert!(
        ids.contains(&"stray-video".into()) && !ids.contains(&"spice-leftover".into()),
        "the graphics stay: {ids:?}"
    );
    let (after, left) = safely(&text);
    assert!(after.contains(SPICE) && after.contains(CHANNEL), "{after}");
    assert!(
        after.contains(VIDEO) && left == ["stray-video"],
        "the graphics show the video card's picture: {after}"
    );
    let (unsafely, left) = fixed(&text, &Settings { unsafe_fixes: true, ..Settings::default() });
    assert!(
        unsafely.contains(SPICE) && !unsafely.contains("qxl") && left.is_empty(),
        "{unsafely} {left:?}"
    );
    // Other graphics are removed, and the video alone may stay.
    let (after, _) =
        safely(&domain(&[VGPU, &comment("ignore[stray-graphics] watched through it"), VNC, SPICE]));
    assert!(after.contains(VNC) && !after.contains(SPICE), "{after}");
    let (after, left) = safely(&domain(&[
        VGPU,
        VNC,
        &comment("ignore[stray-video] the installer needs it"),
        VIDEO,
    ]));
    assert!(after.contains(VIDEO) && !after.contains(VNC) && left.is_empty(), "{after} {left:?}");
}

#[test]
fn keeps_the_display_if_an_error_is_suppressed() {
    // Without the OpRegion, Intel's driver finds no display.
    for what in [
        "ignore[missing-opregion] no idea",
        "ignore[missing-display-property] no idea",
        "ingore[missing-opregion] no idea",
    ] {
        let (after, left) = safely(&domain(&[&comment(what), VGPU, VNC, VIDEO]));
        assert!(after.contains(VNC) && after.contains(VIDEO), "{what}: {after}");
        assert!(left.contains(&"stray-graphics".into()), "{what}: {left:?}");
    }
    // A custom severity does not change the consequences.
    let called_info = builtin()
        .iter()
        .map(|rule| Rule { severity: Severity::Info, ..rule.clone() })
        .collect::<Vec<_>>();
    let text = domain(&[&comment("ignore[missing-opregion] no idea"), VGPU, VNC]);
    assert!(
        Linter::new(&RuleSet::all(&called_info), &Settings::default())
            .fix(text)
            .unwrap()
            .text
            .contains(VNC)
    );
    let (after, left) =
        safely(&domain(&[&comment("ignore[missing-ramfb] Linux shows itself"), VGPU, VNC, VIDEO]));
    assert!(
        !after.contains(VNC)
            && !after.contains(VIDEO)
            && !after.contains("ramfb='on'")
            && left.is_empty(),
        "a warning: {after} {left:?}"
    );
    // libvirt rejects the domain if a channel that only SPICE serves stays without SPICE.
    let (after, _) =
        safely(&domain(&[VGPU, &comment("ignore[spice-leftover] I want it"), CHANNEL, SPICE]));
    assert!(after.contains(SPICE) && after.contains(CHANNEL), "{after}");
}

#[test]
fn a_dbus_display_stays_with_the_rdp_display_that_needs_it() {
    let rdp = "    <graphics type='rdp' autoport='yes' username='guest' passwd='secret'/>\n";
    let dbus = "    <graphics type='dbus'/>\n";
    // Nothing keeps the RDP display: both are removed.
    let (after, _) = safely(&domain(&[dbus, rdp, VGPU]));
    assert!(!after.contains("<graphics"), "{after}");
    // QEMU's window would replace the D-Bus display, so it isn't added either.
    for vgpu in ["", VGPU] {
        let (after, left) = safely(&domain(&[
            dbus,
            &comment("ignore[stray-graphics] the users log in over RDP"),
            rdp,
            vgpu,
        ]));
        assert!(after.contains(dbus) && after.contains(rdp), "{after}");
        assert!(!after.contains("-display") && !after.contains("name='display'"), "{after}");
        assert!(
            left.iter().any(|rule| rule == "missing-vgpu" || rule == "missing-display-backend"),
            "{left:?}"
        );
    }
}

#[test]
fn never_mixes_the_two_forms_of_properties() {
    let guide = std::fs::read_to_string("fixtures/guide.xml").unwrap();
    let guide = guide.replace(
        "  </qemu:commandline>",
        "  <qemu:env name=\"NO_AT_BRIDGE\" value=\"1\"/>\n  </qemu:commandline>",
    );
    let set = guide.lines().find(|line| line.contains("x-igd-opregion")).unwrap();
    let with = |what: &str| guide.replace(set, &format!("{}{set}", comment(what)));
    for what in [
        "ignore[set-on-json-device] libvirt 7.0",
        "ignore[set-on-json-device]",
        "ingore[set-on-json-device] libvirt 7.0",
    ] {
        let (after, left) = safely(&with(what));
        assert_eq!(after, with(what), "{what}");
        let is_sound = what == "ignore[set-on-json-device] libvirt 7.0";
        let count = left.iter().filter(|rule| *rule == "set-on-json-device").count();
        assert_eq!(count, if is_sound { 3 } else { 4 }, "{what}: {left:?}");
    }
    assert_ne!(safely(&guide).0, guide);
    // The other direction: an override that has to stay keeps the others.
    let (now, _) = safely(&guide);
    let property = now.lines().find(|line| line.contains("x-igd-opregion")).unwrap();
    let old = parse_settings("--libvirt 7.0").unwrap();
    let kept = now.replace(
        property,
        &format!("{}{property}", comment("ignore[unsupported-override] libvirt 9")),
    );
    let (after, _) = fixed(&kept, &old);
    assert_eq!(
        after.matches("<qemu:property").count(),
        now.matches("<qemu:property").count(),
        "{after}"
    );
    assert_ne!(fixed(&now, &old).0, now);
}

#[test]
fn a_new_vgpu_respects_suppressions_at_its_position() {
    let of_file =
        "<!-- gvtg-xml: ignore-file[missing-opregion] QEMU 10.1 -->\n".to_owned() + &domain(&[VNC]);
    let of_devices = domain(&[VNC]).replace(
        "  <devices>",
        "  <!-- gvtg-xml: ignore[missing-opregion] QEMU 10.1 -->\n  <devices>",
    );
    for text in [of_file, of_devices] {
        let (after, _) = safely(&text);
        assert!(after.contains("type='mdev'") && !after.contains("x-igd-opregion"), "{after}");
        assert!(after.contains(VNC), "it may be dark: {after}");
        let rules = RuleSet::all(builtin());
        assert!(
            Linter::new(&rules, &Settings::default())
                .lint(&after)
                .unwrap()
                .suppressed
                .iter()
                .any(|one| one.rule.id == "missing-opregion")
        );
    }
}

#[test]
fn a_comment_is_removed_with_its_element() {
    let (after, _) = safely(&domain(&[
        VGPU,
        VNC,
        &comment("ignore[vgpu-uuid] no"),
        "    <!-- mine -->\n",
        VIDEO,
        "    <rng/>\n",
    ]));
    assert!(
        !after.contains("ignore") && after.contains("    <!-- mine -->\n    <rng/>\n"),
        "{after}"
    );
    // Of two displays, the first is removed.
    let display =
        |kind: &str| format!("    <qemu:arg value='-display'/>\n    <qemu:arg value='{kind}'/>\n");
    let both =
        format!("{}{}{}", comment("ignore[vgpu-uuid] no"), display("sdl"), display("gtk,gl=on"));
    let line = format!("  <qemu:commandline>\n{both}  </qemu:commandline>\n");
    let (after, _) = safely(&domain(&[VGPU]).replace("</domain>", &format!("{line}</domain>")));
    assert!(!after.contains("ignore") && !after.contains("'sdl'"), "{after}");
    // A qemu: block that becomes empty is removed with the comments in it.
    let capabilities = "  <qemu:capabilities>\n    <!-- gvtg-xml: ignore[vgpu-uuid] no -->\n    <qemu:del capability='device.json'/>\n  </qemu:capabilities>\n";
    let before = format!("  <!-- gvtg-xml: ignore[vgpu-uuid] no -->\n{capabilities}");
    for block in [capabilities, &before] {
        let (after, _) =
            safely(&domain(&[VGPU]).replace("</domain>", &format!("{block}</domain>")));
        assert!(!after.contains("ignore") && !after.contains("capabilities"), "{after}");
    }
    // A suppression for the file stays.
    let inside = "    <video>\n      <!-- gvtg-xml: ignore-file[silent-sound] HDMI -->\n      <model type='qxl'/>\n    </video>\n    <sound model='ich9'/>\n";
    let (after, left) = safely(&domain(&[VGPU, inside]));
    assert!(
        after.contains("    <!-- gvtg-xml: ignore-file[silent-sound] HDMI -->\n    <sound")
            && left.is_empty(),
        "{after} {left:?}"
    );
}

#[test]
fn never_inserts_between_a_comment_and_its_element() {
    let behind_sound = "    <sound model='ich9'/> <!-- gvtg-xml: ignore[silent-sound] x -->\n    <memballoon model='none'/>\n";
    let (after, left) = safely(&domain(&[behind_sound]));
    let expected = "    </hostdev>\n    <!-- gvtg-xml: ignore[silent-sound] x -->\n    <memballoon model='none'/>\n";
    assert!(after.contains(expected) && left.contains(&"silent-sound".into()), "{after} {left:?}");
}

#[test]
fn moved_elements_keep_their_comments() {
    let second = format!(
        "  <devices>\n{}{VIDEO}  </devices>\n",
        comment("ignore[stray-video] the installer needs it")
    );
    let (after, left) =
        safely(&domain(&[VGPU]).replace("</domain>", &format!("{second}</domain>")));
    assert!(
        after.contains(VIDEO) && after.matches("<devices>").count() == 1 && left.is_empty(),
        "{after} {left:?}"
    );
    // A suppression for the file is written once.
    let of_file = second.replace("ignore[", "ignore-file[");
    let (after, left) =
        safely(&domain(&[VGPU]).replace("</domain>", &format!("{of_file}</domain>")));
    assert!(
        after.contains(VIDEO) && after.matches("ignore-file[").count() == 1 && left.is_empty(),
        "{after} {left:?}"
    );
    let before = second.replace(
        "  <devices>\n",
        "  <!-- gvtg-xml: ignore[stray-video] the installer needs it -->\n  <devices>\n",
    );
    let (after, left) =
        safely(&domain(&[VGPU]).replace("</domain>", &format!("{before}</domain>")));
    assert!(after.contains(&before) && left.contains(&"second-devices".into()), "{after} {left:?}");
}

#[test]
fn reports_a_suppression_as_unused_only_if_certain() {
    let good = run("fix", &domain(&[VGPU])).1;
    let with =
        |what: &str| good.replacen("    <hostdev", &format!("{}    <hostdev", comment(what)), 1);
    let is_unused = |text: &str, flags: &str| {
        let stdout = run(&format!("lint --format concise {flags}"), text).1;
        stdout.contains("[unused-ignore]")
    };
    assert!(is_unused(&with("ignore[vgpu-boot-order] x"), ""));
    assert!(is_unused(&with("ignore-file[stray-video] x"), ""));
    assert!(is_unused(&with("ignore-file[display] x"), ""));
    assert!(is_unused(&with("ignore[vgpu-boot-order] x"), "--only unused-ignore"));
    // The rule is disabled, or finds something with other settings.
    assert!(!is_unused(&with("ignore[vgpu-boot-order] x"), "--ignore vgpu-boot-order"));
    assert!(!is_unused(&with("ignore[vgpu-boot-order] x"), "--ignore vgpu"));
    assert!(!is_unused(&with("ignore-file[display] x"), "--ignore stray-video"));
    assert!(!is_unused(&with("ignore[vgpu-boot-order] x"), "--only vgpu"));
    for rule in ["unrecorded-type", "vgpu-uuid", "vgpu-alias", "unsupported-override"] {
        assert!(!is_unused(&with(&format!("ignore-file[{rule}] x")), ""), "{rule}");
    }
    assert!(!is_unused(&with("ignore[unused-ignore] x"), ""));
    // The rules can't see these elements yet.
    assert!(
        !is_unused(&domain(&[&comment("ignore[missing-ramfb] x"), VNC]), ""),
        "there is no vGPU yet"
    );
    let undeclared = with("ignore-file[display-gl-off] x")
        .replace(" xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'", "");
    assert!(!is_unused(&undeclared, ""));
    // A group does not suppress findings about suppressions.
    assert!(is_unused(
        &with("ignore-file[domain] x")
            .replace("<name>", "<!-- gvtg-xml: ignore-file[stray-video] mine -->\n  <name>"),
        ""
    ));
    // A suppression of unused-ignore does.
    let (text, _) = (
        with("ignore[vgpu-boot-order] x")
            .replace("<name>", "<!-- gvtg-xml: ignore-file[unused-ignore] mine -->\n  <name>"),
        (),
    );
    assert!(!is_unused(&text, ""));
}

#[test]
fn fix_judges_unused_suppressions_by_the_fixed_text() {
    let text =
        domain(&[&comment("ignore[vgpu-alias, missing-ramfb, vgpu-boot-order] x"), VGPU, VIDEO]);
    let rules = RuleSet::all(builtin());
    let (after, _) = safely(&text);
    assert!(
        after.contains("ignore[vgpu-alias, missing-ramfb, vgpu-boot-order] x"),
        "removing it is not a safe fix: {after}"
    );
    let settings = Settings { unsafe_fixes: true, ..Settings::default() };
    let (after, left) = fixed(&text, &settings);
    assert!(
        after.contains("ignore[vgpu-alias, missing-ramfb] x") && left.is_empty(),
        "{after} {left:?}"
    );
    let (after, left) = fixed(&text.replace("ignore[", "ignore-file["), &settings);
    assert!(
        after.contains("ignore-file[vgpu-alias, missing-ramfb] x") && left.is_empty(),
        "{after} {left:?}"
    );
    let (after, _) = fixed(
        &domain(&["    <!-- gvtg-xml: ignore-file[vgpu-boot-order] x -->\n", VGPU]),
        &settings,
    );
    assert!(!after.contains("ignore") && after.contains("<devices>\n    <hostdev"), "{after}");
    // What showed the guest is restored, and with it the suppression.
    let text = domain(&[
        &comment("ignore[missing-opregion] x"),
        VGPU,
        &comment("ignore[vgpu-uuid] x"),
        VNC,
    ]);
    let fixed = Linter::new(&rules, &settings).fix(text.clone()).unwrap();
    assert!(
        fixed.display_fixes_skipped
            && fixed.text.contains(VNC)
            && fixed.text.contains("ignore[missing-opregion] x"),
        "{}",
        fixed.text
    );
}

#[test]
fn suppressions_in_the_metadata_cover_the_domain_and_are_no_sign_of_a_vgpu() {
    let own = "  <metadata>\n    <gvtg:domain xmlns:gvtg='urn:gvtg-xml:1'>\n      <gvtg:ignore rule='stray-video'>VNC &amp; me</gvtg:ignore>\n    \
        </gvtg:domain>\n  </metadata>\n  <devices>";
    let with = |text: String| text.replace("  <devices>", own);
    let rules = RuleSet::all(builtin());
    let text = with(domain(&[VGPU, VIDEO]));
    let suppressed = Linter::new(&rules, &Settings::default()).lint(&text).unwrap().suppressed;
    let reasons: Vec<_> =
        suppressed.iter().map(|one| (&*one.rule.id, one.reason.as_deref())).collect();
    assert_eq!(reasons, [("stray-video", Some("VNC & me"))]);
    // The type goes into the same element.
    let settings = parse_settings("--type i915-GVTg_V5_4").unwrap();
    let (after, _) = fixed(&text, &settings);
    assert!(after.contains(VIDEO) && after.contains("rule='stray-video'>VNC &amp; me<"), "{after}");
    assert!(
        after.contains("<gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='i915-GVTg_V5_4'>"),
        "{after}"
    );
    assert!(
        run("emit hook", &after)
            .1
            .ends_with("setup_gpu a ab54baba-ea9a-4ce5-b7b4-51b376b65849 i915-GVTg_V5_4\n")
    );
    // A domain in a folder with no other sign of a vGPU.
    let is_skipped = |text: &str| {
        let settings = Settings::default();
        Linter::new(&rules, &settings).skip_unrelated(true).lint(text).unwrap().is_skipped
    };
    let plain = domain(&[VIDEO]);
    assert!(is_skipped(&with(plain.clone())));
    let typed = with(plain).replace("urn:gvtg-xml:1'>", "urn:gvtg-xml:1' type='i915-GVTg_V5_4'>");
    assert!(!is_skipped(&typed));
    let empty = domain(&[VIDEO]).replace(
        "  <devices>",
        "  <metadata><g:domain xmlns:g='urn:gvtg-xml:1'/></metadata>\n  <devices>",
    );
    assert!(!is_skipped(&empty), "it says nothing but that it is there");
    // Outside that element, libvirt would drop the suppression or the other element.
    let stray = domain(&[VGPU, VIDEO])
        .replace("  <devices>", "  <metadata><g:ignore xmlns:g='urn:gvtg-xml:1' rule='stray-video'>x</g:ignore></metadata>\n  <devices>");
    assert!(
        ids(&stray).contains(&"stray-video".into())
            && ids(&stray).contains(&"unreadable-ignore".into()),
        "{:?}",
        ids(&stray)
    );
}

#[test]
fn removes_unused_metadata_suppressions_and_empty_parents() {
    let good = run("fix", &domain(&[VGPU])).1;
    let ignores =
        "<g:ignore rule='stray-video'>x</g:ignore><g:ignore rule='stray-graphics'>x</g:ignore>";
    let with = |attribute: &str, other: &str| {
        let own = format!(
            "  <metadata>\n    <g:domain xmlns:g='urn:gvtg-xml:1'{attribute}>{ignores}</g:domain>{other}\n  </metadata>\n  <devices>"
        );
        good.replace("  <devices>", &own)
    };
    let settings = Settings { unsafe_fixes: true, ..Settings::default() };
    assert_eq!(fixed(&with("", ""), &settings).0, good);
    let typed = fixed(&with(" type='i915-GVTg_V5_4'", ""), &settings).0;
    assert!(
        typed.contains("<g:domain xmlns:g='urn:gvtg-xml:1' type='i915-GVTg_V5_4'></g:domain>"),
        "{typed}"
    );
    let other = fixed(&with("", "<o:x xmlns:o='urn:o'/>"), &settings).0;
    assert!(other.contains("<o:x") && !other.contains("<g:"), "{other}");
}
