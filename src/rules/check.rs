//! A function for each kind of check: from a rule and a domain to what it finds.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::path::Selector;
use super::schema::{Check, Fix, Format, Operation, Rule, ShownBy, When};
use super::select::{select, select_from};
use super::{Context, code, template};
use crate::change::{Change, deliver};
use crate::domain::Form;
use crate::domain::{Domain, attribute_span, parse_uuid};
use crate::edit::Applicability;
use crate::fragment::NewElement;
use crate::property::type_of;
use crate::xml::{Element, QEMU_NAMESPACE, QEMU_PREFIX};

/// Something found, before its words are filled in.
#[derive(Debug)]
pub struct Finding<'d> {
    /// Where, in bytes.
    pub span: Range<usize>,
    /// The element that it is about.
    pub element: Option<Element<'d>>,
    /// What its words need.
    pub values: Vec<(&'static str, String)>,
    /// Other places that have to do with it.
    pub related: Vec<(Range<usize>, String)>,
    /// What mends it; None where only a person can.
    pub changes: Option<Vec<Change<'d>>>,
    /// Less sure than the rule says.
    pub is_unsafe: bool,
}

impl<'d> Finding<'d> {
    /// A finding about an element, at its start tag.
    pub fn at(element: Element<'d>) -> Self {
        Finding::within(element, element.start_tag().span)
    }

    /// A finding about an element's attribute, or its start tag where it lacks that.
    pub fn at_attribute(element: Element<'d>, name: &str) -> Self {
        Finding::within(element, attribute_span(element, name))
    }

    /// A finding about an element, at some place in it.
    pub fn within(element: Element<'d>, span: Range<usize>) -> Self {
        Finding { span, element: Some(element), values: Vec::new(), related: Vec::new(), changes: None, is_unsafe: false }
    }

    /// The same with something that its words need.
    pub fn with_value(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// The same with what mends it.
    pub fn fixed_by(mut self, changes: Vec<Change<'d>>) -> Self {
        self.changes = Some(changes);
        self
    }

    /// The same with another place that has to do with it.
    pub fn related_to(mut self, span: Range<usize>, message: impl Into<String>) -> Self {
        self.related.push((span, message.into()));
        self
    }
}

/// Everything that a rule finds.
pub fn findings<'d>(rule: &Rule, context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    if !applies(&rule.when, context) {
        return Vec::new();
    }
    let selected = || rule.select.as_ref().map_or(Vec::new(), |selector| remaining(selector, context));
    let fix = rule.fix_for(domain.settings.libvirt);
    let mender = Mender { fix, template: OnceCell::new(), context };
    let mut findings = match &rule.check {
        Check::Forbid => selected().into_iter().map(|element| mender.mended(Finding::at(element), "")).collect(),
        Check::Require { child } => selected()
            .into_iter()
            .filter(|element| {
                let children = select_from(child, &domain.children, Some(*element));
                children.iter().all(|child| is_removed(*child, context))
            })
            .map(|element| mender.mended(Finding::at(element), ""))
            .collect(),
        Check::Attribute { name, required, forbidden, one_of, format } => selected()
            .into_iter()
            .filter(|element| match element.attribute(name) {
                None => *required,
                Some(value) => *forbidden || !is_allowed(value, one_of, *format),
            })
            .map(|element| {
                let found = element.attribute(name).unwrap_or("").to_owned();
                let canonical = parse_uuid(&found).map_or_else(String::new, |uuid| uuid.to_string());
                mender.mended(Finding::at_attribute(element, name).with_value("found", found).with_value("canonical", canonical), name)
            })
            .collect(),
        Check::Text { one_of, format } => selected()
            .into_iter()
            .filter(|element| !is_allowed(element.text().trim(), one_of, *format))
            .map(|element| mender.mended(Finding::within(element, element.content()).with_value("found", element.text().trim()), ""))
            .collect(),
        Check::Unique { attribute, of } => unique(attribute, of.as_ref(), &selected(), &mender),
        Check::Reference { attribute, to, key } => {
            let known: HashSet<&str> = remaining(to, context).into_iter().filter_map(|element| element.attribute(key)).collect();
            let dangling = |element: &Element<'d>| element.attribute(attribute).is_some_and(|value| !known.contains(value));
            let finding = |element: Element<'d>| {
                let found = element.attribute(attribute).unwrap_or("").to_owned();
                mender.mended(Finding::at_attribute(element, attribute).with_value("found", found), attribute)
            };
            selected().into_iter().filter(dangling).map(finding).collect()
        }
        Check::Property { .. } | Check::Environment { .. } if domain.vgpu.is_none() && domain.raw_vgpu.is_none() => Vec::new(),
        Check::Property { name, value } => property(name, value, domain),
        Check::Environment { name, value, format, setting, displays } => {
            let wanted = Wanted { name, value, format: *format, setting: setting.as_deref(), displays };
            environment(&wanted, domain)
        }
        Check::Code { function } => code::run(function, context),
        // What is read this far holds them.
        Check::WellFormed | Check::Domain => Vec::new(),
    };
    if findings.is_empty() {
        return findings;
    }
    // What is written behind an option that lacks its operand would be that.
    if domain.lacking_option().is_some() {
        let adds_arguments = |change: &Change<'d>| matches!(change, Change::Arguments(_) | Change::Set { .. });
        for finding in &mut findings {
            finding.changes.take_if(|changes| changes.iter().any(adds_arguments));
        }
    }
    let unsafe_if = fix.and_then(|fix| fix.unsafe_if.as_ref());
    let is_watched = || fix.is_some_and(|fix| fix.unsafe_if_watched) && domain.is_watched_elsewhere();
    if unsafe_if.is_some_and(|selector| !select(selector, &domain.children).is_empty())
        || is_watched()
        || is_for_the_picture(rule) && domain.has_screen_without_gl()
    {
        findings.iter_mut().for_each(|finding| finding.is_unsafe = true);
    }
    findings
}

