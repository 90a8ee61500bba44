//! The view against a reference model that keeps everything it ever heard in a list and looks at all of it.

use std::time::Duration;

use countersign_jose::{AccessClaims, revocation::Kind};
use proptest::prelude::*;

use super::{super::State, Batch, Entry, Marks, NEVER, batch, entry, marks};

const AT: Duration = Duration::ZERO;
const KINDS: [Kind; 6] = [Kind::Token, Kind::Session, Kind::User, Kind::Client, Kind::Tenant, Kind::Key];

/// An entry before it has its hash.
#[derive(Debug, Clone)]
struct Named {
    kind: Kind,
    name: String,
    rsn: i64,
}

impl Named {
    fn entry(&self) -> Entry {
        entry(self.kind, &self.name, self.rsn, NEVER)
    }

    /// Rule R4 for one entry, in the words of the design.
    fn ends(&self, token: &AccessClaims, kid: &str) -> bool {
        let named = |value: &str| self.name == value;
        match self.kind {
            Kind::Token => named(&token.jti),
            Kind::Session => token.sid.as_deref().is_some_and(named),
            Kind::User => named(&token.sub) && token.rsn < Some(self.rsn),
            Kind::Client => named(&token.client_id) && token.rsn < Some(self.rsn),
            Kind::Tenant => named("default") && token.rsn < Some(self.rsn),
            Kind::Key => named(kid),
        }
    }
}

/// A log: positions rise, names repeat.
fn log() -> impl Strategy<Value = Vec<Named>> {
    let one = (0..KINDS.len(), 0..4_usize, 1..4_i64);
    prop::collection::vec(one, 0..40).prop_map(|drawn| {
        let mut rsn = 0;
        let place = |(kind, name, step): (usize, usize, i64)| {
            rsn += step;
            let name = if KINDS[kind] == Kind::Tenant && name == 0 { "default".into() } else { format!("n{name}") };
            Named { kind: KINDS[kind], name, rsn }
        };
        drawn.into_iter().map(place).collect()
    })
}

fn token() -> impl Strategy<Value = (AccessClaims, String)> {
    let name = || (0..5_usize).prop_map(|n| format!("n{n}"));
    (name(), prop::option::of(name()), name(), name(), name(), 0..130_i64).prop_map(
        |(jti, sid, sub, client_id, kid, rsn)| {
            let token = AccessClaims { jti, sid, sub, client_id, rsn: Some(rsn), ..super::claims(rsn) };
            (token, kid)
        },
    )
}

fn is_dead(state: &State, token: &AccessClaims, kid: &str) -> bool {
    state.check(&Marks::of(token, Some(kid))).is_err()
}

