//! Rotations and snapshots through the product's store, with a number of callers at a time.

use std::{sync::Arc, time::SystemTime};

use anyhow::{Result, ensure};
use countersign_server::store::{Param, Store, StoreError};

use crate::work::{CLIENT, GRACE, IDLE, ROTATE, SESSIONS, Sample, Watch, nonce, session, sid};

/// Rotates for some seconds; each caller has sessions of its own.
pub async fn rotate(store: &Store, callers: u64, seconds: f64) -> Result<Sample> {
    let mut generations = vec![0; usize::try_from(SESSIONS)?];
    for row in
        store.read(|tx| Box::pin(async move { tx.fetch_all("SELECT sid, gen FROM sessions", &[]).await })).await?
    {
        let sid_of: String = row.get(0)?;
        generations[index_of(&sid_of)?] = u64::try_from(row.get::<i64>(1)?)?;
    }
    let generations = Arc::new(generations);
    let watch = Arc::new(Watch::start(seconds));
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (store, watch, generations) = (store.clone(), Arc::clone(&watch), Arc::clone(&generations));
            tokio::spawn(async move {
                let (mut step, mut done, mut round) = (caller, 0, 0);
                while !watch.is_over() {
                    let session = session(step);
                    let generation = generations[usize::try_from(session)?] + round;
                    ensure!(rotate_one(&store, session, generation).await?, "session {session} did not rotate");
                    done += 1;
                    step += callers;
                    // Each caller comes round to a session of its own only after all the others.
                    if step >= SESSIONS - SESSIONS % callers {
                        (step, round) = (caller, round + 1);
                    }
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut rotations = 0;
    for task in tasks {
        rotations += task.await??;
    }
    Ok(watch.stop(rotations))
}

async fn rotate_one(store: &Store, session: u64, generation: u64) -> Result<bool, StoreError> {
    let (sid, old, new) = (sid(session), nonce(session, generation), nonce(session, generation + 1));
    let now = now_us();
    let generation = i64::try_from(generation).unwrap_or(i64::MAX);
    store
        .write(move |tx| {
            let sid = sid.clone();
            Box::pin(async move {
                let params: [Param<'_>; 10] = [
                    generation.into(),
                    now.into(),
                    GRACE.into(),
                    (&new).into(),
                    (now / 1_000_000 + 600).into(),
                    IDLE.into(),
                    (&sid).into(),
                    CLIENT.into(),
                    Param::Null,
                    (&old).into(),
                ];
                let row = tx.fetch_optional(ROTATE, &params).await?;
                Ok(row.is_some_and(|row| row.get::<i64>(0).is_ok_and(|now| now == generation + 1)))
            })
        })
        .await
}

/// Reads one session per snapshot for some seconds.
pub async fn read(store: &Store, callers: u64, seconds: f64) -> Result<Sample> {
    const SELECT: &str = "SELECT s.user_id, s.auth_rsn, u.min_rsn, u.token_rsn FROM sessions s, users u \
                          WHERE s.sid = $1 AND u.user_id = s.user_id";
    let watch = Arc::new(Watch::start(seconds));
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (store, watch) = (store.clone(), Arc::clone(&watch));
            tokio::spawn(async move {
                let mut done = 0;
                while !watch.is_over() {
                    let sid = sid(session(caller + done * callers));
                    let row = store
                        .read(move |tx| {
                            let sid = sid.clone();
                            Box::pin(async move { tx.fetch_optional(SELECT, &[(&sid).into()]).await })
                        })
                        .await?;
                    ensure!(row.is_some(), "a session is missing");
                    done += 1;
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut reads = 0;
    for task in tasks {
        reads += task.await??;
    }
    Ok(watch.stop(reads))
}

pub fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

pub fn index_of(sid_of: &str) -> Result<usize> {
    // The inverse of the odd factor in `sid`, modulo 2^64.
    const INVERSE: u64 = inverse(0x9E37_79B9_7F4A_7C15);
    let index = u64::from_str_radix(sid_of, 16)?.wrapping_mul(INVERSE);
    ensure!(sid(index) == sid_of && index < SESSIONS, "{sid_of} is none of the prepared sessions");
    Ok(usize::try_from(index)?)
}

const fn inverse(odd: u64) -> u64 {
    let (mut inverse, mut round) = (odd, 0);
    while round < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}
