//! Values that a template engine or a script fills in later: libvirt will not read what the file
//! has now.

use memchr::{memchr, memmem};

use super::Domain;

/// The brackets around an expression: Jinja, Go, Handlebars, ERB, PHP, shells, Terraform, Python,
/// Thymeleaf, Template Toolkit.
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

/// The signs on both sides of a name: autoconf, Windows' batch files, sed scripts.
const SIGNS: &[&str] = &["@", "%", "#", "__"];

/// The template expressions in a value, in their order.
///
/// A word that a guide prints for the reader to replace (`your-gpu-uuid-here`, `GPU_UUID`) is not
/// an expression, nor is a uuid in braces.
pub fn templates(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        while let Some(start) = rest.find(['{', '<', '[', '(', '$', '#', '%', '@', '_']) {
            let length = length_at(&rest[start..], value);
            let end = start + length.unwrap_or(1);
            let found = &rest[start..end];
            rest = &rest[end..];
            if length.is_some() {
                return Some(found);
            }
        }
        None
    })
}

/// Whether a value has a part that is filled in later.
pub fn is_template(value: &str) -> bool {
    templates(value).next().is_some()
}

/// Whether a name is a template. Names of VMs may contain most signs (`web#1#2`, `a__b__c`): a few
/// count only around the whole name, the others never.
pub fn is_template_name(name: &str) -> bool {
    const UNMISTAKABLE: &[&str] = &["{{", "{%", "<%", "<?", "${", "#{", "%{", "@{"];
    let name = name.trim();
    let is_alone = |expression: &str| {
        expression == name && name.starts_with(['$', '@', '%', '_']) && !name.contains('(')
    };
    templates(name).any(|expression| {
        is_alone(expression) || UNMISTAKABLE.iter().any(|open| expression.starts_with(open))
    })
}

/// The length of the expression that a text begins with; None for a text that begins with none.
fn length_at(text: &str, whole: &str) -> Option<usize> {
    for (open, close) in BRACKETS {
        if let Some(inside) = text.strip_prefix(open) {
            return memmem::find(inside.as_bytes(), close.as_bytes())
                .map(|at| open.len() + at + close.len());
        }
    }
    if let Some(name) = text.strip_prefix('$') {
        return Some(name_length(name)).filter(|length| *length > 0).map(|length| 1 + length);
    }
    if let Some(inside) = text.strip_prefix('{') {
        let end = memchr(b'}', inside.as_bytes())?;
        return (is_replacement_field(&inside[..end]) && (end > 0 || text == whole))
            .then_some(end + 2);
    }
    // printf's.
    if matches!(text, "%s" | "%d") && text == whole {
        return Some(text.len());
    }
    let sign = SIGNS.iter().find(|sign| text.starts_with(**sign))?;
    let inside = &text[sign.len()..];
    let end = memmem::find(inside.as_bytes(), sign.as_bytes())?;
    // `%C3%` is part of an escaped path.
    let is_escape =
        *sign == "%" && end == 2 && inside.as_bytes()[..end].iter().all(u8::is_ascii_hexdigit);
    let is_name =
        end > 0 && name_length(inside) >= end && !inside.starts_with(|c: char| c.is_ascii_digit());
    (is_name && !is_escape).then_some(end + 2 * sign.len())
}

/// The length of the name that a text begins with; it may have dots and dashes inside.
fn name_length(text: &str) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    match text.bytes().next() {
        Some(first) if first.is_ascii_alphanumeric() || first == b'_' => {
            text.bytes().take_while(|byte| is_name(byte)).count()
        }
        _ => 0,
    }
}

/// Whether braces around this are Python's or Rust's: `{}`, `{0}`, `{uuid}`. Hex digits in braces
/// are a uuid as Windows writes it.
fn is_replacement_field(inside: &str) -> bool {
    let inside = inside.trim();
    let is_word =
        inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    is_word && !(inside.len() >= 8 && inside.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl Domain<'_> {
    /// Whether anything in the document can be a template expression; computed once, so that most
    /// documents skip the closer search.
    pub fn may_have_templates(&self) -> bool {
        *self.answers.may_have_templates.get_or_init(|| {
            let bytes = self.document.text().as_bytes();
            let may_hold = |byte: u8| memchr(byte, bytes).is_some();
            [b'{', b'$', b'@', b'%', b'#'].into_iter().any(may_hold)
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
    fn what_a_template_or_a_script_fills_in_is_recognised() {
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
    fn words_in_a_templates_place_and_odd_values_are_none() {
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
    fn a_name_with_odd_signs_is_a_name() {
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
    fn each_expression_is_found_in_full() {
        let all = |value| templates(value).collect::<Vec<_>>();
        assert_eq!(all("a-{{ b }}-${C}.$d @e@"), ["{{ b }}", "${C}", "$d", "@e@"]);
        assert_eq!(all("{{ a }}{{ b"), ["{{ a }}"]);
    }
}
