//! An open document and its cached analysis.

use std::cell::OnceCell;
use std::sync::Arc;

use super::edits::{Replacement, fix_edits};
use super::kept_findings::keep_findings;
use super::panics::{Panic, catch_panic};
use crate::domain::Settings;
use crate::lint::{Diagnostic, Linter, skip_reason};
use crate::settings::config::EffectiveConfig;
use crate::xml::{self, MAX_INPUT_MIB, XmlError, XmlErrorKind};

/// An open document.
#[derive(Debug)]
pub struct Document {
    /// The URI of the document.
    pub uri: String,
    /// The version number of the last change.
    pub version: i32,
    /// The whole text.
    pub text: Arc<String>,
    /// Whether to treat the document like a file that the user names on the command line.
    pub is_named: bool,
    /// The effective configuration; `None` before the first request and after a configuration
    /// changes.
    pub effective_config: Option<Arc<EffectiveConfig>>,
    /// The analysis of the current text; `None` since the last change.
    analysis: Option<Arc<Analysis>>,
    /// The edits that fix the current text; empty until they are needed.
    fix_edits: OnceCell<Option<Vec<Replacement>>>,
    /// The edits that fix the current text as if the user had named it on the command line.
    fix_edits_as_named: OnceCell<Option<Vec<Replacement>>>,
    /// The last text that could be read.
    last_readable: Option<LastAnalysis>,
}

