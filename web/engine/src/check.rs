//! Findings and the fixed text.

use gvtg_xml::report::{FileFindings, Json, Part, Report, State};
use gvtg_xml::{
    Detail, Diagnostic, FixError, Fixed, Linter, RuleSet, Settings, Severity, Source, builtin,
};
use serde_json::{Value, json};

use crate::places::Places;
use crate::settings;

/// Returns `{"findings", "suppressed", "fixed"}`. For a text that is not a domain, there is one
/// finding and `fixed` is null. For invalid settings, the result is only `{"settings": [{"name",
/// "message"}]}`.
///
/// Positions are those of [`crate::places`]. `fixed` is `{"text", "applied", "remaining",
/// "display_fixes_skipped", "ignoresErrors"}`; `applied` and `remaining` are numbers of findings,
/// the last two fields are those of `Fixed`. If the fixes conflict, it is `{"error"}`.
pub fn check(text: &str, settings: &str) -> Value {
    let settings = match settings::read(settings) {
        Ok(settings) => settings,
        Err(errors) => return json!({ "settings": errors }),
    };
    let rules = RuleSet::all(builtin());
    let mut places = Places::new(text);
    match Linter::new(&rules, &settings).detail(Detail::Edits).lint(text) {
        Ok(findings) => json!({
            "findings": findings.open.iter().map(|finding| finding_json(finding, &mut places)).collect::<Vec<_>>(),
            "suppressed": findings.suppressed.len(),
            "fixed": fixed(text, &rules, &settings),
        }),
        Err(error) => {
            let finding = Diagnostic::unreadable(&Source::new("", text), &error);
            json!({ "findings": [finding_json(&finding, &mut places)], "suppressed": 0, "fixed": null })
        }
    }
}

fn fixed(text: &str, rules: &RuleSet<'_>, settings: &Settings) -> Value {
    match Linter::new(rules, settings).fix(text.to_owned()) {
        Ok(Fixed { text, applied, remaining, display_fixes_skipped, ignores_errors, .. }) => {
            json!({
                "text": text,
                "applied": applied.len(),
                "remaining": remaining.len(),
                "display_fixes_skipped": display_fixes_skipped,
                "ignoresErrors": ignores_errors,
            })
        }
        Err(FixError::Setting { message, help }) if help.is_empty() => json!({ "error": message }),
        Err(FixError::Setting { message, help }) => {
            json!({ "error": format!("{message}: {help}") })
        }
        // The position is omitted: this is a bug in the rules, or the error is already a finding.
        Err(FixError::Xml(error, _)) => json!({ "error": bug(&error.message) }),
        Err(error) => json!({ "error": bug(&error.to_string()) }),
    }
}

fn bug(message: &str) -> String {
    format!("{message}. This is a bug in gvtg-xml: please report it, together with the document.")
}

fn finding_json(finding: &Diagnostic<'_>, places: &mut Places<'_>) -> Value {
    let (from, to) = (places.at(finding.span.start), places.at(finding.span.end));
    let related = finding.related.iter().map(
        |related| json!({ "message": related.message, "from": places.at(related.span.start) }),
    );
    let related: Vec<Value> = related.collect();
    let fix = finding.fix.as_ref().map(|fix| {
        let edits = fix.edits.iter();
        let edits = edits.map(|edit| json!({ "from": places.at(edit.range.start), "to": places.at(edit.range.end), "insert": edit.text }));
        json!({ "title": fix.title, "applicability": fix.applicability.name(), "risk": fix.risk, "edits": edits.collect::<Vec<_>>() })
    });
    json!({
        "rule": finding.rule.id,
        "severity": finding.severity.name(),
        "message": finding.message,
        "help": finding.help,
        "line": finding.start.line,
        "column": finding.start.column,
        "from": from,
        "to": to,
        "related": related,
        "fix": fix,
    })
}

/// Returns the report of `gvtg-xml lint --format json` for a file with this name. Invalid settings
/// are ignored.
pub fn report(name: &str, text: &str, settings: &str) -> String {
    let (settings, _) = settings::read_valid(settings);
    let source = Source::new(name, text);
    let (open, suppressed) =
        match Linter::new(&RuleSet::all(builtin()), &settings).detail(Detail::Edits).lint(text) {
            Ok(findings) => (findings.open, findings.suppressed),
            Err(error) => (vec![Diagnostic::unreadable(&source, &error)], Vec::new()),
        };
    let parts = [
        Part { state: State::Found, source: &source, diagnostics: &open },
        Part { state: State::Suppressed, source: &source, diagnostics: &suppressed },
    ];
    let (mut json, mut written) = (Json::default(), String::new());
    json.begin(&mut written);
    json.file(&FileFindings { name, parts: &parts, fail_on: Severity::Warning }, &mut written);
    json.end(&mut written);
    written
}

/// Decodes the bytes of a file; returns `{"text"}`, or `{"error": {"message", "help"}}`.
pub fn decode(bytes: &[u8]) -> Value {
    match gvtg_xml::decode(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(error) => json!({ "error": { "message": error.message, "help": error.help } }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = "<domain type='kvm'>\r\n  <name>é😀</name>\r\n  <devices>\r\n    <video/>\r\n  </devices>\r\n</domain>\r\n";

    #[test]
    fn positions_are_those_of_the_editor() {
        let result = check(DOMAIN, "{}");
        let video = result["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["rule"] == "stray-video")
            .unwrap();
        let units: Vec<u16> = DOMAIN.replace("\r\n", "\n").encode_utf16().collect();
        let place = |name: &str| usize::try_from(video[name].as_u64().unwrap()).unwrap();
        assert_eq!(String::from_utf16(&units[place("from")..place("to")]).unwrap(), "<video/>");
        assert_eq!((place("line"), place("column")), (4, 5));
        let edit = &video["fix"]["edits"][0];
        assert_eq!(edit["insert"], "");
    }

    #[test]
    fn fixed_text_is_that_of_the_library() {
        let expected =
            Linter::new(&RuleSet::all(builtin()), &Settings::default()).fix(DOMAIN.into()).unwrap();
        let result = check(DOMAIN, "{}");
        assert_eq!(result["fixed"]["text"], *expected.text);
        assert_eq!(result["fixed"]["applied"], expected.applied.len());
    }

    #[test]
    fn non_domains_have_one_finding_and_no_fix() {
        for (text, rule) in [
            ("<domain>", "not-well-formed"),
            ("<network/>", "not-a-domain"),
            ("", "not-well-formed"),
        ] {
            let result = check(text, "{}");
            assert_eq!(result["findings"].as_array().map(Vec::len), Some(1), "{result}");
            assert_eq!(result["findings"][0]["rule"], rule);
            assert!(result["fixed"].is_null());
        }
    }

    #[test]
    fn invalid_settings_give_no_findings() {
        let result = check(DOMAIN, r#"{"pci":"2"}"#);
        assert_eq!(result["settings"][0]["name"], "pci");
        assert!(result["findings"].is_null() && result["fixed"].is_null());
    }
}
