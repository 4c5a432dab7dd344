//! The flags that a configuration can also set, and those that choose the configuration.

use std::path::PathBuf;

use clap::Args;

use super::SettingsArgs;
use crate::settings::config::{Configs, LoadError, Origin};

/// The flags that a configuration can also set, and those that choose the configuration.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ChoiceArgs {
    #[command(flatten)]
    pub(in crate::cli) settings: SettingsArgs,
    #[command(flatten)]
    pub(in crate::cli) origin: OriginArgs,
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

impl ChoiceArgs {
    /// Returns the configurations for a run with these flags.
    ///
    /// # Errors
    /// Fails if the custom rules of `--rules` can't be loaded.
    pub(in crate::cli) fn configs(&self) -> Result<Configs, LoadError> {
        Configs::new(self.origin.origin(), self.settings.values.clone())
    }
}
