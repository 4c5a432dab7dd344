//! The time until an editor gets its findings, over real pipes.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;

#[path = "common/client.rs"]
mod client;
use client::{Client, capabilities};

/// A domain of about this many bytes.
fn domain(size: usize) -> String {
    let text = include_str!("../fixtures/win10-virt-manager.xml");
    let disk = "    <disk type='file' device='disk'>\n      <source file='/var/lib/libvirt/images/a.qcow2'/>\n      <target dev='vdb' bus='virtio'/>\n    </disk>\n";
    let count = size.saturating_sub(text.len()) / disk.len() + 1;
    text.replacen("  <devices>\n", &format!("  <devices>\n{}", disk.repeat(count)), 1)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn findings_arrive_quickly() {
    let text = domain(8 << 10);
    assert!((8 << 10..9 << 10).contains(&text.len()), "{}", text.len());
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    let opened: Vec<Duration> = (0..21)
        .map(|index| {
            let uri = format!("file:///tmp/virsh{index:06}.xml");
            let started = Instant::now();
            client.open(&uri, &text);
            assert!(!client.published(&uri)["diagnostics"].as_array().unwrap().is_empty());
            started.elapsed()
        })
        .collect();
    let (first, at) = (opened[0], text.find("<name>").unwrap() + 6);
    let uri = "file:///tmp/virsh000000.xml";
    let typed = (0..101)
        .map(|_| {
            let started = Instant::now();
            client.edit(uri, at..at, "x");
            client.published(uri);
            started.elapsed()
        })
        .collect();
    let (opened, typed) = (median(opened), median(typed));
    // The test harness captures print macros and shows their output only for failed tests.
    let _ = writeln!(
        std::io::stderr(),
        "\n8 KB: first findings after {first:?} (median {opened:?}), a keystroke's after {typed:?}"
    );
    assert!(opened < Duration::from_millis(20), "{opened:?}");
    assert!(typed < Duration::from_millis(5), "{typed:?}");
    assert_eq!(client.shut_down(), 0);
}
