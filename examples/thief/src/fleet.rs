//! Twenty verifiers, in four processes.

use std::time::Duration;

use stage::{
    Failure,
    client::{Call, Http},
    part::Part,
};

use crate::services::{AS_ANNOUNCED, FEEDS, ISSUER, NOWHERE};

/// How many verifiers there are.
pub const VERIFIERS: usize = 20;
const PROCESSES: usize = 4;
/// A service that cannot judge is asked again for this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The running services.
pub struct Fleet {
    _processes: Vec<Part>,
    /// What a client asks each of them for; the verifier of the last one reads the feed over the road.
    pub doors: Vec<String>,
}

impl Fleet {
    /// With the feed; the last verifier reads it at `road`.
    pub async fn following(issuer: &str, road: &str) -> Result<Self, Failure> {
        let mut feeds = vec![AS_ANNOUNCED; VERIFIERS];
        feeds[VERIFIERS - 1] = road;
        Self::start(issuer, &feeds).await
    }

    /// Without it.
    pub async fn without_feed(issuer: &str) -> Result<Self, Failure> {
        Self::start(issuer, &[NOWHERE; VERIFIERS]).await
    }

    async fn start(issuer: &str, feeds: &[&str]) -> Result<Self, Failure> {
        let (mut processes, mut doors) = (Vec::new(), Vec::new());
        for some in feeds.chunks(VERIFIERS / PROCESSES) {
            let process = Part::start("services", &[(ISSUER, issuer), (FEEDS, &some.join(" "))]).await?;
            doors.extend((0..some.len()).map(|number| format!("{}/{number}/account", process.url)));
            processes.push(process);
        }
        Ok(Self { _processes: processes, doors })
    }
}

/// What a service answers to this token. One that cannot judge at the moment (503) is asked again, as every client would.
///
/// # Errors
/// It does not answer, or nothing but 503 for a long time.
pub async fn verdict(http: &Http, door: &str, token: &str) -> Result<u16, Failure> {
    status_of(http, Call::get(door).bearer(token)).await
}

/// The same of any call. What is answered with 503 has used no proof up.
///
/// # Errors
/// As [`verdict`].
pub async fn status_of(http: &Http, call: Call) -> Result<u16, Failure> {
    let asked = async {
        loop {
            match http.send(call.clone()).await?.status {
                503 => tokio::time::sleep(Duration::from_millis(20)).await,
                status => return Ok(status),
            }
        }
    };
    let patience = tokio::time::timeout(PATIENCE, asked).await;
    patience.map_err(|_| format!("a service answered 503 for {PATIENCE:?}"))?
}
