//! Messages as they go over the wire: JSON-RPC 2.0 behind a `Content-Length`.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the protocol's numbers mean.
pub mod code {
    /// What came is no JSON.
    pub const PARSE_ERROR: i32 = -32700;
    /// A message that can't come now.
    pub const INVALID_REQUEST: i32 = -32600;
    /// A request that this server doesn't know.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// A request that doesn't say what it must.
    pub const INVALID_PARAMS: i32 = -32602;
    /// A fault of this program.
    pub const INTERNAL_ERROR: i32 = -32603;
    /// A request before `initialize`.
    pub const NOT_INITIALIZED: i32 = -32002;
    /// The client wants no answer any more.
    pub const CANCELLED: i32 = -32800;
}

/// A message in either direction: a request has `id` and `method`, a notification only the method,
/// a response only the id.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Message {
    /// What a request and its response have in common: a number or a string; null where a request
    /// couldn't be read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub id: Option<Value>,
    /// What is asked for or told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// With what.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub params: Value,
    /// The answer, null included.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub result: Option<Value>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ResponseError>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ResponseError {
    /// One of [`code`].
    pub code: i32,
    /// In words.
    pub message: String,
}

/// A null that is there is something else than nothing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Message {
    /// A question to the client.
    pub fn request(id: impl Into<Value>, method: &str, params: Value) -> Self {
        Message { id: Some(id.into()), method: Some(method.into()), params, ..Message::default() }
    }

    /// Something told without being asked.
    pub fn notification(method: &str, params: Value) -> Self {
        Message { method: Some(method.into()), params, ..Message::default() }
    }

    /// The answer to a request.
    pub fn response(id: Value, outcome: Result<Value, ResponseError>) -> Self {
        let (result, error) = match outcome {
            Ok(result) => (Some(result), None),
            Err(error) => (None, Some(error)),
        };
        Message { id: Some(id), result, error, ..Message::default() }
    }

    /// Whether it wants an answer.
    pub fn is_request(&self) -> bool {
        self.id.is_some() && self.method.is_some()
    }

    /// Whether it is this notification.
    pub fn is_notification(&self, method: &str) -> bool {
        self.id.is_none() && self.method.as_deref() == Some(method)
    }
}

impl ResponseError {
    /// A number of [`code`] and its words.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        ResponseError { code, message: message.into() }
    }
}

/// Reads the next message; None at the end of the input. A body that is no message is an error in
/// its place: what follows can be read.
///
/// # Errors
/// An input that can't be read, or headers that don't say how long the message is: nothing behind
/// them can be found.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Result<Message, ResponseError>>> {
    let malformed = |what: &str| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("not a Language Server Protocol message: {what}"),
        )
    };
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        // No header is longer; a client that speaks another protocol is found out soon.
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
    // Not reserved: memory is taken for what comes, not for what is announced.
    if input.take(length).read_to_end(&mut body)? as u64 != length {
        return Err(malformed("the input ends within the body"));
    }
    Ok(Some(
        serde_json::from_slice(&body)
            .map_err(|error| ResponseError::new(code::PARSE_ERROR, error.to_string())),
    ))
}

/// Writes a message and hands it on at once.
///
/// # Errors
/// An output that can't be written.
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
    fn what_is_written_is_read() {
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
    fn a_body_that_is_no_message_costs_only_itself() {
        let bytes = b"content-length:3\r\n\r\nx{}Content-Type: x\r\nContent-Length: 18\r\n\r\n{\"method\": \"exit\"}";
        let messages = read_all(bytes);
        assert!(messages[0].as_ref().unwrap_err().starts_with("-32700 "), "{messages:?}");
        assert_eq!(messages[1], Ok(Message::notification("exit", Value::Null)));
    }

    #[test]
    fn headers_that_say_no_length_end_the_reading() {
        for (bytes, why) in [
            (&b"Content-Length: x\r\n\r\n{}"[..], "not a number"),
            (b"Content-Length: 2\n\n{}", "without CRLF"),
            (b"\r\n{}", "Content-Length is missing"),
            (b"Content-Length: 99\r\n\r\n{}", "ends within the body"),
            (b"Content-Length: 99\r\n", "ends within the headers"),
            (b"hello\r\n", "without a colon"),
        ] {
            let messages = read_all(bytes);
            assert!(messages[0].as_ref().unwrap_err().contains(why), "{messages:?}");
        }
    }
}
