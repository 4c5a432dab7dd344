//! The language server. Only this module deals with the Language Server Protocol.
//!
//! ```text
//! stdin ─ jsonrpc ─▶ messages ─ server ─▶ documents ─ lint, fix
//!     ─▶ analyses ─ diagnostics, actions, hover ─▶ messages ─ jsonrpc ─▶ stdout
//! ```
//!
//! - [`jsonrpc`]: JSON-RPC messages. [`protocol`]: the protocol's structures. [`text`]: positions
//!   and byte offsets.
//! - [`configuration`]: the editor's settings. `settings`: the effective configuration of each
//!   document. [`uri`]: file URIs. [`document`]: an open document and its analysis.
//!   [`catch_panic`]: isolates panics.
//! - [`diagnostics`] and [`actions`]: findings, and the fixes and suppressions for them.
//!   [`context`], [`hover`] and `suppression_completion`: documentation and completions at the
//!   cursor.
//! - [`server`]: the state of the session, and notifications to the client. `handlers`: requests
//!   about a document. [`capabilities`]: the client's capabilities.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

pub mod actions;
pub mod capabilities;
pub mod catch_panic;
pub mod configuration;
pub mod context;
pub mod diagnostics;
pub mod document;
mod element_docs;
mod handlers;
pub mod hover;
pub mod jsonrpc;
pub mod protocol;
pub mod server;
mod settings;
mod suppression_completion;
pub mod text;
pub mod uri;

pub use configuration::Configure;
use jsonrpc::{Message, ResponseError};
pub use server::{Ended, Server};

type Incoming = std::io::Result<Result<Message, ResponseError>>;

/// Runs the server until the client exits or disconnects.
///
/// # Errors
/// Returns an error for an invalid configuration, or if the client speaks another protocol, as a
/// message for the user.
pub fn serve(
    input: impl BufRead + Send + 'static,
    mut output: impl Write,
    configure: &Configure<'_>,
) -> Result<Ended, String> {
    let mut server = Server::new(configure)?;
    let incoming = read_ahead(input);
    let mut queue: VecDeque<Incoming> = VecDeque::new();
    loop {
        if queue.is_empty() {
            match incoming.recv() {
                Ok(message) => queue.push_back(message),
                Err(_) => return Ok(Ended::Abruptly),
            }
        }
        // Read all waiting messages before handling the next one, so that cancelled requests are
        // not computed and only the last of several changes is checked.
        queue.extend(incoming.try_iter());
        match queue.pop_front() {
            Some(Ok(Ok(message))) if message.is_request() && is_cancelled(&message, &queue) => {
                server.cancel(message.id.unwrap_or(Value::Null));
            }
            Some(Ok(Ok(message))) => server.handle(message),
            Some(Ok(Err(error))) => server.refuse(error),
            Some(Err(error)) => return Err(error.to_string()),
            None => {}
        }
        if queue.is_empty() {
            queue.extend(incoming.try_iter());
        }
        if queue.is_empty() {
            server.publish();
        }
        for message in server.take_outgoing() {
            if jsonrpc::write(&mut output, &message).is_err() {
                return Ok(Ended::Abruptly);
            }
        }
        if let Some(ended) = server.ended() {
            return Ok(ended);
        }
    }
}

/// Reads messages in a thread of its own, which ends with the input.
fn read_ahead(mut input: impl BufRead + Send + 'static) -> Receiver<Incoming> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        while let Some(message) = jsonrpc::read(&mut input).transpose() {
            let is_last = message.is_err();
            if sender.send(message).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// Whether the queue cancels this request.
fn is_cancelled(request: &Message, queue: &VecDeque<Incoming>) -> bool {
    queue.iter().flatten().flatten().any(|message| {
        message.is_notification("$/cancelRequest")
            && message.params.get("id").is_some_and(|id| Some(id) == request.id.as_ref())
    })
}
