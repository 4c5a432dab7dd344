//! Reads and writes messages: [`lsp_server`], guarded against input that would end the session or
//! exhaust the memory.

use std::io::{self, BufRead, Read, Write};

use lsp_server::{ErrorCode, Message};
use serde_json::json;

/// Maximum size of a message's headers in bytes. They are short; the limit rejects clients that
/// speak another protocol early.
const MAX_HEADER_SIZE: u64 = 4096;

/// Maximum length of the reason in a response, in characters: lsp-server quotes the whole message.
const MAX_REASON_LENGTH: usize = 200;

/// What a client has sent.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// A body that is not a message, and why. The next message can be read.
    Malformed(io::Error),
}

/// Reads the next message; `None` at the end of the input.
///
/// [`Message::read`] on its own ends the session at a body that it cannot read, and allocates
/// whatever `Content-Length` claims. It therefore only gets messages that have arrived completely.
///
/// # Errors
/// Returns an error if the input can't be read, or if the headers are invalid: then the next
/// message can't be found.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let mut frame = read_header(input)?;
    let Some(length) = content_length(&frame) else {
        return Ok(Message::read(&mut frame.as_slice())?.map(Incoming::Message));
    };
    // No capacity is reserved, so that an incorrect Content-Length can't exhaust the memory.
    if input.take(length).read_to_end(&mut frame)? as u64 != length {
        return Err(invalid_data("the input ends within a message"));
    }
    match Message::read(&mut frame.as_slice()) {
        Ok(message) => Ok(message.map(Incoming::Message)),
        Err(error) => Ok(Some(Incoming::Malformed(error))),
    }
}

/// Reads the headers with the empty line after them, or less at the end of the input.
fn read_header(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    let mut lines = input.take(MAX_HEADER_SIZE);
    while header != b"\r\n" && !header.ends_with(b"\r\n\r\n") {
        if lines.read_until(b'\n', &mut header)? == 0 {
            if lines.limit() == 0 {
                return Err(invalid_data("the headers of a message are too long"));
            }
            break;
        }
    }
    Ok(header)
}

/// The length of the body; `None` if a header is invalid or missing, which [`Message::read`]
/// reports.
fn content_length(header: &[u8]) -> Option<u64> {
    let lines = std::str::from_utf8(header).ok()?.strip_suffix("\r\n\r\n")?;
    let mut length = None;
    for line in lines.split("\r\n") {
        let (name, value) = line.split_once(": ")?;
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse().ok()?);
        }
    }
    length
}

fn invalid_data(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Writes the response to a body that is not a message. JSON-RPC requires an id of null, for which
/// [`lsp_server::Response`] has no place.
///
/// # Errors
/// Returns an error if the output can't be written.
pub fn write_parse_error(output: &mut impl Write, reason: &io::Error) -> io::Result<()> {
    let reason: String = reason.to_string().chars().take(MAX_REASON_LENGTH).collect();
    let error = json!({ "code": ErrorCode::ParseError as i32, "message": reason });
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads all messages, as their method or the reason why they can't be read.
    fn read_all(mut input: &[u8]) -> Vec<Result<String, String>> {
        let mut messages = Vec::new();
        loop {
            messages.push(match read(&mut input) {
                Ok(None) => return messages,
                Ok(Some(Incoming::Message(Message::Notification(message)))) => Ok(message.method),
                Ok(Some(Incoming::Message(message))) => Ok(format!("{message:?}")),
                Ok(Some(Incoming::Malformed(error))) => Err(error.to_string()),
                Err(error) => {
                    messages.push(Err(format!("fatal: {error}")));
                    return messages;
                }
            });
        }
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn continues_after_an_invalid_body() {
        let exit = framed("{\"method\": \"exit\"}");
        let surrogate = "{\"method\": \"x\", \"params\": \"\\ud800\"}";
        for body in ["x{}", "{}", "[]", "[{\"method\": \"a\"}, {\"method\": \"b\"}]", surrogate] {
            let messages = read_all(format!("{}{exit}", framed(body)).as_bytes());
            assert!(messages.len() == 2 && messages[0].is_err(), "{body}: {messages:?}");
            assert_eq!(messages[1], Ok("exit".to_owned()), "{body}");
        }
        let mut bytes = framed("\u{e9}\u{e9}").into_bytes();
        let last = bytes.len() - 1;
        bytes[last] = 0xff;
        bytes.extend(exit.as_bytes());
        assert_eq!(read_all(&bytes)[1], Ok("exit".to_owned()), "not UTF-8");
    }

    #[test]
    fn reads_headers_in_any_order_and_case() {
        let bytes = b"Content-Type: x\r\ncontent-length: 18\r\n\r\n{\"method\": \"exit\"}";
        assert_eq!(read_all(bytes), [Ok("exit".to_owned())]);
    }

    #[test]
    fn stops_at_invalid_headers() {
        let endless = "x".repeat(5000);
        let many = "a: b\r\n".repeat(1000);
        for (bytes, reason) in [
            ("Content-Length: x\r\n\r\n{}", "invalid digit"),
            ("Content-Length: -1\r\n\r\n{}", "invalid digit"),
            ("Content-Length: 2\n\n{}", "malformed header"),
            ("Content-Length: 99999999999999999999999999\r\n\r\n{}", "number too large"),
            ("\r\n{}", "no Content-Length"),
            ("Content-Length: 99\r\n\r\n{}", "ends within a message"),
            ("Content-Length: 18446744073709551615\r\n\r\n{}", "ends within a message"),
            ("hello\r\n", "malformed header"),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "malformed header"),
            (&endless, "too long"),
            (&many, "too long"),
        ] {
            let messages = read_all(bytes.as_bytes());
            let [Err(message)] = &messages[..] else { panic!("{bytes}: {messages:?}") };
            assert!(message.starts_with("fatal: ") && message.contains(reason), "{message}");
        }
    }

    #[test]
    fn ends_with_the_input() {
        for bytes in ["", "Content-Length: 99\r\n"] {
            assert_eq!(read_all(bytes.as_bytes()), [], "{bytes}");
        }
    }
}
