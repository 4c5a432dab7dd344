//! As much of the shell's syntax as hooks use: words, quotes and variables.

use std::collections::BTreeMap;

/// The variables that a script sets, each with its first value.
pub(super) type Variables = BTreeMap<String, String>;

/// The maximum length of a value in bytes; longer ones do not name a domain or a vGPU.
const MAX_VALUE: usize = 128;

/// Reads the variables that a script sets.
pub(super) fn variables(text: &str) -> Variables {
    let mut variables = Variables::new();
    for line in code_lines(text) {
        let mut line = line;
        for keyword in ["readonly ", "export ", "local ", "declare ", "typeset "] {
            line =
                line.strip_prefix(keyword).map_or(line, |rest| rest.trim_start_matches(['-', ' ']));
        }
        // A flag of `declare` or `readonly`, whose dash was removed above.
        line = line.strip_prefix("r ").or_else(|| line.strip_prefix("x ")).unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.is_empty() || !name.bytes().all(is_name_byte) || variables.contains_key(name) {
            continue;
        }
        let value =
            words(value, &variables).and_then(|words| words.into_iter().next()).unwrap_or_default();
        if value.len() <= MAX_VALUE {
            // In `DOMAIN=win10; …`, the semicolon is not part of the value.
            variables.insert(name.to_owned(), value.trim_end_matches(';').to_owned());
        }
    }
    variables
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Fills in the values of known variables.
pub(super) fn fill_in(line: &str, variables: &Variables) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = match variable(after) {
            Some((name, after)) if variables.contains_key(name) => {
                filled.push_str(&variables[name]);
                after
            }
            _ => {
                filled.push('$');
                after
            }
        };
    }
    filled + rest
}

/// Parses the name of a variable after a `$`, with or without braces; also returns the text after
/// it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let (name, after) =
        inner.split_at(inner.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(inner.len()));
    let after = if inner.len() < text.len() { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

/// The trimmed lines of a script that are neither empty nor comments.
pub(super) fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Splits a shell line into words and fills in known variables; `None` if a quote is not closed.
pub(super) fn words(line: &str, variables: &Variables) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    // An empty quoted string is a word, too.
    let mut is_in_word = false;
    let mut chars = line.chars();
    let take_variable = |chars: &mut std::str::Chars<'_>| {
        let known =
            variable(chars.as_str()).and_then(|(name, after)| Some((variables.get(name)?, after)));
        let Some((value, after)) = known else { return "$" };
        *chars = after.chars();
        value.as_str()
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                is_in_word = true;
                loop {
                    match chars.next()? {
                        '\'' => break,
                        inner => word.push(inner),
                    }
                }
            }
            '"' => {
                is_in_word = true;
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => word.push(chars.next()?),
                        '$' => word.push_str(take_variable(&mut chars)),
                        inner => word.push(inner),
                    }
                }
            }
            '$' => {
                is_in_word = true;
                word.push_str(take_variable(&mut chars));
            }
            '\\' => {
                is_in_word = true;
                word.push(chars.next()?);
            }
            '#' if !is_in_word => break,
            ' ' | '\t' => {
                if is_in_word {
                    words.push(std::mem::take(&mut word));
                }
                is_in_word = false;
            }
            other => {
                is_in_word = true;
                word.push(other);
            }
        }
    }
    if is_in_word {
        words.push(word);
    }
    Some(words)
}
