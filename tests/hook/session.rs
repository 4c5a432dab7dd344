//! The hook of a session libvirt, which runs as the user: it becomes root for the same call and
//! nothing else.

use crate::common::machine::Machine;
use crate::domains::{domain, hook, on_each_shell, xml};
use crate::{LARGE, ONE, SMALL, TWO};

/// The user who runs the session.
const USER: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

#[test]
fn runs_the_same_call_as_root_with_pkexec() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            let names = ["win10", "$(touch x) '\"*", "-n"];
            for name in names {
                host.install(&hook(
                    &[
                        domain(name, &[(ONE, SMALL), (TWO, SMALL)]),
                        domain("linux", &[(&ONE.replace('a', "c"), LARGE)]),
                    ],
                    "session",
                ));
                for (operation, suboperation, vgpus) in
                    [("prepare", "begin", 2), ("release", "end", 0)]
                {
                    let before = host.machine.pkexecs();
                    host.assert_silent(
                        host.call_with(&USER, &[name, operation, suboperation, "-"]),
                    );
                    let asked = host.machine.pkexecs()[before.len()..].to_owned();
                    let words: Vec<&str> = asked.lines().collect();
                    assert_eq!(
                        words,
                        [host.hook().to_str().unwrap(), name, operation, suboperation, "-"]
                    );
                    // As root it does the work itself, without pkexec.
                    host.assert_silent(host.call(&words[1..]));
                    assert_eq!(host.machine.vgpus().len(), vgpus);
                    assert_eq!(host.machine.pkexecs(), before + &asked);
                }
            }
        },
    );
}

#[test]
fn does_not_run_pkexec_for_other_vms() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook(&[domain("win10", &[(ONE, LARGE)])], "session"));
            for words in [
                ["win10", "reconnect", "begin", "-"],
                ["win10", "start", "begin", "-"],
                ["linux", "prepare", "begin", "-"],
            ] {
                host.assert_silent(host.call_with(&USER, &words));
            }
            // After the user has restored a VM without a vGPU.
            for words in [["win10", "prepare", "begin", "-"], ["win10", "release", "end", "-"]] {
                host.assert_silent(host.call_for(&xml(&[]), &USER, &words));
            }
            assert_eq!(host.machine.pkexecs(), "");
        },
    );
}
