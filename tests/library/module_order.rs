//! Each module uses only modules before it in the list in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in the order of ARCHITECTURE.md.
fn order() -> Vec<String> {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let (_, list) = text
        .split_once("<!-- the modules in order, read by tests/library/module_order.rs -->\n")
        .unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The files of each module, without those that may use every module.
fn modules() -> BTreeMap<String, Vec<PathBuf>> {
    let mut modules: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !matches!(&*name, "lib" | "main" | "alloc" | "streams") {
            files(&path, modules.entry(name).or_default());
        }
    }
    modules
}

fn files(path: &Path, all: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            files(&entry.unwrap().path(), all);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        all.push(path.to_owned());
    }
}

/// The modules that a file names outside tests and comments.
fn named(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or("");
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let names = lines.flat_map(|line| line.split("crate::").skip(1)).flat_map(|rest| {
        match rest.strip_prefix('{') {
            Some(list) => list.split([',', '}']).map(str::trim).map(first_name).collect::<Vec<_>>(),
            None => vec![first_name(rest)],
        }
    });
    names.filter(|name| !name.is_empty()).collect()
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_list_has_each_module_once() {
    let order = order();
    let listed: BTreeSet<&String> = order.iter().collect();
    assert_eq!(listed.len(), order.len(), "{order:?}");
    assert_eq!(listed, modules().keys().collect::<BTreeSet<_>>());
}

#[test]
fn modules_use_only_earlier_modules() {
    let order = order();
    let place = |name: &str| order.iter().position(|module| module == name);
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for (module, files) in modules() {
        for file in files {
            for other in named(&fs::read_to_string(&file).unwrap()) {
                arrows += 1;
                if place(&other).is_some_and(|other| Some(other) > place(&module)) {
                    wrong.push(format!(
                        "{} names {other}, which comes after {module}",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(arrows > 300, "{arrows}: the files were not read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_in_comments_and_tests_do_not_count() {
    let text = "use crate::edit::Edit;\n/// crate::lint\npub(crate) fn a() { crate::xml::read(); }\nuse crate::{cli, lsp::x};\n\
        #[cfg(test)]\nmod tests { use crate::host; }\n";
    assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["cli", "edit", "lsp", "xml"]);
}
