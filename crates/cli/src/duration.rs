//! Durations on the command line: `15m`, `90d`.

use std::time::Duration;

/// Whole seconds of a duration such as `15m`.
///
/// # Errors
/// It is not a duration.
pub fn seconds(text: &str) -> Result<u64, String> {
    let parsed: Duration = humantime::parse_duration(text).map_err(|_| "write a duration such as 10s, 15m or 90d")?;
    Ok(parsed.as_secs())
}
