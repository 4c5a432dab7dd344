//! Errors of requests, and of the session.

use std::error::Error;
use std::fmt;
use std::io;

use lsp_server::ErrorCode;

use super::panics::Panic;

/// The reason why a request fails.
#[derive(Debug)]
pub enum RequestError {
    /// It arrived before `initialize`.
    NotInitialized,
    /// The client has sent `initialize` before.
    AlreadyInitialized,
    /// It arrived after `shutdown`.
    ShutDown,
    /// The client cancelled it.
    Cancelled,
    /// The server does not know this method.
    UnknownMethod(String),
    /// The server does not know this command.
    UnknownCommand(String),
    /// The parameters are missing or invalid.
    InvalidParams(serde_json::Error),
    /// The document with this URI is not open.
    NotOpen(String),
    /// The server has a bug.
    Panicked(Panic),
}

impl RequestError {
    /// The protocol's code for this error.
    pub fn code(&self) -> ErrorCode {
        match self {
            RequestError::NotInitialized => ErrorCode::ServerNotInitialized,
            RequestError::AlreadyInitialized | RequestError::ShutDown => ErrorCode::InvalidRequest,
            RequestError::Cancelled => ErrorCode::RequestCanceled,
            RequestError::UnknownMethod(_) => ErrorCode::MethodNotFound,
            RequestError::UnknownCommand(_)
            | RequestError::InvalidParams(_)
            | RequestError::NotOpen(_) => ErrorCode::InvalidParams,
            RequestError::Panicked(_) => ErrorCode::InternalError,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::NotInitialized => {
                formatter.write_str("the server is not initialized yet")
            }
            RequestError::AlreadyInitialized => {
                formatter.write_str("the server is already initialized")
            }
            RequestError::ShutDown => formatter.write_str("the server has been shut down"),
            RequestError::Cancelled => formatter.write_str("cancelled"),
            RequestError::UnknownMethod(method) => write!(formatter, "unknown method {method}"),
            RequestError::UnknownCommand(command) => write!(formatter, "unknown command {command}"),
            RequestError::InvalidParams(error) => error.fmt(formatter),
            RequestError::NotOpen(uri) => write!(formatter, "{uri} is not open"),
            RequestError::Panicked(panic) => panic.fmt(formatter),
        }
    }
}

impl Error for RequestError {}

/// The reason why a session cannot start or continue.
#[derive(Debug)]
pub enum SessionError {
    /// The configuration is invalid even without the editor's settings.
    Configuration(Box<dyn Error + Send + Sync>),
    /// The input cannot be read, or the client speaks another protocol.
    Input(io::Error),
}

impl fmt::Display for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionError::Configuration(error) => error.fmt(formatter),
            SessionError::Input(error) if error.kind() == io::ErrorKind::InvalidData => {
                write!(formatter, "not a Language Server Protocol message: {error}")
            }
            SessionError::Input(error) => error.fmt(formatter),
        }
    }
}

impl Error for SessionError {}
