//! The answers to requests about an open document.

use serde_json::{Value, json};

use super::actions;
use super::context::{Part, spot};
use super::document::Analysis;
use super::hover;
use super::jsonrpc::{ResponseError, code};
use super::protocol::{AtPosition, Command, CompletionItem, ForRange, TextEdit};
use super::server::{Answer, FIX_COMMAND, Server, blame, internal};
use super::suppression_completion;
use super::text::Lines;
use crate::rules::docs::{Markup, page};

impl Server<'_> {
    /// `textDocument/codeAction`.
    pub(super) fn code_actions(&mut self, asked: ForRange) -> Answer {
        let (view, in_force) =
            (self.view(&asked.text_document.uri)?, self.in_force(&asked.text_document.uri));
        let document = self.document(&asked.text_document.uri)?;
        let (only, client) = (asked.context.only.as_deref(), self.abilities.client);
        let actions = match &*view {
            Analysis::Domain(_) => {
                let style = self.style(&document.uri, &in_force);
                actions::all(document, asked.range, only, &in_force, client, style)
            }
            Analysis::Foreign => actions::of_foreign(document, only, &in_force, client),
            Analysis::Unreadable(..) | Analysis::Failed(_) => Ok(Vec::new()),
        };
        let actions = actions.map_err(internal)?;
        if !actions.is_empty() {
            self.warn_of_form(&in_force);
        }
        Ok(json!(actions))
    }

    /// `textDocument/hover`: the pages of the findings there and of a rule that is named to be
    /// ignored, else what the element or attribute means.
    pub(super) fn hover(&mut self, asked: &AtPosition) -> Answer {
        let (view, in_force) =
            (self.view(&asked.text_document.uri)?, self.in_force(&asked.text_document.uri));
        let document = self.document(&asked.text_document.uri)?;
        let (markup, lines) =
            (self.abilities.hover, Lines::new(&document.text, self.abilities.client.encoding));
        let offset = lines.offset(asked.position);
        let contents = |text: String| {
            let kind = if markup == Markup::Markdown { "markdown" } else { "plaintext" };
            json!({ "kind": kind, "value": text })
        };
        let found = match &*view {
            Analysis::Domain(found) | Analysis::Unreadable(_, found) => found.as_slice(),
            Analysis::Foreign => return Ok(Value::Null),
            Analysis::Failed(_) => &[],
        };
        let mut here: Vec<_> =
            found.iter().filter(|finding| finding.span.contains(&offset)).collect();
        here.sort_by_key(|finding| finding.span.len());
        let spot = spot(&document.text, offset);
        let name = suppression_completion::name_at(&document.text, offset, spot.as_ref());
        let named = name.as_ref().and_then(|name| {
            suppression_completion::meaning(
                &document.text[name.clone()],
                &in_force.rules.known,
                markup,
            )
        });
        let nearest = here.first().map(|nearest| nearest.span.clone());
        if let Some(span) = nearest.or(name.filter(|_| named.is_some())) {
            let range = lines.range(span);
            here.dedup_by_key(|finding| &finding.rule.id);
            let pages = hover::joined(
                here.iter().map(|finding| page(finding.rule, markup)).chain(named),
                markup,
            );
            return Ok(json!({ "contents": contents(pages), "range": range }));
        }
        let Some(spot) = spot else { return Ok(Value::Null) };
        let (Part::Name(span) | Part::Attribute(_, span) | Part::Value(_, span)) = &spot.part;
        let meaning = hover::meaning(&spot, &in_force.rules.active, markup);
        Ok(meaning.map_or(
            Value::Null,
            |meaning| json!({ "contents": contents(meaning), "range": lines.range(span.clone()) }),
        ))
    }

    /// `textDocument/completion`.
    pub(super) fn completion(&mut self, asked: &AtPosition) -> Answer {
        self.document(&asked.text_document.uri)?;
        let in_force = self.in_force(&asked.text_document.uri);
        let document = self.document(&asked.text_document.uri)?;
        let lines = Lines::new(&document.text, self.abilities.client.encoding);
        let (rules, offset) = (&in_force.rules, lines.offset(asked.position));
        let spot = spot(&document.text, offset);
        let (span, suggestions) =
            match (suppression_completion::name_at(&document.text, offset, spot.as_ref()), &spot) {
                (Some(name), _) => (name, suppression_completion::names(&rules.known)),
                (None, Some(spot)) => match &spot.part {
                    Part::Value(_, span) => (span.clone(), hover::suggestions(spot, &rules.active)),
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
    pub(super) fn execute(&mut self, asked: &Command) -> Answer {
        if asked.command != FIX_COMMAND {
            return Err(ResponseError::new(
                code::INVALID_PARAMS,
                format!("unknown command {}", asked.command),
            ));
        }
        let uri = asked.arguments.first().and_then(Value::as_str).unwrap_or("");
        self.document(uri)?;
        let (configuration, client) = (self.in_force(uri), self.abilities.client);
        let Some(document) = self.documents.get_mut(uri) else { return Ok(Value::Null) };
        document.mark_as_named();
        let view = document.view(&configuration);
        let edit = actions::of_named(document, &configuration, client).map_err(internal)?;
        document.forget();
        match (&*view, edit) {
            (_, Some(edit)) => {
                self.warn_of_form(&configuration);
                self.ask(
                    "workspace/applyEdit",
                    json!({ "label": "Fix this domain for GVT-g", "edit": edit }),
                );
            }
            (Analysis::Domain(_), None) => {
                self.show(3, "gvtg-xml: this domain has nothing that can be fixed safely")
            }
            (Analysis::Unreadable(error, _), None) => {
                self.show(1, &format!("gvtg-xml: {}", error.message))
            }
            (Analysis::Foreign, None) => self.show(
                1,
                "gvtg-xml: this is not a libvirt domain: the root element is not <domain>",
            ),
            (Analysis::Failed(fault), None) => self.show(1, &blame(fault)),
        }
        if self.abilities.refreshes {
            self.ask("workspace/diagnostic/refresh", Value::Null);
        }
        Ok(Value::Null)
    }
}
