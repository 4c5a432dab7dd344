//! `gvtg-xml.toml` from the user's point of view: which file takes effect, which values it fills
//! in, and the errors for an invalid one.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::path::Path;

use common::files::folder;
use common::program::{feed, outcome, program, run, run_in};

/// A vGPU that QEMU's own SDL window shows, with sound that goes nowhere.
const DOMAIN: &str = "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>win10</name>
  <os firmware='efi'/>
  <metadata>
    <gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='i915-GVTg_V5_8'/>
  </metadata>
  <devices>
    <hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off' ramfb='on'>
      <source>
        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>
      </source>
      <alias name='ua-own'/>
    </hostdev>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-display'/>
    <qemu:arg value='sdl,gl=on'/>
    <qemu:env name='DISPLAY' value=':5'/>
    <qemu:env name='DBUS_SESSION_BUS_ADDRESS' value='disabled:'/>
  </qemu:commandline>
  <qemu:override>
    <qemu:device alias='ua-own'>
      <qemu:frontend>
        <qemu:property name='x-igd-opregion' type='bool' value='true'/>
        <qemu:property name='display' type='string' value='on'/>
        <qemu:property name='romfile' type='string' value='/own.rom'/>
      </qemu:frontend>
    </qemu:device>
  </qemu:override>
</domain>
";

/// A domain that lacks everything a vGPU needs.
const BARE: &str = "<domain type='kvm'>\n  <name>bare</name>\n  <os firmware='efi'/>\n  <devices>\n    <graphics type='spice'/>\n    \
    <sound model='ich9'/>\n    <video/>\n  </devices>\n</domain>\n";

/// A configuration of every setting that a document can have too.
const ALL_SETTINGS: &str = "type = 'i915-GVTg_V5_4'\npci = '0000:00:02.1'\ndisplay = 'gtk,gl=es'\ndisplay-env = ':3'\ngdk-scale = '2.0'\nalias = 'ua-site'\n\
    romfile = '/site.rom'\naudio = 'alsa'\n";

#[test]
fn fills_in_what_a_document_does_not_set() {
    let folder = folder(&[("gvtg-xml.toml", ALL_SETTINGS), ("bare.xml", BARE)]);
    let (code, fixed, stderr) = run_in(folder.path(), "fix bare.xml");
    assert_eq!(code, 0, "{stderr}");
    for piece in [
        "<gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='i915-GVTg_V5_4' pci='0000:00:02.1'/>",
        "<qemu:arg value='gtk,gl=es'/>",
        "<qemu:env name='DISPLAY' value=':3'/>",
        "<qemu:env name='GDK_SCALE' value='2.0'/>",
        "<alias name='ua-site'/>",
        "<qemu:property name='romfile' type='string' value='/site.rom'/>",
        "<audio id='1' type='alsa'/>",
    ] {
        assert!(fixed.contains(piece), "{piece}\n{fixed}");
    }
    // The same settings as flags give the same result for a document without any of its own.
    let flags: Vec<String> = ALL_SETTINGS
        .lines()
        .map(|line| format!("--{}", line.replace(" = ", "=").replace('\'', "")))
        .collect();
    assert_eq!(
        run_in(folder.path(), &format!("fix --isolated {} bare.xml", flags.join(" "))).1,
        fixed
    );
    fs::write(folder.path().join("bare.xml"), &fixed).unwrap();
    assert_eq!(
        run_in(folder.path(), "fix --quiet bare.xml").1,
        fixed,
        "and once more changes nothing"
    );
}

#[test]
fn keeps_a_documents_values_unless_a_flag_replaces_them() {
    let folder = folder(&[("gvtg-xml.toml", ALL_SETTINGS), ("win10.xml", DOMAIN)]);
    let (code, fixed, stderr) = run_in(folder.path(), "fix win10.xml");
    assert_eq!(code, 0, "{stderr}");
    // Everything that the document does not set.
    assert_eq!(
        fixed,
        DOMAIN.replace("type='i915-GVTg_V5_8'/>", "type='i915-GVTg_V5_8' pci='0000:00:02.1'/>")
    );
    let (_, asked, _) = run_in(
        folder.path(),
        "fix --display gtk,gl=on --display-env :7 --alias ua-flag --romfile /flag.rom --type i915-GVTg_V5_2 win10.xml",
    );
    for piece in [
        "value='gtk,gl=on'",
        "value=':7'",
        "<alias name='ua-flag'/>",
        "value='/flag.rom'",
        "type='i915-GVTg_V5_2'",
        "value='2.0'",
    ] {
        assert!(asked.contains(piece), "{piece}\n{asked}");
    }
}

