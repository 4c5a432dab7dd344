//! QEMU's option lists: `vfio-pci,sysfsdev=/sys/x,ramfb=on`, or the same as a JSON object.
//!
//! QEMU has two readers of the plain form (util/qemu-option.c `opts_do_parse`, util/keyval.c
//! `keyval_parse`). Both take `,,` in a value for one comma, the last of several values of one
//! name, and a first word without `=` for the value of an implied name.

use std::ops::Range;

use super::json;

/// How an option's list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The name of the first word, where that has none itself.
    implied: Option<&'static str>,
    /// Whether a name without a value is a switch: `x` for `x=on`, `nox` for `x=off`.
    has_switches: bool,
    /// Whether a JSON object may stand for the list.
    has_json: bool,
}

impl Syntax {
    /// Of `-device`.
    pub const DEVICE: Syntax =
        Syntax { implied: Some("driver"), has_switches: true, has_json: true };
    /// Of `-display`.
    pub const DISPLAY: Syntax =
        Syntax { implied: Some("type"), has_switches: false, has_json: true };
    /// Of `-spice`.
    pub const SPICE: Syntax = Syntax { implied: None, has_switches: true, has_json: false };
    /// Of `-fw_cfg`.
    pub const FW_CFG: Syntax =
        Syntax { implied: Some("name"), has_switches: true, has_json: false };
    /// Of `-global` in its long form.
    pub const GLOBAL: Syntax = Syntax { implied: None, has_switches: true, has_json: false };
}

/// A value to write into a list, which JSON wants by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// Text.
    Text(&'v str),
    /// A number, with its sign.
    Number(&'v str),
    /// `on` or `off`, in JSON `true` or `false`.
    Switch(bool),
}

/// A list of names and values, with their places in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionList<'t> {
    text: &'t str,
    entries: Vec<Entry>,
    /// The closing brace of the JSON form.
    brace: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    value: String,
    /// What to replace to change the value.
    span: Range<usize>,
    /// A switch, which has no place for a value but its own.
    is_switch: bool,
}

impl<'t> OptionList<'t> {
    /// Reads an operand.
    ///
    /// # Errors
    /// What QEMU says of it.
    pub fn parse(text: &'t str, syntax: Syntax) -> Result<Self, String> {
        if syntax.has_json && text.starts_with('{') {
            let (members, brace) = json::members(text)?;
            let entry = |json::Member { name, value, span }| {
                let value = match (value.as_str(), text.as_bytes().get(span.start)) {
                    ("true", Some(b't')) => "on".into(),
                    ("false", Some(b'f')) => "off".into(),
                    _ => value,
                };
                Entry { name, value, span, is_switch: false }
            };
            return Ok(OptionList {
                text,
                entries: members.into_iter().map(entry).collect(),
                brace: Some(brace),
            });
        }
        let mut entries = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let name_length = rest.find(['=', ',']).unwrap_or(rest.len());
            let (name, has_value) = (&rest[..name_length], rest[name_length..].starts_with('='));
            let entry = match syntax.implied.filter(|_| at == 0 && !has_value) {
                // Its value begins where a name would stand.
                Some(implied) => Entry::valued(implied, text, at),
                None if has_value => Entry::valued(name, text, at + name_length + 1),
                None if !syntax.has_switches => {
                    return Err(format!("Expected '=' after parameter '{name}'"));
                }
                None => Entry::switch(name, at),
            };
            // Behind the comma that ends it.
            at = entry.span.end + 1;
            entries.push(entry);
        }
        Ok(OptionList { text, entries, brace: None })
    }

    /// The value of a name: the last, as QEMU takes it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().rfind(|entry| entry.name == name).map(|entry| entry.value.as_str())
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.value.as_str()))
    }

    /// All names and values, in order, and in JSON whether the value is a string.
    pub fn typed(&self) -> impl Iterator<Item = (&str, &str, Option<bool>)> {
        self.entries.iter().map(|entry| {
            let is_string =
                self.brace.map(|_| self.text[entry.span.clone()].starts_with(['"', '\'']));
            (entry.name.as_str(), entry.value.as_str(), is_string)
        })
    }

    /// The text in which a name has this value, and all else stands as it was.
    pub fn with_option(&self, name: &str, value: Value<'_>) -> String {
        let (old, new) = match (self.entries.iter().rfind(|entry| entry.name == name), self.brace) {
            (Some(entry), Some(_)) => (entry.span.clone(), value.json()),
            (Some(entry), None) if entry.is_switch => {
                (entry.span.clone(), format!("{name}={}", value.plain()))
            }
            (Some(entry), None) => (entry.span.clone(), value.plain()),
            (None, Some(brace)) => {
                let comma = if self.entries.is_empty() { "" } else { "," };
                let end = self.text[..brace].trim_end().len();
                (end..end, format!("{comma}{}:{}", json::quoted(name), value.json()))
            }
            (None, None) => {
                let end = self.text.len();
                // A comma at the end is no more than that.
                let comma = if self.text.is_empty() || self.ends_open() { "" } else { "," };
                (end..end, format!("{comma}{name}={}", value.plain()))
            }
        };
        [&self.text[..old.start], &new, &self.text[old.end..]].concat()
    }

    /// Whether the text ends with a comma that ends its last entry.
    fn ends_open(&self) -> bool {
        self.entries.last().is_some_and(|entry| entry.span.end < self.text.len())
    }
}

