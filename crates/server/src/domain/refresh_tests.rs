use super::*;
use crate::domain::{refresh_token::MacKeys, session::Sid};

const GRACE: Duration = Duration::from_secs(10);
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn nonce(byte: u8) -> Nonce {
    Nonce::new([byte; 16])
}

fn shown(generation: i64, byte: u8) -> Presented {
    let keys = MacKeys::new(1, [(1, &[1; 32][..])]).unwrap();
    keys.open(keys.seal(&Sid::new("u", &[0; 16]), generation, &nonce(byte)).expose()).unwrap()
}

/// Generation 5, current nonce 5, parent's nonce 4, rotated at `START`.
fn session() -> Session {
    let family = Family { generation: 5, prev_nonce: nonce(4), rotated_at: START, ..Family::new(nonce(5)) };
    Session {
        client_id: "app".into(),
        dpop_jkt: None,
        revoked: false,
        disabled: false,
        auth_rsn: Rsn::new(100),
        min_rsn: MinRsn::default(),
        expires_at: START.plus(Duration::from_secs(1000)),
        idle_expires_at: START.plus(Duration::from_secs(100)),
        family,
    }
}

fn attempt(presented: &Presented, after: Duration) -> Attempt<'_> {
    Attempt { presented, client_id: "app", dpop_jkt: None, next: None, now: START.plus(after) }
}

fn on(session: &Session, presented: &Presented, after: Duration) -> Result<Grant, Reason> {
    answer(session, &attempt(presented, after), GRACE)
}

fn answer(session: &Session, attempt: &Attempt<'_>, grace: Duration) -> Result<Grant, Reason> {
    match decide(session, attempt, grace) {
        Outcome::Grant(grant) => Ok(grant),
        Outcome::Refuse(refusal) => {
            let dies = matches!(refusal.reason, Reason::Reused(_));
            assert_eq!(refusal.revoke.is_some(), dies, "only a theft ends a session");
            Err(refusal.reason)
        }
    }
}

const YOUNG: Duration = Duration::from_millis(9_999);
const OLD: Duration = GRACE;

#[test]
fn rule_a_is_this_table() {
    // REF-05, REF-06, REF-12
    let (unused, mut used) = (session(), session());
    used.family.used = true;
    let (current, parent, void, other_parent) = (shown(5, 5), shown(4, 4), shown(5, 9), shown(4, 9));
    let (older, future) = (shown(3, 3), shown(6, 6));
    let reused = |theft| Err(Reason::Reused(theft));
    let table = [
        (&unused, &current, YOUNG, Ok(Grant::Again)),
        (&used, &current, YOUNG, Ok(Grant::Again)),
        (&unused, &current, OLD, Ok(Grant::Rotate)),
        (&used, &current, OLD, Ok(Grant::Rotate)),
        (&unused, &parent, YOUNG, Ok(Grant::Share)),
        (&used, &parent, YOUNG, Ok(Grant::Share)),
        (&unused, &parent, OLD, Ok(Grant::Replace)),
        (&used, &parent, OLD, reused(Theft::ParentIsOver)),
        (&unused, &void, YOUNG, reused(Theft::Void)),
        (&unused, &other_parent, YOUNG, reused(Theft::Void)),
        (&unused, &older, YOUNG, reused(Theft::Older)),
        (&unused, &older, OLD, reused(Theft::Older)),
        (&unused, &future, YOUNG, Err(Reason::Future)),
        (&used, &future, OLD, Err(Reason::Future)),
    ];
    for (session, presented, after, expected) in table {
        assert_eq!(on(session, presented, after), expected, "{presented:?} after {after:?}, {:?}", session.family);
    }
}

#[test]
fn rule_b_is_this_table() {
    let (uncommitted, mut committed) = (session(), session());
    committed.family.committed = true;
    let (current, parent, older, void, future) = (shown(5, 5), shown(4, 4), shown(3, 3), shown(5, 9), shown(6, 6));
    let (same, another) = (nonce(5), nonce(77));
    let reused = |theft| Err(Reason::Reused(theft));
    let table = [
        // The first refresh that names a successor commits the session to rule B, at any time.
        (&uncommitted, &current, Some(&another), Ok(Grant::Rotate)),
        // A parent whose response was lost before is still served as rule A serves it.
        (&uncommitted, &parent, Some(&another), Ok(Grant::Share)),
        (&committed, &current, Some(&another), Ok(Grant::Rotate)),
        (&committed, &parent, Some(&same), Ok(Grant::Retry)),
        (&committed, &parent, Some(&another), reused(Theft::OtherSuccessor)),
        (&committed, &older, Some(&same), reused(Theft::Older)),
        (&committed, &void, Some(&same), reused(Theft::Void)),
        (&committed, &future, Some(&same), Err(Reason::Future)),
        (&committed, &current, None, reused(Theft::Uncommitted)),
        (&committed, &parent, None, reused(Theft::Uncommitted)),
        (&committed, &future, None, Err(Reason::Future)),
    ];
    for (session, presented, next, expected) in table {
        for after in [Duration::ZERO, YOUNG, OLD, 9 * OLD] {
            let expected = match expected {
                Ok(Grant::Share) if after >= OLD => Ok(Grant::Replace),
                other => other,
            };
            let attempt = Attempt { next, ..attempt(presented, after) };
            assert_eq!(answer(session, &attempt, GRACE), expected, "{presented:?} {next:?} after {after:?}");
        }
    }
}

