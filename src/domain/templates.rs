//! Template expressions: parts of values that a template engine or a script fills in later, so that
//! libvirt never reads them.

use memchr::{memchr, memmem};

use super::Domain;

/// The opening and closing brackets of expressions: Jinja, Go, Handlebars, ERB, PHP, shells,
/// Terraform, Python, Thymeleaf, Template Toolkit.
const BRACKETS: &[(&str, &str)] = &[
    ("{{", "}}"),
    ("{%", "%}"),
    ("{#", "#}"),
    ("<%", "%>"),
    ("<?", "?>"),
    ("[[", "]]"),
    ("[%", "%]"),
    ("((", "))"),
    ("${", "}"),
    ("#{", "}"),
    ("%{", "}"),
    ("@{", "}"),
    ("$(", ")"),
    ("%(", ")"),
];

/// The delimiters on both sides of a name: autoconf, Windows batch files, sed scripts.
const DELIMITERS: &[&str] = &["@", "%", "#", "__"];

/// The template expressions in a value, in order.
///
/// A placeholder that a guide prints for the reader to replace (`your-gpu-uuid-here`, `GPU_UUID`)
/// is not an expression, nor is a uuid in braces.
pub fn templates(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        while let Some(start) = rest.find(['{', '<', '[', '(', '$', '#', '%', '@', '_']) {
            let length = expression_length(&rest[start..], value);
            let end = start + length.unwrap_or(1);
            let expression = &rest[start..end];
            rest = &rest[end..];
            if length.is_some() {
                return Some(expression);
            }
        }
        None
    })
}

/// Whether a value contains a template expression.
pub fn is_template(value: &str) -> bool {
    templates(value).next().is_some()
}

/// Whether a VM's name is a template. Names of VMs may contain most delimiters (`web#1#2`,
/// `a__b__c`), so some expressions count only if they are the whole name, and others never.
pub fn is_template_name(name: &str) -> bool {
    const UNMISTAKABLE: &[&str] = &["{{", "{%", "<%", "<?", "${", "#{", "%{", "@{"];
    let name = name.trim();
    let is_whole_name = |expression: &str| {
        expression == name && name.starts_with(['$', '@', '%', '_']) && !name.contains('(')
    };
    templates(name).any(|expression| {
        is_whole_name(expression) || UNMISTAKABLE.iter().any(|open| expression.starts_with(open))
    })
}

/// The length in bytes of the expression at the start of `text`, which is a suffix of `whole`;
/// `None` if it does not start with one.
fn expression_length(text: &str, whole: &str) -> Option<usize> {
    for (open, close) in BRACKETS {
        if let Some(inside) = text.strip_prefix(open) {
            return memmem::find(inside.as_bytes(), close.as_bytes())
                .map(|at| open.len() + at + close.len());
        }
    }
    if let Some(name) = text.strip_prefix('$') {
        let length = name_length(name);
        return if length > 0 { Some(1 + length) } else { None };
    }
    if let Some(inside) = text.strip_prefix('{') {
        let end = memchr(b'}', inside.as_bytes())?;
        let is_expression = is_replacement_field(&inside[..end]) && (end > 0 || text == whole);
        return if is_expression { Some(end + 2) } else { None };
    }
    // A conversion of printf.
    if matches!(text, "%s" | "%d") && text == whole {
        return Some(text.len());
    }
    let delimiter = DELIMITERS.iter().find(|delimiter| text.starts_with(**delimiter))?;
    let inside = &text[delimiter.len()..];
    let end = memmem::find(inside.as_bytes(), delimiter.as_bytes())?;
    // `%C3%` is part of a percent-encoded path.
    let is_escape =
        *delimiter == "%" && end == 2 && inside.as_bytes()[..end].iter().all(u8::is_ascii_hexdigit);
    let is_name =
        end > 0 && name_length(inside) >= end && !inside.starts_with(|c: char| c.is_ascii_digit());
    if is_name && !is_escape { Some(end + 2 * delimiter.len()) } else { None }
}

/// The length in bytes of the name at the start of `text`, which may contain dots and dashes; 0 if
/// there is none.
fn name_length(text: &str) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    match text.bytes().next() {
        Some(first) if first.is_ascii_alphanumeric() || first == b'_' => {
            text.bytes().take_while(|byte| is_name(byte)).count()
        }
        _ => 0,
    }
}

