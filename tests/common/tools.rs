//! Tools that tests install by themselves, once, from PyPI and npm into the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::program::{feed, has_tool};
use super::skipped;

/// A folder with these Python packages; None, reported as skipped, if they can't be installed.
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
        ensure_installed(&folder, &PYTHON_PACKAGES, || create() && install()).then_some(program)
    };
    or_skipped(PYTHON.get_or_init(install).as_deref(), &PYTHON_PACKAGES)
}

/// A folder with these packages in its node_modules; None, reported as skipped, if they can't be
/// installed.
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
        ensure_installed(&folder, &NODE_PACKAGES, install).then_some(folder)
    };
    or_skipped(NODE.get_or_init(install).as_deref(), &NODE_PACKAGES)
}

/// A JSON schema validator with its dependency for URIs, and a reader of JUnit's XML.
const PYTHON_PACKAGES: [&str; 3] =
    ["jsonschema==4.26.0", "rfc3986-validator==0.1.1", "junitparser==5.0.3"];

/// SARIF's schema, the writer of GitHub's workflow commands, and a checker of TOML against a
/// schema.
const NODE_PACKAGES: [&str; 3] =
    ["@microsoft/jest-sarif@1.0.0-beta.0", "@actions/core@3.0.1", "@taplo/cli@0.7.0"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools").join(name)
}

/// Installs packages unless an earlier run did, and returns whether they are installed. A marker
/// file tells a complete installation from a partial one.
fn ensure_installed(folder: &Path, packages: &[&str], install: impl FnOnce() -> bool) -> bool {
    let (marker, expected) = (folder.join("installed"), packages.join("\n"));
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == expected) {
        return true;
    }
    let _ = fs::remove_dir_all(folder);
    install() && fs::write(&marker, expected).is_ok()
}

/// Returns a folder, or reports the test as skipped if there is none.
fn or_skipped<'p>(folder: Option<&'p Path>, packages: &[&str]) -> Option<&'p Path> {
    if folder.is_none() {
        skipped(&format!("{} can't be installed", packages.join(", ")));
    }
    folder
}

fn succeeds(command: &mut Command) -> bool {
    feed(command, b"").status.success()
}
