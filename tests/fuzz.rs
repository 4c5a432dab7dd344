//! Randomly spliced documents: libxml2 and gvtg-xml refuse the same ones, and `fix` turns the others
//! into documents that both accept.
//!
//! `GVTG_FUZZ_SECONDS` sets the duration (2 by default), `GVTG_FUZZ_SEED` the first document. Without
//! a seed, each run has the same documents.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::libxml2::{Libxml2, Verdict};
use common::splice::{Pool, Random, element_spans};
use gvtg_xml::internals::xml::read;
use gvtg_xml::{Detail, FixError, Linter, RuleSet, Settings, builtin, parse_settings};

/// Parts of the messages for documents that only gvtg-xml refuses.
const OWN_REASONS: &[&str] = &[
    "the root element",
    "DTD",
    "encoding='",
    "is empty",
    "xmlns can't have a prefix",
    "a NUL character",
    "the prefix xml:",
];

const SETTINGS: &[&str] = &[
    "",
    "",
    "--libvirt 7.0",
    "--libvirt 8.2 --unsafe-fixes",
    "--unsafe-fixes",
    "--alias ua-other --libvirt 8.0",
];

/// The fixtures, the folders of domains that GVTG_CORPUS names, and a few small documents.
fn pool() -> Pool {
    let corpus: Vec<PathBuf> =
        std::env::var_os("GVTG_CORPUS").iter().flat_map(std::env::split_paths).collect();
    let folders = [PathBuf::from("fixtures")].into_iter().chain(corpus);
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().flatten());
    let texts = files.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    let mut documents: Vec<String> =
        texts.filter(|text| text.len() < 8_000 && text.contains("<domain")).collect();
    documents.sort();
    let small = |inside: &str| {
        format!(
            "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>{inside}</domain>"
        )
    };
    documents.extend(
        [
            "",
            "<devices/>",
            "<devices><a>x</a></devices>",
            "<devices>\n</devices>\n<qemu:commandline/>",
        ]
        .map(small),
    );
    documents.push("<?xml version='1.0' encoding='UTF-8'?>\n<!-- c -->\n<domain type=\"kvm\">\r\n\t<devices/>\r\n</domain>\r\n".into());
    documents.push(
        "<domain><devices/><qemu:commandline><qemu:arg value='-s'/></qemu:commandline></domain>"
            .into(),
    );
    Pool::new(documents)
}

/// The problem with how a text is read or fixed, if any.
fn fault(text: &str, settings: &Settings, libxml2: &mut Libxml2) -> Option<String> {
    let rules = RuleSet::all(builtin());
    let verdict = libxml2.judge(text.as_bytes());
    let own = Linter::new(&rules, settings)
        .detail(Detail::Edits)
        .lint(text)
        .err()
        .map(|error| error.message);
    match (&verdict, &own) {
        (Verdict::Refused(reason), None) => {
            return Some(format!("only libxml2 refuses it: {reason}"));
        }
        (Verdict::Accepted, Some(error))
            if !OWN_REASONS.iter().any(|reason| error.contains(reason)) =>
        {
            return Some(format!("only gvtg-xml refuses it: {error}"));
        }
        (_, Some(_)) => return None,
        (_, None) => {}
    }
    let fixed = match Linter::new(&rules, settings).fix(text.to_owned()) {
        Ok(fixed) => fixed.text,
        Err(FixError::Xml(error, _)) => {
            return Some(format!("the fixed text can't be read: {}", error.message));
        }
        Err(error) => return Some(format!("it can be read but not fixed: {error:?}")),
    };
    match libxml2.judge(fixed.as_bytes()) {
        Verdict::Refused(reason) => {
            return Some(format!("libxml2 refuses the fixed text ({reason}): {fixed}"));
        }
        Verdict::Questionable if verdict == Verdict::Accepted => {
            return Some(format!("libxml2 complains about the fixed text: {fixed}"));
        }
        _ => {}
    }
    let again = Linter::new(&rules, settings).fix(fixed.clone()).map(|again| again.text);
    if again.as_ref().ok() != Some(&fixed) {
        return Some(format!("fixed once:\n{fixed}\nfixed twice:\n{again:?}"));
    }
    let moved = &marked(&fixed) - &marked(text);
    (!moved.is_empty())
        .then(|| format!("elements or their namespaces have changed: {moved:?}\n{fixed}"))
}

