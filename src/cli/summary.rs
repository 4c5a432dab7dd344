//! The last line of `lint`: how much was found, and what fixes it.

use crate::lint::Diagnostic;
use crate::text::Applicability;

/// Counts of what was found in all files.
#[derive(Debug, Default)]
pub(super) struct LintSummary {
    files: usize,
    findings: usize,
    /// Findings that `fix` fixes.
    safe: usize,
    /// Findings that it fixes with `--unsafe-fixes` only.
    lossy: usize,
    suppressed: usize,
}

impl LintSummary {
    /// Adds the findings of one file; `suppressed` is the number of its suppressed findings.
    pub(super) fn add(&mut self, open: &[Diagnostic<'_>], suppressed: usize) {
        let fixes =
            || open.iter().filter_map(|finding| finding.fix.as_ref()).map(|fix| fix.applicability);
        self.files += 1;
        self.findings += open.len();
        self.safe += fixes().filter(|applicability| *applicability == Applicability::Safe).count();
        self.lossy +=
            fixes().filter(|applicability| *applicability == Applicability::Unsafe).count();
        self.suppressed += suppressed;
    }

    /// Returns the summary as a sentence; `None` if no file was checked.
    pub(super) fn sentence(&self) -> Option<String> {
        let mut text = match self {
            LintSummary { files: 0, .. } => return None,
            LintSummary { findings: 0, files, .. } => {
                format!("no findings in {}", count_with_noun(*files, "file"))
            }
            LintSummary { findings, .. } => count_with_noun(*findings, "finding"),
        };
        match (self.safe, self.lossy) {
            (0, 0) if self.findings > 0 => text.push_str(", none fixable"),
            (0, 0) => {}
            (safe, 0) => text.push_str(&format!(", {safe} fixable with `gvtg-xml fix`")),
            (0, lossy) => {
                text.push_str(&format!(", {lossy} fixable with `gvtg-xml fix --unsafe-fixes`"))
            }
            (safe, lossy) => text.push_str(&format!(
                ", {safe} fixable with `gvtg-xml fix`, {lossy} more with `--unsafe-fixes`"
            )),
        }
        if self.suppressed > 0 {
            text.push_str(&format!("; {} suppressed (`--statistics` lists them)", self.suppressed));
        }
        Some(text)
    }
}

/// Formats a count with its noun: `1 file`, `2 files`.
pub(super) fn count_with_noun(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::LintSummary;

    #[test]
    fn says_what_fix_can_fix() {
        let sentence = |files, findings, safe, lossy, suppressed| {
            LintSummary { files, findings, safe, lossy, suppressed }.sentence()
        };
        for (actual, expected) in [
            (sentence(0, 0, 0, 0, 0), None),
            (sentence(1, 0, 0, 0, 0), Some("no findings in 1 file")),
            (
                sentence(3, 0, 0, 0, 1),
                Some("no findings in 3 files; 1 suppressed (`--statistics` lists them)"),
            ),
            (sentence(1, 1, 0, 0, 0), Some("1 finding, none fixable")),
            (sentence(1, 8, 7, 0, 0), Some("8 findings, 7 fixable with `gvtg-xml fix`")),
            (
                sentence(1, 8, 0, 2, 0),
                Some("8 findings, 2 fixable with `gvtg-xml fix --unsafe-fixes`"),
            ),
            (
                sentence(2, 9, 7, 1, 0),
                Some("9 findings, 7 fixable with `gvtg-xml fix`, 1 more with `--unsafe-fixes`"),
            ),
        ] {
            assert_eq!(actual.as_deref(), expected);
        }
    }
}
