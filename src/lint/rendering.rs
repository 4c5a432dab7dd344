//! Renders findings as diagnostics.

use std::ops::Range;

use super::SMALL_TEXT;
use super::removals::other_removals;
use crate::domain::Domain;
use crate::fix::{self, Change};
use crate::lint::{Detail, Diagnostic, Fix, Related};
use crate::rules::finding::Finding;
use crate::rules::schema::Group;
use crate::rules::template;
use crate::text::{Applicability, Edits};
use crate::xml::fragment::Style;

/// Limit on the places renamed in the edits of single findings. In a domain with thousands of
/// `-set` that name renumbered devices, each of thousands of findings would rename all of them, and
/// each removed device the thousands after it. Beyond the limit only `fix`, which renames once,
/// shows the changes.
const MAX_RENAMES_IN_EDITS: usize = 20_000;

/// Limit on the new text in the edits of all findings, as a multiple of the document's size, plus
/// [`SMALL_TEXT`]. With thousands of nested blocks, each finding's edits would contain all blocks
/// inside its own. Beyond the limit only `fix` shows the changes.
const MAX_EDIT_FACTOR: usize = 4;

impl<'d, 'r> Finding<'d, 'r> {
    /// Whether other fixes must wait for this one: elements that move into libvirt's namespace, or
    /// devices that move into the `<devices>` that rules search, only take effect afterwards.
    pub(super) fn is_first(&self, domain: &Domain<'d>) -> bool {
        self.moves_into_devices(domain)
            || self.rule.group == Group::Namespace
                && !matches!(self.changes(), [] | [Change::DeclareNamespace])
    }

    /// Whether the fix may be made together with one that others wait for.
    pub(super) fn may_be_first(&self, domain: &Domain<'d>) -> bool {
        self.moves_into_devices(domain) || self.rule.group == Group::Namespace
    }

    fn moves_into_devices(&self, domain: &Domain<'d>) -> bool {
        let moves_there = |change: &Change<'d>| matches!(change, Change::InsertSource(block, _) if Some(*block) == domain.devices);
        self.changes().iter().any(moves_there)
    }

    /// Converts the finding to a diagnostic; with a style, it gets the edits that fix it alone.
    fn diagnostic(
        &self,
        domain: &Domain<'d>,
        detail: Detail,
        style: Option<&Style>,
    ) -> Diagnostic<'r> {
        let source = domain.document.source();
        let Finding { rule, applicability, suppression_state, conflict, template, .. } = self;
        let render =
            |text: &str| template::render_message(text, domain, self.element, &self.values);
        let has_words = detail >= Detail::Words;
        let related = |(span, message): &(Range<usize>, String)| Related {
            file: None,
            span: span.clone(),
            start: source.position(span.start),
            message: message.clone(),
            is_removed: false,
        };
        let fix = match (applicability, rule.fix_for(domain.settings.libvirt)) {
            (Some(applicability), Some(fix)) => {
                let edits = style.map_or_else(Edits::default, |style| {
                    fix::edits(domain, style, self.changes().iter())
                });
                let with_property = if self.gives_property { fix.property.as_ref() } else { None };
                let title = with_property
                    .and_then(|property| property.title.as_ref())
                    .unwrap_or(&fix.title);
                let title = if has_words { render(title) } else { String::new() };
                let may_lose = || {
                    self.risk
                        .map(|risk| risk.words().to_owned())
                        .or_else(|| fix.risk.as_deref().map(render))
                };
                let risk = if has_words && *applicability == Applicability::Unsafe {
                    may_lose()
                } else {
                    None
                };
                Some(Fix { title, applicability: *applicability, risk, edits })
            }
            _ => None,
        };
        let also_removed = other_removals(domain, self.changes(), &self.span);
        let (start, end) = source.positions(self.span.clone());
        let message = match &rule.message_once_removed {
            Some(message) if self.is_pending => message,
            _ => &rule.message,
        };
        Diagnostic {
            rule: (*rule).into(),
            severity: rule.severity,
            span: self.span.clone(),
            start,
            end,
            message: match template {
                Some(expression) => format!(
                    "{}; {} is filled in later by a template",
                    render(message),
                    template::clipped(expression)
                ),
                None => render(message),
            },
            help: if has_words { rule.help.as_deref().map(render) } else { None },
            related: self
                .related
                .iter()
                .map(related)
                .chain(also_removed)
                .chain(conflict.clone())
                .collect(),
            fix,
            in_inserted_text: false,
            reason: suppression_state.reason().map(str::to_owned),
        }
    }
}

