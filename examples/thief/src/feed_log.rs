//! The log as everybody may read it from this issuer: it says when a revocation was committed.

use std::time::Duration;

use countersign_verify::jose::b64;
use serde_json::Value;
use stage::{
    Failure,
    client::{Call, Http},
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The position of the newest entry, waiting for one that is newer than `before`. A position is the time on the clock of the
/// issuer's database, in microseconds since 1970, in the transaction that committed the entry: never later than the commit.
///
/// # Errors
/// There is none.
pub async fn newest_after(http: &Http, issuer: &str, before: i64) -> Result<i64, Failure> {
    let reading = async {
        loop {
            let answer = http.send(Call::get(format!("{issuer}/revocations/0?after=0"))).await?;
            let lines = answer.body.as_str().unwrap_or_default();
            let newest = lines.lines().flat_map(positions).max();
            match newest {
                Some(newest) if newest > before => return Ok(newest),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(TIMEOUT, reading).await.map_err(|_| "the log has no new entry")?
}

/// Of the entries of a line. The signature is for verifiers; this is only for a table of times.
fn positions(line: &str) -> Vec<i64> {
    let payload = line.split('.').nth(1).and_then(|payload| b64::decode(payload).ok());
    let payload: Value = payload.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let entries = payload["e"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(|entry| entry[2].as_i64()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_its_positions() {
        let payload = r#"{"h":9,"e":[[2,"5sqXz7iQL9v7SrUAHM1z_g",7,60],[3,"5sqXz7iQL9v7SrUAHM1z_g",9,60]]}"#;
        assert_eq!(positions(&format!("e30.{}.c2ln", b64::encode(payload))), [7, 9]);
        assert_eq!(positions(&format!("e30.{}.c2ln", b64::encode(r#"{"e":[]}"#))), Vec::<i64>::new());
        assert_eq!(positions("no line"), Vec::<i64>::new());
    }
}
