//! Fingerprints: stable names for findings, so that a server can tell new findings from old ones
//! when the file changes around them.

use uuid::Uuid;

use super::Part;
use crate::domain::UUID_NAMESPACE;
use crate::lint::Diagnostic;
use foldhash::HashMap;

/// The fingerprints of one report; equal findings are numbered.
#[derive(Default)]
pub(super) struct Fingerprints {
    seen: HashMap<Uuid, usize>,
}

impl Fingerprints {
    /// Returns the fingerprint of the next finding in a file. It is made of the file's name, the
    /// rule and the marked text, but not of positions and whitespace. If several findings are equal
    /// in all of this, each gets a different fingerprint.
    pub(super) fn next(
        &mut self,
        name: &str,
        part: &Part<'_>,
        diagnostic: &Diagnostic<'_>,
    ) -> Uuid {
        let marked = part.source.text().get(diagnostic.span.clone()).unwrap_or("");
        let normalized_words: Vec<&str> = marked.split_whitespace().collect();
        let name = name.trim_start_matches("./");
        let base = Uuid::new_v5(
            &UUID_NAMESPACE,
            ["finding", &diagnostic.rule.id, name, &normalized_words.join(" ")]
                .join("\0")
                .as_bytes(),
        );
        let count = self.seen.entry(base).or_default();
        *count += 1;
        if *count == 1 { base } else { Uuid::new_v5(&base, count.to_string().as_bytes()) }
    }
}
