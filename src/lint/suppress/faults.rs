//! Finds the faulty and unused suppressions among those of a document, and makes their fixes. Which
//! of them to look for is decided by [`suppression_rules`](crate::lint::suppression_rules).

use std::ops::Range;

use super::{MAX_TYPO_LOOKUPS, NamePlace, Suppressions};
use crate::domain::{Suppression, SuppressionForm};
use crate::fix::Change;
use crate::rules::finding::Finding;
use crate::rules::schema::{Check, SuppressionFault};
use crate::rules::{Rule, UnknownRuleError, of_host};
use crate::xml::Element;
use foldhash::{HashMap, HashMapExt, HashSet};

/// Names longer than this, in bytes, are not compared with the names of rules.
const MAX_NAME_LEN: usize = 64;

impl<'c, 'd> Suppressions<'c, 'd> {
    /// Returns the findings about suppressions with this fault. Only those of `reportable_names`
    /// are reported as unused.
    pub fn faults<'r>(
        &self,
        rule: &'r Rule,
        fault: SuppressionFault,
        known: &[&Rule],
        reportable_names: &HashSet<&str>,
    ) -> Vec<Finding<'d, 'r>> {
        match fault {
            SuppressionFault::Unreadable => self.unreadable(rule),
            SuppressionFault::WithoutReason => self.without_reason(rule),
            SuppressionFault::UnknownRule => self.of_unknown_rules(rule, known),
            SuppressionFault::Unused => self.unused_suppressions(rule, reportable_names),
        }
    }

    fn unreadable<'r>(&self, rule: &'r Rule) -> Vec<Finding<'d, 'r>> {
        let unreadable = self
            .all
            .iter()
            .filter_map(|suppression| Some((suppression, suppression.error.as_deref()?)));
        unreadable
            .map(|(suppression, fault)| {
                finding_at(rule, suppression, suppression.span.clone()).with_value("what", fault)
            })
            .collect()
    }

    fn without_reason<'r>(&self, rule: &'r Rule) -> Vec<Finding<'d, 'r>> {
        let without_reason = self
            .all
            .iter()
            .filter(|suppression| suppression.error.is_none() && suppression.reason.is_empty());
        without_reason
            .map(|suppression| finding_at(rule, suppression, suppression.span.clone()))
            .collect()
    }

    fn of_unknown_rules<'r>(&self, rule: &'r Rule, known: &[&Rule]) -> Vec<Finding<'d, 'r>> {
        let named =
            self.all.iter().enumerate().filter(|(_, suppression)| suppression.error.is_none());
        let places = named.flat_map(|(index, suppression)| {
            (0..suppression.names.len()).map(move |place| (index, place))
        });
        let unknown = places.filter_map(|place| {
            self.unknown.get(self.name(place)).map(|suggestion| (place, *suggestion))
        });
        unknown
            .map(|((index, place), suggestion)| {
                let (suppression, name) = (&self.all[index], self.name((index, place)));
                let range = suppression.names[place].clone();
                let finding = finding_at(rule, suppression, range.clone())
                    .with_value(
                        "what",
                        unknown_rule_message(
                            name,
                            suggestion,
                            known,
                            self.unknown.len() <= MAX_TYPO_LOOKUPS,
                        ),
                    )
                    .with_value("other", suggestion.unwrap_or(""));
                match (suggestion, suppression.form) {
                    (None, _) => finding,
                    (Some(suggestion), SuppressionForm::Metadata(element)) => finding.fixed_by(
                        vec![Change::SetAttribute(element, "rule".into(), suggestion.to_owned())],
                    ),
                    (Some(suggestion), _) => {
                        finding.fixed_by(vec![Change::EditComment(range, suggestion.to_owned())])
                    }
                }
            })
            .collect()
    }

    /// The rules and groups with unused suppressions, among those in `reportable_names`.
    pub fn unused_names(&self, reportable_names: &HashSet<&str>) -> HashSet<&'c str> {
        self.unused(reportable_names).into_keys().collect()
    }

    /// The unused suppressions, by the rule or group that they name.
    fn unused(&self, reportable_names: &HashSet<&str>) -> HashMap<&'c str, HashSet<NamePlace>> {
        let is_valid = |(index, _): &NamePlace| {
            self.all[*index].error.is_none() && !self.all[*index].reason.is_empty()
        };
        let mut unused = HashMap::new();
        for (name, scopes) in
            self.by_name.iter().filter(|(name, _)| reportable_names.contains(*name))
        {
            let places: HashSet<NamePlace> = scopes.unused().into_iter().filter(is_valid).collect();
            if !places.is_empty() {
                unused.insert(*name, places);
            }
        }
        unused
    }

    fn unused_suppressions<'r>(
        &self,
        rule: &'r Rule,
        reportable_names: &HashSet<&str>,
    ) -> Vec<Finding<'d, 'r>> {
        let unused: HashSet<NamePlace> =
            self.unused(reportable_names).into_values().flatten().collect();
        let mut findings = Vec::new();
        let elements = unused.iter().filter_map(|(index, _)| match self.all[*index].form {
            SuppressionForm::Metadata(element) => Some(element),
            SuppressionForm::Comment(_) | SuppressionForm::FileComment => None,
        });
        let elements: HashSet<Element<'d>> = elements.collect();
        for (index, suppression) in self.all.iter().enumerate() {
            let is_kept = |place: usize| !unused.contains(&(index, place));
            let first_kept = (0..suppression.names.len()).find(|place| is_kept(*place));
            for place in (0..suppression.names.len()).filter(|place| !is_kept(*place)) {
                let name = &suppression.names[place];
                let change = match (suppression.form, first_kept) {
                    (SuppressionForm::Metadata(element), _) => {
                        Change::Remove(with_emptied_parents(element, &elements))
                    }
                    (_, None) => Change::RemoveComment(suppression.span.clone()),
                    // Including a comma, so that the other names stay a valid list whichever of
                    // them are removed too.
                    (_, Some(kept)) if kept < place => Change::EditComment(
                        suppression.names[place - 1].end..name.end,
                        String::new(),
                    ),
                    (_, Some(_)) => Change::EditComment(
                        name.start..suppression.names[place + 1].start,
                        String::new(),
                    ),
                };
                findings.push(
                    finding_at(rule, suppression, name.clone())
                        .with_value("found", self.name((index, place)))
                        .fixed_by(vec![change]),
                );
            }
        }
        findings
    }
}

