//! The words of a kernel command line.

use crate::emit::kernel_cmdline::{split, split_init};

/// A word of the command line: `name` or `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as written, without double quotes.
    pub text: String,
    /// The part before the first `=`, with `_` in place of `-`, as the kernel compares names.
    pub name: String,
    /// The part after the first `=`; `None` without one.
    pub value: Option<String>,
}

/// Replaces `-` by `_`, as the kernel does to compare module names.
pub(super) fn normalized(name: &str) -> String {
    name.replace('-', "_")
}

/// Parses the kernel's part of a command line into words.
pub fn words(text: &str) -> Vec<Word> {
    split(split_init(text).0).into_iter().map(|word| Word::new(word.replace('"', ""))).collect()
}

impl Word {
    fn new(text: String) -> Self {
        let (name, value) = text
            .split_once('=')
            .map_or((text.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
        Word { name: normalized(name), value, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        words(line).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn splits_words_as_the_kernel_does() {
        assert_eq!(texts("quiet  i915.enable_gvt=1\n"), ["quiet", "i915.enable_gvt=1"]);
        assert_eq!(texts("dyndbg=\"file a.c +p\" x -- init=1"), ["dyndbg=file a.c +p", "x"]);
        let word = &words("vfio-pci.ids=8086:5912")[0];
        assert_eq!(
            (word.name.as_str(), word.value.as_deref()),
            ("vfio_pci.ids", Some("8086:5912"))
        );
        assert_eq!(words("nomodeset")[0].value, None);
    }
}
