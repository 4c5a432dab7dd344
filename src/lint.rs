//! Lint and fix: pure functions of a text, the rules and the settings. Everything else is a face on these two.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::change::{Change, compose};
use crate::diagnostic::{Diagnostic, Fix, Related};
use crate::domain::{self, Domain, display_has_gl, display_parts};
use crate::edit::{Applicability, Edit, Edits};
use crate::origins::Origins;
use crate::rules::check::{self, Finding};
use crate::rules::schema::{Group, Rule};
use crate::rules::{Context, RuleSet, template};
use crate::settings::Settings;
use crate::source::{Position, Source};
use crate::xml::{self, ElementId, XmlError};

/// So many rounds that only rules at odds with each other need more.
const MOST_ROUNDS: usize = 20;

/// So many places are renamed in the edits of single findings. In a domain with thousands of `-set` that name renumbered devices,
/// each of thousands of findings would rename them all; behind this number only `fix`, which does it once, says what changes.
const MOST_NAMINGS: usize = 20_000;

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
    /// What was mended, in the text that came in: what a later round mended in text that an earlier one wrote is where that was put.
    pub applied: Vec<Diagnostic<'r>>,
    /// What is left, in the new text.
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
}

/// The text with everything mended that the settings allow, and a second look at the result.
///
/// Takes the text to let go of it as soon as it is edited: a big one is in memory once.
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
    let mut run = Run { rules, settings, with_edits, withheld: false, applied: Vec::new(), in_first_round: 0, undo: Vec::new() };
    let mut text = text;
    let mut seen = HashSet::new();
    loop {
        let unreadable = |error: XmlError| {
            let position = Source::new("", &text).position(error.offset);
            FixError::Xml(error, position)
        };
        match run.round(&text).map_err(unreadable)? {
            Round::Edited { edits, mended } => {
                let edited = edits.apply(&text);
                run.undo.push(Undo::of(edits, mended, &text));
                text = edited;
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
                run.in_first_round = 0;
                run.withheld = true;
                seen.clear();
            }
            Round::Quiet { remaining, .. } => {
                let (rounds, withheld) = (run.undo.len(), run.withheld);
                let mut applied = run.into_applied(&text);
                sort(&mut applied);
                return Ok(Fixed { changed: rounds > 0, text, applied, remaining, rounds, withheld });
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
    undo: Vec<Undo>,
}

enum Round<'r> {
    Edited { edits: Edits, mended: Vec<usize> },
    Quiet { remaining: Vec<Diagnostic<'r>>, has_picture: bool },
}

/// The way back from an edited text.
struct Undo {
    edits: Edits,
    /// The edits that it takes back.
    of: Edits,
    /// Where what they mended began.
    mended: Vec<usize>,
    /// Made where a later round mends something: nearly every document needs one round and no way back.
    origins: OnceCell<Origins>,
}

impl Undo {
    fn of(edits: Edits, mended: Vec<usize>, text: &str) -> Self {
        let (mut shift, mut back) = (0isize, Vec::new());
        for Edit { range, text: new } in edits.iter() {
            let start = range.start.saturating_add_signed(shift);
            back.push(Edit { range: start..start + new.len(), text: text[range.clone()].to_owned() });
            shift += new.len() as isize - range.len() as isize;
        }
        // The inverse of disjoint edits is disjoint; touching ones stay in order.
        Undo { edits: Edits::new(back).unwrap_or_default(), of: edits, mended, origins: OnceCell::new() }
    }
}

impl<'r> Run<'_, 'r> {
    fn round(&mut self, text: &str) -> Result<Round<'r>, XmlError> {
        let level = if self.settings.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
        let (rules, settings, withheld, with_edits) = (self.rules, self.settings, self.withheld, self.with_edits);
        let (round, mut applied): (_, Vec<Diagnostic<'r>>) = domain::read(text, settings, |domain| {
            let found = find(domain, rules);
            let mut picked: Vec<&Found<'_, 'r>> =
                found.iter().filter(|found| found.is_fixable(level) && !(withheld && found.rule.group == Group::Display)).collect();
            // Elements that move into libvirt's namespace mean something only then.
            let moves = |found: &&Found<'_, 'r>| found.rule.group == Group::Namespace && found.changes() != [Change::DeclareNamespace];
            if picked.iter().any(moves) {
                picked.retain(|found| found.rule.group == Group::Namespace);
            }
            let edits = compose(domain, picked.iter().flat_map(|found| found.changes()));
            if edits.is_empty() {
                let remaining = diagnostics(domain, found.iter(), with_edits);
                return (Round::Quiet { remaining, has_picture: has_picture(domain) }, Vec::new());
            }
            let applied = diagnostics(domain, picked.iter().copied(), with_edits);
            let mended = picked.iter().map(|found| found.finding.span.start).collect();
            (Round::Edited { edits, mended }, applied)
        })?;
        if self.undo.is_empty() {
            self.in_first_round = applied.len();
        } else if !applied.is_empty() {
            self.know_origins(text);
            let ways = self.undo.iter().rev().filter_map(|undo| undo.origins.get());
            let original = |offset: usize| ways.clone().fold(offset, |offset, origins| origins.original(offset));
            applied.iter_mut().for_each(|diagnostic| diagnostic.move_to(&original));
        }
        self.applied.extend(applied);
        Ok(round)
    }

    /// Makes the ways back from `text`, which the last round made.
    fn know_origins(&self, text: &str) {
        let mut after = Cow::Borrowed(text);
        for undo in self.undo.iter().rev().take_while(|undo| undo.origins.get().is_none()) {
            let before = undo.edits.apply(&after);
            undo.origins.get_or_init(|| Origins::new(&undo.of, &before, &undo.mended));
            after = Cow::Owned(before);
        }
    }

    /// All that was mended, at its place in the text that came in; `text` is what has become of that.
    fn into_applied(mut self, text: &str) -> Vec<Diagnostic<'r>> {
        let later = &mut self.applied[self.in_first_round..];
        if !later.is_empty() {
            let before = self.undo.iter().rev().fold(Cow::Borrowed(text), |text, undo| Cow::Owned(undo.edits.apply(&text)));
            let source = Source::new("", &before);
            later.iter_mut().for_each(|diagnostic| diagnostic.locate(&source));
        }
        self.applied
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
        let fill = |text: &str| template::fill(text, domain, finding.element, &finding.values);
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
fn diagnostics<'f, 'd: 'f, 'r: 'f>(
    domain: &Domain<'d>,
    found: impl Iterator<Item = &'f Found<'d, 'r>>,
    with_edits: bool,
) -> Vec<Diagnostic<'r>> {
    let mut most = if with_edits { MOST_NAMINGS } else { 0 };
    let diagnostics = found.map(|found| {
        if most > 0 && found.changes().contains(&Change::NameVgpu) {
            most = most.saturating_sub(domain.naming().len());
        }
        found.diagnostic(domain, most > 0)
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