#[test]
fn flags_override_the_configuration_and_the_configuration_overrides_defaults() {
    let folder = folder(&[
        ("gvtg-xml.toml", "libvirt = '7.0'\nkeep-video = true\nfail-on = 'info'\n"),
        ("bare.xml", BARE),
    ]);
    let fixed = |flags: &str| run_in(folder.path(), &format!("fix {flags} bare.xml"));
    let (code, text, stderr) = fixed("");
    assert!(
        text.contains("value='-set'")
            && text.contains("<video/>")
            && stderr.contains("for libvirt 7.0.0"),
        "{stderr}"
    );
    assert_eq!(code, 1, "{stderr}");
    let (code, text, stderr) = fixed("--libvirt newest --keep-video=false --fail-on warning");
    assert!(text.contains("<qemu:override>") && !text.contains("<video/>"), "{text}");
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(fixed("--isolated").1, run("fix", BARE).1);
}

#[test]
fn the_configured_display_overrides_the_environments() {
    let folder = folder(&[("gvtg-xml.toml", "display-env = ':3'\n")]);
    let mut command = program(["fix"]);
    let (_, fixed, _) =
        outcome(feed(command.current_dir(folder.path()).env("DISPLAY", ":9"), BARE.as_bytes()));
    assert!(fixed.contains("name='DISPLAY' value=':3'"), "{fixed}");
}

#[test]
fn each_file_uses_only_the_nearest_configuration() {
    let folder = folder(&[
        ("gvtg-xml.toml", "alias = 'ua-above'\ngdk-scale = '3.0'\n"),
        ("a/bare.xml", BARE),
        ("b/gvtg-xml.toml", "alias = 'ua-near'\n"),
        ("b/c/bare.xml", BARE),
        ("b/other.toml", "alias = 'ua-named'\n"),
    ]);
    symlink_in(folder.path(), "b/c", "a/link");
    let alias = |arguments: &str, text: &str| {
        let (_, fixed, stderr) = outcome(feed(
            program(arguments.split(' ')).current_dir(folder.path()),
            text.as_bytes(),
        ));
        let name = fixed
            .split("<alias name='")
            .nth(1)
            .unwrap_or_else(|| panic!("{arguments}: {stderr}"))
            .split('\'')
            .next()
            .unwrap()
            .to_owned();
        (name, fixed.contains("value='3.0'"))
    };
    let (above, near) = (("ua-above".to_owned(), true), ("ua-near".to_owned(), false));
    assert_eq!(alias("fix a/bare.xml", ""), above);
    assert_eq!(alias("fix b/c/bare.xml", ""), near, "and nothing of the one above");
    assert_eq!(alias("fix a/../b/c/bare.xml", ""), near);
    assert_eq!(alias("fix a/link/bare.xml", ""), near, "the folder that it is really in");
    assert_eq!(alias("fix", BARE), above, "stdin has that of the current folder");
    assert_eq!(alias("fix --stdin-filename b/c/new.xml", BARE), near);
    assert_eq!(
        alias("fix --stdin-filename b/gone/gone/new.xml", BARE),
        near,
        "a folder that is yet to be"
    );
    assert_eq!(alias("fix --stdin-filename win10", BARE), above);
    assert_eq!(alias("fix --config b/other.toml a/bare.xml", ""), ("ua-named".to_owned(), false));
    assert_eq!(alias("fix --isolated b/c/bare.xml", ""), ("ua-gvtg".to_owned(), false));
    // Two files in one run.
    let (_, stdout, _) = run_in(folder.path(), "fix --diff --quiet a/bare.xml b/c/bare.xml");
    let aliases: Vec<&str> =
        stdout.lines().filter(|line| line.contains("<alias name=")).map(str::trim_start).collect();
    assert_eq!(aliases, ["+      <alias name='ua-above'/>", "+      <alias name='ua-near'/>"]);
    let (code, _, stderr) =
        run_in(folder.path(), "fix --config b/other.toml --isolated a/bare.xml");
    assert!(code == 2 && stderr.contains("cannot be used with"), "{stderr}");
}

fn symlink_in(folder: &Path, target: &str, link: &str) {
    std::os::unix::fs::symlink(folder.join(target), folder.join(link)).unwrap();
}

