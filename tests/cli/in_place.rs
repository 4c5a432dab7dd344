//! `fix --in-place` changes the content of a file and nothing else about it, even if it is
//! interrupted.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use common::files::{folder, modes_count, names};
use common::program::{feed, has_tool, outcome, program, run, run_in};
use common::skipped;

/// A domain with a fixable finding.
const BAD: &str = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <graphics type='vnc'/>\n  </devices>\n</domain>\n";

fn good() -> String {
    run("fix -q", BAD).1
}

#[test]
fn changes_only_the_content() {
    let good = good();
    let all = folder(&[("bad.xml", BAD), ("good.xml", &good), ("deep/real.xml", BAD)]);
    let path = |name: &str| all.path().join(name);
    fs::set_permissions(path("bad.xml"), Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(path("deep/real.xml"), Permissions::from_mode(0o600)).unwrap();
    symlink("deep/real.xml", path("link.xml")).unwrap();
    let old = fs::metadata(path("good.xml")).unwrap();
    let (code, stdout, stderr) = run_in(all.path(), "fix --in-place bad.xml good.xml link.xml");
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    for name in ["bad.xml", "link.xml", "deep/real.xml"] {
        assert_eq!(fs::read_to_string(path(name)).unwrap(), good, "{name}");
    }
    assert_eq!(fs::metadata(path("bad.xml")).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(fs::metadata(path("deep/real.xml")).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_link(path("link.xml")).unwrap(), Path::new("deep/real.xml"));
    let new = fs::metadata(path("good.xml")).unwrap();
    assert_eq!(
        (old.ino(), old.mtime(), old.mtime_nsec()),
        (new.ino(), new.mtime(), new.mtime_nsec()),
        "what is good is not written"
    );
    assert_eq!(
        names(all.path()),
        ["bad.xml", "deep", "good.xml", "link.xml"],
        "no temporary file is left"
    );
    if !modes_count() {
        // As root, the owner must stay the same.
        fs::write(path("bad.xml"), BAD).unwrap();
        chown(path("bad.xml"), Some(1234), Some(4321)).unwrap();
        assert_eq!(run_in(all.path(), "fix -i -q bad.xml").0, 0);
        let new = fs::metadata(path("bad.xml")).unwrap();
        assert_eq!((new.uid(), new.gid()), (1234, 4321));
    }
}

const ACCESS: &str = "system.posix_acl_access";
const DEFAULT: &str = "system.posix_acl_default";

/// An access list as the kernel stores it: rights of the owner, of user 4711, of the group, the
/// mask for these two, and of others.
fn access_list(owner: u8, user: u8, group: u8, most: u8, others: u8) -> Vec<u8> {
    let nobody = u32::MAX;
    let entries = [
        (1u16, owner, nobody),
        (2, user, 4711),
        (4, group, nobody),
        (16, most, nobody),
        (32, others, nobody),
    ];
    let entry = |(tag, rights, id): (u16, u8, u32)| {
        [&tag.to_le_bytes()[..], &[rights, 0], &id.to_le_bytes()].concat()
    };
    [2u32.to_le_bytes().to_vec(), entries.into_iter().flat_map(entry).collect()].concat()
}

fn attributes(path: &Path) -> Vec<(String, Vec<u8>)> {
    let names = xattr::list(path).unwrap().map(|name| name.into_string().unwrap());
    let mut attributes: Vec<_> =
        names.map(|name| (name.clone(), xattr::get(path, &name).unwrap().unwrap())).collect();
    attributes.sort();
    attributes
}

#[test]
fn keeps_access_lists_labels_and_other_attributes() {
    let all = folder(&[("a.xml", BAD), ("plain.xml", BAD)]);
    let path = all.path().join("a.xml");
    if xattr::set(&path, ACCESS, &access_list(6, 4, 0, 4, 0)).is_err()
        || xattr::set(&path, "user.note", b"by hand").is_err()
    {
        return skipped("the folder for temporary files keeps no access lists or attributes");
    }
    // A security label with an owner; without SELinux only root may write one.
    let is_labelled =
        xattr::set(&path, "security.selinux", b"system_u:object_r:virt_etc_rw_t:s0\0").is_ok();
    if !is_labelled {
        skipped("only root may write a label of SELinux's");
    }
    // User 4711 could read files that are created in the folder.
    xattr::set(all.path(), DEFAULT, &access_list(7, 7, 7, 7, 5)).unwrap();
    let mode = |name: &str| fs::metadata(all.path().join(name)).unwrap().mode() & 0o7777;
    let (before, modes) = (attributes(&path), (mode("a.xml"), mode("plain.xml")));
    assert_eq!(before.len(), 2 + usize::from(is_labelled));
    assert_eq!(run_in(all.path(), "fix -i -q a.xml plain.xml"), (0, String::new(), String::new()));
    assert_eq!(fs::read_to_string(&path).unwrap(), good());
    assert_eq!(attributes(&path), before);
    assert_eq!(
        attributes(&all.path().join("plain.xml")),
        [],
        "the folder's access list is for new files"
    );
    assert_eq!((mode("a.xml"), mode("plain.xml")), modes);
}

#[test]
fn keeps_the_owner_of_another_users_file() {
    if modes_count() {
        return skipped("only root can make files of somebody else");
    }
    if !has_tool("setpriv", &["--version"]) {
        return;
    }
    let all = folder(&[("theirs.xml", BAD)]);
    fs::set_permissions(all.path(), Permissions::from_mode(0o777)).unwrap();
    // A copy of the program that the user can run, made by another process: while this one has the
    // copy open for writing, a child that another test starts has it open too, and Linux does not
    // run a file that is open for writing.
    let mut copy = Command::new("cp");
    assert!(
        copy.arg(program([""; 0]).get_program())
            .arg(all.path().join("program"))
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=4711",
        "--regid=4711",
        "--clear-groups",
        "./program",
        "fix",
        "-i",
        "theirs.xml",
    ]);
    let (code, _, stderr) = outcome(feed(command.current_dir(all.path()), b""));
    let message = "gvtg-xml: theirs.xml: can't be written: its owner and group can't be preserved: Operation not permitted\n";
    assert_eq!((code, stderr.as_str()), (2, message));
    assert_eq!(fs::read_to_string(all.path().join("theirs.xml")).unwrap(), BAD);
    assert_eq!(names(all.path()), ["program", "theirs.xml"]);
}

#[test]
fn never_replaces_anything_but_a_regular_file() {
    let all = folder(&[("one.xml", BAD)]);
    let path = |name: &str| all.path().join(name);
    fs::hard_link(path("one.xml"), path("two.xml")).unwrap();
    let (code, _, stderr) = run_in(all.path(), "fix -i one.xml");
    assert_eq!(code, 2);
    assert!(
        stderr.contains("one.xml: can't be written: it has another hard link, which would keep the old content: write to stdout instead"),
        "{stderr}"
    );
    assert_eq!(
        (
            fs::read_to_string(path("one.xml")).unwrap(),
            fs::metadata(path("two.xml")).unwrap().nlink()
        ),
        (BAD.into(), 2)
    );
    let _socket = UnixListener::bind(path("socket.xml")).unwrap();
    symlink("/dev/null", path("device.xml")).unwrap();
    assert!(Command::new("mkfifo").arg(path("fifo.xml")).status().unwrap().success());
    for (name, what) in
        [("socket.xml", "a socket"), ("device.xml", "a device"), ("fifo.xml", "a FIFO")]
    {
        let started = Instant::now();
        let (code, _, stderr) = run_in(all.path(), &format!("fix -i {name}"));
        assert_eq!(code, 2);
        assert_eq!(
            stderr,
            format!(
                "gvtg-xml: {name}: is {what}; --in-place replaces regular files only: write to stdout instead\n"
            )
        );
        assert!(started.elapsed() < Duration::from_secs(10), "nobody waits for a FIFO");
    }
    assert!(fs::symlink_metadata(path("fifo.xml")).unwrap().file_type().is_fifo());
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert_eq!(names(all.path()), ["device.xml", "fifo.xml", "one.xml", "socket.xml", "two.xml"]);
}

/// A document that takes long enough to write for a signal to arrive meanwhile.
fn big() -> String {
    BAD.replace("  <name>", &format!("  <!--{}-->\n  <name>", "x".repeat(4 << 20)))
}

/// Fixes a.xml in place with a command that runs the program, and sends a signal while it writes.
fn interrupted(command: &mut Command, folder: &Path, signal: &str) -> ExitStatus {
    fs::write(folder.join("a.xml"), big()).unwrap();
    let mut child = command.current_dir(folder).stderr(Stdio::piped()).spawn().unwrap();
    let is_writing = || names(folder).iter().any(|name| name.starts_with(".gvtg-xml-"));
    while !is_writing() && child.try_wait().unwrap().is_none() {}
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{signal} {}", child.id())])
        .stderr(Stdio::null())
        .status();
    child.wait().unwrap()
}

/// Whether this process ignores a signal, and so do the programs that it starts: in a script, a
/// shell makes what it starts with `&` ignore INT and QUIT.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
}

