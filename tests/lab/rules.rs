//! The messages that rule files attribute to libvirt and QEMU are real: each rule's bad examples
//! get its messages, and its fixed ones get none.

use std::collections::BTreeMap;

use gvtg_xml::internals::domain::property_syntax_for;
use gvtg_xml::internals::schema::{Example, KnownMessage, MessageSource};
use gvtg_xml::{Group, Linter, Rule, RuleSet, Settings, builtin, parse_settings};

use crate::common;
use crate::lab;
use lab::{Answer, BESIDE, Suite, complaints, say};

/// An example, prepared for one suite.
struct Case {
    rule: &'static Rule,
    suite: Suite,
    name: String,
    /// The bad example, or the good one.
    text: String,
    is_good: bool,
    /// The text that the rule's fix makes of a bad example.
    fixed: Option<String>,
    /// The other domain of a bad example that needs two.
    beside: Option<String>,
}

impl Case {
    /// None if the example is not for this libvirt.
    fn new(rule: &'static Rule, index: usize, example: &Example, suite: Suite) -> Option<Self> {
        let (example_text, is_good) = match (&example.bad, &example.good) {
            (Some(bad), _) => (bad, false),
            (None, good) => (good.as_ref()?, true),
        };
        let asked = parse_settings(&example.settings).expect("settings");
        let names_libvirt = example.settings.contains("--libvirt");
        // A bad example may be as bad elsewhere, but an override means something only to a libvirt
        // that reads it.
        let is_bound = names_libvirt || is_good || example_text.contains("<qemu:override>");
        if is_bound && property_syntax_for(asked.libvirt) != property_syntax_for(suite.libvirt) {
            return None;
        }
        let settings = Settings { libvirt: suite.libvirt, ..asked };
        let text =
            common::document(&example_text.replace(['»', '«'], ""), example.within, &settings);
        let only = RuleSet { active: vec![rule], ..RuleSet::all(builtin()) };
        let found = common::findings_of(example, &text, &only, &settings);
        // libvirt gets a good example without the other domain.
        let beside = example
            .other_file
            .as_ref()
            .filter(|_| !is_good)
            .map(|beside| common::document(beside, example.within, &settings));
        let fixed = Linter::new(&only, &settings)
            .fix(text.clone())
            .ok()
            .filter(|fixed| fixed.changed)
            .map(|fixed| fixed.text);
        (found.is_empty() == is_good).then(|| Case {
            rule,
            suite,
            name: format!("{}-{index}", rule.id),
            text,
            is_good,
            fixed,
            beside,
        })
    }

    fn says(&self) -> impl Iterator<Item = &'static KnownMessage> {
        let libvirt = self.suite.libvirt;
        self.rule
            .known_message
            .iter()
            .filter(move |says| says.libvirt.is_none_or(|range| range.contains(libvirt)))
    }
}

/// A case and its answers.
struct Answered {
    case: Case,
    text: Answer,
    fixed: Option<Answer>,
}

/// Runs every example on every suite that its settings fit.
fn ask() -> Option<Vec<Answered>> {
    let suites = lab::suites()?;
    let mut cases = Vec::new();
    let mut documents: Vec<(Suite, BTreeMap<String, String>)> =
        suites.iter().map(|suite| (*suite, BTreeMap::new())).collect();
    for (suite, documents) in &mut documents {
        for rule in builtin() {
            for case in rule
                .example
                .iter()
                .enumerate()
                .filter_map(|(index, example)| Case::new(rule, index, example, *suite))
            {
                documents.insert(case.name.clone(), case.text.clone());
                documents.extend(
                    case.fixed.clone().map(|fixed| (format!("{}-fixed", case.name), fixed)),
                );
                documents.extend(
                    case.beside.clone().map(|beside| (format!("{}{BESIDE}", case.name), beside)),
                );
                cases.push(case);
            }
        }
    }
    let answers = lab::ask_all(
        "rules",
        documents.iter().map(|(suite, documents)| (*suite, documents)),
        &["--qemu"],
    );
    let answered = cases.into_iter().map(|case| {
        let (_, answers) = answers
            .iter()
            .find(|(suite, _)| suite.name == case.suite.name)
            .expect("each suite answers");
        let answer = |end: &str| answers.get(&format!("{}{end}", case.name)).cloned();
        Answered {
            text: answer("").expect("each document has an answer"),
            fixed: answer("-fixed"),
            case,
        }
    });
    Some(answered.collect())
}

/// The messages from this source; empty if there are none.
fn said(answer: &Answer, moment: MessageSource) -> String {
    match moment {
        MessageSource::Define if answer.define != "ok" => answer.define.clone(),
        // If define fails, the schema's error is expected too.
        MessageSource::Validate if answer.define == "ok" && answer.validate != "ok" => {
            answer.validate.clone()
        }
        MessageSource::Start if answer.define == "ok" => answer.argv_error.clone(),
        MessageSource::Qemu => complaints(&answer.qemu).join("\n"),
        _ => String::new(),
    }
}

