//! Delays signals that terminate the process while a file is being replaced.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

/// State shared with the signal handlers.
#[derive(Default)]
struct Watch {
    /// Whether the process may be terminated at once.
    is_idle: Arc<AtomicBool>,
    /// The signal that arrived while it may not; 0 for none.
    pending: Arc<AtomicUsize>,
}

/// Runs `work` without interruption: a signal that terminates the process takes effect afterwards.
pub(super) fn uninterrupted<R>(work: impl FnOnce() -> R) -> R {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    let watch = WATCH.get_or_init(watch);
    watch.is_idle.store(false, Ordering::SeqCst);
    let result = work();
    watch.is_idle.store(true, Ordering::SeqCst);
    if let Ok(signal @ 1..) = i32::try_from(watch.pending.load(Ordering::SeqCst)) {
        // Terminates the process; if that fails, the run continues.
        let _ = emulate_default_handler(signal);
    }
    result
}

fn watch() -> Watch {
    let watch = Watch::default();
    let ignored_signals = ignored_signals();
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        // nohup, and shells for background jobs, let the process ignore some signals; they stay
        // ignored.
        if ignored_signals >> (signal - 1) & 1 == 0 {
            // If a signal can't be watched, it terminates the process as by default.
            let _ = flag::register_conditional_default(signal, Arc::clone(&watch.is_idle));
            let _ = flag::register_usize(
                signal,
                Arc::clone(&watch.pending),
                signal.unsigned_abs() as usize,
            );
        }
    }
    // With SIGXFSZ caught, exceeding the file size limit (ulimit -f) is a write error and does not
    // terminate the process.
    let _ = flag::register(SIGXFSZ, Arc::default());
    watch
}

/// Returns the bit mask of ignored signals; 0 if the kernel does not provide it.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
