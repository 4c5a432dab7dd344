//! The errors of rule files.

use std::fs;

use gvtg_xml::RuleError;

/// The errors of a built-in rule file in which a text is replaced.
fn errors_with(file: &str, from: &str, to: &str) -> Vec<RuleError> {
    let good = fs::read_to_string(file).unwrap();
    assert!(good.contains(from), "{from}");
    gvtg_xml::parse_rule(&good.replace(from, to)).expect_err(to)
}

#[test]
fn an_unknown_kind_of_check_is_an_error_at_its_place() {
    let file = "rules/stray-video.toml";
    let errors = errors_with(file, "kind = \"forbid\"", "kind = \"forbidden\"");
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert!(error.message.contains("unknown variant `forbidden`"), "{error:?}");
    let before = &fs::read_to_string(file).unwrap()[..error.span.start];
    assert!(before.lines().count() > 10, "{error:?}");
}

#[test]
fn errors_of_rule_files_say_what_is_wrong() {
    for (from, to, message) in [
        ("summary", "sumary", "unknown field `sumary`"),
        ("/domain/devices/video[", "/domain/devices/video[[", "expected a name at byte"),
        ("op = \"remove\"", "op = \"deliver\"", "does not fit"),
        ("setting = \"!keep-video\"", "libvirt = \"9\"", "not a version range"),
        (
            "setting = \"!keep-video\"",
            "setting = \"!keep-vido\"",
            "there is no setting 'keep-vido'",
        ),
    ] {
        let errors = errors_with("rules/stray-video.toml", from, to);
        let [error] = &errors[..] else { panic!("{errors:?}") };
        assert!(error.message.contains(message), "{error:?}");
    }
}

#[test]
fn rules_about_hosts_have_their_own_fields() {
    for (file, from, to, message) in [
        (
            "rules/stray-video.toml",
            "group = \"display\"",
            "group = \"host\"",
            "cannot have `select` or `fix`",
        ),
        (
            "rules/host/small-aperture.toml",
            "group = \"host\"",
            "group = \"domain\"",
            "must have `ok-message`",
        ),
        ("rules/host/small-aperture.toml", "({found})", "({@type})", "{@type}"),
    ] {
        let errors = errors_with(file, from, to);
        assert!(errors.iter().any(|error| error.message.contains(message)), "{errors:?}");
    }
}

/// A valid rule file, up to the kind of its check.
const VALID_UP_TO_CHECK: &str = "
id = \"a\"
summary = \"s\"
severity = \"info\"
group = \"domain\"
since = \"1\"
message = \"m\"
why = \"w\"
[check]
";

#[test]
fn all_errors_of_a_rule_file_have_their_spans() {
    // » and « mark the span of each error, in order.
    let of_insert = "
id = »\"A\"«
summary = \"s\"
severity = \"info\"
group = \"domain\"
since = \"1\"
select = \"/domain\"
message = \"é {found} »{fnord}«\"
help = \"\"\"
x
»{nothing}« {@any}\"\"\"
why = \"w\"
[page]
help = \"x\"
fix = »\"t {found}\"«
[when]
setting = »\"!keep-vido\"«
[check]
kind = \"forbid\"
[[fix]]
title = \"t\"
op = \"remove\"
libvirt = \">=9.0\"
[[fix]]
title = \"t »{gone}«\"
op = { insert = \"\"\"
<a>
  <b c='»{d}«'»«{/>
</a>\"\"\" }
";
    let without_page = "
id = \"a\"
summary = \"s\"
severity = \"info\"
group = \"domain\"
since = \"1\"
message = \"m\"
message-once-removed = »\"m\"«
help = »\"x {found}\"«
why = \"w\"
[check]
kind = \"well-formed\"
";
    let of_function = [
        VALID_UP_TO_CHECK,
        "kind = \"code\"
function = »\"fnord\"«
[[fix]]
title = \"t\"
op = »{ insert = \"<a/>\" }«
",
    ]
    .concat();
    let of_property = [
        VALID_UP_TO_CHECK,
        "kind = \"property\"
name = \"ramfb\"
value = »\"on\"«
",
    ]
    .concat();
    let unknown_property =
        of_property.replace("»\"on\"«", "\"on\"").replace("\"ramfb\"", "»\"ramfbb\"«");
    let of_select = [
        VALID_UP_TO_CHECK,
        "kind = »\"forbid\"«
",
    ]
    .concat();
    let of_environment = [
        VALID_UP_TO_CHECK,
        "kind = \"environment\"
name = \"X\"
value = \"»{x}«\"
setting = »\"x\"«
",
    ]
    .concat();
    for marked in [
        of_insert,
        without_page,
        &of_function,
        &of_property,
        &unknown_property,
        &of_select,
        &of_environment,
    ] {
        let text = marked.replace(['»', '«'], "");
        let errors = gvtg_xml::parse_rule(&text).expect_err(&text);
        let mut shown = text.clone();
        for error in errors.iter().rev() {
            shown.insert(error.span.end, '«');
            shown.insert(error.span.start, '»');
        }
        assert_eq!(shown, marked, "{errors:?}");
    }
}
