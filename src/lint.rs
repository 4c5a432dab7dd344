//! Lint and fix: pure functions of a text, the rules and the settings. Everything else is a face on these two.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::change::{Change, compose};
use crate::diagnostic::{Diagnostic, Fix, Related};
use crate::domain::{Domain, display_has_gl, display_parts};
use crate::edit::{Applicability, Edit, Edits};
use crate::rules::check::{self, Finding};
use crate::rules::schema::{Group, Rule};
use crate::rules::{Context, RuleSet, template};
use crate::settings::Settings;
use crate::source::{Position, Source};
use crate::xml::{self, Document, ElementId, XmlError};

/// So many rounds that only rules at odds with each other need more.
const MOST_ROUNDS: usize = 20;

/// So many places are renamed in the edits of single findings. In a domain with thousands of `-set` that name renumbered devices,
/// each of thousands of findings would rename them all; behind this number only `fix`, which does it once, says what changes.
const MOST_NAMINGS: usize = 20_000;

/// The edits of all findings of a document carry this many times its size of new text at most, and [`SMALL_TEXT`] more: of thousands
/// of blocks inside each other, each finding would carry all that are further in. Behind that only `fix` says what changes.
const MOST_CARRIED: usize = 4;

/// So many times the size of the text that came in may come out, and [`SMALL_TEXT`] more: no real domain needs half of that.
const MOST_GROWTH: usize = 4;

/// What a small text may get whatever its size.
const SMALL_TEXT: usize = 256 << 10;

/// Everything that the rules find, in the order of the text.
///
/// # Errors
/// A text that is no domain XML: where, why, and what to do.
pub fn lint<'r>(text: &str, rules: &RuleSet<'r>, settings: &Settings) -> Result<Vec<Diagnostic<'r>>, XmlError> {
    look(text, rules, settings, true)
}

/// The same for whoever shows no edits: working them out is most of the time of a finding.
///
/// # Errors
/// Those of [`lint`].
pub fn lint_without_edits<'r>(text: &str, rules: &RuleSet<'r>, settings: &Settings) -> Result<Vec<Diagnostic<'r>>, XmlError> {
    look(text, rules, settings, false)
}

fn look<'r>(text: &str, rules: &RuleSet<'r>, settings: &Settings, with_edits: bool) -> Result<Vec<Diagnostic<'r>>, XmlError> {
    read_domain(text, |document| {
        let domain = Domain::new(document, settings);
        diagnostics(&domain, &find(&domain, rules), with_edits)
    })
}

/// Whether bytes that nobody named as a domain are one that this program is meant for: the first element is `<domain>`, and unless
/// `all` domains are wanted, something in it speaks of GVT-g. A domain that can't be read is one: its error is worth knowing.
pub fn is_candidate(bytes: &[u8], all: bool) -> bool {
    let text = match xml::decode(bytes) {
        Ok(text) => text,
        // What comes before the damage tells.
        Err(error) => std::str::from_utf8(&bytes[..error.offset]).unwrap_or(""),
    };
    let is_domain = xml::root_tag(text).is_some_and(|tag| &text[tag.name] == "domain");
    is_domain
        && (all || {
            let settings = Settings::default();
            read_domain(text, |document| {
                let domain = Domain::new(document, &settings);
                domain.vgpu.is_some_and(|vgpu| vgpu.attribute("model") == Some("vfio-pci")) || domain.has_gvtg_sign()
            })
            .unwrap_or(true)
        })
}

/// What fixing made of a text.
#[derive(Clone, Debug)]
pub struct Fixed<'r> {
    /// The whole document.
    pub text: String,
    /// Whether it differs from what came in.
    pub changed: bool,
    /// What was mended; lines and columns are those of the text that came in, spans those of the round that found it.
    pub applied: Vec<Diagnostic<'r>>,
    /// What is left, in the new text; without edits.
    pub remaining: Vec<Diagnostic<'r>>,
    /// How often the text was edited.
    pub rounds: usize,
    /// Whether fixes were left out because nothing would have shown the guest after them.
    pub withheld: bool,
}

/// Why a text can't be fixed.
#[derive(Clone, Debug)]
pub enum FixError {
    /// It is no domain XML: what is wrong, and where for people; the text is gone by the time somebody asks.
    Xml(XmlError, Position),
    /// The fixes of these rules undo each other: a fault in the rules.
    Loop(Vec<String>),
    /// The text grows without end, most of it by this rule.
    Growth(String),
}

