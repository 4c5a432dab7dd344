//! The result of a fix, or its error.

use std::error::Error;
use std::fmt;

use uuid::Uuid;

use crate::domain::{Domain, is_template_name, uuid_of};
use crate::lint::Diagnostic;
use crate::lint::claims::Summary;
use crate::text::Position;
use crate::xml::XmlError;

/// The result of fixing a document.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Fixed<'r> {
    /// The complete text of the fixed document.
    pub text: String,
    /// Whether the text differs from the input.
    pub changed: bool,
    /// Findings that were fixed, with positions in the input; with edits only on request.
    pub applied: Vec<Diagnostic<'r>>,
    /// Findings that remain, with positions in the input; with edits only on request.
    pub remaining: Vec<Diagnostic<'r>>,
    /// Findings that the document suppresses, with positions in the input; without edits.
    pub suppressed: Vec<Diagnostic<'r>>,
    /// The resources that the fixed domain claims, with positions in the input; empty if it is not
    /// compared with other documents.
    pub summary: Summary,
    /// The number of passes that edited the text.
    pub rounds: usize,
    /// Whether fixes to displays were skipped because nothing would have shown the guest
    /// afterwards.
    pub display_fixes_skipped: bool,
    /// Whether the document suppresses an error because of which the guest may not be visible.
    pub ignores_errors: bool,
    /// Whether fixes were skipped because nothing shows that the mediated device is Intel's.
    pub fixes_skipped_unknown_vendor: bool,
    /// The domain after the fix.
    pub guest: Guest,
    /// Whether the domain was skipped ([`Linter::skip_unrelated`](super::Linter::skip_unrelated)).
    pub is_skipped: bool,
}

/// The properties of a domain that matter for starting its VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guest {
    /// The domain's name, unless a template fills it in later.
    pub name: Option<String>,
    /// Whether the domain has a vGPU.
    pub has_vgpu: bool,
    /// The uuids of those of its vGPUs that have one.
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

/// The reason why a document cannot be fixed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FixError {
    /// The text is not domain XML. The position is included because the text is not kept.
    Xml(XmlError, Position),
    /// The fixes of these rules undo each other; the rules are wrong.
    Loop(Vec<String>),
    /// The text grows beyond the limit, mostly because of this rule.
    Growth(String),
    /// A setting is wrong for this domain.
    Setting {
        /// The reason.
        message: String,
        /// The advice: what to set instead.
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
