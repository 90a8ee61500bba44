//! Places where a test stops the process dead, to prove that nothing is lost there, or panics, to prove that nothing else is
//! disturbed. Without the feature `failpoints` they are nothing.

/// Kills the process without a goodbye (`kill -9`) when `COUNTERSIGN_TEST_FAILPOINT` names this place and count, as in
/// `refresh.committed:37`; with `:panic` behind it panics at each time that is a multiple of the count.
#[cfg(not(feature = "failpoints"))]
pub const fn hit(_name: &str) {}

/// See above.
#[cfg(feature = "failpoints")]
pub fn hit(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static HITS: AtomicU64 = AtomicU64::new(0);
    let Ok(wanted) = std::env::var("COUNTERSIGN_TEST_FAILPOINT") else { return };
    let Some((place, count)) = wanted.split_once(':') else { return };
    if place != name {
        return;
    }
    let hits = HITS.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(every) = count.strip_suffix(":panic") {
        #[expect(clippy::panic, reason = "that is what the test asked for")]
        if hits.is_multiple_of(every.parse().unwrap_or(u64::MAX)) {
            panic!("failpoint {name}");
        }
        return;
    }
    if hits == count.parse().unwrap_or(u64::MAX) {
        let pid = std::process::id().to_string();
        // Only the kernel can stop a process with nothing left to run in it; nobody answers after this.
        let _ = std::process::Command::new("kill").args(["-9", &pid]).status();
        loop {
            std::thread::park();
        }
    }
}
