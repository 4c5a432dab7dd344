//! Tests that ask real libvirt and QEMU in chroots (tests/lab/README.md). They are skipped unless GVTG_LAB=1 is set.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/lab.rs"]
mod lab;
#[path = "../common/libvirt_round_trip.rs"]
mod libvirt_round_trip;

mod conversion;
mod corpus;
mod emit;
mod filter;
mod fixtures;
mod hook;
mod ignores;
mod kubevirt;
mod qemu;
mod round_trip;
mod rules;