impl Entry {
    fn valued(name: &str, text: &str, start: usize) -> Self {
        let mut end = start;
        let bytes = text.as_bytes();
        while end < bytes.len() {
            match (bytes[end], bytes.get(end + 1)) {
                (b',', Some(b',')) => end += 2,
                (b',', _) => break,
                _ => end += 1,
            }
        }
        Entry {
            name: name.to_owned(),
            value: text[start..end].replace(",,", ","),
            span: start..end,
            is_switch: false,
        }
    }

    fn switch(word: &str, start: usize) -> Self {
        let (name, value) = word.strip_prefix("no").map_or((word, "on"), |name| (name, "off"));
        Entry {
            name: name.to_owned(),
            value: value.to_owned(),
            span: start..start + word.len(),
            is_switch: true,
        }
    }
}

impl Value<'_> {
    fn plain(self) -> String {
        match self {
            Value::Text(text) => text.replace(',', ",,"),
            Value::Number(number) => number.to_owned(),
            Value::Switch(true) => "on".to_owned(),
            Value::Switch(false) => "off".to_owned(),
        }
    }

    fn json(self) -> String {
        match self {
            Value::Text(text) => json::quoted(text),
            Value::Number(number) => number.to_owned(),
            Value::Switch(on) => on.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(text: &str) -> OptionList<'_> {
        OptionList::parse(text, Syntax::DEVICE).unwrap()
    }

    #[test]
    fn lists_are_read_by_qemus_rules() {
        let list = device("vfio-pci,sysfsdev=/sys/x,,romfile=y,x-no-mmap,nox-req,xres=1,xres=2,");
        let all: Vec<String> = list.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            all,
            [
                "driver=vfio-pci",
                "sysfsdev=/sys/x,romfile=y",
                "x-no-mmap=on",
                "x-req=off",
                "xres=1",
                "xres=2"
            ]
        );
        assert_eq!((list.get("xres"), list.get("romfile")), (Some("2"), None), "the last counts");
        assert_eq!(device("vfio-pci,,x").get("driver"), Some("vfio-pci,x"));
        assert_eq!(device("driver=vfio-pci,id=a").get("driver"), Some("vfio-pci"));
        assert_eq!(
            device("{'driver':'vfio-pci',\"ramfb\":true,\"xres\":5}").get("ramfb"),
            Some("on")
        );
        assert_eq!(device("").get("driver"), None);
    }

    #[test]
    fn a_display_has_no_switches() {
        let display = |text| OptionList::parse(text, Syntax::DISPLAY);
        assert_eq!(display("gtk,gl=on,,x").unwrap().get("gl"), Some("on,x"));
        assert_eq!(display("gtk,gl").unwrap_err(), "Expected '=' after parameter 'gl'");
        assert_eq!(
            display("{\"type\":\"gtk\",\"type\":\"sdl\"}").unwrap_err(),
            "JSON parse error, duplicate key"
        );
    }

    #[test]
    fn only_the_named_value_changes() {
        for (before, name, value, after) in [
            (
                "vfio-pci,sysfsdev=/sys/x,,romfile=y",
                "romfile",
                Value::Text("/a,b"),
                "vfio-pci,sysfsdev=/sys/x,,romfile=y,romfile=/a,,b",
            ),
            (
                "vfio-pci,xres=1,id=a,xres=2",
                "xres",
                Value::Number("3"),
                "vfio-pci,xres=1,id=a,xres=3",
            ),
            (
                "vfio-pci,id=a",
                "driver",
                Value::Text("vfio-pci-nohotplug"),
                "vfio-pci-nohotplug,id=a",
            ),
            (
                "id=a,driver=vfio-pci",
                "driver",
                Value::Text("vfio-pci-nohotplug"),
                "id=a,driver=vfio-pci-nohotplug",
            ),
            (
                "vfio-pci,nox-no-mmap,id=a",
                "x-no-mmap",
                Value::Switch(true),
                "vfio-pci,x-no-mmap=on,id=a",
            ),
            ("vfio-pci,", "ramfb", Value::Switch(true), "vfio-pci,ramfb=on"),
            ("vfio-pci,romfile=a,,", "ramfb", Value::Switch(true), "vfio-pci,romfile=a,,,ramfb=on"),
            (
                "{ 'driver' : 'vfio-pci' }",
                "ramfb",
                Value::Switch(true),
                "{ 'driver' : 'vfio-pci',\"ramfb\":true }",
            ),
            (
                "{\"driver\":\"vfio-pci\",\"xres\":1}",
                "xres",
                Value::Number("2"),
                "{\"driver\":\"vfio-pci\",\"xres\":2}",
            ),
            ("{}", "driver", Value::Text("a\"b"), "{\"driver\":\"a\\\"b\"}"),
        ] {
            let written = device(before).with_option(name, value);
            assert_eq!(written, after);
            assert_eq!(device(&written).get(name), device(after).get(name), "{written}");
        }
    }
}
