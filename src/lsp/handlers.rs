//! Handlers for requests about an open document.

use serde_json::{Value, json};

use super::actions;
use super::context::{Part, context_at};
use super::document::Analysis;
use super::hover;
use super::jsonrpc::{ResponseError, code};
use super::protocol::{
    CodeActionParams, CompletionItem, ExecuteCommandParams, PositionParams, TextEdit,
};
use super::server::{Answer, FIX_COMMAND, Server, crash_message, internal_error};
use super::suppression_completion;
use super::text::Lines;
use crate::rules::docs::{Markup, page};

impl Server<'_> {
    /// `textDocument/codeAction`.
    pub(super) fn code_actions(&mut self, params: CodeActionParams) -> Answer {
        let analysis = self.analysis(&params.text_document.uri)?;
        let effective_config = self.effective_config(&params.text_document.uri);
        let document = self.document(&params.text_document.uri)?;
        let only = params.context.only.as_deref();
        let client = self.capabilities.client;
        let actions = match &*analysis {
            Analysis::Domain(_) => {
                let style = self.style(&document.uri, &effective_config);
                actions::all(document, params.range, only, &effective_config, client, style)
            }
            Analysis::Foreign => {
                actions::for_foreign_document(document, only, &effective_config, client)
            }
            Analysis::Unreadable(..) | Analysis::Failed(_) => Ok(Vec::new()),
        };
        let actions = actions.map_err(internal_error)?;
        if !actions.is_empty() {
            self.warn_of_form(&effective_config);
        }
        Ok(json!(actions))
    }

    /// `textDocument/hover`: the pages of the findings at the cursor and of a rule named in a
    /// suppression there, else the documentation of the element or attribute.
    pub(super) fn hover(&mut self, params: &PositionParams) -> Answer {
        let analysis = self.analysis(&params.text_document.uri)?;
        let effective_config = self.effective_config(&params.text_document.uri);
        let document = self.document(&params.text_document.uri)?;
        let markup = self.capabilities.hover;
        let lines = Lines::new(&document.text, self.capabilities.client.encoding);
        let offset = lines.offset(params.position);
        let contents = |text: String| {
            let kind = if markup == Markup::Markdown { "markdown" } else { "plaintext" };
            json!({ "kind": kind, "value": text })
        };
        let findings = match &*analysis {
            Analysis::Domain(findings) | Analysis::Unreadable(_, findings) => findings.as_slice(),
            Analysis::Foreign => return Ok(Value::Null),
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
            let range = lines.range(span);
            findings_at_cursor.dedup_by_key(|finding| &finding.rule.id);
            let pages = hover::join_pages(
                findings_at_cursor
                    .iter()
                    .map(|finding| page(&finding.rule, markup))
                    .chain(name_documentation),
                markup,
            );
            return Ok(json!({ "contents": contents(pages), "range": range }));
        }
        let Some(cursor_context) = cursor_context else { return Ok(Value::Null) };
        let (Part::Name(span) | Part::Attribute(_, span) | Part::Value(_, span)) =
            &cursor_context.part;
        let documentation =
            hover::documentation(&cursor_context, &effective_config.rules.set().active, markup);
        Ok(documentation.map_or(
            Value::Null,
            |documentation| json!({ "contents": contents(documentation), "range": lines.range(span.clone()) }),
        ))
    }

    /// `textDocument/completion`.
    pub(super) fn completion(&mut self, params: &PositionParams) -> Answer {
        self.document(&params.text_document.uri)?;
        let effective_config = self.effective_config(&params.text_document.uri);
        let document = self.document(&params.text_document.uri)?;
        let lines = Lines::new(&document.text, self.capabilities.client.encoding);
        let rules = &effective_config.rules.set();
        let offset = lines.offset(params.position);
        let cursor_context = context_at(&document.text, offset);
        let (span, suggestions) = match (
            suppression_completion::name_at(&document.text, offset, cursor_context.as_ref()),
            &cursor_context,
        ) {
            (Some(name), _) => (name, suppression_completion::names(&rules.known)),
            (None, Some(cursor_context)) => match &cursor_context.part {
                Part::Value(_, span) => {
                    (span.clone(), hover::suggestions(cursor_context, &rules.active))
                }
                Part::Name(_) | Part::Attribute(..) => return Ok(json!([])),
            },
            (None, None) => return Ok(json!([])),
        };
        let range = lines.range(span);
        let items = suggestions.into_iter().enumerate().map(|(index, suggestion)| CompletionItem {
            label: suggestion.value.clone(),
            kind: 12,
            detail: suggestion.detail,
            sort_text: format!("{index:03}"),
            text_edit: TextEdit { range, new_text: suggestion.value },
        });
        Ok(json!(items.collect::<Vec<_>>()))
    }

    /// `workspace/executeCommand`.
    pub(super) fn execute(&mut self, params: &ExecuteCommandParams) -> Answer {
        if params.command != FIX_COMMAND {
            return Err(ResponseError::new(
                code::INVALID_PARAMS,
                format!("unknown command {}", params.command),
            ));
        }
        let uri = params.arguments.first().and_then(Value::as_str).unwrap_or("");
        self.document(uri)?;
        let (configuration, client) = (self.effective_config(uri), self.capabilities.client);
        let Some(document) = self.documents.get_mut(uri) else { return Ok(Value::Null) };
        document.mark_as_named();
        let analysis = document.analysis(&configuration);
        let edit =
            actions::fix_as_named(document, &configuration, client).map_err(internal_error)?;
        document.invalidate();
        match (&*analysis, edit) {
            (_, Some(edit)) => {
                self.warn_of_form(&configuration);
                self.send_request(
                    "workspace/applyEdit",
                    json!({ "label": "Fix this domain for GVT-g", "edit": edit }),
                );
            }
            (Analysis::Domain(_), None) => {
                self.show_message(3, "gvtg-xml: this domain has nothing that can be fixed safely")
            }
            (Analysis::Unreadable(error, _), None) => {
                self.show_message(1, &format!("gvtg-xml: {}", error.message))
            }
            (Analysis::Foreign, None) => self.show_message(
                1,
                "gvtg-xml: this is not a libvirt domain: the root element is not <domain>",
            ),
            (Analysis::Failed(panic), None) => self.show_message(1, &crash_message(panic)),
        }
        if self.capabilities.refreshes_diagnostics {
            self.send_request("workspace/diagnostic/refresh", Value::Null);
        }
        Ok(Value::Null)
    }
}
