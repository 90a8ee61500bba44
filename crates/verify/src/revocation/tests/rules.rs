//! Rule by rule.

use std::time::Duration;

use countersign_jose::revocation::Kind;

use super::{
    super::{
        Anchor, Cleared, Entry, NEVER, State,
        state::{Applied, Dead},
    },
    batch, claims, entry, forever, marks,
};

const MANY: usize = 1_000;
const AT: Duration = Duration::ZERO;

fn with(batches: &[super::Batch]) -> State {
    let mut state = State::new();
    for batch in batches {
        state.apply(batch, AT, MANY);
    }
    state
}

// R4, REF-12
#[test]
fn unconditional_entries_end_any_token_and_conditional_ones_older_tokens() {
    for (kind, value) in [(Kind::Token, "token"), (Kind::Session, "session")] {
        let state = with(&[batch(0, 50, 60, vec![forever(kind, value, 50)])]);
        for rsn in [1, 49, 50, 51, 1_000] {
            assert_eq!(state.check(&marks(&claims(rsn))), Err(Dead::Revoked(kind, 50)), "{kind:?} {rsn}");
        }
    }
    for (kind, value) in [(Kind::User, "user"), (Kind::Client, "client"), (Kind::Tenant, "default")] {
        let state = with(&[batch(0, 50, 60, vec![forever(kind, value, 50)])]);
        assert_eq!(state.check(&marks(&claims(49))), Err(Dead::Revoked(kind, 50)));
        // I6: what was issued at or after the revocation, in the same second, is good.
        assert_eq!(state.check(&marks(&claims(50))), Ok(()));
        assert_eq!(state.check(&marks(&claims(51))), Ok(()));
    }
}

// R4
#[test]
fn a_killed_key_and_a_floor_end_tokens() {
    let state = with(&[batch(0, 50, 60, vec![forever(Kind::Key, "key", 50)])]);
    assert_eq!(state.check(&marks(&claims(1_000))), Err(Dead::Revoked(Kind::Key, 50)));
    let mut floor = batch(0, 50, 60, vec![]);
    floor.floor = 40;
    let state = with(&[floor]);
    assert_eq!(state.check(&marks(&claims(39))), Err(Dead::BelowFloor(40)));
    assert_eq!(state.check(&marks(&claims(40))), Ok(()));
}

// R4: a token of an issuer that numbers nothing errs to being refused, within its second.
#[test]
fn a_token_without_rsn_stands_at_the_beginning_of_its_second() {
    let mut token = claims(0);
    (token.rsn, token.iat) = (None, 100);
    let state = |rsn| with(&[batch(0, rsn, rsn, vec![forever(Kind::User, "user", rsn)])]);
    assert!(state(100_000_001).check(&marks(&token)).is_err());
    assert!(state(100_000_000).check(&marks(&token)).is_ok());
    assert!(state(99_999_999).check(&marks(&token)).is_ok());
}

// R4: another tenant's user of the same name is somebody else.
#[test]
fn names_hold_within_their_tenant() {
    let state = with(&[batch(0, 50, 60, vec![forever(Kind::User, "user", 50), forever(Kind::Tenant, "default", 50)])]);
    let mut token = claims(1);
    token.tid = Some("other".into());
    assert_eq!(state.check(&marks(&token)), Ok(()));
}

// I7: a gap is not papered over.
#[test]
fn a_gap_ends_what_it_names_and_proves_nothing() {
    let mut state = with(&[batch(0, 10, 10, vec![])]);
    let applied = state.apply(&batch(20, 30, 30, vec![forever(Kind::Token, "token", 25)]), AT, MANY);
    assert_eq!(applied, Applied { news: true, gap: true, ..Applied::default() });
    assert_eq!((state.cursor, state.head, state.time), (10, 10, 10));
    assert!(state.check(&marks(&claims(1))).is_err(), "killing early is safe");
    let applied = state.apply(&batch(10, 30, 31, vec![forever(Kind::Session, "other", 15)]), AT, MANY);
    assert!(!applied.gap);
    assert_eq!((state.cursor, state.time), (30, 31));
}

// I7: parts of a snapshot prove nothing before the last one.
#[test]
fn a_snapshot_counts_when_it_is_whole() {
    let mut state = State::new();
    let mut part = batch(0, 10, 99, vec![forever(Kind::Token, "a", 5)]);
    part.more = true;
    state.apply(&part, AT, MANY);
    assert_eq!((state.cursor, state.time), (10, 0));
    let resumed = batch(10, 20, 100, vec![]);
    assert!(!state.apply(&resumed, AT, MANY).gap, "it goes on where the first part ended");
    assert_eq!((state.cursor, state.time), (20, 100));
}

// I9: an older time never makes the view younger, nor the head smaller.
#[test]
fn an_older_batch_changes_nothing() {
    let mut state = with(&[batch(0, 50, 500, vec![])]);
    let applied = state.apply(&batch(0, 20, 200, vec![]), AT, MANY);
    assert_eq!(applied, Applied::default(), "a slower replica is no alarm");
    assert_eq!((state.head, state.cursor, state.time), (50, 50, 500));
}

