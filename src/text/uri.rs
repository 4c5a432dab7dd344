//! Percent-encoding of file names for URIs.

/// Percent-encodes a path: all bytes except letters, digits and `-._~/`.
pub fn percent_encode(path: &[u8]) -> String {
    let mut uri = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