#[test]
fn sets_the_severity_of_rules_and_groups() {
    let rules = "[rules]\nmissing-vgpu = 'info'\ndisplay = 'off'\nstray-video = 'warning'\n";
    let folder = folder(&[("gvtg-xml.toml", rules), ("bare.xml", BARE)]);
    let lint =
        |flags: &str| run_in(folder.path(), &format!("lint --format concise {flags} bare.xml"));
    let found = |flags: &str| {
        let (code, stdout, stderr) = lint(flags);
        assert!(code < 2, "{stderr}");
        let words = stdout
            .lines()
            .map(|line| line.split(' ').nth(1).unwrap().to_owned())
            .collect::<Vec<_>>();
        (code, words.join(" "))
    };
    assert_eq!(
        found(""),
        (1, "info[missing-vgpu] warning[stray-video]".to_owned()),
        "a rule's own name overrides its group's"
    );
    assert_eq!(found("--ignore stray-video"), (0, "info[missing-vgpu]".to_owned()));
    assert_eq!(
        found("--only stray-graphics"),
        (1, "warning[stray-graphics]".to_owned()),
        "one that is asked for by name is asked"
    );
    assert_eq!(found("--only display"), (1, "warning[stray-video]".to_owned()));
    assert_eq!(found("--only vgpu --fail-on info"), (1, "info[missing-vgpu]".to_owned()));
    fs::write(
        folder.path().join("gvtg-xml.toml"),
        "only = ['stray-graphics', 'stray-video']\nignore = ['stray-video']\n",
    )
    .unwrap();
    assert_eq!(found(""), (1, "warning[stray-graphics]".to_owned()));
    assert_eq!(
        found("--ignore stray-graphics"),
        (1, "warning[stray-video]".to_owned()),
        "a flag replaces the key"
    );
    fs::write(folder.path().join("gvtg-xml.toml"), rules).unwrap();
    // Adding a vGPU does not apply disabled rules either, and reports show the changed severity.
    let sarif = run_in(folder.path(), "lint --format sarif bare.xml").1;
    assert!(
        sarif.contains("\"id\":\"missing-vgpu\"") && !sarif.contains("\"id\":\"stray-graphics\""),
        "{sarif}"
    );
    let junit = run_in(folder.path(), "lint --format junit bare.xml").1;
    assert!(junit.contains("failures=\"1\""), "{junit}");
    let (_, fixed, _) = run_in(folder.path(), "fix bare.xml");
    assert!(fixed.contains("<graphics") && !fixed.contains("<video/>"), "{fixed}");
}

#[test]
fn reports_fail_exactly_if_the_exit_code_does() {
    let folder = folder(&[
        ("a/gvtg-xml.toml", "fail-on = 'info'\n"),
        ("a/win10.xml", &DOMAIN.replace("managed='no'", "managed='yes'")),
        ("b/win10.xml", &DOMAIN.replace("managed='no'", "managed='yes'")),
    ]);
    let (code, junit, _) = run_in(folder.path(), "lint --format junit a b");
    assert_eq!(code, 1);
    assert!(
        junit.contains("\"a/win10.xml\" tests=\"1\" failures=\"1\"")
            && junit.contains("\"b/win10.xml\" tests=\"1\" failures=\"0\""),
        "{junit}"
    );
    assert_eq!(run_in(folder.path(), "lint b").0, 0);
}

#[test]
fn resolves_custom_rules_from_the_configurations_folder() {
    let rule = "id = 'no-vnc'\nsummary = 'VNC'\nseverity = 'warning'\ngroup = 'domain'\nsince = '1'\nselect = '/domain/name'\nmessage = 'it has a name'\n\
        why = 'x'\n[check]\nkind = 'forbid'\n";
    let folder = folder(&[
        ("gvtg-xml.toml", "site-rules = 'site/rules'\n[rules]\nno-vnc = 'error'\n"),
        ("site/rules/no-vnc.toml", rule),
        ("other/no-vnd.toml", &rule.replace("no-vnc", "no-vnd")),
        ("vms/win10.xml", DOMAIN),
    ]);
    let vms = folder.path().join("vms");
    let (code, stdout, stderr) = run_in(&vms, "lint -q --format concise win10.xml");
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert!(stdout.starts_with("win10.xml:2:3: error[no-vnc] it has a name\n"), "{stdout}");
    let (code, stdout, _) = run_in(&vms, "lint --format concise --rules ../other win10.xml");
    assert_eq!(code, 1);
    assert!(stdout.starts_with("win10.xml:2:3: warning[no-vnd]"), "--rules replaces it: {stdout}");
    fs::write(folder.path().join("site/rules/no-vnc.toml"), rule.replace("why = 'x'", "whi = 'x'"))
        .unwrap();
    let (code, stdout, stderr) = run_in(&vms, "lint win10.xml");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("site/rules/no-vnc.toml:8:1: unknown field `whi`")
            && stderr.contains("gvtg-xml.toml:1:1]"),
        "{stderr}"
    );
}

