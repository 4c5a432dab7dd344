//! `gvtg-xml kubevirt`: KubeVirt's hook onDefineDomain, which receives a VM and its domain, and
//! prints the domain to define.
//!
//! The domain runs in a pod: there is no X display, the device plugin chooses the vGPU's uuid, and
//! there already is a screen (VGA over VNC). So, unless a display is requested, the existing
//! display stays, and the vGPU only gets what Intel's driver in the guest needs.

use clap::{Args, Command, FromArgMatches, ValueHint};
use miette::Diagnostic;
use thiserror::Error;

use super::error::{DocumentError, fail};
use super::flags::{ColorChoice, Offering};
use super::io::StdoutError;
use super::terminal::TerminalStyle;
use super::{Status, io};
use crate::domain::{self, Domain, Settings};
use crate::lint::{FixError, Foreign, Linter, skip_reason};
use crate::report::{Concise, FileFindings, Part, Report, State};
use crate::rules::schema::Severity;
use crate::rules::{RuleRef, builtin};
use crate::settings::SettingError;
use crate::settings::config::{EffectiveConfig, PartialConfig};
use crate::settings::parsers::{display, libvirt, romfile};
use crate::settings::table::libvirt_words;
use crate::text::Source;
use crate::text::sanitize::clean;
use crate::version::Version;

mod vmi;

use vmi::{ANNOTATION, Vmi, VmiError, is_intel_resource, is_other_vendors_resource};

/// Rules about QEMU's window and what it shows; disabled unless a display is requested.
const NOT_IN_A_POD: &str = include_str!("not-in-a-pod.txt");

/// Name of the domain in messages.
const NAME: &str = "<domain>";

/// Fix the domain of a KubeVirt VM, as KubeVirt's hook
///
/// Implements KubeVirt's onDefineDomain hook: it prints the domain that KubeVirt will define, fixed
/// or unchanged, on stdout, and a report on stderr. If gvtg-xml is called as onDefineDomain, for
/// example through a link, it runs this command.
///
/// The guest's display stays as it is, since a pod has no X display: the vGPU only gets what
/// Intel's driver in the guest needs. With --display, the vGPU is shown instead of KubeVirt's VGA
/// card. A VM's gvtg-xml/flags annotation sets flags for that VM; a flag on the command line takes
/// precedence.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  gvtg-xml kubevirt --vmi \"$(cat vmi.json)\" --domain \"$(cat win10.xml)\"  # as KubeVirt calls it
  gvtg-xml kubevirt --display egl-headless --vmi \"$(cat vmi.json)\" --domain \"$(cat \
      win10.xml)\"  # show the vGPU over VNC",
    after_long_help = "\
Exit codes:
  0  The domain was printed, even if findings are left
  2  The command failed, stdout is empty, and KubeVirt does not start the VM

Files:
  /usr/bin/onDefineDomain  In the sidecar image: a link to gvtg-xml, or a script that runs it

See also:
  virsh(1)"
)]
pub(super) struct KubevirtArgs {
    /// The VirtualMachineInstance
    #[arg(long, value_name = "JSON")]
    #[arg(long_help = "The VirtualMachineInstance, as JSON; KubeVirt passes it")]
    vmi: String,
    /// The domain that KubeVirt generated for it
    #[arg(long, value_name = "XML")]
    #[arg(long_help = "The domain that KubeVirt generated for it, as XML; KubeVirt passes it")]
    domain: String,
    /// Print no report on stderr
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    wanted: WantedArgs,
}

