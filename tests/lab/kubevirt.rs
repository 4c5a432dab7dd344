//! What real libvirts make of the domains that `kubevirt` returns.

use std::collections::BTreeMap;
use std::process::Command;

use crate::common::kubevirt;
use crate::lab;

/// The domain with these attributes of its vGPU, as the program returns it with these flags.
fn answered(flags: &[&str], attributes: &str) -> String {
    let (vmi, domain) = (kubevirt::vmi("intel.com/U630", ""), kubevirt::domain(attributes));
    let mut program = Command::new(env!("CARGO_BIN_EXE_gvtg-xml"));
    let output = program
        .arg("kubevirt")
        .args(flags)
        .args(["--vmi", &vmi, "--domain", &domain])
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn libvirt_accepts_the_domain_and_passes_the_property_to_qemu() {
    let Some(suites) = lab::suites() else { return };
    for suite in suites {
        let libvirt = suite.libvirt.to_string();
        let documents = BTreeMap::from([
            ("without-display".to_owned(), answered(&["--libvirt", &libvirt], "")),
            (
                "with-display".to_owned(),
                answered(
                    &["--libvirt", &libvirt, "--display", "egl-headless"],
                    " display=\"on\" ramfb=\"on\"",
                ),
            ),
        ]);
        for (name, answer) in lab::ask("kubevirt", suite, &documents, &[]) {
            // KubeVirt defines it without validating it against the schema.
            assert_eq!(answer.define, "ok", "{} {name}", suite.name);
            let arguments = answer
                .argv
                .unwrap_or_else(|| panic!("{} {name}: {}", suite.name, answer.argv_error))
                .join(" ");
            for part in ["x-igd-opregion", "vnc"] {
                assert!(arguments.contains(part), "{} {name}: {part}: {arguments}", suite.name);
            }
            let has_card = arguments.contains("VGA");
            assert_eq!(
                (has_card, arguments.contains("egl-headless")),
                if name == "with-display" { (false, true) } else { (true, false) }
            );
        }
    }
}
