//! The README and the pages in docs/ are true: their `console` blocks are run, their tables are those of the program, their links lead
//! somewhere. So is the rule in CONTRIBUTING.
//!
//! A block is run line by line in one shell, in a folder of its page's with `fixtures/` in it and `tests/readme/bin/virsh` in place of
//! virsh. A line `…` stands for any lines, none included. `UPDATE_EXPECTED=1 cargo test --test readme` writes the tables and what blocks
//! print anew.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

#[path = "../common/mod.rs"]
mod common;
mod console;
mod links;
mod page;
mod tables;

use std::fs;
use std::path::Path;
use std::thread;

use page::Page;

#[test]
fn console_blocks_print_what_they_say() {
    let pages = page::all();
    let count: usize = pages.iter().map(|page| console::blocks(&page.text).len()).sum();
    assert!(count > 10, "only {count} blocks found");
    let failures: Vec<String> = thread::scope(|scope| {
        let pages: Vec<_> = pages.iter().map(|page| scope.spawn(|| failures(page))).collect();
        pages.into_iter().flat_map(|page| page.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Where a page's blocks print something else.
fn failures(page: &Page) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut failures = Vec::new();
    for (line, block) in console::blocks(&page.text) {
        let answered = console::run(folder.path(), block);
        if common::is_renewing() {
            page::renew(&page.path, |text| text.replace(block, &console::renewed_block(&answered)));
        }
        let wrong = answered.iter().filter(|step| !step.is_right() && !common::is_renewing() || step.renewed().is_none());
        failures.extend(wrong.map(|step| format!("{}:{line}: {step}", page.path.display())));
    }
    failures
}

fn prepare(folder: &Path) {
    let fixtures = folder.join("fixtures");
    fs::create_dir(&fixtures).unwrap();
    for entry in fs::read_dir("fixtures").unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), fixtures.join(entry.file_name())).unwrap();
    }
    common::hosts::make("kvmgt-missing", &folder.join("laptop"));
}

#[test]
fn tables_are_up_to_date() {
    let mut old = Vec::new();
    for page in page::all() {
        if common::is_renewing() {
            page::renew(&page.path, |text| tables::with_tables(&text));
        } else if tables::with_tables(&page.text) != page.text {
            old.push(page.path);
        }
    }
    assert!(old.is_empty(), "tables are not those of the program: `UPDATE_EXPECTED=1 cargo test --test readme` writes them anew: {old:?}");
}

#[test]
fn each_table_is_on_a_page() {
    let pages = page::all();
    for name in tables::NAMES {
        let count = pages.iter().filter(|page| page.text.contains(&tables::begin(name))).count();
        assert_eq!(count, 1, "{name}");
    }
}

#[test]
fn links_lead_somewhere() {
    let broken = links::broken();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_rule_in_contributing_is_one() {
    let text = fs::read_to_string("CONTRIBUTING.md").unwrap();
    let rule = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    gvtg_xml::rules::parse(rule).unwrap();
}
