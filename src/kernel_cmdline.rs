//! A kernel's command line in words.

/// A command line's part for the kernel, and, from a `--` on, the part for the first process.
pub fn split_init(line: &str) -> (&str, &str) {
    let mut at = 0;
    for word in split(line) {
        at += line[at..].find(word).unwrap_or(0);
        if word == "--" {
            return line.split_at(at);
        }
        at += word.len();
    }
    (line, "")
}

/// The words of a kernel's command line: blanks between double quotes part none (Linux:
/// lib/cmdline.c, `next_arg`).
pub fn split(line: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let is_gap = |c: char| {
        is_quoted ^= c == '"';
        c.is_ascii_whitespace() && !is_quoted
    };
    line.split(is_gap).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_two_dashes_is_for_init() {
        assert_eq!(split_init("a --b \" -- \" -- c"), ("a --b \" -- \" ", "-- c"));
        assert_eq!(split_init("a ---"), ("a ---", ""));
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(split(" a  \"b c\"=d\te=\"f g\" "), ["a", "\"b c\"=d", "e=\"f g\""]);
    }
}
