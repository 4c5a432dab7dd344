//! `types`: the table, and what of it fits a GPU.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

use crate::common;

use common::hosts;
use common::program::run;
use serde_json::{Value, json};

fn ask(name: &str, flags: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    hosts::make(name, folder.path());
    let (code, stdout, stderr) =
        run(&format!("types --root {} {flags}", folder.path().display()), "");
    assert_eq!((code, stderr.as_str()), (0, ""), "{name}");
    stdout
}

/// Of each type its name, how many fit and how many are free.
fn counts(name: &str) -> Vec<(String, Value, Value)> {
    let answer: Value = serde_json::from_str(&ask(name, "--format json")).unwrap();
    let row = |row: &Value| {
        (
            row["name"].as_str().unwrap().to_owned(),
            row["possible"].clone(),
            row["available"].clone(),
        )
    };
    answer["types"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_root_that_is_not_there_is_exit_2() {
    for command in ["types", "host"] {
        let (code, stdout, stderr) = run(&format!("{command} --root /nonexistent"), "");
        assert_eq!(
            (code, stdout.as_str(), stderr.as_str()),
            (2, "", "gvtg-xml: /nonexistent: no such folder\n"),
            "{command}"
        );
    }
}

#[test]
fn a_gpu_with_256_mb_makes_one_of_four_or_two_of_eight() {
    let name = |divisor: u32| format!("i915-GVTg_V5_{divisor}");
    assert_eq!(
        counts("kaby-lake"),
        [
            (name(1), json!(0), Value::Null),
            (name(2), json!(0), Value::Null),
            (name(4), json!(1), json!(1)),
            (name(8), json!(2), json!(2))
        ]
    );
    // Another VM has what there was.
    assert_eq!(counts("full")[2], (name(4), json!(1), json!(0)));
}

#[test]
fn a_broadwells_types_are_v4() {
    let counts = counts("broadwell");
    assert_eq!(counts[1], ("i915-GVTg_V4_2".to_owned(), json!(1), json!(1)));
    assert_eq!(counts[3], ("i915-GVTg_V4_8".to_owned(), json!(6), json!(6)));
}

#[test]
fn without_such_a_gpu_the_table_is_there_all_the_same() {
    for name in ["amd", "tiger-lake", "container"] {
        let text = ask(name, "");
        assert!(text.starts_with("No GPU with GVT-g was found."), "{name}: {text}");
        assert!(
            text.contains(
                "i915-GVTg_V5_4      128      512       4   1920x1200       4    -     -\n"
            ),
            "{name}: {text}"
        );
        let answer: Value = serde_json::from_str(&ask(name, "--format json")).unwrap();
        assert_eq!(answer["gpu"], Value::Null);
        assert_eq!(answer["types"][3]["weight"], 2);
    }
}

#[test]
fn where_the_kernel_offers_none_the_table_says_who_knows_why() {
    assert!(ask("kvmgt-missing", "").ends_with(
        "\nThe kernel offers no types at the moment. To see why, run `gvtg-xml host`.\n"
    ));
    assert!(
        ask("small-aperture", "")
            .ends_with("set a larger one in the firmware settings (\"aperture size\").\n")
    );
    assert!(ask("kaby-lake", "").ends_with("All types share the same memory.\n"));
}
