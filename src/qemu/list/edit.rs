//! Changes a value of an option list, and nothing else in it.

use super::OptionList;
use crate::qemu::json;

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

impl OptionList<'_> {
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
                    (end..end, format!("{comma}{}:{}", json::quote(name), value.json()))
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
            Value::Text(text) => json::quote(text),
            Value::Number(number) => number.to_owned(),
            Value::Switch(on) => on.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qemu::Syntax;

    fn device(text: &str) -> OptionList<'_> {
        OptionList::parse(text, Syntax::DEVICE).unwrap()
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
