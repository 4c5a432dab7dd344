//! Checks whether values have a required format.

use super::schema::Format;
use crate::domain::parse_uuid;

impl Format {
    /// Whether a value has this format.
    pub fn fits(self, value: &str) -> bool {
        match self {
            Format::Uuid => parse_uuid(value).is_some(),
            Format::CanonicalUuid => parse_uuid(value).is_none_or(|uuid| uuid.to_string() == value),
            // libvirt: src/qemu/qemu_domain.c
            // `qemuDomainDefNamespaceParseCommandlineEnvNameValidate`.
            Format::EnvironmentName => {
                let mut bytes = value.bytes();
                bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
                    && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            }
            Format::Display => {
                let number = value.rsplit_once(':').map_or("", |(_, number)| number);
                let mut parts = number.splitn(2, '.');
                let digits = |part: Option<&str>| {
                    part.is_none_or(|part| {
                        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
                    })
                };
                !number.is_empty()
                    && digits(parts.next())
                    && digits(parts.next())
                    && !value.contains(char::is_whitespace)
            }
            Format::Number => {
                value.parse::<f64>().is_ok_and(|number| number > 0.0 && number.is_finite())
                    && !value.contains(['e', 'E', '+'])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn distinguishes_valid_and_invalid_values() {
        for (format, valid, invalid) in [
            (
                Format::Uuid,
                ["AB54BABAEA9A4CE5B7B451B376B65849", "ab54baba-ea9a-4ce5-b7b4-51b376b65849"],
                ["", "your-gpu-uuid-here"],
            ),
            (
                Format::CanonicalUuid,
                ["ab54baba-ea9a-4ce5-b7b4-51b376b65849", "no uuid at all"],
                ["AB54BABA-ea9a-4ce5-b7b4-51b376b65849", "ab54babaea9a4ce5b7b451b376b65849"],
            ),
            (Format::EnvironmentName, ["DISPLAY", "_x1"], ["1X", "A-B"]),
            (Format::Display, [":0", "host:10.1"], ["$DISPLAY", ":"]),
            (Format::Number, ["1", "1.5"], ["0", "1,5"]),
        ] {
            for value in valid {
                assert!(format.fits(value), "{format:?} {value}");
            }
            for value in invalid {
                assert!(!format.fits(value), "{format:?} {value}");
            }
        }
    }
}
