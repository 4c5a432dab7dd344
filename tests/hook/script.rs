//! The script itself: shellcheck accepts it, and the caller's environment does not affect it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::machine::Machine;
use crate::common::program::has_tool;
use crate::domains::{domain, hook, hook_for, on_each_shell};
use crate::{LARGE, ONE, SMALL, TWO};

#[test]
fn shellcheck_accepts_the_sources_and_the_emitted_hooks() {
    if !has_tool("shellcheck", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let check = |path: &Path| {
        let output = Command::new("shellcheck").arg("--shell=sh").arg(path).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    check(&root.join("src/emit/hook.sh"));
    check(&root.join("tests/mdev/machine.sh"));
    let domains = [domain("a'b \"*", &[(ONE, LARGE)]), domain("-n", &[(TWO, SMALL)])];
    for style in ["qemu.d", "qemu", "session"] {
        let path = folder.path().join(style);
        fs::write(&path, hook(&domains, style)).unwrap();
        check(&path);
    }
}

/// Returns all words in the script that could be variables.
fn words(script: &str) -> BTreeSet<&str> {
    let names =
        script.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    names
        .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'))
        .collect()
}

#[test]
fn ignores_the_variables_of_the_caller() {
    let script = hook_for(&[("win10", ONE, LARGE)]);
    let named = words(&script);
    assert!(["GVT_PCI", "made", "line", "vgpu", "types"].iter().all(|name| named.contains(name)));
    let known = [
        "IFS",
        "CDPATH",
        "ENV",
        "BASH_ENV",
        "ZDOTDIR",
        "POSIXLY_CORRECT",
        "GREP_OPTIONS",
        "GREP_COLOR",
        "TMPDIR",
    ];
    // bash itself complains about an unknown locale before it reads the script.
    let named = named.iter().copied().filter(|&name| name != "LC_ALL").chain(known);
    let evil = ["/tmp", "x", "", "*", "$(touch x)"];
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&script);
            for value in evil {
                let variables: Vec<String> =
                    named.clone().map(|name| format!("{name}={value}")).collect();
                let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
                host.assert_silent(host.call_with(&variables, &["win10", "prepare", "begin", "-"]));
                assert_eq!(
                    (host.machine.vgpus(), host.created()),
                    (vec![ONE.to_owned()], vec![format!("{ONE} win10")]),
                    "{value:?}"
                );
                host.assert_silent(host.call_with(&variables, &["win10", "release", "end", "-"]));
                assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]), "{value:?}");
            }
        },
    );
}

#[test]
fn runs_no_program_from_the_path_of_the_caller() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            let programs =
                "mkdir /run/evil; cd /run/evil; for name in ls grep sed tr stat timeout mkdir rm cat sleep id modprobe printf test; do
                printf '#!/bin/sh\\ntouch /run/evil/ran\\n' > $name; chmod 755 $name; done";
            assert!(host.machine.shell(programs).status.success());
            let path = ["PATH=/run/evil:/usr/bin:/bin"];
            host.assert_silent(host.call_with(&path, &["win10", "prepare", "begin", "-"]));
            host.assert_silent(host.call_with(&path, &["win10", "release", "end", "-"]));
            assert!(!host.machine.shell("test -e /run/evil/ran").status.success());
            assert_eq!(host.machine.log().lines().count(), 2);
        },
    );
}
