//! A loaded configuration, and the part of it that applies to a document.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::merge::EffectiveConfig;
use super::model::{Config, Section};
use crate::text::Source;

/// A loaded configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The path of the file.
    pub path: PathBuf,
    /// The text of the file.
    pub text: String,
    /// The parsed text.
    pub config: Config,
    /// The folder that its patterns are relative to, without symbolic links.
    pub(super) base: PathBuf,
}

/// The effective configuration for a document, and its sources.
#[derive(Clone, Debug)]
pub struct ResolvedConfig {
    /// The configuration, if there is one.
    pub loaded: Option<Rc<Loaded>>,
    /// The indices of the overrides that apply to the document.
    pub overrides: Vec<usize>,
    /// The effective configuration.
    pub in_force: Arc<EffectiveConfig>,
}

impl Loaded {
    /// The sections that apply to a document, given the indices of its overrides.
    pub fn sections(&self, overrides: &[usize]) -> Vec<&Section> {
        let override_sections = overrides
            .iter()
            .filter_map(|&index| self.config.overrides.get(index))
            .map(|matching_override| &matching_override.section);
        std::iter::once(&self.config.section).chain(override_sections).collect()
    }

    /// The indices of the overrides that match a file.
    pub(super) fn overrides_for(&self, file: Option<&Path>) -> Vec<usize> {
        let Some(file) = file else { return Vec::new() };
        let matches = |index: &usize| {
            self.config.overrides[*index].files.iter().any(|glob| glob.matches(&self.base, file))
        };
        (0..self.config.overrides.len()).filter(matches).collect()
    }

    /// The 1-based line at which a byte range of its text starts.
    pub fn line(&self, span: &Range<usize>) -> usize {
        Source::new("", &self.text).position(span.start).line
    }
}
