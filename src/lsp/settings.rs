//! The effective configuration of each document, and how the session reacts to changed settings and
//! configurations.

use std::sync::Arc;

use gen_lsp_types::{
    ConfigurationItem, ConfigurationParams, ConfigurationRequest, DiagnosticRefreshRequest,
    MessageType,
};
use lsp_server::RequestId;
use serde_json::{Map, Value};

use super::configuration::SECTION;
use super::diagnostics;
use super::document::{Document, is_virsh_edit};
use super::positions::Lines;
use super::server::Server;
use super::uri::{from_path, to_path};
use crate::domain::Settings;
use crate::host::{Root, installed};
use crate::settings::config::{EffectiveConfig, LoadError};

impl Server<'_> {
    /// Applies the settings from `initialize`.
    pub(super) fn configure_first(&mut self) {
        if !self.initial_settings.is_empty() {
            self.change_settings(&Map::new());
        }
    }

    /// Applies the editor's settings on top of those from `initialize`. If one is invalid, the
    /// previous settings stay in effect.
    pub(super) fn change_settings(&mut self, settings: &Map<String, Value>) {
        let mut all = self.initial_settings.clone();
        all.extend(settings.clone());
        match (self.configure)(&all) {
            Ok(config_watcher) => {
                self.config_watcher = config_watcher;
                self.invalidate_all();
            }
            Err(error) => self.show_message(
                MessageType::Error,
                format!("gvtg-xml: invalid editor settings: {error}"),
            ),
        }
    }

    /// Drops all analyses if a configuration has changed.
    pub(super) fn refresh(&mut self) {
        if self.config_watcher.refresh() {
            self.invalidate_all();
        }
    }

    fn invalidate_all(&mut self) {
        for uri in std::mem::take(&mut self.config_error_uris) {
            self.publish_diagnostics(&uri, None, Vec::new());
        }
        self.documents.values_mut().for_each(Document::invalidate_configuration);
        if self.capabilities.refreshes_diagnostics {
            self.request::<DiagnosticRefreshRequest>(());
        }
    }

    /// Returns the effective configuration for a document.
    pub(super) fn effective_config(&mut self, uri: &str) -> Arc<EffectiveConfig> {
        if let Some(known) =
            self.documents.get(uri).and_then(|document| document.effective_config.clone())
        {
            return known;
        }
        let effective_config =
            for_virsh_edit(self.config_watcher.find(to_path(uri).as_deref()), uri);
        if let Some(document) = self.documents.get_mut(uri) {
            document.effective_config = Some(effective_config.clone());
        }
        for failure in self.config_watcher.take_failures() {
            self.publish_config_error(&failure);
        }
        effective_config
    }

    /// Warns if fixes use a form that the installed libvirt does not read; once per session and
    /// target release.
    pub(super) fn warn_of_form(&mut self, effective_config: &EffectiveConfig) {
        let version = effective_config.settings.libvirt;
        if self.warned_versions.contains(&version) {
            return;
        }
        if let Some(warning) = installed::form_warning(&Root::default(), version) {
            self.warned_versions.push(version);
            self.show_message(MessageType::Warning, format!("gvtg-xml: {warning}, or set \"libvirt\" to \"installed\" in the editor's settings"));
        }
    }

    /// Shows the errors in a configuration, as a message and as diagnostics in the file.
    fn publish_config_error(&mut self, failure: &LoadError) {
        let lines = failure.lines();
        let remaining = if lines.len() > 1 {
            format!(" (and {} more)", lines.len() - 1)
        } else {
            String::new()
        };
        let first_line = lines.first().cloned().unwrap_or_default();
        self.show_message(MessageType::Error, format!("gvtg-xml: {first_line}{remaining}; until this is fixed, the previous configuration stays in effect"));
        let LoadError::Invalid { path, text, errors } = failure else { return };
        let uri = from_path(&path.canonicalize().unwrap_or_else(|_| path.clone()));
        let lines = Lines::new(text, self.capabilities.encoding);
        let diagnostics: Vec<_> =
            errors.iter().map(|error| diagnostics::for_config_error(error, &lines)).collect();
        self.publish_diagnostics(&uri, None, diagnostics);
        self.config_error_uris.push(uri);
    }

    /// Requests the editor's settings.
    pub(super) fn request_settings(&mut self) {
        let item = ConfigurationItem { scope_uri: None, section: Some(SECTION.to_owned()) };
        let params = ConfigurationParams { items: vec![item] };
        self.settings_request = Some(self.request::<ConfigurationRequest>(params));
    }

    /// Handles the response to a request of the server.
    pub(super) fn handle_response(&mut self, id: &RequestId, result: &Value) {
        if self.settings_request.as_ref() == Some(id) {
            self.settings_request = None;
            if let Some(settings) = result[0].as_object() {
                self.change_settings(settings);
            }
        }
    }
}

/// Adapts the configuration for a document that `virsh edit` has opened: the installed libvirt will
/// read it, unless the user sets another release.
fn for_virsh_edit(effective_config: Arc<EffectiveConfig>, uri: &str) -> Arc<EffectiveConfig> {
    if effective_config.has_libvirt || !is_virsh_edit(uri) {
        return effective_config;
    }
    match installed::libvirt(&Root::default()) {
        Some(libvirt) => Arc::new(EffectiveConfig {
            settings: Settings { libvirt, ..effective_config.settings.clone() },
            ..EffectiveConfig::clone(&effective_config)
        }),
        None => effective_config,
    }
}
