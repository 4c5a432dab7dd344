//! Findings as text, a file a format.

use std::cell::OnceCell;

use clap::ValueEnum;

use crate::diagnostic::Diagnostic;
use crate::source::Source;

pub mod concise;
mod full;
pub mod host;
mod json;

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the lines of the document, and what the fix would do
    Full,
    /// file:line:column: severity[rule] message
    Concise,
    /// One JSON document
    Json,
}

/// Findings of one file after the other, as one text.
pub struct Report {
    format: Format,
    /// Made for the first finding that is drawn: other formats need none.
    full: OnceCell<full::Renderer>,
    color: bool,
    text: String,
    count: usize,
}

impl Report {
    /// An empty report.
    pub fn new(format: Format, color: bool) -> Self {
        let text = if format == Format::Json { json::BEGIN.to_owned() } else { String::new() };
        Report { format, full: OnceCell::new(), color, text, count: 0 }
    }

    /// Whether the format shows what a fix changes.
    pub fn shows_edits(&self) -> bool {
        self.format != Format::Concise
    }

    /// Adds a file's findings.
    pub fn add(&mut self, source: &Source<'_>, diagnostics: &[Diagnostic<'_>]) {
        for diagnostic in diagnostics {
            match self.format {
                Format::Full => {
                    let renderer = self.full.get_or_init(|| full::Renderer::new(self.color));
                    renderer.render(source, diagnostic, &mut self.text);
                }
                Format::Concise => self.text.push_str(&concise::line(source.name(), diagnostic)),
                Format::Json => json::add(source, diagnostic, self.count == 0, &mut self.text),
            }
            self.count += 1;
        }
    }

    /// Whether there is so much of it that it should be written before there is more.
    pub fn is_large(&self) -> bool {
        self.text.len() > 1 << 20
    }

    /// What there is so far.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// The rest.
    pub fn finish(mut self) -> String {
        if self.format == Format::Json {
            self.text.push_str(json::END);
        }
        self.text
    }
}

/// Text of a document or a file's name without what could steer a terminal: control characters, and those that reorder or hide
/// what is around them, are shown as `\u{…}`.
pub fn clean(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) { result.extend(c.escape_unicode()) } else { result.push(c) }
    }
    result
}

/// Control characters (C0, C1), marks that reorder text, characters of no width, and tags.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(clean("win10 é"), "win10 é");
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{9b}"), "a\\u{1b}[31mb\\u{202e}c\\u{9b}");
    }
}
