//! What the program knows about a setting.

use super::SettingError;

/// A setting: a value that flags, a configuration, editors and the web page can give.
#[derive(Debug)]
pub struct Setting {
    /// The name of the flag, of the configuration's key, of the editors' setting and of the page's
    /// field.
    pub name: &'static str,
    /// The type of the value.
    pub kind: Kind,
    /// The commands with this flag, sorted; without the program's name and subcommands.
    pub commands: &'static [&'static str],
    /// The section of a command's help that lists the flag.
    pub heading: &'static str,
    /// The placeholder of the flag's value in help, such as `VERSION`.
    pub value_name: &'static str,
    /// The values that shells complete.
    pub completion: Completion,
    /// The flag's line in `-h`.
    pub help: &'static str,
    /// The flag's text in `--help`, where one line is not enough.
    pub long_help: Option<&'static str>,
    /// The key of the configuration.
    pub key: Option<Key>,
    /// The description in VS Code's settings, in Markdown if it contains code.
    pub editor: Option<&'static str>,
    /// The field on the web page.
    pub page: Option<PageField>,
}

impl Setting {
    /// Checks a string and returns the value as it is stored.
    ///
    /// # Errors
    /// Returns what to use instead.
    pub fn parse(&self, text: &str) -> Result<String, SettingError> {
        match self.kind {
            Kind::Text { parse, .. } => parse(text),
            Kind::Word(words) if words.iter().all(|(word, _)| *word != text) => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(one_of(&words).into())
            }
            Kind::Switch if !matches!(text, "true" | "false") => Err("use true or false".into()),
            Kind::Word(_) | Kind::Switch | Kind::Names | Kind::Folder => Ok(text.to_owned()),
        }
    }
}

/// The help for a value that is not one of these words: `use info, warning or error`.
fn one_of(words: &[&str]) -> String {
    match words {
        [others @ .., last] if !others.is_empty() => format!("use {} or {last}", others.join(", ")),
        words => format!("use {}", words.join(", ")),
    }
}

/// The type of a setting's value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string.
    Text {
        /// Returns the value as it is stored.
        parse: fn(&str) -> Result<String, SettingError>,
        /// A regular expression that approximates the parser, for the JSON schema.
        pattern: Option<&'static str>,
    },
    /// One of these words, each with its meaning.
    Word(&'static [(&'static str, &'static str)]),
    /// A switch.
    Switch,
    /// Names of rules and groups.
    Names,
    /// A folder of custom rules.
    Folder,
}

impl Kind {
    /// The type of the value in a configuration, for messages.
    pub fn expected(self) -> &'static str {
        match self {
            Kind::Text { .. } | Kind::Word(_) | Kind::Folder => "a string",
            Kind::Switch => "true or false",
            Kind::Names => "an array of strings",
        }
    }
}

/// The values that shells complete for a flag.
#[derive(Clone, Copy, Debug)]
pub enum Completion {
    /// None.
    None,
    /// These, among others.
    Words(fn() -> Vec<String>),
    /// Paths.
    Files,
}

/// A key of `gvtg-xml.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name, which is the setting's unless that means something else in a configuration.
    pub name: &'static str,
    /// Whether overrides can set it.
    pub scope: Scope,
    /// A one-line description.
    pub summary: &'static str,
    /// The default value, in words.
    pub default: &'static str,
    /// An example value in TOML syntax.
    pub example: &'static str,
}

/// The files that a key can apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Single files: the key is allowed in `[[overrides]]`.
    File,
    /// All files: the key is not allowed in `[[overrides]]`.
    All,
}

/// A field of the web page's form.
#[derive(Clone, Copy, Debug)]
pub struct PageField {
    /// The label.
    pub label: &'static str,
    /// The text of an empty field: the default.
    pub placeholder: &'static str,
    /// The line below the field.
    pub hint: &'static str,
    /// The values that it offers.
    pub choices: Choices,
}

/// The values that a field offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choices {
    /// None.
    None,
    /// These, as suggestions; others can be typed.
    Suggestions(&'static [&'static str]),
    /// The types of vGPUs, and no others.
    VgpuTypes,
}
