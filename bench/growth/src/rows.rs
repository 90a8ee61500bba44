//! The rows of one user: what the server writes when somebody registers and signs in three times.

use countersign_server::domain::{
    refresh_token::MacKeys,
    session::{Nonce, Sid},
    user::UserId,
};

/// Sessions of each user.
pub const SESSIONS: u64 = 3;
const DAY: i64 = 24 * 3600 * 1_000_000;

/// What all rows have in common: taken from the rows of a person who registered and signed in at the server.
#[derive(Debug, Clone)]
pub struct Model {
    pub password_hash: String,
    pub scope: String,
    pub audience: String,
    pub auth_rsn: i64,
    /// Microseconds.
    pub now: i64,
    /// The security event of the sign-in.
    pub event: Event,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub name: String,
    pub ip: String,
    pub request_id: String,
    pub detail: String,
}

/// A table, its columns, how many rows, and each of them.
pub struct Table<'a> {
    pub name: &'static str,
    pub columns: &'static [&'static str],
    pub count: u64,
    pub row: &'a dyn Fn(u64) -> Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    Text(String),
    Int(i64),
    Bytes(Vec<u8>),
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

const USERS: &[&str] = &[
    "user_id",
    "tenant",
    "email",
    "email_key",
    "email_verified_at",
    "password_hash",
    "password_changed_at",
    "created_at",
];
const SIGNINS: &[&str] = &[
    "id",
    "user_id",
    "auth_time",
    "amr",
    "acr",
    "auth_rsn",
    "device",
    "ip",
    "created_at",
    "last_seen_at",
    "expires_at",
    "due_at",
];
const SESSION_COLUMNS: &[&str] = &[
    "sid",
    "signin_id",
    "user_id",
    "client_id",
    "tenant",
    "scope",
    "audience",
    "auth_rsn",
    "auth_time",
    "amr",
    "acr",
    "nonce",
    "prev_nonce",
    "at_exp",
    "created_at",
    "last_seen_at",
    "expires_at",
    "idle_expires_at",
    "due_at",
];
const EVENTS: &[&str] = &["id", "at", "event", "actor", "user_id", "client_id", "sid", "ip", "request_id", "detail"];

pub fn email(user: u64) -> String {
    format!("somebody-{user}@example.com")
}

/// As scattered as the server's.
fn user_id(user: u64) -> UserId {
    UserId::new(noise(user ^ 0x5EED_0000_0000))
}

/// The `at`-th of `all`, in an order in which neighbours lie far from each other and none comes twice.
pub fn shuffled(at: u64, all: u64) -> u64 {
    // A balanced Feistel network over the next power of four, walked until it falls into the range.
    let half = (64 - (all - 1).leading_zeros()).div_ceil(2);
    let mask = (1_u64 << half) - 1;
    let mut value = at;
    loop {
        let (mut left, mut right) = (value >> half, value & mask);
        for round in 0..4 {
            let mixed = u64::from_be_bytes(noise(right ^ (round << 40))[..8].try_into().unwrap_or_default());
            (left, right) = (right, left ^ (mixed & mask));
        }
        value = left << half | right;
        if value < all {
            return value;
        }
    }
}

