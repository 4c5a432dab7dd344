//! gvtg-xml's engine for browsers: takes texts and settings and returns JSON. All work is done by
//! the library; this crate converts positions and names for the page.
//!
//! - `places`: byte offsets as editor positions. `settings`: settings from names and values. `check`:
//!   findings and the fixed text.
//! - `host`: the host's files. `question`: explanations of messages. `rule`: the rules' pages.

use wasm_bindgen::prelude::wasm_bindgen;

mod check;
mod host;
mod places;
mod question;
mod rule;
mod settings;

/// Returns the findings in a domain with their edits, and the text after all permitted fixes; see
/// [`check::check`]. `settings` is a JSON object.
#[wasm_bindgen]
pub fn check(text: &str, settings: &str) -> String {
    check::check(text, settings).to_string()
}

/// Returns the report of `gvtg-xml lint --format json`, byte for byte. Invalid settings are
/// ignored.
#[wasm_bindgen]
pub fn report(name: &str, text: &str, settings: &str) -> String {
    check::report(name, text, settings)
}

/// Decodes the bytes of a file; returns `{"text"}`, or `{"error": {"message", "help"}}` if they are
/// not UTF-8.
#[wasm_bindgen]
pub fn decode(bytes: &[u8]) -> String {
    check::decode(bytes).to_string()
}

/// Returns the host's files for a fixed domain; see [`host::files`]. `options` is a JSON object.
#[wasm_bindgen]
pub fn files(text: &str, settings: &str, options: &str) -> String {
    host::files(text, settings, options).to_string()
}

/// Explains a message or a log, or searches for a topic; see [`question::explain`].
#[wasm_bindgen]
pub fn explain(question: &str) -> String {
    question::explain(question).to_string()
}

/// Returns all rules; see [`rule::all`].
#[wasm_bindgen]
pub fn rules() -> String {
    rule::all().to_string()
}

/// Returns one rule, or `null`.
#[wasm_bindgen]
pub fn rule(id: &str) -> String {
    rule::by_id(id).to_string()
}
