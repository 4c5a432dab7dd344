//! Exit codes, streams and files, as Unix users expect them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use common::files::{folder, modes_count};
use common::program::{feed, has_tool, outcome, program, run, run_in};

/// A domain with a fixable finding.
const BAD: &str = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <graphics type='vnc'/>\n  </devices>\n</domain>\n";
/// A domain with a sign of GVT-g and a fixable finding.
const SIGNED: &str = "<domain type='kvm'>\n  <name>s</name>\n  <devices>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>\n      \
    <source>\n        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n      <alias name='ua-gvtg'/>\n    </hostdev>\n  </devices>\n</domain>\n";
/// A domain with nothing to fix.
const FIXED: &str = include_str!("../../fixtures/win10-virt-manager.fixed.xml");
/// A domain whose finding has no fix.
const FOREIGN: &str = "<domain type='xen'>\n  <name>x</name>\n</domain>\n";

/// The text that `fix` makes of BAD.
fn good() -> String {
    let (code, stdout, stderr) = run("fix", BAD);
    assert_eq!(code, 0, "{stderr}");
    assert_ne!(stdout, BAD);
    stdout
}

#[test]
fn lint_exits_with_0_1_or_2() {
    let (code, stdout, stderr) = run("lint --format concise", BAD);
    assert_eq!(
        (code, stderr.as_str()),
        (1, "gvtg-xml: 2 findings, 2 fixable with `gvtg-xml fix`\n")
    );
    assert_eq!(run("lint --format concise -q", BAD), (1, stdout.clone(), String::new()));
    assert_eq!(run("lint", &good()).2, "gvtg-xml: no findings in 1 file\n");
    assert_eq!(run("lint -q", &good()), (0, String::new(), String::new()));
    assert!(
        stdout.lines().all(|line| line.starts_with("<stdin>:"))
            && stdout.contains("error[missing-vgpu]"),
        "{stdout}"
    );
    assert_eq!(run("lint -", &good()).0, 0);
    assert_eq!(run("lint", "x").0, 2);
    assert_eq!(run("lint --exit-zero", BAD).0, 0);
    assert_eq!(run("lint --exit-zero", "x").0, 2, "an error is not a finding");
    // Only an info, which is below the default threshold.
    let info = good().replace("managed='no'", "managed='yes'");
    assert_eq!(run("lint", &info).0, 0);
    assert!(run("lint", &info).1.contains("managed-vgpu"), "shown all the same");
    assert_eq!(run("lint --fail-on info", &info).0, 1);
    assert_eq!(run("lint --fail-on error --only display", &good()).0, 0);
    for wrong in [
        "lint --fail-on nonsense",
        "lint --format nonsense",
        "nonsense",
        "",
        "lint --max-size x",
        "fix --check --diff",
        "fix --libvirt nine",
    ] {
        let (code, stdout, stderr) = run(wrong, BAD);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong}");
        assert!(!stderr.is_empty(), "{wrong}");
    }
    for asked in ["--help", "--version", "fix --help", "help lint"] {
        let (code, stdout, stderr) = run(asked, "");
        assert_eq!((code, stderr.as_str()), (0, ""), "{asked}");
        assert!(stdout.contains("gvtg-xml"), "{asked}");
    }
}

#[test]
fn fix_writes_the_whole_document_or_nothing() {
    let good = good();
    assert_eq!(
        run("fix -q", &good),
        (0, good.clone(), String::new()),
        "what is good stays byte for byte, in silence"
    );
    let (code, stdout, stderr) = run("fix", FOREIGN);
    assert_eq!((code, stdout.as_str()), (1, FOREIGN), "something is left");
    assert!(stderr.contains("error[unsuitable-guest]"), "{stderr}");
    assert_eq!(run("fix --exit-zero", FOREIGN).0, 0);
    assert_eq!(run("fix", "<domain>").0, 2);
    let all = folder(&[("a.xml", BAD), ("b.xml", BAD)]);
    let (code, stdout, _) = run_in(all.path(), "fix a.xml b.xml");
    assert_eq!((code, stdout.as_str()), (2, ""), "stdout holds one document");
    assert_eq!(run_in(all.path(), "fix a.xml").1, good);
    assert_eq!(run_in(all.path(), "fix .").0, 2);
    assert_eq!(run("fix --in-place", BAD).0, 2);
    assert_eq!(run("fix --in-place -", BAD).0, 2);
    let (code, stdout, stderr) = run("fix --stdin-filename vm/win10.xml", BAD);
    assert_eq!(code, 0);
    assert!(
        !stdout.contains("vm/win10.xml")
            && stderr.contains("vm/win10.xml:4:5: fixed[stray-graphics]"),
        "{stderr}"
    );
}

