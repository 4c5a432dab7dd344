//! The flags that a configuration can also set, and those that choose the configuration.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::SettingsArgs;
use super::values::severities;
use crate::rules::schema::Severity;
use crate::settings::config::{Configs, LoadError, Origin, PartialConfig};
use crate::settings::parsers::rule_pages;

/// The flags that a configuration can also set, and those that choose the configuration.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ChoiceArgs {
    #[command(flatten)]
    rules: RuleArgs,
    /// Lowest severity for exit code 1 [default: warning]
    #[arg(long, value_name = "SEVERITY", value_parser = severities(), help_heading = "Rules")]
    #[arg(long_help = "Exit with 1 if there are findings of this severity or higher [default: \
            warning]")]
    pub(in crate::cli) fail_on: Option<Severity>,
    /// In folders, also check domains without GVT-g
    #[arg(long, value_name = "BOOL", num_args = 0..=1)]
    #[arg(require_equals = true, default_missing_value = "true")]
    #[arg(
        help_heading = "Input",
        long_help = "In folders, also check domains that do not use GVT-g"
    )]
    pub(in crate::cli) all: Option<bool>,
    #[command(flatten)]
    pub(in crate::cli) origin: OriginArgs,
    #[command(flatten)]
    pub(in crate::cli) settings: SettingsArgs,
}

/// The flags that choose rules.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct RuleArgs {
    /// Check only these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    #[arg(
        long_help = "Check only these rules or groups of rules (display, vgpu, namespace, qemu, \
            domain); `gvtg-xml explain` lists the rules"
    )]
    only: Vec<String>,
    /// Disable these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    #[arg(long_help = "Disable these rules or groups of rules; `gvtg-xml explain` lists them")]
    ignore: Vec<String>,
    /// Folder of custom rules
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Rules")]
    #[arg(long_help = "Folder of custom rules (*.toml). A rule with the ID of a built-in rule \
            replaces it")]
    rules: Option<PathBuf>,
    /// Base URL of the rules' pages
    #[arg(long, value_name = "URL", value_parser = rule_pages, help_heading = "Rules")]
    #[arg(long_help = "Base URL of the rules' pages: SARIF reports and editors link to this URL \
            followed by the rule's ID")]
    rule_pages: Option<String>,
}

/// The flags that choose the configuration.
#[derive(Args, Clone, Debug, Default)]
pub(in crate::cli) struct OriginArgs {
    /// Configuration [default: the nearest gvtg-xml.toml]
    #[arg(long, value_name = "FILE", conflicts_with = "isolated", help_heading = "Configuration")]
    #[arg(long_help = "Configuration to use [default: the nearest gvtg-xml.toml, in the file's \
            folder or above]")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Do not read any configuration
    #[arg(long, help_heading = "Configuration")]
    pub(in crate::cli) isolated: bool,
}

impl OriginArgs {
    /// Returns the configuration that these flags choose.
    pub(in crate::cli) fn origin(&self) -> Origin {
        match &self.config {
            _ if self.isolated => Origin::Nowhere,
            Some(path) => Origin::Named(path.clone()),
            None => Origin::Nearest,
        }
    }
}

impl RuleArgs {
    /// Adds the values of these flags to a configuration.
    pub(in crate::cli) fn added_to(&self, config: PartialConfig) -> PartialConfig {
        let names = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
        config
            .with("only", names(&self.only))
            .with("ignore", names(&self.ignore))
            .with("rule-pages", self.rule_pages.clone())
            .with("rules", self.rules.clone())
    }
}

impl ChoiceArgs {
    /// Returns the values of the flags, to merge with a configuration.
    pub(in crate::cli) fn choices(&self, unsafe_fixes: Option<bool>) -> PartialConfig {
        let settings = self
            .settings
            .choices()
            .with("fail-on", self.fail_on.map(Severity::name))
            .with("unsafe-fixes", unsafe_fixes)
            .with("all", self.all);
        self.rules.added_to(settings)
    }

    /// Returns the configurations for a run with these flags.
    ///
    /// # Errors
    /// Fails if the custom rules of `--rules` can't be loaded.
    pub(in crate::cli) fn configs(&self, unsafe_fixes: Option<bool>) -> Result<Configs, LoadError> {
        Configs::new(self.origin.origin(), self.choices(unsafe_fixes))
    }
}
