//! Command-line arguments. A flag that is not given is `None`, or `false` if it is a switch;
//! `options.rs` and the configuration supply the defaults.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::generate;
use super::output::OutputArgs;
use crate::domain::{Audio, SettingOverrides};
use crate::rules::schema::Severity;
use crate::settings::config::{Configs, LoadError, Origin, PartialConfig};
use crate::settings::parsers::{
    alias, audio, display, display_env, gdk_scale, libvirt, pci, romfile, rule_pages, severity,
    uuid, vgpu_type,
};
use crate::version::Version;

#[derive(Args, Debug)]
pub(super) struct LintArgs {
    /// Domain XML files or folders; stdin if there are none
    pub(super) files: Vec<PathBuf>,
    /// Print only the findings
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

#[derive(Args, Debug)]
pub(super) struct FixArgs {
    /// Domain XML file; stdin if there is none
    pub(super) files: Vec<PathBuf>,
    /// Change the files instead of writing to stdout
    #[arg(long, short, conflicts_with_all = ["diff", "check"])]
    pub(super) in_place: bool,
    /// Show the changes as a diff; write nothing
    #[arg(long, conflicts_with = "check")]
    pub(super) diff: bool,
    /// List the files that would change; write nothing
    #[arg(long)]
    pub(super) check: bool,
    /// Also apply fixes that may lose something you want
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) unsafe_fixes: Option<bool>,
    /// Add suppressions for these rules (requires --reason)
    #[arg(long, value_name = "RULE", value_delimiter = ',', requires = "reason")]
    #[arg(conflicts_with_all = ["format", "output_file", "statistics"])]
    pub(super) suppress: Vec<String>,
    /// Why these rules are suppressed
    #[arg(long, value_name = "TEXT", requires = "suppress")]
    pub(super) reason: Option<String>,
    /// Where --suppress writes [default: metadata]
    #[arg(long, value_name = "PLACE", value_enum, requires = "suppress")]
    pub(super) suppress_in: Option<SuppressIn>,
    /// Print no report on stderr
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// The flags that a configuration can also set, and those that choose the configuration.
#[derive(Args, Clone, Debug)]
pub(super) struct ChoiceArgs {
    /// Check only these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Disable these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
    /// Folder of custom rules
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Option<PathBuf>,
    /// Lowest severity for exit code 1 [default: warning]
    #[arg(long, value_name = "SEVERITY", value_parser = severities())]
    pub(super) fail_on: Option<Severity>,
    /// In folders, also check domains without GVT-g
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) all: Option<bool>,
    /// Base URL of the rules' pages
    #[arg(long, value_name = "URL", value_parser = rule_pages)]
    pub(super) rule_pages: Option<String>,
    #[command(flatten)]
    pub(super) origin: OriginArgs,
    #[command(flatten)]
    pub(super) settings: SettingsArgs,
}

#[derive(Args, Debug)]
pub(super) struct CommonArgs {
    /// Exit with 0 even if there are findings
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Skip files that are not GVT-g domains
    #[arg(long)]
    pub(super) skip_foreign: bool,
    /// List the skipped files, and why they are skipped
    #[arg(long, short, alias = "list-skipped")]
    pub(super) verbose: bool,
    /// File name to assume for stdin
    #[arg(long, value_name = "NAME")]
    pub(super) stdin_filename: Option<String>,
    /// Largest input in MiB; 0 for no limit [default: 16]
    #[arg(long, value_name = "MIB")]
    pub(super) max_size: Option<u64>,
    /// When to use colors [default: auto]
    #[arg(long, value_enum)]
    pub(super) color: Option<ColorChoice>,
    #[command(flatten)]
    pub(super) choices: ChoiceArgs,
}

/// The flags that choose the configuration.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct OriginArgs {
    /// Configuration [default: the nearest gvtg-xml.toml]
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    pub(super) config: Option<PathBuf>,
    /// Do not read any configuration
    #[arg(long)]
    pub(super) isolated: bool,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingsArgs {
    /// Target libvirt: 9.0, installed or newest (8.5+)
    #[arg(long, value_name = "VERSION", value_parser = libvirt)]
    pub(super) libvirt: Option<Version>,
    /// The vGPU's UUID
    #[arg(long, value_parser = uuid)]
    pub(super) uuid: Option<Uuid>,
    /// The vGPU's type, to record in the metadata
    #[arg(long = "type", value_name = "TYPE", value_parser = vgpu_type)]
    pub(super) vgpu_type: Option<String>,
    /// The Intel GPU's PCI address [default: 0000:00:02.0]
    #[arg(long, value_name = "ADDRESS", value_parser = pci)]
    pub(super) pci: Option<String>,
    /// Value of QEMU's -display [default: gtk,gl=on]
    #[arg(long, value_parser = display)]
    pub(super) display: Option<String>,
    /// X display for the QEMU window
    #[arg(long, value_name = "DISPLAY", value_parser = display_env)]
    pub(super) display_env: Option<String>,
    /// GTK scale of the QEMU window [default: 1.0]
    #[arg(long, value_name = "SCALE", value_parser = gdk_scale)]
    pub(super) gdk_scale: Option<String>,
    /// The vGPU's alias [default: ua-gvtg]
    #[arg(long, value_parser = alias)]
    pub(super) alias: Option<String>,
    /// Option ROM for the vGPU of a UEFI guest
    #[arg(long, value_name = "FILE", value_parser = romfile)]
    pub(super) romfile: Option<String>,
    /// Audio backend instead of SPICE audio [default: none]
    #[arg(long, value_name = "TYPE[,NAME=VALUE]…", value_parser = audio)]
    pub(super) audio: Option<Audio>,
    /// Keep <video>, if the guest has no vGPU driver
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) keep_video: Option<bool>,
}

