//! Lint and fix: pure functions of a text, the rules and the settings. Everything else is a face on these two.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::change::{Change, compose};
use crate::diagnostic::{Diagnostic, Fix, Related};
use crate::domain::{self, Domain, display_has_gl, display_parts};
use crate::edit::{Applicability, Edits};
use crate::history::History;
use crate::rules::check::{self, Finding};
use crate::rules::schema::{Group, Rule};
use crate::rules::{Context, RuleSet, template};
use crate::settings::Settings;
use crate::source::{Position, Source};
use crate::xml::{self, ElementId, XmlError};

/// So many rounds that only rules at odds with each other need more.
const MOST_ROUNDS: usize = 20;

/// So many places are renamed in the edits of single findings. In a domain with thousands of `-set` that name renumbered devices,
/// each of thousands of findings would rename them all, and each removed device the thousands behind it; behind this number only `fix`, which
/// does it once, says what changes.
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
/// ```
/// use gvtg_xml::lint::lint;
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::settings::Settings;
///
/// let text = "<domain type='kvm'>\n  <devices>\n    <graphics type='vnc'/>\n  </devices>\n</domain>\n";
/// let findings = lint(text, &RuleSet::all(builtin()), &Settings::default())?;
/// let graphics = findings.iter().find(|finding| finding.rule.id == "stray-graphics").ok_or("not found")?;
/// assert_eq!(&text[graphics.span.clone()], "<graphics type='vnc'/>");
/// assert_eq!(graphics.message, "<graphics type='vnc'> does not show the vGPU");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    domain::read(text, settings, |domain| diagnostics(domain, find(domain, rules).iter(), with_edits))
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
            domain::read(text, &Settings::default(), |domain| {
                domain.vgpu.is_some_and(|vgpu| vgpu.attribute("model") == Some("vfio-pci"))
                    || domain.raw_vgpu.is_some()
                    || domain.has_gvtg_sign()
            })
            .unwrap_or(true)
        })
}

/// What fixing made of a text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fixed<'r> {
    /// The whole document.
    pub text: String,
    /// Whether it differs from what came in.
    pub changed: bool,
    /// What was mended, in the text that came in: what a later round mended in text that an earlier one wrote is where that was put.
    pub applied: Vec<Diagnostic<'r>>,
    /// What is left, in the new text.
    pub remaining: Vec<Diagnostic<'r>>,
    /// How often the text was edited.
    pub rounds: usize,
    /// Whether fixes were left out because nothing would have shown the guest after them.
    pub withheld: bool,
    /// Whether fixes were held back because nothing says that the mediated device is Intel's.
    pub held_back: bool,
}

/// Why a text can't be fixed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FixError {
    /// It is no domain XML: what is wrong, and where for people; the text is gone by the time somebody asks.
    Xml(XmlError, Position),
    /// The fixes of these rules undo each other: a fault in the rules.
    Loop(Vec<String>),
    /// The text grows without end, most of it by this rule.
    Growth(String),
}

impl fmt::Display for FixError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FixError::Xml(error, position) => write!(formatter, "line {}, column {}: {}", position.line, position.column, error.message),
            FixError::Loop(rules) => write!(formatter, "the fixes of these rules undo each other: {}", rules.join(", ")),
            FixError::Growth(rule) => write!(formatter, "the text grows without end, most of it by the rule {rule}"),
        }
    }
}

impl Error for FixError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FixError::Xml(error, _) => Some(error),
            FixError::Loop(_) | FixError::Growth(_) => None,
        }
    }
}

/// The text with everything mended that the settings allow, and a second look at the result.
///
/// Takes the text to let go of it as soon as it is edited: a big one is in memory once.
///
/// ```
/// use gvtg_xml::lint::fix;
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::settings::Settings;
///
/// let text = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <video/>\n  </devices>\n</domain>\n".to_owned();
/// let fixed = fix(text, &RuleSet::all(builtin()), &Settings::default())?;
/// assert!(!fixed.text.contains("<video/>"));
/// assert!(fixed.text.contains("<alias name='ua-gvtg'/>"));
/// assert!(fixed.remaining.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A text that is no domain XML, or rules at odds with each other.
pub fn fix<'r>(text: String, rules: &RuleSet<'r>, settings: &Settings) -> Result<Fixed<'r>, FixError> {
    mend(text, rules, settings, false)
}

