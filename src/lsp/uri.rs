//! Converts between file URIs and paths.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::text::uri::escaped;

/// The path of a file URI; `None` for other URIs and for files on other hosts.
pub fn to_path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex_digits = if first == b'%' { after.get(..2) } else { None };
        let escaped_byte = hex_digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped_byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

/// The URI of a file.
pub fn from_path(path: &Path) -> String {
    format!("file://{}", escaped(path.as_os_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_paths_to_uris_and_back() {
        for path in ["/vms/win10.xml", "/a b/%25é#?.xml", "/"] {
            assert_eq!(to_path(&from_path(Path::new(path))), Some(PathBuf::from(path)));
        }
        assert_eq!(to_path("file:///a%20b%2fc.xml"), Some(PathBuf::from("/a b/c.xml")));
        assert_eq!(to_path("file://localhost/a.xml"), Some(PathBuf::from("/a.xml")));
        assert_eq!(
            to_path("file:///50%.xml"),
            Some(PathBuf::from("/50%.xml")),
            "what is no escape is itself"
        );
        for other in ["untitled:Untitled-1", "file://host/a.xml", "git:/a.xml", ""] {
            assert_eq!(to_path(other), None, "{other}");
        }
    }
}