#[test]
fn check_and_diff_write_nothing() {
    let good = good();
    let all = folder(&[("bad.xml", BAD), ("good.xml", &good)]);
    assert_eq!(
        run_in(all.path(), "fix --check bad.xml good.xml"),
        (1, "bad.xml\n".into(), String::new())
    );
    assert_eq!(run_in(all.path(), "fix --check good.xml"), (0, String::new(), String::new()));
    assert_eq!(run_in(all.path(), "fix --check --exit-zero bad.xml").0, 0);
    let (code, diff, _) = run_in(all.path(), "fix --diff bad.xml good.xml");
    assert_eq!(code, 1);
    assert!(diff.starts_with("--- a/bad.xml\n+++ b/bad.xml\n@@ "), "{diff}");
    assert_eq!(fs::read_to_string(all.path().join("bad.xml")).unwrap(), BAD);
    assert_eq!(run_in(all.path(), "fix --diff good.xml").0, 0);
    if has_tool("patch", &["--version"]) {
        for text in [
            BAD.to_owned(),
            BAD.replace('\n', "\r\n"),
            BAD.trim_end().to_owned(),
            BAD.replace("win10", "é"),
        ] {
            let one = folder(&[("x.xml", &text)]);
            let (_, diff, _) = run_in(one.path(), "fix --diff x.xml");
            let output = feed(
                Command::new("patch").args(["--binary", "-p1"]).current_dir(one.path()),
                diff.as_bytes(),
            );
            assert!(output.status.success(), "{output:?}\n{diff}");
            assert_eq!(
                fs::read_to_string(one.path().join("x.xml")).unwrap(),
                run("fix -q", &text).1
            );
        }
    }
}

#[test]
fn handles_each_file_and_exits_with_the_worst_code() {
    let all = folder(&[("a.xml", BAD), ("b.xml", "<domain>"), ("c.xml", FOREIGN), ("d.xml", BAD)]);
    let (code, stdout, stderr) = run_in(all.path(), "fix -i a.xml b.xml c.xml d.xml none.xml");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("\nb.xml:1:9: error[not-well-formed] ")
            && stderr.contains("none.xml: can't be read: No such file"),
        "{stderr}"
    );
    for name in ["a.xml", "d.xml"] {
        assert_eq!(fs::read_to_string(all.path().join(name)).unwrap(), good(), "{name}");
    }
    assert_eq!(fs::read_to_string(all.path().join("b.xml")).unwrap(), "<domain>");
    assert_eq!(run_in(all.path(), "fix -i -q a.xml c.xml").0, 1);
    let (code, stdout, _) = run_in(all.path(), "lint --format concise a.xml b.xml c.xml");
    assert_eq!(code, 2);
    assert!(stdout.contains("c.xml:1:1: error[unsuitable-guest]"), "{stdout}");
}

#[test]
fn names_files_that_cannot_be_read_or_written() {
    let all = folder(&[("a.xml", BAD)]);
    let (code, _, stderr) = run_in(all.path(), "lint none.xml");
    assert_eq!(
        (code, stderr.as_str()),
        (2, "gvtg-xml: none.xml: can't be read: No such file or directory\n")
    );
    assert_eq!(run_in(all.path(), "lint --max-size 1 a.xml").0, 1);
    fs::write(all.path().join("big.xml"), format!("{BAD}{}", " ".repeat(1 << 20))).unwrap();
    let (code, stdout, stderr) = run_in(all.path(), "fix --max-size 1 big.xml");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("big.xml: is larger than 1 MiB"), "{stderr}");
    let (code, stdout, _) =
        outcome(feed(&mut program(["fix", "--max-size", "1"]), &vec![b' '; (1 << 20) + 1]));
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(run_in(all.path(), "fix -q --max-size 0 big.xml").0, 0);
    if modes_count() {
        fs::set_permissions(all.path(), Permissions::from_mode(0o555)).unwrap();
        let (code, _, stderr) = run_in(all.path(), "fix --in-place a.xml");
        fs::set_permissions(all.path(), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(code, 2);
        assert!(stderr.contains("a.xml: can't be written: Permission denied"), "{stderr}");
        assert_eq!(fs::read_to_string(all.path().join("a.xml")).unwrap(), BAD);
        fs::set_permissions(all.path().join("a.xml"), Permissions::from_mode(0o000)).unwrap();
        assert!(
            run_in(all.path(), "lint a.xml").2.contains("a.xml: can't be read: Permission denied")
        );
    }
}

