//! One signed line of the feed: made or received once, sent to any number of readers as the same bytes.

use std::{fmt, ops::Range};

use bytes::Bytes;
use countersign_jose::{
    Claims, Error, FeedClaims, b64,
    revocation::{EntryId, Kind},
};

use crate::domain::{
    feed::{Extent, half_life},
    rsn::Rsn,
    time::Timestamp,
};

/// A line, ready to be sent in either form.
#[derive(Clone)]
pub struct Line {
    /// `id: <head>`, `data: <JWS>` and an empty line: an event of a stream (HTML, section 9.2).
    event: Bytes,
    /// Where in it the JWS is.
    jws: Range<usize>,
    /// The key that signed it.
    pub kid: String,
    /// It continues from here.
    pub previous: Rsn,
    /// The head after it.
    pub head: Rsn,
    /// Everything committed before this time is at or below `head`.
    pub time: Timestamp,
    pub floor: Rsn,
    /// Further lines of the same snapshot follow.
    pub more: bool,
    /// How many entries it has.
    pub entries: usize,
    /// The clients that it names.
    clients: Box<[EntryId]>,
    half_life: i64,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, previous, head, time, entries, .. } = self;
        write!(f, "Line({kid}, {previous} to {head}, t {}, {entries} entries)", time.micros())
    }
}

impl Line {
    /// A line of which the caller knows that `jws` says `claims`: it has signed or verified it.
    pub fn new(kid: &str, claims: &FeedClaims, jws: &str) -> Self {
        let begin = format!("id: {}\ndata: ", claims.head);
        let event = format!("{begin}{jws}\n\n");
        let clients = claims.entries.iter().filter(|entry| entry.kind == i64::from(Kind::Client.number()));
        Self {
            event: Bytes::from(event),
            jws: begin.len()..begin.len() + jws.len(),
            kid: kid.to_owned(),
            previous: Rsn::new(claims.previous),
            head: Rsn::new(claims.head),
            time: Timestamp::from_micros(claims.time),
            floor: Rsn::new(claims.floor),
            more: claims.more,
            entries: claims.entries.len(),
            clients: clients.filter_map(|entry| EntryId::of_entry(entry).ok()).collect(),
            half_life: half_life(claims.entries.iter().map(|entry| entry.exp).collect()),
        }
    }

    /// It tells of nothing but the time.
    pub fn is_heartbeat(&self) -> bool {
        self.entries == 0 && self.previous == self.head
    }

    /// It says that something of this client has ended.
    pub fn names(&self, client: EntryId) -> bool {
        self.clients.contains(&client)
    }

    /// As an event of a stream.
    pub fn event(&self) -> Bytes {
        self.event.clone()
    }

    /// As a line of text.
    pub fn text(&self) -> Bytes {
        self.event.slice(self.jws.start..=self.jws.end)
    }

    /// The compact JWS.
    pub fn jws(&self) -> &str {
        std::str::from_utf8(&self.event[self.jws.clone()]).unwrap_or_default()
    }

    /// What [`domain::feed`](crate::domain::feed) judges it by; `kid` is the key that signs now.
    pub fn extent(&self, kid: &str) -> Extent {
        Extent { entries: self.entries, half_life: self.half_life, current_key: self.kid == kid }
    }

    /// What it says, read from its own bytes: nothing is kept twice.
    ///
    /// # Errors
    /// Never for a line that was signed or verified here.
    pub fn claims(&self) -> Result<FeedClaims, Error> {
        FeedClaims::from_json(&b64::decode(self.jws().split('.').nth(1).unwrap_or_default())?)
    }
}

#[cfg(test)]
mod tests {
    use countersign_jose::{Algorithm, FeedEntry, SigningKey, profile::FeedBatch, sign};

    use super::*;

    #[test]
    fn both_forms_are_the_same_bytes_and_say_the_same() {
        let key = SigningKey::generate(Algorithm::ES256, "feed-1").unwrap();
        let entry = FeedEntry { kind: 2, id: b64::encode([7; 16]), rsn: 12, exp: 99 };
        let claims = FeedClaims {
            iss: "https://id.example".to_owned(),
            previous: 11,
            head: 12,
            time: 15,
            entries: vec![entry],
            ..FeedClaims::default()
        };
        let jws = sign::<FeedBatch>(&key, &claims).unwrap();
        let line = Line::new("feed-1", &claims, &jws);
        assert_eq!(line.event(), format!("id: 12\ndata: {jws}\n\n"));
        assert_eq!(line.text(), format!("{jws}\n"));
        assert_eq!(line.claims().unwrap(), claims);
        assert_eq!(line.extent("feed-2"), Extent { entries: 1, half_life: 99, current_key: false });
        assert!(!line.is_heartbeat());
    }

    #[test]
    fn only_clients_are_named() {
        let entry = |kind, byte| FeedEntry { kind, id: b64::encode([byte; 16]), rsn: 12, exp: 99 };
        let claims = FeedClaims { entries: vec![entry(2, 7), entry(4, 8), entry(4, 9)], ..FeedClaims::default() };
        let line = Line::new("feed-1", &claims, "a.b.c");
        let named = [7, 8, 9].map(|byte| line.names(EntryId::of_entry(&entry(4, byte)).unwrap()));
        assert_eq!(named, [false, true, true]);
    }
}
