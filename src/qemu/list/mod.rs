//! QEMU's option lists: `vfio-pci,sysfsdev=/sys/x,ramfb=on`, or an equivalent JSON object.
//!
//! QEMU has two parsers for the plain form (util/qemu-option.c `opts_do_parse`, util/keyval.c
//! `keyval_parse`). In both, `,,` in a value is one comma, the last of several values for one name
//! takes effect, and a first word without `=` is the value of an implied name.

use std::ops::Range;

use super::json;

/// The syntax of an option's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The implied name of a first word without `=`.
    implied: Option<&'static str>,
    /// Whether a name without a value is a switch: `x` for `x=on`, `nox` for `x=off`.
    has_switches: bool,
    /// Whether a JSON object may replace the list.
    has_json: bool,
}

impl Syntax {
    /// The syntax of `-device`.
    pub const DEVICE: Syntax =
        Syntax { implied: Some("driver"), has_switches: true, has_json: true };
    /// The syntax of `-display`.
    pub const DISPLAY: Syntax =
        Syntax { implied: Some("type"), has_switches: false, has_json: true };
    /// The syntax of `-spice`.
    pub const SPICE: Syntax = Syntax { implied: None, has_switches: true, has_json: false };
    /// The syntax of `-fw_cfg`.
    pub const FW_CFG: Syntax =
        Syntax { implied: Some("name"), has_switches: true, has_json: false };
    /// The syntax of `-global` in its long form.
    pub const GLOBAL: Syntax = Syntax { implied: None, has_switches: true, has_json: false };
}

/// A value to write into a list; its type determines its form in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// Text.
    Text(&'v str),
    /// A number, with its sign if it is negative.
    Number(&'v str),
    /// `on` or `off`, in JSON `true` or `false`.
    Switch(bool),
}

/// A parsed list of names and values, with their spans in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionList<'t> {
    text: &'t str,
    entries: Vec<Entry>,
    /// The byte offset of the closing brace in the JSON form; `None` in the plain form.
    brace: Option<usize>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    value: String,
    /// The span to replace to change the value.
    span: Range<usize>,
    /// Whether it is a switch, whose span is the whole word because it has no separate value.
    is_switch: bool,
}

impl<'t> OptionList<'t> {
    /// Parses an operand.
    ///
    /// # Errors
    /// QEMU's message for an operand that it cannot parse.
    pub fn parse(text: &'t str, syntax: Syntax) -> Result<Self, String> {
        if syntax.has_json && text.starts_with('{') {
            let (members, brace) = json::members(text)?;
            let to_entry = |json::Member { name, value, span }| {
                let value = match (value.as_str(), text.as_bytes().get(span.start)) {
                    ("true", Some(b't')) => "on".into(),
                    ("false", Some(b'f')) => "off".into(),
                    _ => value,
                };
                Entry { name, value, span, is_switch: false }
            };
            return Ok(OptionList {
                text,
                entries: members.into_iter().map(to_entry).collect(),
                brace: Some(brace),
            });
        }
        let mut entries = Vec::new();
        let mut position = 0;
        while position < text.len() {
            let rest = &text[position..];
            let name_length = rest.find(['=', ',']).unwrap_or(rest.len());
            let name = &rest[..name_length];
            let has_value = rest[name_length..].starts_with('=');
            let entry = match syntax.implied {
                _ if has_value => Entry::with_value(name, text, position + name_length + 1),
                Some(implied) if position == 0 => Entry::with_value(implied, text, position),
                _ if !syntax.has_switches => {
                    return Err(format!("Expected '=' after parameter '{name}'"));
                }
                _ => Entry::switch(name, position),
            };
            // Skips the comma after the entry.
            position = entry.span.end + 1;
            entries.push(entry);
        }
        Ok(OptionList { text, entries, brace: None })
    }

    /// The value of a name; the last one if there are several, as in QEMU.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().rfind(|entry| entry.name == name).map(|entry| entry.value.as_str())
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.value.as_str()))
    }

    /// All names and values, in order, each with whether the value is a JSON string; `None` in the
    /// plain form.
    pub fn iter_with_string_flag(&self) -> impl Iterator<Item = (&str, &str, Option<bool>)> {
        self.entries.iter().map(|entry| {
            let is_string =
                self.brace.map(|_| self.text[entry.span.clone()].starts_with(['"', '\'']));
            (entry.name.as_str(), entry.value.as_str(), is_string)
        })
    }

    /// Returns the text with this value for the name, which is appended if it is missing.
    /// Everything else is preserved byte for byte.
    pub fn with_option(&self, name: &str, value: Value<'_>) -> String {
        let (old_span, new_text) =
            match (self.entries.iter().rfind(|entry| entry.name == name), self.brace) {
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
                    // A comma at the end already separates the new entry.
                    let comma =
                        if self.text.is_empty() || self.ends_with_separator() { "" } else { "," };
                    (end..end, format!("{comma}{name}={}", value.plain()))
                }
            };
        [&self.text[..old_span.start], &new_text, &self.text[old_span.end..]].concat()
    }

    /// Whether the text ends with a comma that terminates its last entry and is not part of the
    /// value.
    fn ends_with_separator(&self) -> bool {
        self.entries.last().is_some_and(|entry| entry.span.end < self.text.len())
    }
}

impl Entry {
    /// Parses the value that starts at the byte offset `start`.
    fn with_value(name: &str, text: &str, start: usize) -> Self {
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

    /// Parses a switch that starts at the byte offset `start`.
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
    fn parses_lists_like_qemu() {
        let list = device("vfio-pci,sysfsdev=/sys/x,,romfile=y,x-no-mmap,nox-req,xres=1,xres=2,");
        let entries: Vec<String> =
            list.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            entries,
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
    fn displays_have_no_switches() {
        let display = |text| OptionList::parse(text, Syntax::DISPLAY);
        assert_eq!(display("gtk,gl=on,,x").unwrap().get("gl"), Some("on,x"));
        assert_eq!(display("gtk,gl").unwrap_err(), "Expected '=' after parameter 'gl'");
        assert_eq!(
            display("{\"type\":\"gtk\",\"type\":\"sdl\"}").unwrap_err(),
            "JSON parse error, duplicate key"
        );
    }

    #[test]
    fn changes_only_the_named_value() {
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
            let changed = device(before).with_option(name, value);
            assert_eq!(changed, after);
            assert_eq!(device(&changed).get(name), device(after).get(name), "{changed}");
        }
    }
}