#[test]
fn searches_folders_for_domains_with_a_sign_of_gvtg() {
    let all = folder(&[
        ("d/b.xml", SIGNED),
        ("d/a/z.xml", SIGNED),
        ("d/plain.xml", BAD),
        ("d/net.xml", "<network/>"),
        ("d/note.txt", SIGNED),
        ("d/broken.XML", "<domain><devices>ua-gvtg"),
    ]);
    symlink("..", all.path().join("d/a/loop")).unwrap();
    symlink("b.xml", all.path().join("d/again.xml")).unwrap();
    symlink("gone", all.path().join("d/dangling.xml")).unwrap();
    let (code, stdout, stderr) = run_in(all.path(), "lint --format concise d");
    assert_eq!(code, 2, "one of them can't be read");
    let mut files: Vec<&str> = stdout.lines().map(|line| line.split(':').next().unwrap()).collect();
    files.dedup();
    assert_eq!(
        files,
        ["d/a/z.xml", "d/again.xml", "d/broken.XML"],
        "sorted, and a file that has two names once"
    );
    assert!(stdout.contains("d/broken.XML:1:25: error[not-well-formed] "), "{stdout}");
    assert!(
        stderr.contains("checked 3 of 5 files: the rest are not GVT-g domains (--verbose lists them, --all checks every domain)"),
        "{stderr}"
    );
    let (_, stdout, _) = run_in(all.path(), "lint --format concise --all d");
    assert!(stdout.contains("d/plain.xml:") && !stdout.contains("net.xml"), "{stdout}");
    assert_eq!(run_in(all.path(), "fix -i -q d").0, 2);
    assert_eq!(
        fs::read_to_string(all.path().join("d/plain.xml")).unwrap(),
        BAD,
        "a domain without a sign of GVT-g is left alone"
    );
    assert_ne!(fs::read_to_string(all.path().join("d/a/z.xml")).unwrap(), SIGNED);
    let empty = folder(&[]);
    assert_eq!(run_in(empty.path(), "lint .").0, 0);
}

#[test]
fn suggests_all_only_if_a_domain_was_skipped() {
    let all = folder(&[
        ("n.xml", "<network/>"),
        ("p.xml", BAD),
        ("d/n.xml", "<network/>"),
        ("d/m.xml", "<network/>"),
    ]);
    for (words, said) in [
        (
            "lint --skip-foreign n.xml",
            "gvtg-xml: checked 0 of 1 file: it is not a GVT-g domain (--verbose lists them)\n",
        ),
        (
            "lint --skip-foreign p.xml",
            "gvtg-xml: checked 0 of 1 file: it is not a GVT-g domain (--verbose lists them, --all checks every domain)\n",
        ),
        (
            "lint d",
            "gvtg-xml: d: checked 0 of 2 files: none is a GVT-g domain (--verbose lists them)\n",
        ),
    ] {
        assert_eq!(run_in(all.path(), words).2, said, "{words}");
    }
}

#[test]
fn reports_a_binary_file_without_showing_it() {
    let all = folder(&[]);
    fs::write(
        all.path().join("program"),
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0\xd0#\0\0",
    )
    .unwrap();
    let (code, stdout, _) = run_in(all.path(), "lint program");
    assert_eq!(code, 2);
    assert!(
        stdout.contains("this is a binary file: ")
            && stdout.contains("[program:1:25]")
            && !stdout.contains("ELF"),
        "{stdout}"
    );
}

#[test]
fn suggests_in_place_for_a_file_that_the_shell_emptied() {
    let all = folder(&[("self.xml", "")]);
    let help = "  help: if the shell emptied it (`> self.xml`), restore it from a backup, and then run `gvtg-xml fix --in-place self.xml`\n";
    let (code, stdout, stderr) = run_in(all.path(), "fix self.xml");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains(help), "{stderr}");
    assert!(!run_in(all.path(), "fix --in-place self.xml").2.contains("shell"));
    assert!(!run("fix", "").2.contains("shell"), "nothing was named");
}

