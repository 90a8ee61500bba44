//! The two guarded statements against the table of `domain/refresh.rs`: every state of a family, and random states of
//! everything else. Whatever the table says must be what the database did, and nothing else.

use std::time::Duration;

use countersign_server::{
    domain::{
        audit::Source,
        refresh::{Attempt, Family, Outcome, Refusal, Session, decide},
        refresh_token::{MacKeys, Presented},
        rsn::{MinRsn, Rsn},
        session::{Nonce, Sid},
        time::{Timestamp, micros},
    },
    store::{
        Param, StoreError, Tx,
        sessions::{self, Act, Refresh, Refreshed, Successor},
    },
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::{
    both_databases,
    rig::{CLIENT, GRACE, IDLE, Rig, TENANT, USER},
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The generation of the session in every case.
const GENERATION: i64 = 5;
const CURRENT: u8 = 5;
const PARENT: u8 = 4;
const OTHER: u8 = 9;
const DRAWN: u8 = 77;

/// A state and what is shown to it.
#[derive(Debug, Clone)]
pub struct Case {
    shown_generation: i64,
    shown_nonce: u8,
    used: bool,
    committed: bool,
    shares: i64,
    /// Microseconds from the last rotation until now; negative if the clock was set back.
    age: i64,
    grace: Duration,
    /// The nonce that the client commits to.
    next: Option<u8>,
    around: Around,
}

/// What lies around the family of tokens.
#[derive(Debug, Clone)]
struct Around {
    client: &'static str,
    bound_to: Option<&'static str>,
    proof: Option<&'static str>,
    revoked: bool,
    user_disabled: bool,
    client_disabled: bool,
    auth_rsn: i64,
    min_rsn: [i64; 3],
    /// Seconds from now.
    expires_in: i64,
    idle_in: i64,
    /// Seconds from now until the last access token ends, before this refresh.
    at_exp_in: i64,
}

const NOTHING_SPECIAL: Around = Around {
    client: CLIENT,
    bound_to: None,
    proof: None,
    revoked: false,
    user_disabled: false,
    client_disabled: false,
    auth_rsn: 0,
    min_rsn: [0; 3],
    expires_in: 1000,
    idle_in: 1000,
    at_exp_in: 100,
};

/// `exp` of the access token of every refresh, seconds from now.
const NEW_AT_EXP_IN: i64 = 600;

fn nonce(byte: u8) -> Nonce {
    Nonce::new([byte; 16])
}

impl Case {
    fn family(&self) -> Family {
        Family {
            generation: GENERATION,
            nonce: nonce(CURRENT),
            prev_nonce: nonce(PARENT),
            used: self.used,
            shares: self.shares,
            shared_gens: 2,
            rotated_at: Timestamp::from_micros(NOW.micros() - self.age),
            committed: self.committed,
        }
    }

    fn session(&self) -> Session {
        let around = &self.around;
        let [user, client, tenant] = around.min_rsn.map(Rsn::new);
        Session {
            client_id: CLIENT.into(),
            dpop_jkt: around.bound_to.map(str::to_owned),
            revoked: around.revoked,
            disabled: around.user_disabled || around.client_disabled,
            auth_rsn: Rsn::new(around.auth_rsn),
            min_rsn: MinRsn { user, client, tenant },
            expires_at: in_secs(around.expires_in),
            idle_expires_at: in_secs(around.idle_in),
            family: self.family(),
        }
    }

    pub fn presented(&self, keys: &MacKeys, sid: &Sid) -> Presented {
        keys.open(keys.seal(sid, self.shown_generation, &nonce(self.shown_nonce)).expose()).unwrap()
    }

    pub fn refresh(&self, presented: Presented) -> Refresh {
        let source = Source { actor: "anonymous".into(), ip: "192.0.2.1".into(), request_id: "r".into() };
        Refresh {
            presented,
            client_id: self.around.client.into(),
            dpop_jkt: self.around.proof.map(str::to_owned),
            successor: self.next.map_or(Successor::Drawn(nonce(DRAWN)), |next| Successor::Committed(nonce(next))),
            grace: self.grace,
            idle: IDLE,
            at_exp: NOW.secs() + NEW_AT_EXP_IN,
            act: Act {
                issuer: "https://id.example".into(),
                ttl_cap: Duration::from_secs(3600),
                source,
                device: "test".into(),
                random: [1; 16],
                now: NOW,
            },
        }
    }

    pub fn expected(&self, presented: &Presented) -> (Outcome, Family) {
        let next = self.next.map(nonce);
        let attempt = Attempt {
            presented,
            client_id: self.around.client,
            dpop_jkt: self.around.proof,
            next: next.as_ref(),
            now: NOW,
        };
        let outcome = decide(&self.session(), &attempt, self.grace);
        let family = match outcome {
            Outcome::Grant(grant) => self.family().after(grant, &attempt, &nonce(self.next.unwrap_or(DRAWN))),
            Outcome::Refuse(_) => self.family(),
        };
        (outcome, family)
    }
}

fn in_secs(secs: i64) -> Timestamp {
    Timestamp::from_secs(NOW.secs() + secs)
}

/// Puts the case into the database, shows the token, and compares answer, row, log and events with the table.
async fn check(tx: &mut Tx, keys: &MacKeys, sid: &Sid, case: &Case) -> Result<(), StoreError> {
    put(tx, sid, case).await?;
    let presented = case.presented(keys, sid);
    let (expected, family) = case.expected(&presented);
    let answer = sessions::refresh(tx, &case.refresh(presented)).await?;
    match (&answer, &expected) {
        (Refreshed::Granted(rotated), Outcome::Grant(grant)) => {
            assert_eq!(rotated.grant, *grant, "{case:?}");
            assert_eq!((rotated.generation, &rotated.nonce), (family.generation, &family.nonce), "{case:?}");
        }
        (Refreshed::Refused(refusal), Outcome::Refuse(expected)) => assert_eq!(refusal, expected, "{case:?}"),
        _ => panic!("{answer:?} where {expected:?} was due: {case:?}"),
    }
    compare(tx, sid, case, &expected, &family).await
}

pub async fn put(tx: &mut Tx, sid: &Sid, case: &Case) -> Result<(), StoreError> {
    const SESSION: &str = "UPDATE sessions SET gen = $1, nonce = $2, prev_nonce = $3, used = $4, shares = $5, \
        shared_gens = 2, rotated_at = $6, committed = $7, outcome = 0, dpop_jkt = $8, revoked_at = $9, \
        revoked_reason = NULL, revoked_detail = NULL, auth_rsn = $10, expires_at = $11, idle_expires_at = $12, \
        at_exp = $13, last_seen_at = 0 WHERE sid = $14";
    const USERS: &str = "UPDATE users SET min_rsn = $1, disabled_at = $2 WHERE user_id = $3";
    const CLIENTS: &str = "UPDATE clients SET min_rsn = $1, disabled_at = $2 WHERE client_id = $3";
    const TENANTS: &str = "UPDATE tenants SET min_rsn = $1 WHERE tenant = $2";
    let (family, around) = (case.family(), &case.around);
    let since = |set: bool| -> Param<'_> { set.then_some(1_i64).into() };
    let params = [
        family.generation.into(),
        family.nonce.expose().into(),
        family.prev_nonce.expose().into(),
        i64::from(family.used).into(),
        family.shares.into(),
        family.rotated_at.into(),
        i64::from(family.committed).into(),
        around.bound_to.into(),
        since(around.revoked),
        around.auth_rsn.into(),
        in_secs(around.expires_in).into(),
        in_secs(around.idle_in).into(),
        (NOW.secs() + around.at_exp_in).into(),
        sid.as_str().into(),
    ];
    assert_eq!(tx.execute(SESSION, &params).await?, 1);
    let [user, client, tenant] = around.min_rsn;
    tx.execute(USERS, &[user.into(), since(around.user_disabled), USER.into()]).await?;
    tx.execute(CLIENTS, &[client.into(), since(around.client_disabled), CLIENT.into()]).await?;
    tx.execute(TENANTS, &[tenant.into(), TENANT.into()]).await?;
    tx.execute("DELETE FROM rev_log", &[]).await?;
    tx.execute("DELETE FROM audit", &[]).await?;
    Ok(())
}

pub async fn compare(
    tx: &mut Tx,
    sid: &Sid,
    case: &Case,
    outcome: &Outcome,
    family: &Family,
) -> Result<(), StoreError> {
    const SQL: &str = "SELECT gen, nonce, prev_nonce, used, shares, shared_gens, rotated_at, committed, outcome, at_exp, \
        last_seen_at, idle_expires_at, revoked_at, revoked_reason, (SELECT count(*) FROM rev_log), \
        (SELECT count(*) FROM audit WHERE event = 'authn_token_reuse') FROM sessions WHERE sid = $1";
    let row = tx.fetch_optional(SQL, &[sid.as_str().into()]).await?.unwrap();
    let stored = Family {
        generation: row.get(0)?,
        nonce: Nonce::new(row.get(1)?),
        prev_nonce: Nonce::new(row.get(2)?),
        used: row.get::<i64>(3)? == 1,
        shares: row.get(4)?,
        shared_gens: row.get(5)?,
        rotated_at: row.get(6)?,
        committed: row.get::<i64>(7)? == 1,
    };
    assert!(stored == *family, "{case:?}: {stored:?} where {family:?} was due");

    let (around, now) = (&case.around, NOW.micros());
    let code: i64 = row.get(8)?;
    let lives: [i64; 3] = [row.get(9)?, row.get(10)?, row.get(11)?];
    let dead: (Option<i64>, Option<String>) = (row.get(12)?, row.get(13)?);
    let written: (i64, i64) = (row.get(14)?, row.get(15)?);
    let before = NOW.secs() + around.at_exp_in;
    match outcome {
        Outcome::Grant(grant) => {
            assert_eq!(code, grant.code(), "{case:?}");
            assert_eq!(lives, [before.max(NOW.secs() + NEW_AT_EXP_IN), now, now + micros(IDLE)], "{case:?}");
            assert_eq!((dead, written), ((None, None), (0, 0)), "{case:?}");
        }
        Outcome::Refuse(Refusal { revoke, .. }) => {
            assert_eq!((code, lives), (0, [before, 0, in_secs(around.idle_in).micros()]), "{case:?}");
            let killed = revoke.is_some();
            let needs_entry = killed && around.at_exp_in + 60 > 0;
            assert_eq!(written, (i64::from(needs_entry), i64::from(killed)), "{case:?}");
            let reason = killed.then(|| "reuse".to_owned());
            let at = if killed { Some(now) } else { around.revoked.then_some(1) };
            assert_eq!(dead, (at, reason), "{case:?}");
        }
    }
    Ok(())
}

/// Every family, every token that could be shown to it, at every age that makes a difference.
pub fn every_family() -> Vec<Case> {
    let grace = micros(GRACE);
    let ages = [0, 1, grace - 1, grace, grace + 1, 10 * grace, -1, 1 - grace, -grace, -10 * grace];
    let mut cases = Vec::new();
    for shown_generation in GENERATION - 2..=GENERATION + 1 {
        for shown_nonce in [CURRENT, PARENT, OTHER] {
            for (used, committed, shares) in triples(&[false, true], &[false, true], &[0, 3]) {
                for (age, grace, next) in triples(&ages, &[Duration::ZERO, GRACE], &[None, Some(CURRENT), Some(OTHER)])
                {
                    let around = NOTHING_SPECIAL;
                    cases.push(Case {
                        shown_generation,
                        shown_nonce,
                        used,
                        committed,
                        shares,
                        age,
                        grace,
                        next,
                        around,
                    });
                }
            }
        }
    }
    cases
}

fn triples<A: Copy, B: Copy, C: Copy>(a: &[A], b: &[B], c: &[C]) -> Vec<(A, B, C)> {
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b)));
    pairs.flat_map(|(a, b)| c.iter().map(move |c| (a, b, *c))).collect()
}