/// Parses the severities of `--fail-on`, each with its help text.
fn severities() -> impl TypedValueParser<Value = Severity> {
    let meanings = [
        ("info", "Worth knowing; the VM works"),
        ("warning", "The VM runs, but not as well as it could"),
        ("error", "libvirt rejects the domain, QEMU exits, or the screen stays dark"),
    ];
    let values = meanings.map(|(name, meaning)| PossibleValue::new(name).help(meaning));
    PossibleValuesParser::new(values).try_map(|name| severity(&name))
}

impl OriginArgs {
    /// Returns the configuration that these flags choose.
    pub(super) fn origin(&self) -> Origin {
        match &self.config {
            _ if self.isolated => Origin::Nowhere,
            Some(path) => Origin::Named(path.clone()),
            None => Origin::Nearest,
        }
    }
}

impl ChoiceArgs {
    /// Returns the values of the flags, to merge with a configuration.
    pub(super) fn choices(&self, unsafe_fixes: Option<bool>) -> PartialConfig {
        let names = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
        PartialConfig {
            only: names(&self.only),
            ignore: names(&self.ignore),
            fail_on: self.fail_on,
            unsafe_fixes,
            all: self.all,
            rule_pages: self.rule_pages.clone(),
            site_rules: self.rules.clone(),
            ..self.settings.choices()
        }
    }

    /// Returns the configurations for a run with these flags.
    ///
    /// # Errors
    /// Fails if the custom rules of `--rules` can't be loaded.
    pub(super) fn configs(&self, unsafe_fixes: Option<bool>) -> Result<Configs, LoadError> {
        Configs::new(self.origin.origin(), self.choices(unsafe_fixes), self.settings.uuid)
    }
}

impl SettingsArgs {
    /// Returns the values of these flags without the uuid, which a configuration can't set.
    pub(super) fn choices(&self) -> PartialConfig {
        let wishes = SettingOverrides {
            vgpu_type: self.vgpu_type.clone(),
            pci: self.pci.clone(),
            display: self.display.clone(),
            display_env: self.display_env.clone(),
            gdk_scale: self.gdk_scale.clone(),
            alias: self.alias.clone(),
            romfile: self.romfile.clone(),
            audio: self.audio.clone(),
        };
        PartialConfig {
            libvirt: self.libvirt,
            wishes,
            keep_video: self.keep_video,
            ..PartialConfig::default()
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    /// File or folder; it does not have to exist
    pub(super) file: Option<PathBuf>,
    /// Also apply fixes that may lose something you want
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) unsafe_fixes: Option<bool>,
    /// Output format
    #[arg(long, value_enum, default_value_t = DataFormat::Text)]
    pub(super) format: DataFormat,
    /// When to use colors [default: auto]
    #[arg(long, value_enum)]
    pub(super) color: Option<ColorChoice>,
    #[command(flatten)]
    pub(super) choices: ChoiceArgs,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// Rules, groups of rules, a message, or a log FILE
    #[arg(allow_hyphen_values = true)]
    pub(super) what: Vec<String>,
    /// Folder of custom rules
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Option<PathBuf>,
    #[command(flatten)]
    pub(super) origin: OriginArgs,
}

#[derive(Args, Debug)]
pub(super) struct GenerateArgs {
    /// What to print
    #[arg(value_enum)]
    pub(super) what: generate::What,
    /// With man: write all manual pages to this folder
    pub(super) dir: Option<PathBuf>,
    /// With words: a command line whose last word is incomplete
    #[arg(last = true, hide = true)]
    pub(super) words: Vec<String>,
}

/// Format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Each finding with its lines and its fix as a diff
    Full,
    /// file:line:column: severity[rule] message
    Concise,
    /// One JSON document
    Json,
    /// One JSON document per line
    JsonLines,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow commands: annotations in pull requests
    Github,
    /// GitLab code quality report
    Gitlab,
    /// JUnit XML: one test case per finding
    Junit,
}

/// Where suppressions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SuppressIn {
    /// As a comment before the element, for that element only
    Comment,
    /// In the domain's metadata, for the whole domain
    Metadata,
}

/// Format of other output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DataFormat {
    /// Plain text
    Text,
    /// One JSON document
    Json,
}

/// Use of colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal unless NO_COLOR is set; elsewhere if FORCE_COLOR is set
    Auto,
    /// Always, also in files and pipes
    Always,
    /// Never
    Never,
}