#[test]
fn suggests_virsh_dumpxml_if_a_missing_file_could_be_a_vm() {
    let all = folder(&[("vms/a.xml", BAD)]);
    let pipe = |flags: &str, rest: &str| {
        format!(
            "  help: if win10 is a VM, pipe its XML in: `virsh dumpxml --inactive {flags}win10 | {rest}`\n"
        )
    };
    let define = "gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin";
    for (words, help) in [
        ("lint win10", pipe("--security-info ", "gvtg-xml lint")),
        ("fix win10", pipe("--security-info ", define)),
        ("fix --in-place win10", pipe("--security-info ", define)),
        ("emit hook win10", pipe("", "sudo gvtg-xml emit all --root /")),
        ("host win10", pipe("", "sudo gvtg-xml host -")),
    ] {
        let (code, stdout, stderr) = run_in(all.path(), words);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words}");
        assert_eq!(
            stderr,
            format!("gvtg-xml: win10: can't be read: No such file or directory\n{help}"),
            "{words}"
        );
    }
    for words in ["lint win10.xml", "lint vms/win10", "fix ./win10"] {
        assert!(!run_in(all.path(), words).2.contains("help"), "{words} names a file");
    }
}

/// A server with an NVIDIA vGPU, which looks like Intel's.
const UNSIGNED: &str = "<domain type='kvm'>\n  <name>nv</name>\n  <devices>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off'>\n      \
    <source>\n        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n    </hostdev>\n  </devices>\n</domain>\n";

#[test]
fn leaves_a_vgpu_of_unknown_vendor_alone_in_folders_and_hooks() {
    let all = folder(&[("d/nv.xml", UNSIGNED)]);
    let held_back = "cannot tell whether the mediated device is Intel's, so no fixes are applied";
    let (code, _, stderr) = run_in(all.path(), "fix --in-place d");
    assert_eq!(code, 1);
    assert!(stderr.contains(held_back) && stderr.contains("0 fixed"), "{stderr}");
    assert_eq!(fs::read_to_string(all.path().join("d/nv.xml")).unwrap(), UNSIGNED);
    let (code, stdout, stderr) = run_in(all.path(), "fix --check d");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains(&format!("d/nv.xml: {held_back}")), "{stderr}");
    assert_eq!(run_in(all.path(), "fix --check --exit-zero d").0, 0);
    assert_eq!(run_in(all.path(), "fix -i -q --skip-foreign d/nv.xml").0, 1);
    assert_eq!(fs::read_to_string(all.path().join("d/nv.xml")).unwrap(), UNSIGNED);
    assert_eq!(run_in(all.path(), "fix -i -q d/nv.xml").0, 0, "a named file is fixed");
    assert_ne!(fs::read_to_string(all.path().join("d/nv.xml")).unwrap(), UNSIGNED);
}

#[test]
fn verbose_lists_skipped_files() {
    let igpu = BAD.replace(
        "</devices>",
        "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0' slot='2' function='0'/></source><alias name='ua-igpu'/></hostdev></devices>\
         <qemu:override xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:device alias='ua-igpu'><qemu:frontend>\
         <qemu:property name='x-igd-opregion' type='bool' value='true'/></qemu:frontend></qemu:device></qemu:override>",
    );
    let all = folder(&[("d/net.xml", "<network/>"), ("d/igpu.xml", &igpu), ("d/vgpu.xml", SIGNED)]);
    for command in ["lint", "fix --check"] {
        let (_, _, stderr) = run_in(all.path(), &format!("{command} --verbose d"));
        assert_eq!(
            run_in(all.path(), &format!("{command} --list-skipped d")).2,
            stderr,
            "its earlier name"
        );
        assert!(!stderr.contains("--all"), "who is told all needs no hint: {stderr}");
        assert!(stderr.contains("gvtg-xml: d/net.xml: skipped: it is not a domain\n"), "{stderr}");
        assert!(
            stderr.contains(
                "gvtg-xml: d/igpu.xml: skipped: it is a domain that does not use GVT-g\n"
            ),
            "{stderr}"
        );
        assert!(
            stderr.contains("checked 1 of 3 files") && !stderr.contains("vgpu.xml: skipped"),
            "{stderr}"
        );
        assert!(
            !run_in(all.path(), &format!("{command} d")).2.contains("net.xml"),
            "only where it is asked for"
        );
        let empty = folder(&[("e/notes.txt", "")]);
        assert_eq!(
            run_in(empty.path(), &format!("{command} e")),
            (0, String::new(), "gvtg-xml: e: no .xml files in this folder\n".into())
        );
    }
}

