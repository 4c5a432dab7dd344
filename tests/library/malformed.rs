//! Input that is not domain XML: `lint` reports it as a finding, `fix` refuses it and writes nothing
//! to stdout. Both exit with code 2.
//!
//! An error is reported at its own position, markup without an end at its start, and a missing end
//! tag at the end of the text.

use crate::common;

use common::program::{feed, outcome, program};

/// Name, input, line, column, part of the message.
type Case<'c> = (&'c str, &'c [u8], usize, usize, &'c str);

const CASES: &[Case] = &[
    // Cut off.
    ("cut in a tag", b"<domain>\n  <devices", 2, 3, "a tag is not terminated"),
    ("cut in a value", b"<domain type='kv", 1, 1, "a tag is not terminated"),
    ("cut in a text", b"<domain>\n <name>win", 2, 11, "<name> (line 2, column 2) is closed"),
    ("cut in a comment", b"<domain>\n<!-- x", 2, 1, "a comment is not terminated"),
    ("cut in CDATA", b"<domain><![CDATA[x]]", 1, 9, "a CDATA section is not terminated"),
    ("cut in an instruction", b"<domain><?x y", 1, 9, "a processing instruction is not terminated"),
    ("cut in an end tag", b"<domain></domain", 1, 9, "an end tag is not terminated"),
    ("cut in the declaration", b"<?xml version='1.0'", 1, 1, "the XML declaration is not terminated"),
    ("cut in an entity", b"<domain>&am", 1, 9, "entity reference"),
    ("cut after <", b"<domain>\r\n<", 2, 1, "a tag is not terminated"),
    ("cut before >", b"<domain/", 1, 1, "a tag is not terminated"),
    ("cut before the last end tag", b"<domain>\n  <devices>\n  </devices>\n", 4, 1, "<domain> (line 1, column 1) is closed"),
    ("cut after a lone CR", b"<domain>\r <a>", 2, 5, "<a> (line 2, column 2) is closed"),
    // Tags that don't match.
    ("another name", b"<domain><a></b></domain>", 1, 12, "</b> does not match <a> (line 1, column 9)"),
    ("a colon before the end tag's name", b"<domain><source></:source></domain>", 1, 17, "a name that starts with a colon"),
    ("a quote in an instruction's name", b"<domain><?x'?></domain>", 1, 9, "no space after the name of a processing instruction"),
    ("another case", b"<domain></Domain>", 1, 9, "</Domain> does not match <domain>"),
    ("crossed", b"<domain><a><b></a></b></domain>", 1, 15, "</a> does not match <b> (line 1, column 12)"),
    ("no end tag inside", b"<domain>\n <devices>\n</domain>", 3, 1, "</domain> does not match <devices> (line 2, column 2)"),
    ("an extra end tag", b"<domain/></domain>", 1, 10, "</domain> has no matching start tag"),
    ("an end tag only", b"</domain>", 1, 1, "</domain> has no matching start tag"),
    ("attributes in an end tag", b"<domain></domain x='1'>", 1, 9, "</domain x='1'>"),
    ("an end tag that closes itself", b"<domain></domain/>", 1, 9, "</domain/>"),
    ("a blank in </", b"<domain></ domain>", 1, 9, "</ domain>"),
    ("undeclared qemu: and mismatched", b"<domain><qemu:commandline></domain>", 1, 27, "<qemu:commandline> (line 1, column 9)"),
    // More than one root element, or text next to it.
    ("two domains on a line", b"<domain/><domain/>", 1, 10, "a second root element"),
    ("two domains", b"<domain>\n</domain>\n<domain>\n</domain>\n", 3, 1, "a second root element"),
    ("text before", b"hello <domain/>", 1, 1, "text before the root element"),
    ("text after", b"<domain/>\n\n  rest", 3, 3, "text after the root element"),
    ("a reference after", b"<domain/>&amp;", 1, 10, "text after the root element"),
    ("CDATA after", b"<domain/><![CDATA[x]]>", 1, 10, "CDATA section outside the root element"),
    ("CDATA before", b"<![CDATA[x]]><domain/>", 1, 1, "CDATA section outside the root element"),
    ("a blank before the declaration", b" <?xml version='1.0'?><domain/>", 1, 2, "declaration that is not at the very beginning"),
    ("a line before the declaration", b"\n<?xml version='1.0'?>\n<domain/>", 2, 1, "declaration that is not at the very beginning"),
    ("two declarations", b"<?xml version='1.0'?><?xml version='1.0'?><domain/>", 1, 22, "not at the very beginning"),
    ("two byte order marks", b"\xef\xbb\xbf\xef\xbb\xbf<domain/>", 1, 1, "a byte order mark (U+FEFF)"),
    // Not XML at all.
    ("nothing", b"", 1, 1, "the input is empty"),
    ("blanks", b" \n\t\r\n ", 3, 2, "the input is empty"),
    ("a byte order mark", b"\xef\xbb\xbf", 1, 1, "the input is empty"),
    ("a comment", b"<!-- nothing -->\n", 1, 1, "no element found"),
    ("a declaration", b"<?xml version='1.0'?>\n", 1, 1, "no element found"),
    ("a table of virsh", b" Id   Name   State\n-----\n", 1, 2, "no element found"),
    ("JSON", b"{\"a\": 1}", 1, 1, "no element found"),
    // References.
    ("a bare &", b"<domain>a & b</domain>", 1, 11, "entity reference"),
    ("an unknown entity", b"<domain>\xc3\xa9&nbsp;</domain>", 1, 10, "'nbsp'"),
    ("an unknown entity in a value", b"<domain a='&x;'/>", 1, 12, "'x'"),
    ("no semicolon", b"<domain>&amp</domain>", 1, 9, "entity reference"),
    ("a bare & in a value", b"<domain a='&'/>", 1, 12, "entity reference"),
    ("&;", b"<domain>&;</domain>", 1, 9, "entity reference"),
    ("&#;", b"<domain>&#;</domain>", 1, 9, "is not a valid character"),
    ("&#x;", b"<domain>&#x;</domain>", 1, 9, "is not a valid character"),
    ("no hex", b"<domain>&#xZZ;</domain>", 1, 9, "&#xZZ; is not a valid character"),
    ("an upper-case X", b"<domain>&#X41;</domain>", 1, 9, "is not a valid character"),
    ("a sign", b"<domain>&#+65;</domain>", 1, 9, "is not a valid character"),
    ("NUL by reference", b"<domain>&#0;</domain>", 1, 9, "&#0; is not a valid character"),
    ("a control character by reference", b"<domain a='&#x1b;'/>", 1, 12, "&#x1b; is not a valid character"),
    ("U+FFFE by reference", b"<domain>&#xFFFE;</domain>", 1, 9, "is not a valid character"),
    ("a surrogate", b"<domain>&#xD800;</domain>", 1, 9, "is not a valid character"),
    ("two surrogates", b"<domain a='&#xD83D;&#xDE00;'/>", 1, 12, "is not a valid character"),
    ("past Unicode", b"<domain>&#x110000;</domain>", 1, 9, "is not a valid character"),
    ("far past Unicode", b"<domain>&#99999999999999999999;</domain>", 1, 9, "is not a valid character"),
    // DTDs.
    ("a DTD", b"<!DOCTYPE domain>\n<domain/>", 1, 1, "DTD"),
    ("a web page", b"<!doctype html><html><p>x</html>", 1, 1, "DTD"),
    (
        "an external entity",
        b"<?xml version='1.0'?>\n<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n<domain>&x;</domain>",
        2,
        1,
        "DTD",
    ),
    (
        "billion laughs",
        b"<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>\n<domain><name>&c;</name></domain>",
        1,
        1,
        "DTD",
    ),
    ("a DTD in the root", b"<domain>\n <!DOCTYPE x>\n</domain>", 2, 2, "DTD"),
    ("an entity without a DTD", b"<!ENTITY x 'y'><domain/>", 1, 1, "a declaration outside a DTD"),
    ("<!", b"<domain><!x></domain>", 1, 9, "a declaration outside a DTD"),
    // Encodings.
    ("UTF-16LE", b"\xff\xfe<\0d\0/\0>\0", 1, 1, "is not UTF-8"),
    ("UTF-16BE", b"\xfe\xff\0<\0d\0/\0>", 1, 1, "is not UTF-8"),
    ("UTF-16LE without a mark", b"<\0d\0/\0>\0", 1, 2, "NUL"),
    ("UTF-16BE without a mark", b"\0<\0d\0/\0>", 1, 1, "NUL"),
    ("UTF-32LE without a mark", b"<\0\0\0d\0\0\0", 1, 2, "NUL"),
    ("Latin-1", b"<domain>\n<name>caf\xe9</name></domain>", 2, 10, "byte 0xe9 is not UTF-8"),
    ("Latin-1, declared", b"<?xml version='1.0' encoding='ISO-8859-1'?>\n<domain>\xe9</domain>", 2, 9, "byte 0xe9 is not UTF-8"),
    ("windows-1252, declared", b"<?xml version='1.0' encoding='windows-1252'?>\n<domain>\x80</domain>", 2, 9, "byte 0x80 is not UTF-8"),
    ("Latin-1, declared, with ASCII only", b"<?xml version='1.0' encoding='ISO-8859-1'?><domain/>", 1, 1, "encoding='ISO-8859-1'"),
    ("UTF-16, falsely", b"<?xml version='1.0' encoding='UTF-16'?><domain/>", 1, 1, "encoding='UTF-16'"),
    ("an unknown encoding", b"<?xml version='1.0' encoding='klingon'?><domain/>", 1, 1, "encoding='klingon'"),
    ("an empty encoding", b"<?xml version='1.0' encoding=''?><domain/>", 1, 1, "encoding=''"),
    ("ASCII, falsely", b"<?xml version='1.0' encoding='us-ascii'?><domain>\xc3\xa9</domain>", 1, 1, "ASCII"),
    ("an overlong slash", b"<domain>\xc0\xaf</domain>", 1, 9, "byte 0xc0 is not UTF-8"),
    ("a surrogate in UTF-8", b"<domain>\xc3\xa9\xed\xa0\x80</domain>", 1, 10, "byte 0xed is not UTF-8"),
    ("half a character at the end", b"<domain/>\n\xe2\x82", 2, 1, "byte 0xe2 is not UTF-8"),
    ("gzip", b"\x1f\x8b\x08\0\0\0", 1, 2, "byte 0x8b is not UTF-8"),
    // Characters that XML does not allow.
    ("NUL", b"<domain>\0</domain>", 1, 9, "NUL"),
    ("NUL at the end", b"<domain/>\n\0", 2, 1, "NUL"),
    ("a control character", b"<domain>\x01</domain>", 1, 9, "\\u{1}"),
    ("escape in a value", b"<domain a='\x1b[31m'/>", 1, 12, "\\u{1b}"),
    ("backspace in a comment", b"<domain><!-- \x08 --></domain>", 1, 14, "\\u{8}"),
    ("a control character in CDATA", b"<domain><![CDATA[\x02]]></domain>", 1, 18, "\\u{2}"),
    ("a control character in an instruction", b"<domain><?a \x02?></domain>", 1, 13, "\\u{2}"),
    ("form feed in a tag", b"<domain\x0c a='x'/>", 1, 8, "expected a whitespace, found '\\u{c}'"),
    ("U+FFFE", b"<domain>\xef\xbf\xbe</domain>", 1, 9, "\\u{fffe}"),
    ("no-break space in a tag", b"<domain\xc2\xa0a='x'/>", 1, 8, "a no-break space (U+00A0)"),
    // Other documents.
    ("a network", b"<network>\n</network>", 1, 1, "the root element is <network>, not <domain>"),
    ("a snapshot", b"<!-- s -->\n<domainsnapshot><domain/></domainsnapshot>", 2, 1, "<domainsnapshot>"),
    ("a status file", b"<!--\nWARNING\n-->\n\n<domstatus state='running'><domain/></domstatus>", 5, 1, "<domstatus>"),
    ("a domain in another namespace", b"<domain xmlns='urn:x'/>", 1, 1, "<domain> is in the namespace urn:x"),
    ("a prefixed domain", b"<x:domain xmlns:x='urn:y'/>", 1, 1, "<domain> is in the namespace urn:y"),
    ("an HTML page", b"<html><body/></html>", 1, 1, "the root element is <html>, not <domain>"),
    ("an upper-case domain", b"\xef\xbb\xbf<DOMAIN/>", 1, 1, "<DOMAIN>"),
    // Names.
    ("a digit first", b"<1a/>", 1, 2, "name"),
    ("a dash first", b"<domain><-x/></domain>", 1, 10, "name"),
    ("a digit first in an attribute", b"<domain 1='x'/>", 1, 9, "name"),
    ("two colons", b"<domain xmlns:a='u'><a:b:c/></domain>", 1, 22, "name"),
    ("a colon first", b"<domain><:a/></domain>", 1, 9, "starts with a colon"),
    ("a colon first in an attribute", b"<domain :a=''/>", 1, 9, "starts with a colon"),
    ("a colon last", b"<domain:/>", 1, 2, "name"),
    ("a blank first", b"< domain/>", 1, 2, "name"),
    ("no name", b"<domain><></domain>", 1, 10, "name"),
    ("a dollar inside", b"<domain><a$b/></domain>", 1, 11, "expected a whitespace, found '$'"),
    ("an instruction without a name", b"<domain><? x?></domain>", 1, 11, "name"),
    ("an instruction with a prefix", b"<domain><?a:b x?></domain>", 1, 9, "colon"),
    // Attributes.
    ("twice", b"<domain a='1' a='2'/>", 1, 15, "'a' is already defined"),
    ("twice by namespace", b"<domain xmlns:p='u' xmlns:q='u' p:a='' q:a=''/>", 1, 40, "'a' is already defined"),
    ("no value", b"<domain type/>", 1, 13, "expected '=', found '/'"),
    ("no quotes", b"<domain type=kvm/>", 1, 14, "expected a quote, found 'k'"),
    ("two kinds of quotes", b"<domain type='kvm\"/>", 1, 1, "a tag is not terminated"),
    ("no blank between", b"<domain a='1'b='2'/>", 1, 14, "expected a whitespace, found 'b'"),
    ("no =", b"<domain type 'kvm'/>", 1, 14, "expected '=', found '\\''"),
    ("< in a value", b"<domain>\n <a b='<'/></domain>", 2, 8, "'<'"),
    ("a blank in />", b"<domain a='1' / >", 1, 16, "expected '>', found ' '"),
    ("a slash in the middle", b"<domain a='1'/ b='2'>", 1, 15, "expected '>', found ' '"),
    // Namespaces.
    ("an undeclared prefix", b"<domain>\n <app:x/></domain>", 2, 3, "the prefix app: is not declared"),
    ("an undeclared prefix of an attribute", b"<domain app:x='1'/>", 1, 9, "the prefix app: is not declared"),
    ("two undeclared prefixes", b"<domain><qemu:a/><app:b/></domain>", 1, 19, "the prefix app: is not declared"),
    ("a prefix bound to nothing", b"<domain xmlns:p=''/>", 1, 9, "xmlns:p declares a prefix without a URI"),
    ("qemu bound to nothing", b"<domain xmlns:qemu=''><qemu:arg/></domain>", 1, 9, "xmlns:qemu declares a prefix without a URI"),
    ("xml bound to something else", b"<domain xmlns:xml='u'/>", 1, 9, "xml"),
    ("xmlns bound", b"<domain xmlns:xmlns='u'/>", 1, 9, "xmlns"),
    ("the URI of xmlns", b"<domain xmlns:p='http://www.w3.org/2000/xmlns/'/>", 1, 9, "xmlns"),
    ("the URI of xml", b"<domain xmlns:p='http://www.w3.org/XML/1998/namespace'/>", 1, 9, "xml"),
    ("the URI of xml as default", b"<domain xmlns='http://www.w3.org/XML/1998/namespace'/>", 1, 9, "xml"),
    ("a prefix declared twice", b"<domain xmlns:p='u' xmlns:p='v'/>", 1, 21, "'p' is already defined"),
    ("the default declared twice", b"<domain xmlns='' xmlns='u'/>", 1, 18, "xmlns appears twice"),
    ("a prefix before xmlns", b"<domain xmlns:p='u' p:xmlns='v'/>", 1, 21, "p:xmlns"),
    // Comments, character data, declarations.
    ("-- in a comment", b"<domain><!-- a -- b --></domain>", 1, 9, "'--'"),
    ("- at a comment's end", b"<domain><!-- a ---></domain>", 1, 9, "'--'"),
    ("a comment that is too short", b"<domain><!---></domain>", 1, 9, "a comment is not terminated"),
    ("]]> in a text", b"<domain>a]]></domain>", 1, 13, "']]>'"),
    ("XML in upper case", b"<?XML version='1.0'?><domain/>", 1, 1, "lower case"),
    ("version 9", b"<?xml version='9'?><domain/>", 1, 1, "version='1.0'"),
    ("version 1.x", b"<?xml version='1.x'?><domain/>", 1, 1, "version='1.0'"),
    ("no version", b"<?xml encoding='UTF-8'?><domain/>", 1, 1, "version='1.0'"),
    ("standalone maybe", b"<?xml version='1.0' standalone='maybe'?><domain/>", 1, 1, "an unexpected attribute or value"),
    ("another attribute in the declaration", b"<?xml version='1.0' x='y'?><domain/>", 1, 1, "an unexpected attribute or value"),
];

