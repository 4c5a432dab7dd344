//! `gvtg-xml explain`: rules by name, messages by what they say, and logs by what is in them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io as standard;
use std::path::Path;

use clap::{Args as _, Command};

mod here;
mod log;

use super::lint::fail;
use super::wrap::{paragraphs, wrapped};
use super::{ColorChoice, ExplainArgs, Status, configs, io, terminal};
use crate::config::{Choices, Configs, site};
use crate::doctor::{Answer, Asked, Entry, Known, page, page_of};
use crate::printable::{clean, clean_lines, system_error};
use crate::rules::schema::Rule;
use crate::rules::{of_host, symptoms};
use here::Here;
use log::examine;

pub(super) fn run(args: &ExplainArgs) -> Status {
    let choices = Choices { site_rules: args.rules.clone(), ..Choices::default() };
    let configs = Configs::new(args.origin.origin(), choices, None);
    let (found, own) = match configs.and_then(|mut configs| {
        let found = configs.find_in(Path::new(""), None)?;
        let own = configs.rules(found.loaded.as_deref());
        configs::say_passed_over(&configs);
        Ok((found, own))
    }) {
        Ok(here) => here,
        Err(failure) => return configs::fail(&failure, ColorChoice::Auto),
    };
    let here = Here::new(&found, own);
    let mut all: Vec<&Rule> = site::merged(own).chain(of_host()).collect();
    all.sort_by_key(|rule| &rule.id);
    let known = Known::new(all, symptoms());
    match answer(&args.what, &known, &here) {
        Ok(Told { text, unknown }) => {
            let text = clean_lines(&text);
            // What a program reads keeps its lines.
            let text =
                if terminal::columns(std::io::stdout()).is_some() { wrapped(&unfolded(text, &known), terminal::width()) } else { text };
            if let Err(message) = io::print(&text) {
                return fail(&message);
            }
            unknown.iter().for_each(|message| io::complain(message));
            if unknown.is_empty() { Status::Clean } else { Status::Findings }
        }
        Err(message) => fail(&message),
    }
}

/// The same with each paragraph of a rule or a symptom on one line.
fn unfolded(mut text: String, known: &Known<'_>) -> String {
    let of_rules = known.rules.iter().map(|rule| rule.why.trim());
    for prose in of_rules.chain(known.symptoms.iter().map(|symptom| symptom.means.trim())).filter(|prose| prose.contains('\n')) {
        text = text.replace(prose, &paragraphs(prose));
    }
    text
}

/// What is told, and of what nothing is known.
#[derive(Default)]
struct Told {
    text: String,
    unknown: Vec<String>,
}