/// Text as UTF-16, with a byte order mark.
fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn never_skips_a_file_that_could_be_a_damaged_domain() {
    let document_type = format!("<!DOCTYPE domain [<!ENTITY a 'b'>]>\n{SIGNED}");
    let latin1 = [b"<!-- caf\xe9 -->\n", SIGNED.as_bytes()].concat();
    let damaged: [(&str, &[u8]); 9] = [
        ("utf16.xml", &utf16(SIGNED)),
        ("utf16-without-mark.xml", &utf16(SIGNED)[2..]),
        ("document-type.xml", document_type.as_bytes()),
        ("latin1.xml", &latin1),
        ("compressed.xml", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xb3<a "),
        ("zeros.xml", &[0; 512]),
        ("empty.xml", b""),
        ("text.xml", b"error: failed to get domain 'win10'\n"),
        ("cut-off.XML", b"<dom"),
    ];
    for (name, bytes) in damaged {
        let all = folder(&[("vms/good.xml", FIXED)]);
        let path = format!("vms/{name}");
        fs::write(all.path().join(&path), bytes).unwrap();
        let (code, stdout, _) =
            run_in(all.path(), "lint --format concise --ignore silent-sound vms");
        assert_eq!((code, stdout.starts_with(&format!("{path}:1:"))), (2, true), "{stdout}");
        for command in ["lint --skip-foreign", "fix --check --skip-foreign", "fix --in-place"] {
            assert_eq!(run_in(all.path(), &format!("{command} {path}")).0, 2, "{command} {path}");
        }
        for command in ["fix --check vms", "fix --in-place --quiet vms", "emit hook vms"] {
            let (code, _, stderr) = run_in(all.path(), command);
            assert_eq!(
                (code, stderr.contains(&format!("{path}:1:"))),
                (2, true),
                "{command}: {stderr}"
            );
        }
        assert_eq!(fs::read(all.path().join(&path)).unwrap(), bytes, "{path}");
    }
}

#[test]
fn skips_other_files_even_if_they_are_broken() {
    let network = utf16("<network>\n</network>");
    let others: [(&str, &[u8]); 8] = [
        ("page.xml", b"<!DOCTYPE html>\n<html><br></html>"),
        ("book.xml", b"<?xml version='1.0'?>\n<!DOCTYPE book SYSTEM 'docbook.dtd' [<!ENTITY domain '<domain>'>]>\n<book/>"),
        ("pool.xml", b"<pool type='dir'>"),
        ("latin1.xml", b"<!-- caf\xe9 -->\n<network/>"),
        ("network.xml", &network),
        ("vocabulary.xml", b"<domain xmlns='http://example.org/domains'/>"),
        ("container.xml", b"<domain type='lxc'><name>x</name></domain>"),
        ("image.png", b"\x89PNG\r\n\x1a\n\0<domain>"),
    ];
    for (name, bytes) in others {
        let all = folder(&[("vms/good.xml", FIXED)]);
        fs::write(all.path().join("vms").join(name), bytes).unwrap();
        let (code, stdout, stderr) = run_in(all.path(), "lint --format concise --only vgpu vms");
        assert_eq!((code, stdout.as_str()), (0, ""), "{name}: {stderr}");
        assert_eq!(
            run_in(all.path(), &format!("fix --in-place --skip-foreign vms/{name}")).0,
            0,
            "{name}"
        );
        assert_eq!(fs::read(all.path().join("vms").join(name)).unwrap(), bytes, "{name}");
        let output = feed(&mut program(["fix", "--skip-foreign"]), bytes);
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(0), bytes),
            "{name}: a filter passes it on"
        );
    }
}

#[test]
fn searches_hidden_folders_only_if_named() {
    let all = folder(&[
        ("vms/good.xml", FIXED),
        ("vms/.git/broken.xml", "<domain"),
        ("vms/.cache/a/broken.xml", "<domain"),
        ("vms/._good.xml", "\0\x05\x16\x07"),
    ]);
    symlink("me@laptop.1234", all.path().join("vms/.#good.xml")).unwrap();
    assert_eq!(run_in(all.path(), "lint --only vgpu vms").0, 0);
    assert_eq!(
        run_in(&all.path().join("vms"), "lint --only vgpu .").0,
        0,
        "the current folder is named"
    );
    for named in ["vms/.git", "vms/.cache", "vms vms/.git"] {
        let (code, stdout, _) = run_in(all.path(), &format!("lint --format concise {named}"));
        assert!(code == 2 && stdout.contains("broken.xml"), "{named}: {stdout}");
    }
    fs::write(all.path().join("vms/.win10.xml"), "<domain").unwrap();
    assert_eq!(run_in(all.path(), "lint vms").0, 2, "a hidden file is a file");
}

