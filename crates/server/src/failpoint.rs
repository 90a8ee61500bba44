//! Places where a test stops the process dead, to prove that nothing is lost there. Without the feature `failpoints` they
//! are nothing.

/// Kills the process without a goodbye (`kill -9`) when `COUNTERSIGN_TEST_FAILPOINT` names this place and count, as in
/// `refresh.committed:37`.
#[cfg(not(feature = "failpoints"))]
pub const fn hit(_name: &str) {}

/// See above.
#[cfg(feature = "failpoints")]
pub fn hit(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static HITS: AtomicU64 = AtomicU64::new(0);
    let Ok(wanted) = std::env::var("COUNTERSIGN_TEST_FAILPOINT") else { return };
    let Some((place, count)) = wanted.split_once(':') else { return };
    if place == name && HITS.fetch_add(1, Ordering::SeqCst) + 1 == count.parse().unwrap_or(u64::MAX) {
        let pid = std::process::id().to_string();
        // Only the kernel can stop a process with nothing left to run in it; nobody answers after this.
        let _ = std::process::Command::new("kill").args(["-9", &pid]).status();
        loop {
            std::thread::park();
        }
    }
}