#[test]
fn what_closes_a_session_to_an_attempt_never_ends_it() {
    // REF-02, REF-03, REF-10, REF-11
    let good = session();
    let cases = [
        (Session { client_id: "other".into(), ..good.clone() }, Reason::OtherClient),
        (Session { dpop_jkt: Some("key".into()), ..good.clone() }, Reason::OtherKey),
        (Session { revoked: true, ..good.clone() }, Reason::Ended),
        (Session { disabled: true, ..good.clone() }, Reason::Disabled),
        (Session { min_rsn: MinRsn { user: Rsn::new(101), ..MinRsn::default() }, ..good.clone() }, Reason::SignedOut),
        (Session { expires_at: START, ..good.clone() }, Reason::Expired),
        (Session { idle_expires_at: START, ..good }, Reason::Idle),
    ];
    for (session, reason) in cases {
        for presented in [shown(5, 5), shown(4, 4), shown(3, 3), shown(6, 6)] {
            assert_eq!(on(&session, &presented, Duration::ZERO), Err(reason), "{presented:?}");
        }
    }
}

#[test]
fn a_grace_of_zero_makes_every_token_good_for_one_use() {
    let session = session();
    for after in [Duration::ZERO, YOUNG, OLD] {
        let once = |presented: &Presented| answer(&session, &attempt(presented, after), Duration::ZERO);
        assert_eq!(once(&shown(5, 5)), Ok(Grant::Rotate));
        assert_eq!(once(&shown(4, 4)), Err(Reason::Reused(Theft::ParentIsOver)));
    }
}

#[test]
fn a_clock_set_back_does_not_stretch_the_grace() {
    // Between replicas a rotation may seem to lie a little ahead; a day ahead is a clock that was set back (I-6).
    let mut session = session();
    session.family.rotated_at = START.plus(Duration::from_secs(1));
    assert_eq!(on(&session, &shown(4, 4), Duration::ZERO), Ok(Grant::Share));
    session.family.rotated_at = START.plus(Duration::from_secs(86_400));
    assert_eq!(on(&session, &shown(5, 5), Duration::ZERO), Ok(Grant::Rotate));
    assert_eq!(on(&session, &shown(4, 4), Duration::ZERO), Ok(Grant::Replace));
}

#[test]
fn a_kill_says_which_token_and_how_far_apart() {
    let presented = shown(3, 3);
    let Outcome::Refuse(refusal) = decide(&session(), &attempt(&presented, OLD), GRACE) else { panic!("must refuse") };
    let reuse = Reuse { theft: Theft::Older, generation: 3, current: 5, since_rotation: OLD };
    assert_eq!(refusal, Refusal { reason: Reason::Reused(Theft::Older), revoke: Some(reuse) });
}

#[test]
fn grants_change_the_family_as_the_rule_says() {
    let (current, parent) = (shown(5, 5), shown(4, 4));
    let family = Family { shares: 2, shared_gens: 3, used: true, ..session().family };
    let later = START.plus(OLD);
    let after = |grant, presented| family.clone().after(grant, &attempt(presented, OLD), &nonce(6));
    let rotated = Family { generation: 6, prev_nonce: nonce(5), nonce: nonce(6), ..family.clone() };
    assert_eq!(after(Grant::Rotate, &current), Family { used: false, shares: 0, rotated_at: later, ..rotated });
    let replaced = Family { nonce: nonce(6), used: false, rotated_at: later, ..family.clone() };
    assert_eq!(after(Grant::Replace, &parent), replaced);
    assert_eq!(after(Grant::Share, &parent), Family { shares: 3, ..family.clone() });
    assert_eq!(after(Grant::Retry, &parent), family);
    let unused = Family { used: false, shares: 0, ..family };
    let next = unused.clone().after(Grant::Share, &attempt(&parent, YOUNG), &nonce(6));
    assert_eq!(next, Family { shares: 1, shared_gens: 4, ..unused });
}

#[test]
fn many_shares_are_told_once_per_generation_and_at_each_doubling() {
    // REF-08
    let in_one = (1..=100).filter(|shares| riding(*shares, 1, 50).is_some()).collect::<Vec<_>>();
    assert_eq!(in_one, [MANY_SHARES]);
    let in_each = (1..=100).filter(|gens| riding(1, *gens, *gens).is_some()).collect::<Vec<_>>();
    assert_eq!(in_each, [8, 16, 32, 64]);
    assert_eq!(riding(1, 8, 16), None, "half of the generations is not most");
}
