//! Compiles the rule files into one static table: parsing about 60 TOML files at every start would
//! take ten times as long as the rest of a run.

use std::fmt::Write as _;
use std::{env, fs};

#[allow(dead_code, missing_docs)]
#[path = "src/text"]
mod text {
    pub mod edit;
    pub use edit::Applicability;
}
#[allow(dead_code, missing_docs)]
#[path = "src/version.rs"]
mod version;
#[allow(dead_code, missing_docs)]
#[path = "src/rules"]
mod rules {
    pub mod examples;
    pub mod file;
    pub mod path;
    mod path_parser;
    pub mod registry;
    pub mod schema;
    pub mod selector_trie;
    pub mod symptom;
}
#[allow(dead_code, missing_docs)]
#[path = "src/domain"]
mod domain {
    pub mod setting_overrides;
}
#[allow(dead_code, missing_docs)]
#[path = "src/qemu"]
mod qemu {
    pub mod property;
}
#[allow(dead_code, missing_docs, unused_imports)]
#[path = "src/xml"]
mod xml {
    pub mod fragment;
    pub mod scan;
    pub use scan::is_character;
}

use rules::path::{Axis, Condition, Name, Path, Selector, Step, Text, Value};
use rules::schema::*;
use rules::selector_trie::{self, TrieNode};
use rules::symptom::{Symptom, SymptomMessage};
use text::Applicability;
use version::{Version, VersionRange};

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=CHANGELOG.md");
    println!("cargo::rustc-env=RELEASED={}", released());
    let mut rules = rules_in("rules");
    rules.sort_by_key(|rule| (rule.phase(), rule.id.clone()));
    write("selector_trie.rs", &table(&build_selector_trie(&mut rules)));
    write("rules.rs", &table(&rules));
    let host_rules = rules_in("rules/host");
    write("host.rs", &table(&host_rules));
    write("symptoms.rs", &table(&symptoms(&rules.iter().chain(&host_rules).collect::<Vec<_>>())));
    // The indices of the two rules that report input no other rule can check.
    let rule_index = |has_kind: fn(&Check) -> bool| {
        rules
            .iter()
            .position(|rule| has_kind(&rule.check))
            .expect("a rule about what can't be read")
    };
    let rule_indices = [
        rule_index(|check| matches!(check, Check::WellFormed)),
        rule_index(|check| matches!(check, Check::Domain)),
    ];
    write("unreadable.rs", &format!("{rule_indices:?}"));
}

/// Returns the release date of this version from CHANGELOG.md (`## 0.1.0 (2026-11-28)`), which the
/// manual pages print.
fn released() -> String {
    let changes = fs::read_to_string("CHANGELOG.md").expect("CHANGELOG.md is UTF-8");
    let start = format!("## {} (", env::var("CARGO_PKG_VERSION").expect("cargo's variables"));
    let date = changes.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix(')'));
    date.unwrap_or_else(|| {
        panic!("CHANGELOG.md has no line that begins with '{start}' and ends with a date and ')'")
    })
    .to_owned()
}

/// Reads the rules in a folder, sorted by id.
fn rules_in(folder: &str) -> Vec<Rule> {
    let mut rules = read(folder, rules::file::parse, |rule, stem| {
        if rule.id != stem {
            return Some(format!("the file's name is not its id, {}", rule.id));
        }
        let is_misplaced = (rule.group == Group::Host) != folder.ends_with("host");
        is_misplaced.then(|| "rules about the host, and no others, are in rules/host".into())
    });
    if env::var_os("CARGO_FEATURE_EXAMPLES").is_none() {
        rules.iter_mut().for_each(|rule| rule.example = Default::default());
    }
    rules
}

/// Builds the trie of the prefixes of all selectors in the rules, and records in each path the
/// index of its node.
fn build_selector_trie(rules: &mut [Rule]) -> Vec<TrieNode> {
    let mut trie = selector_trie::new_trie();
    for rule in rules {
        let fix_selectors = rule.fix.to_mut().iter_mut().filter_map(|fix| fix.unsafe_if.as_mut());
        let check_selector = match &mut rule.check {
            Check::Reference { to, .. } => Some(to),
            _ => None,
        };
        let rule_selectors =
            [&mut rule.select, &mut rule.when.absent, &mut rule.when.present].into_iter().flatten();
        for selector in rule_selectors.chain(check_selector).chain(fix_selectors) {
            selector
                .paths
                .to_mut()
                .iter_mut()
                .for_each(|path| selector_trie::insert(path, &mut trie));
        }
    }
    trie
}