#[test]
fn an_unreadable_file_in_a_folder_is_an_error() {
    let all = folder(&[("vms/good.xml", FIXED)]);
    symlink("gone", all.path().join("vms/gone.xml")).unwrap();
    let (code, _, stderr) = run_in(all.path(), "lint --quiet vms");
    assert_eq!(
        (code, stderr.as_str()),
        (2, "gvtg-xml: vms/gone.xml: can't be read: No such file or directory\n")
    );
    if modes_count() {
        let all = folder(&[("vms/a/good.xml", FIXED), ("vms/good.xml", FIXED)]);
        for mode in [0o000, 0o444] {
            fs::set_permissions(all.path().join("vms/a"), Permissions::from_mode(mode)).unwrap();
            let (code, _, stderr) = run_in(all.path(), "lint --only vgpu vms");
            fs::set_permissions(all.path().join("vms/a"), Permissions::from_mode(0o755)).unwrap();
            assert!(
                code == 2 && stderr.contains("can't be read: Permission denied"),
                "{mode:o}: {stderr}"
            );
        }
    }
}

#[test]
fn names_a_folder_without_domains() {
    let all = folder(&[
        ("nets/a.xml", "<network/>"),
        ("nets/b.xml", BAD),
        ("vms/good.xml", FIXED),
        ("notes/a.txt", ""),
    ]);
    let none = "gvtg-xml: nets: checked 0 of 2 files: none is a GVT-g domain (--verbose lists them, --all checks every domain)\n";
    for command in [
        "lint --only vgpu",
        "fix --check --only vgpu",
        "fix --check --suppress silent-sound --reason x",
    ] {
        let said = |folders: &str| run_in(all.path(), &format!("{command} {folders}")).2;
        assert!(said("nets").starts_with(none), "{command}: {}", said("nets"));
        assert!(!said("nets").contains("the rest"), "once is enough: {}", said("nets"));
        assert!(
            said("vms nets").starts_with(none)
                && said("vms nets").contains("checked 1 of 3 files: the rest"),
            "{}",
            said("vms nets")
        );
        assert!(
            said("notes nets")
                .starts_with(&format!("gvtg-xml: notes: no .xml files in this folder\n{none}")),
            "{}",
            said("notes nets")
        );
        assert!(
            !said("vms vms").contains("no .xml file"),
            "its files were looked at: {}",
            said("vms vms")
        );
    }
}

#[test]
fn a_domain_has_the_same_findings_from_file_folder_and_stdin() {
    let mut domains: Vec<(String, String)> = vec![
        ("unsigned".into(), UNSIGNED.into()),
        ("signed".into(), SIGNED.into()),
        ("bad".into(), BAD.into()),
    ];
    let spice = "<graphics type='spice'/><video><model type='qxl'/></video><channel type='spicevmc'/><audio id='1' type='spice'/></devices>";
    domains.push(("spice".into(), UNSIGNED.replace("</devices>", spice)));
    for entry in fs::read_dir("fixtures")
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "xml"))
    {
        domains.push((
            entry.file_name().to_string_lossy().into_owned(),
            fs::read_to_string(entry.path()).unwrap(),
        ));
    }
    for (name, text) in &domains {
        let all = folder(&[("d/x.xml", text)]);
        let named = run_in(all.path(), "lint --format concise d/x.xml").1;
        assert_eq!(run_in(all.path(), "lint --format concise --all d").1, named, "{name}");
        assert_eq!(run("lint --format concise --stdin-filename d/x.xml", text).1, named, "{name}");
    }
}

#[test]
fn skip_foreign_passes_other_input_through_unchanged() {
    for foreign in ["<network>\n</network>\n", BAD, "no XML at all \n", ""] {
        assert_eq!(run("fix --skip-foreign", foreign), (0, foreign.into(), String::new()));
        assert_eq!(run("lint --skip-foreign", foreign).0, 0);
    }
    let latin1 = b"<network>caf\xe9</network>\n";
    let output = feed(&mut program(["fix", "--skip-foreign"]), latin1);
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), &latin1[..]),
        "byte for byte"
    );
    assert_ne!(run("fix --skip-foreign", SIGNED).1, SIGNED);
    assert_ne!(run("fix --skip-foreign --all", BAD).1, BAD);
    let all = folder(&[("n.xml", "<network/>"), ("s.xml", SIGNED)]);
    assert_eq!(run_in(all.path(), "fix --check --skip-foreign n.xml s.xml").1, "s.xml\n");
}

