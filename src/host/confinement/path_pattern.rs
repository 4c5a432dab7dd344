//! AppArmor's patterns for paths.

/// The maximum number of patterns that the braces of one pattern expand to.
const MAX_ALTERNATIVES: usize = 256;

/// Whether an AppArmor pattern matches a path: `*` and `?` do not match a slash, `**` does,
/// brackets are character classes and braces are alternatives. `None` for syntax that this program
/// does not know.
pub(super) fn matches(pattern: &str, path: &str) -> Option<bool> {
    let patterns = alternatives(pattern)?;
    let results: Option<Vec<bool>> = patterns
        .iter()
        .map(|pattern| Some(matches_plain(&tokens(pattern)?, path.as_bytes())))
        .collect();
    results.map(|results| results.contains(&true))
}

/// Expands braces into one pattern for each alternative; `None` if there are too many.
fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let mut expanded = Vec::new();
    let mut pending = vec![pattern.to_owned()];
    while let Some(pattern) = pending.pop() {
        if expanded.len() + pending.len() >= MAX_ALTERNATIVES {
            return None;
        }
        // Innermost braces come first.
        match pattern.find('}').and_then(|end| Some((pattern[..end].rfind('{')?, end))) {
            Some((start, end)) => {
                let (before, after) = (&pattern[..start], &pattern[end + 1..]);
                pending.extend(
                    pattern[start + 1..end].split(',').map(|part| format!("{before}{part}{after}")),
                );
            }
            None => expanded.push(pattern),
        }
    }
    Some(expanded)
}

/// A token of a pattern without braces.
enum Token {
    /// This byte.
    Byte(u8),
    /// A byte in one of these ranges or, if negated, in none of them; never a slash.
    Class { is_negated: bool, ranges: Vec<(u8, u8)> },
    /// Any number of bytes other than a slash.
    Star,
    /// Any number of bytes.
    DoubleStar,
}

/// Splits a pattern without braces into tokens. `None` for an unclosed bracket, and for a
/// backslash, because its many escapes are not supported.
fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), pattern.as_bytes());
    loop {
        match rest {
            [] => return Some(tokens),
            [b'\\' | b'{' | b'}', ..] => return None,
            [b'*', b'*', after @ ..] => {
                tokens.push(Token::DoubleStar);
                rest = after;
            }
            [b'*', after @ ..] => {
                tokens.push(Token::Star);
                rest = after;
            }
            [b'?', after @ ..] => {
                tokens.push(Token::Class { is_negated: true, ranges: Vec::new() });
                rest = after;
            }
            [b'[', after @ ..] => {
                let end = after.iter().position(|byte| *byte == b']')?;
                let (is_negated, mut inside) = match &after[..end] {
                    [b'^', inside @ ..] => (true, inside),
                    inside => (false, inside),
                };
                let mut ranges = Vec::new();
                loop {
                    inside = match inside {
                        [] => break,
                        [from, b'-', to, more @ ..] => {
                            ranges.push((*from, *to));
                            more
                        }
                        [byte, more @ ..] => {
                            ranges.push((*byte, *byte));
                            more
                        }
                    };
                }
                tokens.push(Token::Class { is_negated, ranges });
                rest = &after[end + 1..];
            }
            [byte, after @ ..] => {
                tokens.push(Token::Byte(*byte));
                rest = after;
            }
        }
    }
}

/// Whether these tokens match the whole path. `reached[at]` is whether the tokens so far can match
/// the first `at` bytes.
fn matches_plain(tokens: &[Token], path: &[u8]) -> bool {
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for token in tokens {
        match token {
            Token::Star | Token::DoubleStar => {
                for (at, byte) in path.iter().enumerate() {
                    let may_continue = matches!(token, Token::DoubleStar) || *byte != b'/';
                    reached[at + 1] |= reached[at] && may_continue;
                }
            }
            Token::Byte(_) | Token::Class { .. } => {
                for (at, byte) in path.iter().enumerate().rev() {
                    let is_match = match token {
                        Token::Class { is_negated, ranges } => {
                            let is_in = ranges.iter().any(|(from, to)| (from..=to).contains(&byte));
                            *byte != b'/' && is_in != *is_negated
                        }
                        Token::Byte(expected) => expected == byte,
                        Token::Star | Token::DoubleStar => false,
                    };
                    reached[at + 1] = reached[at] && is_match;
                }
                reached[0] = false;
            }
        }
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_the_number_of_alternatives() {
        let pattern = format!("/{}", "{a,b,c,d}".repeat(40));
        assert_eq!(alternatives(&pattern), None);
        assert_eq!(alternatives("/{,usr/}bin").unwrap(), ["/usr/bin", "/bin"]);
    }
}