/// Reads the symptoms, sorted by id. Panics if one refers to a rule that does not exist, or has the
/// name of a rule.
fn symptoms(rules: &[&Rule]) -> Vec<Symptom> {
    let is_rule = |name: &str| {
        rules.iter().any(|rule| rule.id == name || rule.aliases.iter().any(|alias| alias == name))
    };
    read("rules/symptoms", rules::symptom::parse, |symptom, stem| {
        match symptom.rules.iter().find(|name| !is_rule(name)) {
            Some(name) => Some(format!("there is no rule '{name}'")),
            None if symptom.id != stem => {
                Some(format!("the file's name is not its id, {}", symptom.id))
            }
            None => is_rule(&symptom.id).then(|| format!("there is a rule '{}'", symptom.id)),
        }
    })
}

/// Parses the TOML files in a folder, in the order of their names. `validate` gets a parsed file
/// and its name without `.toml`, and returns what is wrong with it. Panics with all errors, each
/// with its file, line and column.
fn read<T>(
    folder: &str,
    parse: impl Fn(&str) -> Result<T, Vec<rules::file::RuleError>>,
    validate: impl Fn(&T, &str) -> Option<String>,
) -> Vec<T> {
    let mut items: Vec<T> = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("a folder of rules")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in
        paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
    {
        let text = fs::read_to_string(path).expect("a rule file is UTF-8");
        let stem = path.file_stem().expect("a name").to_string_lossy();
        match parse(&text) {
            Ok(item) => match validate(&item, &stem) {
                Some(message) => errors.push(format!("{}:1:1: {message}", path.display())),
                None => items.push(item),
            },
            Err(rule_errors) => errors.extend(rule_errors.into_iter().map(|error| {
                let before = &text[..error.span.start];
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                format!(
                    "{}:{}:{column}: {}",
                    path.display(),
                    before.matches('\n').count() + 1,
                    error.message
                )
            })),
        }
    }
    assert!(errors.is_empty(), "\n{}", errors.join("\n"));
    items
}

fn table<T: ToRust>(items: &[T]) -> String {
    let mut table = String::from("&[\n");
    for item in items {
        writeln!(table, "{},", item.to_rust()).expect("a String");
    }
    table + "]"
}

fn write(name: &str, text: &str) {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(std::path::Path::new(&out).join(name), text).expect("OUT_DIR can be written");
}

/// A value that can be written as a Rust expression.
trait ToRust {
    fn to_rust(&self) -> String;
}

macro_rules! structs {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl ToRust for $name {
            fn to_rust(&self) -> String {
                let fields = [$(format!("{}: {}", stringify!($field), self.$field.to_rust())),*];
                format!("{} {{ {} }}", stringify!($name), fields.join(", "))
            }
        }
    )*};
}

/// Enums without fields, whose `Debug` output is a valid Rust path.
macro_rules! plain_enums {
    ($($name:ident)*) => {$(
        impl ToRust for $name {
            fn to_rust(&self) -> String {
                format!("{}::{self:?}", stringify!($name))
            }
        }
    )*};
}

structs! {
    Rule { id, summary, severity, group, since, when, select, message, message_once_removed, check, fix, help, ok_message, page, why, known_message, references, aliases, example }
    Page { help, fix }
    When { libvirt, shown_by, vgpu, ramfb, unsuitable, absent, present, setting }
    Fix { title, op, property, applicability, risk, unsafe_if, unsafe_if_watched, keeps_picture, libvirt }
    Property { name, value, title }
    Symptom { id, summary, severity, explanation, steps, rules, fallback, known_message, references }
    SymptomMessage { at, text }
    Function { name, place }
    KnownMessage { at, text, libvirt, tested }
    Example { bad, fixed, good, other_file, within, settings }
    Selector { source, paths }
    Path { absolute, steps, stem }
    TrieNode { name, depth, next }
    Step { axis, name, conditions }
    Value { path, attribute }
    VersionRange { from, before }
}