#[test]
fn only_and_ignore_take_rules_and_groups() {
    let (_, stdout, _) = run("lint --format concise --only stray-graphics,missing-vgpu", BAD);
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    assert!(!run("lint --format concise --ignore display", BAD).1.contains("stray-graphics"));
    let (code, _, stderr) = run("lint --only stray-graphic", BAD);
    assert_eq!(
        (code, stderr.as_str()),
        (2, "gvtg-xml: there is no rule 'stray-graphic'; did you mean 'stray-graphics'?\n")
    );
    assert!(run("fix --ignore xyzzy", BAD).2.contains("`gvtg-xml explain` lists them"));
}

#[test]
fn closed_streams_do_not_cause_a_panic() {
    let findings =
        BAD.replace("    <graphics type='vnc'/>\n", &"    <graphics type='vnc'/>\n".repeat(3000));
    for arguments in ["lint", "fix", "explain stray-video", "generate man", "--help"] {
        let mut child = program(arguments.split_whitespace());
        let mut child = child
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut pipe = child.stdin.take().unwrap();
        let _ = std::io::Write::write_all(&mut pipe, findings.as_bytes());
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            !stderr.contains("panicked") && !stderr.contains("Broken pipe"),
            "{arguments}: {stderr}"
        );
        assert!(
            output.status.code().is_some_and(|code| code < 2),
            "{arguments}: {:?}",
            output.status
        );
    }
    for arguments in ["lint", "fix", "fix --diff", "explain ramfb", "generate man"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = program(arguments.split_whitespace());
        let mut child =
            command.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), BAD.as_bytes());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(
            stderr.contains("can't write to stdout: No space left on device"),
            "{arguments}: {stderr}"
        );
    }
    for arguments in ["--help", "--version", "help fix", "fix --help"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = program(arguments.split_whitespace()).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "gvtg-xml: can't write to stdout: No space left on device\n",
            "{arguments}"
        );
    }
    let full = File::options().write(true).open("/dev/full").unwrap();
    let code =
        program(["lint", "none.xml"]).stderr(full).stdout(Stdio::null()).status().unwrap().code();
    assert_eq!(code, Some(2), "the exit code reports the error even if stderr can't be written");
}

#[test]
fn works_with_stdout_closed_or_dev_null() {
    let all = folder(&[("a.xml", BAD)]);
    let closed = |arguments: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec \"$0\" {arguments} >&-")])
            .arg(program([""; 0]).get_program())
            .current_dir(all.path());
        outcome(feed(&mut command, b""))
    };
    assert_eq!(closed("lint -q a.xml").0, 1);
    assert_eq!(closed("fix -i -q a.xml").0, 0);
    fs::write(all.path().join("a.xml"), BAD).unwrap();
    for is_read in [false, true] {
        let null = File::options().read(is_read).write(true).open("/dev/null").unwrap();
        let status =
            program(["fix", "-q", "a.xml"]).current_dir(all.path()).stdout(null).status().unwrap();
        assert_eq!(status.code(), Some(0), "opened for reading too: {is_read}");
    }
}

#[test]
fn a_sparse_file_takes_no_more_memory_than_its_content() {
    let all = folder(&[("a.xml", BAD)]);
    let file = File::options().write(true).open(all.path().join("a.xml")).unwrap();
    file.set_len(1 << 42).unwrap();
    let (code, stdout, stderr) = run_in(all.path(), "fix --max-size 0 a.xml");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(stderr, "gvtg-xml: a.xml: is not XML: it contains long runs of NUL bytes\n");
    assert!(run_in(all.path(), "lint a.xml").2.contains("is larger than 16 MiB"));
    // With less memory than a domain of 20 MB takes.
    fs::write(
        all.path().join("big.xml"),
        format!("<domain><!--{}--></domain>", "x".repeat(20 << 20)),
    )
    .unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 150000; exec \"$0\" fix -q --max-size 0 big.xml"])
        .arg(program([""; 0]).get_program());
    let (code, stdout, stderr) = outcome(feed(command.current_dir(all.path()), b""));
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (2, "", "gvtg-xml: big.xml: can't be read: out of memory\n")
    );
}

/// A domain with sound over SPICE, and a D-Bus display for it.
const SOUND: &str = "<domain type='kvm'>\n  <name>a</name>\n  <devices>\n    <graphics type='spice'/>\n    <sound model='ich9'/>\n    \
    <audio id='1' type='spice'/>\n  </devices>\n</domain>\n";
