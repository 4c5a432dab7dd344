//! A fault of this program in one document must not take the editor's session with it.
//!
//! The released program aborts where it panics, so a panic can't be caught. What may panic
//! therefore runs in a thread of its own, and the hook that each panic calls first, before the
//! abort, doesn't return there: it tells who waits, and the thread stands still.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Each fault leaves a thread behind that stands still. After so many the program looks at nothing
/// more.
const MAX_PANICS: usize = 20;

static FAULTS: AtomicUsize = AtomicUsize::new(0);
static HOOK: Once = Once::new();

thread_local! {
    /// Whom a panic in this thread is told to.
    static WAITING: RefCell<Option<Sender<String>>> = const { RefCell::new(None) };
}

/// The result of `work`, which runs in a thread of its own.
///
/// # Errors
/// What a panic of it said.
pub fn catch_panic<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    HOOK.call_once(install_hook);
    if FAULTS.load(Ordering::Relaxed) >= MAX_PANICS {
        return Err(
            "too many internal errors: nothing is checked until the server is restarted".into()
        );
    }
    let (sender, receiver) = channel();
    let (fault_sender, fault_receiver) = channel();
    let worker =
        thread::Builder::new().name("gvtg-xml".into()).stack_size(8 << 20).spawn(move || {
            WAITING.set(Some(fault_sender));
            // Nobody waits any more where the program ends.
            let _ = sender.send(work());
            drop(WAITING.take());
        });
    if let Err(error) = worker {
        return Err(format!("cannot start a thread: {error}"));
    }
    // A fault comes over the second channel, and the first one stays open: so the second one is
    // asked, which closes either way.
    match fault_receiver.recv() {
        Ok(fault) => Err(fault),
        Err(_) => receiver.recv().map_err(|_| "the thread ended without a result".into()),
    }
}

fn install_hook() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |fault| {
        let Some(waiting) = WAITING.try_with(RefCell::take).ok().flatten() else {
            return others(fault);
        };
        FAULTS.fetch_add(1, Ordering::Relaxed);
        let _ = waiting.send(fault.to_string());
        // Where a panic doesn't abort (in tests), the thread ends by itself.
        while cfg!(panic = "abort") {
            thread::park();
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::catch_panic;

    #[test]
    fn a_panic_is_an_error_and_what_follows_works() {
        let fault = catch_panic(|| -> u8 { panic!("on purpose") }).unwrap_err();
        assert!(fault.contains("on purpose") && fault.contains("catch_panic.rs"), "{fault}");
        assert_eq!(catch_panic(|| 7), Ok(7));
    }
}
