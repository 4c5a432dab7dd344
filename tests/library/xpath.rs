//! Selectors mean what they mean in XPath: each finds the same elements as libxml2 does, in every
//! fixture and in every file of the folders that GVTG_CORPUS names.

use crate::common;

use std::path::PathBuf;
use std::process::Command;

use common::program::{feed, has_tool};
use gvtg_xml::builtin;
use gvtg_xml::internals::path::Selector;
use gvtg_xml::internals::schema::Check;
use gvtg_xml::internals::select::Search;
use gvtg_xml::internals::xml::{Children, read};

/// Selectors that no rule uses and that are easy to get wrong.
const ODD: &[&str] = &[
    "/*",
    "/*/*",
    "//*",
    "//*/..",
    "//*/../..",
    "/domain/.",
    "/domain/../domain",
    "//*[..]",
    "//*[../..]",
    "//name[../../domain]",
    "//*[..='win10' or ../..='win10']",
    "//*[.//name]",
    "/./domain",
    "//disk//*",
    "//devices//address/..",
    "//source/../..//address",
    "/domain//devices/../devices/*",
    "//address[@type='pci'] | //address[@type='drive'] | //address",
    "/domain/devices/disk | /domain/name | /domain/devices",
    "//*[@type]",
    "//*[@type='pci' or @type='usb']",
    "//*[@type!='pci']",
    "//*[not(@type!='pci')]",
    "//*[not(@type='pci')]",
    "//*[@none='' or @none!='']",
    "//*[.='']",
    "//*[.!='']",
    "//*[*]",
    "//*[not(*)]",
    "//*[*/*/@type]",
    "//disk[target/@bus='sata' and driver/@type!='qcow2']",
    "//disk[source and target][not(readonly)]",
    "//disk[not(source) or not(target/@dev='sda')]",
    "//disk[(source or target) and not(source and target)]",
    "//*[../@type='pci']",
    "//*[../../devices]",
    "//*[/domain/@type='kvm']",
    "//*[//graphics/@type='spice']/model",
    "//*[.//address]",
    "//address[@slot = \"0x1f\"]/..",
    "/domain[name='win10']/devices/*[alias/@name]",
    "//qemu:*",
    "//qemu:arg[@value='-set']",
    "//*[qemu:arg]",
    "/domain/qemu:commandline | /domain/qemu:override",
    "/domain/commandline",
    "//devices[hostdev/source/address/@uuid or graphics]/*[@type]",
    "//memory[@unit='KiB' and .='8388608']",
    "//and | //or | //not",
    "//disk[driver/../target]",
    "//source[../@type='file'][../target[@bus='virtio']]",
    "//*[@type='x' or @type='pci' and @slot='0x02']",
    "/domain/*[not(self)]",
];

/// A document with constructs that the fixtures lack.
const STRANGE: &str = "<!-- c --><?p i?><domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0' xmlns:o='urn:o'><name>w<!-- -->in<![CDATA[10]]></name>\
    <q:commandline><q:arg value='-set'/><arg value='-set'/><o:arg value='-set'/></q:commandline><commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'>\
    <arg o:value='-set' value='x'/></commandline><commandline/><devices><o:disk type='pci'/><and type=''/><or/><not/><disk type=' pci '> <target/> </disk>\
    <disk type='p&#99;i'><disk><source/></disk></disk><devices><disk/></devices></devices></domain>";

/// Prints one line for each document and selector: the indexes of the elements found.
const SCRIPT: &str = "
import sys, lxml.etree as etree
selectors, *paths = sys.stdin.read().split('\\0')
for path in paths:
    root = etree.parse(path)
    numbers = {element: number for number, element in enumerate(root.iter('*'))}
    for selector in selectors.split('\\n'):
        found = root.xpath(selector, namespaces={'qemu': 'http://libvirt.org/schemas/domain/qemu/1.0'})
        print(*[numbers[element] for element in found if element in numbers])
";