const DBUS_DISPLAY: &str = "<graphics type='dbus'><gl enable='yes'/></graphics><video><model type='none'/></video>\n    <hostdev mode='subsystem' \
    type='mdev' managed='no' model='vfio-pci' display='on' ramfb='on'><source><address \
    uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>";

#[test]
fn rejects_audio_over_dbus_without_a_dbus_display() {
    let refused = |flags: &str, text: &str| {
        let (code, stdout, stderr) = run(flags, text);
        assert_eq!((code, &*stdout), (2, ""), "{flags}: {stderr}");
        assert!(stderr.starts_with("gvtg-xml: <stdin>: the audio backend "), "{flags}: {stderr}");
        assert!(
            stderr.contains("\n  help: choose another backend with `--audio`")
                && stderr.contains("pulseaudio,serverName="),
            "{stderr}"
        );
        stderr
    };
    assert!(
        refused("fix --audio dbus", SOUND).contains("<graphics type='dbus'>, which is missing")
    );
    refused("fix --audio dbus", &SOUND.replace("    <audio id='1' type='spice'/>\n", ""));
    refused("fix --audio dbus", "<domain type='kvm'>\n</domain>\n");
    let with_dbus = SOUND.replace("<graphics type='spice'/>", DBUS_DISPLAY);
    assert!(
        refused("fix --audio dbus --display sdl,gl=on", &with_dbus)
            .contains("which does not show the vGPU and will be removed")
    );
    assert!(
        refused("fix --audio pipewire --libvirt 9.0", SOUND)
            .contains("libvirt 9.0.0 does not have this backend, which was added in 9.10.0")
    );

    let (code, stdout, stderr) = run("fix --audio dbus", &with_dbus);
    assert!(code < 2 && stdout.contains("<audio id='1' type='dbus'/>"), "{stderr}");
    let (code, stdout, _) = run("lint --format concise --audio dbus", SOUND);
    assert!(
        code == 1
            && stdout.contains(
                "<stdin>:5:5: error[unusable-audio] the audio backend dbus cannot be used"
            ),
        "{stdout}"
    );
}

#[test]
fn rejects_a_configured_dbus_backend_only_where_it_would_be_used() {
    let own = SOUND.replace("'spice'/>\n  </dev", "'alsa'/>\n  </dev");
    let all =
        folder(&[("gvtg-xml.toml", "audio = 'dbus'\n"), ("spice.xml", SOUND), ("own.xml", &own)]);
    let (code, stdout, stderr) = run_in(all.path(), "fix spice.xml");
    assert!(
        code == 2
            && stdout.is_empty()
            && stderr.contains("spice.xml: the audio backend dbus cannot be used"),
        "{stderr}"
    );
    let (code, stdout, stderr) = run_in(all.path(), "fix own.xml");
    assert!(code == 0 && stdout.contains("<audio id='1' type='alsa'/>"), "{stderr}");
    assert_eq!(run_in(all.path(), "fix --in-place spice.xml own.xml").0, 2);
    assert_eq!(
        fs::read_to_string(all.path().join("spice.xml")).unwrap(),
        SOUND,
        "a file that is refused stays"
    );
    assert_ne!(fs::read_to_string(all.path().join("own.xml")).unwrap(), own);
}

#[test]
fn following_the_reports_advice_restores_sound() {
    let (_, fixed, stderr) = run("fix", SOUND);
    assert!(fixed.contains("<audio id='1' type='none'/>"), "{fixed}");
    let advice = stderr
        .lines()
        .find_map(|line| line.split_once("gvtg-xml fix --libvirt installed --audio "))
        .unwrap()
        .1;
    let flag = advice.split_whitespace().next().unwrap();
    let (code, again, stderr) = run(&format!("fix --audio {flag}"), &fixed);
    assert!(code == 0 && again.matches("<audio").count() == 1, "{stderr}");
    assert!(
        again
            .contains("<audio id='1' type='pulseaudio' serverName='/run/user/1000/pulse/native'/>"),
        "{again}"
    );
}

#[test]
fn a_new_audio_backend_drops_attributes_of_the_old_one() {
    let own = SOUND.replace(
        "type='spice'/>\n  </dev",
        "type='pulseaudio' serverName='/p' timerPeriod='40'/>\n  </dev",
    );
    let fixed = run("fix --audio alsa", &own).1;
    assert!(fixed.contains("<audio id='1' type='alsa' timerPeriod='40'/>"), "{fixed}");
}
