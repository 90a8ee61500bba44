//! The black-box checker: what clients saw must be explained by an issuer that keeps I-1 to I-8. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use countersign_server::domain::time::Timestamp;

use super::history::{Call, Event, Given, Lease, Outcome};

/// How long a strict verifier may go on without the feed, and what clocks and schedulers add to it.
const BOUND: Duration = Duration::from_millis(1_000 + 500);

/// The names of refusals that say: your session is over.
const OVER: [&str; 2] = ["invalid_grant", "token-invalid"];

/// How long after an answer of unknown outcome, or none, its transaction may still be committed: the server gives up after 10 s.
const LATE: Duration = Duration::from_secs(12);

/// What must not have been seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Of security.md: `I-1`.
    pub invariant: &'static str,
    pub what: String,
}

/// Everything in this history that no correct issuer can have answered. `grace` is the issuer's `refresh.grace`.
pub fn check(events: &[Event], grace: Duration) -> Vec<Violation> {
    let index = Index::new(events);
    let mut found = Vec::new();
    for session in index.sessions.values() {
        session.check(&index, grace, &mut found);
    }
    for user in index.users.values() {
        user.check(&mut found);
    }
    singles(events, &mut found);
    for event in events {
        match (&event.call, &event.outcome) {
            (call, Outcome::Wrong(text)) => {
                found.push(Violation { invariant: "I-12", what: format!("{call:?}: {text}") });
            }
            (Call::StartOnOld, Outcome::Done(_)) => {
                found.push(Violation { invariant: "I-5", what: "a rolled-back database was served".to_owned() });
            }
            _ => {}
        }
    }
    found
}

/// The events again, by what they are about.
#[derive(Default)]
struct Index<'e> {
    sessions: BTreeMap<&'e str, Session<'e>>,
    users: BTreeMap<&'e str, User<'e>>,
    /// Every use of an authorization code.
    codes: BTreeMap<&'e str, Vec<&'e Event>>,
    /// What ended everything.
    all: Vec<&'e Event>,
}

#[derive(Default)]
struct Session<'e> {
    name: &'e str,
    user: &'e str,
    opened: Option<&'e Event>,
    /// The sign-in that it belongs to.
    asked: Option<&'e Event>,
    ends: Vec<&'e Event>,
    uses: Vec<&'e Event>,
}