/// Reproducible, and spread over an index as random bytes are (SplitMix64).
fn noise(seed: u64) -> [u8; 16] {
    let mix = |at: u64| {
        let mut z = seed.wrapping_mul(2).wrapping_add(at).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    (u128::from(mix(0)) << 64 | u128::from(mix(1))).to_be_bytes()
}

fn sid(session: u64) -> Sid {
    Sid::new(user_id(session / SESSIONS).as_str(), &noise(session.wrapping_mul(4)))
}

fn nonce(session: u64) -> Nonce {
    Nonce::new(noise(session.wrapping_mul(4) + 1))
}

/// The refresh token of a session that was never refreshed.
pub fn token(macs: &MacKeys, session: u64) -> String {
    macs.seal(&sid(session), 0, &nonce(session)).expose().to_owned()
}

impl Model {
    pub fn users(users: u64, row: &dyn Fn(u64) -> Vec<Field>) -> Table<'_> {
        Table { name: "users", columns: USERS, count: users, row }
    }

    pub fn signins(users: u64, row: &dyn Fn(u64) -> Vec<Field>) -> Table<'_> {
        Table { name: "signins", columns: SIGNINS, count: users * SESSIONS, row }
    }

    pub fn sessions(users: u64, row: &dyn Fn(u64) -> Vec<Field>) -> Table<'_> {
        Table { name: "sessions", columns: SESSION_COLUMNS, count: users * SESSIONS, row }
    }

    pub fn events(users: u64, row: &dyn Fn(u64) -> Vec<Field>) -> Table<'_> {
        Table { name: "audit", columns: EVENTS, count: users, row }
    }

    pub fn user(&self, user: u64) -> Vec<Field> {
        let created = Field::Int(self.now - DAY);
        vec![
            user_id(user).as_str().into(),
            "default".into(),
            email(user).as_str().into(),
            email(user).as_str().into(),
            created.clone(),
            self.password_hash.as_str().into(),
            created.clone(),
            created,
        ]
    }

    pub fn signin(&self, session: u64) -> Vec<Field> {
        let id = [noise(session.wrapping_mul(4) + 2), noise(session.wrapping_mul(4) + 3)].concat();
        vec![
            Field::Bytes(id),
            user_id(session / SESSIONS).as_str().into(),
            Field::Int(self.now - DAY),
            "pwd".into(),
            "1".into(),
            Field::Int(self.auth_rsn),
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into(),
            "203.0.113.77".into(),
            Field::Int(self.now - DAY),
            Field::Int(self.now - DAY),
            Field::Int(self.now + 89 * DAY),
            Field::Int(self.now - DAY),
        ]
    }

    pub fn session(&self, session: u64) -> Vec<Field> {
        let signin = [noise(session.wrapping_mul(4) + 2), noise(session.wrapping_mul(4) + 3)].concat();
        vec![
            sid(session).as_str().into(),
            Field::Bytes(signin),
            user_id(session / SESSIONS).as_str().into(),
            "first-party".into(),
            "default".into(),
            self.scope.as_str().into(),
            self.audience.as_str().into(),
            Field::Int(self.auth_rsn),
            Field::Int(self.now - DAY),
            "pwd".into(),
            "1".into(),
            Field::Bytes(nonce(session).expose().to_vec()),
            Field::Bytes(vec![0; 16]),
            Field::Int((self.now - DAY) / 1_000_000 + 600),
            Field::Int(self.now - DAY),
            Field::Int(self.now - DAY),
            Field::Int(self.now + 89 * DAY),
            Field::Int(self.now + 29 * DAY),
            Field::Int(self.now + 29 * DAY),
        ]
    }

    /// The security event of a user's last sign-in: the events of a day, as they come.
    pub fn event(&self, user: u64) -> Vec<Field> {
        let Event { name, ip, request_id, detail } = &self.event;
        let at = self.now - DAY + i64::try_from(user).unwrap_or_default();
        let random = noise(user ^ 0x0E7E_0000_0000);
        let id = format!("{at:014x}{:016x}", u128::from_be_bytes(random) >> 64);
        let user_id = user_id(user);
        vec![
            id.as_str().into(),
            Field::Int(at),
            name.as_str().into(),
            user_id.as_str().into(),
            user_id.as_str().into(),
            "first-party".into(),
            sid(user * SESSIONS).as_str().into(),
            ip.as_str().into(),
            request_id.as_str().into(),
            detail.as_str().into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_once_and_scattered() {
        for all in [2, 1000, 3000] {
            let mut seen: Vec<u64> = (0..all).map(|at| shuffled(at, all)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..all).collect::<Vec<_>>());
        }
        assert!(shuffled(0, 3_000_000).abs_diff(shuffled(1, 3_000_000)) > 100);
    }
}
