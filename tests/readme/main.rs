//! The README and the pages in docs/ are true: their `console` blocks are run, the program accepts
//! the commands in their text, tables and the picture are current, and links work. The example rule
//! in CONTRIBUTING.md is valid, and the paths in it and in ARCHITECTURE.md exist.
//!
//! A page's blocks are run line by line in one shell, in a copy of the project's folder with
//! `fixtures/`, and may leave nothing in it; `tests/readme/bin/` has stand-ins for virsh and the
//! machine. A line `…` stands for any number of lines, even none. `UPDATE_EXPECTED=1 cargo test
//! --test readme` updates the tables and the output in blocks.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

#[path = "../common/mod.rs"]
mod common;
mod console;
mod links;
mod page;
mod picture;
mod spoken;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, thread};

use console::Place;
use page::Page;

#[test]
fn console_blocks_show_the_real_output() {
    let pages = page::all();
    let count: usize = pages.iter().map(|page| console::blocks(&page.text).len()).sum();
    assert!(count > 10, "only {count} blocks found");
    let failures: Vec<String> = thread::scope(|scope| {
        let pages: Vec<_> = pages.iter().map(|page| scope.spawn(|| failures(page))).collect();
        pages.into_iter().flat_map(|page| page.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Pages whose blocks print something else, or leave something in the project's folder.
fn failures(page: &Page) -> Vec<String> {
    let place = Place::new();
    let before = files(&place.checkout());
    let (lines, blocks): (Vec<usize>, Vec<&str>) = console::blocks(&page.text).into_iter().unzip();
    let mut failures = Vec::new();
    for ((line, block), answered) in lines.iter().zip(&blocks).zip(place.run(&blocks)) {
        if common::is_updating() {
            page::renew(&page.path, |text| text.replace(block, &console::renewed_block(&answered)));
        }
        let wrong = answered
            .iter()
            .filter(|step| !step.is_right() && !common::is_updating() || step.renewed().is_none());
        failures.extend(wrong.map(|step| format!("{}:{line}: {step}", page.path.display())));
    }
    let after = files(&place.checkout());
    if before != after {
        let names =
            after.keys().filter(|name| before.get(*name) != after.get(*name)).collect::<Vec<_>>();
        failures.push(format!(
            "{}: its commands leave something where they are run: {names:?}",
            page.path.display()
        ));
    }
    failures
}

/// All files in a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path.clone());
            }
            files.insert(path.clone(), fs::read(&path).unwrap_or_default());
        }
    }
    files
}

#[test]
fn the_program_accepts_the_commands_in_the_text() {
    let refused: Vec<String> =
        page::all().iter().flat_map(|page| spoken::refused(&page.text)).collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn tables_are_up_to_date() {
    let mut old = Vec::new();
    for page in page::all() {
        if common::is_updating() {
            page::renew(&page.path, |text| tables::with_tables(&text));
        } else if tables::with_tables(&page.text) != page.text {
            old.push(page.path);
        }
    }
    assert!(
        old.is_empty(),
        "tables are not those of the program: `UPDATE_EXPECTED=1 cargo test --test readme` writes them anew: {old:?}"
    );
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
fn the_picture_shows_the_real_output() {
    let picture = picture::of_a_run();
    if common::is_updating() {
        fs::write("docs/run.svg", &picture).unwrap();
    }
    let drawn = fs::read_to_string("docs/run.svg").unwrap_or_default();
    assert!(
        picture == drawn,
        "docs/run.svg shows something else: `UPDATE_EXPECTED=1 cargo test --test readme` draws it anew"
    );
}

#[test]
fn links_work() {
    let broken = links::broken();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn paths_in_architecture_and_contributing_exist() {
    let missing = links::missing_paths();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_decision_is_in_the_index() {
    assert_eq!(links::unlisted_decisions(), Vec::<PathBuf>::new());
}

#[test]
fn the_rule_in_contributing_is_valid() {
    let text = fs::read_to_string("CONTRIBUTING.md").unwrap();
    let rule = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    gvtg_xml::parse_rule(rule).unwrap();
}
