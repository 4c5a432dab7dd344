//! gvtg-xml's engine for a browser: texts and settings in, JSON out. What is found, mended and
//! written is the library's; here it only gets the places and names by which a page shows it.
//!
//! - `places`: byte offsets as an editor counts. `wishes`: settings out of names and values.
//!   `check`: findings and the fixed text.
//! - `host`: the host's files. `question`: what a message means. `rule`: what is told of a rule.

use wasm_bindgen::prelude::wasm_bindgen;

mod check;
mod host;
mod places;
mod question;
mod rule;
mod wishes;

/// Findings in a domain with their edits, and the text with all mended that may be, as
/// [`check::check`] says; `settings` is a JSON object.
#[wasm_bindgen]
pub fn check(text: &str, settings: &str) -> String {
    check::check(text, settings).to_string()
}

/// The report of `gvtg-xml lint --format json`, byte for byte. Settings that can't be used are left
/// out.
#[wasm_bindgen]
pub fn report(name: &str, text: &str, settings: &str) -> String {
    check::report(name, text, settings)
}

/// The text of a file; `{"text"}`, or `{"error": {"message", "help"}}` for bytes that are not
/// UTF-8.
#[wasm_bindgen]
pub fn decode(bytes: &[u8]) -> String {
    check::decode(bytes).to_string()
}

/// The host's files for a fixed domain, as [`host::files`] says; `options` is a JSON object.
#[wasm_bindgen]
pub fn files(text: &str, settings: &str, options: &str) -> String {
    host::files(text, settings, options).to_string()
}

/// What is known of a message, a log, or what somebody looks for, as [`question::explain`] says.
#[wasm_bindgen]
pub fn explain(question: &str) -> String {
    question::explain(question).to_string()
}

/// What is told of each rule, as [`rule::all`] says.
#[wasm_bindgen]
pub fn rules() -> String {
    rule::all().to_string()
}

/// What is told of one rule, or `null`.
#[wasm_bindgen]
pub fn rule(id: &str) -> String {
    rule::one(id).to_string()
}
