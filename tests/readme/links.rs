//! The links between the project's own pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Links to a missing file or heading, each with its page.
pub fn broken() -> Vec<String> {
    let more = [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "editors/vscode/README.md",
        "tests/lab/README.md",
        "benches/README.md",
    ];
    let pages = super::page::all().into_iter().map(|page| (page.path, page.text));
    let more = more.map(PathBuf::from).into_iter().chain(decisions());
    let pages = pages.chain(more.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    }));
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

/// The records of decisions, and their index.
fn decisions() -> impl Iterator<Item = PathBuf> {
    fs::read_dir("docs/decisions").unwrap().map(|entry| entry.unwrap().path())
}

/// Records of decisions that the index does not list.
pub fn unlisted_decisions() -> Vec<PathBuf> {
    let index = fs::read_to_string("docs/decisions/README.md").unwrap();
    let listed: BTreeSet<&str> = links(&index).collect();
    let is_listed = |path: &PathBuf| listed.contains(path.file_name().unwrap().to_str().unwrap());
    decisions().filter(|path| !path.ends_with("README.md") && !is_listed(path)).collect()
}

/// Paths in backticks that do not exist, each with its page.
pub fn missing_paths() -> Vec<String> {
    let mut missing = Vec::new();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(page).unwrap();
        let paths: Vec<&str> = paths(&text).collect();
        assert!(paths.len() > 20, "{page}: only {paths:?} are paths");
        let missing_here = paths.into_iter().filter(|path| !Path::new(path).exists());
        missing.extend(missing_here.map(|path| format!("{page}: {path}")));
    }
    missing
}

/// The folders of the project whose files pages name. The last two are not in the crate.
const FOLDERS: &[&str] =
    &["src", "rules", "tests", "docs", "packaging", "benches", "fixtures", "editors", ".ci", "web"];

/// The paths of files and folders in a page's code, except those with a placeholder such as ID.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    without_blocks(text)
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter_map(|code| code.split(' ').next())
        .filter(|path| {
            let folder = path.split_once('/').map_or("", |(folder, _)| folder);
            let is_in_crate = !matches!(folder, ".ci" | "web");
            FOLDERS.contains(&folder) && (is_in_crate || Path::new(folder).exists())
        })
        .filter(|path| !path.split('/').any(is_placeholder))
}

/// Whether a part of a path stands for many names: `ID.toml`, `FORMAT.rs`.
fn is_placeholder(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part);
    stem != "README" && !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The targets of links outside of code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    without_blocks(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The anchors of a page's headings, by GitHub's rule.
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
fn finds_headings_and_links() {
    assert_eq!(
        headings("# All of the host's files\n```\n# no\n```\n## Which `type`?\n"),
        ["all-of-the-hosts-files", "which-type"].map(String::from).into()
    );
    assert_eq!(links("[a](b#c) and [d](e)\n```\n[f](g)\n```\n").collect::<Vec<_>>(), ["b#c", "e"]);
}

#[test]
fn finds_paths_without_placeholders_in_code() {
    let text = "`src/lib.rs` and `rules/ID.toml`, `tests/run --all`, `docs/README.md`, src/main.rs, `a/b`\n\
                ```sh\ncat `src/no.rs`\n```\n";
    assert_eq!(paths(text).collect::<Vec<_>>(), ["src/lib.rs", "tests/run", "docs/README.md"]);
}
