//! What a million revocations cost. The memory is asserted; the times are printed, for whoever runs it with `--release`:
//! `cargo test --release -p countersign-verify --lib a_million -- --nocapture`.

use std::{hint::black_box, time::Duration};

use countersign_jose::{AccessClaims, revocation::Kind};

use super::{
    super::{Batch, Entry, Marks, State},
    batch, claims,
};
use crate::{Clock, TestIssuer};

const MILLION: i64 = 1_000_000;

/// Random ids stand for hashes.
fn ids(count: i64) -> impl Iterator<Item = u128> {
    let mut state = 1_u128;
    (0..count).map(move |_| {
        state = state.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(0x5851_F42D_4C95_7F2D);
        state ^ (state >> 64)
    })
}

fn filled(count: i64) -> State {
    let mut state = State::new();
    let entries: Vec<Entry> =
        ids(count).zip(1..).map(|(id, rsn)| Entry { kind: Kind::Session, id, rsn, exp: 2_000_000_000 }).collect();
    for part in entries.chunks(5_000) {
        let last = part.last().map_or(0, |entry| entry.rsn);
        let news = Batch { more: last < count, ..batch(part[0].rsn - 1, last, last, part.to_vec()) };
        state.apply(&news, Duration::ZERO, usize::MAX);
    }
    state
}

#[test]
fn a_million_entries_take_less_than_80_bytes_each() {
    // Just above and just below what makes a table grow, too.
    for count in [20_000, 917_504, 917_505, MILLION] {
        let state = filled(count);
        assert_eq!(state.entries(), usize::try_from(count).unwrap());
        let bytes = state.table_bytes() / state.entries();
        println!("{count} entries: {bytes} bytes each");
        assert!(bytes <= 80, "{bytes} bytes at {count}");
    }
}

#[test]
fn a_million_entries_and_the_time_of_a_look() {
    let state = filled(MILLION);
    let tokens: Vec<Marks> = (0..100_000)
        .map(|n| {
            let name = format!("n{n}");
            let token = AccessClaims { jti: name.clone(), sid: Some(name.clone()), sub: name, ..claims(0) };
            Marks::of(&token, None)
        })
        .collect();
    let clock = Clock::system();
    let start = clock.now();
    for marks in &tokens {
        assert!(black_box(&state).check(black_box(marks)).is_ok());
    }
    let each = clock.now().since(start).as_nanos() / 100_000;
    println!("5 ids of each of 100,000 tokens looked up among a million entries: {each} ns per token");
}

#[test]
fn a_hundred_thousand_cached_tokens_and_the_time_of_a_hit() {
    let clock = Clock::manual(1_790_000_000);
    let issuer = TestIssuer::new("https://id.example").audience("orders").clock(clock);
    let verifier = issuer.verifier();
    let count = if cfg!(debug_assertions) { 1_000 } else { 100_000_u128 };
    let tokens: Vec<String> =
        (0..count).map(|n| issuer.token().sub(format!("u{n}")).sid(format!("s{n}")).role("buyer").sign()).collect();
    assert!(verifier.verify(&tokens[0]).is_ok());
    // The clock stands, so that the view stays fresh without the test issuer's own work.
    issuer.cut_feed();
    let machine = Clock::system();
    for round in ["signature", "hit", "hit", "hit"] {
        let start = machine.now();
        for token in &tokens {
            assert!(verifier.verify(black_box(token)).is_ok());
        }
        println!("{round}: {} ns per token, {count} tokens", machine.now().since(start).as_nanos() / count);
    }
}
