//! Renders a rule's page, which `explain` prints and editors show.

use std::fmt::Write as _;

use super::schema::{MessageSource, Rule};

/// The markup of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Plain text, for a terminal.
    Plain,
    /// Markdown, for an editor.
    Markdown,
}

/// Renders a rule's page.
pub fn page(rule: &Rule, markup: Markup) -> String {
    let mut text = match markup {
        Markup::Plain => format!(
            "{} ({}, group {})\n{}\n",
            rule.id,
            rule.severity.name(),
            rule.group.name(),
            rule.summary
        ),
        Markup::Markdown => {
            let (severity, group) = (rule.severity.name(), rule.group.name());
            format!(
                "**{}** ({severity}, group {group})\n\n{}\n",
                rule.id,
                markup.escaped(&rule.summary)
            )
        }
    };
    let _ = writeln!(text, "\n{}", rule.why.trim());
    if let Some(help) = rule.page_help() {
        let _ = writeln!(text, "\nWhat to do: {}", markup.escaped(help));
    }
    if let Some((title, fix)) = rule.page_fix() {
        let _ = writeln!(text, "\nFix ({}): {}", fix.applicability.name(), markup.escaped(title));
    }
    if let Some(example) = rule.example.iter().find(|example| example.bad.is_some()) {
        let bad = example.bad.as_deref().unwrap_or("").replace(['»', '«'], "");
        let settings = if example.settings.is_empty() {
            String::new()
        } else {
            format!(" with {}", markup.code(&example.settings))
        };
        let _ = writeln!(text, "\nFor example{settings}:\n{}", markup.block(&bad));
        if let Some(other_file) = &example.other_file {
            let _ = writeln!(text, "and another file with:\n{}", markup.block(other_file));
        }
        if let Some(fixed) = &example.fixed {
            let _ = writeln!(text, "becomes:\n{}", markup.block(fixed));
        }
    }
    for known_message in rule.known_message.iter() {
        let program = speaker(known_message.at);
        let _ = writeln!(
            text,
            "{}{program} says: {}",
            markup.item(),
            markup.code(&known_message.text.replace("{}", "…"))
        );
    }
    for reference in rule.references.iter() {
        let _ = writeln!(text, "{}See {reference}", markup.item());
    }
    text
}

/// Returns the name of the program that prints messages from this source.
pub fn speaker(at: MessageSource) -> &'static str {
    match at {
        MessageSource::Define => "virsh define",
        MessageSource::Validate => "virsh define --validate",
        MessageSource::Start => "virsh start",
        MessageSource::Qemu => "QEMU",
        MessageSource::System => "the system",
    }
}

impl Markup {
    /// Escapes text for this markup.
    fn escaped(self, text: &str) -> String {
        match self {
            Markup::Plain => text.to_owned(),
            Markup::Markdown => {
                // A backslash inside backticks would be shown.
                let mut is_code = false;
                let mut escaped = String::with_capacity(text.len());
                for c in text.chars() {
                    is_code ^= c == '`';
                    if !is_code && matches!(c, '<' | '*' | '_' | '[') {
                        escaped.push('\\');
                    }
                    escaped.push(c);
                }
                escaped
            }
        }
    }

    fn code(self, text: &str) -> String {
        match self {
            Markup::Plain => text.to_owned(),
            Markup::Markdown => format!("`{text}`"),
        }
    }

    fn block(self, xml: &str) -> String {
        let xml = xml.trim_matches('\n');
        match self {
            Markup::Plain => xml.lines().map(|line| format!("    {line}\n")).collect(),
            Markup::Markdown => format!("```xml\n{xml}\n```\n"),
        }
    }

    fn item(self) -> &'static str {
        match self {
            Markup::Plain => "",
            Markup::Markdown => "- ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::builtin;

    #[test]
    fn markdown_pages_have_no_raw_tags() {
        for rule in builtin() {
            let page = page(rule, Markup::Markdown);
            let mut is_block = false;
            for line in page.lines() {
                is_block ^= line.starts_with("```");
                let outside = line.split('`').step_by(2).collect::<String>();
                assert!(
                    is_block || !outside.replace("\\<", "").contains('<'),
                    "{}: {line}",
                    rule.id
                );
            }
        }
    }
}
