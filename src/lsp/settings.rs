//! What a session's settings and configurations do to it: what holds for each document, and what is
//! told where something is wrong in them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::configuration::SECTION;
use super::diagnostics;
use super::document::{Document, is_virsh_edit};
use super::jsonrpc::Message;
use super::server::Server;
use super::text::Lines;
use super::uri::{of_path, to_path};
use crate::config::{EffectiveConfig, LoadError};
use crate::host::{Root, installed};
use crate::settings::Settings;

impl Server<'_> {
    /// Takes in the settings that came with `initialize`.
    pub(super) fn configure_first(&mut self) {
        if !self.first_settings.is_empty() {
            self.change_settings(&Map::new());
        }
    }

    /// Takes the editor's settings over those that came first; where one doesn't fit, what held
    /// before goes on to hold.
    pub(super) fn change_settings(&mut self, settings: &Map<String, Value>) {
        let mut all = self.first_settings.clone();
        all.extend(settings.clone());
        match (self.configure)(&all) {
            Ok(live) => {
                self.live = live;
                self.invalidate_all();
            }
            Err(message) => self.show(1, &format!("gvtg-xml: invalid editor settings: {message}")),
        }
    }

    /// Looks at all documents anew if a configuration has changed.
    pub(super) fn refresh(&mut self) {
        if self.live.refresh() {
            self.invalidate_all();
        }
    }

    fn invalidate_all(&mut self) {
        for uri in std::mem::take(&mut self.marked) {
            let params = json!({ "uri": uri, "diagnostics": [] });
            self.outgoing.push(Message::notification("textDocument/publishDiagnostics", params));
        }
        self.documents.values_mut().for_each(Document::forget_configuration);
        if self.abilities.refreshes {
            self.ask("workspace/diagnostic/refresh", Value::Null);
        }
    }

    /// What is in force for a document.
    pub(super) fn in_force(&mut self, uri: &str) -> Arc<EffectiveConfig> {
        if let Some(known) = self.documents.get(uri).and_then(|document| document.in_force.clone())
        {
            return known;
        }
        let in_force = for_virsh_edit(self.live.find(to_path(uri).as_deref()), uri);
        if let Some(document) = self.documents.get_mut(uri) {
            document.in_force = Some(in_force.clone());
        }
        for failure in self.live.take_failures() {
            self.publish_config_error(&failure);
        }
        in_force
    }

    /// Warns if fixes are written in a form that this machine's libvirt does not read, once per
    /// session for each release that they are written for.
    pub(super) fn warn_of_form(&mut self, in_force: &EffectiveConfig) {
        let version = in_force.settings.libvirt;
        if self.warned_of.contains(&version) {
            return;
        }
        if let Some(warning) = installed::form_warning(&Root::default(), version) {
            self.warned_of.push(version);
            self.show(2, &format!("gvtg-xml: {warning}, or set \"libvirt\" to \"installed\" in the editor's settings"));
        }
    }

    /// Tells what is wrong in a configuration: in a message, and where it stands.
    fn publish_config_error(&mut self, failure: &LoadError) {
        let lines = failure.lines();
        let more = if lines.len() > 1 {
            format!(" (and {} more)", lines.len() - 1)
        } else {
            String::new()
        };
        let what = lines.first().cloned().unwrap_or_default();
        self.show(1, &format!("gvtg-xml: {what}{more}; until this is fixed, the previous configuration stays in effect"));
        let LoadError::Wrong { path, text, errors } = failure else { return };
        let uri = of_path(&path.canonicalize().unwrap_or_else(|_| path.clone()));
        let lines = Lines::new(text, self.abilities.client.encoding);
        let diagnostics: Vec<_> =
            errors.iter().map(|error| diagnostics::of_configuration(error, &lines)).collect();
        let params = json!({ "uri": uri, "diagnostics": diagnostics });
        self.outgoing.push(Message::notification("textDocument/publishDiagnostics", params));
        self.marked.push(uri);
    }

    /// Asks the editor for its settings.
    pub(super) fn ask_settings(&mut self) {
        let id = self.ask("workspace/configuration", json!({ "items": [{ "section": SECTION }] }));
        self.asked_settings = Some(id);
    }

    /// Takes in what a request of the server's own was answered with.
    pub(super) fn handle_response(&mut self, id: &Value, result: Value) {
        if self.asked_settings.as_ref() == Some(id) {
            self.asked_settings = None;
            if let Some(settings) = result[0].as_object() {
                self.change_settings(&settings.clone());
            }
        }
    }
}

/// The settings in force for a document that `virsh edit` opens: this machine's libvirt will read
/// it, unless the user gives another.
fn for_virsh_edit(in_force: Arc<EffectiveConfig>, uri: &str) -> Arc<EffectiveConfig> {
    if in_force.has_libvirt || !is_virsh_edit(uri) {
        return in_force;
    }
    match installed::libvirt(&Root::default()) {
        Some(libvirt) => Arc::new(EffectiveConfig {
            settings: Settings { libvirt, ..in_force.settings.clone() },
            ..EffectiveConfig::clone(&in_force)
        }),
        None => in_force,
    }
}
