//! The language server: the rules under the cursor. The only part that speaks the editors'
//! protocol.
//!
//! ```text
//! stdin ─ wire ─▶ messages ─ server ─▶ documents ─ lint, fix ─▶ views ─ diagnostics, actions, knowledge ─▶ messages ─ wire ─▶ stdout
//! ```
//!
//! - [`jsonrpc`]: JSON-RPC. [`protocol`]: the protocol's structures. [`text`]: places and byte
//!   offsets.
//! - [`configuration`]: the editor's settings; [`uri`]: documents' names and files. [`document`]:
//!   an open document and what is seen in it; [`catch_panic`]: where that fails.
//! - [`diagnostics`] and [`actions`]: findings and what can be done about them. [`context`] and
//!   [`hover`]: what is at the cursor.
//! - [`server`]: what is told unasked, and the session; `answers`: what is asked of a document;
//!   [`capabilities`]: what the client can do.

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

/// Serves a client until it says goodbye or is gone.
///
/// # Errors
/// A configuration that isn't one, or a client that speaks another protocol, in words for the user.
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
        // What has come meanwhile is known before anything is worked out: a cancelled request costs
        // nothing, and of many changes in a row the last one counts.
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
        for message in server.take() {
            if jsonrpc::write(&mut output, &message).is_err() {
                return Ok(Ended::Abruptly);
            }
        }
        if let Some(ended) = server.ended() {
            return Ok(ended);
        }
    }
}

/// The messages as they come, read in a thread of its own; it ends with the input.
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

/// Whether a request that waits was called off.
fn is_cancelled(request: &Message, queue: &VecDeque<Incoming>) -> bool {
    queue.iter().flatten().flatten().any(|message| {
        message.is_notification("$/cancelRequest")
            && message.params.get("id").is_some_and(|id| Some(id) == request.id.as_ref())
    })
}