/// One of each mistake, and the message, its position and the help for each.
const MISTAKES: &str = "libvrt = \"9.0\"
libvirt = 9.0
gdk-scale = \"x\"
uuid = \"ab54baba-ea9a-4ce5-b7b4-51b376b65849\"
only = [\"dispaly\", 3]
ignore = \"display\"
keep-video = \"yes\"
\"a\\u001b[31m\" = 1
[rules]
stray-vidoe = \"off\"
silent-sound = \"erorr\"
vgpu = true
guc-submission = \"off\"
not-well-formed = \"info\"
";
const MESSAGES: &[(&str, &str, &str)] = &[
    ("unknown key 'libvrt'", "1:1", "did you mean 'libvirt'?"),
    ("libvirt must be a string, not a number", "2:11", "write libvirt = \"9.0\""),
    ("invalid value for gdk-scale", "3:13", "use a number such as 1.0"),
    (
        "uuid can't be set in a configuration: several domains would share one vGPU",
        "4:1",
        "to choose one for a single domain, use `--uuid`",
    ),
    ("there is no rule 'dispaly'", "5:9", "did you mean 'display'?"),
    ("a name must be a string, not a number", "5:20", ""),
    ("ignore must be an array of strings, not a string", "6:10", "write ignore = [\"display\"]"),
    ("keep-video must be true or false, not a string", "7:14", "for example keep-video = true"),
    ("unknown key 'a\\u{1b}[31m'", "8:1", "the keys are libvirt, "),
    ("there is no rule 'stray-vidoe'", "10:1", "did you mean 'stray-video'?"),
    ("unknown severity 'erorr'", "11:16", "did you mean 'error'?"),
    (
        "a severity must be a string, not true or false",
        "12:8",
        "use one of \"off\", \"info\", \"warning\", \"error\"",
    ),
    (
        "'guc-submission' is a rule about the host",
        "13:1",
        "disable it with `gvtg-xml host --ignore guc-submission`",
    ),
    (
        "the severity of 'not-well-formed' can't be changed: a file that can't be read is always an error",
        "14:1",
        "remove this line",
    ),
];

#[test]
fn reports_all_mistakes_with_positions_and_does_nothing() {
    let folder = folder(&[("gvtg-xml.toml", MISTAKES), ("bare.xml", BARE)]);
    for command in [
        "lint bare.xml",
        "fix bare.xml",
        "fix --in-place bare.xml",
        "lint --format json .",
        "fix --quiet --check bare.xml",
    ] {
        let (code, stdout, stderr) = run_in(folder.path(), command);
        assert_eq!((code, stdout.as_str()), (2, ""), "{command}: {stderr}");
        let unbroken = stderr.replace("\n  \u{2502} ", " ").replace("\n        ", " ");
        let parts: Vec<&str> = unbroken.split("\u{d7} error: ").skip(1).collect();
        assert_eq!(parts.len(), MESSAGES.len(), "{command}: {stderr}");
        for (part, (message, place, help)) in parts.iter().zip(MESSAGES) {
            assert!(
                part.contains(message)
                    && part.contains(&format!("gvtg-xml.toml:{place}]"))
                    && part.contains(help),
                "{message}\n{part}"
            );
        }
        assert!(stderr.contains("14 errors in the configuration; nothing was done"), "{stderr}");
        assert!(!stderr.contains('\u{1b}'), "{stderr}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("bare.xml")).unwrap(), BARE);
    assert_eq!(run_in(folder.path(), "lint --isolated bare.xml").0, 1);
}

#[test]
fn reports_invalid_toml_with_its_position() {
    let folder =
        folder(&[("gvtg-xml.toml", "libvirt = \"9.0\"\ndisplay = gtk\n"), ("bare.xml", BARE)]);
    let (code, _, stderr) = run_in(folder.path(), "lint bare.xml");
    assert!(
        code == 2 && stderr.contains("invalid TOML: ") && stderr.contains("gvtg-xml.toml:2:11]"),
        "{stderr}"
    );
    fs::write(folder.path().join("gvtg-xml.toml"), "libvirt = \"9.0\"\nlibvirt = \"9.1\"\n")
        .unwrap();
    let (code, _, stderr) = run_in(folder.path(), "lint bare.xml");
    assert!(
        code == 2 && stderr.contains("duplicate key") && stderr.contains("gvtg-xml.toml:2:1]"),
        "{stderr}"
    );
    // A byte order mark and CRLF, which editors on Windows write, are fine.
    fs::write(folder.path().join("gvtg-xml.toml"), "\u{feff}# a site's\r\nalias = \"ua-site\"\r\n")
        .unwrap();
    assert!(run_in(folder.path(), "fix bare.xml").1.contains("<alias name='ua-site'/>"));
}