prop_compose! {
    fn any_around()(
        client in prop_oneof![9 => Just(CLIENT), 1 => Just("other")],
        bound_to in prop_oneof![6 => Just(None), 2 => Just(Some("key-1"))],
        proof in prop_oneof![Just(None), Just(Some("key-1")), Just(Some("key-2"))],
        [revoked, user_disabled, client_disabled] in prop::array::uniform3(prop::bool::weighted(0.1)),
        auth_rsn in 3..10_i64,
        min_rsn in prop::array::uniform3(prop_oneof![5 => 0..4_i64, 1 => 0..10_i64]),
        [expires_in, idle_in] in prop::array::uniform2(prop_oneof![1 => -2..=0_i64, 8 => 1..1000_i64]),
        at_exp_in in prop_oneof![-70..-50_i64, 0..2000_i64],
    ) -> Around {
        Around {
            client, bound_to, proof, revoked, user_disabled, client_disabled, auth_rsn, min_rsn, expires_in, idle_in,
            at_exp_in,
        }
    }
}

prop_compose! {
    fn any_case()(
        (shown_generation, shown_nonce) in prop_oneof![
            Just((GENERATION, CURRENT)), Just((GENERATION - 1, PARENT)),
            (GENERATION - 3..=GENERATION + 2, prop_oneof![Just(CURRENT), Just(PARENT), Just(OTHER)]),
        ],
        [used, committed] in any::<[bool; 2]>(),
        shares in 0..12_i64,
        age in prop_oneof![-30_000_000..30_000_000_i64, 9_999_998..=10_000_002_i64],
        grace in prop_oneof![1 => Just(Duration::ZERO), 3 => Just(GRACE), 1 => (1..30_000u64).prop_map(Duration::from_millis)],
        next in prop_oneof![Just(None), Just(Some(CURRENT)), Just(Some(OTHER))],
        around in any_around(),
    ) -> Case {
        Case { shown_generation, shown_nonce, used, committed, shares, age, grace, next, around }
    }
}

async fn check_all(rig: &Rig, cases: Vec<Case>) {
    let (sid, _) = rig.session().await;
    for part in cases.chunks(20) {
        let (keys, sid, part) = (rig.keys.clone(), sid.clone(), part.to_vec());
        let checked = rig.store.write(move |tx| {
            let (keys, sid, part) = (keys.clone(), sid.clone(), part.clone());
            Box::pin(async move {
                for case in &part {
                    check(tx, &keys, &sid, case).await?;
                }
                Ok(())
            })
        });
        checked.await.unwrap();
    }
}

both_databases! {
    // REF-04 to REF-08: all states of a family × all tokens.
    async fn the_statements_do_what_the_table_says(store: Store) {
        let cases = every_family();
        assert_eq!(cases.len(), 4 * 3 * 8 * 10 * 2 * 3);
        check_all(&Rig::new(store).await, cases).await;
    }

    async fn the_statements_do_what_the_table_says_in_any_surroundings(store: Store) {
        let mut runner = TestRunner::default();
        let mut case = || any_case().new_tree(&mut runner).unwrap().current();
        let cases = (0..2000).map(|_| case()).collect();
        check_all(&Rig::new(store).await, cases).await;
    }
}