/// How sure a finding's fix is; None for one that has none.
pub fn applicability(rule: &Rule, finding: &Finding<'_>, domain: &Domain<'_>) -> Option<Applicability> {
    let fix = rule.fix_for(domain.settings.libvirt)?;
    match &finding.changes {
        None => None,
        Some(_) if finding.is_unsafe => Some(fix.applicability.min(Applicability::Unsafe)),
        Some(_) => Some(fix.applicability),
    }
}

/// Whether a rule's fix is of use only together with a screen that shows the vGPU.
fn is_for_the_picture(rule: &Rule) -> bool {
    matches!(rule.check, Check::Property { .. } | Check::Environment { .. }) || rule.group == super::schema::Group::Display
}

fn applies(when: &When, context: &Context<'_, '_>) -> bool {
    let domain = context.domain;
    let has = |selector: &Option<Selector>| selector.as_ref().map(|selector| !remaining(selector, context).is_empty());
    let is_shown_by = |wanted: ShownBy| match wanted {
        ShownBy::Graphics => domain.is_shown_by_graphics(),
        ShownBy::Qemu => !domain.is_shown_by_graphics(),
        ShownBy::Window => !domain.is_shown_by_graphics() && domain.display_kind() != "egl-headless",
    };
    let has_vgpu = || domain.vgpu.is_some() || domain.raw_vgpu.is_some();
    let setting = |name: &str| match name.strip_prefix('!') {
        Some(name) => domain.settings.given(name).flatten().is_none(),
        None => domain.settings.given(name).flatten().is_some(),
    };
    when.libvirt.is_none_or(|range| range.contains(domain.settings.libvirt))
        && when.vgpu.is_none_or(|wanted| wanted == has_vgpu())
        && when.shown_by.is_none_or(is_shown_by)
        && when.setting.as_deref().is_none_or(setting)
        && has(&when.absent) != Some(true)
        && has(&when.present) != Some(false)
}

/// What a selector finds, without what earlier fixes remove.
fn remaining<'d>(selector: &Selector, context: &Context<'_, 'd>) -> Vec<Element<'d>> {
    let mut found = select(selector, &context.domain.children);
    if !context.removed.is_empty() {
        found.retain(|element| !is_removed(*element, context));
    }
    found
}

fn is_removed(element: Element<'_>, context: &Context<'_, '_>) -> bool {
    element.ancestors().any(|ancestor| context.removed.contains(&ancestor.id()))
}

/// A fix of a rule file, at work on one domain.
struct Mender<'c, 'd> {
    fix: Option<&'c Fix>,
    /// What it inserts, before its values are filled in; the same for all findings.
    template: OnceCell<Option<NewElement>>,
    context: &'c Context<'c, 'd>,
}

