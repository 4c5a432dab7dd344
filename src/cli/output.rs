//! Where the reports of a run go.

use std::io::IsTerminal;

use super::flags::{ColorChoice, Format};
use super::io;
use crate::report::{Concise, FileFindings, Full, Json, Report};

/// So much text is written before there is more.
const LARGE: usize = 1 << 20;

/// A report that is being written.
pub(super) struct Output {
    report: Box<dyn Report>,
    text: String,
}

impl Output {
    /// A report on stdout.
    pub(super) fn new(format: Format, color: ColorChoice) -> Self {
        let mut report: Box<dyn Report> = match format {
            Format::Full => Box::new(Full::new(io::use_color(color, std::io::stdout().is_terminal()))),
            Format::Concise => Box::new(Concise),
            Format::Json => Box::new(Json::default()),
        };
        let mut text = String::new();
        report.begin(&mut text);
        Output { report, text }
    }

    /// Whether it shows what a fix changes.
    pub(super) fn shows_edits(&self) -> bool {
        self.report.shows_edits()
    }

    /// Adds a file. A long run shows what it has.
    pub(super) fn add(&mut self, file: &FileFindings<'_>) -> Result<(), String> {
        self.report.file(file, &mut self.text);
        if self.text.len() > LARGE { io::print(&std::mem::take(&mut self.text)) } else { Ok(()) }
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) -> Result<(), String> {
        self.report.end(&mut self.text);
        io::print(&self.text)
    }
}
