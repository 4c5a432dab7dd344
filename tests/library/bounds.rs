//! Limits: the output is never much larger than the input.

use crate::common;

use common::files::folder;
use common::program::{feed, outcome, program, run, run_in};
use gvtg_xml::internals::xml::QEMU_NAMESPACE;

const RULE: &str = r#"
id = "every"
summary = "An element"
severity = "warning"
group = "domain"
since = "1"
select = "//*"
message = "an element"
why = "Every element needs another one."
references = []
[check]
kind = "forbid"
[[fix]]
title = "Put another into it"
op = { insert = "<x/>" }
"#;

fn domain(inside: &str) -> String {
    format!("<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'>\n  <devices/>\n{inside}</domain>\n")
}

#[test]
fn a_rule_that_grows_the_text_forever_stops_the_fix() {
    let text = domain("");
    let all = folder(&[("rules/every.toml", RULE), ("a.xml", &text)]);
    for only in ["", "--only every"] {
        let (code, stdout, stderr) = run_in(all.path(), &format!("fix --rules rules {only} a.xml"));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        let message = "gvtg-xml: a.xml: the fixes make the document many times larger, mostly those of the rule every\n";
        assert!(stderr.starts_with(message), "{stderr}");
    }
}

#[test]
fn a_large_fix_of_a_small_domain_is_allowed() {
    // Each of the 1,000 elements gets a prefix in both tags, and a vGPU is added.
    let arguments =
        domain(&format!("<commandline>{}</commandline>\n", "<arg value='-s'></arg>".repeat(1000)));
    assert_eq!(run("fix -q", &arguments).0, 0);
    assert_eq!(run("fix -q", "<domain type='kvm'/>").0, 0);
}

#[test]
fn findings_in_nested_blocks_do_not_repeat_the_inner_blocks() {
    let nested = ["<qemu:commandline>".repeat(200), "</qemu:commandline>".repeat(200)].concat();
    let text = domain(&nested.repeat(12));
    let (code, stdout, _) = run("lint --format json --only misplaced-commandline", &text);
    assert_eq!(code, 1);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let findings = report["diagnostics"].as_array().unwrap();
    assert_eq!(findings.len(), 199 * 12, "one finding each");
    let carried: usize = findings
        .iter()
        .flat_map(|finding| finding["fix"]["edits"].as_array().unwrap())
        .map(|edit| edit["text"].as_str().unwrap().len())
        .sum();
    assert!(
        carried > text.len() && carried < 4 * text.len() + (256 << 10),
        "{carried} of {}",
        text.len()
    );
}

#[test]
fn fixes_of_duplicate_hostdevs_do_not_grow_quadratically() {
    const COUNT: usize = 1000;
    let device = "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>\
        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>\n";
    let set = |number: usize| {
        format!("<qemu:arg value='-set'/><qemu:arg value='device.hostdev{number}.xres=1'/>\n")
    };
    let sets: String = (0..COUNT).map(set).collect();
    let text = domain(&format!("<qemu:commandline>\n{sets}</qemu:commandline>\n"))
        .replace("<devices/>", &format!("<devices>\n{}</devices>", device.repeat(COUNT)));
    let (_, stdout, _) = run("lint --format json --only duplicate-vgpu", &text);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let findings = report["diagnostics"].as_array().unwrap();
    assert_eq!(findings.len(), COUNT - 1, "one finding each");
    assert!(
        findings.iter().all(|finding| !finding["related"].as_array().unwrap().is_empty()),
        "each names its -set"
    );
    let edits: usize =
        findings.iter().map(|finding| finding["fix"]["edits"].as_array().unwrap().len()).sum();
    assert!(edits < 50 * COUNT, "{edits}");
}

#[test]
fn messages_truncate_a_long_value() {
    let text = domain("").replace(
        "<devices/>",
        &format!("<devices><graphics type='{}'/></devices>", "é".repeat(100_000)),
    );
    for format in ["full", "concise", "json"] {
        let (_, stdout, _) = run(&format!("lint --only display --format {format}"), &text);
        assert!(
            stdout.contains(&"é".repeat(80)) && stdout.contains('…') && stdout.len() < 10_000,
            "{format}: {}",
            stdout.len()
        );
    }
    let (code, fixed, _) = run("fix -q", &text);
    assert_eq!(code, 0);
    assert!(!fixed.contains("é"), "the fix removes the whole element");
}

#[test]
fn inserting_a_long_name_many_times_keeps_the_output_small() {
    let long = "x".repeat(20_000);
    let sets =
        "<qemu:arg value='-set'/><qemu:arg value='device.hostdev7.x-igd-opregion=on'/>".repeat(300);
    let vgpu = format!(
        "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source>\
         <alias name='ua-{long}'/></hostdev>"
    );
    let alias = domain(&format!("<qemu:commandline>{sets}</qemu:commandline>"))
        .replace("<devices/>", &format!("<devices>{vgpu}</devices>"));
    let prefix = domain(&format!("<commandline>{}</commandline>", "<arg value='-s'/>".repeat(300)))
        .replace("xmlns:qemu", &format!("xmlns:{long}"));
    let blanks = " ".repeat(20_000);
    let lines = format!(
        "<a><qemu:commandline>{}</qemu:commandline></a>\n",
        "<qemu:arg value='-s'/>\n".repeat(300)
    );
    let indent = domain(&lines).replace("  <devices/>", &format!("{blanks}<devices/>"));
    for (name, text) in [("alias", alias), ("prefix", prefix), ("indentation", indent)] {
        for libvirt in ["7.0", "9.0"] {
            let mut command = program(["fix", "-q", "--libvirt", libvirt]);
            let (code, fixed, stderr) = outcome(feed(&mut command, text.as_bytes()));
            assert!(
                code < 2 && fixed.len() < 3 * text.len(),
                "{name}, libvirt {libvirt}: {} of {}: {stderr}",
                fixed.len(),
                text.len()
            );
            assert_eq!(
                run(&format!("fix -q --libvirt {libvirt}"), &fixed).1,
                fixed,
                "{name}, libvirt {libvirt}"
            );
        }
    }
}

#[test]
fn additions_of_fix_do_not_count_towards_the_limits() {
    let attributes: String = (0..127).map(|index| format!(" a{index}=''")).collect();
    let declarations: String = (0..128).map(|index| format!("<x xmlns='urn:{index}'/>")).collect();
    for text in [
        format!("<domain type='kvm'{attributes}><devices/></domain>"),
        format!(
            "<domain type='kvm'><devices><hostdev type='mdev'{attributes}/></devices></domain>"
        ),
        format!("<domain type='kvm'><devices/><metadata>{declarations}</metadata></domain>"),
    ] {
        for libvirt in ["7.0", "newest"] {
            let (code, once, stderr) = run(&format!("fix -q --libvirt {libvirt}"), &text);
            assert!(code < 2 && once.contains("xmlns:qemu="), "{libvirt}: {stderr}");
            assert_eq!(run(&format!("fix -q --libvirt {libvirt}"), &once).1, once);
        }
    }
}
