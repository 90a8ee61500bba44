//! Every order in which two and three presenters of one token can use what they hold: with every response delivered or
//! lost, and every pause between two uses. The rule is played through first, its invariants are checked, and the
//! databases must tell the same story.

use std::{collections::HashMap, time::Duration};

use countersign_server::{
    domain::{
        refresh::{Attempt, Family, Grant, Outcome, Reason, Refusal, Session, decide},
        refresh_token::{MacKeys, Presented},
        rsn::{MinRsn, Rsn},
        session::{Nonce, Sid},
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        sessions::{self, Refresh, Refreshed, Successor},
    },
};

use crate::{
    both_databases,
    rig::{CLIENT, GRACE, IDLE, Rig},
};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Nothing, within the grace, and the grace itself.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(4), GRACE];

/// Who uses its token when, and which responses are lost.
#[derive(Debug, Clone)]
struct Story {
    order: Vec<usize>,
    lost: u32,
    pauses: Vec<Duration>,
    /// Rule B: each presenter names successors of its own.
    named: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Token {
    generation: i64,
    nonce: u8,
}

const FIRST: Token = Token { generation: 0, nonce: 0 };

/// One use and what came of it.
#[derive(Debug, Clone)]
struct Act {
    presenter: usize,
    shown: Token,
    /// What a rule B client names, or the server draws.
    next: u8,
    now: Timestamp,
    answer: Result<(Grant, Token), Reason>,
}

fn nonce(id: u8) -> Nonce {
    Nonce::new([id; 16])
}

/// Authentic tokens, made once: a story uses few of them.
struct Tokens {
    keys: MacKeys,
    sid: Sid,
    made: HashMap<Token, Presented>,
}

impl Tokens {
    fn presented(&mut self, token: Token) -> Presented {
        let (keys, sid) = (&self.keys, &self.sid);
        let make = || keys.open(keys.seal(sid, token.generation, &nonce(token.nonce)).expose()).unwrap();
        self.made.entry(token).or_insert_with(make).clone()
    }
}

/// Plays the story by the table.
fn play(story: &Story, tokens: &mut Tokens) -> Vec<Act> {
    let mut session = Session {
        client_id: CLIENT.into(),
        dpop_jkt: None,
        revoked: false,
        disabled: false,
        auth_rsn: Rsn::default(),
        min_rsn: MinRsn::default(),
        expires_at: START.plus(IDLE),
        idle_expires_at: START.plus(IDLE),
        family: Family::new(nonce(FIRST.nonce)),
    };
    let mut held = [FIRST; 3];
    // Rule B: a client keeps the name of its successor until it has it.
    let mut named = [None; 3];
    let (mut now, mut acts) = (START, Vec::new());
    for (at, &presenter) in story.order.iter().enumerate() {
        now = now.plus(at.checked_sub(1).map_or(Duration::ZERO, |before| story.pauses[before]));
        let fresh = u8::try_from(at).unwrap() + 1;
        let next = if story.named { *named[presenter].get_or_insert(fresh) } else { fresh };
        let shown = held[presenter];
        let (presented, new) = (tokens.presented(shown), nonce(next));
        let attempt = Attempt {
            presented: &presented,
            client_id: CLIENT,
            dpop_jkt: None,
            next: story.named.then_some(&new),
            now,
        };
        let answer = match decide(&session, &attempt, GRACE) {
            Outcome::Grant(grant) => {
                session.family = session.family.after(grant, &attempt, &new);
                let nonce = session.family.nonce.expose()[0];
                Ok((grant, Token { generation: session.family.generation, nonce }))
            }
            Outcome::Refuse(Refusal { reason, revoke }) => {
                session.revoked |= revoke.is_some();
                Err(reason)
            }
        };
        if let Ok((_, token)) = answer
            && story.lost & (1 << at) == 0
        {
            held[presenter] = token;
            named[presenter] = None;
        }
        acts.push(Act { presenter, shown, next, now, answer });
    }
    acts
}

/// What must hold in every story.
fn check(story: &Story, acts: &[Act]) {
    let presenters = story.order.iter().max().unwrap() + 1;
    let refusal = acts.iter().position(|act| act.answer.is_err());
    // Once it has ended, it has ended for all (REF-07).
    let after = refusal.map_or(&[][..], |at| &acts[at + 1..]);
    assert!(after.iter().all(|act| act.answer == Err(Reason::Ended)), "{story:?} {acts:?}");
    // Nobody who is alone is ever signed out, whatever is lost and however long it takes (I-2, REF-05).
    assert!(presenters > 1 || refusal.is_none(), "{story:?} {acts:?}");

    let (mut successor, mut rotated_at) = (HashMap::new(), None);
    for act in acts {
        let Ok((grant, token)) = act.answer else { continue };
        // All that were answered for one generation hold the same token (I-3), until a lost one is replaced.
        if matches!(grant, Grant::Rotate | Grant::Replace) {
            successor.insert(token.generation, token);
        }
        assert_eq!(successor.get(&token.generation).copied().unwrap_or(FIRST), token, "{story:?} {acts:?}");
        if grant == Grant::Rotate && !story.named {
            let young = rotated_at.is_some_and(|at: Timestamp| act.now.since(at) < GRACE);
            assert!(!young, "two rotations within one grace: {story:?} {acts:?}");
            rotated_at = Some(act.now);
        }
    }
    if story.named {
        check_named(story, acts);
    } else {
        // Parallel use within one grace signs nobody out.
        let within_grace = story.pauses.iter().sum::<Duration>() < GRACE;
        assert!(!within_grace || refusal.is_none(), "{story:?} {acts:?}");
    }
}

/// Rule B: whoever uses a token for which another has named a successor is found out at once.
fn check_named(story: &Story, acts: &[Act]) {
    for (at, act) in acts.iter().enumerate() {
        let robbed =
            |before: &Act| before.shown == act.shown && before.presenter != act.presenter && before.answer.is_ok();
        if acts[..at].iter().any(robbed) {
            assert!(act.answer.is_err(), "{story:?} {acts:?}");
        }
        assert!(!matches!(act.answer, Ok((Grant::Share | Grant::Replace | Grant::Again, _))), "{story:?} {acts:?}");
    }
}

/// All stories of so many presenters who use a token so often, with these losses and pauses.
fn stories(presenters: usize, uses: usize, losses: std::ops::Range<u32>, pauses: &[Duration]) -> Vec<Story> {
    let mut all = Vec::new();
    for order in orders(&mut vec![uses; presenters], presenters * uses) {
        for lost in losses.clone() {
            for pauses in words(pauses, order.len() - 1) {
                for named in [false, true] {
                    all.push(Story { order: order.clone(), lost, pauses: pauses.clone(), named });
                }
            }
        }
    }
    all
}

/// All of them with `--full`. Otherwise one in `n`, which is odd: still every order, and each of its losses and pauses in
/// some of them.
fn some(all: Vec<Story>, n: usize) -> impl Iterator<Item = Story> {
    let n = if std::env::var_os("COUNTERSIGN_TEST_FULL").is_some() { 1 } else { n };
    all.into_iter().step_by(n)
}

/// Every order in which presenters can take their turns.
fn orders(left: &mut Vec<usize>, turns: usize) -> Vec<Vec<usize>> {
    if turns == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for presenter in 0..left.len() {
        if left[presenter] == 0 {
            continue;
        }
        left[presenter] -= 1;
        for mut rest in orders(left, turns - 1) {
            rest.insert(0, presenter);
            all.push(rest);
        }
        left[presenter] += 1;
    }
    all
}

/// Every word of this length over these letters.
fn words<T: Copy>(letters: &[T], length: usize) -> Vec<Vec<T>> {
    (0..length).fold(vec![Vec::new()], |words, _| {
        let longer = |word: &Vec<T>, letter: &T| word.iter().chain([letter]).copied().collect();
        words.iter().flat_map(|word| letters.iter().map(move |letter| longer(word, letter))).collect()
    })
}

fn tokens(sid: Sid, keys: MacKeys) -> Tokens {
    Tokens { keys, sid, made: HashMap::new() }
}

// REF-04 to REF-07, I-2, I-3, by the table alone: it can be played through more often than a database.
#[test]
fn the_rule_holds_in_every_interleaving() {
    let mut tokens = tokens(Sid::new("u", &[0; 16]), MacKeys::new(1, [(1, &[1; 32][..])]).unwrap());
    let alone = stories(1, 6, 0..64, &PAUSES);
    let two = stories(2, 3, 0..64, &PAUSES);
    let three = stories(3, 2, 0..64, &[Duration::ZERO, GRACE]);
    let mut count = 0;
    for story in some(alone, 3).chain(some(two, 5)).chain(some(three, 5)) {
        check(&story, &play(&story, &mut tokens));
        count += 1;
    }
    println!("{count} stories");
}

/// Tells a story to the database.
async fn tell(tx: &mut Tx, rig: &Rig, sid: &Sid, acts: &[Act], named: bool) -> Result<(), StoreError> {
    const RESET: &str = "UPDATE sessions SET gen = 0, nonce = $1, prev_nonce = $2, used = 0, shares = 0, shared_gens = 0, \
                         rotated_at = 0, committed = 0, revoked_at = NULL WHERE sid = $3";
    tx.execute(RESET, &[(&[0; 16]).into(), (&[0; 16]).into(), sid.as_str().into()]).await?;
    for (at, act) in acts.iter().enumerate() {
        let shown = rig.seal(sid, act.shown.generation, &nonce(act.shown.nonce));
        let mut refresh = rig.request(&shown);
        let new = nonce(act.next);
        refresh.successor = if named { Successor::Committed(new) } else { Successor::Drawn(new) };
        refresh.act.now = act.now;
        let answer = sessions::refresh(tx, &Refresh { grace: GRACE, ..refresh }).await?;
        let answer = match answer {
            Refreshed::Granted(rotated) => {
                Ok((rotated.grant, Token { generation: rotated.generation, nonce: rotated.nonce.expose()[0] }))
            }
            Refreshed::Refused(refusal) => Err(refusal.reason),
        };
        assert_eq!(answer, act.answer, "step {at} of {acts:?}");
    }
    Ok(())
}

async fn tell_all(rig: &Rig, all: impl Iterator<Item = Story>) {
    let (sid, _) = rig.session().await;
    let mut tokens = tokens(sid.clone(), rig.keys.clone());
    let told: Vec<(Vec<Act>, bool)> = all.map(|story| (play(&story, &mut tokens), story.named)).collect();
    for part in told.chunks(20) {
        let (rig, sid, part) = (rig.clone(), sid.clone(), part.to_vec());
        let store = rig.store.clone();
        let done = store.write(move |tx| {
            let (rig, sid, part) = (rig.clone(), sid.clone(), part.clone());
            Box::pin(async move {
                for (acts, named) in &part {
                    tell(tx, &rig, &sid, acts, *named).await?;
                }
                Ok(())
            })
        });
        done.await.unwrap();
    }
}

both_databases! {
    // REF-04 to REF-07: the statements tell the same story as the table, step by step.
    async fn two_presenters_in_every_order(store: Store) {
        tell_all(&Rig::new(store).await, some(stories(2, 2, 0..16, &PAUSES), 5)).await;
    }

    async fn three_presenters_in_every_order(store: Store) {
        tell_all(&Rig::new(store).await, some(stories(3, 2, 0..1, &[Duration::ZERO, GRACE]), 5)).await;
    }
}
