//! Difficult names: whatever a VM's name, its vGPU is created and removed, nothing else changes, and
//! no other program runs.

use crate::common::machine::Machine;
use crate::domains::{hook_for, on_each_shell, xml};
use crate::{ONE, SMALL};

/// Returns names that libvirt accepts: anything without a slash or a line break.
fn names() -> Vec<String> {
    let plain = [
        "a b",
        " a",
        "a ",
        "  ",
        "\t",
        "$(touch x)",
        "`touch x`",
        "x$made",
        "x$1",
        "x$domain",
        "'\"",
        "'",
        "\"",
        "'; touch x; '",
        "-n",
        "-e",
        "-eq",
        "--",
        "-",
        "*",
        "?",
        "[a-z]",
        "a\\b",
        "\\",
        "\\\\",
        "a\\nb",
        "\\c",
        "a%s",
        "%",
        "!",
        "!!",
        "(",
        ")",
        "=",
        "!=",
        "a=b",
        "-o",
        "-z",
        "#",
        "#a",
        "~",
        "~root",
        ";",
        "&",
        "|",
        "<x",
        ">x",
        "a;touch x",
        "{a,b}",
        "win",
        "win1",
        "win10",
        "win10.bak",
        "Win10",
        "é",
        "e\u{301}",
        "\u{a0}",
        "\u{202e}",
        "]",
        "[",
        "0",
        "00",
        "made",
        "domain",
        ".",
        "..",
        "...",
    ];
    let long = ["ü".repeat(100), "名".repeat(66), "x".repeat(255)];
    plain.map(str::to_owned).into_iter().chain(long).collect()
}

fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[test]
fn creates_only_the_vgpu_of_each_name() {
    let names = names();
    let uuids: Vec<String> = (0..names.len()).map(uuid).collect();
    let mut domains: Vec<_> = names
        .iter()
        .zip(&uuids)
        .map(|(name, uuid)| (name.as_str(), uuid.as_str(), SMALL))
        .collect();
    domains.push(("bystander", ONE, SMALL));
    let hook = hook_for(&domains);
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook);
            host.assert_silent(host.prepare("bystander"));
            for (name, uuid) in names.iter().zip(&uuids) {
                let before = host.machine.log();
                host.assert_silent(host.prepare_for(name, &xml(&[uuid])));
                assert_eq!(
                    host.machine.log(),
                    format!("{before}create \"{uuid}\" {SMALL}: ok\n"),
                    "{name:?}"
                );
                // Another VM with such a name, but without a line.
                host.assert_silent(host.release(&format!("{name}{name}x")));
                host.assert_silent(host.release(name));
                let after = format!("{before}create \"{uuid}\" {SMALL}: ok\nremove {uuid}: ok\n");
                assert_eq!(host.machine.log(), after, "{name:?}");
            }
            assert_eq!(
                (host.machine.vgpus(), host.created()),
                (vec![ONE.to_owned()], vec![format!("{ONE} bystander")])
            );
        },
    );
}

#[test]
fn shows_names_unchanged() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            for name in ["a\\nb", "$(touch x)", "a%s", "-n", "'\""] {
                host.install(
                    &hook_for(&[(name, ONE, SMALL), ("other", &uuid(1), SMALL)])
                        .replace(&uuid(1), ONE),
                );
                host.assert_silent(host.prepare(name));
                let message = host.refusal(host.prepare("other"));
                assert!(message.contains(&format!("belongs to the VM '{name}',")), "{message}");
                host.assert_silent(host.release(name));
            }
        },
    );
}
