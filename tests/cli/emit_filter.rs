//! The hook that `emit filter` prints, run as libvirt runs it by each shell that can be /bin/sh:
//! which VMs it changes, and that no failure stops a VM.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::program::{feed, has_tool, outcome, run};

const SHELLS: &[&str] = &["dash", "bash", "busybox"];
/// The folders where the script looks for programs first. The ones in /usr/local are last: AppArmor
/// does not let hooks run programs there, and bash stops at the first program that it finds, even
/// if it may not run it.
const SCRIPT_PATH: &str = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:";

fn fixture(name: &str) -> String {
    fs::read_to_string(Path::new("fixtures").join(name)).unwrap()
}

/// The fixture as libvirt 7.0 reads it, without the final line break, which shells strip.
fn of_old_libvirt() -> String {
    let (code, stdout, stderr) =
        run("fix --isolated --libvirt 7.0", &fixture("win10-virt-manager.fixed.xml"));
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("<qemu:arg value=\"-set\"/>")
            || stdout.contains("<qemu:arg value='-set'/>"),
        "{stdout}"
    );
    stdout
}

/// The hook for libvirt 9.0, next to a folder in which it looks for the program.
struct Hook {
    folder: tempfile::TempDir,
}

impl Hook {
    /// A hook that finds this program.
    fn new() -> Self {
        Hook::with(|path| std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gvtg-xml"), path).unwrap())
    }

    /// A hook that finds the program that `make` creates at this path.
    fn with(make: impl Fn(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (code, script, stderr) = run("emit filter --libvirt 9.0 --quiet", "");
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert!(script.contains(SCRIPT_PATH), "{script}");
        fs::create_dir(folder.path().join("bin")).unwrap();
        make(&folder.path().join("bin/gvtg-xml"));
        let path =
            format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin:", folder.path().join("bin").display());
        fs::write(folder.path().join("hook"), script.replace(SCRIPT_PATH, &path)).unwrap();
        let hook = Hook { folder };
        // busybox has its own logger, which it may prefer.
        hook.install("logger", "echo \"$*\" >>\"${0%/*}/log\"; echo noise; echo noise >&2; exit 1");
        hook
    }

    /// A hook that finds a script instead of the program.
    fn of_script(script: &str) -> Self {
        let hook = Hook::with(|_| ());
        hook.install("gvtg-xml", script);
        hook
    }

    /// Writes a script into the folder of programs, in a child process: a file that this process
    /// has open for writing can't be run.
    fn install(&self, name: &str, script: &str) {
        let words = ["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"];
        let path = self.folder.path().join("bin").join(name);
        let done = feed(
            Command::new("sh").args(words).arg(path),
            format!("#!/bin/sh\n{script}\n").as_bytes(),
        );
        assert!(done.status.success());
    }

    /// The messages that the hook sent to the system log.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("bin/log")).unwrap_or_default()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("hook")
    }

    /// Runs the hook for a VM under a shell: exit code, stdout, stderr.
    fn call(&self, shell: &str, arguments: &[&str], domain: &str) -> (i32, String, String) {
        let mut command = Command::new(shell);
        if shell == "busybox" {
            command.arg("sh");
        }
        // libvirtd's own display must not reach a VM.
        command
            .arg(self.path())
            .args(arguments)
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("DISPLAY", ":7")]);
        outcome(feed(&mut command, domain.as_bytes()))
    }
}

/// Runs a test under each installed shell.
fn on_each_shell(test: impl Fn(&str)) {
    for shell in SHELLS {
        if has_tool(shell, if *shell == "busybox" { &["true"] } else { &["-c", ":"] }) {
            test(shell);
        }
    }
}

const MDEV: &str = "<domain type='kvm'><name>a</name><devices><hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>\
    <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev></devices></domain>";
const MIGRATE: &[&str] = &["win10", "migrate", "begin", "-"];