/// Converts findings to diagnostics, in the order of the text; with a style, each gets the edits
/// that fix it alone.
pub(super) fn diagnostics<'f, 'd: 'f, 'r: 'f>(
    domain: &Domain<'d>,
    findings: impl Iterator<Item = &'f Finding<'d, 'r>>,
    detail: Detail,
    style: Option<&Style>,
) -> Vec<Diagnostic<'r>> {
    let Some(style) = style else {
        let mut diagnostics: Vec<_> =
            findings.map(|finding| finding.diagnostic(domain, detail, None)).collect();
        sort(&mut diagnostics);
        return diagnostics;
    };
    let findings: Vec<_> = findings.collect();
    let mut budget = EditBudget::new(domain, &findings);
    let mut diagnostics: Vec<_> = findings
        .into_iter()
        .map(|finding| budget.diagnostic(finding, domain, detail, style))
        .collect();
    sort(&mut diagnostics);
    diagnostics
}

/// Decides which findings get the edits that fix them alone, within the limits above.
pub(super) struct EditBudget {
    /// Whether some fixes must wait for others: their edits may not be needed after these.
    some_wait: bool,
    renames_left: usize,
    bytes_left: usize,
}

impl EditBudget {
    /// The budget for edits of some or all of these findings, which are all that are not
    /// suppressed.
    pub(super) fn new<'d>(domain: &Domain<'d>, findings: &[&Finding<'d, '_>]) -> Self {
        let length = domain.document.text().len();
        EditBudget {
            some_wait: findings
                .iter()
                .any(|finding| finding.is_fixable(Applicability::Safe) && finding.is_first(domain)),
            renames_left: MAX_RENAMES_IN_EDITS,
            bytes_left: length.saturating_mul(MAX_EDIT_FACTOR).saturating_add(SMALL_TEXT),
        }
    }

    /// Converts a finding to a diagnostic; it has edits if they are within the budget and need not
    /// wait for another fix.
    pub(super) fn diagnostic<'d, 'r>(
        &mut self,
        finding: &Finding<'d, 'r>,
        domain: &Domain<'d>,
        detail: Detail,
        style: &Style,
    ) -> Diagnostic<'r> {
        if self.renames_left > 0 {
            self.renames_left = self.renames_left.saturating_sub(renames(finding, domain));
        }
        let has_edits = self.renames_left > 0 && (!self.some_wait || finding.may_be_first(domain));
        let style = if has_edits { Some(style) } else { None };
        let mut diagnostic = finding.diagnostic(domain, detail, style);
        if let Some(fix) = &mut diagnostic.fix {
            match self.bytes_left.checked_sub(fix.edits.inserted_len()) {
                Some(rest) => self.bytes_left = rest,
                None => fix.edits = Edits::default(),
            }
        }
        diagnostic
    }
}

/// The number of places that the edits of a finding may rename.
fn renames<'d>(finding: &Finding<'d, '_>, domain: &Domain<'d>) -> usize {
    let mut count = 0;
    if finding.changes().contains(&Change::NameVgpu) {
        count += domain.renaming().len();
    }
    if finding.changes().iter().any(|change| matches!(change, Change::Remove(_))) {
        let kinds = &domain.references().kinds;
        count += kinds.iter().map(|kind| kind.devices.len()).sum::<usize>();
        // Removing a host device changes the numbers of those after it, which every -set may name.
        if finding.removed().any(|element| domain.alias_of(element).is_some()) {
            count += domain.host_devices.len() + domain.sets.len();
        }
    }
    count
}

/// Sorts diagnostics by their places in the text.
pub(super) fn sort(diagnostics: &mut [Diagnostic<'_>]) {
    diagnostics.sort_by(|left, right| {
        let key = |diagnostic: &Diagnostic<'_>| (diagnostic.start, diagnostic.end);
        key(left).cmp(&key(right)).then_with(|| left.rule.id.cmp(&right.rule.id))
    });
}