/// The same for whoever shows the edits: what was mended has those that mend it alone, and so has what is left and could be mended.
///
/// # Errors
/// Those of [`fix`].
pub fn fix_with_edits<'r>(text: String, rules: &RuleSet<'r>, settings: &Settings) -> Result<Fixed<'r>, FixError> {
    mend(text, rules, settings, true)
}

fn mend<'r>(text: String, rules: &RuleSet<'r>, settings: &Settings, with_edits: bool) -> Result<Fixed<'r>, FixError> {
    let mut run = Run { rules, settings, with_edits, withheld: false, applied: Vec::new(), in_first_round: 0, history: History::default() };
    let most = text.len().saturating_mul(MOST_GROWTH).saturating_add(SMALL_TEXT);
    let mut text = text;
    let mut seen = HashSet::new();
    loop {
        let unreadable = |error: XmlError| {
            let position = Source::new("", &text).position(error.offset);
            FixError::Xml(error, position)
        };
        match run.round(&text).map_err(unreadable)? {
            Round::Edited { edits, mended, mut applied } => {
                if edits.length_of(&text) > most {
                    return Err(FixError::Growth(most_frequent(&applied)));
                }
                if run.history.len() == 0 {
                    run.in_first_round = applied.len();
                }
                run.history.move_back(&text, &mut applied);
                run.applied.extend(applied);
                text = run.history.edit(edits, mended, &text);
                // Rules at odds come round to what the second round made too; nearly every document needs one round and no hash.
                let is_repeated = run.history.len() > 1 && !seen.insert(hash(&text));
                if is_repeated || run.history.len() >= MOST_ROUNDS {
                    let mut names: Vec<String> = run.applied.iter().map(|diagnostic| diagnostic.rule.id.to_string()).collect();
                    names.sort();
                    names.dedup();
                    return Err(FixError::Loop(names));
                }
            }
            Round::Quiet { has_picture, .. } if !has_picture && !run.withheld && run.removed_display() => {
                // Nothing would show the guest: all back, and once more without touching what shows it now.
                text = std::mem::take(&mut run.history).undone(&text).into_owned();
                run.applied.clear();
                run.in_first_round = 0;
                run.withheld = true;
                seen.clear();
            }
            Round::Quiet { remaining, is_guess, .. } => {
                let rounds = run.history.len();
                let mut applied = run.applied;
                run.history.locate(&text, applied.get_mut(run.in_first_round..).unwrap_or_default());
                sort(&mut applied);
                let held_back = is_guess && !settings.unsafe_fixes && remaining.iter().any(|left| left.fix.is_some());
                return Ok(Fixed { changed: rounds > 0, text, applied, remaining, rounds, withheld: run.withheld, held_back });
            }
        }
    }
}

/// The rounds of one fix.
struct Run<'c, 'r> {
    rules: &'c RuleSet<'r>,
    settings: &'c Settings,
    /// Whether findings have their edits.
    with_edits: bool,
    /// Whether fixes of the display group are left out.
    withheld: bool,
    applied: Vec<Diagnostic<'r>>,
    /// How many of them the first round found: their places are those of the text that came in.
    in_first_round: usize,
    history: History,
}

enum Round<'r> {
    /// With where what is mended begins.
    Edited {
        edits: Edits,
        mended: Vec<usize>,
        applied: Vec<Diagnostic<'r>>,
    },
    Quiet {
        remaining: Vec<Diagnostic<'r>>,
        has_picture: bool,
        is_guess: bool,
    },
}

