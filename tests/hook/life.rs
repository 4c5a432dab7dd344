//! A VM's life, as libvirt tells it to the hook.

use crate::common::machine::Machine;
use crate::domains::{domain, hook, hook_for, on_each_shell, xml};
use crate::{LARGE, ONE, SMALL, TWO};

fn machine() -> Option<Machine> {
    Machine::start(&[])
}

#[test]
fn a_vgpu_is_made_when_its_vm_starts_and_removed_when_it_has_stopped() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
        assert_eq!(host.made(), [format!("{ONE} win10")]);
        host.quietly(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
        // Again, as VMs do.
        host.quietly(host.prepare("win10"));
        host.quietly(host.release("win10"));
        let once = format!("create \"{ONE}\" {LARGE}: ok\nremove {ONE}: ok\n");
        assert_eq!(host.machine.log(), once.repeat(2));
        assert_eq!(host.machine.modprobes(), "", "kvmgt is loaded");
    });
}

#[test]
fn a_hook_that_changed_meanwhile_removes_what_the_old_one_made() {
    on_each_shell(machine, |host| {
        for other in [hook_for(&[("win10", TWO, LARGE)]), hook_for(&[("other", ONE, LARGE)])] {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.quietly(host.prepare("win10"));
            host.install(&other);
            host.quietly(host.release("other"));
            assert_eq!(host.machine.vgpus(), [ONE], "it is not the other's");
            host.quietly(host.release("win10"));
            assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
        }
    });
}

#[test]
fn every_other_operation_succeeds_and_does_nothing() {
    // What libvirt has and will have, and what nobody would say.
    let others = [
        &["win10", "start", "begin", "-"][..],
        &["win10", "started", "begin", "-"],
        &["win10", "stopped", "end", "-"],
        &["win10", "stopped", "end", "failed"],
        &["win10", "migrate", "begin", "-"],
        &["win10", "restore", "begin", "-"],
        &["win10", "reconnect", "begin", "-"],
        &["win10", "attach", "begin", "-"],
        &["win10", "prepare", "end", "-"],
        &["win10", "release", "begin", "-"],
        &["win10", "prepare/begin", "", "-"],
        &["win10", "prepare"],
        &["win10", "*", "*", "-"],
        &["win10"],
        &[""],
        &[],
    ];
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for words in others {
            assert_eq!(host.call(words), (0, String::new()), "{words:?}");
            assert_eq!(host.machine.vgpus(), [""; 0], "{words:?}");
        }
        host.quietly(host.prepare("win10"));
        for words in others {
            assert_eq!(host.call(words), (0, String::new()), "{words:?}");
            assert_eq!(host.machine.vgpus(), [ONE], "{words:?}");
        }
    });
}

#[test]
fn reconnect_succeeds_whatever_is_wrong() {
    // libvirt would kill the VM that runs.
    on_each_shell(Machine::without_kvmgt, |host| {
        host.install(&hook_for(&[("win10", ONE, "i915-GVTg_V4_8")]));
        host.quietly(host.call(&["win10", "reconnect", "begin", "-"]));
        assert_eq!(host.machine.modprobes(), "");
    });
}

#[test]
fn a_release_removes_the_vgpu_whatever_libvirt_gives_as_its_reason() {
    // "-" before libvirt 10.5, the reason of the shutdown since.
    let reasons = [
        Some("-"),
        Some("shutdown"),
        Some("destroyed"),
        Some("crashed"),
        Some("failed"),
        Some("from snapshot"),
        Some(""),
        None,
    ];
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for reason in reasons {
            host.quietly(host.prepare("win10"));
            let words: Vec<&str> = ["win10", "release", "end"].into_iter().chain(reason).collect();
            host.quietly(host.call(&words));
            assert_eq!(host.machine.vgpus(), [""; 0], "{reason:?}");
        }
    });
}

#[test]
fn a_vm_without_a_line_is_none_of_its_business() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for name in ["linux", "win1", "win100", "WIN10", "win10 ", " win10", "*", "w*", ""] {
            host.quietly(host.prepare(name));
            assert_eq!(host.machine.vgpus(), [""; 0], "{name:?}");
        }
        host.quietly(host.prepare("win10"));
        for name in ["linux", "win1", "win100", "WIN10", "win10 ", " win10", "*", "w*", ""] {
            host.quietly(host.release(name));
            assert_eq!(host.machine.vgpus(), [ONE], "{name:?}");
        }
    });
}

#[test]
fn a_uuid_in_upper_case_is_the_one_that_the_kernel_writes_in_lower_case() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]).replace(ONE, &ONE.to_uppercase()));
        host.quietly(host.prepare("win10"));
        assert_eq!(
            (host.machine.vgpus(), host.made()),
            (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
        );
        host.quietly(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
    });
}

