//! Domains that `fix` or `lint` once got wrong, by subject.

use gvtg_xml::internals::xml::QEMU_NAMESPACE;
use gvtg_xml::{Detail, Diagnostic, Fixed, Linter, RuleSet, SettingOverrides, Settings, builtin};

mod arguments;
mod audio;
mod display;
mod document;
mod opregion;
mod ramfb;
mod templates;
mod vgpu;

const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

/// A vGPU with only the attributes that it needs to exist.
const VGPU: &str = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>\
    <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>";

/// A vGPU that has everything but ramfb.
const WITHOUT_RAMFB: &str = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off'>\
    <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source><alias name='ua-gvtg'/></hostdev>";

/// Versions of libvirt that read properties of devices from different places.
const LIBVIRTS: [&str; 3] = ["7.0", "9.0", "newest"];

fn on_libvirt(version: &str) -> Settings {
    Settings { libvirt: version.parse().unwrap(), ..Settings::default() }
}

fn with_uuid(uuid: &str) -> Settings {
    Settings { uuid: uuid.parse().ok(), ..Settings::default() }
}

fn with_alias(alias: &str) -> SettingOverrides {
    SettingOverrides { alias: Some(alias.into()), ..SettingOverrides::default() }
}

/// A domain with these devices and blocks for QEMU.
fn domain(devices: &str, qemu: &str) -> String {
    format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices>{qemu}</domain>"
    )
}

/// A `<qemu:commandline>` with these arguments.
fn command_line(arguments: &[&str]) -> String {
    let arguments: String =
        arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
    format!("<qemu:commandline>{arguments}</qemu:commandline>")
}

/// A `<qemu:override>` that sets one property of a device.
fn override_block(alias: &str, property: &str, kind: &str, value: &str) -> String {
    let property = format!("<qemu:property name='{property}' type='{kind}' value='{value}'/>");
    format!(
        "<qemu:override><qemu:device alias='{alias}'><qemu:frontend>{property}</qemu:frontend></qemu:device></qemu:override>"
    )
}

fn lint(text: &str, settings: &Settings) -> Vec<Diagnostic<'static>> {
    let rules = RuleSet::all(builtin());
    Linter::new(&rules, settings).detail(Detail::Edits).lint(text).unwrap().open
}

/// Fixes a text, and checks that fixing the result again changes nothing.
fn fix(text: &str, settings: &Settings) -> Fixed<'static> {
    let rules = RuleSet::all(builtin());
    let linter = Linter::new(&rules, settings);
    let fixed = linter.fix(text.to_owned()).unwrap();
    let again = linter.fix(fixed.text.clone()).unwrap();
    assert_eq!(again.text, fixed.text, "fixing twice differs from fixing once");
    fixed
}

/// The fixed text of a domain with these devices and blocks for QEMU.
fn fixed(devices: &str, qemu: &str, settings: &Settings) -> String {
    fix(&domain(devices, qemu), settings).text
}

/// The values of all arguments, in order.
fn arguments(text: &str) -> Vec<&str> {
    let values = text.split("<qemu:arg value='").skip(1);
    values.filter_map(|rest| Some(rest.split_once('\'')?.0)).collect()
}

fn has_rule(findings: &[Diagnostic<'_>], rule: &str) -> bool {
    findings.iter().any(|found| found.rule.id == rule)
}