/// Whether a message contains these words, in which `{}` stands for any text.
fn matches(words: &str, message: &str) -> bool {
    let mut rest = message;
    words.split("{}").all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn libvirt_and_qemu_print_the_messages_of_the_rules() {
    let Some(answered) = ask() else { return };
    let mut faults = Vec::new();
    let mut shown: BTreeMap<(String, String), bool> = BTreeMap::new();
    for rule in builtin() {
        let of_rule: Vec<&Answered> =
            answered.iter().filter(|answered| answered.case.rule.id == rule.id).collect();
        for says in rule.known_message.iter() {
            shown.entry((rule.id.to_string(), says.text.to_string())).or_default();
        }
        for suite in lab::suites().unwrap_or_default() {
            let on_suite: Vec<&&Answered> = of_rule
                .iter()
                .filter(|answered| answered.case.suite.name == suite.name && !answered.case.is_good)
                .collect();
            faults.extend(silence(rule, suite, &on_suite, &mut shown));
        }
        faults.extend(of_rule.iter().flat_map(|answered| unsaid(answered)));
        faults.extend(of_rule.iter().flat_map(|answered| still_said(answered)));
        faults.extend(of_rule.iter().filter_map(|answered| dropped(answered)));
    }
    for ((rule, text), is_shown) in &shown {
        let is_tested = builtin().iter().any(|known| {
            known.id == *rule
                && known.known_message.iter().any(|says| says.text == *text && says.tested)
        });
        if is_tested != *is_shown {
            let seen = if *is_shown { "some suite says it" } else { "no suite says it" };
            faults.push(format!("{rule}: tested = {is_tested}, but {seen}: {text}"));
        }
    }
    let tested = shown.values().filter(|is_shown| **is_shown).count();
    say(&format!(
        "rules: {} examples asked about, {tested} of {} messages seen, {} faults",
        answered.len(),
        shown.len(),
        faults.len()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Messages that a suite in their range prints for none of the rule's bad examples.
fn silence(
    rule: &Rule,
    suite: Suite,
    on_suite: &[&&Answered],
    shown: &mut BTreeMap<(String, String), bool>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for says in rule
        .known_message
        .iter()
        .filter(|says| says.libvirt.is_none_or(|range| range.contains(suite.libvirt)))
    {
        if on_suite.is_empty() {
            continue;
        }
        let is_said =
            on_suite.iter().any(|answered| matches(&says.text, &said(&answered.text, says.at)));
        if is_said {
            shown.insert((rule.id.to_string(), says.text.to_string()), true);
        } else if says.tested {
            let instead: Vec<String> =
                on_suite.iter().map(|answered| said(&answered.text, says.at)).collect();
            faults.push(format!(
                "{} on {}: '{}' is not printed, but {instead:?}",
                rule.id, suite.name, says.text
            ));
        }
    }
    faults
}

/// Messages for a bad example, but not for its fixed one, that the rule does not have: a search for
/// the message would miss the rule.
fn unsaid(answered: &Answered) -> Vec<String> {
    let Answered { case, text, fixed } = answered;
    if case.rule.when.unsuitable || case.is_good {
        // The lab cannot reproduce messages of another architecture or hypervisor.
        return Vec::new();
    }
    let mut faults = Vec::new();
    for moment in
        [MessageSource::Define, MessageSource::Validate, MessageSource::Start, MessageSource::Qemu]
    {
        let message = said(text, moment);
        let is_the_fixed_ones = fixed.as_ref().is_some_and(|fixed| said(fixed, moment) == message);
        let is_said = case.says().any(|says| says.at == moment && matches(&says.text, &message));
        if !message.is_empty() && message != "not defined" && !is_said && !is_the_fixed_ones {
            faults.push(format!(
                "{} on {}: a message that the rule does not know at {moment:?}: {message}",
                case.name, case.suite.name
            ));
        }
    }
    faults
}

/// Messages that a fixed or good example still gets, and other reasons why libvirt rejects it.
fn still_said(answered: &Answered) -> Vec<String> {
    let Answered { case, text, fixed } = answered;
    let (Some(answer), kind) = (
        if case.is_good { Some(text) } else { fixed.as_ref() },
        if case.is_good { "good" } else { "fixed" },
    ) else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for says in case.says() {
        if matches(&says.text, &said(answer, says.at)) {
            faults.push(format!(
                "{} on {}: the {kind} example gets '{}'",
                case.name, case.suite.name, says.text
            ));
        }
    }
    for moment in [MessageSource::Define, MessageSource::Validate, MessageSource::Start] {
        let message = said(answer, moment);
        // A fix concerns only its rule's finding: libvirt may still reject the rest.
        if !message.is_empty() && message != said(text, moment)
            || case.is_good && !message.is_empty()
        {
            faults.push(format!(
                "{} on {}: the {kind} example is refused: {message}",
                case.name, case.suite.name
            ));
        }
    }
    faults
}

/// Checks the rules about what libvirt drops silently: it keeps nothing of a bad example, and
/// something of the fixed one.
fn dropped(answered: &Answered) -> Option<String> {
    let Answered { case, text: bad, fixed: Some(fixed) } = answered else { return None };
    let sign = match &*case.rule.id {
        // An old libvirt numbers the device itself, so the alias is left out.
        "vgpu-alias" if !case.fixed.as_ref()?.contains("<alias") => return None,
        "vgpu-alias" => "<alias name='ua-",
        "unsupported-override" => "device.ua-gvtg.",
        _ if case.rule.group == Group::Namespace => "<qemu:",
        _ => return None,
    };
    let kept = |answer: &Answer| answer.dumpxml.as_ref().map(|xml| xml.matches(sign).count());
    // Two blocks are merged, and only the schema rejects them.
    let wanted = if case.rule.id == "split-commandline" { kept(fixed) } else { Some(0) };
    let is_seen = kept(bad) == wanted && kept(fixed) > Some(0);
    (!is_seen).then(|| {
        format!(
            "{} on {}: of the bad one is kept {:?}, of the fixed {:?}",
            case.name,
            case.suite.name,
            kept(bad),
            kept(fixed)
        )
    })
}