impl<'r> Run<'_, 'r> {
    fn round(&self, text: &str) -> Result<Round<'r>, XmlError> {
        let level = if self.settings.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
        let (rules, settings, withheld, with_edits) = (self.rules, self.settings, self.withheld, self.with_edits);
        domain::read(text, settings, |domain| {
            let found = find(domain, rules);
            let mut picked: Vec<&Found<'_, 'r>> =
                found.iter().filter(|found| found.is_fixable(level) && !(withheld && found.rule.group == Group::Display)).collect();
            // Elements that move into libvirt's namespace mean something only then.
            let moves = |found: &&Found<'_, 'r>| found.rule.group == Group::Namespace && found.changes() != [Change::DeclareNamespace];
            // So do devices that move into the block that everything else is looked for in.
            let devices = domain.devices;
            let joins = |found: &Found<'_, 'r>| {
                found.changes().iter().any(|change| matches!(change, Change::InsertSource(block, _) if Some(*block) == devices))
            };
            if picked.iter().any(|found| moves(found) || joins(found)) {
                picked.retain(|found| found.rule.group == Group::Namespace || joins(found));
            }
            let edits = compose(domain, picked.iter().flat_map(|found| found.changes()));
            if edits.is_empty() {
                let remaining = diagnostics(domain, found.iter(), with_edits);
                return Round::Quiet { remaining, has_picture: has_picture(domain), is_guess: is_guess(domain) };
            }
            let applied = diagnostics(domain, picked.iter().copied(), with_edits);
            let mended = picked.iter().map(|found| found.finding.span.start).collect();
            Round::Edited { edits, mended, applied }
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
        let removed = self.changes().iter().filter_map(|change| match change {
            Change::Remove(element) => Some(*element),
            _ => None,
        });
        let speakers = removed.flat_map(|element| domain.references().to(element)).filter_map(|reference| {
            let span = reference.elements.last()?.start_tag().span;
            Some(Related { start: source.position(span.start), span, message: format!("speaks of {}, and goes with it", reference.id) })
        });
        Diagnostic {
            rule,
            severity: rule.severity,
            span: finding.span.clone(),
            start: source.position(finding.span.start),
            end: source.position(finding.span.end),
            message: fill(&rule.message),
            help: rule.help.as_deref().map(fill),
            related: finding.related.iter().map(related).chain(speakers).collect(),
            fix,
        }
    }
}

/// The findings as the outside sees them, in the order of the text; with edits, each has those that mend it alone.
fn diagnostics<'f, 'd: 'f, 'r: 'f>(
    domain: &Domain<'d>,
    found: impl Iterator<Item = &'f Found<'d, 'r>>,
    with_edits: bool,
) -> Vec<Diagnostic<'r>> {
    let mut most = if with_edits { MOST_NAMINGS } else { 0 };
    let mut carried = domain.document.text().len().saturating_mul(MOST_CARRIED).saturating_add(SMALL_TEXT);
    let diagnostics = found.map(|found| {
        if most > 0 && found.changes().contains(&Change::NameVgpu) {
            most = most.saturating_sub(domain.naming().len());
        }
        if most > 0 && found.changes().iter().any(|change| matches!(change, Change::Remove(_))) {
            most = most.saturating_sub(domain.references().kinds.iter().map(|kind| kind.devices.len()).sum());
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
    let is_guess = is_guess(domain);
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
            let mut one = Found { rule, finding, applicability };
            // What is found is the same whether the fixes are held back or not.
            if phase < 2 && one.is_fixable(level) {
                removing.extend(one.changes().iter().filter_map(|change| match change {
                    Change::Remove(element) => Some(element.id()),
                    _ => None,
                }));
            }
            if is_guess {
                one.applicability = applicability.map(|applicability| applicability.min(Applicability::Unsafe));
            }
            found.push(one);
        }
    }
    found
}

/// Whether the domain's vGPU was met in a folder and nothing says that it is Intel's: then all fixes are held back together, as a part of
/// them stops QEMU on other makers' devices, and the rest is of no use without that part.
fn is_guess(domain: &Domain<'_>) -> bool {
    domain.settings.found && (domain.vgpu.is_some() || domain.raw_vgpu.is_some()) && !domain.has_gvtg_sign()
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
    has_property && (domain.is_shown_by_graphics() || domain.is_shown_by_spice() || is_shown())
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
}
