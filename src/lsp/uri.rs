//! Converts between file URIs and paths.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::text::uri::percent_encode;

/// The path of a file URI; `None` for other URIs and for files on other hosts.
pub fn to_path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    Some(PathBuf::from(OsString::from_vec(percent_decode_str(path).collect())))
}

/// The URI of a file.
pub fn from_path(path: &Path) -> String {
    format!("file://{}", percent_encode(path.as_os_str().as_bytes()))
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
            "a % that is not an escape stays"
        );
        for other in ["untitled:Untitled-1", "file://host/a.xml", "git:/a.xml", ""] {
            assert_eq!(to_path(other), None, "{other}");
        }
    }
}
