//! `gvtg-xml explain`.

use std::fmt::Write as _;
use std::path::Path;

use super::lint::fail;
use super::{ColorChoice, ExplainArgs, Status, configs, io};
use crate::config::told::{self, RuleTold};
use crate::config::{Choices, Configs, Found, site};
use crate::printable::{clean, clean_lines};
use crate::rules::page::{Markup, page};
use crate::rules::schema::Rule;
use crate::rules::{of_host, unknown};

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
    let here = Here(&found, told::rules(&found, site::merged(own)));
    let mut all: Vec<&Rule> = site::merged(own).chain(of_host()).collect();
    all.sort_by_key(|rule| &rule.id);
    let asked = args.rule.join(" ");
    let text = if asked.is_empty() {
        list(&all, &here)
    } else if let Some(rule) = all.iter().find(|rule| rule.is_named(&asked)) {
        here.page(rule)
    } else {
        let said: Vec<&Rule> = all.iter().copied().filter(|rule| rule.says.iter().any(|says| is_said(&says.text, &asked))).collect();
        if said.is_empty() {
            return fail(&clean(&unknown(&asked, &all)));
        }
        said.into_iter().map(|rule| here.page(rule)).collect::<Vec<_>>().join("\n")
    };
    match io::print(&clean_lines(&text)) {
        Ok(()) => Status::Clean,
        Err(message) => fail(&message),
    }
}

/// What the configuration of the current folder says of rules.
struct Here<'f>(&'f Found, Vec<RuleTold<'f>>);

impl Here<'_> {
    fn told(&self, rule: &Rule) -> Option<&RuleTold<'_>> {
        self.1.iter().find(|told| told.rule.id == rule.id)
    }

    /// The rule's page, and what is said of it here.
    fn page(&self, rule: &Rule) -> String {
        let mut text = page(rule, Markup::Plain);
        if let (Some(told), Some(loaded)) = (self.told(rule), &self.0.loaded) {
            let (path, line) = (loaded.path.display(), loaded.line(&told.level.span));
            let _ = writeln!(text, "\nIn this folder it is {}: {path}, line {line}", told.level.word());
        }
        text
    }
}

fn list(rules: &[&Rule], here: &Here<'_>) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        let mark = if rule.fix.is_empty() { ' ' } else { '*' };
        let severity = here.told(rule).map_or(rule.severity.name(), |told| told.level.word());
        let _ = writeln!(text, "{:width$}  {severity:7} {mark} {}", rule.id, rule.summary);
    }
    text.push_str("\n* `gvtg-xml fix` can mend it. `gvtg-xml explain RULE` says more.\n");
    text
}

/// Whether a piece of a message is one of these words, whatever stands in the places that vary, or has them in it.
fn is_said(says: &str, asked: &str) -> bool {
    let (says, asked) = (says.to_lowercase(), asked.to_lowercase());
    let whole = says.split("{}").try_fold(asked.as_str(), |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]));
    whole.is_some() || letters_in_common(&says, asked.trim()) >= (asked.len() * 2 / 3).max(6)
}

/// How many letters of `asked` are letters of `says`, if it is a piece of it with anything in the places that vary; else 0.
fn letters_in_common(says: &str, asked: &str) -> usize {
    // None stands for a place that varies: it takes any letters, also none.
    let pattern: Vec<Option<char>> = says.replace("{}", "\0").chars().map(|c| (c != '\0').then_some(c)).collect();
    // The best count for each place in the pattern to be at, before a letter of `asked`; the piece can begin anywhere.
    let mut best: Vec<Option<usize>> = vec![Some(0); pattern.len() + 1];
    for letter in asked.chars() {
        let mut next = vec![None; pattern.len() + 1];
        for (at, count) in best.iter().enumerate().filter_map(|(at, count)| Some((at, (*count)?))) {
            match pattern.get(at) {
                Some(None) => {
                    next[at] = next[at].max(Some(count));
                    if pattern.get(at + 1) == Some(&Some(letter)) {
                        next[at + 2] = next[at + 2].max(Some(count + 1));
                    }
                }
                Some(Some(expected)) if *expected == letter => next[at + 1] = next[at + 1].max(Some(count + 1)),
                _ => {}
            }
        }
        best = next;
    }
    best.into_iter().flatten().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::is_said;

    #[test]
    fn a_message_is_found_by_a_piece_of_it_or_with_more_around_it() {
        let says = "chardev '{}' not supported without spice graphics";
        assert!(is_said(says, "error: unsupported configuration: chardev 'spicevmc' not supported without spice graphics"));
        assert!(is_said(says, "without SPICE graphics"));
        assert!(is_said(says, "chardev 'spiceport' not supported"));
        assert!(!is_said(says, "spice"));
        assert!(!is_said(says, "no such device"));
    }
}