#[test]
fn a_signal_leaves_a_complete_file_and_no_other() {
    let fixed = run("fix -q", &big()).1;
    for (signal, name) in [(15, "TERM"), (2, "INT"), (1, "HUP"), (3, "QUIT")] {
        let default = format!("--default-signal={name}");
        if is_ignored(signal)
            && !Command::new("env")
                .args([&default, "true"])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        {
            skipped(&format!(
                "SIG{name} is ignored by what is started here, and env knows no --default-signal (coreutils 8.31)"
            ));
            continue;
        }
        let command = || {
            let mut command = program(["fix", "-i", "-q", "a.xml"]);
            if is_ignored(signal) {
                let mut env = Command::new("env");
                env.arg(&default).arg(command.get_program()).args(command.get_args());
                command = env;
            }
            command
        };
        let all = folder(&[]);
        let was_caught = (0..50).any(|_| {
            let status = interrupted(&mut command(), all.path(), name);
            assert_eq!(names(all.path()), ["a.xml"], "{name}");
            assert!(
                fs::read_to_string(all.path().join("a.xml")).unwrap() == fixed,
                "{name}: what was begun is done"
            );
            assert!(status.success() || status.signal() == Some(signal), "{name}: {status}");
            !status.success()
        });
        assert!(was_caught, "{name} never came in time");
    }
}

#[test]
fn respects_ignored_signals() {
    let all = folder(&[]);
    for _ in 0..10 {
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' HUP; exec \"$0\" fix -i -q a.xml"])
            .arg(program([""; 0]).get_program());
        assert!(interrupted(&mut command, all.path(), "HUP").success());
    }
}

#[test]
fn a_write_error_leaves_the_file_unchanged() {
    let all = folder(&[("a.xml", BAD)]);
    let program = program([""; 0]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -f 0; exec \"$0\" fix -i -q a.xml"])
        .arg(program.get_program())
        .current_dir(all.path());
    let (code, _, stderr) = outcome(feed(&mut command, b""));
    assert_eq!((code, stderr.as_str()), (2, "gvtg-xml: a.xml: can't be written: File too large\n"));
    assert_eq!(fs::read_to_string(all.path().join("a.xml")).unwrap(), BAD);
    assert_eq!(names(all.path()), ["a.xml"]);
}
