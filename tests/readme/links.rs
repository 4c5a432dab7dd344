//! The links between the project's own pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Links to a file or a heading that is not there, each with its page.
pub fn broken() -> Vec<String> {
    let more = [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "editors/vscode/README.md",
        "tests/lab/README.md",
        "benches/README.md",
    ];
    let pages = super::page::all().into_iter().map(|page| (page.path, page.text));
    let pages =
        pages.chain(more.map(|path| (PathBuf::from(path), fs::read_to_string(path).unwrap())));
    let mut broken = Vec::new();
    for (path, text) in pages {
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap_or(Path::new("")).join(file)
            };
            let is_there = match heading {
                "" => target.exists(),
                heading => {
                    fs::read_to_string(&target).is_ok_and(|text| headings(&text).contains(heading))
                }
            };
            if !is_there {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    broken
}

/// What links outside of code lead to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    without_blocks(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The names that a page's headings have in links, by GitHub's rule.
fn headings(text: &str) -> BTreeSet<String> {
    let headings = without_blocks(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings
        .map(|heading| {
            heading
                .to_lowercase()
                .chars()
                .filter(kept)
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

fn without_blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut is_block = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        !is_block && !is_fence
    })
}

#[test]
fn headings_and_links_are_found() {
    assert_eq!(
        headings("# All of the host's files\n```\n# no\n```\n## Which `type`?\n"),
        ["all-of-the-hosts-files", "which-type"].map(String::from).into()
    );
    assert_eq!(links("[a](b#c) and [d](e)\n```\n[f](g)\n```\n").collect::<Vec<_>>(), ["b#c", "e"]);
}
