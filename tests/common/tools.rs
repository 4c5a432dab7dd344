//! Tools that tests install for themselves, from PyPI and npm into the target folder, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::program::{feed, has_tool};
use super::skipped;

/// A folder in which these Python packages are installed; None, loudly, where that can't be done.
pub fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    if !has_tool("python3", &["-m", "venv", "--help"]) {
        return None;
    }
    let install = || {
        let folder = folder("python");
        let program = folder.join("bin/python");
        let create = || succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let install = || {
            succeeds(
                Command::new(&program)
                    .args(["-m", "pip", "install", "--quiet"])
                    .args(PYTHON_PACKAGES),
            )
        };
        is_done(&folder, &PYTHON_PACKAGES, || create() && install()).then_some(program)
    };
    told(PYTHON.get_or_init(install).as_deref(), &PYTHON_PACKAGES)
}

/// A folder with these packages in its node_modules; None, loudly, where that can't be done.
pub fn node() -> Option<&'static Path> {
    static NODE: OnceLock<Option<PathBuf>> = OnceLock::new();
    if !has_tool("node", &["--version"]) || !has_tool("npm", &["--version"]) {
        return None;
    }
    let install = || {
        let folder = folder("node");
        let install = || {
            let flags =
                ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--prefix"];
            fs::create_dir_all(&folder).is_ok()
                && succeeds(Command::new("npm").args(flags).arg(&folder).args(NODE_PACKAGES))
        };
        is_done(&folder, &NODE_PACKAGES, install).then_some(folder)
    };
    told(NODE.get_or_init(install).as_deref(), &NODE_PACKAGES)
}

/// A JSON schema validator with what it needs for URIs, and a reader of JUnit's XML.
const PYTHON_PACKAGES: [&str; 3] =
    ["jsonschema==4.26.0", "rfc3986-validator==0.1.1", "junitparser==5.0.3"];

/// SARIF's schema, what writes GitHub's workflow commands, and what checks TOML by a schema.
const NODE_PACKAGES: [&str; 3] =
    ["@microsoft/jest-sarif@1.0.0-beta.0", "@actions/core@3.0.1", "@taplo/cli@0.7.0"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools").join(name)
}

/// Installs what is not there from an earlier run; a mark tells a whole installation from half of
/// one.
fn is_done(folder: &Path, packages: &[&str], install: impl FnOnce() -> bool) -> bool {
    let (mark, wanted) = (folder.join("installed"), packages.join("\n"));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return true;
    }
    let _ = fs::remove_dir_all(folder);
    install() && fs::write(&mark, wanted).is_ok()
}

/// A folder, or none; each test that misses it says so.
fn told<'p>(folder: Option<&'p Path>, packages: &[&str]) -> Option<&'p Path> {
    if folder.is_none() {
        skipped(&format!("{} can't be installed", packages.join(", ")));
    }
    folder
}

fn succeeds(command: &mut Command) -> bool {
    feed(command, b"").status.success()
}