/// Returns the names of rules and groups whose suppressions can be reported as unused: all their
/// `known` rules must be `wanted`.
pub fn reportable_names<'r>(wanted: &[&Rule], known: &[&'r Rule]) -> HashSet<&'r str> {
    // Conflicts with other documents are only found next to these, so one document cannot show that
    // a suppression of them is unused.
    let is_wanted = |rule: &Rule| {
        !matches!(rule.check, Check::Across { .. })
            && wanted.iter().any(|other| other.id == rule.id)
    };
    // Suppressions of findings about suppressions always count as used.
    let is_about_domain = |rule: &&&Rule| !matches!(rule.check, Check::Suppression { .. });
    let not_reportable: HashSet<&str> = known
        .iter()
        .filter(is_about_domain)
        .filter(|rule| !is_wanted(rule))
        .flat_map(|rule| rule.names())
        .collect();
    let wanted = known
        .iter()
        .filter(is_about_domain)
        .filter(|rule| is_wanted(rule))
        .flat_map(|rule| rule.names());
    wanted.filter(|name| !not_reportable.contains(name)).collect()
}

fn finding_at<'d, 'r>(
    rule: &'r Rule,
    suppression: &Suppression<'d>,
    span: Range<usize>,
) -> Finding<'d, 'r> {
    match suppression.form {
        SuppressionForm::Metadata(element) => Finding::within(rule, element, span),
        SuppressionForm::Comment(_) | SuppressionForm::FileComment => {
            Finding::of_no_element(rule, span)
        }
    }
}

/// Returns the element, or the largest ancestor that would be empty without it and `others`.
fn with_emptied_parents<'d>(element: Element<'d>, others: &HashSet<Element<'d>>) -> Element<'d> {
    let is_emptied = |child: Element<'d>, parent: Element<'d>| {
        parent.children().all(|other| other == child || others.contains(&other))
            && parent.comments().next().is_none()
            && parent.attribute_names().next().is_none()
    };
    // The root is never removed.
    let parents = element.ancestors().take_while(|ancestor| ancestor.parent().is_some());
    parents
        .reduce(|inner, parent| if is_emptied(inner, parent) { parent } else { inner })
        .unwrap_or(element)
}

/// Returns the message about an unknown name. It suggests similar names if `is_compared`.
fn unknown_rule_message(
    name: &str,
    suggestion: Option<&str>,
    known: &[&Rule],
    is_compared: bool,
) -> String {
    if of_host().iter().any(|rule| rule.id == name) {
        return format!("the rule '{name}' is about the host, and a domain cannot suppress it");
    }
    match suggestion {
        Some(suggestion) => format!("there is no rule '{name}'; did you mean '{suggestion}'?"),
        None if name.len() > MAX_NAME_LEN => "there is no rule with such a long name".to_owned(),
        None if !is_compared => format!("there is no rule '{name}'; `gvtg-xml explain` lists them"),
        None => UnknownRuleError::new(name, known).to_string(),
    }
}