/// The result of analyzing a document.
#[derive(Debug)]
pub enum Analysis {
    /// Not relevant for this program: not a domain, or a domain without signs of GVT-g.
    Foreign,
    /// A domain with its findings.
    Domain(Vec<Diagnostic<'static>>),
    /// Unreadable text, with those findings of the last readable text that still apply.
    Unreadable(XmlError, Vec<Diagnostic<'static>>),
    /// The program has a bug.
    Failed(Panic),
}

#[derive(Debug)]
struct LastAnalysis {
    text: Arc<String>,
    analysis: Arc<Analysis>,
}

impl Document {
    /// Creates a document that the editor has opened.
    pub fn new(uri: String, version: i32, text: String) -> Self {
        let is_named = is_virsh_edit(&uri);
        Document {
            uri,
            version,
            text: Arc::new(text),
            is_named,
            effective_config: None,
            analysis: None,
            fix_edits: OnceCell::new(),
            fix_edits_as_named: OnceCell::new(),
            last_readable: None,
        }
    }

    /// Returns the text for changing it, and drops the analysis.
    pub fn text_mut(&mut self) -> &mut String {
        self.invalidate();
        Arc::make_mut(&mut self.text)
    }

    /// Marks the document as named by the user.
    pub fn mark_as_named(&mut self) {
        self.is_named = true;
        self.invalidate();
        self.last_readable = None;
    }

    /// Drops the analysis.
    pub fn invalidate(&mut self) {
        self.analysis = None;
        self.fix_edits = OnceCell::new();
        self.fix_edits_as_named = OnceCell::new();
    }

    /// Drops the effective configuration and the analysis.
    pub fn invalidate_configuration(&mut self) {
        self.effective_config = None;
        self.invalidate();
    }

    /// Whether the document has not been analyzed since the last change.
    pub fn needs_analysis(&self) -> bool {
        self.analysis.is_none()
    }

    /// Returns the analysis, which is made once after each change.
    pub fn analysis(&mut self, configuration: &EffectiveConfig) -> Arc<Analysis> {
        if let Some(analysis) = &self.analysis {
            return analysis.clone();
        }
        let (analysis, is_readable) = self.analyze(configuration);
        let analysis = Arc::new(analysis);
        if is_readable {
            self.last_readable =
                Some(LastAnalysis { text: self.text.clone(), analysis: analysis.clone() });
        }
        self.analysis = Some(analysis.clone());
        analysis
    }

    /// Analyzes the text; also returns whether it could be read.
    fn analyze(&self, configuration: &EffectiveConfig) -> (Analysis, bool) {
        if self.text.len() as u64 > MAX_INPUT_MIB << 20 {
            let help = "check it on the command line: `gvtg-xml lint --max-size 0 FILE`";
            let message = format!("larger than {MAX_INPUT_MIB} MiB, so it is not checked");
            return (self.unreadable(XmlError::new(0, message, help)), false);
        }
        let result = catch_panic(|| {
            let is_named = self.is_named || configuration.named;
            if !is_named && skip_reason(self.text.as_bytes()).is_some() {
                return xml::read(&self.text, |_| Analysis::Foreign);
            }
            let (rules, settings) = (configuration.rules.set(), self.settings(configuration));
            let linter =
                Linter::new(&rules, &settings).skip_unrelated(!is_named && !configuration.all);
            match linter.lint(&self.text) {
                Ok(findings) if findings.is_skipped => Ok(Analysis::Foreign),
                Ok(findings) => Ok(Analysis::Domain(configuration.rules.detach(findings.open))),
                Err(error) if error.kind == XmlErrorKind::NotADomain => Ok(Analysis::Foreign),
                Err(error) => Err(error),
            }
        });
        match result {
            Err(panic) => (Analysis::Failed(panic), false),
            Ok(Ok(analysis)) => (analysis, true),
            Ok(Err(error)) => (self.unreadable(error), false),
        }
    }

    /// The analysis of unreadable text. It reports nothing if the last readable text was not
    /// relevant, or if there was none and this one does not start with `<domain`.
    fn unreadable(&self, error: XmlError) -> Analysis {
        let begins_as_domain = || xml::root_name(self.text.as_bytes()).as_deref() == Some("domain");
        match &self.last_readable {
            None if begins_as_domain() => Analysis::Unreadable(error, Vec::new()),
            Some(LastAnalysis { text, analysis }) => match &**analysis {
                Analysis::Domain(findings) => {
                    Analysis::Unreadable(error, keep_findings(findings, text, &self.text))
                }
                _ => Analysis::Foreign,
            },
            None => Analysis::Foreign,
        }
    }

    /// The settings for the document. One that the user did not name is treated like a file found
    /// in a folder, and unsafe fixes are never part of fixing everything.
    pub fn settings(&self, configuration: &EffectiveConfig) -> Settings {
        Settings {
            explicitly_named: self.is_named || configuration.named,
            unsafe_fixes: false,
            ..configuration.settings.clone()
        }
    }

    /// Returns the edits that fix the document; `None` if there is nothing to fix. They are
    /// computed once after each change.
    pub fn fix_edits(&self, configuration: &EffectiveConfig) -> Option<&[Replacement]> {
        let compute = || fix_edits(&self.text, configuration, &self.settings(configuration));
        self.fix_edits.get_or_init(compute).as_deref()
    }

    /// Returns the edits that fix the document as if the user had named it on the command line;
    /// `None` if there is nothing to fix. They are computed once after each change.
    pub fn fix_edits_as_named(&self, configuration: &EffectiveConfig) -> Option<&[Replacement]> {
        let settings = Settings { explicitly_named: true, ..self.settings(configuration) };
        let compute = || fix_edits(&self.text, configuration, &settings);
        self.fix_edits_as_named.get_or_init(compute).as_deref()
    }
}

/// Whether `virsh edit` has opened this document: libvirt's tools/virsh-util.c creates a temporary
/// file `virshXXXXXX.xml`.
pub fn is_virsh_edit(uri: &str) -> bool {
    let name = uri.rsplit('/').next().unwrap_or("");
    let middle = name.strip_prefix("virsh").and_then(|rest| rest.strip_suffix(".xml"));
    middle.is_some_and(|middle| {
        middle.len() == 6 && middle.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::config::{PartialConfig, all_rules};

    fn configuration() -> Arc<EffectiveConfig> {
        Arc::new(EffectiveConfig::of_flags(&PartialConfig::default(), all_rules(&[])).unwrap())
    }

    const BAD: &str = "<domain type='kvm'>\n<devices>\n<graphics type='vnc'/>\n<hostdev mode='x' type='mdev' model='vfio-pci'/>\n\
        <video/>\n</devices>\n</domain>\n";

    fn ids(analysis: &Analysis) -> Vec<String> {
        match analysis {
            Analysis::Domain(findings) | Analysis::Unreadable(_, findings) => {
                findings.iter().map(|finding| finding.rule.id.to_string()).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn keeps_findings_outside_an_unclosed_tag() {
        let configuration = configuration();
        let mut document = Document::new("file:///a.xml".into(), 1, BAD.into());
        let all = ids(&document.analysis(&configuration));
        assert!(
            all.contains(&"wrong-vgpu-mode".to_owned()) && all.contains(&"stray-video".to_owned()),
            "{all:?}"
        );
        *document.text_mut() = BAD.replace("<hostdev mode='x'", "<hostdev mode='ü'<");
        let analysis = document.analysis(&configuration);
        let Analysis::Unreadable(error, kept) = &*analysis else { panic!("{analysis:?}") };
        assert!(
            document.text[error.offset..].starts_with("<hostdev")
                || document.text[error.offset..].starts_with('<'),
            "{error:?}"
        );
        let kept_texts: Vec<&str> =
            kept.iter().map(|finding| &document.text[finding.span.clone()]).collect();
        assert!(
            kept_texts.contains(&"<graphics type='vnc'/>") && kept_texts.contains(&"<video/>"),
            "{kept_texts:?}"
        );
        assert!(
            !ids(&analysis).contains(&"wrong-vgpu-mode".to_owned()),
            "its place is what changed"
        );
    }

    #[test]
    fn documents_without_gvtg_are_foreign_while_edited() {
        let configuration = configuration();
        for text in [
            "",
            "x",
            "<network>",
            "<network/>",
            "<domain/>",
            "<domain type='kvm'><devices/></domain>",
            "<dom",
        ] {
            let mut document = Document::new("file:///a.xml".into(), 1, text.into());
            assert!(matches!(*document.analysis(&configuration), Analysis::Foreign), "{text}");
        }
        let mut document = Document::new("file:///a.xml".into(), 1, "<domain/>".into());
        document.analysis(&configuration);
        document.text_mut().push('<');
        assert!(matches!(*document.analysis(&configuration), Analysis::Foreign));
        let mut unseen = Document::new("file:///a.xml".into(), 1, "<domain><".into());
        assert!(
            matches!(*unseen.analysis(&configuration), Analysis::Unreadable(..)),
            "it may become a domain"
        );
    }

    #[test]
    fn recognizes_an_unreadable_domain_after_a_prolog() {
        for text in [
            "<!DOCTYPE domain>\n<domain type='kvm'/>",
            "<\0d\0o\0m\0a\0i\0n\0>\0",
            "<!-- x --><!DOCTYPE x [<!ENTITY a '>'>]><domain/>",
        ] {
            let mut document = Document::new("file:///a.xml".into(), 1, text.into());
            assert!(
                matches!(*document.analysis(&configuration()), Analysis::Unreadable(..)),
                "{text}"
            );
        }
        for text in
            ["<!DOCTYPE html>\n<html>", "<domain xmlns='http://example.org/domains'/>", "\0\0"]
        {
            let mut document = Document::new("file:///a.xml".into(), 1, text.into());
            assert!(matches!(*document.analysis(&configuration()), Analysis::Foreign), "{text}");
        }
    }

    #[test]
    fn named_domains_without_gvtg_are_checked() {
        let configuration = configuration();
        let mut document = Document::new(
            "file:///a.xml".into(),
            1,
            "<domain type='kvm'><devices/></domain>".into(),
        );
        document.analysis(&configuration);
        document.mark_as_named();
        assert_eq!(ids(&document.analysis(&configuration)), ["missing-vgpu"]);
    }

    #[test]
    fn recognizes_files_of_virsh_edit_by_name() {
        for (uri, expected) in [
            ("file:///tmp/virshXI3d9F.xml", true),
            ("file:///var/tmp/virsh000000.xml", true),
            ("file:///tmp/virsh.xml", false),
            ("file:///tmp/virshXI3d9F.txt", false),
            ("file:///home/me/virsh-edit.xml", false),
            ("untitled:Untitled-1", false),
        ] {
            assert_eq!(is_virsh_edit(uri), expected, "{uri}");
        }
    }
}