/// The selectors of the built-in rules and [`ODD`], each with its text on one line.
fn selectors() -> Vec<(String, Selector)> {
    let mut all: Vec<Selector> = Vec::new();
    for rule in builtin() {
        all.extend(rule.select.clone());
        all.extend([&rule.when.absent, &rule.when.present].into_iter().flatten().cloned());
        all.extend(rule.fix.iter().filter_map(|fix| fix.unsafe_if.clone()));
        if let Check::Reference { to, .. } = &rule.check {
            all.push(to.clone());
        }
    }
    assert!(all.len() > 20);
    all.extend(
        ODD.iter().map(|odd| Selector::parse(odd).unwrap_or_else(|error| panic!("{error}"))),
    );
    all.into_iter()
        .map(|selector| {
            (selector.source.split_whitespace().collect::<Vec<_>>().join(" "), selector)
        })
        .collect()
}

fn documents() -> Vec<PathBuf> {
    let folders = ["fixtures".to_owned()].into_iter().chain(
        std::env::var("GVTG_CORPUS")
            .iter()
            .flat_map(|folders| folders.split(':'))
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
    let files = folders.flat_map(|folder| {
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"))
    });
    let mut paths: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    paths.sort();
    paths
}

#[test]
fn selectors_find_what_libxml2_finds() {
    let python = "/usr/bin/python3";
    if !has_tool(python, &["-c", "import lxml.etree"]) {
        return;
    }
    let strange = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(strange.path(), STRANGE).unwrap();
    let mut paths = documents();
    paths.push(strange.path().to_owned());
    // Other tests are about documents that cannot be read or do not declare `qemu:`.
    paths.retain(|path| {
        let Ok(text) = std::fs::read_to_string(path) else { return false };
        read(&text, |document| !document.lacks_qemu_declaration()).unwrap_or(false)
    });
    assert!(paths.len() > 2);
    let selectors = selectors();
    let lines: Vec<&str> = selectors.iter().map(|(line, _)| line.as_str()).collect();
    let names = paths.iter().map(|path| path.display().to_string());
    let input = [lines.join("\n")].into_iter().chain(names).collect::<Vec<_>>().join("\0");
    let output = feed(Command::new(python).args(["-c", SCRIPT]), input.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    let mut answers = answers.lines();
    let (mut faults, mut found_by, mut asked) = (Vec::new(), vec![0; selectors.len()], 0);
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        read(&text, |document| {
            let numbers: Vec<_> = document.elements().map(|element| element.id()).collect();
            let children = Children::new(document);
            let search = Search::new(&children);
            for (index, (line, selector)) in selectors.iter().enumerate() {
                let found = search.select(selector);
                let own = found.iter().map(|element| {
                    numbers.iter().position(|id| *id == element.id()).unwrap().to_string()
                });
                let own = own.collect::<Vec<_>>().join(" ");
                let answer = answers.next().expect("a line for each selector");
                found_by[index] += found.len();
                asked += 1;
                if own != answer {
                    faults.push(format!(
                        "{line} in {}: libxml2 finds {answer}, gvtg-xml {own}",
                        path.display()
                    ));
                }
            }
        })
        .unwrap();
    }
    assert!(
        faults.is_empty(),
        "{} of {asked} differ\n{}",
        faults.len(),
        faults[..faults.len().min(40)].join("\n")
    );
    let finding = found_by.iter().filter(|count| **count > 0).count();
    assert!(finding > 30, "only {finding} selectors find anything");
}

#[test]
fn xpath_outside_the_subset_is_refused() {
    for source in [
        "//..",
        "//.",
        "//disk//..",
        "//disk[1]",
        "//disk[last()]",
        "//disk[position()=1]",
        "//@type",
        "/domain/@type",
        "//disk[@*]",
        "//disk/text()",
        "//disk[text()='x']",
        "//disk[count(source)=1]",
        "//disk/following::*",
        "//child::disk",
        "//disk[contains(@type,'x')]",
        "//disk[@type=@device]",
        "//disk[@type<'x']",
        "$x",
        "//disk[starts-with(@a,'b')]",
        "//q:disk",
        "//disk[@q:x]",
        "//disk[@type='a'='b']",
        "//disk[@qemu:x]",
        "/",
        "//",
        "disk[]",
        "//disk[not]x",
        "//disk[.//@type]",
        "a[b",
        "a or b",
        "(//disk)",
        "//disk/",
        "id('x')",
        "//disk[']",
        "//disk[-1]",
        "//disk[true()]",
        "//comment()",
        "//disk[@type='x' and]",
    ] {
        assert!(
            Selector::parse(source).is_err(),
            "{source} is parsed as {:?}",
            Selector::parse(source)
        );
    }
}
