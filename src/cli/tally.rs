//! How a run of `lint` ends: how much was found, and what mends it.

use crate::diagnostic::Diagnostic;
use crate::edit::Applicability;

/// What was found in all files.
#[derive(Debug, Default)]
pub(super) struct Tally {
    files: usize,
    findings: usize,
    /// Those that `fix` mends.
    safe: usize,
    /// Those that it mends with `--unsafe-fixes` only.
    lossy: usize,
    suppressed: usize,
}

impl Tally {
    /// Counts what was found in one file, and what is suppressed there.
    pub(super) fn add(&mut self, open: &[Diagnostic<'_>], suppressed: usize) {
        let fixes = || open.iter().filter_map(|finding| finding.fix.as_ref()).map(|fix| fix.applicability);
        self.files += 1;
        self.findings += open.len();
        self.safe += fixes().filter(|applicability| *applicability == Applicability::Safe).count();
        self.lossy += fixes().filter(|applicability| *applicability == Applicability::Unsafe).count();
        self.suppressed += suppressed;
    }

    /// It in a sentence; None where no file was looked at.
    pub(super) fn sentence(&self) -> Option<String> {
        let mut text = match self {
            Tally { files: 0, .. } => return None,
            Tally { findings: 0, files, .. } => format!("nothing found in {}", counted(*files, "file")),
            Tally { findings, .. } => counted(*findings, "finding"),
        };
        match (self.safe, self.lossy) {
            (0, 0) if self.findings > 0 => text.push_str(", none that `gvtg-xml fix` mends"),
            (0, 0) => {}
            (safe, 0) => text.push_str(&format!(", of which `gvtg-xml fix` mends {safe}")),
            (0, lossy) => text.push_str(&format!(", of which `gvtg-xml fix --unsafe-fixes` mends {lossy}")),
            (safe, lossy) => text.push_str(&format!(", of which `gvtg-xml fix` mends {safe}, and {lossy} more with --unsafe-fixes")),
        }
        if self.suppressed > 0 {
            text.push_str(&format!("; {} suppressed by what the domains say (--statistics counts them)", self.suppressed));
        }
        Some(text)
    }
}

/// `1 file`, `2 files`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn it_says_what_fix_can_do() {
        let sentence = |files, findings, safe, lossy, suppressed| Tally { files, findings, safe, lossy, suppressed }.sentence();
        for (tally, wanted) in [
            (sentence(0, 0, 0, 0, 0), None),
            (sentence(1, 0, 0, 0, 0), Some("nothing found in 1 file")),
            (sentence(3, 0, 0, 0, 1), Some("nothing found in 3 files; 1 suppressed by what the domains say (--statistics counts them)")),
            (sentence(1, 1, 0, 0, 0), Some("1 finding, none that `gvtg-xml fix` mends")),
            (sentence(1, 8, 7, 0, 0), Some("8 findings, of which `gvtg-xml fix` mends 7")),
            (sentence(1, 8, 0, 2, 0), Some("8 findings, of which `gvtg-xml fix --unsafe-fixes` mends 2")),
            (sentence(2, 9, 7, 1, 0), Some("9 findings, of which `gvtg-xml fix` mends 7, and 1 more with --unsafe-fixes")),
        ] {
            assert_eq!(tally.as_deref(), wanted);
        }
    }
}
