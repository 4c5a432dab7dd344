//! The files that an override is about: patterns of paths, from the configuration's own folder.

use std::path::Path;

use glob::{MatchOptions, Pattern};

/// A star stays within a folder, two of them cross folders; hidden files are files.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    written: String,
    pattern: Pattern,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it can match no file, and what to write instead.
    pub fn parse(written: &str) -> Result<Self, String> {
        let plain = written.strip_prefix("./").unwrap_or(written);
        if plain.is_empty() {
            return Err("write a pattern such as vms/*.xml".into());
        }
        if plain.ends_with('/') {
            return Err(format!("write {plain}** for all files in that folder"));
        }
        if plain.split('/').any(|part| matches!(part, "." | "..")) {
            return Err("patterns are relative to the configuration's folder: remove . and .., or start with /".into());
        }
        let pattern = Pattern::new(plain)
            .map_err(|error| format!("{} (character {})", error.msg, error.pos + 1))?;
        Ok(Glob { written: written.to_owned(), pattern })
    }

    /// Whether it is about a file. One that begins with / is about whole paths, any other about
    /// those from the folder `base`.
    pub fn matches(&self, base: &Path, file: &Path) -> bool {
        let path = if self.pattern.as_str().starts_with('/') {
            Some(file)
        } else {
            file.strip_prefix(base).ok()
        };
        path.is_some_and(|path| self.pattern.matches_with(&path.to_string_lossy(), OPTIONS))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_about(pattern: &str, file: &str) -> bool {
        Glob::parse(pattern).unwrap().matches(Path::new("/srv/vms"), Path::new(file))
    }

    #[test]
    fn a_star_stays_in_a_folder_and_two_cross_folders() {
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
            assert!(yes.iter().all(|file| is_about(pattern, file)), "{pattern}");
            assert!(!no.iter().any(|file| is_about(pattern, file)), "{pattern}");
        }
    }

    #[test]
    fn what_can_match_nothing_is_refused() {
        for pattern in ["", "./", "vms/", "../a.xml", "a/../b", "a**.xml", "a[.xml", "***"] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }
}
