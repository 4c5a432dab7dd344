//! The life of a VM, as libvirt reports it to the hook.

use crate::common::machine::Machine;
use crate::domains::{domain, hook, hook_for, on_each_shell, xml};
use crate::{LARGE, ONE, SMALL, TWO};

fn machine() -> Option<Machine> {
    Machine::start(&[])
}

#[test]
fn creates_the_vgpu_at_start_and_removes_it_after_the_stop() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
        assert_eq!(host.created(), [format!("{ONE} win10")]);
        host.assert_silent(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
        // VMs start more than once.
        host.assert_silent(host.prepare("win10"));
        host.assert_silent(host.release("win10"));
        let once = format!("create \"{ONE}\" {LARGE}: ok\nremove {ONE}: ok\n");
        assert_eq!(host.machine.log(), once.repeat(2));
        assert_eq!(host.machine.modprobes(), "", "kvmgt is loaded");
    });
}

#[test]
fn a_changed_hook_removes_the_vgpu_of_the_old_one() {
    on_each_shell(machine, |host| {
        for other in [hook_for(&[("win10", TWO, LARGE)]), hook_for(&[("other", ONE, LARGE)])] {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.assert_silent(host.prepare("win10"));
            host.install(&other);
            host.assert_silent(host.release("other"));
            assert_eq!(host.machine.vgpus(), [ONE], "it is not the other's");
            host.assert_silent(host.release("win10"));
            assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
        }
    });
}

#[test]
fn does_nothing_for_other_operations() {
    // Operations of libvirt now and in the future, and invalid ones.
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
        host.assert_silent(host.prepare("win10"));
        for words in others {
            assert_eq!(host.call(words), (0, String::new()), "{words:?}");
            assert_eq!(host.machine.vgpus(), [ONE], "{words:?}");
        }
    });
}

#[test]
fn reconnect_always_succeeds() {
    // Otherwise libvirt would kill the running VM.
    on_each_shell(Machine::without_kvmgt, |host| {
        host.install(&hook_for(&[("win10", ONE, "i915-GVTg_V4_8")]));
        host.assert_silent(host.call(&["win10", "reconnect", "begin", "-"]));
        assert_eq!(host.machine.modprobes(), "");
    });
}

#[test]
fn removes_the_vgpu_on_release_for_any_reason() {
    // "-" before libvirt 10.5, the reason for the shutdown since then.
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
            host.assert_silent(host.prepare("win10"));
            let words: Vec<&str> = ["win10", "release", "end"].into_iter().chain(reason).collect();
            host.assert_silent(host.call(&words));
            assert_eq!(host.machine.vgpus(), [""; 0], "{reason:?}");
        }
    });
}

#[test]
fn ignores_a_vm_without_a_line() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for name in ["linux", "win1", "win100", "WIN10", "win10 ", " win10", "*", "w*", ""] {
            host.assert_silent(host.prepare(name));
            assert_eq!(host.machine.vgpus(), [""; 0], "{name:?}");
        }
        host.assert_silent(host.prepare("win10"));
        for name in ["linux", "win1", "win100", "WIN10", "win10 ", " win10", "*", "w*", ""] {
            host.assert_silent(host.release(name));
            assert_eq!(host.machine.vgpus(), [ONE], "{name:?}");
        }
    });
}

#[test]
fn accepts_a_uuid_in_upper_case() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]).replace(ONE, &ONE.to_uppercase()));
        host.assert_silent(host.prepare("win10"));
        assert_eq!(
            (host.machine.vgpus(), host.created()),
            (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
        );
        host.assert_silent(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
    });
}

/// Returns the XML of VMs that do not have the vGPU ONE, even if they mention it.
fn xml_without_the_vgpu() -> Vec<String> {
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
fn starts_a_vm_without_the_vgpu_if_its_xml_lacks_it() {
    on_each_shell(machine, |host| {
        // This includes a type that the GPU lacks, which would be refused.
        for kind in [LARGE, "i915-GVTg_V5_1"] {
            host.install(&hook_for(&[("win10", ONE, kind)]));
            for xml in xml_without_the_vgpu() {
                assert_eq!(host.prepare_for("win10", &xml), (0, String::new()), "{xml}");
            }
        }
        host.install(&hook_for(&[("win10", ONE, LARGE)]).replace(ONE, "''"));
        assert_eq!(host.prepare_for("win10", &xml(&[])), (0, String::new()));
        assert_eq!((host.machine.log(), host.created()), (String::new(), vec![]));
    });
    on_each_shell(Machine::without_kvmgt, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare_for("win10", &xml(&[])));
        assert_eq!(host.machine.modprobes(), "");
    });
}

