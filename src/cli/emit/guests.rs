//! The domains for `gvtg-xml emit`, and the user's settings for their vGPUs.

use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;
use uuid::Uuid;

use super::super::configs::ConfigurationError;
use super::super::error::{DocumentError, UnreadableInput};
use super::super::files::UnreadablePath;
use super::super::files::{Files, collect};
use super::super::flags::{Offering, OriginArgs};
use super::super::{ColorChoice, configs, io, lint, pci, uuid, vgpu_type};
use crate::domain;
use crate::domain::{SettingOverrides, Settings};
use crate::emit::guest::{GuestConflict, check, guest};
use crate::emit::{EmitOptions, Guest, shell};
use crate::host::Root;
use crate::host::generation::Generation;
use crate::host::gpu;
use crate::lint::skip::uses_gvtg;
use crate::settings::config::{Configs, EffectiveConfig, LoadError, PartialConfig};
use crate::settings::table::vgpu_type_names;
use crate::text::Source;
use crate::text::sanitize::clean_path;
use crate::xml::{self, MAX_INPUT_MIB};

/// An error of reading the domains.
#[derive(Debug, Error, Diagnostic)]
pub(in crate::cli) enum GuestsError {
    #[error("no input: name a FILE, or pipe a domain's XML in")]
    #[diagnostic(help("`virsh dumpxml --inactive win10 | gvtg-xml emit hook`"))]
    NoInput,
    #[error(transparent)]
    #[diagnostic(transparent)]
    UnreadablePath(#[from] UnreadablePath),
    #[error(transparent)]
    #[diagnostic(transparent)]
    UnreadableInput(#[from] UnreadableInput),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Configuration(#[from] ConfigurationError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Document(#[from] DocumentError),
    #[error("{places}: no domain with a vGPU found: run `gvtg-xml fix` on a domain first")]
    NoGuest { places: String },
    #[error(transparent)]
    Conflict(#[from] GuestConflict),
}

/// The domains, and the settings for their vGPUs.
#[derive(Args, Debug)]
pub(super) struct GuestArgs {
    /// Domain XML files or folders; stdin if there are none
    #[arg(
        long_help = "Domain XML files, or folders that are searched for .xml files; stdin if there \
            are none, or for `-`"
    )]
    files: Vec<PathBuf>,
    /// The vGPU's UUID
    #[arg(long, value_parser = uuid)]
    #[arg(long_help = "The vGPU's UUID [default: the one in the domain]")]
    uuid: Option<Uuid>,
    /// The vGPU's type [default: the recorded one]
    #[arg(long = "type", value_name = "TYPE")]
    #[arg(value_parser = Offering::new(vgpu_type, vgpu_type_names), hide_possible_values = true)]
    #[arg(long_help = "The vGPU's type [default: the one recorded in the domain, or else in the \
            configuration, or else i915-GVTg_V5_4, or i915-GVTg_V4_4 if this machine has a \
            Broadwell GPU]")]
    vgpu_type: Option<String>,
    /// The Intel GPU's PCI address [default: the recorded one]
    #[arg(long, value_name = "ADDRESS", value_parser = pci)]
    #[arg(
        long_help = "The Intel GPU's PCI address [default: the one recorded in the domain, or else \
            in the configuration, or else 0000:00:02.0]"
    )]
    pci: Option<String>,
    /// File name to assume for stdin
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    #[arg(
        long_help = "File name to assume for stdin: messages show it, and the configuration for \
            that file applies"
    )]
    stdin_filename: Option<String>,
    /// Largest input in MiB; 0 for no limit
    #[arg(long, value_name = "MIB", default_value_t = MAX_INPUT_MIB, help_heading = "Input")]
    max_size: u64,
    #[command(flatten)]
    origin: OriginArgs,
}

/// Reads the domains in these files, in the given order; `root` has the GPU that they use.
///
/// # Errors
/// Fails like `emit`: for a file that is not a domain with a vGPU, and for domains that can't share
/// a host.
pub(in crate::cli) fn guests(
    files: &[PathBuf],
    origin: &OriginArgs,
    root: &Root,
) -> Result<Vec<Guest>, GuestsError> {
    let (files, origin) = (files.to_vec(), origin.clone());
    GuestArgs {
        files,
        uuid: None,
        vgpu_type: None,
        pci: None,
        stdin_filename: None,
        max_size: MAX_INPUT_MIB,
        origin,
    }
    .read(root, "sudo gvtg-xml host -")
}

