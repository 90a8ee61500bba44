//! A thief who does not give up: asks every service again and again, and notes what came when. Times are microseconds
//! since 1970, as the log counts; all processes are on one machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stage::{
    Failure,
    client::{Call, Http},
};
use tokio::{
    sync::watch::{Receiver, Sender, channel},
    task::JoinSet,
};

/// Between two tries at one service.
pub const PAUSE: Duration = Duration::from_millis(20);
/// A service that neither refuses nor accepts is asked for this much longer, in microseconds.
const PATIENCE: i64 = 30_000_000;

/// What came from one service.
#[derive(Debug, Default)]
pub struct Seen {
    /// How often the token was accepted.
    pub accepted: u32,
    /// When the last request that was accepted had been sent.
    pub last_accepted: Option<i64>,
    /// When the first 401 arrived.
    pub first_refused: Option<i64>,
    /// When the first 503 arrived.
    pub first_unable: Option<i64>,
    /// How often the token was accepted after it had been refused.
    pub revived: u32,
    /// How often anything else came, or nothing.
    pub odd: u32,
}

impl Seen {
    fn note(&mut self, sent: i64, came: i64, status: Option<u16>) {
        match status {
            Some(200) => {
                self.accepted += 1;
                self.last_accepted = Some(sent);
                self.revived += u32::from(self.first_refused.is_some());
            }
            Some(401) => self.first_refused = self.first_refused.or(Some(came)),
            Some(503) => self.first_unable = self.first_unable.or(Some(came)),
            _ => self.odd += 1,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct End {
    /// Every service is asked once more after this.
    at: i64,
    /// So many of the services, the first ones, are asked until they have refused.
    refusing: usize,
}

/// The tries at all services, until they are told to end.
pub struct Watch {
    end: Sender<Option<End>>,
    tries: JoinSet<(usize, Seen)>,
}

impl Watch {
    /// Begins to ask at all of these doors with this token.
    pub fn start(http: &Http, doors: &[String], token: &str) -> Self {
        let (end, told) = channel(None);
        let mut tries = JoinSet::new();
        for (number, door) in doors.iter().enumerate() {
            let (http, call, told) = (http.clone(), Call::get(door).bearer(token), told.clone());
            tries.spawn(async move { (number, ask(number, &http, &call, told).await) });
        }
        Self { end, tries }
    }

    /// What came until `at`, and a little longer, in the order of the doors. The first `refusing` of them are asked until they
    /// have refused.
    ///
    /// # Errors
    /// A bug in this program.
    pub async fn end(mut self, at: i64, refusing: usize) -> Result<Vec<Seen>, Failure> {
        self.end.send_replace(Some(End { at, refusing }));
        let mut seen = Vec::new();
        while let Some(one) = self.tries.join_next().await {
            seen.push(one?);
        }
        seen.sort_by_key(|(number, _)| *number);
        Ok(seen.into_iter().map(|(_, seen)| seen).collect())
    }
}

async fn ask(number: usize, http: &Http, call: &Call, told: Receiver<Option<End>>) -> Seen {
    let mut seen = Seen::default();
    loop {
        let sent = now();
        let answer = http.send(call.clone()).await;
        seen.note(sent, now(), answer.ok().map(|answer| answer.status));
        let end = *told.borrow();
        if let Some(End { at, refusing }) = end
            && sent > at
            && (number >= refusing || seen.first_refused.is_some() || sent > at + PATIENCE)
        {
            return seen;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The time.
#[expect(clippy::disallowed_methods, reason = "the one clock of this program: it measures")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_counts_from_when_it_was_sent_and_a_refusal_from_when_it_came() {
        let mut seen = Seen::default();
        for (sent, came, status) in [
            (1, 2, Some(200)),
            (3, 9, Some(200)),
            (4, 5, Some(503)),
            (10, 12, Some(401)),
            (13, 14, Some(401)),
            (15, 16, Some(200)),
            (17, 18, None),
            (19, 20, Some(500)),
        ] {
            seen.note(sent, came, status);
        }
        assert_eq!((seen.accepted, seen.last_accepted, seen.revived), (3, Some(15), 1));
        assert_eq!((seen.first_refused, seen.first_unable, seen.odd), (Some(12), Some(5), 2));
    }
}
