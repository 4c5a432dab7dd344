//! Handlers for requests about an open document.

use gen_lsp_types::{
    ApplyWorkspaceEditParams, ApplyWorkspaceEditRequest, CodeActionParams, CodeActionResponse,
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse,
    DiagnosticRefreshRequest, DocumentDiagnosticParams, DocumentDiagnosticReport,
    ExecuteCommandParams, FullDocumentDiagnosticReport, Hover, HoverParams, MarkupContent,
    MarkupKind, MessageType, RelatedFullDocumentDiagnosticReport, TextEdit,
};
use serde_json::Value;

use super::actions::ActionBuilder;
use super::context::{Part, context_at};
use super::document::Analysis;
use super::edits::workspace_edit;
use super::error::RequestError;
use super::hover;
use super::positions::Lines;
use super::server::Server;
use super::suppression_completion;
use crate::rules::docs::{Markup, page};

/// The command that fixes a document as if the user had named the file on the command line; it can
/// add a vGPU.
pub const FIX_COMMAND: &str = "gvtg-xml.fix";

impl Server<'_> {
    /// `textDocument/diagnostic`.
    pub(super) fn document_diagnostics(
        &mut self,
        params: DocumentDiagnosticParams,
    ) -> Result<DocumentDiagnosticReport, RequestError> {
        let uri = params.text_document.uri.0;
        self.document(&uri)?;
        let report =
            FullDocumentDiagnosticReport { items: self.diagnostics(&uri), result_id: None };
        Ok(DocumentDiagnosticReport::RelatedFullDocumentDiagnosticReport(
            RelatedFullDocumentDiagnosticReport {
                full_document_diagnostic_report: report,
                related_documents: None,
            },
        ))
    }

    /// `textDocument/codeAction`.
    pub(super) fn code_actions(
        &mut self,
        params: CodeActionParams,
    ) -> Result<Option<Vec<CodeActionResponse>>, RequestError> {
        let uri = params.text_document.uri.0;
        let analysis = self.analysis(&uri)?;
        let effective_config = self.effective_config(&uri);
        let document = self.document(&uri)?;
        let lines = Lines::new(&document.text, self.capabilities.encoding);
        let builder = ActionBuilder {
            document,
            lines: &lines,
            configuration: &effective_config,
            diagnostic_options: self.diagnostic_options(&uri, &effective_config),
            is_versioned: self.capabilities.has_versioned_edits,
            only: params.context.only.as_deref(),
        };
        let actions = match &*analysis {
            Analysis::Domain(findings) => {
                let range = lines.offset(params.range.start)..lines.offset(params.range.end);
                builder.for_domain(findings, &range)
            }
            Analysis::Foreign => builder.for_foreign_document(),
            Analysis::Unreadable(..) | Analysis::Failed(_) => Vec::new(),
        };
        if !actions.is_empty() {
            self.warn_of_form(&effective_config);
        }
        Ok(Some(actions.into_iter().map(CodeActionResponse::CodeAction).collect()))
    }

    /// `textDocument/hover`: the pages of the findings at the cursor and of a rule named in a
    /// suppression there, else the documentation of the element or attribute.
    pub(super) fn hover(&mut self, params: HoverParams) -> Result<Option<Hover>, RequestError> {
        let params = params.text_document_position_params;
        let uri = params.text_document.uri.0;
        let analysis = self.analysis(&uri)?;
        let effective_config = self.effective_config(&uri);
        let document = self.document(&uri)?;
        let markup = self.capabilities.hover;
        let lines = Lines::new(&document.text, self.capabilities.encoding);
        let offset = lines.offset(params.position);
        let hover_at = |span, value| {
            let kind = match markup {
                Markup::Markdown => MarkupKind::Markdown,
                Markup::Plain => MarkupKind::PlainText,
            };
            let contents = MarkupContent { kind, value }.into();
            Hover { contents, range: Some(lines.range(span)) }
        };
        let findings = match &*analysis {
            Analysis::Domain(findings) | Analysis::Unreadable(_, findings) => findings.as_slice(),
            Analysis::Foreign => return Ok(None),
            Analysis::Failed(_) => &[],
        };
        let mut findings_at_cursor: Vec<_> =
            findings.iter().filter(|finding| finding.span.contains(&offset)).collect();
        findings_at_cursor.sort_by_key(|finding| finding.span.len());
        let cursor_context = context_at(&document.text, offset);
        let name = suppression_completion::name_at(&document.text, offset, cursor_context.as_ref());
        let name_documentation = name.as_ref().and_then(|name| {
            suppression_completion::documentation(
                &document.text[name.clone()],
                &effective_config.rules.set().known,
                markup,
            )
        });
        let nearest = findings_at_cursor.first().map(|finding| finding.span.clone());
        if let Some(span) = nearest.or(name.filter(|_| name_documentation.is_some())) {
            findings_at_cursor.dedup_by_key(|finding| &finding.rule.id);
            let pages = hover::join_pages(
                findings_at_cursor
                    .iter()
                    .map(|finding| page(&finding.rule, markup))
                    .chain(name_documentation),
                markup,
            );
            return Ok(Some(hover_at(span, pages)));
        }
        let Some(cursor_context) = cursor_context else { return Ok(None) };
        let (Part::Name(span) | Part::Attribute(_, span) | Part::Value(_, span)) =
            &cursor_context.part;
        let documentation =
            hover::documentation(&cursor_context, &effective_config.rules.set().active, markup);
        Ok(documentation.map(|documentation| hover_at(span.clone(), documentation)))
    }

    /// `textDocument/completion`.
    pub(super) fn completion(
        &mut self,
        params: CompletionParams,
    ) -> Result<Option<CompletionResponse>, RequestError> {
        let params = params.text_document_position_params;
        let uri = params.text_document.uri.0;
        self.document(&uri)?;
        let effective_config = self.effective_config(&uri);
        let document = self.document(&uri)?;
        let lines = Lines::new(&document.text, self.capabilities.encoding);
        let rules = &effective_config.rules.set();
        let offset = lines.offset(params.position);
        let cursor_context = context_at(&document.text, offset);
        let name = suppression_completion::name_at(&document.text, offset, cursor_context.as_ref());
        let (span, suggestions) = match (name, &cursor_context) {
            (Some(name), _) => (name, suppression_completion::names(&rules.known)),
            (None, Some(cursor_context)) => match &cursor_context.part {
                Part::Value(_, span) => {
                    (span.clone(), hover::suggestions(cursor_context, &rules.active))
                }
                Part::Name(_) | Part::Attribute(..) => return Ok(Some(Vec::new().into())),
            },
            (None, None) => return Ok(Some(Vec::new().into())),
        };
        let range = lines.range(span);
        let items = suggestions.into_iter().enumerate().map(|(index, suggestion)| {
            let detail = suggestion.detail;
            CompletionItem {
                label: suggestion.value.clone(),
                kind: Some(CompletionItemKind::Value),
                detail: if detail.is_empty() { None } else { Some(detail) },
                // Keeps the server's order.
                sort_text: Some(format!("{index:03}")),
                text_edit: Some(TextEdit { range, new_text: suggestion.value }.into()),
                ..CompletionItem::default()
            }
        });
        Ok(Some(items.collect::<Vec<_>>().into()))
    }

    /// `workspace/executeCommand`.
    pub(super) fn execute(
        &mut self,
        params: ExecuteCommandParams,
    ) -> Result<Option<Value>, RequestError> {
        if params.command != FIX_COMMAND {
            return Err(RequestError::UnknownCommand(params.command));
        }
        let arguments = params.arguments.unwrap_or_default();
        let uri = arguments.first().and_then(Value::as_str).unwrap_or("");
        self.document(uri)?;
        let configuration = self.effective_config(uri);
        let Some(document) = self.documents.get_mut(uri) else { return Ok(None) };
        document.mark_as_named();
        let analysis = document.analysis(&configuration);
        let lines = Lines::new(&document.text, self.capabilities.encoding);
        let is_versioned = self.capabilities.has_versioned_edits;
        let edit = document
            .fix_edits_as_named(&configuration)
            .map(|edits| workspace_edit(document, edits, &lines, is_versioned));
        document.invalidate();
        match (&*analysis, edit) {
            (_, Some(edit)) => {
                self.warn_of_form(&configuration);
                self.request::<ApplyWorkspaceEditRequest>(ApplyWorkspaceEditParams {
                    label: Some("Fix this domain for GVT-g".to_owned()),
                    edit,
                    metadata: None,
                });
            }
            (Analysis::Domain(_), None) => self.show_message(
                MessageType::Info,
                "gvtg-xml: this domain has nothing that can be fixed safely",
            ),
            (Analysis::Unreadable(error, _), None) => {
                self.show_message(MessageType::Error, format!("gvtg-xml: {}", error.message));
            }
            (Analysis::Foreign, None) => self.show_message(
                MessageType::Error,
                "gvtg-xml: this is not a libvirt domain: the root element is not <domain>",
            ),
            (Analysis::Failed(panic), None) => {
                self.show_message(MessageType::Error, panic.to_string());
            }
        }
        if self.capabilities.refreshes_diagnostics {
            self.request::<DiagnosticRefreshRequest>(());
        }
        Ok(None)
    }
}
