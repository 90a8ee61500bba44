//! The clocks of this bench. All processes are on one machine, where CLOCK_MONOTONIC is the same for all of them.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds on the clock that all processes of this machine share.
pub fn now() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// CPU time that this thread has used, in nanoseconds.
pub fn thread_cpu() -> u64 {
    nanoseconds(ClockId::ThreadCPUTime)
}

/// CPU time that this process has used, in nanoseconds.
pub fn process_cpu() -> u64 {
    nanoseconds(ClockId::ProcessCPUTime)
}

/// From `earlier` to `later`, in milliseconds; negative if it was the other way round.
pub fn millis(earlier: u64, later: u64) -> f64 {
    (later as f64 - earlier as f64) / 1e6
}

/// Some moment within `span`, another one each time: so that what repeats is not met at the same point of its round.
pub fn anywhere_in(span: Duration) -> Duration {
    let wanted = now().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    span.mul_f64(wanted as f64 / 4_294_967_296.0)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}
