//! A configuration that was read, and what of it counts for a document.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::merge::EffectiveConfig;
use super::model::{Config, Section};
use crate::source::Source;

/// A configuration that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What it says.
    pub config: Config,
    /// The folder that its patterns begin at, as the kernel sees it.
    pub(super) base: PathBuf,
}

/// What is in force for a document, and what it comes from.
#[derive(Clone, Debug)]
pub struct ResolvedConfig {
    /// The configuration.
    pub loaded: Option<Rc<Loaded>>,
    /// The overrides that are about the document, by their number.
    pub overrides: Vec<usize>,
    /// What is in force.
    pub in_force: Arc<EffectiveConfig>,
}

impl Loaded {
    /// What it says of a document for which these overrides count.
    pub fn sections(&self, overrides: &[usize]) -> Vec<&Section> {
        let of_files = overrides
            .iter()
            .filter_map(|&index| self.config.overrides.get(index))
            .map(|one| &one.section);
        std::iter::once(&self.config.section).chain(of_files).collect()
    }

    /// The overrides that are about a file.
    pub(super) fn overrides_for(&self, file: Option<&Path>) -> Vec<usize> {
        let Some(file) = file else { return Vec::new() };
        let is_about = |index: &usize| {
            self.config.overrides[*index].files.iter().any(|glob| glob.matches(&self.base, file))
        };
        (0..self.config.overrides.len()).filter(is_about).collect()
    }

    /// The 1-based line of something in it.
    pub fn line(&self, span: &Range<usize>) -> usize {
        Source::new("", &self.text).position(span.start).line
    }
}