/// The elements with a mark that are in a namespace of their own: namespace, name and mark.
fn marked(text: &str) -> BTreeSet<String> {
    let of_document = |document: &gvtg_xml::internals::xml::Document<'_>| {
        let elements = document.elements().filter_map(|element| {
            let uri = element.namespace().filter(|uri| uri.starts_with("urn:"))?;
            Some(format!("{{{uri}}}{} {}", element.name(), element.attribute("mark")?))
        });
        elements.collect()
    };
    read(text, of_document).unwrap()
}

/// The number of different faults after which the test stops.
const MAX_FAULTS: usize = 10;

/// The start of a fault's text: faults of one kind are reported once.
fn kind_of(fault: &str) -> String {
    fault.chars().take(64).collect()
}

/// Removes as much of a text as possible while it still has a fault of this kind.
fn minimize(text: &str, settings: &Settings, kind: &str, libxml2: &mut Libxml2) -> String {
    let mut text = text.to_owned();
    let has_fault = |shorter: &str, libxml2: &mut Libxml2| {
        fault(shorter, settings, libxml2).is_some_and(|fault| kind_of(&fault) == kind_of(kind))
    };
    // Removes whole elements, or only their tags.
    let mut index = 0;
    while let Some(span) = element_spans(&text).get(index).cloned() {
        let without = [&text[..span.start], &text[span.end..]].concat();
        let open = text[span.clone()].find('>').map_or(span.end, |at| span.start + at + 1);
        let close = text[open..span.end.max(open)].rfind("</").map_or(span.end, |at| open + at);
        let unwrapped = [&text[..span.start], &text[open..close], &text[span.end..]].concat();
        match [without, unwrapped].into_iter().find(|shorter| has_fault(shorter, libxml2)) {
            Some(shorter) => text = shorter,
            None => index += 1,
        }
    }
    // Removes ranges of bytes.
    let mut step = text.len() / 2;
    while step > 0 {
        let mut at = 0;
        while at < text.len() {
            let end = (at + step).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                let shorter = [&text[..at], &text[end..]].concat();
                if has_fault(&shorter, libxml2) {
                    text = shorter;
                    continue;
                }
            }
            at += step.max(1);
        }
        step /= 2;
    }
    text
}

#[test]
fn spliced_documents_are_fixed_or_refused() {
    let Some(mut libxml2) = Libxml2::start() else { return };
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let limit = Duration::from_secs(number("GVTG_FUZZ_SECONDS").unwrap_or(2));
    let seed = number("GVTG_FUZZ_SEED").unwrap_or(1);
    let (pool, mut random, started) = (pool(), Random(seed), Instant::now());
    let settings: Vec<Settings> =
        SETTINGS.iter().map(|flags| parse_settings(flags).unwrap()).collect();
    let (mut count, mut read) = (0, 0);
    let mut faults: BTreeMap<String, String> = BTreeMap::new();
    while started.elapsed() < limit && faults.len() < MAX_FAULTS {
        let text = pool.document(&mut random, 7);
        let index = random.below(settings.len());
        if let Some(found) = fault(&text, &settings[index], &mut libxml2) {
            let small = minimize(&text, &settings[index], &found, &mut libxml2);
            let found = fault(&small, &settings[index], &mut libxml2).unwrap_or_default();
            let place = format!("document {count} of seed {seed}, settings '{}'", SETTINGS[index]);
            faults
                .entry(kind_of(&found))
                .or_insert_with(|| format!("{place}: {found}\nin {small:?}\n"));
        }
        count += 1;
        read += usize::from(libxml2.judge(text.as_bytes()) == Verdict::Accepted);
    }
    let faults: Vec<String> = faults.into_values().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 20 && read > count / 5, "{read} of {count} documents were well-formed");
    println!("{count} documents, {read} of them well-formed");
}