/// The text with everything mended that the settings allow, and a second look at the result.
///
/// Takes the text to let go of it as soon as it is edited: a big one is in memory once.
///
/// # Errors
/// A text that is no domain XML, or rules at odds with each other.
pub fn fix<'r>(text: String, rules: &RuleSet<'r>, settings: &Settings) -> Result<Fixed<'r>, FixError> {
    let mut run = Run { rules, settings, withheld: false, applied: Vec::new(), undo: Vec::new() };
    let most = text.len().saturating_mul(MOST_GROWTH).saturating_add(SMALL_TEXT);
    let mut text = text;
    let mut seen = HashSet::new();
    loop {
        let unreadable = |error: XmlError| {
            let position = Source::new("", &text).position(error.offset);
            FixError::Xml(error, position)
        };
        match run.round(&text).map_err(unreadable)? {
            Round::Edited(edits, applied) => {
                if edits.length_of(&text) > most {
                    return Err(FixError::Growth(most_frequent(&applied)));
                }
                run.applied.extend(applied);
                run.undo.push(Undo::of(&edits, &text));
                text = edits.apply(&text);
                // Rules at odds come round to what the second round made too; nearly every document needs one round and no hash.
                let is_repeated = run.undo.len() > 1 && !seen.insert(hash(&text));
                if is_repeated || run.undo.len() >= MOST_ROUNDS {
                    let mut names: Vec<String> = run.applied.iter().map(|diagnostic| diagnostic.rule.id.to_string()).collect();
                    names.sort();
                    names.dedup();
                    return Err(FixError::Loop(names));
                }
            }
            Round::Quiet { has_picture, .. } if !has_picture && !run.withheld && run.removed_display() => {
                // Nothing would show the guest: all back, and once more without touching what shows it now.
                for undo in std::mem::take(&mut run.undo).into_iter().rev() {
                    text = undo.edits.apply(&text);
                }
                run.applied.clear();
                run.withheld = true;
                seen.clear();
            }
            Round::Quiet { remaining, .. } => {
                let rounds = run.undo.len();
                let mut applied = run.applied;
                sort(&mut applied);
                return Ok(Fixed { changed: rounds > 0, text, applied, remaining, rounds, withheld: run.withheld });
            }
        }
    }
}

/// The rounds of one fix.
struct Run<'c, 'r> {
    rules: &'c RuleSet<'r>,
    settings: &'c Settings,
    /// Whether fixes of the display group are left out.
    withheld: bool,
    applied: Vec<Diagnostic<'r>>,
    undo: Vec<Undo>,
}

enum Round<'r> {
    Edited(Edits, Vec<Diagnostic<'r>>),
    Quiet { remaining: Vec<Diagnostic<'r>>, has_picture: bool },
}

/// The way back from an edited text.
struct Undo {
    edits: Edits,
    /// Ends of edits in the edited text, and how many lines were added up to there.
    lines: Vec<(usize, isize)>,
}

impl Undo {
    fn of(edits: &Edits, text: &str) -> Self {
        let (mut shift, mut back, mut lines, mut added) = (0isize, Vec::new(), Vec::new(), 0);
        let count = |text: &str| memchr::memchr_iter(b'\n', text.as_bytes()).count() as isize;
        for Edit { range, text: new } in edits.iter() {
            let start = range.start.saturating_add_signed(shift);
            let old = &text[range.clone()];
            added += count(new) - count(old);
            lines.push((start + new.len(), added));
            back.push(Edit { range: start..start + new.len(), text: old.to_owned() });
            shift += new.len() as isize - range.len() as isize;
        }
        // The inverse of disjoint edits is disjoint; touching ones stay in order.
        Undo { edits: Edits::new(back).unwrap_or_default(), lines }
    }

    /// How many lines the edits before an offset of the edited text added.
    fn lines_added_before(&self, offset: usize) -> isize {
        let before = self.lines.partition_point(|(end, _)| *end <= offset);
        before.checked_sub(1).map_or(0, |last| self.lines[last].1)
    }
}

impl<'r> Run<'_, 'r> {
    fn round(&self, text: &str) -> Result<Round<'r>, XmlError> {
        let level = if self.settings.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
        let (rules, settings, withheld, undo) = (self.rules, self.settings, self.withheld, &self.undo);
        read_domain(text, |document| {
            let domain = Domain::new(document, settings);
            let found = find(&domain, rules);
            let mut picked: Vec<&Found<'_, 'r>> =
                found.iter().filter(|found| found.is_fixable(level) && !(withheld && found.rule.group == Group::Display)).collect();
            // Elements that move into libvirt's namespace mean something only then.
            let moves = |found: &&Found<'_, 'r>| found.rule.group == Group::Namespace && found.changes() != [Change::DeclareNamespace];
            if picked.iter().any(moves) {
                picked.retain(|found| found.rule.group == Group::Namespace);
            }
            let edits = compose(&domain, picked.iter().flat_map(|found| found.changes()));
            if edits.is_empty() {
                let remaining = diagnostics(&domain, &found, false);
                return Round::Quiet { remaining, has_picture: has_picture(&domain) };
            }
            let applied = picked.iter().map(|found| {
                let mut diagnostic = found.diagnostic(&domain, false);
                let lines: isize = undo.iter().rev().map(|undo| undo.lines_added_before(diagnostic.span.start)).sum();
                diagnostic.start.line = diagnostic.start.line.saturating_add_signed(-lines).max(1);
                diagnostic.end.line = diagnostic.end.line.saturating_add_signed(-lines).max(1);
                diagnostic
            });
            let applied = applied.collect();
            Round::Edited(edits, applied)
        })
    }

    /// Whether anything that could show the guest was removed.
    fn removed_display(&self) -> bool {
        self.applied.iter().any(|diagnostic| diagnostic.rule.group == Group::Display)
    }
}

