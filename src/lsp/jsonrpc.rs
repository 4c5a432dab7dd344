//! Reads and writes JSON-RPC 2.0 messages with a `Content-Length` header.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Error codes of JSON-RPC and LSP.
pub mod code {
    /// The message is not valid JSON.
    pub const PARSE_ERROR: i32 = -32700;
    /// The message is not allowed at this point of the session.
    pub const INVALID_REQUEST: i32 = -32600;
    /// The method is unknown.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// The parameters are missing or invalid.
    pub const INVALID_PARAMS: i32 = -32602;
    /// The server failed.
    pub const INTERNAL_ERROR: i32 = -32603;
    /// A request arrived before `initialize`.
    pub const NOT_INITIALIZED: i32 = -32002;
    /// The client cancelled the request.
    pub const CANCELLED: i32 = -32800;
}

/// A message in either direction: a request has `id` and `method`, a notification only `method`, a
/// response only `id`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Message {
    /// The id that links a response to its request: a number or a string; null if a request
    /// couldn't be read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub id: Option<Value>,
    /// The method of a request or notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The parameters.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub params: Value,
    /// The result of a successful request, which can be null.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub result: Option<Value>,
    /// The error of a failed request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ResponseError>,
}

/// The error of a failed request.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ResponseError {
    /// An error code from [`code`].
    pub code: i32,
    /// The message.
    pub message: String,
}

/// Distinguishes an explicit null from a missing field.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Message {
    /// Creates a request.
    pub fn request(id: impl Into<Value>, method: &str, params: Value) -> Self {
        Message { id: Some(id.into()), method: Some(method.into()), params, ..Message::default() }
    }

    /// Creates a notification.
    pub fn notification(method: &str, params: Value) -> Self {
        Message { method: Some(method.into()), params, ..Message::default() }
    }

    /// Creates the response to a request.
    pub fn response(id: Value, outcome: Result<Value, ResponseError>) -> Self {
        let (result, error) = match outcome {
            Ok(result) => (Some(result), None),
            Err(error) => (None, Some(error)),
        };
        Message { id: Some(id), result, error, ..Message::default() }
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        self.id.is_some() && self.method.is_some()
    }

    /// Whether this is a notification with this method.
    pub fn is_notification(&self, method: &str) -> bool {
        self.id.is_none() && self.method.as_deref() == Some(method)
    }
}

impl ResponseError {
    /// Creates an error; `code` is one of [`code`].
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        ResponseError { code, message: message.into() }
    }
}

/// Reads the next message; returns `None` at the end of the input. A body that is not a message is
/// an inner error, after which reading can continue.
///
/// # Errors
/// Returns an error if the input can't be read, or if the headers have no valid length: then the
/// next message can't be found.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Result<Message, ResponseError>>> {
    let malformed = |reason: &str| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("not a Language Server Protocol message: {reason}"),
        )
    };
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        // Headers are short. The limit rejects clients that speak another protocol early.
        input.take(4096).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return if length.is_none() {
                Ok(None)
            } else {
                Err(malformed("the input ends within the headers"))
            };
        }
        let header =
            line.strip_suffix(b"\r\n").ok_or_else(|| malformed("a header without CRLF"))?;
        if header.is_empty() {
            break;
        }
        let header = String::from_utf8_lossy(header);
        let (name, value) =
            header.split_once(':').ok_or_else(|| malformed("a header without a colon"))?;
        if name.trim().eq_ignore_ascii_case("content-length") {
            length = Some(
                value
                    .trim()
                    .parse::<u64>()
                    .map_err(|_| malformed("Content-Length is not a number"))?,
            );
        }
    }
    let length = length.ok_or_else(|| malformed("Content-Length is missing"))?;
    let mut body = Vec::new();
    // No capacity is reserved, so that an incorrect Content-Length can't exhaust the memory.
    if input.take(length).read_to_end(&mut body)? as u64 != length {
        return Err(malformed("the input ends within the body"));
    }
    Ok(Some(
        serde_json::from_slice(&body)
            .map_err(|error| ResponseError::new(code::PARSE_ERROR, error.to_string())),
    ))
}

/// Writes a message and flushes the output.
///
/// # Errors
/// Returns an error if the output can't be written.
pub fn write(output: &mut impl Write, message: &Message) -> io::Result<()> {
    #[derive(Serialize)]
    struct Body<'m> {
        jsonrpc: &'static str,
        #[serde(flatten)]
        message: &'m Message,
    }
    let body =
        serde_json::to_string(&Body { jsonrpc: "2.0", message }).map_err(io::Error::other)?;
    output.write_all(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_all(bytes: &[u8]) -> Vec<Result<Message, String>> {
        let mut input = bytes;
        let mut messages = Vec::new();
        loop {
            match read(&mut input) {
                Ok(None) => return messages,
                Ok(Some(message)) => messages
                    .push(message.map_err(|error| format!("{} {}", error.code, error.message))),
                Err(error) => {
                    messages.push(Err(error.to_string()));
                    return messages;
                }
            }
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let messages = [
            Message::request("a", "b/c", json!({ "text": "ü\n" })),
            Message::notification("exit", Value::Null),
            Message::response(json!(7), Ok(Value::Null)),
            Message::response(json!("x"), Err(ResponseError::new(code::CANCELLED, "no"))),
        ];
        let mut bytes = Vec::new();
        for message in &messages {
            write(&mut bytes, message).unwrap();
        }
        assert_eq!(read_all(&bytes), messages.map(Ok));
        assert!(
            String::from_utf8(bytes)
                .unwrap()
                .contains("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":null}")
        );
    }

    #[test]
    fn continues_after_an_invalid_body() {
        let bytes = b"content-length:3\r\n\r\nx{}Content-Type: x\r\nContent-Length: 18\r\n\r\n{\"method\": \"exit\"}";
        let messages = read_all(bytes);
        assert!(messages[0].as_ref().unwrap_err().starts_with("-32700 "), "{messages:?}");
        assert_eq!(messages[1], Ok(Message::notification("exit", Value::Null)));
    }

    #[test]
    fn stops_at_headers_without_a_length() {
        for (bytes, reason) in [
            (&b"Content-Length: x\r\n\r\n{}"[..], "not a number"),
            (b"Content-Length: 2\n\n{}", "without CRLF"),
            (b"\r\n{}", "Content-Length is missing"),
            (b"Content-Length: 99\r\n\r\n{}", "ends within the body"),
            (b"Content-Length: 99\r\n", "ends within the headers"),
            (b"hello\r\n", "without a colon"),
        ] {
            let messages = read_all(bytes);
            assert!(messages[0].as_ref().unwrap_err().contains(reason), "{messages:?}");
        }
    }
}
