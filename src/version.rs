//! libvirt releases and ranges of them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A libvirt release, or [`Version::NEWEST`], which compares as newer than all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

impl Version {
    /// The newest release, whatever its number.
    pub const NEWEST: Version = Version(u32::MAX, 0, 0);

    /// Creates a version from its numbers.
    pub const fn new(major: u32, minor: u32, micro: u32) -> Self {
        Version(major, minor, micro)
    }

    /// Parses the release from a shared library's file name: `libvirt.so.0.9000.0` is 9.0.0
    /// (libvirt: meson.build `lib_version`).
    pub fn of_library(file_name: &str) -> Option<Self> {
        let mut parts = file_name.strip_prefix("libvirt.so.0.")?.split('.').map(str::parse);
        let (Some(Ok(release)), Some(Ok(micro)), None) = (parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let release: u32 = release;
        Some(Version(release / 1000, release % 1000, micro))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Version::NEWEST => formatter.write_str("newest"),
            Version(major, minor, micro) => write!(formatter, "{major}.{minor}.{micro}"),
        }
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // `current` is the former name, which sounded like the installed release.
        if matches!(text, "newest" | "current") {
            return Ok(Version::NEWEST);
        }
        let error =
            || format!("'{text}' is not a libvirt version: write 9.0 or 9.0.0, or `newest`");
        let mut numbers = [0; 3];
        for (index, part) in text.split('.').enumerate() {
            let is_decimal = part.bytes().all(|byte| byte.is_ascii_digit());
            let number = if is_decimal { part.parse().ok() } else { None };
            *numbers.get_mut(index).ok_or_else(error)? =
                number.filter(|&number| number < 100_000).ok_or_else(error)?;
        }
        Ok(Version(numbers[0], numbers[1], numbers[2]))
    }
}

/// A range of releases, written like `<7.2` or `>=8.1 <8.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The first release in the range.
    pub from: Version,
    /// The first release after the range; `None` if it has no end.
    pub before: Option<Version>,
}

impl VersionRange {
    /// Whether the range contains a release.
    pub fn contains(&self, version: Version) -> bool {
        version >= self.from && self.before.is_none_or(|before| version < before)
    }
}

impl FromStr for VersionRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut range = VersionRange { from: Version(0, 0, 0), before: None };
        for part in text.split_whitespace() {
            if let Some(from) = part.strip_prefix(">=") {
                range.from = from.parse()?;
            } else if let Some(before) = part.strip_prefix('<') {
                range.before = Some(before.parse()?);
            } else {
                return Err(format!(
                    "'{part}' is not a version range: write >=VERSION or <VERSION"
                ));
            }
        }
        Ok(range)
    }
}

impl<'de> Deserialize<'de> for VersionRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Cow<'de, str> = Cow::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_compares_versions_by_number() {
        let version = |text: &str| text.parse::<Version>();
        assert_eq!(version("9.0"), Ok(Version(9, 0, 0)));
        assert!(version("10.1") > version("9.10.3"));
        assert!(version("newest") > version("12.8.0"));
        assert_eq!(version("current"), Ok(Version::NEWEST), "the word of earlier releases");
        assert_eq!(version("current").map(|version| version.to_string()), Ok("newest".into()));
        assert_eq!(version("8.5.1").map(|version| version.to_string()), Ok("8.5.1".into()));
        for wrong in ["", "nine", "9.", "9.0.0.0", "-1", "+1", "4294967295"] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_the_release_from_a_library_name() {
        assert_eq!(Version::of_library("libvirt.so.0.9000.0"), Some(Version(9, 0, 0)));
        assert_eq!(Version::of_library("libvirt.so.0.11003.1"), Some(Version(11, 3, 1)));
        assert_eq!(Version::of_library("libvirt.so.0"), None);
        assert_eq!(Version::of_library("libvirt-qemu.so.0.9000.0"), None);
    }

    #[test]
    fn ranges_include_their_start_and_exclude_their_end() {
        let range: VersionRange = ">=8.1 <8.5".parse().unwrap();
        assert!(range.contains(Version(8, 1, 0)) && range.contains(Version(8, 4, 9)));
        assert!(!range.contains(Version(8, 0, 9)) && !range.contains(Version(8, 5, 0)));
        assert!("8.1".parse::<VersionRange>().is_err());
    }
}
