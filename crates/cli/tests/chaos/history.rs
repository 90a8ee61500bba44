//! What clients saw: every call with its begin, its end and its outcome.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use countersign_server::{clock::Clock, domain::time::Timestamp};

/// What was asked. Users, sessions, tokens and links are named by texts that only tests read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// An account with its first password.
    Register {
        user: String,
    },
    SignIn {
        user: String,
        password: u32,
    },
    /// `presented`: the refresh token that was shown.
    Refresh {
        session: String,
        presented: String,
    },
    /// Is the session's access token good? Asked at the issuer.
    Ask {
        session: String,
    },
    /// The same, asked at a verifier.
    Verify {
        session: String,
        lease: Lease,
    },
    EndSession {
        session: String,
    },
    /// Everything of a user.
    EndUser {
        user: String,
    },
    /// Ends everything of the user, too.
    ChangePassword {
        user: String,
        to: u32,
    },
    /// A link of a mail sets a password, and ends everything of the user.
    UseLink {
        link: String,
        user: String,
        to: u32,
    },
    /// An authorization code with its verifier: opens a session, and the second time ends it.
    UseCode {
        code: String,
        user: String,
    },
    /// Whatever began before is over: a restored database was accepted, ten years have passed.
    EndAll,
    /// The server was started on a database that was rolled back.
    StartOnOld,
}

/// What is known of a verifier's connection to the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Nobody cuts it; the issuer may be down all the same.
    Open,
    /// Nothing of the feed reaches it since then.
    CutSince(Timestamp),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done(Given),
    /// Understood and refused for good: the error's name.
    Refused(String),
    /// 503 or 429 with `Retry-After`, or a verifier that cannot judge. A commit may have happened.
    Unavailable,
    /// No answer. A commit may have happened.
    Lost,
    /// An answer that is never right.
    Wrong(String),
}

/// What the answer gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    Nothing,
    /// The session that was opened.
    Session(String),
    /// The next refresh token.
    Token(String),
    /// From then on no strict verifier accepts what was ended.
    Until(Timestamp),
}

/// One call of one client.
#[derive(Debug, Clone)]
pub struct Event {
    /// Positions in one order of all begins and ends.
    pub begin: u64,
    pub end: u64,
    /// The clock at both.
    pub from: Timestamp,
    pub to: Timestamp,
    pub call: Call,
    pub outcome: Outcome,
}

/// All calls so far.
#[derive(Debug, Default)]
pub struct History {
    order: AtomicU64,
    events: Mutex<Vec<Event>>,
}

impl History {
    /// Makes a call and writes it down.
    pub fn call<T>(&self, call: Call, make: impl FnOnce() -> (Outcome, T)) -> (Outcome, T) {
        let (begin, from) = (self.next(), Clock::System.now());
        let (outcome, more) = make();
        let (to, end) = (Clock::System.now(), self.next());
        let event = Event { begin, end, from, to, call, outcome: outcome.clone() };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        (outcome, more)
    }

    /// Writes down what happened at this moment.
    pub fn note(&self, call: Call, outcome: Outcome) {
        self.call(call, || (outcome, ()));
    }

    fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    /// In the order of their begins.
    pub fn events(&self) -> Vec<Event> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner).clone();
        events.sort_by_key(|event| event.begin);
        events
    }
}

impl Outcome {
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// Whether it may have happened: everything but what was refused.
    pub const fn is_possible(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}
