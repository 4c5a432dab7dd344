//! `gvtg-xml types`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use super::error::{NoSuchFolder, fail};
use super::terminal::for_stdout;
use super::{DataFormat, Status, io};
use crate::host::availability::{Offer, offers};
use crate::host::card::{self, Card};
use crate::host::{Root, card_of};
use crate::vgpu_types::FENCES;

/// List the vGPU types, and how many of each fit
///
/// Lists the vGPU types and the resources that each one takes, how many of each fit on this
/// machine's GPU, and how many more can be created now.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  gvtg-xml types  # as a table
  gvtg-xml types --format json  # as JSON",
    after_long_help = "\
Exit codes:
  0  The types were listed
  2  The command failed

Files:
  /sys/bus/pci/devices, /sys/class/mdev_bus  Below --root: the GPU, and the types that the kernel \
      offers

See also:
  mdevctl(8)"
)]
pub(super) struct TypesArgs {
    /// Folder with another machine's /sys, /proc and /etc
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "/")]
    root: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = DataFormat::Text, help_heading = "Output")]
    format: DataFormat,
}

pub(super) fn run(args: &TypesArgs) -> Status {
    if !args.root.is_dir() {
        return fail(&NoSuchFolder(args.root.clone()));
    }
    let root = Root::new(&args.root);
    let card = card_of(&card::cards(&root)).filter(|card| card.type_prefix().is_some()).cloned();
    let offers = offers(card.as_ref());
    let text = match args.format {
        DataFormat::Text => for_stdout(&text(card.as_ref(), &offers)),
        DataFormat::Json => json(card.as_ref(), &offers),
    };
    match io::print(&text) {
        Ok(()) => Status::Clean,
        Err(message) => fail(&message),
    }
}

fn text(card: Option<&Card>, offers: &[Offer]) -> String {
    let mut text = match card {
        Some(card) => {
            let aperture = card.aperture.map_or("of unknown size".to_owned(), |size| format!("of {size} MB"));
            format!("{}, with an aperture {aperture}\n\n", card.gpu.title())
        }
        None => "No GPU with GVT-g was found. These are the types on GPUs from Skylake to Comet Lake:\n\n".to_owned(),
    };
    let number = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
    let _ =
        writeln!(text, "type             low MB  high MB  fences  resolution  weight  fit  free");
    for Offer { kind, name, possible, available } in offers {
        let (width, height) = kind.resolution;
        let (fit, free) = (
            number(possible.map(|count| count.to_string())),
            number(available.map(|count| count.to_string())),
        );
        let resolution = format!("{width}x{height}");
        let (low, high, weight) = (kind.low, kind.high, kind.weight());
        let _ = writeln!(
            text,
            "{name:15}  {low:>6}  {high:>7}  {FENCES:>6}  {resolution:>10}  {weight:>6}  {fit:>3}  {free:>4}"
        );
    }
    text.push_str(
        "\nlow: graphics memory in the aperture (the part that the CPU can access); high: graphics memory beyond it; weight: share of the GPU's time.\n\
         fit: how many fit if all are of this type; free: how many more can be created now. All types share the same memory.\n",
    );
    if let Some(card) = card {
        text.push_str(&advice(card, offers));
    }
    text
}

/// Returns advice for a GPU of which no vGPU can be created now.
fn advice(card: &Card, offers: &[Offer]) -> String {
    let listed = card.types.as_present().map_or(0, Vec::len);
    let fits_some = offers.iter().any(|offer| offer.possible.is_some_and(|count| count > 0));
    if listed > 0 {
        String::new()
    } else if !fits_some && card.aperture.is_some() {
        "\nThe aperture is too small for any vGPU: set a larger one in the firmware settings (\"aperture size\").\n".to_owned()
    } else {
        "\nThe kernel offers no types at the moment. To see why, run `gvtg-xml host`.\n".to_owned()
    }
}

fn json(card: Option<&Card>, offers: &[Offer]) -> String {
    let gpu = card.map(|card| {
        json!({
            "address": card.gpu.address,
            "id": card.gpu.id(),
            "generation": card.gpu.generation.name(),
            "aperture": card.aperture,
        })
    });
    let rows = offers.iter().map(|Offer { kind, name, possible, available }| {
        json!({
            "name": name,
            "low": kind.low,
            "high": kind.high,
            "fences": FENCES,
            "resolution": [kind.resolution.0, kind.resolution.1],
            "weight": kind.weight(),
            "possible": possible,
            "available": available,
        })
    });
    format!("{}\n", json!({ "version": 1, "gpu": gpu, "types": rows.collect::<Vec<_>>() }))
}
