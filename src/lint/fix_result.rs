//! What fixing a text comes to, or why it can't be done.

use std::error::Error;
use std::fmt;

use uuid::Uuid;

use crate::cross_file::Summary;
use crate::diagnostic::Diagnostic;
use crate::domain::{Domain, is_template_name, uuid_of};
use crate::source::Position;
use crate::xml::XmlError;

/// What fixing made of a text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fixed<'r> {
    /// The whole document.
    pub text: String,
    /// Whether it differs from what came in.
    pub changed: bool,
    /// What was mended, with places in the text that came in; without edits.
    pub applied: Vec<Diagnostic<'r>>,
    /// What is left, with places in the text that came in; without edits.
    pub remaining: Vec<Diagnostic<'r>>,
    /// What the text says is to be ignored, with places in the text that came in; without edits.
    pub suppressed: Vec<Diagnostic<'r>>,
    /// What the domain claims now, where it is one of several; with places in the text that came
    /// in.
    pub summary: Summary,
    /// How often the text was edited.
    pub rounds: usize,
    /// Whether fixes were left out because nothing would have shown the guest after them.
    pub display_fixes_skipped: bool,
    /// Whether an error is left because the text says so, with which nothing is sure to show the
    /// guest.
    pub ignores_errors: bool,
    /// Whether fixes were held back because nothing says that the mediated device is Intel's.
    pub fixes_skipped_unknown_vendor: bool,
    /// The domain as it is now.
    pub guest: Guest,
}

/// What of a domain there is to be known for whoever starts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guest {
    /// Its name, if it has one that no template fills in later.
    pub name: Option<String>,
    /// Whether it has a vGPU.
    pub has_vgpu: bool,
    /// The uuids of its vGPUs, as far as they have some.
    pub vgpus: Vec<Uuid>,
}

impl Guest {
    pub(super) fn of(domain: &Domain<'_>) -> Self {
        let vgpus = domain.vgpus.iter().filter_map(|vgpu| uuid_of(*vgpu)).collect();
        Guest {
            name: domain.name().filter(|name| !is_template_name(name)),
            has_vgpu: domain.has_vgpu(),
            vgpus,
        }
    }
}

/// Why a text can't be fixed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FixError {
    /// It is no domain XML: what is wrong, and where for people; the text is gone by the time
    /// somebody asks.
    Xml(XmlError, Position),
    /// The fixes of these rules undo each other: a fault in the rules.
    Loop(Vec<String>),
    /// The text grows without end, most of it by this rule.
    Growth(String),
    /// A setting of the run is wrong for this domain.
    Setting {
        /// The reason.
        message: String,
        /// The advice that goes with it: what to give instead.
        help: String,
    },
}

impl fmt::Display for FixError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FixError::Xml(error, position) => write!(
                formatter,
                "line {}, column {}: {}",
                position.line, position.column, error.message
            ),
            FixError::Loop(rules) => {
                write!(formatter, "the fixes of these rules undo each other: {}", rules.join(", "))
            }
            FixError::Setting { message, .. } => formatter.write_str(message),
            FixError::Growth(rule) => write!(
                formatter,
                "the fixes make the text grow without end, mostly those of rule {rule}"
            ),
        }
    }
}

impl Error for FixError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FixError::Xml(error, _) => Some(error),
            FixError::Loop(_) | FixError::Growth(_) | FixError::Setting { .. } => None,
        }
    }
}
