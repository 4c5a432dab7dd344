//! `types`: the table of types, and how many of each fit a GPU.

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

/// The name of each type, how many fit and how many are free.
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
fn exits_with_2_for_a_missing_root() {
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
fn a_gpu_with_256_mb_fits_one_v5_4_or_two_v5_8() {
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
    // Another VM uses the rest.
    assert_eq!(counts("full")[2], (name(4), json!(1), json!(0)));
}

#[test]
fn broadwell_has_v4_types() {
    let counts = counts("broadwell");
    assert_eq!(counts[1], ("i915-GVTg_V4_2".to_owned(), json!(1), json!(1)));
    assert_eq!(counts[3], ("i915-GVTg_V4_8".to_owned(), json!(6), json!(6)));
}

#[test]
fn prints_the_table_without_a_suitable_gpu() {
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
fn refers_to_host_if_the_kernel_offers_no_types() {
    assert!(ask("kvmgt-missing", "").ends_with(
        "\nThe kernel offers no types at the moment. To see why, run `gvtg-xml host`.\n"
    ));
    assert!(
        ask("small-aperture", "")
            .ends_with("set a larger one in the firmware settings (\"aperture size\").\n")
    );
    assert!(ask("kaby-lake", "").ends_with("All types share the same memory.\n"));
}
