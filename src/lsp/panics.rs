//! Catches panics, so that one document cannot end the editor's session.

use std::cell::RefCell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

static HOOK: Once = Once::new();

thread_local! {
    /// The last panic of this thread.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic that was caught. It is shown as a message that asks the user to report it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// The place in the source, and the panic's own message.
    details: String,
}

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "gvtg-xml crashed while checking this document. This is a bug: please report it, together with the document ({})",
            self.details
        )
    }
}

/// Runs `work`.
///
/// The caller must not use what `work` was changing when it panicked. Here that is nothing: a
/// request computes its result before it stores it, in one assignment.
///
/// # Errors
/// Returns the panic of `work`. It is also logged on stderr, which editors show in the server's log.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    HOOK.call_once(remember_panics);
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panic { details: LAST_PANIC.take() })
}

/// Adds to the panic hook, which logs, because what `catch_unwind` returns does not name the place.
fn remember_panics() {
    let log = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        LAST_PANIC.set(panic.to_string());
        log(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::catch_panic;

    #[test]
    fn returns_panics_as_errors_and_keeps_working() {
        let message = catch_panic(|| -> u8 { panic!("on purpose") }).unwrap_err().to_string();
        assert!(message.contains("on purpose") && message.contains("panics.rs"), "{message}");
        assert_eq!(catch_panic(|| 7), Ok(7));
    }
}
