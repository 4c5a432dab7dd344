//! The names of documents and the files that they are.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::uri::escaped;

/// The file that a document is; None for one that is no file of this machine.
pub fn to_path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped =
            behind.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

/// The name of a file.
pub fn of_path(path: &Path) -> String {
    format!("file://{}", escaped(path.as_os_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_name_and_a_name_its_file() {
        for path in ["/vms/win10.xml", "/a b/%25é#?.xml", "/"] {
            assert_eq!(to_path(&of_path(Path::new(path))), Some(PathBuf::from(path)));
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
