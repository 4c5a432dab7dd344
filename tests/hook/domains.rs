//! Domains with vGPUs, their hook, and a machine on which it is installed.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::common::machine::Machine;
use crate::common::program::{feed, has_tool, outcome, program};
use crate::{ONE, TWO};

/// The programs that are /bin/sh on Debian, on Fedora and Arch, on Alpine, and where a user links it
/// to zsh.
const SHELLS: [&str; 4] = ["dash", "bash", "busybox", "zsh"];

/// The environment that libvirt gives a hook (libvirt: src/util/virhook.c).
const ENVIRONMENT: [&str; 5] = [
    "LC_ALL=C",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "USER=root",
    "LOGNAME=root",
];

/// Returns a VM's XML as libvirt passes it to the hook, with vGPUs that have these UUIDs.
pub fn xml(vgpus: &[&str]) -> String {
    let hostdev = |uuid: &&str| {
        format!(
            "    <hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off' ramfb='on'>\n      <source>\n        \
             <address uuid='{uuid}'/>\n      </source>\n      <alias name='ua-gvtg'/>\n      \
             <address type='pci' domain='0x0000' bus='0x06' slot='0x10' function='0x0'/>\n    </hostdev>\n"
        )
    };
    let devices: String = vgpus.iter().map(hostdev).collect();
    format!(
        "<domain type='kvm'>\n  <name>any</name>\n  <devices>\n{devices}  </devices>\n</domain>\n"
    )
}

/// Returns a domain with vGPUs that have these UUIDs and types.
pub fn domain(name: &str, vgpus: &[(&str, &str)]) -> String {
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    let types: String =
        vgpus.iter().map(|(uuid, kind)| format!("<g:vgpu uuid='{uuid}' type='{kind}'/>")).collect();
    let devices: String = vgpus
        .iter()
        .map(|(uuid, _)| {
            format!("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='{uuid}'/></source></hostdev>")
        })
        .collect();
    format!(
        "<domain type='kvm'><name>{name}</name><metadata><g:domain xmlns:g='urn:gvtg-xml:1'>{types}</g:domain></metadata>\
         <devices>{devices}</devices></domain>"
    )
}

/// Returns the hook that the program prints for these domains.
pub fn hook(domains: &[String], style: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(["emit", "hook", "--style", style]);
    for (number, domain) in domains.iter().enumerate() {
        let path = folder.path().join(format!("{number}.xml"));
        fs::write(&path, domain).unwrap();
        command.arg(path);
    }
    let (code, stdout, stderr) = outcome(feed(&mut command, b""));
    assert_eq!(code, 0, "{stderr}");
    stdout
}

/// Returns the hook for domains with one vGPU each.
pub fn hook_for(domains: &[(&str, &str, &str)]) -> String {
    let domains: Vec<String> =
        domains.iter().map(|(name, uuid, kind)| domain(name, &[(uuid, kind)])).collect();
    hook(&domains, "qemu.d")
}

/// Runs a test with each shell, in parallel and on separate machines, which `machine` starts.
pub fn on_each_shell(machine: impl Fn() -> Option<Machine> + Sync, test: impl Fn(&Host) + Sync) {
    let try_one = |shell: &str| {
        if !has_tool(shell, if shell == "busybox" { &["true"] } else { &["-c", ":"] }) {
            return;
        }
        let Some(machine) = machine() else { return };
        let host = Host::new(machine);
        let bound = host.machine.shell(&format!("mount --bind \"$(command -v {shell})\" /bin/sh"));
        assert!(bound.status.success(), "{}", String::from_utf8_lossy(&bound.stderr));
        test(&host);
    };
    let test = std::thread::current().name().unwrap_or("main").to_owned();
    std::thread::scope(|scope| {
        let thread =
            |shell: &str| std::thread::Builder::new().name(format!("{test} under {shell}"));
        let threads = SHELLS.map(|shell| thread(shell).spawn_scoped(scope, move || try_one(shell)));
        // A panic's message contains the thread's name, which is the shell's.
        let failed =
            threads.into_iter().map(|thread| thread.unwrap().join()).filter(Result::is_err).count();
        assert_eq!(failed, 0, "see above under which shells");
    });
}

/// A machine with a hook.
pub struct Host {
    pub machine: Machine,
    /// The folder that contains the hook.
    folder: TempDir,
    /// The folder in which the hook runs; it must stay empty.
    work: TempDir,
    /// The XML on stdin of each call.
    xml: String,
}

