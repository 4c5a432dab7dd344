//! The hook that `emit hook` prints, run as by libvirt and under each shell that can be a system's
//! /bin/sh, on a machine with an emulated GPU.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod busy;
mod domains;
mod life;
mod names;
mod refusals;
mod script;
mod session;
mod sharing;
mod way_back;

const ONE: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";
const TWO: &str = "11111111-2222-4333-8444-555555555555";
/// The default types of the machine's GPU, which has room for one vGPU of the larger type or two of
/// the smaller.
const LARGE: &str = "i915-GVTg_V5_4";
const SMALL: &str = "i915-GVTg_V5_8";
