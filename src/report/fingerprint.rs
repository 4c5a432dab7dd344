//! A name for each finding that stays while the file around it changes, so that a server can tell
//! old findings from new ones.

use std::collections::HashMap;

use uuid::Uuid;

use super::Part;
use crate::diagnostic::Diagnostic;
use crate::settings::UUID_NAMESPACE;

/// The fingerprints of one report: findings that look alike are counted.
#[derive(Default)]
pub(super) struct Fingerprints {
    seen: HashMap<Uuid, usize>,
}

impl Fingerprints {
    /// The fingerprint of a file's next finding: made of the file's name, the rule and what is
    /// marked, without the place and however it is indented. The second of two that are alike in
    /// all of this has another one than the first.
    pub(super) fn next(
        &mut self,
        name: &str,
        part: &Part<'_>,
        diagnostic: &Diagnostic<'_>,
    ) -> Uuid {
        let marked = part.source.text().get(diagnostic.span.clone()).unwrap_or("");
        let words: Vec<&str> = marked.split_whitespace().collect();
        let name = name.trim_start_matches("./");
        let first = Uuid::new_v5(
            &UUID_NAMESPACE,
            ["finding", &diagnostic.rule.id, name, &words.join(" ")].join("\0").as_bytes(),
        );
        let count = self.seen.entry(first).or_default();
        *count += 1;
        if *count == 1 { first } else { Uuid::new_v5(&first, count.to_string().as_bytes()) }
    }
}
