//! Boot loader entries, which systemd-boot, and GRUB on Fedora, read from `loader/entries`.

use crate::host::kernel::{Word, words};

/// The words in the `options` lines of a boot loader entry.
pub(super) fn entry_words(text: &str) -> Vec<Word> {
    let options = |line: &'_ str| {
        line.trim_start()
            .strip_prefix("options")
            .filter(|rest| rest.starts_with(char::is_whitespace))
            .map(words)
    };
    text.lines().filter_map(options).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_options_lines() {
        for (entry, value) in [
            ("options\troot=UUID=1 i915.enable_gvt=1\n", Some("1")),
            ("options-x i915.enable_gvt=1\n", None),
            ("title Linux\noptions root=UUID=1\noptions i915.enable_gvt=1 quiet\n", Some("1")),
        ] {
            let words = entry_words(entry);
            let word = words.iter().rfind(|word| word.name == "i915.enable_gvt");
            assert_eq!(word.and_then(|word| word.value.as_deref()), value, "{words:?}");
        }
    }
}
