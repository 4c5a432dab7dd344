//! How a run of `lint` ends: how much was found, and what fixes it.

use crate::diagnostic::Diagnostic;
use crate::edit::Applicability;

/// What was found in all files.
#[derive(Debug, Default)]
pub(super) struct LintSummary {
    files: usize,
    findings: usize,
    /// Those that `fix` mends.
    safe: usize,
    /// Those that it mends with `--unsafe-fixes` only.
    lossy: usize,
    suppressed: usize,
}

impl LintSummary {
    /// Counts what was found in one file, and what is suppressed there.
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

    /// It in a sentence; None where no file was looked at.
    pub(super) fn sentence(&self) -> Option<String> {
        let mut text = match self {
            LintSummary { files: 0, .. } => return None,
            LintSummary { findings: 0, files, .. } => {
                format!("no findings in {}", counted(*files, "file"))
            }
            LintSummary { findings, .. } => counted(*findings, "finding"),
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

/// `1 file`, `2 files`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::LintSummary;

    #[test]
    fn it_says_what_fix_can_do() {
        let sentence = |files, findings, safe, lossy, suppressed| {
            LintSummary { files, findings, safe, lossy, suppressed }.sentence()
        };
        for (tally, wanted) in [
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
            assert_eq!(tally.as_deref(), wanted);
        }
    }
}