plain_enums! { Severity Group DisplayBackend Format SuppressionFault ConflictKind MessageSource SnippetContext Applicability Axis }

impl ToRust for Version {
    fn to_rust(&self) -> String {
        match *self {
            Version::NEWEST => "Version::NEWEST".into(),
            version => format!("Version::new({})", version.to_string().replace('.', ", ")),
        }
    }
}

impl ToRust for usize {
    fn to_rust(&self) -> String {
        self.to_string()
    }
}

impl ToRust for bool {
    fn to_rust(&self) -> String {
        self.to_string()
    }
}

impl ToRust for Text {
    fn to_rust(&self) -> String {
        format!("Cow::Borrowed({:?})", &**self)
    }
}

impl<T: ToRust> ToRust for Option<T> {
    fn to_rust(&self) -> String {
        self.as_ref().map_or("None".into(), |value| format!("Some({})", value.to_rust()))
    }
}

impl<T: ToRust + Clone> ToRust for rules::path::List<T>
where
    [T]: ToOwned,
{
    fn to_rust(&self) -> String {
        let items: Vec<String> = self.iter().map(ToRust::to_rust).collect();
        format!("Cow::Borrowed(&[{}])", items.join(", "))
    }
}

impl ToRust for Name {
    fn to_rust(&self) -> String {
        match self {
            Name::Any | Name::AnyQemu => format!("Name::{self:?}"),
            Name::Plain(name) => format!("Name::Plain({})", name.to_rust()),
            Name::Qemu(name) => format!("Name::Qemu({})", name.to_rust()),
        }
    }
}

impl ToRust for Condition {
    fn to_rust(&self) -> String {
        match self {
            Condition::All(parts) => format!("Condition::All({})", parts.to_rust()),
            Condition::Any(parts) => format!("Condition::Any({})", parts.to_rust()),
            Condition::Not(parts) => format!("Condition::Not({})", parts.to_rust()),
            Condition::Exists(value) => format!("Condition::Exists({})", value.to_rust()),
            Condition::Equal(value, text) => {
                format!("Condition::Equal({}, {})", value.to_rust(), text.to_rust())
            }
            Condition::Different(value, text) => {
                format!("Condition::Different({}, {})", value.to_rust(), text.to_rust())
            }
        }
    }
}

impl ToRust for Operation {
    fn to_rust(&self) -> String {
        match self {
            Operation::Insert(text) => format!("Operation::Insert({})", text.to_rust()),
            Operation::SetAttribute(text) => format!("Operation::SetAttribute({})", text.to_rust()),
            Operation::SetText(text) => format!("Operation::SetText({})", text.to_rust()),
            plain => format!("Operation::{plain:?}"),
        }
    }
}

/// Writes a variant of `Check` with named fields.
macro_rules! variant {
    ($name:ident { $($field:ident),* }) => {{
        let fields = [$(format!("{}: {}", stringify!($field), $field.to_rust())),*];
        format!("Check::{} {{ {} }}", stringify!($name), fields.join(", "))
    }};
}

impl ToRust for Check {
    fn to_rust(&self) -> String {
        match self {
            Check::Forbid => "Check::Forbid".into(),
            Check::Require { child } => variant!(Require { child }),
            Check::Attribute { name, required, forbidden, one_of, format } => {
                variant!(Attribute { name, required, forbidden, one_of, format })
            }
            Check::Text { one_of, format } => variant!(Text { one_of, format }),
            Check::Unique { attribute, of } => variant!(Unique { attribute, of }),
            Check::Reference { attribute, to, key } => variant!(Reference { attribute, to, key }),
            Check::Property { name, value } => variant!(Property { name, value }),
            Check::Environment { name, value, format, setting, displays } => {
                variant!(Environment { name, value, format, setting, displays })
            }
            Check::Code { function } => variant!(Code { function }),
            Check::Suppression { fault } => variant!(Suppression { fault }),
            Check::Across { same } => variant!(Across { same }),
            Check::WellFormed => "Check::WellFormed".into(),
            Check::Domain => "Check::Domain".into(),
        }
    }
}