/// XML of VMs that do not have the vGPU ONE, even if they mention it.
fn without_it() -> Vec<String> {
    let address = format!("<address uuid='{ONE}'/>");
    let document =
        |inside: &str| format!("<domain type='kvm'>\n  <name>win10</name>\n{inside}\n</domain>\n");
    vec![
        document(""),
        xml(&[]),
        xml(&[TWO]),
        xml(&[&format!("{}0", &ONE[..35])]),
        document(&format!("<uuid>{ONE}</uuid>")),
        document(&format!("<description>&lt;address uuid='{ONE}'/&gt; {ONE}</description>")),
        document(&format!("<!-- {address} -->")),
        document(&format!("<!--\n<hostdev>\n{address}\n</hostdev>\n-->")),
        document(&format!(
            "<!-- x --><devices/><!-- <hostdev> --><memory/><!-- <a>{address}</a> -->"
        )),
        document(&format!(
            "<metadata><g:domain xmlns:g='urn:gvtg-xml:1'><g:vgpu uuid='{ONE}'/></g:domain></metadata>"
        )),
        document(&format!("<metadata>\n  <x xmlns='urn:x'>\n    {address}\n  </x>\n</metadata>")),
        document(&format!(
            "<metadata><!-- </metadata> --><x xmlns='urn:x'>{address}</x></metadata>"
        )),
        document(&format!("<devices><disk><serial>{ONE}</serial></disk></devices>")),
        document(&format!(
            "<qemu:commandline><qemu:arg value='-uuid'/><qemu:arg value='{ONE}'/></qemu:commandline>"
        )),
        document(&format!(
            "<metadata a='/>' b=\"it's\"><metadata/><metadata x='1'>{address}</metadata >{address}</metadata>"
        )),
        document(&format!("<metadata><x:metadata xmlns:x='urn:x'/>{address}</metadata>")),
        document(&format!(
            "<metadata><x:y xmlns:x='urn:x'><![CDATA[ </metadata> <!-- ]]></x:y>{address}</metadata>"
        )),
        document(&format!("<description><![CDATA[{address}]]></description>")),
        document(&format!("<?x <metadata/> {address} ?>")),
        document(&format!("<!--> {address} -->")),
    ]
}

#[test]
fn a_vm_whose_xml_has_no_such_vgpu_starts_without_it() {
    on_each_shell(machine, |host| {
        // Also a type that the GPU lacks, which would be refused.
        for kind in [LARGE, "i915-GVTg_V5_1"] {
            host.install(&hook_for(&[("win10", ONE, kind)]));
            for xml in without_it() {
                assert_eq!(host.prepare_for("win10", &xml), (0, String::new()), "{xml}");
            }
        }
        host.install(&hook_for(&[("win10", ONE, LARGE)]).replace(ONE, "''"));
        assert_eq!(host.prepare_for("win10", &xml(&[])), (0, String::new()));
        assert_eq!((host.machine.log(), host.made()), (String::new(), vec![]));
    });
    on_each_shell(Machine::without_kvmgt, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare_for("win10", &xml(&[])));
        assert_eq!(host.machine.modprobes(), "");
    });
}

#[test]
fn a_vgpu_is_created_however_the_xml_names_it() {
    let document = |inside: &str| format!("<domain type='kvm'><name>win10</name>{inside}</domain>");
    let argument = |value: &str| {
        document(&format!(
            "<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='{value}'/></qemu:commandline>"
        ))
    };
    let skipped = |before: &str| {
        document(&format!("{before}\n<hostdev><source><address uuid='{ONE}'/></source></hostdev>"))
    };
    let upper = ONE.to_uppercase();
    let path = format!("/sys/bus/mdev/devices/{ONE}");
    let ways = [
        xml(&[ONE]),
        xml(&[TWO, ONE]),
        domain("win10", &[(ONE, LARGE)]),
        document(&format!("<hostdev><source><address uuid=\"{upper}\"/></source></hostdev>")),
        document(&format!(
            "<hostdev><source><address\n\tx='y' uuid = '{ONE}' /></source></hostdev>"
        ))
        .replace('<', "\r\n<"),
        document(&format!(
            "<metadata/><!-- <x> --><hostdev><source><address uuid='{ONE}'/></source></hostdev><!-- y -->"
        )),
        argument(&format!("vfio-pci,sysfsdev={path}")),
        argument(&format!("vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:00:02.0/{upper},ramfb=on")),
        argument(&format!(
            "{{&quot;driver&quot;:&quot;vfio-pci&quot;,&quot;sysfsdev&quot;:&quot;{path}&quot;}}"
        )),
        argument(&format!("vfio-pci,sysfsdev={path}")).replace("qemu:", "q:"),
        document(&format!("<qemu:property name='sysfsdev' type='string' value='{path}'/>")),
        argument("x").replace(
            "<qemu:arg value='x'/>",
            &format!("<qemu:property value='{path}' type='string' name='sysfsdev'/>"),
        ),
        xml(&[&ONE.replace('-', "")]),
        xml(&[&format!(" {ONE} ")]),
        xml(&[ONE]).replace("<address uuid", "<d:address uuid"),
        // What is skipped ends where XML says that it does.
        skipped("<metadata/>"),
        skipped("<metadata />"),
        skipped("<metadata xmlns:app=\"http://example.org/app\"/>"),
        skipped("<metadata a='>' b=\"it's>\"\n/>"),
        skipped("<metadata><x:metadata xmlns:x='urn:x'/><metadata xmlns='urn:y'/></metadata\n>"),
        skipped("<metadata><app:x xmlns:app='urn:app'><![CDATA[ <!-- begin ]]></app:x></metadata>"),
        skipped("<description><![CDATA[ <metadata> <?x ]]></description>"),
        skipped("<?x <!-- <metadata> ?>"),
        skipped("<!-- <metadata> <![CDATA[ <?x -->"),
        skipped("<!---->"),
        // In doubt the VM has it. libvirt writes nothing of the kind.
        skipped("<!-- "),
        skipped("<![CDATA[ "),
        skipped("<?x "),
        skipped("<metadata>"),
        skipped("<metadata>").replace("</domain>", "<!-- x -->"),
        skipped("</metadata>"),
        // As long as the longest XML that libvirt accepts.
        document(&format!(
            "<!-- {} --><hostdev><source><address uuid='{ONE}'/></source></hostdev>",
            "<x>".repeat(500_000)
        )),
    ];
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for xml in &ways {
            host.quietly(host.prepare_for("win10", xml));
            assert_eq!(host.made(), [format!("{ONE} win10")], "{:.300}", xml);
            host.quietly(host.release("win10"));
        }
    });
}

