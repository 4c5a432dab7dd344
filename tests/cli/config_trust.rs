//! Whose `gvtg-xml.toml` is trusted, and what a hostile one can do.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use common::files::folder;
use common::program::{feed, has_tool, outcome, program, run_in};
use rustix::process::geteuid;

const BARE: &str = "<domain type='kvm'>\n  <name>bare</name>\n  <devices/>\n</domain>\n";
const ALIAS: &str = "alias = 'ua-site'\n";
/// A user that nothing else on the machine belongs to.
const STRANGER: u32 = 65_533;

/// Whether this test may create files of another user; notes it as skipped otherwise.
fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        common::skipped("only root can make files that belong to somebody else");
    }
    is_root
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The exit code, whether the configuration took effect, and stderr.
fn fix(command: &mut Command) -> (i32, bool, String) {
    let (code, stdout, stderr) = outcome(feed(command.env_remove("SUDO_UID"), b""));
    assert_eq!(code == 2, stdout.is_empty(), "{stderr}");
    (code, stdout.contains("ua-site"), stderr)
}

#[test]
fn refuses_a_world_writable_configuration_and_suggests_chmod() {
    let folder = folder(&[("gvtg-xml.toml", ALIAS), ("bare.xml", BARE)]);
    let path = folder.path().join("gvtg-xml.toml");
    set_mode(&path, 0o666);
    let (code, _, stderr) = fix(program(["fix", "bare.xml"]).current_dir(folder.path()));
    let shown = path.canonicalize().unwrap().display().to_string();
    assert_eq!(code, 2);
    assert_eq!(
        stderr,
        format!(
            "gvtg-xml: {shown}: any user can write to it\n  help: run `chmod o-w {shown}`; to use it anyway, pass `--config {shown}`; to go on without it, \
             pass `--isolated`\n"
        )
    );
    assert!(
        fix(program(["fix", "--config", "gvtg-xml.toml", "bare.xml"]).current_dir(folder.path())).1,
        "a configuration named by the user is used"
    );
    assert_eq!(fix(program(["fix", "--isolated", "bare.xml"]).current_dir(folder.path())).0, 0);
    set_mode(&path, 0o664);
    assert!(
        fix(program(["fix", "bare.xml"]).current_dir(folder.path())).1,
        "a group is the owner's choice"
    );
}

#[test]
fn refuses_a_strangers_configuration_and_skips_it_in_a_sticky_folder() {
    if !is_root() {
        return;
    }
    let folder = folder(&[("gvtg-xml.toml", ALIAS), ("sub/bare.xml", BARE)]);
    let path = folder.path().join("gvtg-xml.toml");
    chown(&path, Some(STRANGER), None).unwrap();
    let run = || fix(program(["fix", "sub/bare.xml"]).current_dir(folder.path()));
    let (code, _, stderr) = run();
    assert!(
        code == 2 && stderr.contains("is owned by user 65533; only configurations owned by you or root are read automatically"),
        "{stderr}"
    );
    assert!(stderr.contains("--config ") && stderr.contains("--isolated"), "{stderr}");
    // A sticky folder like /tmp, where any user can create files.
    set_mode(folder.path(), 0o1777);
    let (code, counts, stderr) = run();
    assert!(
        code == 0
            && !counts
            && stderr.contains("gvtg-xml.toml is skipped: it is owned by user 65533"),
        "{stderr}"
    );
    // A stranger's link to our own file is still the stranger's choice.
    fs::remove_file(&path).unwrap();
    fs::write(folder.path().join("ours.toml"), ALIAS).unwrap();
    symlink("ours.toml", &path).unwrap();
    assert!(run().1, "our own link");
    std::os::unix::fs::lchown(&path, Some(STRANGER), None).unwrap();
    let (code, counts, stderr) = run();
    assert!(code == 0 && !counts && stderr.contains("is skipped"), "{stderr}");
    // Our own link to a stranger's file.
    fs::remove_file(&path).unwrap();
    symlink("ours.toml", &path).unwrap();
    chown(folder.path().join("ours.toml"), Some(STRANGER), None).unwrap();
    let (code, _, stderr) = run();
    assert!(code == 2 && stderr.contains("is owned by user 65533"), "{stderr}");
}

#[test]
fn trusts_roots_configuration_and_under_sudo_the_invoking_users() {
    if !is_root() {
        return;
    }
    let folder = folder(&[("gvtg-xml.toml", ALIAS), ("bare.xml", BARE)]);
    set_mode(folder.path(), 0o755);
    let program_copy = folder.path().join("gvtg-xml");
    // Other users may not be able to enter the folder that cargo builds in.
    assert!(
        Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_gvtg-xml"))
            .arg(&program_copy)
            .status()
            .unwrap()
            .success()
    );
    let as_stranger = || {
        let mut command = Command::new(&program_copy);
        fix(command
            .args(["fix", "bare.xml"])
            .current_dir(folder.path())
            .uid(STRANGER)
            .gid(STRANGER))
    };
    assert!(as_stranger().1, "root's");
    chown(folder.path().join("gvtg-xml.toml"), Some(STRANGER), None).unwrap();
    assert!(as_stranger().1, "their own");
    let with_sudo = |uid: &str| {
        let mut command = program(["fix", "bare.xml"]);
        outcome(feed(command.current_dir(folder.path()).env("SUDO_UID", uid), b"")).0
    };
    assert_eq!((with_sudo("65533"), with_sudo("65532"), with_sudo("")), (0, 2, 2));
    chown(folder.path().join("gvtg-xml.toml"), Some(STRANGER - 1), None).unwrap();
    let (code, _, stderr) = as_stranger();
    assert!(code == 2 && stderr.contains("is owned by user 65532"), "{stderr}");
    let mut command = Command::new(&program_copy);
    command
        .args(["fix", "bare.xml"])
        .current_dir(folder.path())
        .uid(STRANGER)
        .gid(STRANGER)
        .env("SUDO_UID", "65532");
    assert_eq!(outcome(feed(&mut command, b"")).0, 2, "sudo speaks to root alone");
}

