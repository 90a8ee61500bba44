//! `GET /revocations/{stream}/time`

use countersign_jose::{
    Error, JwkSet, Verifier, b64,
    profile::{AccessToken, FeedBatch, FeedTime},
};

use super::follower::{FEED, Follower, revoke, running};
use crate::{
    both,
    rig::{Answer, ISSUER, Rig},
};

async fn ask(rig: &Rig, nonce: &str) -> Answer {
    rig.get(&format!("{FEED}/time?n={nonce}")).send().await
}

/// The database's time, as an anchor tells it.
pub async fn now(rig: &Rig) -> i64 {
    let nonce = b64::encode([5; 16]);
    let answer = ask(rig, &nonce).await.expect(200);
    checked(rig, &answer.body, &nonce).await
}

/// The time that an anchor tells, if it answers this question.
pub async fn checked(rig: &Rig, anchor: &str, nonce: &str) -> i64 {
    let jwks = rig.get("/revocations/0/jwks.json").send().await.expect(200).body;
    let keys: Vec<_> = JwkSet::parse(jwks.as_bytes()).unwrap().verifying_keys().collect();
    let claims = Verifier::<FeedTime>::builder().issuer(ISSUER).keys(keys).build().verify(anchor, 0).unwrap();
    assert_eq!(claims.nonce, nonce);
    claims.now
}

both! {
    async fn an_anchor_answers_its_own_question_and_is_never_before_a_tick(rig: Rig) {
        let _running = running(&rig).await;
        let mut follower = Follower::default();
        let mut before = 0;
        for n in 0..5 {
            revoke(&rig.app, &[format!("s{n}")]).await;
            follower.take_all(&rig, &rig.get(FEED).send().await.expect(200).body).await;
            let now = now(&rig).await;
            assert!(now >= follower.t && now >= before, "{now} {before} {follower:?}");
            before = now;
        }
    }
}

#[tokio::test]
async fn only_sixteen_bytes_are_a_question() {
    let rig = Rig::sqlite().await;
    let good = b64::encode([7; 16]);
    let answer = ask(&rig, &good).await.expect(200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["content-type"], "application/jwt");
    for bad in
        ["", "AAAA", &b64::encode([7; 15]), &b64::encode([7; 17]), &format!("{good}="), &format!("{good}&n={good}")]
    {
        ask(&rig, bad).await.refused(400, "malformed-form");
    }
    rig.get(&format!("{FEED}/time")).send().await.refused(400, "malformed-form");
    rig.get("/revocations/1/time?n=AAAAAAAAAAAAAAAAAAAAAA").send().await.refused(404, "not-found");
}

// An anchor, a line and a token are three kinds: none passes for another, whatever the keys.
#[tokio::test]
async fn kinds_and_key_sets_are_kept_apart() {
    // TOK-17, KEY-09
    let rig = Rig::sqlite().await;
    let user = rig.user("ada@example.com").await;
    let _running = running(&rig).await;
    let anchor = ask(&rig, &b64::encode([7; 16])).await.expect(200).body;
    let line = rig.get(FEED).send().await.expect(200).body.lines().next().unwrap().to_owned();
    let set = |text: String| JwkSet::parse(text.as_bytes()).unwrap().verifying_keys().collect::<Vec<_>>();
    let tokens = set(rig.get("/.well-known/jwks.json").send().await.expect(200).body);
    let feed = set(rig.get("/revocations/0/jwks.json").send().await.expect(200).body);

    let lines = |keys| Verifier::<FeedBatch>::builder().issuer(ISSUER).keys(keys).build();
    let access = |keys| Verifier::<AccessToken>::builder().issuer(ISSUER).audience("api").keys(keys).build();
    assert!(lines(feed.clone()).verify(&line, 0).is_ok());
    assert!(matches!(lines(tokens.clone()).verify(&line, 0), Err(Error::UnknownKey { .. })));
    assert!(matches!(lines(feed.clone()).verify(&anchor, 0), Err(Error::Type { .. })));
    let now = rig.app.clock.now().secs();
    assert!(access(tokens).verify(&user.access, now).is_ok());
    assert!(matches!(access(feed.clone()).verify(&user.access, now), Err(Error::UnknownKey { .. })));

    // I9: a line that was touched anywhere is none.
    let at = line.len() / 2;
    let other = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
    let forged = format!("{}{other}{}", &line[..at], &line[at + 1..]);
    assert!(lines(feed).verify(&forged, 0).is_err());
}
