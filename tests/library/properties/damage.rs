//! Random bytes and damaged documents are read or refused, and fixed if they are read.

use std::sync::OnceLock;

use gvtg_xml::internals::xml::{QEMU_NAMESPACE, read};
use gvtg_xml::{Linter, decode, skip_reason};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{SETTINGS, check_invariants, config, rules, settings};

/// Pieces of XML, valid and invalid.
const TOKENS: &[&str] = &[
    "<domain>",
    "</domain>",
    "<domain type='kvm'>",
    "<domain",
    "<devices>",
    "</devices>",
    "<devices/>",
    "<hostdev type='mdev'>",
    "</hostdev>",
    "<qemu:commandline>",
    "</qemu:commandline>",
    "<qemu:arg value='-set'/>",
    "<qemu:arg value=\"device.hostdev0.ramfb=on\"/>",
    " xmlns:qemu='",
    QEMU_NAMESPACE,
    "'",
    "\"",
    ">",
    "/>",
    "<",
    "&",
    "&amp;",
    "&#65;",
    "&#xD800;",
    "<!--",
    "-->",
    "--",
    "<![CDATA[",
    "]]>",
    "<?xml version='1.0'?>",
    "<?p",
    "?>",
    "<!DOCTYPE x>",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "é",
    "\u{feff}",
    "\0",
    "<graphics type='spice'/>",
    "<video/>",
    ":",
    "=",
    "x",
    "<qemu:override>",
    "</qemu:override>",
    "<alias name='ua-gvtg'/>",
    "<metadata>",
    "</metadata>",
    " xmlns=''",
    "<name>",
    "</name>",
];

fn fixtures() -> &'static [String] {
    static FIXTURES: OnceLock<Vec<String>> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        let mut paths: Vec<_> =
            std::fs::read_dir("fixtures").unwrap().flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
        paths.sort();
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    })
}

/// A byte offset between two characters.
fn place(text: &str, index: &Index) -> usize {
    let at = index.index(text.len() + 1);
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        skip_reason(&bytes);
        if let Ok(text) = decode(&bytes) {
            check_invariants(text, settings(0))?;
        }
    }

    #[test]
    fn random_pieces_of_xml_are_read_or_refused(tokens in vec(select(TOKENS), 0..40), whole in any::<bool>()) {
        let text = if whole { format!("<domain>{}</domain>", tokens.concat()) } else { tokens.concat() };
        skip_reason(text.as_bytes());
        let _ = Linter::new(rules(), settings(0)).skip_unrelated(true).lint(&text);
        check_invariants(&text, settings(0))?;
    }
}

proptest! {
    #![proptest_config(config(120))]

    #[test]
    fn damaged_fixtures_are_fixed_or_refused(
        fixture in any::<Index>(),
        edits in vec((any::<Index>(), 0..60usize, prop_oneof![Just(""), select(TOKENS)]), 1..5),
        flags in 0..SETTINGS.len(),
    ) {
        let mut text = fixture.get(fixtures()).clone();
        for (at, length, replacement) in &edits {
            let start = place(&text, at);
            let end = (start..=(start + length).min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(start);
            text.replace_range(start..end, replacement);
        }
        check_invariants(&text, settings(flags))?;
    }

    #[test]
    fn fixtures_without_some_elements_are_fixed(
        fixture in any::<Index>(),
        without in vec(any::<Index>(), 1..8),
        flags in 0..SETTINGS.len(),
    ) {
        let text = fixture.get(fixtures());
        let spans = read(text, |document| document.elements().skip(1).map(|element| element.span()).collect::<Vec<_>>()).unwrap();
        let mut gone: Vec<_> = without.iter().map(|index| index.get(&spans).clone()).collect();
        gone.sort_by_key(|span| span.start);
        let mut kept = String::new();
        let mut at = 0;
        for span in gone.into_iter().filter(|span| !span.is_empty()) {
            if span.start >= at {
                kept.push_str(&text[at..span.start]);
                at = span.end;
            }
        }
        kept.push_str(&text[at..]);
        prop_assert!(check_invariants(&kept, settings(flags))?.is_some());
    }
}