impl Told {
    fn add(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    fn is_nothing(&self) -> bool {
        self.text.is_empty() && self.unknown.is_empty()
    }
}

/// What somebody asks for with these arguments.
///
/// # Errors
/// Why a log can't be read, or that nothing is asked.
fn answer(asked: &[String], known: &Known<'_>, here: &Here<'_>) -> Result<Told, String> {
    let mut told = Told::default();
    if asked.is_empty() {
        // What is piped in is a log; where nothing comes, nothing was.
        if !io::stdin_is_terminal() {
            examine("<stdin>", standard::stdin().lock(), known, &mut told)?;
        }
        if told.is_nothing() {
            told.text = here.list(known);
        }
        return Ok(told);
    }
    let sentence = asked.join(" ");
    if sentence.trim().is_empty() {
        return Err("give a rule, a message or a log to explain: a blank is none".into());
    }
    if let Some(flag) = asked.iter().skip(1).find(|word| is_flag(word)).filter(|_| is_named(&asked[0], known)) {
        let flag = flag.split('=').next().unwrap_or(flag);
        return Err(format!(
            "{flag} goes before what is to be explained, as what begins with - may be a message: gvtg-xml explain {flag} …"
        ));
    }
    if asked.iter().all(|word| is_named(word, known)) {
        for word in asked {
            explain_named(word, known, here, &mut told)?;
        }
    } else if !explain_message(&sentence, known, here, &mut told) {
        // Not one message: then each for itself.
        for word in asked {
            if is_named(word, known) {
                explain_named(word, known, here, &mut told)?;
            } else if let Some(error) = missing_file(word) {
                return Err(error);
            } else if asked.len() == 1 || !explain_message(word, known, here, &mut told) {
                told.unknown.push(format!("nothing is known of '{}'{}", clean(word), nearest(word, known)));
            }
        }
        if told.text.is_empty() {
            told.unknown = vec![format!("nothing is known of '{}'{}", clean(&sentence), nearest(&sentence, known))];
        }
    }
    Ok(told)
}

/// Whether a word is a flag of this command.
fn is_flag(word: &str) -> bool {
    let Some(name) = word.strip_prefix("--").and_then(|word| word.split('=').next()) else { return false };
    let command = ExplainArgs::augment_args(Command::new("explain"));
    command.get_arguments().any(|argument| argument.get_long() == Some(name))
}

/// Whether a word is the name of a rule, of a symptom, of a group of rules or of a file.
fn is_named(word: &str, known: &Known<'_>) -> bool {
    word == "-"
        || known.rules.iter().any(|rule| rule.is_meant_by(word))
        || known.symptoms.iter().any(|symptom| symptom.id == word)
        || is_file(word)
}

fn is_file(word: &str) -> bool {
    fs::metadata(word).is_ok_and(|metadata| !metadata.is_dir())
}

/// Why a word that looks like a path is no file that can be read.
fn missing_file(word: &str) -> Option<String> {
    let looks_like_one = !word.contains(char::is_whitespace) && (word.starts_with(['/', '.', '~']) || word.ends_with(".log"));
    let error = fs::metadata(word).err().filter(|_| looks_like_one)?;
    Some(unreadable(word, &error))
}

fn unreadable(path: &str, error: &standard::Error) -> String {
    let hint =
        if error.kind() == standard::ErrorKind::PermissionDenied { " (the logs of the system's libvirt are root's: sudo)" } else { "" };
    format!("{}: can't be read: {}{hint}", clean(path), system_error(error))
}

fn explain_named(word: &str, known: &Known<'_>, here: &Here<'_>, told: &mut Told) -> Result<(), String> {
    if let Some(rule) = known.rules.iter().find(|rule| rule.is_named(word)) {
        told.add(&here.page(rule));
    } else if let Some(symptom) = known.symptoms.iter().find(|symptom| symptom.id == word) {
        told.add(&page_of(symptom));
    } else if known.rules.iter().any(|rule| rule.group.name() == word) {
        told.add(&here.lines(known.rules.iter().filter(|rule| rule.group.name() == word).map(|rule| Entry::Rule(rule))));
    } else if word == "-" {
        examine("<stdin>", standard::stdin().lock(), known, told)?;
    } else {
        let file = File::open(word).map_err(|error| unreadable(word, &error))?;
        examine(word, file, known, told)?;
    }
    Ok(())
}

/// Explains a message, a piece of one, or what somebody looks for; false where nothing is known of it.
fn explain_message(asked: &str, known: &Known<'_>, here: &Here<'_>, told: &mut Told) -> bool {
    let asked = known.asked(asked);
    if asked.is_nothing() {
        return false;
    }
    let Asked { answers, topic } = asked;
    for answer in answers {
        told.add(&match answer {
            Answer::Rules(rules) if rules.len() == 1 => here.page(rules[0]),
            answer => page(answer),
        });
    }
    if let ([one], true) = (&topic.about[..], topic.beside.is_empty()) {
        told.add(&match one {
            Entry::Rule(rule) => here.page(rule),
            Entry::Symptom(symptom) => page_of(symptom),
        });
    } else if !topic.about.is_empty() || !topic.beside.is_empty() {
        let mut text = here.lines(topic.about.iter().copied());
        if !topic.beside.is_empty() {
            let names: Vec<&str> = topic.beside.iter().map(|entry| entry.id()).collect();
            let also = if topic.about.is_empty() { "Spoken of in" } else { "\nAlso spoken of in" };
            let _ = writeln!(text, "{also}: {}", names.join(", "));
        }
        told.add(&text);
        told.text.push_str("\n`gvtg-xml explain NAME` says more about each.\n");
    }
    true
}

fn nearest(asked: &str, known: &Known<'_>) -> String {
    match &known.nearest(asked)[..] {
        [] => "; `gvtg-xml explain` lists what is".into(),
        [one] => format!("; did you mean '{one}'?"),
        several => format!("; nearest to it: {}", several.join(", ")),
    }
}
