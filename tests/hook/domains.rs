//! Domains with vGPUs, the hook for them, and a machine that has it.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::common::machine::Machine;
use crate::common::program::{feed, has_tool, outcome, program};
use crate::{ONE, TWO};

/// Programs that are /bin/sh somewhere: Debian's, Fedora's and Arch's, Alpine's, and whoever's who
/// links zsh there.
const SHELLS: [&str; 4] = ["dash", "bash", "busybox", "zsh"];

/// What libvirt gives a hook: nothing of its own but these (src/util/virhook.c).
const ENVIRONMENT: [&str; 5] = [
    "LC_ALL=C",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "USER=root",
    "LOGNAME=root",
];

/// A VM's XML as libvirt writes it to the hook, with vGPUs of these uuids.
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

/// A domain with vGPUs of these uuids and types.
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

/// What the program prints for these domains.
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

/// The hook for domains with a vGPU each.
pub fn hook_for(domains: &[(&str, &str, &str)]) -> String {
    let domains: Vec<String> =
        domains.iter().map(|(name, uuid, kind)| domain(name, &[(uuid, kind)])).collect();
    hook(&domains, "qemu.d")
}

/// Does this with each shell on a machine of its own, all at once. `machine` starts one.
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
        // The panic's message names the thread, and with it the shell.
        let failed =
            threads.into_iter().map(|thread| thread.unwrap().join()).filter(Result::is_err).count();
        assert_eq!(failed, 0, "see above under which shells");
    });
}

/// A machine with a hook.
pub struct Host {
    pub machine: Machine,
    /// Holds the hook.
    folder: TempDir,
    /// Where the hook runs, and should leave nothing.
    work: TempDir,
    /// The XML that calls have on stdin.
    xml: String,
}

impl Host {
    pub fn new(machine: Machine) -> Self {
        let (folder, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // A session's hook is run by a user.
        for folder in [&folder, &work] {
            fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        }
        Host { machine, folder, work, xml: xml(&[ONE, TWO]) }
    }

    /// Where the hook is.
    pub fn hook(&self) -> PathBuf {
        self.folder.path().join("gvtg hook")
    }

    pub fn install(&self, hook: &str) {
        // By a process of its own: while this one has it open to write, a child that another thread
        // starts has it too, and Linux runs no file that is open so.
        let mut tee = Command::new("tee");
        assert!(feed(tee.arg(self.hook()), hook.as_bytes()).status.success());
        fs::set_permissions(self.hook(), Permissions::from_mode(0o755)).unwrap();
    }

    /// Calls the hook as libvirt does, for a VM with both vGPUs: its exit code, and its stderr. Its
    /// stdout and the folder where it runs stay empty.
    pub fn call(&self, words: &[&str]) -> (i32, String) {
        self.call_with(&[], words)
    }

    /// Calls it with this before the hook: variables, or a program that runs it.
    pub fn call_with(&self, before: &[&str], words: &[&str]) -> (i32, String) {
        self.call_for(&self.xml, before, words)
    }

    /// Calls it for a VM with this XML.
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

    /// Prepares a VM with this XML.
    pub fn prepare_for(&self, name: &str, xml: &str) -> (i32, String) {
        self.call_for(xml, &[], &[name, "prepare", "begin", "-"])
    }

    pub fn release(&self, name: &str) -> (i32, String) {
        self.call(&[name, "release", "end", "shutdown"])
    }

    /// The domain's vGPUs are made or removed without a word.
    pub fn quietly(&self, answer: (i32, String)) {
        assert_eq!(answer, (0, String::new()), "{}", self.machine.log());
    }

    /// What the answer says; it stops the start of the VM.
    pub fn refused(&self, answer: (i32, String)) -> String {
        assert_eq!(answer.0, 1, "{}", answer.1);
        assert!(answer.1.starts_with("gvtg: ") && answer.1.ends_with('\n'), "{}", answer.1);
        answer.1
    }

    /// The uuids of which the hook remembers that it made them, and for whom: `UUID DOMAIN`.
    pub fn made(&self) -> Vec<String> {
        let listed =
            self.machine.shell("cd /run/gvtg 2>/dev/null && for made in *; do [ ! -f $made ] || echo \"$made $(cat $made)\"; done");
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// A process that has no more than the path of this file open (`O_PATH`), which any user may,
    /// until it is dropped. `before` runs first, in a mount namespace of its own.
    pub fn holder_of_path(&self, path: &str, before: &str) -> User {
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

    /// A process that has this file open, as QEMU has its vGPU, until it is dropped. `before` runs
    /// first, in a mount namespace of its own.
    pub fn user_of(&self, file: &str, before: &str) -> User {
        let line = format!("{before}\nexec 9<>{file} && echo open && exec cat");
        let mut command =
            self.machine.command(Path::new("/"), ["unshare", "--mount", "sh", "-c", &line]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = [0; 5];
        process.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
        User { process }
    }
}

/// The test that [`Host::holder_of_path`] starts as a process of its own, and what that is told and
/// says.
const HOLDER: &str = "domains::holding_a_path";
const HELD_PATH: &str = "GVTG_HELD_PATH";
const HOLDS: &str = "the path is open";

/// Keeps a path open until stdin ends; in other runs it does nothing.
#[test]
fn holding_a_path() {
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
