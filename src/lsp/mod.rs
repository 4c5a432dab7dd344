//! The language server. Only this module deals with the Language Server Protocol.
//!
//! ```text
//! stdin ─ transport ─▶ messages ─ server ─▶ documents ─ lint, fix
//!     ─▶ analyses ─ diagnostics, actions, hover ─▶ messages ─ transport ─▶ stdout
//! ```
//!
//! - `transport`: messages of [`lsp_server`], on a stream. `positions`: positions and byte offsets.
//!   The protocol's structures are those of [`gen_lsp_types`].
//! - `configuration`: the editor's settings. `settings`: the effective configuration of each
//!   document. `uri`: file URIs. `document`: an open document and its analysis. `panics`: catches
//!   panics.
//! - `diagnostics` and `actions`: findings, and the fixes and suppressions for them. `context`,
//!   `hover` and `suppression_completion`: documentation and completions at the cursor.
//! - `server`: the state of the session. `handlers`: requests about a document. `notifications`:
//!   changes of documents and settings. `capabilities`: what client and server can do.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use lsp_server::{Message, Notification, RequestId};
use serde::Deserialize;

mod actions;
mod capabilities;
mod configuration;
mod context;
mod diagnostics;
mod document;
mod edits;
mod element_docs;
mod error;
mod handlers;
mod hover;
mod kept_findings;
mod notifications;
mod panics;
mod positions;
mod server;
mod settings;
mod suppression_completion;
mod transport;
mod uri;

pub use configuration::Configure;
pub use error::SessionError;
use server::Server;
pub use server::SessionEnd;
use transport::Incoming;

/// Runs the server until the client exits or disconnects.
///
/// # Errors
/// Returns an error for an invalid configuration, or if the client speaks another protocol.
pub fn serve(
    input: impl BufRead + Send + 'static,
    mut output: impl Write,
    configure: &Configure<'_>,
) -> Result<SessionEnd, SessionError> {
    let mut server = Server::new(configure).map_err(SessionError::Configuration)?;
    let incoming = read_ahead(input);
    let mut queue: VecDeque<io::Result<Incoming>> = VecDeque::new();
    loop {
        if queue.is_empty() {
            match incoming.recv() {
                Ok(message) => queue.push_back(message),
                Err(_) => return Ok(SessionEnd::Abrupt),
            }
        }
        // Read all waiting messages before handling the next one, so that cancelled requests are
        // not computed and only the last of several changes is checked.
        queue.extend(incoming.try_iter());
        let written = match queue.pop_front() {
            Some(Ok(Incoming::Message(message))) => {
                match message {
                    Message::Request(request) if is_cancelled(&request.id, &queue) => {
                        server.cancel(request.id);
                    }
                    message => server.handle(message),
                }
                Ok(())
            }
            Some(Ok(Incoming::Malformed(error))) => {
                transport::write_parse_error(&mut output, &error)
            }
            Some(Err(error)) => return Err(SessionError::Input(error)),
            None => Ok(()),
        };
        if queue.is_empty() {
            queue.extend(incoming.try_iter());
        }
        if queue.is_empty() {
            server.publish();
        }
        let mut outgoing = server.take_outgoing().into_iter();
        if written
            .and_then(|()| outgoing.try_for_each(|message| message.write(&mut output)))
            .is_err()
        {
            return Ok(SessionEnd::Abrupt);
        }
        if let Some(end) = server.session_end() {
            return Ok(end);
        }
    }
}

/// Reads messages in a thread of its own, which ends with the input.
fn read_ahead(mut input: impl BufRead + Send + 'static) -> Receiver<io::Result<Incoming>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        while let Some(message) = transport::read(&mut input).transpose() {
            let is_last = message.is_err();
            if sender.send(message).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// Whether the queue cancels this request.
fn is_cancelled(id: &RequestId, queue: &VecDeque<io::Result<Incoming>>) -> bool {
    queue.iter().flatten().any(|incoming| match incoming {
        Incoming::Message(Message::Notification(notification)) => {
            cancelled_request(notification).as_ref() == Some(id)
        }
        _ => false,
    })
}

/// The request that a notification cancels, if it does.
fn cancelled_request(notification: &Notification) -> Option<RequestId> {
    if notification.method != "$/cancelRequest" {
        return None;
    }
    RequestId::deserialize(notification.params.get("id")?).ok()
}