impl Host {
    pub fn new(machine: Machine) -> Self {
        let (folder, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // In a session, a user runs the hook.
        for folder in [&folder, &work] {
            fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        }
        Host { machine, folder, work, xml: xml(&[ONE, TWO]) }
    }

    /// Returns the hook's path.
    pub fn hook(&self) -> PathBuf {
        self.folder.path().join("gvtg hook")
    }

    pub fn install(&self, hook: &str) {
        // A separate process writes it: if this one had it open for writing, a child started by
        // another thread would inherit that, and Linux does not run a file that is open for writing.
        let mut tee = Command::new("tee");
        assert!(feed(tee.arg(self.hook()), hook.as_bytes()).status.success());
        fs::set_permissions(self.hook(), Permissions::from_mode(0o755)).unwrap();
    }

    /// Calls the hook as libvirt does, for a VM with both vGPUs. Returns its exit code and stderr, and
    /// checks that its stdout and the folder in which it runs stay empty.
    pub fn call(&self, words: &[&str]) -> (i32, String) {
        self.call_with(&[], words)
    }

    /// Like [`Host::call`], with words before the hook: variables, or a program that runs it.
    pub fn call_with(&self, before: &[&str], words: &[&str]) -> (i32, String) {
        self.call_for(&self.xml, before, words)
    }

    /// Like [`Host::call_with`], for a VM with this XML.
    pub fn call_for(&self, xml: &str, before: &[&str], words: &[&str]) -> (i32, String) {
        let hook = self.hook();
        let hook = hook.to_str().unwrap();
        let words =
            ["env", "-i"].iter().chain(&ENVIRONMENT).chain(before).chain([&hook]).chain(words);
        let (code, stdout, stderr) =
            outcome(feed(&mut self.machine.command(self.work.path(), words), xml.as_bytes()));
        assert_eq!(stdout, "", "{words:?} on stdout", words = before);
        let left: Vec<_> = fs::read_dir(self.work.path())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert!(left.is_empty(), "it made {left:?}");
        (code, stderr)
    }

    pub fn prepare(&self, name: &str) -> (i32, String) {
        self.call(&[name, "prepare", "begin", "-"])
    }

    /// Like [`Host::prepare`], for a VM with this XML.
    pub fn prepare_for(&self, name: &str, xml: &str) -> (i32, String) {
        self.call_for(xml, &[], &[name, "prepare", "begin", "-"])
    }

    pub fn release(&self, name: &str) -> (i32, String) {
        self.call(&[name, "release", "end", "shutdown"])
    }

    /// Checks that a call succeeded without a message.
    pub fn assert_silent(&self, answer: (i32, String)) {
        assert_eq!(answer, (0, String::new()), "{}", self.machine.log());
    }

    /// Returns the message of a call, and checks that it prevents the VM's start.
    pub fn refusal(&self, answer: (i32, String)) -> String {
        assert_eq!(answer.0, 1, "{}", answer.1);
        assert!(answer.1.starts_with("gvtg: ") && answer.1.ends_with('\n'), "{}", answer.1);
        answer.1
    }

    /// Returns the hook's records of the vGPUs that it created, each as `UUID DOMAIN`.
    pub fn created(&self) -> Vec<String> {
        let listed =
            self.machine.shell("cd /run/gvtg 2>/dev/null && for made in *; do [ ! -f $made ] || echo \"$made $(cat $made)\"; done");
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Starts a process that has only the path of this file open (`O_PATH`), which any user may do,
    /// until the result is dropped. `before` runs first, in a separate mount namespace.
    pub fn open_path(&self, path: &str, before: &str) -> User {
        let own = std::env::current_exe().unwrap();
        let line = format!("{before}\nexec \"$@\"");
        let words = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            &line,
            "sh",
            own.to_str().unwrap(),
            "--exact",
            HOLDER,
            "--nocapture",
        ];
        let mut command = self.machine.command(Path::new("/"), words);
        let mut process = command
            .env(HELD_PATH, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.as_mut().unwrap());
        assert!(output.lines().any(|line| line.unwrap().contains(HOLDS)), "{path} is not open");
        User { process }
    }

    /// Starts a process that has this file open, as QEMU has its vGPU, until the result is dropped.
    /// `before` runs first, in a separate mount namespace.
    pub fn open_file(&self, file: &str, before: &str) -> User {
        let line = format!("{before}\nexec 9<>{file} && echo open && exec cat");
        let mut command =
            self.machine.command(Path::new("/"), ["unshare", "--mount", "sh", "-c", &line]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = [0; 5];
        process.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
        User { process }
    }
}

/// The test that [`Host::open_path`] starts as a separate process, and the variable and the line by
/// which the two communicate.
const HOLDER: &str = "domains::hold_a_path_open";
const HELD_PATH: &str = "GVTG_HELD_PATH";
const HOLDS: &str = "the path is open";

/// Keeps a path open until stdin ends; does nothing in a normal run of the tests.
#[test]
fn hold_a_path_open() {
    const O_PATH: i32 = 0o10_000_000;
    let Some(path) = std::env::var_os(HELD_PATH) else { return };
    let _held = fs::OpenOptions::new().read(true).custom_flags(O_PATH).open(path).unwrap();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{HOLDS}").and_then(|()| stdout.flush()).unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

pub struct User {
    process: Child,
}

impl Drop for User {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
