//! A document is refused exactly if libxml2, libvirt's parser, refuses it or one of our own limits
//! applies.
//!
//! One small document with every kind of markup is damaged at every byte in many ways; a few runs
//! of xmllint read all variants.

use crate::common;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use common::program::has_tool;
use gvtg_xml::{Detail, Linter, RuleSet, Settings, decode};

const DOCUMENT: &str = "<?xml version='1.0' encoding='UTF-8'?>\n<!-- c --><?p i?>\n<domain type=\"kvm\" xmlns:q='u' xmlns='' xml:id='i'>\
    <name>a&amp;&#65;é]]</name>\r\n<q:x q:y = '&lt;1'/><![CDATA[<]]><on x='' /><qemu:arg/></domain >\n";

const PIECES: &[&str] = &[
    "<",
    ">",
    "/",
    "&",
    ";",
    "'",
    "\"",
    "=",
    "!",
    "?",
    "-",
    "--",
    "]",
    "]]>",
    "#",
    "x",
    ":",
    " ",
    "\n",
    "\r",
    "\0",
    "\u{1}",
    "é",
    "\u{a0}",
    "\u{fffe}",
    "\u{feff}",
    "1",
    "<a>",
    "</a>",
    "<!--",
    "-->",
    "<?x ?>",
    "<?xml version='1.0'?>",
    "<![CDATA[",
    "&#xD800;",
    "&#0;",
    "&y;",
    " a=''",
    " xmlns:q=''",
    " xmlns=''",
    " xmlns='v'",
    "q:",
    "&#x",
    "<!x>",
];

/// Parts of the messages for documents that only gvtg-xml refuses.
const OWN_REASONS: &[&str] = &[
    "the root element",
    "DTD",
    "encoding='",
    "is empty",
    "xmlns can't have a prefix",
    "a NUL character",
];

/// The document cut off at each byte, with each piece inserted before each byte, without each byte,
/// and with each byte replaced by each one-byte piece.
fn damaged() -> Vec<Vec<u8>> {
    let bytes = DOCUMENT.as_bytes();
    let mut inputs = vec![bytes.to_vec()];
    for at in 0..=bytes.len() {
        inputs.push(bytes[..at].to_vec());
        inputs.extend(
            PIECES.iter().map(|piece| [&bytes[..at], piece.as_bytes(), &bytes[at..]].concat()),
        );
        if at < bytes.len() {
            inputs.push([&bytes[..at], &bytes[at + 1..]].concat());
            let single = PIECES.iter().filter(|piece| piece.len() == 1);
            inputs.extend(
                single.map(|piece| [&bytes[..at], piece.as_bytes(), &bytes[at + 1..]].concat()),
            );
        }
    }
    inputs
}

fn own_error(input: &[u8]) -> Option<String> {
    let no_rules = RuleSet { active: Vec::new(), wanted: Vec::new(), known: Vec::new() };
    let text = match decode(input) {
        Ok(text) => text,
        Err(error) => return Some(error.message),
    };
    Linter::new(&no_rules, &Settings::default())
        .detail(Detail::Edits)
        .lint(text)
        .err()
        .map(|error| error.message)
}

/// The numbers of the files that libxml2 refuses.
fn refused_by_libxml2(folder: &std::path::Path, count: usize) -> BTreeSet<usize> {
    let mut refused = BTreeSet::new();
    let names: Vec<String> = (0..count).map(|number| format!("{number}.xml")).collect();
    for chunk in names.chunks(4000) {
        let output = Command::new("xmllint")
            .arg("--noout")
            .args(chunk)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .expect("xmllint runs");
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            let number = line.split_once(".xml:").and_then(|(name, _)| name.parse::<usize>().ok());
            // Neither libxml2 nor libvirt stops at an undeclared `qemu:`, a namespace that is not a
            // URI, or an xml:id that is not a name.
            let tolerated = ["Namespace prefix qemu ", "is not a valid URI", " validity error : "];
            let is_error =
                line.contains(" error : ") && !tolerated.iter().any(|words| line.contains(words));
            refused.extend(number.filter(|_| is_error));
        }
    }
    refused
}

#[test]
fn damaged_documents_are_refused_if_libxml2_refuses_them() {
    if !has_tool("xmllint", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let inputs = damaged();
    for (number, input) in inputs.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number}.xml")), input).unwrap();
    }
    let refused = refused_by_libxml2(folder.path(), inputs.len());
    assert!(
        refused.len() > inputs.len() / 3 && refused.len() < inputs.len(),
        "xmllint refuses {} of {}",
        refused.len(),
        inputs.len()
    );
    let mut faults = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let own = own_error(input);
        let fault = match &own {
            None if refused.contains(&number) => "only libxml2 refuses".to_owned(),
            Some(error)
                if !refused.contains(&number)
                    && !OWN_REASONS.iter().any(|reason| error.contains(reason)) =>
            {
                format!("only gvtg-xml refuses: {error}")
            }
            _ => continue,
        };
        faults.push(format!("{fault}: {:?}", String::from_utf8_lossy(input)));
    }
    assert!(
        faults.is_empty(),
        "{} faults of {}\n{}",
        faults.len(),
        inputs.len(),
        faults[..faults.len().min(40)].join("\n")
    );
}

#[test]
fn libxml2_accepts_fixtures_before_and_after_fixing() {
    if !has_tool("xmllint", &["--version"]) {
        return;
    }
    let fixtures: Vec<_> =
        std::fs::read_dir("fixtures").unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(fixtures.len() > 1);
    for path in
        fixtures.iter().filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
    {
        let text = std::fs::read_to_string(path).unwrap();
        let rules = RuleSet::all(gvtg_xml::builtin());
        let fixed =
            gvtg_xml::Linter::new(&rules, &Settings::default()).fix(text.clone()).unwrap().text;
        for text in [text, fixed] {
            let output = common::program::feed(
                Command::new("xmllint").args(["--noout", "-"]),
                text.as_bytes(),
            );
            let words = String::from_utf8_lossy(&output.stderr);
            // One fixture is about the missing declaration.
            let lacks_declaration = text.contains("<qemu:") && !text.contains("xmlns:qemu");
            let expected = lacks_declaration
                && words.contains("Namespace prefix qemu")
                && !words.contains("parser error");
            assert!(
                output.status.success() && (words.is_empty() || expected),
                "{}: {words}",
                path.display()
            );
        }
    }
}