impl<'d> Mender<'_, 'd> {
    /// The finding with the changes that the fix makes.
    fn mended(&self, finding: Finding<'d>, attribute: &str) -> Finding<'d> {
        let (Some(fix), Some(element)) = (self.fix, finding.element) else { return finding };
        let fill = |text: &str| template::fill(text, self.context.domain, Some(element), &finding.values);
        let change = match &fix.op {
            Operation::Remove => Some(Change::Remove(element)),
            Operation::Insert(text) => {
                // What can't be parsed was refused when the rule was read.
                let template = self.template.get_or_init(|| NewElement::parse(text).ok());
                template.as_ref().map(|template| Change::Insert(element, with_qemu_prefix(template.filled(&fill), element)))
            }
            Operation::SetAttribute(value) => Some(Change::SetAttribute(element, attribute.to_owned(), fill(value))),
            Operation::RemoveAttribute => Some(Change::RemoveAttribute(element, attribute.to_owned())),
            Operation::SetText(text) => Some(Change::SetText(element, fill(text))),
            Operation::Deliver | Operation::Code => None,
        };
        match change {
            Some(change) => finding.fixed_by(vec![change]),
            None => finding,
        }
    }
}

/// A new element whose `qemu:` is the document's own prefix for libvirt's namespace, or is declared on it where there is none.
fn with_qemu_prefix(new: NewElement, parent: Element<'_>) -> NewElement {
    if !new.has_prefix(QEMU_PREFIX) || parent.bound(Some(QEMU_PREFIX)) == Some(QEMU_NAMESPACE) {
        return new;
    }
    match parent.prefix_for(QEMU_NAMESPACE) {
        Some(prefix) => new.with_prefix(QEMU_PREFIX, prefix),
        None => new.with_attribute(format!("xmlns:{QEMU_PREFIX}"), QEMU_NAMESPACE),
    }
}

fn is_allowed(value: &str, one_of: &[super::path::Text], format: Option<Format>) -> bool {
    (one_of.is_empty() || one_of.iter().any(|allowed| allowed == value)) && format.is_none_or(|format| format.fits(value))
}

impl Format {
    /// Whether a value looks like this.
    pub fn fits(self, value: &str) -> bool {
        match self {
            Format::Uuid => parse_uuid(value).is_some(),
            Format::CanonicalUuid => parse_uuid(value).is_none_or(|uuid| uuid.to_string() == value),
            // libvirt: src/qemu/qemu_domain.c `qemuDomainDefNamespaceParseCommandlineEnvNameValidate`.
            Format::EnvironmentName => {
                let mut bytes = value.bytes();
                bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
                    && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            }
            Format::Display => {
                let number = value.rsplit_once(':').map_or("", |(_, number)| number);
                let mut parts = number.splitn(2, '.');
                let digits =
                    |part: Option<&str>| part.is_none_or(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
                !number.is_empty() && digits(parts.next()) && digits(parts.next()) && !value.contains(char::is_whitespace)
            }
            Format::Number => {
                value.parse::<f64>().is_ok_and(|number| number > 0.0 && number.is_finite()) && !value.contains(['e', 'E', '+'])
            }
        }
    }
}

fn unique<'d>(attribute: &str, of: Option<&Selector>, selected: &[Element<'d>], mender: &Mender<'_, 'd>) -> Vec<Finding<'d>> {
    let mut first: HashMap<String, Range<usize>> = HashMap::new();
    let mut findings = Vec::new();
    for element in selected {
        let owner = match of {
            None => Some(*element),
            Some(selector) => select_from(selector, &mender.context.domain.children, Some(*element)).into_iter().next(),
        };
        let Some((owner, value)) = owner.and_then(|owner| owner.attribute(attribute).map(|value| (owner, value))) else { continue };
        // Two spellings of one uuid are one uuid.
        let key = parse_uuid(value).map_or_else(|| value.to_owned(), |uuid| uuid.to_string());
        let span = attribute_span(owner, attribute);
        match first.get(&key) {
            None => {
                first.insert(key, span);
            }
            Some(known) => {
                let finding = Finding::within(*element, span).with_value("found", value).related_to(known.clone(), "the first one");
                findings.push(mender.mended(finding, attribute));
            }
        }
    }
    findings
}

fn property<'d>(name: &str, value: &str, domain: &Domain<'d>) -> Vec<Finding<'d>> {
    let Some(owner) = domain.vgpu.or(domain.raw_vgpu) else { return Vec::new() };
    let delivered = domain.delivered(name);
    if delivered.as_ref().is_some_and(|delivered| delivered.value == value) || domain.is_spoken_for(name) {
        return Vec::new();
    }
    let span = domain.property_span(delivered.as_ref());
    let found = delivered.map_or_else(
        || "unset".to_owned(),
        |delivered| crate::property::to_set(type_of(name).map_or("", |kind| kind.name()), &delivered.value),
    );
    let finding = Finding::within(owner, span).with_value("found", found).with_value("property", name);
    let changes = deliver(domain, name, value);
    vec![if changes.is_empty() { finding } else { finding.fixed_by(changes) }]
}

