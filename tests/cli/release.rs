//! Steps that a release could forget, or do twice.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The value of the first `"key": "value"` of a JSON text.
fn first<'a>(text: &'a str, key: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\"{key}\": \"")).unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn all_files_have_the_same_version() {
    let version = env!("CARGO_PKG_VERSION");
    // The newest entry with a version, below the unreleased one.
    let changes = read("CHANGELOG.md");
    let headings: Vec<&str> = changes
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .filter(|line| *line != "Unreleased")
        .collect();
    let (newest, date) = headings[0].strip_suffix(')').unwrap().split_once(" (").unwrap();
    assert_eq!(newest, version, "CHANGELOG.md");
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00", "CHANGELOG.md: {date} is no date");
    // The extension for VS Code has the program's version.
    for file in ["editors/vscode/package.json", "editors/vscode/package-lock.json"] {
        assert_eq!(first(&read(file), "version"), version, "{file}");
    }
    // So do the recipes of distributions.
    let recipes = fs::read_dir("packaging")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    let said: Vec<(String, String)> = recipes
        .flat_map(|path| {
            let lines: Vec<String> =
                read(path.to_str().unwrap()).lines().map(str::to_owned).collect();
            lines.into_iter().map(move |line| (path.display().to_string(), line))
        })
        .filter_map(|(path, line)| {
            let value = line
                .strip_prefix("Version:")
                .or_else(|| line.strip_prefix("pkgver="))?
                .trim()
                .to_owned();
            Some((path, value))
        })
        .collect();
    assert!(said.iter().any(|(path, _)| path.ends_with(".spec")), "{said:?}");
    for (path, value) in said.iter().filter(|(_, value)| !value.starts_with('$')) {
        assert_eq!(value, version, "{path}");
    }
    assert!(
        read("packaging/gvtg-xml.spec").contains(&format!("> - {version}-")),
        "the spec's %changelog has no {version}"
    );
    let engine = format!("name = \"gvtg-xml\"\nversion = \"{version}\"");
    // A crate does not contain the web page, and so no engine for it.
    if let Ok(lock) = fs::read_to_string("web/engine/Cargo.lock") {
        assert!(
            lock.contains(&engine),
            "web/engine/Cargo.lock: cargo update --manifest-path web/engine/Cargo.toml -p gvtg-xml"
        );
    }
    // And the versions in the files and images that pages name.
    for page in fs::read_dir("docs")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
    {
        let text = read(page.to_str().unwrap());
        for (index, _) in text.match_indices("gvtg-xml") {
            let behind = &text[index + "gvtg-xml".len()..];
            // The number of the metadata's namespace has no dot.
            let is_version = |rest: &&str| {
                rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('.')
                    && !rest.starts_with('.')
            };
            let named = behind.strip_prefix(['-', '_', ':']).filter(is_version);
            assert!(
                named.is_none_or(|rest| rest.starts_with(version)),
                "{}: gvtg-xml{}",
                page.display(),
                behind.lines().next().unwrap()
            );
        }
    }
}

#[test]
fn manual_pages_have_the_release_date() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_gvtg-xml"))
        .args(["generate", "man"])
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let title = page.lines().find(|line| line.starts_with(".TH ")).unwrap();
    let changes = read("CHANGELOG.md");
    let heading = changes
        .lines()
        .find(|line| line.starts_with(concat!("## ", env!("CARGO_PKG_VERSION"))))
        .unwrap();
    let date = heading.split(['(', ')']).nth(1).unwrap();
    assert!(
        title.contains(&format!(" {date} \"gvtg\\-xml {}\"", env!("CARGO_PKG_VERSION"))),
        "{title}"
    );
}

/// A release made by hand is the same as one made by the workflow, which only installs what the
/// script needs, calls it and uploads.
#[test]
fn the_workflow_only_calls_the_script() {
    let workflow = read(".github/workflows/release.yml");
    let steps = |key: &str| -> Vec<String> {
        let lines = workflow.lines().map(|line| line.trim_start().trim_start_matches("- "));
        lines.filter_map(|line| Some(line.strip_prefix(key)?.trim().to_owned())).collect()
    };
    let runs = steps("run:");
    let [compiler, packages, make, upload] = &runs[..] else { panic!("{runs:?}") };
    assert!(
        compiler.starts_with("rustup toolchain install ")
            && compiler.ends_with(" --target x86_64-unknown-linux-musl"),
        "{compiler}"
    );
    assert_eq!(packages, "sudo apt-get install --yes rpm");
    assert_eq!(make, "packaging/release");
    assert!(
        upload.starts_with("gh release create ") && upload.ends_with(" target/release-files/*"),
        "{upload}"
    );
    for run in &runs {
        assert!(!run.contains([';', '|', '&', '>', '`', '(']), "more than one command: {run}");
    }
    assert!(steps("if:").is_empty() && !workflow.contains("${{ github.event"), "{workflow}");
    // An action's tag can be moved, a commit can't.
    for action in steps("uses:") {
        let (_, commit) = action.split_once('@').unwrap();
        let commit = commit.split(' ').next().unwrap();
        assert!(
            commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
            "{action} is not pinned by a commit"
        );
    }
    assert_eq!(steps("uses:").len(), 1, "no action but the checkout");
}
