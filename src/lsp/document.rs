//! An open document: what is known of it, and what is looked at anew when it changes.

use std::ops::Range;
use std::sync::Arc;

use super::catch_panic::catch_panic;
use crate::config::EffectiveConfig;
use crate::diagnostic::Diagnostic;
use crate::lint::{lint, lint_without_edits, skip_reason};
use crate::settings::Settings;
use crate::xml::{self, XmlError, XmlErrorKind};

/// As much as the command line reads unless it is told otherwise.
const LARGEST: usize = 16 << 20;

/// A document as the editor shows it.
#[derive(Debug)]
pub struct Document {
    /// Its name.
    pub uri: String,
    /// The number of its last change.
    pub version: i64,
    /// All of it.
    pub text: Arc<String>,
    /// Whether the user said that it is meant: then it is judged as a file that is named on the
    /// command line.
    pub is_named: bool,
    /// What is in force for it; None until somebody asks, and again when a configuration has
    /// changed.
    pub in_force: Option<Arc<EffectiveConfig>>,
    /// What was seen in this text; None since the last change.
    view: Option<Arc<Analysis>>,
    /// The last text that could be read.
    last: Option<LastAnalysis>,
}

/// What was seen in a text.
#[derive(Debug)]
pub enum Analysis {
    /// Nothing of this program's business: no domain, or none with a sign of GVT-g.
    Foreign,
    /// A domain, with what is wrong in it.
    Domain(Vec<Diagnostic<'static>>),
    /// What can't be read, with those findings of the last text that could, whose places are still
    /// there.
    Unreadable(XmlError, Vec<Diagnostic<'static>>),
    /// What this program failed at, for which it is to blame.
    Failed(String),
}

#[derive(Debug)]
struct LastAnalysis {
    text: Arc<String>,
    view: Arc<Analysis>,
}

impl Document {
    /// A document that was opened.
    pub fn new(uri: String, version: i64, text: String) -> Self {
        let is_named = is_virsh_edit(&uri);
        Document {
            uri,
            version,
            text: Arc::new(text),
            is_named,
            in_force: None,
            view: None,
            last: None,
        }
    }

    /// Its text, to be changed; what was seen in it is forgotten.
    pub fn text_mut(&mut self) -> &mut String {
        self.forget();
        Arc::make_mut(&mut self.text)
    }

    /// The user said that it is meant.
    pub fn mark_as_named(&mut self) {
        self.is_named = true;
        self.forget();
        self.last = None;
    }

    /// It is to be looked at anew.
    pub fn forget(&mut self) {
        self.view = None;
    }

    /// What is in force for it is to be asked for anew.
    pub fn forget_configuration(&mut self) {
        self.in_force = None;
        self.forget();
    }

    /// Whether nothing of its last change was seen yet.
    pub fn is_new(&self) -> bool {
        self.view.is_none()
    }

    /// What there is in it, looked at once after each change.
    pub fn view(&mut self, configuration: &Arc<EffectiveConfig>) -> Arc<Analysis> {
        if let Some(view) = &self.view {
            return view.clone();
        }
        let (view, is_readable) = self.look(configuration);
        let view = Arc::new(view);
        if is_readable {
            self.last = Some(LastAnalysis { text: self.text.clone(), view: view.clone() });
        }
        self.view = Some(view.clone());
        view
    }

    /// What there is in the text, and whether it could be read.
    fn look(&self, configuration: &Arc<EffectiveConfig>) -> (Analysis, bool) {
        if self.text.len() > LARGEST {
            let help = "check it on the command line: `gvtg-xml lint --max-size 0 FILE`";
            return (
                self.unreadable(XmlError::new(0, "larger than 16 MiB, so it is not checked", help)),
                false,
            );
        }
        let (text, configuration, is_named) =
            (self.text.clone(), configuration.clone(), self.is_named);
        let seen = catch_panic(move || {
            if !(is_named || configuration.named)
                && skip_reason(text.as_bytes(), configuration.all).is_some()
            {
                return xml::read(&text, |_| Analysis::Foreign);
            }
            match lint_without_edits(
                &text,
                &configuration.rules,
                &settings(&configuration, is_named),
            ) {
                Err(error) if error.kind == XmlErrorKind::NotADomain => Ok(Analysis::Foreign),
                seen => seen.map(Analysis::Domain),
            }
        });
        match seen {
            Err(fault) => (Analysis::Failed(fault), false),
            Ok(Ok(view)) => (view, true),
            Ok(Err(error)) => (self.unreadable(error), false),
        }
    }

    /// What to say of a text that can't be read: nothing where the one before was foreign, or where
    /// none came before and this one doesn't begin as a domain.
    fn unreadable(&self, error: XmlError) -> Analysis {
        let begins_as_domain = || xml::root_name(self.text.as_bytes()).as_deref() == Some("domain");
        match &self.last {
            None if begins_as_domain() => Analysis::Unreadable(error, Vec::new()),
            Some(LastAnalysis { text, view }) => match &**view {
                Analysis::Domain(findings) => {
                    Analysis::Unreadable(error, kept(findings, text, &self.text))
                }
                _ => Analysis::Foreign,
            },
            None => Analysis::Foreign,
        }
    }

    /// The findings with the edits that mend them; none in what can't be read.
    pub fn findings_with_edits(
        &self,
        configuration: &Arc<EffectiveConfig>,
    ) -> Result<Vec<Diagnostic<'static>>, String> {
        let (text, configuration, is_named) =
            (self.text.clone(), configuration.clone(), self.is_named);
        catch_panic(move || {
            lint(&text, &configuration.rules, &settings(&configuration, is_named))
                .unwrap_or_default()
        })
    }
}

/// The settings for a document: one that nobody named is judged as one that was found in a folder,
/// and nothing unsafe is done unasked.
pub fn settings(configuration: &EffectiveConfig, is_named: bool) -> Settings {
    Settings {
        explicitly_named: is_named || configuration.named,
        unsafe_fixes: false,
        ..configuration.settings.clone()
    }
}

/// Whether a document is what `virsh edit` has its user edit: libvirt's tools/virsh-util.c makes a
/// temporary file `virshXXXXXX.xml`.
pub fn is_virsh_edit(uri: &str) -> bool {
    let name = uri.rsplit('/').next().unwrap_or("");
    let middle = name.strip_prefix("virsh").and_then(|rest| rest.strip_suffix(".xml"));
    middle.is_some_and(|middle| {
        middle.len() == 6 && middle.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Those findings of a text that are still in another one, where only what lies between its
/// beginning and its end has changed.
fn kept(findings: &[Diagnostic<'static>], old: &str, new: &str) -> Vec<Diagnostic<'static>> {
    let same = |(left, right): &(u8, u8)| left == right;
    // Where somebody writes the same as what stands there, both ends say that it is theirs: each
    // counts as far as it goes.
    let before = old.bytes().zip(new.bytes()).take_while(same).count();
    let behind = old.len() - old.bytes().rev().zip(new.bytes().rev()).take_while(same).count();
    let kept_before = findings
        .iter()
        .map(|finding| finding.span.end)
        .filter(|end| *end <= before)
        .max()
        .unwrap_or(0);
    let moved = |span: &Range<usize>| {
        let by_end = |offset: usize| (offset + new.len()).checked_sub(old.len());
        if span.end <= before {
            Some(span.clone())
        } else if span.start >= behind {
            // Of two that are alike one may be gone.
            by_end(span.start)
                .filter(|start| *start >= kept_before)
                .map(|start| start..start + span.len())
        } else {
            None
        }
    };
    let keep = |finding: &Diagnostic<'static>| {
        let mut finding = Diagnostic { span: moved(&finding.span)?, ..finding.clone() };
        finding
            .related
            .retain_mut(|related| moved(&related.span).map(|span| related.span = span).is_some());
        Some(finding)
    };
    findings.iter().filter_map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PartialConfig;
    use crate::config::merge::merge;
    use crate::rules::builtin;

    fn configuration() -> Arc<EffectiveConfig> {
        Arc::new(merge(&PartialConfig::default(), &[], builtin().iter()).unwrap())
    }

    const BAD: &str = "<domain type='kvm'>\n<devices>\n<graphics type='vnc'/>\n<hostdev mode='x' type='mdev' model='vfio-pci'/>\n\
        <video/>\n</devices>\n</domain>\n";

    fn ids(view: &Analysis) -> Vec<String> {
        match view {
            Analysis::Domain(findings) | Analysis::Unreadable(_, findings) => {
                findings.iter().map(|finding| finding.rule.id.to_string()).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn while_a_tag_is_open_there_is_one_error_and_the_findings_around_stay_at_their_places() {
        let configuration = configuration();
        let mut document = Document::new("file:///a.xml".into(), 1, BAD.into());
        let all = ids(&document.view(&configuration));
        assert!(
            all.contains(&"wrong-vgpu-mode".to_owned()) && all.contains(&"stray-video".to_owned()),
            "{all:?}"
        );
        *document.text_mut() = BAD.replace("<hostdev mode='x'", "<hostdev mode='ü'<");
        let view = document.view(&configuration);
        let Analysis::Unreadable(error, kept) = &*view else { panic!("{view:?}") };
        assert!(
            document.text[error.offset..].starts_with("<hostdev")
                || document.text[error.offset..].starts_with('<'),
            "{error:?}"
        );
        let found: Vec<&str> =
            kept.iter().map(|finding| &document.text[finding.span.clone()]).collect();
        assert!(
            found.contains(&"<graphics type='vnc'/>") && found.contains(&"<video/>"),
            "{found:?}"
        );
        assert!(!ids(&view).contains(&"wrong-vgpu-mode".to_owned()), "its place is what changed");
    }

    #[test]
    fn what_is_no_domain_or_none_of_ours_is_foreign_while_it_is_edited_too() {
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
            assert!(matches!(*document.view(&configuration), Analysis::Foreign), "{text}");
        }
        let mut document = Document::new("file:///a.xml".into(), 1, "<domain/>".into());
        document.view(&configuration);
        document.text_mut().push('<');
        assert!(matches!(*document.view(&configuration), Analysis::Foreign));
        let mut unseen = Document::new("file:///a.xml".into(), 1, "<domain><".into());
        assert!(
            matches!(*unseen.view(&configuration), Analysis::Unreadable(..)),
            "who knows what it will be"
        );
    }

    #[test]
    fn an_unreadable_domain_is_recognised_whatever_comes_before_it() {
        for text in [
            "<!DOCTYPE domain>\n<domain type='kvm'/>",
            "<\0d\0o\0m\0a\0i\0n\0>\0",
            "<!-- x --><!DOCTYPE x [<!ENTITY a '>'>]><domain/>",
        ] {
            let mut document = Document::new("file:///a.xml".into(), 1, text.into());
            assert!(matches!(*document.view(&configuration()), Analysis::Unreadable(..)), "{text}");
        }
        for text in
            ["<!DOCTYPE html>\n<html>", "<domain xmlns='http://example.org/domains'/>", "\0\0"]
        {
            let mut document = Document::new("file:///a.xml".into(), 1, text.into());
            assert!(matches!(*document.view(&configuration()), Analysis::Foreign), "{text}");
        }
    }

    #[test]
    fn a_domain_that_is_named_counts() {
        let configuration = configuration();
        let mut document = Document::new(
            "file:///a.xml".into(),
            1,
            "<domain type='kvm'><devices/></domain>".into(),
        );
        document.view(&configuration);
        document.mark_as_named();
        assert_eq!(ids(&document.view(&configuration)), ["missing-vgpu"]);
    }

    #[test]
    fn the_files_of_virsh_edit_are_known_by_their_name() {
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

    #[test]
    fn findings_move_with_their_text() {
        let mut document = Document::new(
            "file:///tmp/virsh000000.xml".into(),
            1,
            "<domain type='kvm'><devices/></domain>".into(),
        );
        let Analysis::Domain(findings) = &*document.view(&configuration()) else {
            panic!("a domain")
        };
        let span = |findings: Vec<Diagnostic<'static>>| {
            findings.first().map(|finding| finding.span.clone())
        };
        let place = findings[0].span.clone();
        assert_eq!(
            span(kept(findings, &document.text, &format!("\n\n{}", document.text))),
            Some(place.start + 2..place.end + 2)
        );
        assert_eq!(span(kept(findings, &document.text, "")), None);
        let doubled = document.text.replacen("<devices", "<<devices", 1);
        assert_eq!(
            span(kept(findings, &document.text, &doubled)),
            Some(place.start + 1..place.end + 1),
            "what is typed may look alike"
        );
        let changed = document.text.replacen("<devices", "<dev ices", 1);
        assert_eq!(span(kept(findings, &document.text, &changed)), None, "its own text changed");
        assert_eq!(span(kept(findings, &document.text, &document.text)), Some(place));
    }
}
