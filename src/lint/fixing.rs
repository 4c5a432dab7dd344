//! The rounds of a fix: what is found is mended together, until nothing is left to mend.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use super::findings::{RuleFinding, diagnostics, find, is_guess, sort};
use super::ignored::{is_left_error, unused};
use super::{Findings, SMALL_TEXT, seen};
use crate::change::{Change, Composer};
use crate::diagnostic::Diagnostic;
use crate::domain::{self, Domain, display_has_gl, display_parts};
use crate::edit::{Applicability, Edit, Edits};
use crate::rules::RuleSet;
use crate::rules::schema::Group;
use crate::settings::Settings;
use crate::source::{Position, Source};
use crate::undo::{Before, Undo};
use crate::xml::XmlError;

/// So many rounds that only rules at odds with each other need more.
const MOST_ROUNDS: usize = 20;

/// So many times the size of the text that came in may come out, and [`SMALL_TEXT`] more: no real domain needs half of that.
const MOST_GROWTH: usize = 4;

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
    /// How often the text was edited.
    pub rounds: usize,
    /// Whether fixes were left out because nothing would have shown the guest after them.
    pub withheld: bool,
    /// Whether an error is left because the text says so, with which nothing is sure to show the guest.
    pub ignores_errors: bool,
    /// Whether fixes were held back because nothing says that the mediated device is Intel's.
    pub held_back: bool,
    /// Whether the document has a vGPU now.
    pub has_vgpu: bool,
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
    let mut run = Run { rules, settings, with_edits, withheld: false, applied: Vec::new(), undo: Vec::new() };
    let most = text.len().saturating_mul(MOST_GROWTH).saturating_add(SMALL_TEXT);
    let mut text = text;
    let mut seen = HashSet::new();
    loop {
        let unreadable = |error: XmlError| {
            let position = Source::new("", &text).position(error.offset);
            FixError::Xml(error, position)
        };
        match run.round(&text).map_err(unreadable)? {
            Round::Edited { edits, moved, applied } => {
                if edits.length_of(&text) > most {
                    return Err(FixError::Growth(most_frequent(&applied)));
                }
                let round = run.undo.len();
                run.applied.extend(applied.into_iter().map(|diagnostic| (round, diagnostic)));
                let undo = Undo::of(&edits, &text, &moved);
                text = edits.apply(&text);
                run.undo.push(undo);
                // Rules at odds come round to what the second round made too; nearly every document needs one round and no hash.
                let is_repeated = run.undo.len() > 1 && !seen.insert(hash(&text));
                if is_repeated || run.undo.len() >= MOST_ROUNDS {
                    let mut names: Vec<String> = run.applied.iter().map(|(_, diagnostic)| diagnostic.rule.id.to_string()).collect();
                    names.sort();
                    names.dedup();
                    return Err(FixError::Loop(names));
                }
            }
            Round::Quiet { is_sure_to_show, .. } if !is_sure_to_show && !run.withheld && run.removed_display() => {
                // Nothing is sure to show the guest: all back, and once more without touching what shows it now.
                for undo in std::mem::take(&mut run.undo).into_iter().rev() {
                    text = undo.apply(&text);
                }
                run.applied.clear();
                run.withheld = true;
                seen.clear();
            }
            Round::Quiet { findings, ignores_errors, is_guess, has_vgpu, .. } => {
                let rounds = run.undo.len();
                let Findings { open: mut remaining, mut suppressed } = findings;
                run.trace_back(&text, remaining.iter_mut().chain(&mut suppressed));
                let mut applied: Vec<_> = run.applied.into_iter().map(|(_, diagnostic)| diagnostic).collect();
                sort(&mut applied);
                sort(&mut remaining);
                sort(&mut suppressed);
                let held_back = is_guess && !settings.unsafe_fixes && remaining.iter().any(|left| left.fix.is_some());
                return Ok(Fixed {
                    changed: rounds > 0,
                    text,
                    applied,
                    remaining,
                    suppressed,
                    rounds,
                    withheld: run.withheld,
                    ignores_errors,
                    held_back,
                    has_vgpu,
                });
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
    /// What was mended, and in which round.
    applied: Vec<(usize, Diagnostic<'r>)>,
    undo: Vec<Undo>,
}

enum Round<'r> {
    Edited {
        edits: Edits,
        /// Pieces of the text that stand somewhere else then.
        moved: Vec<Range<usize>>,
        applied: Vec<Diagnostic<'r>>,
    },
    Quiet {
        findings: Findings<'r>,
        /// Whether something will show the guest, and no error that is ignored speaks against that.
        is_sure_to_show: bool,
        ignores_errors: bool,
        is_guess: bool,
        has_vgpu: bool,
    },
}

impl<'r> Run<'_, 'r> {
    fn round(&self, text: &str) -> Result<Round<'r>, XmlError> {
        let level = if self.settings.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
        let (rules, settings, withheld, with_edits) = (self.rules, self.settings, self.withheld, self.with_edits);
        domain::read(text, settings, |domain| {
            let (mut found, mut suppressions) = find(domain, rules);
            let mut picked: Vec<&RuleFinding<'_, 'r>> =
                found.iter().filter(|found| found.is_fixable(level) && !(withheld && found.rule.group == Group::Display)).collect();
            // Elements that move into libvirt's namespace mean something only then.
            let moves =
                |found: &&RuleFinding<'_, 'r>| found.rule.group == Group::Namespace && found.changes() != [Change::DeclareNamespace];
            // So do devices that move into the block that everything else is looked for in.
            let devices = domain.devices;
            let joins = |found: &RuleFinding<'_, 'r>| {
                found.changes().iter().any(|change| matches!(change, Change::InsertSource(block, _) if Some(*block) == devices))
            };
            if picked.iter().any(|found| moves(found) || joins(found)) {
                picked.retain(|found| found.rule.group == Group::Namespace || joins(found));
            }
            let composer = Composer::new(domain);
            let edits = composer.edits(picked.iter().flat_map(|found| found.changes()));
            if !edits.is_empty() {
                let moved = picked.iter().flat_map(|found| found.changes()).filter_map(|change| match change {
                    Change::InsertSource(_, range) => Some(range.clone()),
                    _ => None,
                });
                let applied = diagnostics(domain, picked.iter().copied(), with_edits);
                return Round::Edited { edits, moved: moved.collect(), applied };
            }
            // What an ignore is good for shows when everything else is mended.
            let unused = unused(domain, rules, &found, &mut suppressions);
            let picked: Vec<&RuleFinding<'_, 'r>> = unused.iter().filter(|found| found.is_fixable(level)).collect();
            let edits = composer.edits(picked.iter().flat_map(|found| found.changes()));
            if !edits.is_empty() {
                return Round::Edited { edits, moved: Vec::new(), applied: diagnostics(domain, picked.into_iter(), with_edits) };
            }
            found.extend(unused);
            let ignores_errors = found.iter().any(is_left_error);
            Round::Quiet {
                findings: seen(domain, &found, with_edits),
                is_sure_to_show: has_picture(domain) && !ignores_errors,
                ignores_errors,
                is_guess: is_guess(domain),
                has_vgpu: domain.has_vgpu(),
            }
        })
    }

    /// Gives what was found in an edited text its places in the text that came in.
    fn trace_back<'f>(&mut self, text: &str, left: impl Iterator<Item = &'f mut Diagnostic<'r>>)
    where
        'r: 'f,
    {
        let rounds = self.undo.len();
        let later = self.applied.iter_mut().filter(|(round, _)| *round > 0).map(|(round, diagnostic)| (*round, diagnostic));
        let later: Vec<_> = later.chain(left.map(|diagnostic| (rounds, diagnostic))).collect();
        if rounds == 0 || later.is_empty() {
            return;
        }
        let (last, earlier) = self.undo.split_last().map_or((None, &[][..]), |(last, earlier)| (Some(last), earlier));
        let edited = last.map_or_else(String::new, |last| last.apply(text));
        let input = earlier.iter().rev().fold(edited, |text, undo| undo.apply(&text));
        let source = Source::new("", &input);
        // A place in a text that so many rounds have edited; whether it was there before them all.
        let before = |round: usize, offset: usize| {
            self.undo[..round].iter().rev().fold((offset, true), |(offset, is_old), undo| match undo.before(offset) {
                Before::At(offset) => (offset, is_old),
                Before::New(offset) => (offset, false),
            })
        };
        for (round, diagnostic) in later {
            let (start, is_old) = before(round, diagnostic.span.start);
            // The last byte of it, as what is put in behind it is no part of it.
            let last = diagnostic.span.end.saturating_sub(1).max(diagnostic.span.start);
            let end = if is_old && last > diagnostic.span.start { (before(round, last).0 + 1).max(start) } else { start };
            diagnostic.span = start..end;
            (diagnostic.start, diagnostic.end) = (source.position(start), source.position(end));
            diagnostic.is_new = !is_old;
            if let Some(fix) = &mut diagnostic.fix {
                let place = |offset: usize| Some(before(round, offset)).filter(|(_, is_old)| *is_old).map(|(offset, _)| offset);
                let moved = |edit: &Edit| {
                    let range = place(edit.range.start)?..place(edit.range.end)?;
                    (range.start <= range.end).then(|| Edit { range, text: edit.text.clone() })
                };
                // What changes text that fix has put in can't be said of the text that came in.
                let edits: Option<Vec<Edit>> = fix.edits.iter().map(moved).collect();
                fix.edits = edits.map_or_else(Edits::default, Edits::compatible);
            }
            for related in &mut diagnostic.related {
                let (start, _) = before(round, related.span.start);
                related.span = start..start;
                related.start = source.position(start);
            }
        }
    }

    /// Whether anything that could show the guest was removed.
    fn removed_display(&self) -> bool {
        self.applied.iter().any(|(_, diagnostic)| diagnostic.rule.group == Group::Display)
    }
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

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::builtin;
    use crate::settings::Wishes;
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
    fn what_later_rounds_find_is_where_it_was_when_the_text_came_in() {
        let text = format!(
            "<domain type='kvm'>\n  <devices>\n    {VGPU}\n  <sound model='ich9'/><qemu:commandline xmlns:qemu='{QEMU_NAMESPACE}'>\n      <qemu:arg value='-set'/>\n\
             \t<qemu:arg value='device.hostdev0.xres=800'/>\n    <qemu:arg value='stray'/>\n    </qemu:commandline>\n  </devices>\n</domain>\n"
        );
        let fixed = fix(text, &RuleSet::all(builtin()), &Settings::default()).unwrap();
        let at = |list: &[Diagnostic<'_>], rule: &str| {
            let one = list.iter().find(|one| one.rule.id == rule).unwrap_or_else(|| panic!("{rule} in {}", fixed.text));
            (one.start.line, one.start.column, one.end.line, one.end.column, one.is_new)
        };
        assert_eq!(fixed.rounds, 2, "the block moves first");
        assert_eq!(at(&fixed.applied, "misplaced-commandline"), (4, 24, 4, 98, false));
        assert_eq!(at(&fixed.applied, "set-on-json-device"), (6, 12, 6, 44, false), "in the block that moved");
        assert_eq!(at(&fixed.remaining, "unreadable-argument"), (7, 15, 7, 28, false));
        assert_eq!(at(&fixed.remaining, "silent-sound"), (4, 3, 4, 24, false));
    }

    #[test]
    fn what_is_left_in_what_a_fix_put_in_is_new_and_where_that_was_put() {
        let text = "<domain type='kvm'>\n  <os firmware='efi'/>\n  <devices>\n  </devices>\n</domain>\n".to_owned();
        let fixed = fix(text, &RuleSet::all(builtin()), &Settings::default()).unwrap();
        let left = fixed.remaining.iter().find(|left| left.rule.id == "uefi-without-romfile").unwrap();
        assert!(left.is_new && left.start == left.end && (3..=4).contains(&left.start.line), "{left:?}");
    }

    #[test]
    fn a_new_alias_takes_along_what_names_the_vgpu_or_a_device_behind_it() {
        let sets = ["device.hostdev0.xres=800", "device.hostdev1.bootindex=1"];
        let arguments: String = sets.iter().map(|set| format!("<qemu:arg value='-set'/><qemu:arg value='{set}'/>")).collect();
        let capability = "<qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities>";
        let devices = format!("{VGPU}<hostdev type='usb'/>");
        let qemu = format!("<qemu:commandline>{arguments}</qemu:commandline>{capability}");
        let settings = Settings { asked: Wishes { alias: Some("ua-own".into()), ..Wishes::default() }, ..Settings::default() };
        let text = fixed(&devices, &qemu, &settings);
        assert!(text.contains("value='device.ua-own.xres=800'") && text.contains("value='device.hostdev0.bootindex=1'"), "{text}");
    }

    #[test]
    fn a_new_alias_and_a_new_value_meet_in_one_argument() {
        let set = "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.hostdev0.display=off'/></qemu:commandline>";
        let settings = Settings {
            libvirt: "7.0.0".parse().unwrap(),
            asked: Wishes { alias: Some("ua-own".into()), ..Wishes::default() },
            ..Settings::default()
        };
        // The number of the vGPU is the stick's then.
        let text = fixed(&format!("{VGPU}<hostdev type='usb'/>"), set, &settings);
        assert!(text.contains("value='device.ua-own.display=on'") && !text.contains("hostdev0"), "{text}");
    }

    #[test]
    fn an_alias_that_another_vgpu_has_is_given_with_a_number_and_stays() {
        let alias = "<alias name='ua-own'/></hostdev>";
        let other = VGPU.replace("</hostdev>", alias).replace("ab54baba", "ab54babb");
        let sets = "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.hostdev0.display=on'/></qemu:commandline>";
        let settings = Settings {
            libvirt: "7.0.0".parse().unwrap(),
            asked: Wishes { alias: Some("ua-own".into()), ..Wishes::default() },
            ..Settings::default()
        };
        let text = fixed(&(other + VGPU), sets, &settings);
        assert!(text.contains("<alias name='ua-own-2'/>") && text.contains("device.ua-own-2.display=on"), "{text}");
        let again = fix(text, &RuleSet::all(builtin()), &settings).unwrap();
        assert!(!again.changed, "{}", again.text);
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

    // What the schema refuses, so that no rule has it as an example.

    #[test]
    fn a_prefix_that_only_a_joined_block_declares_is_declared_on_the_root() {
        let block = |declaration: &str, inside: &str| format!("<qemu:commandline{declaration}>{inside}</qemu:commandline>");
        let text = fixed("", &(block("", "<qemu:arg value='-s'/>") + &block(" xmlns:n='urn:n'", "<n:note/>")), &Settings::default());
        assert!(text.starts_with(&format!("<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}' xmlns:n='urn:n'>")), "{text}");
        assert_eq!(text.matches("<qemu:commandline").count(), 1, "{text}");
        assert!(text.contains("<n:note/>"), "{text}");
    }

    #[test]
    fn all_rom_elements_of_a_vgpu_go_together() {
        let roms: String = (0..20).map(|number| format!("<rom file='/{number}.rom'/>")).collect();
        let text = fixed(&VGPU.replace("</hostdev>", &format!("{roms}</hostdev>")), "", &Settings::default());
        assert!(!text.contains("<rom") && text.contains("name='romfile' type='string' value='/0.rom'"), "{text}");
    }
}
