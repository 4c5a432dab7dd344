//! Signals that ask the process to end, and the little that must not end half way.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

/// What the handlers see and say.
#[derive(Default)]
struct Watch {
    /// Whether the process may end at once.
    is_idle: Arc<AtomicBool>,
    /// The signal that came while it might not; 0 for none.
    pending: Arc<AtomicUsize>,
}

/// Does something that must not end half way: whoever asks the process to end meanwhile waits until
/// it is done.
pub(super) fn uninterrupted<R>(work: impl FnOnce() -> R) -> R {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    let watch = WATCH.get_or_init(watch);
    watch.is_idle.store(false, Ordering::SeqCst);
    let result = work();
    watch.is_idle.store(true, Ordering::SeqCst);
    if let Ok(signal @ 1..) = i32::try_from(watch.pending.load(Ordering::SeqCst)) {
        // It ends the process; a signal that can't leaves it as it was.
        let _ = emulate_default_handler(signal);
    }
    result
}

fn watch() -> Watch {
    let watch = Watch::default();
    let ignored = ignored();
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        // nohup, and shells for what runs in the background, have the process ignore some: that
        // stays.
        if ignored >> (signal - 1) & 1 == 0 {
            // A signal that can't be watched ends the process, as it always did.
            let _ = flag::register_conditional_default(signal, Arc::clone(&watch.is_idle));
            let _ = flag::register_usize(
                signal,
                Arc::clone(&watch.pending),
                signal.unsigned_abs() as usize,
            );
        }
    }
    // A file that may not grow so much (ulimit -f) is an error of writing then, not the process's
    // end.
    let _ = flag::register(SIGXFSZ, Arc::default());
    watch
}

/// The signals that the process ignores, a bit each; none where the kernel doesn't tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
