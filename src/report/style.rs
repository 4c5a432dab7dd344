//! Colours for what people read on a terminal, by what they mean.

use anstyle::{AnsiColor, Style};

use crate::rules::schema::Severity;

/// Paints, or leaves text as it is.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    color: bool,
}

impl Paint {
    /// With colours, or as plain text.
    pub fn new(color: bool) -> Self {
        Paint { color }
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn foreground(self, color: AnsiColor, text: &str) -> String {
        self.with(Style::new().fg_color(Some(color.into())), text)
    }

    /// A word that tells how bad something is.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.foreground(AnsiColor::Red, text),
            Severity::Warning => self.foreground(AnsiColor::Yellow, text),
            Severity::Info => self.foreground(AnsiColor::Cyan, text),
        }
    }

    /// What is mended, or comes.
    pub fn added(self, text: &str) -> String {
        self.foreground(AnsiColor::Green, text)
    }

    /// What goes.
    pub fn removed(self, text: &str) -> String {
        self.foreground(AnsiColor::Red, text)
    }

    /// Where something is: as miette paints it.
    pub fn place(self, text: &str) -> String {
        self.with(Style::new().fg_color(Some(AnsiColor::Cyan.into())).bold().underline(), text)
    }

    /// A heading, or a file's name.
    pub fn strong(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What only leads the eye.
    pub fn faint(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }
}