/// Flags that can also be set in the VM's annotation.
#[derive(Args, Debug)]
struct WantedArgs {
    /// virt-launcher's libvirt: 9.0 or newest (8.5+)
    #[arg(long, value_name = "VERSION")]
    #[arg(value_parser = Offering::new(libvirt, libvirt_words), hide_possible_values = true)]
    #[arg(
        long_help = "The libvirt in virt-launcher: a version such as 9.0, or `newest` (the syntax \
            for 8.5 and later) [default: newest]"
    )]
    libvirt: Option<Version>,
    /// Also show the vGPU: egl-headless for VNC
    #[arg(long, value_parser = display)]
    #[arg(long_help = "Also show the vGPU, with this value of QEMU's -display: egl-headless for \
            KubeVirt's VNC, if virt-launcher's QEMU has OpenGL and a render node")]
    display: Option<String>,
    /// Option ROM for the vGPU of a UEFI guest
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = romfile)]
    #[arg(
        long_help = "Absolute path of an option ROM (GPU firmware) in virt-launcher's file system; \
            some UEFI guests show no picture without one"
    )]
    romfile: Option<String>,
    /// With --display, keep KubeVirt's VGA card too
    #[arg(long, value_name = "BOOL", num_args = 0..=1)]
    #[arg(require_equals = true, default_missing_value = "true")]
    keep_video: Option<bool>,
    /// Treat the vGPU as Intel's
    #[arg(
        long,
        long_help = "Treat the vGPU as Intel's even if its resource name does not show it"
    )]
    assume_intel: bool,
    /// Disable these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    #[arg(long_help = "Disable these rules or groups of rules; `gvtg-xml explain` lists them")]
    ignore: Vec<String>,
}

