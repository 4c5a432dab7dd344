//! The domains that a run of `gvtg-xml emit` is about, and what the user says about their vGPUs.

use std::path::PathBuf;

use clap::Args;
use uuid::Uuid;

use super::super::files::collect;
use super::super::{io, lint, pci, uuid, vgpu_type};
use crate::domain;
use crate::emit::guest::{check, guest};
use crate::emit::{Guest, Wanted, shell};
use crate::host::Root;
use crate::host::gpu::{self, Generation};
use crate::lint::why_foreign;
use crate::settings::{Settings, Wishes};
use crate::source::Source;
use crate::xml;

/// Which domains, and what the user says about their vGPUs.
#[derive(Args, Debug)]
pub(super) struct GuestArgs {
    /// Domain XML files or folders of them; stdin without any, or for -
    files: Vec<PathBuf>,
    /// The vGPU's uuid [default: the domain's own]
    #[arg(long, value_parser = uuid)]
    uuid: Option<Uuid>,
    /// The vGPU's type [default: the one recorded in the domain, else i915-GVTg_V5_4, or V4_4 where this machine's GPU is a Broadwell]
    #[arg(long = "type", value_name = "TYPE", value_parser = vgpu_type)]
    vgpu_type: Option<String>,
    /// The Intel GPU's PCI address [default: the one recorded in the domain, else 0000:00:02.0]
    #[arg(long, value_name = "ADDRESS", value_parser = pci)]
    pci: Option<String>,
    /// The name that messages show for stdin
    #[arg(long, value_name = "NAME", default_value = "<stdin>", hide_default_value = true)]
    stdin_filename: String,
    /// The largest input, in MiB; 0 for any size
    #[arg(long, value_name = "MIB", default_value_t = 16)]
    max_size: u64,
}

/// What these files say of vGPUs, in the order in which they are named; `root` has the GPU that they run on.
///
/// # Errors
/// Those of `emit`: a file that is no domain with a vGPU, or domains that can't be on one host.
pub(in crate::cli) fn guests(files: &[PathBuf], root: &Root) -> Result<Vec<Guest>, String> {
    let args =
        GuestArgs { files: files.to_vec(), uuid: None, vgpu_type: None, pci: None, stdin_filename: "<stdin>".to_owned(), max_size: 16 };
    args.read(root)
}

/// The type that nearly every GPU has: by the machine's GPU, if it is there, else of the generations since Skylake.
fn default_type(root: &Root, pci: &str) -> &'static str {
    let gpu = gpu::at(root, pci).present();
    if gpu.is_some_and(|gpu| gpu.generation == Generation::Broadwell) { "i915-GVTg_V4_4" } else { "i915-GVTg_V5_4" }
}

/// Says which types nobody has chosen.
pub(super) fn say_defaults(guests: &[Guest]) {
    for guest in guests {
        for vgpu in guest.vgpus.iter().filter(|vgpu| vgpu.is_default_type) {
            io::complain(&format!(
                "{} records no vGPU type: {} is taken, which nearly every GPU has (--type says another, `gvtg-xml fix --type` records one)",
                shell::word(&guest.name),
                vgpu.vgpu_type
            ));
        }
    }
}

impl GuestArgs {
    /// The domains in the order in which they are named, for the machine below this root.
    pub(super) fn read(&self, root: &Root) -> Result<Vec<Guest>, String> {
        if self.files.is_empty() && io::stdin_is_terminal() {
            return Err("give a FILE, or pipe a domain's XML in: virsh dumpxml --inactive NAME | gvtg-xml emit hook".into());
        }
        let (inputs, unreadable) = collect(&self.files);
        if let Some((path, message)) = unreadable.first() {
            return Err(format!("{}: can't be read: {message}", path.display()));
        }
        let (mut guests, mut sources) = (Vec::new(), Vec::new());
        for input in &inputs {
            let name = if input.path.as_os_str() == "-" { self.stdin_filename.clone() } else { input.path.display().to_string() };
            let bytes = io::read(&input.path, self.max_size).map_err(|message| format!("{name}: {message}"))?;
            if !input.named && why_foreign(&bytes, false).is_some() {
                continue;
            }
            guests.push(self.guest(root, &name, &bytes)?);
            sources.push(name);
        }
        if guests.is_empty() {
            return Err("no file there is a domain with a vGPU: run `gvtg-xml fix` on one first".into());
        }
        check(&guests, &sources)?;
        Ok(guests)
    }

    fn guest(&self, root: &Root, name: &str, bytes: &[u8]) -> Result<Guest, String> {
        let asked = Wishes { vgpu_type: self.vgpu_type.clone(), pci: self.pci.clone(), ..Wishes::default() };
        let settings = Settings { uuid: self.uuid, asked, ..Settings::default() };
        let wanted = Wanted { settings: &settings, default_type: &|pci| default_type(root, pci) };
        let text = xml::decode(bytes).map_err(|error| lint::located(name, lint::position_in(bytes, &error), &error))?;
        let source = Source::new(name, text);
        let located = |offset: usize, message: &str, help: &str| {
            let position = source.position(offset);
            format!("{name}:{}:{}: error: {message}\n  help: {help}", position.line, position.column)
        };
        domain::read(text, &settings, |domain| guest(domain, wanted))
            .map_err(|error| located(error.offset, &error.message, &error.help))?
            .map_err(|error| located(error.offset, &error.message, &error.help))
    }
}
