//! `gvtg-xml emit`: the host's side of domains, on stdout.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::files::collect;
use super::lint::fail;
use super::{Status, io, pci, uuid, vgpu_type};
use crate::domain;
use crate::emit::guest::{check, guest};
use crate::emit::hook::{self, Style};
use crate::emit::{File, Guest, Wanted, modules, shell};
use crate::host::Root;
use crate::host::gpu::{self, Generation};
use crate::lint::is_candidate;
use crate::settings::Settings;
use crate::source::Source;
use crate::xml;

/// The flags of `emit`.
#[derive(Args, Debug)]
pub(super) struct EmitArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand, Debug)]
enum Kind {
    /// The libvirt hook that makes a domain's vGPUs when it starts and removes them when it stops
    Hook {
        /// How libvirt calls it
        #[arg(long, value_enum, default_value_t = StyleChoice::Dropin)]
        style: StyleChoice,
        #[command(flatten)]
        guests: GuestArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The kernel modules to load at boot, for /etc/modules-load.d
    Modules {
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Which domains, and what the user says about their vGPUs.
#[derive(Args, Debug)]
struct GuestArgs {
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

#[derive(Args, Debug)]
struct OutputArgs {
    /// Print no notes on stderr
    #[arg(long, short)]
    quiet: bool,
}

/// What these files say of vGPUs, in the order in which they are named; `root` has the GPU that they run on.
///
/// # Errors
/// Those of `emit`: a file that is no domain with a vGPU, or domains that can't be on one host.
pub(super) fn guests(files: &[PathBuf], root: &Root) -> Result<Vec<Guest>, String> {
    let args =
        GuestArgs { files: files.to_vec(), uuid: None, vgpu_type: None, pci: None, stdin_filename: "<stdin>".to_owned(), max_size: 16 };
    args.read(root)
}

/// How libvirt calls the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StyleChoice {
    /// A file in hooks/qemu.d (libvirt 6.5 and later)
    #[value(name = "qemu.d")]
    Dropin,
    /// The one file hooks/qemu (before libvirt 6.5)
    Qemu,
    /// For qemu:///session: asks with pkexec for root's rights
    Session,
}

pub(super) fn run(args: &EmitArgs) -> Status {
    let command = command(std::env::args());
    let (file, quiet) = match &args.kind {
        Kind::Hook { style, guests, output } => {
            let style = match style {
                StyleChoice::Dropin => Style::DropIn,
                StyleChoice::Qemu => Style::Whole,
                StyleChoice::Session => Style::Session,
            };
            let guests = match guests.read(&Root::default()) {
                Ok(guests) => guests,
                Err(message) => return fail(&message),
            };
            if !output.quiet {
                say_defaults(&guests);
            }
            (hook::file(&guests, style, &command), output.quiet)
        }
        Kind::Modules { output } => (modules::file(&command), output.quiet),
    };
    if let Err(message) = io::print(&file.text) {
        return fail(&message);
    }
    if !quiet {
        say_next(&file);
    }
    Status::Clean
}

/// The command that was given, as it can be given again.
fn command(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.skip(1).map(|word| shell::word(&word)).collect();
    format!("gvtg-xml {}", words.join(" "))
}

/// Says which types nobody has chosen.
fn say_defaults(guests: &[Guest]) {
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

/// Says where the file belongs and what to do then.
fn say_next(file: &File) {
    io::complain(&format!("for {}, mode {:o}", file.path, file.mode));
    for step in &file.then {
        io::complain(&format!("then {step}"));
    }
}

/// The type that nearly every GPU has: by this machine's GPU, if it is there, else of the generations since Skylake.
fn default_type(root: &Root, pci: &str) -> &'static str {
    let gpu = gpu::at(root, pci).found();
    if gpu.is_some_and(|gpu| gpu.generation == Generation::Broadwell) { "i915-GVTg_V4_4" } else { "i915-GVTg_V5_4" }
}

impl GuestArgs {
    /// The domains in the order in which they are named; `root` has the GPU that they run on.
    fn read(&self, root: &Root) -> Result<Vec<Guest>, String> {
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
            if input.found && !is_candidate(&bytes, false) {
                continue;
            }
            guests.push(self.guest(&name, &bytes, root)?);
            sources.push(name);
        }
        if guests.is_empty() {
            return Err("no file there is a domain with a vGPU: run `gvtg-xml fix` on one first".into());
        }
        check(&guests, &sources)?;
        Ok(guests)
    }

    fn guest(&self, name: &str, bytes: &[u8], root: &Root) -> Result<Guest, String> {
        let settings = Settings { uuid: self.uuid, vgpu_type: self.vgpu_type.clone(), pci: self.pci.clone(), ..Settings::default() };
        let wanted = Wanted { settings: &settings, default_type: &|pci| default_type(root, pci) };
        let text = xml::decode(bytes).map_err(|error| super::lint::located(name, super::lint::position_in(bytes, &error), &error))?;
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
