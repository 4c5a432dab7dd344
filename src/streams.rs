//! Whether the process was started with a stdout at all (`>&-`).
//!
//! Rust opens /dev/null in the place of a stream that is closed, before `main`, and from then on a document that was written nowhere
//! looks like one that was written. So this asks first, when the program is loaded.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether nobody can get what is written to stdout.
pub fn is_stdout_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

// One system call, and nothing that Rust sets up later.
#[ctor::ctor(unsafe)]
fn ask() {
    let is_closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
    IS_CLOSED.store(is_closed, Ordering::Relaxed);
}