#[test]
fn handles_unreadable_folders_and_files() {
    if !is_root() {
        return;
    }
    let folder = folder(&[
        ("above/gvtg-xml.toml", ALIAS),
        ("above/closed/gvtg-xml.toml", "x"),
        ("above/closed/in/bare.xml", BARE),
    ]);
    let (above, closed) = (folder.path().join("above"), folder.path().join("above/closed"));
    let program_copy = folder.path().join("gvtg-xml");
    assert!(
        Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_gvtg-xml"))
            .arg(&program_copy)
            .status()
            .unwrap()
            .success()
    );
    set_mode(folder.path(), 0o755);
    // The current folder can be below one that is closed to the user, as after su.
    set_mode(&closed, 0o700);
    let run = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        let script = format!(
            "exec setpriv --reuid {STRANGER} --regid {STRANGER} --clear-groups {} \"$@\"",
            program_copy.display()
        );
        outcome(feed(
            command.args(["-c", &script, "sh"]).args(arguments).current_dir(closed.join("in")),
            BARE.as_bytes(),
        ))
    };
    if !has_tool("setpriv", &["--version"]) {
        return;
    }
    let (code, stdout, stderr) = run(&["fix", "bare.xml"]);
    assert!(code == 0 && stdout.contains("ua-site"), "the one above that is there: {stderr}");
    fs::remove_file(closed.join("gvtg-xml.toml")).unwrap();
    set_mode(&above.join("gvtg-xml.toml"), 0o600);
    let (code, stdout, stderr) = run(&["fix", "bare.xml"]);
    assert!(
        code == 2
            && stdout.is_empty()
            && stderr.contains("gvtg-xml.toml: can't be read: Permission denied"),
        "{stderr}"
    );
    // Stdin, in a folder that has been deleted.
    let gone = folder.path().join("gone");
    let script = format!(
        "mkdir {0} && cd {0} && rmdir {0} && exec {1} fix",
        gone.display(),
        env!("CARGO_BIN_EXE_gvtg-xml")
    );
    let (code, stdout, stderr) =
        outcome(feed(Command::new("sh").args(["-c", &script]), BARE.as_bytes()));
    assert!(code == 0 && stdout.contains("ua-gvtg"), "{stderr}");
}

#[test]
fn refuses_anything_but_a_text_file_at_once() {
    let folder = folder(&[("bare.xml", BARE)]);
    let path = folder.path().join("gvtg-xml.toml");
    let refused = |why: &str| {
        let (code, stdout, stderr) = run_in(folder.path(), "fix bare.xml");
        assert!(code == 2 && stdout.is_empty() && stderr.contains(why), "{why}: {stderr}");
    };
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    refused("gvtg-xml.toml: is not a regular file\n  help: to use it anyway, pass `--config ");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused("gvtg-xml.toml: is not a regular file");
    fs::remove_dir(&path).unwrap();
    symlink("gvtg-xml.toml", &path).unwrap();
    refused("gvtg-xml.toml: can't be read: Too many levels of symbolic links");
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    refused("gvtg-xml.toml: can't be read: No such file or directory");
    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    refused("gvtg-xml.toml: is not a regular file");
    fs::remove_file(&path).unwrap();
    // A sparse file of terabytes is read up to the first MiB.
    fs::File::create(&path).unwrap().set_len(1 << 42).unwrap();
    refused("gvtg-xml.toml: is larger than 1 MiB, the limit for a configuration");
    fs::write(&path, b"alias = 'ua-x'\n# \xff\n").unwrap();
    refused("the file is not UTF-8");
    refused("gvtg-xml.toml:2:3]");
    let deep = format!("only = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    fs::write(&path, deep).unwrap();
    refused("gvtg-xml.toml:1:");
    fs::write(&path, "a.b = 1\n".repeat(100_000)).unwrap();
    refused("gvtg-xml.toml");
}

#[test]
fn accepts_a_pipe_as_a_named_configuration() {
    let folder = folder(&[("bare.xml", BARE)]);
    let script = format!(
        "printf \"alias = 'ua-site'\" | {} fix --config /dev/fd/0 bare.xml",
        env!("CARGO_BIN_EXE_gvtg-xml")
    );
    let output =
        Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    assert!(outcome(output).1.contains("ua-site"));
    let (code, stdout, stderr) = run_in(folder.path(), "fix --config nowhere.toml bare.xml");
    assert!(
        code == 2
            && stdout.is_empty()
            && stderr == "gvtg-xml: nowhere.toml: can't be read: No such file or directory\n",
        "{stderr}"
    );
    let (code, _, stderr) = run_in(folder.path(), "fix --config . bare.xml");
    assert!(code == 2 && stderr == "gvtg-xml: .: can't be read: Is a directory\n", "{stderr}");
}