/// Returns the default vGPU type: one that nearly every GPU of the machine's generation offers, or
/// of the generations since Skylake if the GPU is unknown.
fn default_type(root: &Root, pci: &str) -> &'static str {
    let gpu = gpu::read(root, pci).present();
    if gpu.is_some_and(|gpu| gpu.generation == Generation::Broadwell) {
        "i915-GVTg_V4_4"
    } else {
        "i915-GVTg_V5_4"
    }
}

/// Prints a note for each vGPU whose type is a default.
pub(super) fn print_default_types(guests: &[Guest]) {
    for guest in guests {
        for vgpu in guest.vgpus.iter().filter(|vgpu| vgpu.is_default_type) {
            io::print_note(&format!(
                "{} has no recorded vGPU type: using {}, which nearly every GPU has. To use another, pass --type, record it with \
                 `gvtg-xml fix --type TYPE`, or set it in a gvtg-xml.toml",
                shell::word(&guest.name),
                vgpu.vgpu_type
            ));
        }
    }
}

/// Prints the errors in the text of a configuration, and returns the error that ends the command.
fn print_errors_in(failure: LoadError) -> ConfigurationError {
    configs::print_errors_in(failure, ColorChoice::Auto)
}

/// Returns the settings from the configuration in the current folder.
pub(super) fn local_settings(origin: &OriginArgs) -> Result<Settings, GuestsError> {
    let mut configs =
        Configs::new(origin.origin(), PartialConfig::default()).map_err(print_errors_in)?;
    let resolved = configs.find_in(Path::new(""), None).map_err(print_errors_in)?;
    configs::print_skipped_configs(&configs);
    Ok(resolved.effective.settings.clone())
}

impl GuestArgs {
    /// Reads the domains, in the given order, for the machine below this root. `pipe` is the
    /// command that reads a domain from stdin, for help texts.
    pub(super) fn read(&self, root: &Root, pipe: &str) -> Result<Vec<Guest>, GuestsError> {
        if self.files.is_empty() && io::stdin_is_terminal() {
            return Err(GuestsError::NoInput);
        }
        let Files { inputs, unreadable, .. } = collect(&self.files);
        if let Some(error) = unreadable.into_iter().next() {
            return Err(error.into());
        }
        let mut configs = Configs::new(self.origin.origin(), PartialConfig::default())
            .map_err(print_errors_in)?;
        let effective = configs::of_inputs(&mut configs, &inputs, self.stdin_filename.as_deref())
            .map_err(print_errors_in)?;
        let (mut guests, mut sources) = (Vec::new(), Vec::new());
        for (input, effective) in inputs.iter().zip(&effective.files) {
            let is_stdin = input.path.as_os_str() == "-";
            let name = if is_stdin {
                self.stdin_filename.clone().unwrap_or("<stdin>".into())
            } else {
                input.path.display().to_string()
            };
            let bytes = io::read(&input.path, self.max_size)
                .map_err(|reason| UnreadableInput::new(&input.path, &name, reason, "", pipe))?;
            if !input.named && lint::why_skipped(&input.path, &bytes).is_some() {
                continue;
            }
            if let Some(guest) = self.guest(root, &name, &bytes, effective, !input.named)? {
                guests.push(guest);
                sources.push(name);
            }
        }
        if guests.is_empty() {
            let places: Vec<_> = self.files.iter().map(|path| clean_path(path)).collect();
            return Err(GuestsError::NoGuest { places: places.join(", ") });
        }
        check(&guests, &sources)?;
        Ok(guests)
    }

    /// Reads the guest of a domain; `None` if it is skipped because it has no sign of GVT-g.
    fn guest(
        &self,
        root: &Root,
        name: &str,
        bytes: &[u8],
        effective: &EffectiveConfig,
        skips_unrelated: bool,
    ) -> Result<Option<Guest>, GuestsError> {
        let explicit = SettingOverrides {
            vgpu_type: self.vgpu_type.clone(),
            pci: self.pci.clone(),
            ..SettingOverrides::default()
        };
        let settings = Settings {
            uuid: self.uuid,
            explicit,
            fallback: effective.settings.fallback.clone(),
            ..Settings::default()
        };
        let options =
            EmitOptions { settings: &settings, default_type: &|pci| default_type(root, pci) };
        let text =
            xml::decode(bytes).map_err(|error| DocumentError::in_bytes(name, bytes, &error))?;
        let source = Source::new(name, text);
        let guest = domain::read(text, &settings, |domain| {
            if skips_unrelated && !uses_gvtg(domain) {
                return Ok(None);
            }
            guest(domain, options).map(Some)
        })
        .map_err(|error| DocumentError::new(name, source.position(error.offset), &error))?
        .map_err(|error| DocumentError {
            name: name.to_owned(),
            position: source.position(error.offset),
            message: error.message,
            help: error.help,
        })?;
        Ok(guest)
    }
}