/// The log in one piece from `previous` on up to `head`.
fn piece(log: &[Named], previous: i64, head: i64, time: i64) -> Batch {
    let entries = log.iter().filter(|it| previous < it.rsn && it.rsn <= head).map(Named::entry).collect();
    batch(previous, head, time, entries)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if super::full() { 20_000 } else { 600 }))]

    // I10, I7, I9: whatever pieces come in whatever order, twice, or not at all.
    #[test]
    fn the_view_equals_the_model(
        log in log(),
        tokens in prop::collection::vec(token(), 1..8),
        pieces in prop::collection::vec((0..130_i64, 0..130_i64, any::<bool>()), 0..30),
        floor in prop::option::of(0..60_i64),
    ) {
        let head = log.last().map_or(0, |last| last.rsn);
        let mut state = State::new();
        let mut heard: Vec<&Named> = Vec::new();
        let mut dead_before = vec![false; tokens.len()];
        for (from, to, more) in pieces {
            let (from, to) = (from.min(head), to.min(head));
            let mut part = piece(&log, from.min(to), to, to + 1);
            part.more = more;
            let contiguous = part.previous <= state.cursor;
            let applied = state.apply(&part, AT, 1_000);
            prop_assert_eq!(applied.gap, !contiguous);
            heard.extend(log.iter().filter(|it| part.previous < it.rsn && it.rsn <= to));
            // Every entry at or below the cursor is known: that is what the cursor means.
            for it in log.iter().filter(|it| it.rsn <= state.cursor) {
                prop_assert!(heard.iter().any(|known| known.rsn == it.rsn), "{:?} below {}", it, state.cursor);
            }
            for ((token, kid), before) in tokens.iter().zip(&mut dead_before) {
                let dead = is_dead(&state, token, kid);
                prop_assert_eq!(dead, heard.iter().any(|it| it.ends(token, kid)), "{:?}", token);
                prop_assert!(dead || !*before, "resurrected: {:?}", token);
                *before = dead;
            }
        }
        // The rest in one go, with a floor.
        let mut rest = piece(&log, state.cursor, head.max(state.cursor), head + 2);
        rest.floor = floor.unwrap_or(0);
        prop_assert!(!state.apply(&rest, AT, 1_000).gap);
        for (token, kid) in &tokens {
            let below = token.rsn < floor;
            let expected = below || log.iter().any(|it| it.ends(token, kid));
            prop_assert_eq!(is_dead(&state, token, kid), expected, "{:?}", token);
        }
    }

    // I8: with room for few, everything that should be dead is dead, and what is above the local floor is judged exactly.
    #[test]
    fn a_cap_costs_refreshes_and_nothing_else(
        log in log(),
        tokens in prop::collection::vec(token(), 1..8),
        cap in 1..20_usize,
        step in 1..50_i64,
    ) {
        let head = log.last().map_or(0, |last| last.rsn);
        let mut state = State::new();
        let mut at = 0;
        while at < head {
            state.apply(&piece(&log, at, (at + step).min(head), at + 1), AT, cap);
            prop_assert!(state.entries() <= cap);
            at += step;
        }
        for (token, kid) in &tokens {
            // Ids that end any token are younger than the tokens they end: an id is revoked after it was given out.
            let ends = |it: &&Named| it.ends(token, kid) && (it.kind == Kind::Key || token.rsn < Some(it.rsn));
            let must_die = log.iter().any(|it| ends(&it));
            let floored = token.rsn < Some(state.local_floor);
            let dead = is_dead(&state, token, kid);
            prop_assert!(dead || !must_die, "{:?}, local floor {}", token, state.local_floor);
            prop_assert!(!dead || floored || log.iter().any(|it| it.ends(token, kid)), "{:?}", token);
        }
    }

    // I11: at every time by the signed clock, a token is refused or expired if it should be, although entries were
    // forgotten and the longest lifetime was changed meanwhile.
    #[test]
    fn forgetting_never_revives(
        caps in prop::collection::vec(60..4_000_i64, 1..4),
        lives in prop::collection::vec((0..5_000_i64, 1..4_000_i64, 0..4_000_i64, 0..3_usize), 1..20),
        leeway in 0..=60_i64,
        looks in prop::collection::vec(0..12_000_i64, 1..20),
    ) {
        let cap_at = |time: i64| caps[usize::try_from(time / 2_000).unwrap_or(0).min(caps.len() - 1)];
        // The issuer remembers the longest lifetime that tokens out there may have: lowering it does not shorten entries.
        let longest = caps.iter().copied().max().unwrap_or(60);
        let mut revoked = Vec::new();
        for (number, (iat, life, after, kind)) in lives.into_iter().enumerate() {
            let exp = iat + life.min(cap_at(iat));
            let revoked_at = iat + after;
            let name = format!("n{number}");
            let (kind, until) = match kind {
                0 => (Kind::Token, exp + 60),
                1 => (Kind::Session, exp + 60),
                _ => (Kind::User, revoked_at + longest + 60),
            };
            let rsn = revoked_at * 1_000_000 + 500_000;
            let token = AccessClaims {
                jti: name.clone(), sid: Some(name.clone()), sub: name.clone(), iat, exp,
                ..super::claims(iat * 1_000_000)
            };
            revoked.push((rsn, entry(kind, &name, rsn, until), token));
        }
        revoked.sort_by_key(|(rsn, ..)| *rsn);
        let mut times: Vec<i64> = looks;
        times.sort_unstable();
        let mut state = State::new();
        for time in times {
            let until = time * 1_000_000;
            let news = revoked.iter().filter(|(rsn, ..)| state.cursor < *rsn && *rsn <= until).map(|(_, it, _)| *it);
            let next = batch(state.cursor, until.max(state.cursor), until, news.collect());
            state.apply(&next, AT, 1_000);
            for (rsn, _, token) in &revoked {
                // Judged by a local clock that has stopped: the signed time stands in for it.
                let expired = state.time / 1_000_000 - leeway >= token.exp;
                let dead = state.check(&marks(token)).is_err();
                prop_assert!(*rsn > until || expired || dead, "{:?} at {}", token, time);
            }
        }
    }
}
