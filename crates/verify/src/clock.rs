//! Time as the verifier sees it, and the only place in this crate that reads the machine's clocks.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

/// One reading of both clocks: the wall clock judges a token's times, the steady one measures ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    wall: Duration,
    steady: Duration,
}

impl Moment {
    /// Whole seconds since 1970-01-01T00:00:00Z, as `exp` and `nbf` count them (RFC 7519 §2, NumericDate).
    pub fn unix_secs(self) -> i64 {
        i64::try_from(self.wall.as_secs()).unwrap_or(i64::MAX)
    }

    /// Microseconds since 1970, as the revocation log counts.
    #[cfg(any(test, feature = "test-issuer"))]
    pub(crate) fn unix_micros(self) -> i64 {
        i64::try_from(self.wall.as_micros()).unwrap_or(i64::MAX)
    }

    pub(crate) fn steady(self) -> Duration {
        self.steady
    }

    /// How long ago `earlier` was, by whichever clock says longer: the wall clock may be set back, and on some systems
    /// the steady one stops while the machine is suspended.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.steady.saturating_sub(earlier.steady).max(self.wall.saturating_sub(earlier.wall))
    }
}

/// Where a [`Verifier`](crate::Verifier) takes the time from: the machine, or a test that sets it.
///
/// ```
/// use countersign_verify::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::manual(1_790_000_000);
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now().unix_secs(), 1_790_000_005);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<watch::Sender<Moment>>),
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `unix_secs` until it is moved. Clones move together.
    pub fn manual(unix_secs: u64) -> Self {
        let start = Moment { wall: Duration::from_secs(unix_secs), steady: Duration::ZERO };
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// Moves a manual clock forward, as time passing does. The machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        self.change(|moment| {
            moment.wall = moment.wall.saturating_add(by);
            moment.steady = moment.steady.saturating_add(by);
        });
    }

    /// Sets the wall clock of a manual clock, as an operator or a time server does: no time passes.
    pub fn step_to(&self, unix_secs: u64) {
        self.change(|moment| moment.wall = Duration::from_secs(unix_secs));
    }

    /// The time.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(at) => *at.borrow(),
        }
    }

    /// Returns when the steady clock has reached `deadline`.
    pub(crate) async fn sleep_until(&self, deadline: Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(deadline.saturating_sub(self.now().steady)).await,
            Source::Manual(at) => {
                // The sender lives as long as this clock does, so waiting ends only by reaching the deadline.
                let _ = at.subscribe().wait_for(|moment| moment.steady >= deadline).await;
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Moment)) {
        if let Source::Manual(at) = &self.0 {
            at.send_modify(change);
        }
    }
}

fn system_now() -> Moment {
    Moment { wall: since_epoch(), steady: since_boot() }
}

/// Tokens are judged by whole seconds: the time of the kernel's last tick, some milliseconds ago, is exact enough, and costs a
/// fifth of reading the clock itself.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_epoch() -> Duration {
    duration(rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::disallowed_methods, reason = "the one clock of this crate")]
fn since_epoch() -> Duration {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The clock that goes on while the machine sleeps. The standard library's `Instant` does not on Linux: a service that
/// was suspended for an hour would take its view of the revocation log for a fresh one.
#[cfg(unix)]
fn since_boot() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    // Counts through sleep on Apple's systems.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    duration(rustix::time::clock_gettime(CLOCK))
}

#[cfg(unix)]
fn duration(time: rustix::time::Timespec) -> Duration {
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// Elsewhere the standard library's clock counts through sleep.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "the one clock of this crate")]
fn since_boot() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_the_longer_of_both_clocks() {
        let clock = Clock::manual(1_000);
        let start = clock.now();
        clock.advance(Duration::from_secs(10));
        clock.step_to(500);
        assert_eq!(clock.now().since(start), Duration::from_secs(10), "a wall clock set back hides no age");
        clock.step_to(5_000);
        assert_eq!(clock.now().since(start), Duration::from_secs(4_000), "a suspended machine's age is seen");
    }

    // I14: what the kernel calls the time since boot, sleep included.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_steady_clock_counts_from_boot() {
        let before = Clock::system().now().steady().as_secs_f64();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let after = Clock::system().now().steady().as_secs_f64();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        assert!(before - 0.05 <= uptime && uptime <= after + 0.05, "{before} {uptime} {after}");
    }

    #[test]
    fn the_machines_steady_clock_never_runs_back() {
        let clock = Clock::system();
        let first = clock.now();
        assert!(clock.now().steady() >= first.steady());
        clock.advance(Duration::from_secs(1_000_000));
        assert!(clock.now().since(first) < Duration::from_secs(1_000), "only a manual clock can be moved");
    }
}