/// Inputs that are too long to write out.
fn long_cases() -> Vec<(&'static str, String, usize, usize, &'static str)> {
    let numbered = |pattern: &str| {
        (0..300).map(|number| pattern.replace('#', &number.to_string())).collect::<String>()
    };
    vec![
        ("too deep", format!("<domain>\n{}", "<a>".repeat(400)), 2, 3 * 255 + 1, "deeper than 256"),
        (
            "too deep, all closed",
            format!("<domain>{}{}</domain>", "<a>".repeat(300), "</a>".repeat(300)),
            1,
            8 + 3 * 255 + 1,
            "deeper than 256",
        ),
        (
            "too many attributes",
            format!("<domain>\n <a{}/></domain>", numbered(" a#='0123'")),
            2,
            2,
            "more than 128 attributes",
        ),
        (
            "too many namespaces",
            format!("<domain{}/>", numbered(" xmlns:a#='u#'")),
            1,
            1,
            "more than 128",
        ),
        (
            "a name that is too long",
            format!("<domain><{}/></domain>", "a".repeat(60_000)),
            1,
            9,
            "a name longer than 50000 bytes",
        ),
        (
            "a long line",
            format!("<domain a='{}'>&x;</domain>", "é".repeat(70_000)),
            1,
            70_014,
            "'x'",
        ),
    ]
}