/// An error of `kubevirt`.
#[derive(Debug, Error, Diagnostic)]
enum KubevirtError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vmi(#[from] VmiError),
    #[error("--vmi: annotation {ANNOTATION}: {0}")]
    AnnotationFlags(String),
    #[error("--domain: {0}")]
    Domain(Foreign),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Settings(#[from] SettingError),
    #[error("{NAME}: {0}")]
    Fix(FixError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdout(#[from] StdoutError),
}

pub(super) fn run(args: &KubevirtArgs) -> Status {
    let printed = fix_domain(args).and_then(|(text, report)| {
        io::print(&text)?;
        if !args.quiet {
            io::eprint_all(&report);
        }
        Ok(Status::Clean)
    });
    printed.unwrap_or_else(|error| fail(&error))
}

/// Returns the domain to define, and a report on it.
fn fix_domain(args: &KubevirtArgs) -> Result<(String, String), KubevirtError> {
    let vmi = Vmi::read(&args.vmi)?;
    let wanted = args.wanted.merged_with(&annotation_flags(&vmi)?);
    let text = args.domain.as_str();
    if let Some(reason) = skip_reason(text.as_bytes()) {
        return Err(KubevirtError::Domain(reason));
    }
    let source = Source::new(NAME, text);
    let reason_unchanged = domain::read(text, &Settings::default(), |domain| {
        reason_unchanged(domain, &vmi, wanted.assume_intel)
    })
    .map_err(|error| DocumentError::new(NAME, source.position(error.offset), &error))?;
    if let Some(reason) = reason_unchanged {
        return Ok((
            text.to_owned(),
            format!("gvtg-xml: domain left unchanged: {}\n", clean(&reason)),
        ));
    }
    let rules = builtin().iter().map(RuleRef::from).collect();
    let effective = EffectiveConfig::of_flags(&wanted.choices(), rules)?;
    let rules = effective.rules.set();
    let fixed =
        Linter::new(&rules, &effective.settings).fix(text.to_owned()).map_err(
            |error| match error {
                FixError::Xml(error, position) => {
                    KubevirtError::Document(DocumentError::new(NAME, position, &error))
                }
                other => KubevirtError::Fix(other),
            },
        )?;
    let part = |state, diagnostics| Part { state, source: &source, diagnostics };
    let parts = [part(State::Fixed, &*fixed.applied), part(State::Remaining, &*fixed.remaining)];
    let mut report = String::new();
    let findings = FileFindings { name: NAME, parts: &parts, fail_on: Severity::Error };
    Concise::with_help(TerminalStyle::of_stderr(ColorChoice::Auto).color)
        .file(&findings, &mut report);
    report.push_str(&format!(
        "gvtg-xml: {} fixed, {} left\n",
        fixed.applied.len(),
        fixed.remaining.len()
    ));
    if domain::read(&fixed.text, &effective.settings, lacks_opengl).unwrap_or(false) {
        report.push_str(NO_OPENGL_NOTE);
    }
    Ok((fixed.text, report))
}

/// Returns why a domain is left unchanged; `None` if it is to be fixed. QEMU exits if another
/// vendor's vGPU has Intel's properties.
fn reason_unchanged(domain: &Domain<'_>, vmi: &Vmi, assume_intel: bool) -> Option<String> {
    if !domain.vgpus.iter().any(|vgpu| vgpu.attribute("model") == Some("vfio-pci")) {
        return Some("it has no vGPU: add one to spec.domain.devices.gpus of the VM".into());
    }
    if let Some((_, reason)) = domain.unsuitable() {
        return Some(reason);
    }
    let is_known = assume_intel || domain.has_gvtg_sign();
    domain.vgpus.iter().find_map(|vgpu| match domain.alias_of(*vgpu).and_then(|alias| vmi.resource(alias)) {
        Some(resource) if is_other_vendors_resource(resource) => Some(format!("its {resource} is not an Intel vGPU")),
        Some(resource) if is_known || is_intel_resource(resource) => None,
        None if is_known => None,
        Some(resource) => Some(format!("cannot tell whether its {resource} is Intel's: pass --assume-intel if it is")),
        None => Some("cannot tell whether its vGPU is Intel's, since the VM names no resource for it: pass --assume-intel if it is".into()),
    })
}

/// Whether the vGPU's display is on, but nothing with OpenGL shows it.
fn lacks_opengl(domain: &Domain<'_>) -> bool {
    domain.vgpu.is_some_and(|vgpu| vgpu.attribute("display") == Some("on"))
        && !domain.is_shown_by_graphics()
}

const NO_OPENGL_NOTE: &str = "gvtg-xml: QEMU exits at startup because this vGPU's display is on: KubeVirt's VNC has no OpenGL to show it\n  \
    help: add `virtualGPUOptions: {display: {enabled: false}}` to the VM's gpus; the VM keeps its VGA card, and remote desktop shows the vGPU\n";

/// Parses the flags in the VM's annotation.
fn annotation_flags(vmi: &Vmi) -> Result<WantedArgs, KubevirtError> {
    let arguments = vmi.flags()?;
    let command = WantedArgs::augment_args(
        Command::new("gvtg-xml").no_binary_name(true).disable_help_flag(true),
    );
    let matches = command
        .try_get_matches_from(arguments)
        .and_then(|matches| WantedArgs::from_arg_matches(&matches));
    matches.map_err(|error| {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or("").trim_start_matches("error: ");
        KubevirtError::AnnotationFlags(message.to_owned())
    })
}

impl WantedArgs {
    /// Merges two sets of flags; `self` wins.
    fn merged_with(&self, others: &Self) -> Self {
        WantedArgs {
            libvirt: self.libvirt.or(others.libvirt),
            display: self.display.clone().or_else(|| others.display.clone()),
            romfile: self.romfile.clone().or_else(|| others.romfile.clone()),
            keep_video: self.keep_video.or(others.keep_video),
            assume_intel: self.assume_intel || others.assume_intel,
            ignore: [&*self.ignore, &*others.ignore].concat(),
        }
    }

    /// Converts the flags to a configuration, with the rules that apply in a pod.
    fn choices(self) -> PartialConfig {
        let mut only = vec!["vgpu", "namespace", "qemu"];
        let mut ignore = self.ignore;
        match self.display {
            Some(_) => only.push("display"),
            None => ignore.extend(NOT_IN_A_POD.lines().map(str::to_owned)),
        }
        let only: Vec<String> = only.into_iter().map(str::to_owned).collect();
        PartialConfig::default()
            .with("libvirt", self.libvirt.map(|version| version.to_string()))
            .with("display", self.display)
            .with("romfile", self.romfile)
            .with("keep-video", self.keep_video)
            .with("only", Some(only))
            .with("ignore", Some(ignore))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_only_existing_rules() {
        for id in NOT_IN_A_POD.lines() {
            assert!(builtin().iter().any(|rule| rule.id == id), "{id}");
        }
    }
}
