//! Splits kernel command lines.

/// Splits a command line into the part for the kernel, and the part for the init process from a
/// `--` on.
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

/// Splits a kernel command line into words; quoted blanks do not separate words (Linux:
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
    fn splits_off_the_part_for_init() {
        assert_eq!(split_init("a --b \" -- \" -- c"), ("a --b \" -- \" ", "-- c"));
        assert_eq!(split_init("a ---"), ("a ---", ""));
    }

    #[test]
    fn keeps_quoted_words_together() {
        assert_eq!(split(" a  \"b c\"=d\te=\"f g\" "), ["a", "\"b c\"=d", "e=\"f g\""]);
    }
}
