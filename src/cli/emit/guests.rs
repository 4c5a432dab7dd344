//! The domains for `gvtg-xml emit`, and the user's settings for their vGPUs.

use std::path::{Path, PathBuf};

use clap::Args;
use uuid::Uuid;

use super::super::files::{Files, collect};
use super::super::flags::OriginArgs;
use super::super::{ColorChoice, configs, io, lint, pci, uuid, vgpu_type};
use crate::domain;
use crate::domain::{SettingOverrides, Settings};
use crate::emit::guest::{check, guest};
use crate::emit::{EmitOptions, Guest, shell};
use crate::host::Root;
use crate::host::gpu::{self, Generation};
use crate::lint::skip::uses_gvtg;
use crate::settings::config::{Configs, EffectiveConfig, LoadError, PartialConfig};
use crate::text::Source;
use crate::text::sanitize::clean_path;
use crate::xml;

/// The domains, and the settings for their vGPUs.
#[derive(Args, Debug)]
pub(super) struct GuestArgs {
    /// Domain XML files or folders; stdin if there are none
    files: Vec<PathBuf>,
    /// The vGPU's UUID
    #[arg(long, value_parser = uuid)]
    uuid: Option<Uuid>,
    /// The vGPU's type [default: the recorded one]
    #[arg(long = "type", value_name = "TYPE", value_parser = vgpu_type)]
    vgpu_type: Option<String>,
    /// The Intel GPU's PCI address [default: the recorded one]
    #[arg(long, value_name = "ADDRESS", value_parser = pci)]
    pci: Option<String>,
    /// File name to assume for stdin
    #[arg(long, value_name = "NAME")]
    stdin_filename: Option<String>,
    /// Largest input in MiB; 0 for no limit
    #[arg(long, value_name = "MIB", default_value_t = 16)]
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
) -> Result<Vec<Guest>, String> {
    let (files, origin) = (files.to_vec(), origin.clone());
    GuestArgs {
        files,
        uuid: None,
        vgpu_type: None,
        pci: None,
        stdin_filename: None,
        max_size: 16,
        origin,
    }
    .read(root, "sudo gvtg-xml host -")
}

/// Returns the default vGPU type: one that nearly every GPU of the machine's generation offers, or
/// of the generations since Skylake if the GPU is unknown.
fn default_type(root: &Root, pci: &str) -> &'static str {
    let gpu = gpu::at(root, pci).present();
    if gpu.is_some_and(|gpu| gpu.generation == Generation::Broadwell) {
        "i915-GVTg_V4_4"
    } else {
        "i915-GVTg_V5_4"
    }
}

/// Prints a note for each vGPU whose type is a default.
pub(super) fn say_defaults(guests: &[Guest]) {
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

/// Returns the settings from the configuration in the current folder.
pub(super) fn local_settings(origin: &OriginArgs) -> Result<Settings, String> {
    let describe_error = |failure: LoadError| configs::say(&failure, ColorChoice::Auto);
    let mut configs =
        Configs::new(origin.origin(), PartialConfig::default(), None).map_err(describe_error)?;
    let resolved = configs.find_in(Path::new(""), None).map_err(describe_error)?;
    configs::print_skipped_configs(&configs);
    Ok(resolved.in_force.settings.clone())
}

impl GuestArgs {
    /// Reads the domains, in the given order, for the machine below this root. `pipe` is the
    /// command that reads a domain from stdin, for help texts.
    pub(super) fn read(&self, root: &Root, pipe: &str) -> Result<Vec<Guest>, String> {
        if self.files.is_empty() && io::stdin_is_terminal() {
            return Err(
                "no input: name a FILE, or pipe a domain's XML in\n  help: `virsh dumpxml --inactive win10 | gvtg-xml emit hook`".into()
            );
        }
        let Files { inputs, unreadable, .. } = collect(&self.files);
        if let Some((path, message)) = unreadable.first() {
            return Err(format!("{}: can't be read: {message}", path.display()));
        }
        let describe_error = |failure: LoadError| configs::say(&failure, ColorChoice::Auto);
        let mut configs = Configs::new(self.origin.origin(), PartialConfig::default(), None)
            .map_err(describe_error)?;
        let (effective_configs, _) =
            configs::of_inputs(&mut configs, &inputs, self.stdin_filename.as_deref())
                .map_err(describe_error)?;
        let (mut guests, mut sources) = (Vec::new(), Vec::new());
        for (input, effective) in inputs.iter().zip(&effective_configs) {
            let is_stdin = input.path.as_os_str() == "-";
            let name = if is_stdin {
                self.stdin_filename.clone().unwrap_or("<stdin>".into())
            } else {
                input.path.display().to_string()
            };
            let bytes = io::read(&input.path, self.max_size).map_err(|message| {
                lint::unreadable_message(&input.path, &name, &message, "", pipe)
            })?;
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
            return Err(format!(
                "{}: no domain with a vGPU found: run `gvtg-xml fix` on a domain first",
                places.join(", ")
            ));
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
    ) -> Result<Option<Guest>, String> {
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
        let text = xml::decode(bytes)
            .map_err(|error| lint::located(name, lint::position_in(bytes, &error), &error))?;
        let source = Source::new(name, text);
        let located = |offset: usize, message: &str, help: &str| {
            let position = source.position(offset);
            format!(
                "{name}:{}:{}: error: {message}\n  help: {help}",
                position.line, position.column
            )
        };
        domain::read(text, &settings, |domain| {
            if skips_unrelated && !uses_gvtg(domain) {
                return Ok(None);
            }
            guest(domain, options).map(Some)
        })
        .map_err(|error| located(error.offset, &error.message, &error.help))?
        .map_err(|error| located(error.offset, &error.message, &error.help))
    }
}