#[test]
fn creates_the_vgpu_for_any_form_of_the_xml() {
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
        // Skipped parts end where XML's syntax says.
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
        // In case of doubt, the VM has the vGPU. libvirt does not write such XML.
        skipped("<!-- "),
        skipped("<![CDATA[ "),
        skipped("<?x "),
        skipped("<metadata>"),
        skipped("<metadata>").replace("</domain>", "<!-- x -->"),
        skipped("</metadata>"),
        // The longest XML that libvirt accepts.
        document(&format!(
            "<!-- {} --><hostdev><source><address uuid='{ONE}'/></source></hostdev>",
            "<x>".repeat(500_000)
        )),
    ];
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for xml in &ways {
            host.assert_silent(host.prepare_for("win10", xml));
            assert_eq!(host.created(), [format!("{ONE} win10")], "{:.300}", xml);
            host.assert_silent(host.release("win10"));
        }
    });
}

#[test]
fn uses_the_line_whose_vgpu_is_in_the_xml() {
    on_each_shell(machine, |host| {
        host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
        host.assert_silent(host.prepare_for("win10", &xml(&[TWO])));
        assert_eq!(host.created(), [format!("{TWO} win10")]);
        // Even if the XML has changed meanwhile, the vGPU that was created is removed.
        host.assert_silent(host.call_for(&xml(&[]), &[], &["win10", "release", "end", "-"]));
        assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
    });
}

#[test]
fn warns_and_creates_no_vgpu_without_xml_on_stdin() {
    on_each_shell(machine, |host| {
        let words = ["win10", "prepare", "begin", "-"];
        host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
        let answers = [
            host.call_for("", &["sh", "-c", "exec \"$@\" <&-", "sh"], &words),
            host.call_for("", &[], &words),
            host.call_for("\n", &[], &words),
            host.call_for("win10 prepare begin -\n", &[], &words),
        ];
        for (code, message) in answers {
            assert_eq!((code, message.lines().count()), (0, 1), "{message}");
            assert!(
                message.starts_with("gvtg: no XML arrived on stdin, so no vGPU is created: "),
                "{message}"
            );
        }
        assert_eq!(host.machine.log(), "");
        // A VM without a line is ignored, and nothing is created after a stop.
        host.assert_silent(host.call_for("", &[], &["linux", "prepare", "begin", "-"]));
        host.assert_silent(host.call_for("", &[], &["win10", "release", "end", "-"]));
    });
}

#[test]
fn creates_and_removes_two_vgpus_of_a_vm_together() {
    on_each_shell(machine, |host| {
        host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
        host.assert_silent(host.prepare("win10"));
        let mut vgpus = host.machine.vgpus();
        vgpus.sort();
        assert_eq!(vgpus, [TWO, ONE]);
        host.assert_silent(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
    });
}

#[test]
fn releases_the_first_vgpu_if_the_second_fails() {
    on_each_shell(machine, |host| {
        // One large vGPU uses all of the GPU.
        host.install(&hook(&[domain("win10", &[(ONE, LARGE), (TWO, SMALL)])], "qemu.d"));
        let message = host.refusal(host.prepare("win10"));
        assert!(
            message.contains(&format!("no room for another vGPU of type {SMALL}")),
            "{message}"
        );
        // libvirt calls the hook after a failed start, too.
        host.assert_silent(host.call(&["win10", "release", "end", "failed"]));
        assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
    });
}

#[test]
fn waits_for_a_vgpu_that_appears_late() {
    on_each_shell(
        || Machine::start(&["--late", "1500"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.assert_silent(host.prepare("win10"));
            assert_eq!(host.machine.vgpus(), [ONE]);
            host.assert_silent(host.release("win10"));
            assert_eq!(host.machine.vgpus(), [""; 0]);
        },
    );
}

#[test]
fn loads_kvmgt_if_needed() {
    on_each_shell(Machine::without_kvmgt, |host| {
        host.machine.modprobe_works();
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare("win10"));
        assert_eq!(
            (host.machine.modprobes().as_str(), host.machine.vgpus()),
            ("kvmgt\n", vec![ONE.to_owned()])
        );
        host.assert_silent(host.release("win10"));
        assert_eq!(host.machine.modprobes(), "kvmgt\n");
    });
}

#[test]
fn creates_types_of_broadwell() {
    on_each_shell(
        || Machine::start(&["--generation", "V4"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, "i915-GVTg_V4_4")]));
            host.assert_silent(host.prepare("win10"));
            assert_eq!(host.machine.log(), format!("create \"{ONE}\" i915-GVTg_V4_4: ok\n"));
        },
    );
}
