//! Helpers that several tests use.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use gvtg_xml::internals::domain::{PropertySyntax, property_syntax_for};
use gvtg_xml::internals::schema::{Example, SnippetContext};
use gvtg_xml::{Claims, Detail, Diagnostic, Linter, RuleSet, Settings, Source};
pub use skips::skipped;

pub mod domains;
pub mod faults;
pub mod files;
pub mod guests;
pub mod host_query;
pub mod hosts;
pub mod kubevirt;
pub mod libxml2;
pub mod machine;
pub mod program;
pub mod skips;
pub mod splice;
pub mod tools;

/// A vGPU that works on libvirt 8.5 and later.
const VGPU: &str = "    <hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off' ramfb='on'>
      <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source>
      <alias name='ua-gvtg'/>
    </hostdev>
";
const WITH_OVERRIDE: &str = "  <qemu:commandline>
    <qemu:arg value='-display'/>
    <qemu:arg value='gtk,gl=on'/>
    <qemu:env name='DISPLAY' value=':0'/>
  </qemu:commandline>
  <qemu:override>
    <qemu:device alias='ua-gvtg'>
      <qemu:frontend>
        <qemu:property name='x-igd-opregion' type='bool' value='true'/>
        <qemu:property name='display' type='string' value='on'/>
      </qemu:frontend>
    </qemu:device>
  </qemu:override>
";
/// The same properties for libvirt before 7.9.
const WITH_SET: &str = "  <qemu:commandline>
    <qemu:arg value='-set'/>
    <qemu:arg value='device.ua-gvtg.x-igd-opregion=on'/>
    <qemu:arg value='-set'/>
    <qemu:arg value='device.ua-gvtg.display=on'/>
    <qemu:arg value='-display'/>
    <qemu:arg value='gtk,gl=on'/>
    <qemu:env name='DISPLAY' value=':0'/>
  </qemu:commandline>
";

/// A whole document, which libvirt can define, with an example's snippet. Devices get a working
/// vGPU next to them, unless they contain one.
pub fn document(snippet: &str, within: SnippetContext, settings: &Settings) -> String {
    let snippet = snippet.trim_matches('\n');
    let qemu = if property_syntax_for(settings.libvirt) == PropertySyntax::Override {
        WITH_OVERRIDE
    } else {
        WITH_SET
    };
    let devices = "  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n";
    let (indent, before, after) = match within {
        SnippetContext::Document => return format!("{snippet}\n"),
        SnippetContext::Domain => ("  ", String::new(), String::new()),
        SnippetContext::Devices if snippet.contains("type='mdev'") => {
            ("    ", devices.to_owned(), "  </devices>\n".to_owned())
        }
        SnippetContext::Devices => {
            ("    ", format!("{devices}{VGPU}"), format!("  </devices>\n{qemu}"))
        }
    };
    let lines: String = snippet
        .lines()
        .map(|line| if line.is_empty() { "\n".into() } else { format!("{indent}{line}\n") })
        .collect();
    let os = if snippet.contains("<os") {
        ""
    } else {
        "  <os>\n    <type arch='x86_64' machine='q35'>hvm</type>\n  </os>\n"
    };
    format!(
        "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>example</name>\n  \
         <uuid>c1b2e3d4-0000-4000-8000-000000000001</uuid>\n  <memory unit='MiB'>1024</memory>\n{os}{before}{lines}{after}</domain>\n"
    )
}

/// The findings of `lint`; for a text that can't be read, only that finding.
pub fn findings<'r>(text: &str, rules: &RuleSet<'r>, settings: &Settings) -> Vec<Diagnostic<'r>> {
    Linter::new(rules, settings)
        .detail(Detail::Edits)
        .lint(text)
        .map(|findings| findings.open)
        .unwrap_or_else(|error| vec![Diagnostic::unreadable(&Source::new("", text), &error)])
}

/// The findings in an example's document, next to the other document that the example may have.
pub fn findings_of<'r>(
    example: &Example,
    text: &str,
    rules: &RuleSet<'r>,
    settings: &Settings,
) -> Vec<Diagnostic<'r>> {
    let mut others = Claims::default();
    if let Some(snippet) = &example.other_file {
        let other = document(snippet, example.within, settings);
        others.add(
            "beside.xml",
            Linter::new(rules, settings)
                .others(Some(&others))
                .lint_source(&Source::new("beside.xml", &other))
                .unwrap()
                .summary,
        );
    }
    match Linter::new(rules, settings)
        .detail(Detail::Edits)
        .others(Some(&others))
        .lint_source(&Source::new("", text))
    {
        Ok(findings) => findings.open,
        Err(_) => findings(text, rules, settings),
    }
}

/// The folders of real domains in `GVTG_CORPUS`, separated by colons. Without any, the test is
/// reported as skipped, and fails in CI.
pub fn corpus() -> Vec<std::path::PathBuf> {
    let folders: Vec<_> =
        std::env::var_os("GVTG_CORPUS").iter().flat_map(std::env::split_paths).collect();
    if folders.is_empty() {
        skipped("GVTG_CORPUS names no folder of domain XML: only the fixtures are tested");
    }
    folders
}

/// Whether tests update the files with their expected results: `UPDATE_EXPECTED=1 cargo test`.
/// Review `git diff` afterwards.
pub fn is_updating() -> bool {
    std::env::var_os("UPDATE_EXPECTED").is_some()
}