/// Something found, with its rule.
struct Found<'d, 'r> {
    rule: &'r Rule,
    finding: Finding<'d>,
    applicability: Option<Applicability>,
}

impl<'d, 'r> Found<'d, 'r> {
    fn is_fixable(&self, level: Applicability) -> bool {
        self.applicability.is_some_and(|applicability| applicability >= level && applicability != Applicability::Manual)
    }

    fn changes(&self) -> &[Change<'d>] {
        self.finding.changes.as_deref().unwrap_or_default()
    }

    fn diagnostic(&self, domain: &Domain<'d>, with_edits: bool) -> Diagnostic<'r> {
        let source = domain.document.source();
        let Found { rule, finding, applicability } = self;
        let fill = |text: &str| template::fill_words(text, domain, finding.element, &finding.values);
        let related = |(span, message): &(Range<usize>, String)| Related {
            span: span.clone(),
            start: source.position(span.start),
            message: message.clone(),
        };
        let fix = match (applicability, rule.fix_for(domain.settings.libvirt)) {
            (Some(applicability), Some(fix)) => {
                let edits = if with_edits { compose(domain, self.changes().iter()) } else { Edits::default() };
                Some(Fix { title: fill(&fix.title), applicability: *applicability, edits })
            }
            _ => None,
        };
        Diagnostic {
            rule,
            severity: rule.severity,
            span: finding.span.clone(),
            start: source.position(finding.span.start),
            end: source.position(finding.span.end),
            message: fill(&rule.message),
            help: rule.help.as_deref().map(fill),
            related: finding.related.iter().map(related).collect(),
            fix,
        }
    }
}

/// The findings as the outside sees them, in the order of the text; with edits, each has those that mend it alone.
fn diagnostics<'d, 'r>(domain: &Domain<'d>, found: &[Found<'d, 'r>], with_edits: bool) -> Vec<Diagnostic<'r>> {
    let mut most = if with_edits { MOST_NAMINGS } else { 0 };
    let mut carried = domain.document.text().len().saturating_mul(MOST_CARRIED).saturating_add(SMALL_TEXT);
    let diagnostics = found.iter().map(|found| {
        if most > 0 && found.changes().contains(&Change::NameVgpu) {
            most = most.saturating_sub(domain.naming().len());
        }
        let mut diagnostic = found.diagnostic(domain, most > 0);
        if let Some(fix) = &mut diagnostic.fix {
            match carried.checked_sub(fix.edits.inserted()) {
                Some(rest) => carried = rest,
                None => fix.edits = Edits::default(),
            }
        }
        diagnostic
    });
    let mut diagnostics: Vec<_> = diagnostics.collect();
    sort(&mut diagnostics);
    diagnostics
}

/// Asks all rules, those that remove elements first: the others see what these leave.
fn find<'d, 'r>(domain: &Domain<'d>, rules: &RuleSet<'r>) -> Vec<Found<'d, 'r>> {
    let level = if domain.settings.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
    let is_foreign = domain.foreign().is_some();
    let mut removed: HashSet<ElementId> = HashSet::new();
    let mut found: Vec<Found<'d, 'r>> = Vec::new();
    let (mut phase, mut removing) = (0, Vec::new());
    for rule in rules.active.iter().filter(|rule| rule.when.foreign == is_foreign) {
        if rule.phase() != phase {
            removed.extend(removing.drain(..));
            phase = rule.phase();
        }
        let findings = check::findings(rule, &Context { domain, rules, removed: &removed });
        for finding in findings {
            let applicability = check::applicability(rule, &finding, domain);
            let one = Found { rule, finding, applicability };
            if phase < 2 && one.is_fixable(level) {
                removing.extend(one.changes().iter().filter_map(|change| match change {
                    Change::Remove(element) => Some(element.id()),
                    _ => None,
                }));
            }
            found.push(one);
        }
    }
    found
}

/// Whether the vGPU has its display property and something shows it.
fn has_picture(domain: &Domain<'_>) -> bool {
    let has_property = domain.delivered("display").is_some_and(|delivered| delivered.value == "on");
    let is_shown = || {
        domain.displays().last().and_then(|display| display.operand).is_some_and(|operand| {
            let (kind, gl) = display_parts(operand.value);
            // egl-headless draws, and a <graphics> shows what it draws.
            let is_seen = kind != "egl-headless" || !domain.devices_named("graphics").is_empty();
            display_has_gl(&kind, gl.as_deref()) && is_seen
        })
    };
    has_property && (domain.is_shown_by_graphics() || is_shown())
}

fn read_domain<R>(text: &str, use_document: impl FnOnce(&Document<'_>) -> R) -> Result<R, XmlError> {
    xml::read(text, |document| {
        let root = document.root();
        if root.is("domain") {
            return Ok(use_document(document));
        }
        let message = match root.namespace() {
            Some(uri) if root.name() == "domain" => format!("the root element <domain> is in the namespace {uri}, not in none"),
            _ => format!("the root element is <{}>, not <domain>", root.name()),
        };
        let help = "give a domain's XML, as `virsh dumpxml --inactive --security-info NAME` prints it";
        Err(XmlError::new(root.span().start, message, help))
    })?
}

/// The rule that made most of these.
fn most_frequent(diagnostics: &[Diagnostic<'_>]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    diagnostics.iter().for_each(|diagnostic| *counts.entry(&diagnostic.rule.id).or_default() += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).map_or_else(String::new, |(id, _)| id.to_owned())
}

fn sort(diagnostics: &mut [Diagnostic<'_>]) {
    diagnostics.sort_by(|left, right| {
        let key = |diagnostic: &Diagnostic<'_>| (diagnostic.start, diagnostic.end);
        key(left).cmp(&key(right)).then_with(|| left.rule.id.cmp(&right.rule.id))
    });
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::builtin;
    use crate::xml::QEMU_NAMESPACE;

    fn fixed(devices: &str, qemu: &str, settings: &Settings) -> String {
        let text = format!("<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices>{qemu}</domain>");
        fix(text, &RuleSet::all(builtin()), settings).unwrap().text
    }

    const VGPU: &str = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>\
        <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>";

    #[test]
    fn each_new_set_in_a_command_line_that_is_there_has_its_own_option() {
        let settings = Settings { libvirt: "7.0.0".parse().unwrap(), ..Settings::default() };
        let text = fixed(VGPU, "<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>", &settings);
        let (options, operands) = (text.matches("value='-set'").count(), text.matches("value='device.").count());
        assert_eq!((options, operands), (4, 4), "{text}");
    }

    #[test]
    fn a_new_alias_takes_along_what_names_the_vgpu_or_a_device_behind_it() {
        let sets = ["device.hostdev0.xres=800", "device.hostdev1.bootindex=1"];
        let arguments: String = sets.iter().map(|set| format!("<qemu:arg value='-set'/><qemu:arg value='{set}'/>")).collect();
        let capability = "<qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities>";
        let devices = format!("{VGPU}<hostdev type='usb'/>");
        let qemu = format!("<qemu:commandline>{arguments}</qemu:commandline>{capability}");
        let settings = Settings { alias: Some("ua-own".into()), ..Settings::default() };
        let text = fixed(&devices, &qemu, &settings);
        assert!(text.contains("value='device.ua-own.xres=800'") && text.contains("value='device.hostdev0.bootindex=1'"), "{text}");
    }

    #[test]
    fn a_new_property_has_the_prefix_of_what_it_stands_in() {
        let device = format!("<q:device xmlns:q='{QEMU_NAMESPACE}' xmlns:qemu='urn:other' alias='ua-gvtg'>");
        let vgpu = VGPU.replace("</hostdev>", "<alias name='ua-gvtg'/></hostdev>");
        for inside in ["<q:frontend></q:frontend>", ""] {
            let text = fixed(&vgpu, &format!("<qemu:override>{device}{inside}</q:device></qemu:override>"), &Settings::default());
            let properties = "<q:frontend><q:property name='x-igd-opregion' type='bool' value='true'/>\
                <q:property name='display' type='string' value='on'/></q:frontend>";
            assert!(text.contains(&format!("{device}{properties}</q:device>")), "{text}");
        }
    }
}
