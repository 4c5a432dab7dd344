//! Isolates panics, so that one document cannot end the editor's session.
//!
//! The release build aborts on panic, so a panic can't be caught. Code that may panic therefore
//! runs in a worker thread. The panic hook runs before the abort: it sends the message to the
//! waiting thread and then parks the worker forever.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Maximum number of panics. Each one leaves a parked thread behind; after the last one, nothing is
/// checked any more.
const MAX_PANICS: usize = 20;

static PANIC_COUNT: AtomicUsize = AtomicUsize::new(0);
static HOOK: Once = Once::new();

thread_local! {
    /// The channel to the thread that waits for this worker's result.
    static PANIC_SENDER: RefCell<Option<Sender<String>>> = const { RefCell::new(None) };
}

/// Runs `work` in a worker thread and returns its result.
///
/// # Errors
/// Returns the message of a panic.
pub fn catch_panic<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    HOOK.call_once(install_hook);
    if PANIC_COUNT.load(Ordering::Relaxed) >= MAX_PANICS {
        return Err(
            "too many internal errors: nothing is checked until the server is restarted".into()
        );
    }
    let (sender, receiver) = channel();
    let (panic_sender, panic_receiver) = channel();
    let worker =
        thread::Builder::new().name("gvtg-xml".into()).stack_size(8 << 20).spawn(move || {
            PANIC_SENDER.set(Some(panic_sender));
            // If sending fails, the receiver is gone because the program is exiting.
            let _ = sender.send(work());
            drop(PANIC_SENDER.take());
        });
    if let Err(error) = worker {
        return Err(format!("cannot start a thread: {error}"));
    }
    // After a panic, the parked worker keeps `sender` open, so waiting on `receiver` would block
    // forever. `panic_sender` is used or dropped in both cases, so wait on its channel first.
    match panic_receiver.recv() {
        Ok(message) => Err(message),
        Err(_) => receiver.recv().map_err(|_| "the thread ended without a result".into()),
    }
}

fn install_hook() {
    let previous_hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let Some(panic_sender) = PANIC_SENDER.try_with(RefCell::take).ok().flatten() else {
            return previous_hook(panic);
        };
        PANIC_COUNT.fetch_add(1, Ordering::Relaxed);
        let _ = panic_sender.send(panic.to_string());
        // Without abort on panic (in tests), the thread simply unwinds.
        while cfg!(panic = "abort") {
            thread::park();
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::catch_panic;

    #[test]
    fn returns_panics_as_errors_and_keeps_working() {
        let message = catch_panic(|| -> u8 { panic!("on purpose") }).unwrap_err();
        assert!(message.contains("on purpose") && message.contains("catch_panic.rs"), "{message}");
        assert_eq!(catch_panic(|| 7), Ok(7));
    }
}