// I7, failover that lost commits: the union is kept, and what comes anew below the old head is read.
#[test]
fn lost_commits_raise_an_alarm_and_lose_nothing_here() {
    let mut state = with(&[batch(0, 50, 500, vec![forever(Kind::Token, "token", 50)])]);
    let applied = state.apply(&batch(40, 45, 600, vec![]), AT, MANY);
    assert!(applied.lost_commits);
    assert_eq!((state.head, state.cursor, state.time), (50, 45, 600));
    assert!(state.check(&marks(&claims(1))).is_err());
    let applied = state.apply(&batch(48, 52, 700, vec![]), AT, MANY);
    assert!(applied.gap, "something may be between 45 and 48");
    let applied = state.apply(&batch(45, 52, 700, vec![forever(Kind::Session, "session", 47)]), AT, MANY);
    assert_eq!((applied.gap, state.cursor, state.head), (false, 52, 52));
}

// I8
#[test]
fn over_the_cap_the_oldest_go_and_a_local_floor_takes_their_place() {
    let mut state = State::new();
    let entries = (1..=200).map(|n| forever(Kind::Session, &n.to_string(), n)).collect();
    let applied = state.apply(&batch(0, 200, 200, entries), AT, 100);
    assert!(applied.overflow);
    assert!(state.entries() <= 100);
    let floor = state.local_floor;
    for n in 1..=200 {
        let mut token = claims(n - 1);
        token.sid = Some(n.to_string());
        assert!(state.check(&marks(&token)).is_err(), "session {n}, floor {floor}");
    }
    assert!(state.check(&marks(&claims(200))).is_ok(), "new tokens are good");
    assert_eq!(state.check(&marks(&claims(floor - 1))), Err(Dead::BelowFloor(floor)), "older ones refresh");
}

// I11: what the log has forgotten has expired by the same clock.
#[test]
fn entries_are_forgotten_by_the_signed_time_alone() {
    let mut state = with(&[batch(0, 50, 60, vec![entry(Kind::Token, "token", 50, 1_000)])]);
    state.apply(&batch(50, 50, 999_999_999, vec![]), Duration::from_secs(1_000_000), MANY);
    assert!(state.check(&marks(&claims(1))).is_err());
    state.apply(&batch(50, 50, 1_000_000_000, vec![]), AT, MANY);
    assert!(state.check(&marks(&claims(1))).is_ok());
}

#[test]
fn the_age_is_known_once_there_is_a_snapshot_and_a_time() {
    let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3_600));
    let mut state = State::new();
    assert_eq!(state.age(hour), None);
    state.set_anchor(Anchor { now: 7_000_000, sent_at: second }, second);
    assert_eq!(state.age(hour), None, "no snapshot yet");
    state.apply(&batch(0, 5, 6_500_000, vec![]), second, MANY);
    assert_eq!(state.age(second), Some(500_200));
    // I14: whatever stopped meanwhile, the first look afterwards sees the true age.
    assert!(state.age(second + hour).is_some_and(|age| age >= 3_600_500_000));
    let bound = Duration::from_secs(10);
    let stale_at = state.stale_at(bound, second);
    assert!(state.age(stale_at).is_some_and(|age| (9_900_000..=10_000_000).contains(&age)));
}

// I9: a batch signed in the future does not make the view immortal, a negative age counts as none.
#[test]
fn a_time_ahead_of_the_anchor_is_age_zero() {
    let mut state = with(&[batch(0, 5, 9_000_000, vec![])]);
    state.set_anchor(Anchor { now: 1_000_000, sent_at: AT }, AT);
    assert_eq!(state.age(AT), Some(0));
}

// I2: whoever was found good by one base is looked for among the news, and anew as soon as the base is another one.
#[test]
fn a_token_that_was_cleared_dies_all_the_same() {
    let token = marks(&claims(5));
    let entry = |kind, id, rsn| Entry { kind, id, rsn, exp: NEVER };
    let crowd = |from: u128| (from..from + 1_500).map(|id| entry(Kind::Session, id, 1)).collect::<Vec<_>>();
    for (kind, id) in [(Kind::Session, token.session), (Kind::Token, token.token), (Kind::User, token.user)] {
        for crowded in [false, true] {
            let mut state = State::new();
            let cleared = Cleared::default();
            let good = |state: &State| {
                let known = cleared.by(state.base());
                let good = state.check_again(&token, known).is_ok();
                assert_eq!(good, state.check(&token).is_ok(), "{kind:?}, known: {known}");
                if good && !known {
                    cleared.note(state.base());
                }
                good
            };
            let mut head = 0;
            let mut apply = |state: &mut State, entries: Vec<Entry>| {
                head += 1;
                state.apply(&batch(head - 1, head, head, entries), Duration::ZERO, usize::MAX);
            };
            assert!(good(&state));
            apply(&mut state, crowd(1));
            assert!(good(&state) && good(&state));
            let mut last = vec![entry(kind, id, 9)];
            // So many that they become a base of their own, and the news are none.
            last.extend(if crowded { crowd(10_000) } else { Vec::new() });
            apply(&mut state, last);
            assert!(!good(&state) && !good(&state), "{kind:?}, crowded: {crowded}");
        }
    }
}