/// Whether braces around this text are a replacement field of Python or Rust: `{}`, `{0}`,
/// `{uuid}`. Eight or more hex digits are not; Windows writes uuids in braces.
fn is_replacement_field(inside: &str) -> bool {
    let inside = inside.trim();
    let is_word =
        inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    is_word && !(inside.len() >= 8 && inside.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl Domain<'_> {
    /// Whether the document can contain a template expression at all. Computed once, so that most
    /// documents skip the exact search.
    pub fn may_have_templates(&self) -> bool {
        *self.cache.may_have_templates.get_or_init(|| {
            let bytes = self.document.text().as_bytes();
            let contains_byte = |byte: u8| memchr(byte, bytes).is_some();
            [b'{', b'$', b'@', b'%', b'#'].into_iter().any(contains_byte)
                || ["__", "[[", "((", "&lt;"]
                    .iter()
                    .any(|open| memmem::find(bytes, open.as_bytes()).is_some())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_template_expressions() {
        for value in [
            "{{ uuid }}",
            "{{uuid}}",
            "{{ gpu_uuid | default('x') }}",
            "{{{ uuid }}}",
            "{% if a %}1{% else %}2{% endif %}",
            "{# later #}",
            "<%= uuid %>",
            "<%- @uuid -%>",
            "<?= $uuid ?>",
            "[% uuid %]",
            "[[ uuid ]]",
            "((uuid))",
            "{ uuid }",
            "${UUID}",
            "${UUID:-none}",
            "${var.uuid}",
            "$UUID",
            "$gpu_uuid",
            "$1",
            "$(uuidgen)",
            "#{uuid}",
            "%{uuid}",
            "@{uuid}",
            "%(uuid)s",
            "%UUID%",
            "@uuid@",
            "@UUID@",
            "__UUID__",
            "{uuid}",
            "{vm.uuid}",
            "{0}",
            "{}",
            "%s",
            "ua-{{ name }}",
            "gtk,gl={{ gl }}",
        ] {
            assert!(is_template(value), "{value}");
        }
    }

    #[test]
    fn rejects_placeholder_words_and_unusual_values() {
        for value in [
            "",
            "your-gpu-uuid-here",
            "{your-gpu-uuid-here}",
            "GPU_UUID",
            "GPU__UUID",
            "<GPU_UUID>",
            "<your uuid>",
            "[uuid]",
            "UUID",
            "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX",
            "...",
            "ab54baba-ea9a-4ce5-b7b4-51b376b65849",
            "{ab54baba-ea9a-4ce5-b7b4-51b376b65849}",
            "{ab54babaea9a4ce5b7b451b376b65849}",
            "{ab54babaea9a4ce5b7b451b376b6584}",
            "{\"type\":\"gtk\",\"gl\":\"on\"}",
            "{\"a\":{\"b\":{}}}",
            "gtk,gl=on",
            "/caf%C3%A9%20b/x#1",
            "50%",
            "a@b",
            "$",
            "{",
            "{{",
            "%",
            "@",
            "__",
            "#",
        ] {
            assert!(!is_template(value), "{value}");
        }
    }

    #[test]
    fn names_with_delimiters_are_not_templates() {
        for name in
            ["{{ vm }}", "win-{{ n }}", "${NAME}-1", "$NAME", "@name@", "%NAME%", "<%= vm %>"]
        {
            assert!(is_template_name(name), "{name}");
        }
        for name in [
            "web#1#2",
            "a__b__c",
            "x$y",
            "me@home@work",
            "old ((win10))",
            "[[10]]",
            "{a}",
            "$(touch x)",
        ] {
            assert!(!is_template_name(name), "{name}");
        }
    }

    #[test]
    fn finds_each_whole_expression() {
        let all = |value| templates(value).collect::<Vec<_>>();
        assert_eq!(all("a-{{ b }}-${C}.$d @e@"), ["{{ b }}", "${C}", "$d", "@e@"]);
        assert_eq!(all("{{ a }}{{ b"), ["{{ a }}"]);
    }
}