#[test]
fn of_two_lines_the_one_in_the_xml_counts() {
    on_each_shell(machine, |host| {
        host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
        host.quietly(host.prepare_for("win10", &xml(&[TWO])));
        assert_eq!(host.made(), [format!("{TWO} win10")]);
        // The XML has changed by then: the vGPU that was created is removed anyway.
        host.quietly(host.call_for(&xml(&[]), &[], &["win10", "release", "end", "-"]));
        assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
    });
}

#[test]
fn without_xml_on_stdin_a_vm_starts_without_its_vgpu_and_the_hook_says_why() {
    on_each_shell(machine, |host| {
        let words = ["win10", "prepare", "begin", "-"];
        host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
        let answers = [
            host.call_for("", &["sh", "-c", "exec \"$@\" <&-", "sh"], &words),
            host.call_for("", &[], &words),
            host.call_for("\n", &[], &words),
            host.call_for("win10 prepare begin -\n", &[], &words),
        ];
        for (code, said) in answers {
            assert_eq!((code, said.lines().count()), (0, 1), "{said}");
            assert!(
                said.starts_with("gvtg: no XML arrived on stdin, so no vGPU is created: "),
                "{said}"
            );
        }
        assert_eq!(host.machine.log(), "");
        // It is none of its business without a line, and nothing is to be created after a VM.
        host.quietly(host.call_for("", &[], &["linux", "prepare", "begin", "-"]));
        host.quietly(host.call_for("", &[], &["win10", "release", "end", "-"]));
    });
}

#[test]
fn two_vgpus_of_a_vm_come_and_go_together() {
    on_each_shell(machine, |host| {
        host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
        host.quietly(host.prepare("win10"));
        let mut vgpus = host.machine.vgpus();
        vgpus.sort();
        assert_eq!(vgpus, [TWO, ONE]);
        host.quietly(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
    });
}

#[test]
fn where_the_second_vgpu_fails_the_release_takes_the_first() {
    on_each_shell(machine, |host| {
        // One large takes all that there is.
        host.install(&hook(&[domain("win10", &[(ONE, LARGE), (TWO, SMALL)])], "qemu.d"));
        let said = host.refused(host.prepare("win10"));
        assert!(said.contains(&format!("no room for another vGPU of type {SMALL}")), "{said}");
        // libvirt calls it after a failed start too.
        host.quietly(host.call(&["win10", "release", "end", "failed"]));
        assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
    });
}

#[test]
fn a_vgpu_that_appears_late_is_waited_for() {
    on_each_shell(
        || Machine::start(&["--late", "1500"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.quietly(host.prepare("win10"));
            assert_eq!(host.machine.vgpus(), [ONE]);
            host.quietly(host.release("win10"));
            assert_eq!(host.machine.vgpus(), [""; 0]);
        },
    );
}

#[test]
fn kvmgt_is_loaded_where_it_is_not() {
    on_each_shell(Machine::without_kvmgt, |host| {
        host.machine.modprobe_works();
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare("win10"));
        assert_eq!(
            (host.machine.modprobes().as_str(), host.machine.vgpus()),
            ("kvmgt\n", vec![ONE.to_owned()])
        );
        host.quietly(host.release("win10"));
        assert_eq!(host.machine.modprobes(), "kvmgt\n");
    });
}

#[test]
fn broadwells_types_are_made_too() {
    on_each_shell(
        || Machine::start(&["--generation", "V4"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, "i915-GVTg_V4_4")]));
            host.quietly(host.prepare("win10"));
            assert_eq!(host.machine.log(), format!("create \"{ONE}\" i915-GVTg_V4_4: ok\n"));
        },
    );
}