/// The names of the cases that are well-formed.
const NOT_DOMAINS: &[&str] = &[
    "a network",
    "a snapshot",
    "a status file",
    "a domain in another namespace",
    "a prefixed domain",
    "an HTML page",
    "an upper-case domain",
];

/// Runs a check for each case with the rule that finds it.
fn each_case(mut run: impl FnMut(Case<'_>, &str)) {
    assert!(CASES.len() >= 70);
    let long = long_cases();
    let long = long.iter().map(|(name, text, line, column, message)| {
        (*name, text.as_bytes(), *line, *column, *message)
    });
    for case in CASES.iter().copied().chain(long) {
        run(case, if NOT_DOMAINS.contains(&case.0) { "not-a-domain" } else { "not-well-formed" });
    }
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

#[test]
fn fix_refuses_input_that_is_not_a_domain_with_its_position() {
    let mut faults = Vec::new();
    each_case(|(name, input, line, column, message), rule| {
        let (code, stdout, stderr) = outcome(feed(&mut program(["fix"]), input));
        let begin = format!("<stdin>:{line}:{column}: error[{rule}] ");
        let first = stderr.lines().next().unwrap_or_default();
        let is_right = code == 2
            && stdout.is_empty()
            && first.strip_prefix(&begin).is_some_and(|rest| rest.contains(message))
            && stderr
                .lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("  help: ") && line.len() > 15);
        if !is_right {
            faults.push(format!(
                "{name}: expected {begin}…{message}…\n  exit {code}, {} bytes, stderr: {}",
                stdout.len(),
                short(&stderr)
            ));
        }
    });
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn help_for_another_encoding_names_the_command_that_converts_it() {
    let help = |input: &[u8]| {
        outcome(feed(&mut program(["fix"]), input)).2.lines().nth(1).unwrap_or_default().to_owned()
    };
    let convert = |encoding: &str| {
        format!(
            "  help: convert the file to UTF-8 with `iconv -f {encoding} -t UTF-8`, and write encoding='UTF-8' in its first line: gvtg-xml \
             reads only UTF-8, the encoding that libvirt writes"
        )
    };
    for encoding in ["ISO-8859-1", "iso-8859-15", "windows-1252"] {
        let declaration = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n<domain>");
        assert_eq!(help(&[declaration.as_bytes(), b"\xfc</domain>"].concat()), convert(encoding));
        let as_utf8 = help(&[declaration.as_bytes(), "ü</domain>".as_bytes()].concat());
        assert_eq!(
            as_utf8,
            format!(
                "{}; if the file already is UTF-8, change only its first line",
                convert(encoding)
            )
        );
        let as_ascii = help(&[declaration.as_bytes(), b"</domain>"].concat());
        assert_eq!(
            as_ascii,
            "  help: write encoding='UTF-8' in the first line: the text is plain ASCII, and gvtg-xml reads only UTF-8"
        );
    }
    let undeclared = "  help: convert the file to UTF-8, the encoding that libvirt writes and the only one that gvtg-xml reads \
                      (for Latin-1: `iconv -f ISO-8859-1 -t UTF-8`)";
    for beginning in [
        "<domain>",
        "<?xml version='1.0'?><domain>",
        "<?xml version='1.0' encoding='UTF-8'?><domain>",
        "<?xml encoding='$(x)'?>",
    ] {
        assert_eq!(
            help(&[beginning.as_bytes(), b"\xfc</domain>"].concat()),
            undeclared,
            "{beginning}"
        );
    }
}

#[test]
fn lint_reports_input_that_is_not_a_domain_as_a_finding() {
    let mut faults = Vec::new();
    each_case(|(name, input, line, column, message), rule| {
        let lint = |format: &str| {
            outcome(feed(&mut program(["lint", "--quiet", "--format", format]), input))
        };
        let (code, concise, stderr) = lint("concise");
        let begin = format!("<stdin>:{line}:{column}: error[{rule}] ");
        let is_line = concise.lines().count() == 1
            && concise.strip_prefix(&begin).is_some_and(|rest| rest.contains(message));
        if code != 2 || !is_line || !stderr.is_empty() {
            faults.push(format!(
                "{name}: expected {begin}…{message}…\n  exit {code}, {}{stderr}",
                short(&concise)
            ));
        }
        let (code, json, _) = lint("json");
        let report: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        let findings = report["diagnostics"].as_array().cloned().unwrap_or_default();
        let place =
            |of: &str| (findings[0][of]["line"].as_u64(), findings[0][of]["column"].as_u64());
        let is_right = findings.len() == 1
            && place("start") == (Some(line as u64), Some(column as u64))
            && place("end") >= place("start")
            && findings[0]["rule"] == rule
            && findings[0]["severity"] == "error"
            && findings[0]["help"].as_str().is_some_and(|help| help.len() > 5);
        if code != 2 || !is_right {
            faults.push(format!("{name}: exit {code}, {}", short(&json)));
        }
        let (code, full, stderr) = lint("full");
        if code != 2
            || !full.starts_with(&format!("  \u{d7} error[{rule}]: "))
            || !stderr.is_empty()
        {
            faults.push(format!("{name}: exit {code}, {}{stderr}", short(&full)));
        }
    });
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn unreadable_input_is_shown_with_its_line() {
    let (code, stdout, _) =
        outcome(feed(&mut program(["lint"]), b"<domain>\n  <devices>\n</domain>\n"));
    let expected = "  \u{d7} error[not-well-formed]: </domain> does not match <devices> (line 2, column 3)\n   \u{256d}\u{2500}[<stdin>:3:1]\n \
        3 \u{2502} </domain>\n   \u{b7} \u{2500}\n   \u{2570}\u{2500}\u{2500}\u{2500}\u{2500}\n  help: close <devices> first, or correct the name\n\n";
    assert_eq!((code, stdout.as_str()), (2, expected));
}

#[test]
fn unreadable_input_is_shown_in_color() {
    let colored = outcome(feed(&mut program(["lint", "--color", "always"]), b"<domain>")).1;
    assert!(colored.contains("\u{1b}[") && colored.contains("not-well-formed"), "{colored}");
}

#[test]
fn bytes_that_are_not_utf8_are_shown_as_replacement_characters() {
    let (_, latin1, _) =
        outcome(feed(&mut program(["lint"]), b"<domain>\n<name>caf\xe9</name></domain>"));
    assert!(latin1.contains("<name>caf\u{fffd}</name>"), "{latin1}");
}

#[test]
fn unreadable_input_cannot_be_suppressed() {
    for flags in ["--ignore not-well-formed", "--only display", "--exit-zero", "--fail-on error"] {
        let mut command = program("lint --format concise".split(' ').chain(flags.split(' ')));
        let (code, stdout, _) = outcome(feed(&mut command, b"<domain>"));
        assert_eq!((code, stdout.lines().count()), (2, 1), "{flags}: {stdout}");
    }
}

#[test]
fn utf16_is_recognized() {
    for input in
        [&b"\xff\xfe<\0d\0/\0>\0"[..], b"\xfe\xff\0<\0d\0/\0>", b"<\0d\0/\0>\0", b"\0<\0d\0/\0>"]
    {
        let (_, _, stderr) = outcome(feed(&mut program(["fix"]), input));
        assert!(stderr.contains("looks like UTF-16"), "{stderr}");
    }
}
