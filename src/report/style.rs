//! Colors for text on a terminal, named after their purpose.

use anstyle::{AnsiColor, Style};

use crate::rules::schema::Severity;

/// Adds colors to text, or leaves it plain.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    color: bool,
}

impl Paint {
    /// Creates a painter; without `color`, it returns text unchanged.
    pub fn new(color: bool) -> Self {
        Paint { color }
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn foreground(self, color: AnsiColor, text: &str) -> String {
        self.styled(Style::new().fg_color(Some(color.into())), text)
    }

    /// Paints a word by the severity that it stands for.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.foreground(AnsiColor::Red, text),
            Severity::Warning => self.foreground(AnsiColor::Yellow, text),
            Severity::Info => self.foreground(AnsiColor::Cyan, text),
        }
    }

    /// Paints text that is added, or the state of a fixed finding.
    pub fn added(self, text: &str) -> String {
        self.foreground(AnsiColor::Green, text)
    }

    /// Paints text that is removed.
    pub fn removed(self, text: &str) -> String {
        self.foreground(AnsiColor::Red, text)
    }

    /// Paints a place as miette does.
    pub fn place(self, text: &str) -> String {
        self.styled(Style::new().fg_color(Some(AnsiColor::Cyan.into())).bold().underline(), text)
    }

    /// Paints a heading or a file name.
    pub fn strong(self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    /// Paints secondary text, such as line numbers.
    pub fn faint(self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }
}
