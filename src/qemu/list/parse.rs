//! Parses option lists.

use super::{Entry, OptionList};
use crate::qemu::json;

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
        assert_eq!(
            (list.get("xres"), list.get("romfile")),
            (Some("2"), None),
            "the last one takes effect"
        );
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
}
