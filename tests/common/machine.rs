//! A machine with a GPU that makes vGPUs: mount and process namespaces in which `mdev-sysfs` is
//! mounted on /sys/bus. It does not touch the real machine: /dev, /run and /sys/bus are its own,
//! modprobe and pkexec are stand-ins, and all of it disappears when the test ends, even if it
//! fails.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

/// The folder of the GPU on every such machine.
pub const GPU: &str = "/sys/bus/pci/devices/0000:00:02.0";

/// A running machine. Dropping it removes its processes and mounts.
pub struct Machine {
    /// unshare, which waits for the machine's first process; that one ends when its stdin does.
    keeper: Child,
    folder: TempDir,
}

impl Machine {
    /// Starts a machine with these options for `mdev-sysfs`; None, reported as skipped, if this
    /// machine does not allow it.
    pub fn start(options: &[&str]) -> Option<Self> {
        Self::boot(options, true)
    }

    /// A machine on which kvmgt is not loaded, and modprobe fails until `modprobe_works`.
    pub fn without_kvmgt() -> Option<Self> {
        Self::boot(&[], false)
    }

    fn boot(options: &[&str], kvmgt: bool) -> Option<Self> {
        if let Some(why) = missing_requirement() {
            super::skipped(&why);
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        if kvmgt {
            fs::write(folder.path().join("kvmgt"), "").expect("a file");
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mdev/machine.sh");
        let mut unshare = Command::new("unshare");
        unshare.args([
            "--mount",
            "--propagation",
            "private",
            "--pid",
            "--mount-proc",
            "--kill-child",
            "--",
        ]);
        unshare.arg(script).arg(folder.path()).arg(&*PROGRAM).args(options);
        let mut keeper =
            unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare starts");
        let mut line = String::new();
        let stdout = keeper.stdout.take().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the machine speaks UTF-8");
        assert_eq!(line, "ready\n", "the machine did not start");
        Some(Self { keeper, folder })
    }

    /// Makes modprobe load kvmgt from now on.
    pub fn modprobe_works(&self) {
        fs::write(self.folder.path().join("modprobe-works"), "").expect("a file");
    }

    /// The arguments of each call of modprobe, one line per call.
    pub fn modprobes(&self) -> String {
        self.read("modprobe.log")
    }

    /// The arguments of pkexec, one word per line. It does nothing.
    pub fn pkexecs(&self) -> String {
        self.read("pkexec.log")
    }

    /// Mounts a file system at this folder while `used` runs, which may stop it from answering.
    pub fn with_file_system(&self, folder: &str, used: impl FnOnce()) {
        let program = PROGRAM.display();
        let mount = format!(
            "mkdir -p {folder}; '{program}' {folder} >/dev/null 2>&1 & echo $! >{folder}.pid; until mountpoint -q {folder}; do sleep 0.01; done"
        );
        assert!(self.shell(&mount).status.success());
        used();
        self.wake(folder);
        assert!(self.shell(&format!("umount -l {folder}")).status.success());
    }

    /// Stops the server of that file system from answering.
    pub fn silence(&self, folder: &str) {
        assert!(self.shell(&format!("kill -STOP $(cat {folder}.pid)")).status.success());
    }

    /// Lets the server answer again.
    pub fn wake(&self, folder: &str) {
        assert!(self.shell(&format!("kill -CONT $(cat {folder}.pid)")).status.success());
    }

    /// The creations and removals so far with the kernel's answer, one per line.
    pub fn log(&self) -> String {
        self.read("log")
    }

    /// A command on this machine, in one of the test's folders.
    pub fn command<S: AsRef<OsStr>>(
        &self,
        folder: &Path,
        words: impl IntoIterator<Item = S>,
    ) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("nsenter");
        let namespaces = format!("/proc/{}/ns", self.keeper.id());
        command
            .arg(format!("--mount={namespaces}/mnt"))
            .arg(format!("--pid={namespaces}/pid_for_children"));
        command.args(["--", "env", "--chdir"]).arg(folder).args(words);
        command.env("PATH", format!("{path}:/run/current-system/sw/bin"));
        command
    }

    /// Runs a line of shell on this machine: its output and exit status.
    pub fn shell(&self, line: &str) -> Output {
        self.command(Path::new("/"), ["sh", "-c", line])
            .stdin(Stdio::null())
            .output()
            .expect("nsenter starts")
    }

    /// The UUIDs of the existing vGPUs, in order.
    pub fn vgpus(&self) -> Vec<String> {
        let listed = self.shell("ls /sys/bus/mdev/devices").stdout;
        String::from_utf8(listed).expect("uuids are ASCII").lines().map(str::to_owned).collect()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Any error here was already an error in a test.
        let _ = self.keeper.wait();
    }
}

/// `mdev-sysfs`, which `cargo test` builds. `cargo test --test NAME` does not, so it is built here
/// if needed.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let program =
        Path::new(env!("CARGO_BIN_EXE_gvtg-xml")).with_file_name("examples").join("mdev-sysfs");
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build
            .args(["build", "--quiet", "--example", "mdev-sysfs"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().expect("cargo starts").success(), "mdev-sysfs is not built");
    }
    assert!(program.exists(), "{}: cargo build --example mdev-sysfs", program.display());
    program
});

/// The reason why such a machine cannot be created here, if any.
fn missing_requirement() -> Option<String> {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !root {
        return Some("only root can lay an emulated GPU over /sys/bus".to_owned());
    }
    if !Path::new("/dev/fuse").exists() {
        return Some("there is no /dev/fuse for an emulated GPU".to_owned());
    }
    let works = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let needed: [&[&str]; 3] = [
        &["unshare", "--mount", "--pid", "--fork", "true"],
        &["nsenter", "--version"],
        &["sh", "-c", "command -v mountpoint"],
    ];
    let missing = needed.into_iter().find(|words| !works(words))?;
    Some(format!("an emulated GPU needs `{}` to work", missing.join(" ")))
}