#[derive(Default)]
struct User<'e> {
    name: &'e str,
    /// What ends all sessions of the user.
    ends: Vec<&'e Event>,
    /// What sets a password, and which.
    sets: Vec<(&'e Event, u32)>,
    sign_ins: Vec<(&'e Event, u32)>,
}

impl<'e> Index<'e> {
    fn new(events: &'e [Event]) -> Self {
        let mut index = Self::default();
        for event in events {
            index.add(event);
        }
        index
    }

    fn add(&mut self, event: &'e Event) {
        match &event.call {
            Call::Register { user } => self.user(user).sets.push((event, 0)),
            Call::SignIn { user, password } => {
                self.user(user).sign_ins.push((event, *password));
                if let Outcome::Done(Given::Session(name)) = &event.outcome {
                    self.opened((name, user), event, event);
                }
            }
            Call::UseCode { code, user } => {
                self.codes.entry(code).or_default().push(event);
                if let Outcome::Done(Given::Session(name)) = &event.outcome {
                    let sign_in = self.user(user).sign_ins.last().map(|(sign_in, _)| *sign_in);
                    self.opened((name, user), event, sign_in.unwrap_or(event));
                }
            }
            Call::Refresh { session, .. } | Call::Ask { session } | Call::Verify { session, .. } => {
                self.session(session).uses.push(event);
            }
            Call::EndSession { session } => self.session(session).ends.push(event),
            Call::EndUser { user } => self.user(user).ends.push(event),
            Call::ChangePassword { user, to } | Call::UseLink { user, to, .. } => {
                let user = self.user(user);
                user.ends.push(event);
                user.sets.push((event, *to));
            }
            Call::EndAll => self.all.push(event),
            Call::StartOnOld => {}
        }
    }

    fn opened(&mut self, (name, user): (&'e str, &'e str), event: &'e Event, asked: &'e Event) {
        let session = self.session(name);
        (session.user, session.opened, session.asked) = (user, Some(event), Some(asked));
    }

    fn session(&mut self, name: &'e str) -> &mut Session<'e> {
        self.sessions.entry(name).or_insert_with(|| Session { name, ..Session::default() })
    }

    fn user(&mut self, name: &'e str) -> &mut User<'e> {
        self.users.entry(name).or_insert_with(|| User { name, ..User::default() })
    }

    /// Every call that ended this session, or may have.
    fn ends(&self, session: &Session<'e>) -> Vec<&'e Event> {
        let of_user = self.users.get(session.user).map(|user| user.ends.as_slice()).unwrap_or_default();
        // Over before the session was asked for: it is not meant.
        let of_user = of_user.iter().filter(|end| session.asked.is_none_or(|asked| acts_after(end, asked)));
        let all = self.all.iter().filter(|end| session.asked.is_none_or(|asked| end.end > asked.begin));
        let ends = session.ends.iter().chain(of_user).chain(all).copied();
        ends.filter(|end| end.outcome.is_possible()).chain(self.other_uses(session)).collect()
    }
}

impl<'e> Index<'e> {
    /// Other uses of the code that opened this session: each may have ended it, unless it was refused for another reason.
    fn other_uses(&self, session: &Session<'e>) -> impl Iterator<Item = &'e Event> {
        let opened = session.opened.and_then(|event| match &event.call {
            Call::UseCode { code, .. } => Some((self.codes.get(code.as_str())?, event.begin)),
            _ => None,
        });
        let uses =
            opened.into_iter().flat_map(|(uses, begin)| uses.iter().copied().filter(move |use_| use_.begin != begin));
        uses.filter(|event| event.outcome.is_possible() || is_reuse(event))
    }
}

/// Whether it may take effect after the begin of `other`. What has an unknown outcome may be committed after its answer.
fn acts_after(end: &Event, other: &Event) -> bool {
    end.end > other.begin || (!end.outcome.is_done() && end.to.plus(LATE) >= other.from)
}

/// The issuer has seen that the code was used before.
fn is_reuse(event: &Event) -> bool {
    matches!((&event.call, &event.outcome), (Call::UseCode { .. }, Outcome::Refused(why)) if why == "code-reused")
}

impl Session<'_> {
    fn check(&self, index: &Index<'_>, grace: Duration, found: &mut Vec<Violation>) {
        let ends = index.ends(self);
        self.never_signed_out(&ends, found);
        self.stays_ended(&ends, found);
        self.never_forks(grace, found);
    }

    fn violation(&self, invariant: &'static str, what: &str) -> Violation {
        Violation { invariant, what: format!("session {} of {}: {what}", self.name, self.user) }
    }

    /// I-2, and I-1 of what a sign-in opened: nobody is refused whom nobody ended.
    fn never_signed_out(&self, ends: &[&Event], found: &mut Vec<Violation>) {
        let first = ends.iter().map(|end| end.begin).min();
        for event in &self.uses {
            let Outcome::Refused(why) = &event.outcome else { continue };
            if OVER.contains(&why.as_str()) && first.is_none_or(|first| first > event.end) {
                found.push(self.violation("I-2", &format!("{why} at {} though nobody ended it", event.begin)));
            }
        }
    }

    /// I-4, I-7: once it is known to have ended, it has.
    fn stays_ended(&self, ends: &[&Event], found: &mut Vec<Violation>) {
        let surely = |end: &&&Event| match &end.call {
            Call::EndSession { .. } => end.outcome.is_done(),
            // It says so once the end is committed.
            Call::UseCode { .. } => is_reuse(end),
            // Of a user-wide end nobody knows which sessions began before it if both were under way.
            _ => end.outcome.is_done() && self.opened.is_some_and(|opened| opened.end < end.begin),
        };
        let acknowledged: Vec<_> = ends.iter().filter(surely).collect();
        let dead_from = acknowledged.iter().map(|end| effective(end)).min();
        let refused = self
            .uses
            .iter()
            .filter(|event| matches!(&event.outcome, Outcome::Refused(why) if OVER.contains(&why.as_str())));
        let ended = acknowledged.iter().map(|end| end.end).chain(refused.map(|event| event.end)).min();
        for event in self.uses.iter().filter(|event| event.outcome.is_done()) {
            let late = match &event.call {
                Call::Verify { lease: Lease::CutSince(cut), .. } if event.from > cut.plus(BOUND) => {
                    found.push(self.violation("I-7", "a verifier without the feed went on for longer than its bound"));
                    continue;
                }
                Call::Verify { .. } => dead_from.is_some_and(|dead| event.from > dead),
                _ => ended.is_some_and(|ended| event.begin > ended),
            };
            if late {
                found.push(
                    self.violation("I-4", &format!("accepted at {} after its end: {:?}", event.begin, event.call)),
                );
            }
        }
    }

    /// I-3: of the answers to one token, one at most is good, and those that came close to each other are one.
    fn never_forks(&self, grace: Duration, found: &mut Vec<Violation>) {
        let mut heirs: BTreeMap<&str, Vec<(&str, &Event)>> = BTreeMap::new();
        let mut accepted = BTreeSet::new();
        for event in &self.uses {
            let Call::Refresh { presented, .. } = &event.call else { continue };
            let Outcome::Done(Given::Token(next)) = &event.outcome else { continue };
            accepted.insert(presented.as_str());
            if next != presented {
                heirs.entry(presented).or_default().push((next, event));
            }
        }
        for (parent, heirs) in heirs {
            let alive: BTreeSet<&str> =
                heirs.iter().map(|(next, _)| *next).filter(|next| accepted.contains(next)).collect();
            if alive.len() > 1 {
                found.push(self.violation("I-3", &format!("two heirs of {parent} were accepted")));
            }
            for (n, (one, a)) in heirs.iter().enumerate() {
                let split = heirs[n + 1..]
                    .iter()
                    .any(|(other, b)| other != one && b.to.max(a.to).since(a.from.min(b.from)) < grace);
                if split {
                    found.push(self.violation("I-3", &format!("different heirs of {parent} within the grace")));
                }
            }
        }
    }
}

/// From when on no connected strict verifier may accept what this ended.
fn effective(end: &Event) -> Timestamp {
    match &end.outcome {
        Outcome::Done(Given::Until(until)) => *until,
        _ => end.to.plus(BOUND),
    }
}

impl User<'_> {
    /// I-1: the password is the one that was set last; of those whose setting has an unknown outcome, any.
    fn check(&self, found: &mut Vec<Violation>) {
        for (event, used) in &self.sign_ins {
            let possible = self.passwords(event);
            let wrong = match &event.outcome {
                Outcome::Done(_) => !possible.contains(used),
                Outcome::Refused(why) if why == "invalid-credentials" => {
                    let is_sure = self.registered_before(event) && !self.ended_meanwhile(event);
                    is_sure && possible.len() == 1 && possible.contains(used)
                }
                _ => false,
            };
            if wrong {
                let what = format!(
                    "{}: password {used} at {}: {:?}, though it may be {possible:?}",
                    self.name, event.begin, event.outcome
                );
                found.push(Violation { invariant: "I-1", what });
            }
        }
    }

    /// Everything of theirs was ended while their password was looked at: a sign-in that began before is refused.
    fn ended_meanwhile(&self, event: &Event) -> bool {
        let mut ends = self.ends.iter().filter(|end| end.outcome.is_possible());
        ends.any(|end| end.begin < event.end && acts_after(end, event))
    }

    fn registered_before(&self, event: &Event) -> bool {
        self.sets.iter().any(|(set, _)| set.outcome.is_done() && set.end < event.begin)
    }

    /// Which passwords may be the account's at some moment of this event.
    fn passwords(&self, event: &Event) -> BTreeSet<u32> {
        let possible = self.sets.iter().filter(|(set, _)| set.outcome.is_possible() && set.begin < event.end);
        let overwritten = |set: &Event| {
            let over = |later: &Event| match set.outcome.is_done() {
                true => set.end < later.begin,
                false => set.to.plus(LATE) < later.from,
            };
            let mut later = self.sets.iter().filter(|(later, _)| later.outcome.is_done());
            later.any(|(later, _)| over(later) && later.end < event.begin)
        };
        possible.filter(|(set, _)| !overwritten(set)).map(|(_, password)| *password).collect()
    }
}

/// I-8: links and codes are used once, also if nobody knows what came of the first use.
fn singles(events: &[Event], found: &mut Vec<Violation>) {
    let mut used = BTreeSet::new();
    for event in events {
        let what = match &event.call {
            Call::UseLink { link, .. } => ("link", link),
            Call::UseCode { code, .. } => ("code", code),
            _ => continue,
        };
        if event.outcome.is_done() && !used.insert(what) {
            found.push(Violation { invariant: "I-8", what: format!("the {} {} was used twice", what.0, what.1) });
        }
    }
}

#[cfg(test)]
mod tests;