#[test]
fn converts_a_vm_for_the_installed_libvirt() {
    let hook = Hook::new();
    let old = of_old_libvirt();
    let (code, wanted, _) = run("fix --isolated --libvirt 9.0", &old);
    assert!(code == 0 && wanted.contains("qemu:override") && wanted != old);
    on_each_shell(|shell| {
        assert_eq!(hook.call(shell, MIGRATE, &old), (0, wanted.clone(), String::new()), "{shell}")
    });
}

#[test]
fn leaves_a_valid_domain_silently() {
    let hook = Hook::new();
    for (what, domain) in [
        ("it is right", fixture("win10-virt-manager.fixed.xml")),
        ("it has no vGPU", fixture("win10-virt-manager.xml")),
    ] {
        on_each_shell(|shell| {
            assert_eq!(
                hook.call(shell, MIGRATE, &domain),
                (0, String::new(), String::new()),
                "{shell}: {what}"
            )
        });
    }
}

#[test]
fn leaves_a_vm_that_would_lose_a_device() {
    let hook = Hook::new();
    let domain =
        of_old_libvirt().replace("</devices>", "<video><model type='qxl'/></video></devices>");
    let why = "the VM 'win10' arrives unchanged: there are problems that the filter must not fix. List them with gvtg-xml lint, fix them with gvtg-xml fix\n";
    on_each_shell(|shell| {
        let (code, stdout, stderr) = hook.call(shell, MIGRATE, &domain);
        assert_eq!((code, stdout.as_str()), (0, ""), "{shell}: {stderr}");
        assert!(stderr.contains("win10:") && stderr.contains("[stray-video]"), "{shell}: {stderr}");
        assert!(stderr.ends_with(&format!("gvtg-xml: {why}")), "{shell}: {stderr}");
    });
    assert!(
        hook.log().starts_with(&format!("-t gvtg-xml -p daemon.warning -- {why}")),
        "{}",
        hook.log()
    );
}

#[test]
fn ignores_all_other_operations() {
    let hook = Hook::with(|_| ());
    let old = of_old_libvirt();
    for operation in [
        "prepare",
        "start",
        "started",
        "stopped",
        "release",
        "reconnect",
        "attach",
        "restore",
        "define",
        "new",
    ] {
        for suboperation in ["begin", "end", "-"] {
            let call = hook.call("sh", &["win10", operation, suboperation, "-"], &old);
            assert_eq!(call, (0, String::new(), String::new()), "{operation} {suboperation}");
        }
    }
    assert_eq!(
        hook.call("sh", &["win10", "migrate", "end", "-"], &old),
        (0, String::new(), String::new())
    );
    assert_eq!(hook.call("sh", &[], &old), (0, String::new(), String::new()));
}

#[test]
fn no_failure_stops_a_vm() {
    let old = of_old_libvirt();
    let half = "head -c 200; ";
    let fix = |then: &str| format!("[ \"$1\" = fix ] || exit 0; {half}{then}");
    for (what, hook, domain) in [
        ("there is no program", Hook::with(|_| ()), &*old),
        ("it is no program", Hook::with(|path| fs::create_dir(path).unwrap()), &old),
        ("it fails half way", Hook::of_script(&fix("exit 2")), &old),
        ("it is killed half way", Hook::of_script(&fix("kill -9 $$")), &old),
        (
            "it leaves something",
            Hook::of_script(&format!("[ \"$1\" = fix ] || exit 0; cat; exit 1; {half}")),
            &old,
        ),
        ("it prints half and says that it is all", Hook::of_script(&fix("exit 0")), &old),
        (
            "it prints another domain, which is wrong",
            Hook::of_script("[ \"$1\" = fix ] || exit 1; echo '<domain></domain>'"),
            &old,
        ),
        ("the vGPU may be NVIDIA's", Hook::new(), MDEV),
        ("the domain is cut off", Hook::new(), &old[..old.len() / 2]),
        ("there is no domain", Hook::new(), ""),
        ("it is none", Hook::new(), "hello"),
    ] {
        on_each_shell(|shell| {
            let (code, stdout, stderr) = hook.call(shell, MIGRATE, domain);
            assert_eq!((code, stdout.as_str()), (0, ""), "{shell}: {what}: {stderr}");
            // If the input is not a domain, nothing is logged: the hook ignores it.
            let is_told = stderr.contains("gvtg-xml: the VM 'win10' arrives unchanged: ");
            assert!(is_told || matches!(domain, "" | "hello"), "{shell}: {what}: {stderr}");
        });
    }
}

