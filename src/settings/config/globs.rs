//! Patterns for the files of an override, relative to the configuration's folder.

use std::path::Path;

use glob::{MatchOptions, Pattern};

use crate::settings::SettingError;

/// `*` does not match `/`, `**` does, and both match hidden files.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A pattern that matches paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    pattern: Pattern,
}

impl Glob {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Returns why the pattern can't match any file, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, SettingError> {
        let trimmed = text.strip_prefix("./").unwrap_or(text);
        if trimmed.is_empty() {
            return Err("write a pattern such as vms/*.xml".into());
        }
        if trimmed.ends_with('/') {
            return Err(format!("write {trimmed}** for all files in that folder").into());
        }
        if trimmed.split('/').any(|part| matches!(part, "." | "..")) {
            return Err("patterns are relative to the configuration's folder: remove . and .., or start with /".into());
        }
        let pattern = Pattern::new(trimmed)
            .map_err(|error| format!("{} (character {})", error.msg, error.pos + 1))?;
        Ok(Glob { text: text.to_owned(), pattern })
    }

    /// Whether the pattern matches a file. A pattern that starts with `/` is matched against the
    /// whole path, any other against the path relative to the folder `base`.
    pub fn matches(&self, base: &Path, file: &Path) -> bool {
        let path = if self.pattern.as_str().starts_with('/') {
            Some(file)
        } else {
            file.strip_prefix(base).ok()
        };
        path.is_some_and(|path| self.pattern.matches_with(&path.to_string_lossy(), OPTIONS))
    }

    /// The pattern as written in the configuration.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches_file(pattern: &str, file: &str) -> bool {
        Glob::parse(pattern).unwrap().matches(Path::new("/srv/vms"), Path::new(file))
    }

    #[test]
    fn star_stays_in_a_folder_and_double_star_crosses_folders() {
        for (pattern, yes, no) in [
            (
                "*.xml",
                &["/srv/vms/a.xml", "/srv/vms/.a.xml"][..],
                &["/srv/vms/old/a.xml", "/srv/a.xml", "/srv/vms/a.XML"][..],
            ),
            ("**/*.xml", &["/srv/vms/a.xml", "/srv/vms/b/c/a.xml"], &["/srv/a.xml"]),
            (
                "old/**",
                &["/srv/vms/old/a.xml", "/srv/vms/old/b/a.xml"],
                &["/srv/vms/older/a.xml", "/srv/vms/a.xml"],
            ),
            ("./win[0-9]?.xml", &["/srv/vms/win10.xml"], &["/srv/vms/winxp.xml"]),
            ("/srv/*/a.xml", &["/srv/vms/a.xml", "/srv/other/a.xml"], &["/srv/vms/b/a.xml"]),
        ] {
            assert!(yes.iter().all(|file| matches_file(pattern, file)), "{pattern}");
            assert!(!no.iter().any(|file| matches_file(pattern, file)), "{pattern}");
        }
    }

    #[test]
    fn rejects_patterns_that_match_nothing() {
        for pattern in ["", "./", "vms/", "../a.xml", "a/../b", "a**.xml", "a[.xml", "***"] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }
}