/// An environment variable that a rule wants.
struct Wanted<'w> {
    name: &'w str,
    value: &'w str,
    format: Option<Format>,
    setting: Option<&'w str>,
    displays: &'w [super::path::Text],
}

/// What a new vGPU brings along: whether ramfb is wanted, which libvirt has an attribute for, and the changes for the rest.
pub fn requirements<'d>(context: &Context<'_, 'd>) -> (bool, Vec<Change<'d>>) {
    let domain = context.domain;
    let is_override = domain.form() == Form::Override;
    let (mut wants_ramfb, mut changes) = (false, Vec::new());
    for rule in &context.rules.wanted {
        let of_vgpu = When { vgpu: None, ..rule.when.clone() };
        if !applies(&of_vgpu, context) {
            continue;
        }
        match &rule.check {
            Check::Property { name, .. } if is_override && name == "ramfb" => wants_ramfb = true,
            // libvirt picks the driver that has it.
            Check::Property { name, .. } if is_override && name == "driver" => {}
            Check::Property { name, value } => changes.extend(deliver(domain, name, value)),
            Check::Environment { name, value, format, setting, displays } => {
                let wanted = Wanted { name, value, format: *format, setting: setting.as_deref(), displays };
                changes.extend(environment(&wanted, domain).into_iter().filter_map(|finding| finding.changes).flatten());
            }
            Check::Code { function } if code::IS_REQUIREMENT.contains(&&**function) => {
                let wanted = code::run(function, context).into_iter().filter(|finding| !finding.is_unsafe || domain.settings.unsafe_fixes);
                changes.extend(wanted.filter_map(|finding| finding.changes).flatten());
            }
            _ => {}
        }
    }
    (wants_ramfb, changes)
}

fn environment<'d>(wanted: &Wanted<'_>, domain: &Domain<'d>) -> Vec<Finding<'d>> {
    if !display_needs(wanted.displays, domain) {
        return Vec::new();
    }
    let value = template::fill(wanted.value, domain, None, &[]);
    let asked = wanted.setting.and_then(|name| domain.settings.given(name).flatten());
    match domain.environment.iter().rev().find(|variable| variable.attribute("name") == Some(wanted.name)) {
        None => {
            let place = domain.blocks("commandline").first().copied().or(domain.vgpu).unwrap_or(domain.root);
            vec![Finding::at(place).with_value("found", "unset").fixed_by(vec![Change::Environment(wanted.name.to_owned(), value)])]
        }
        Some(variable) => {
            let found = variable.attribute("value").unwrap_or("");
            let fits = wanted.format.is_none_or(|format| format.fits(found)) && asked.is_none_or(|asked| asked == found);
            if fits {
                return Vec::new();
            }
            let change = Change::SetAttribute(*variable, "value".into(), value);
            vec![Finding::at_attribute(*variable, "value").with_value("found", format!("'{found}'")).fixed_by(vec![change])]
        }
    }
}

/// Whether the display that QEMU will open is one of these.
fn display_needs(displays: &[super::path::Text], domain: &Domain<'_>) -> bool {
    displays.is_empty() || displays.iter().any(|display| *display == domain.display_kind())
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn formats_tell_right_from_wrong() {
        for (format, right, wrong) in [
            (Format::Uuid, ["AB54BABAEA9A4CE5B7B451B376B65849", "ab54baba-ea9a-4ce5-b7b4-51b376b65849"], ["", "your-gpu-uuid-here"]),
            (
                Format::CanonicalUuid,
                ["ab54baba-ea9a-4ce5-b7b4-51b376b65849", "no uuid at all"],
                ["AB54BABA-ea9a-4ce5-b7b4-51b376b65849", "ab54babaea9a4ce5b7b451b376b65849"],
            ),
            (Format::EnvironmentName, ["DISPLAY", "_x1"], ["1X", "A-B"]),
            (Format::Display, [":0", "host:10.1"], ["$DISPLAY", ":"]),
            (Format::Number, ["1", "1.5"], ["0", "1,5"]),
        ] {
            for value in right {
                assert!(format.fits(value), "{format:?} {value}");
            }
            for value in wrong {
                assert!(!format.fits(value), "{format:?} {value}");
            }
        }
    }
}