#[test]
fn reports_a_program_that_could_not_run() {
    let old = of_old_libvirt();
    // A shell exits with 126 for "Permission denied", as under AppArmor, and with 127 if a program
    // or its interpreter does not exist.
    for (status, why) in [
        (126, "cannot be run (exit status 126)"),
        (127, "cannot be run (exit status 127)"),
        (2, "gvtg-xml fix failed (exit status 2)"),
    ] {
        let hook = Hook::of_script(&format!("exit {status}"));
        on_each_shell(|shell| {
            let (code, stdout, stderr) = hook.call(shell, MIGRATE, &old);
            assert_eq!((code, stdout.as_str()), (0, ""), "{shell}: {stderr}");
            assert!(stderr.contains(why) && !stderr.contains("cannot fix"), "{shell}: {stderr}");
            assert_eq!(
                stderr.contains("Install it as /usr/bin/gvtg-xml"),
                status > 2,
                "{shell}: {stderr}"
            );
        });
    }
    let hook = Hook::of_script("exit 1");
    assert!(hook.call("sh", MIGRATE, &old).2.contains("gvtg-xml fix cannot fix all of it"));
}

#[test]
fn quotes_flags_and_names() {
    let (code, script, stderr) = run(
        "emit filter --display-env :1 --display sdl,gl=on --gdk-scale 1.5 --romfile /a$(touch)'b.rom",
        "",
    );
    assert_eq!(code, 0, "{stderr}");
    let last = "filter --libvirt installed --display sdl,gl=on --display-env :1 --gdk-scale 1.5 --romfile '/a$(touch)'\\''b.rom'";
    assert_eq!(script.lines().last(), Some(last));
    assert_eq!(
        run("emit filter --libvirt newest", "").1.lines().last(),
        Some("filter --libvirt newest")
    );
    // `installed` is resolved on this machine at each call, and need not exist when the hook is
    // written.
    assert_eq!(
        run("emit filter --libvirt installed", "").1.lines().last(),
        Some("filter --libvirt installed")
    );
    assert!(
        stderr.contains("install this as /etc/libvirt/hooks/qemu.d/gvtg-filter (mode 755)"),
        "{stderr}"
    );
    let (_, wanted, _) = run("fix --isolated --libvirt 9.0", &of_old_libvirt());
    let hook = Hook::new();
    on_each_shell(|shell| {
        assert_eq!(
            hook.call(shell, &["-a b", "migrate", "begin", "-"], &of_old_libvirt()),
            (0, wanted.clone(), String::new()),
            "{shell}"
        );
    });
    let hook = Hook::with(|_| ());
    let evil = "-a $(touch x) %s \\n'";
    on_each_shell(|shell| {
        let (_, stdout, stderr) = hook.call(shell, &[evil, "migrate", "begin", "-"], "<domain/>");
        assert_eq!(stdout, "", "{shell}");
        assert!(
            stderr.starts_with(&format!("gvtg-xml: the VM '{evil}' arrives unchanged")),
            "{shell}: {stderr}"
        );
    });
}

#[test]
fn passes_shellcheck() {
    if !has_tool("shellcheck", &["--version"]) {
        return;
    }
    let hook = Hook::new();
    let output = Command::new("shellcheck").arg("--shell=sh").arg(hook.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn emit_all_does_not_install_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), fixture("win10-virt-manager.fixed.xml")).unwrap();
    let (code, stdout, stderr) =
        common::program::run_in(folder.path(), "emit all --root host a.xml");
    assert!(
        code == 0 && stdout.contains("qemu.d/gvtg\n") && !stdout.contains("filter"),
        "{stdout}{stderr}"
    );
    let (code, stdout, _) = common::program::run_in(folder.path(), "emit filter --root host");
    assert_eq!((code, stdout.as_str()), (0, "host/etc/libvirt/hooks/qemu.d/gvtg-filter\n"));
}
