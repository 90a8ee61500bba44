//! `vectors/revocation/`: signed lines of the revocation feed, tokens and time anchors with what a verifier must make of them,
//! for implementers in any language. This test checks the files with a verifier written from the book's chapter alone; with
//! `COUNTERSIGN_TEST_UPDATE=1` it makes them anew. What is expected is written here by hand, never computed.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use countersign_jose::{
    AccessClaims, Algorithm, FeedClaims, FeedEntry, FeedTimeClaims, JwkSet, SigningKey, Verifier, VerifyingKey, b64,
    profile::{AccessToken, FeedBatch, FeedTime},
    revocation::{EntryId, Kind, Scope},
    sign,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "orders";
const SCOPE: Scope<'static> = Scope { issuer: ISSUER, tenant: "default" };
/// Unix seconds of the files' present, and the same as a position.
const NOW: i64 = 1_790_000_000;
const T: i64 = NOW * 1_000_000;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/revocation").join(name)
}

fn updating() -> bool {
    env::var_os("COUNTERSIGN_TEST_UPDATE").is_some()
}

fn load(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap()
}

/// The signers of the files; their private halves are forgotten.
struct Signers {
    feed: SigningKey,
    next: SigningKey,
    token: SigningKey,
    stolen: SigningKey,
    stranger: SigningKey,
}

impl Signers {
    fn new() -> Self {
        let key = |kid: &str| SigningKey::generate(Algorithm::ES256, kid).unwrap();
        // The stranger uses the feed's name.
        Self {
            feed: key("feed-1"),
            next: key("feed-2"),
            token: key("t-1"),
            stolen: key("t-2"),
            stranger: key("feed-1"),
        }
    }

    fn keys(&self) -> Value {
        let set = |keys: &[&SigningKey]| json!({ "keys": keys.iter().map(|key| key.public_jwk().unwrap()).collect::<Vec<_>>() });
        json!({
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "feed": set(&[&self.feed, &self.next]),
            "tokens": set(&[&self.token, &self.stolen]),
        })
    }
}

fn id(kind: Kind, value: &str) -> String {
    b64::encode(EntryId::of(kind, SCOPE, value).as_bytes())
}

fn entry(kind: Kind, value: &str, rsn: i64) -> FeedEntry {
    let exp = if kind == Kind::Key { 0 } else { NOW + 660 };
    FeedEntry { kind: i64::from(kind.number()), id: id(kind, value), rsn, exp }
}

fn claims(previous: i64, head: i64, time: i64, entries: Vec<FeedEntry>) -> FeedClaims {
    FeedClaims { iss: ISSUER.to_owned(), previous, head, time, entries, ..FeedClaims::default() }
}

fn line(key: &SigningKey, claims: &FeedClaims) -> String {
    sign::<FeedBatch>(key, claims).unwrap()
}

/// One step: a line, what becomes of it, and what is known afterwards.
fn step(jws: &str, outcome: &str, (head, floor, time, entries): (i64, i64, i64, usize)) -> Value {
    json!({ "line": jws, "outcome": outcome, "head": head, "floor": floor, "t": time, "entries": entries })
}

fn case(name: &str, why: &str, steps: &[Value]) -> Value {
    json!({ "name": name, "why": why, "steps": steps })
}

fn order_cases(signers: &Signers) -> Vec<Value> {
    let feed = |claims: FeedClaims| line(&signers.feed, &claims);
    let sid = |n: i64| entry(Kind::Session, &format!("sid-{n}"), n);
    let part = feed(FeedClaims { more: true, ..claims(0, 20, T + 5, vec![sid(10), sid(20)]) });
    let rest = feed(claims(20, 30, T + 5, vec![sid(30)]));
    let beat = feed(claims(30, 30, T + 200_000, vec![]));
    let rotated = line(&signers.next, &claims(30, 50, T + 300_000, vec![sid(50)]));
    vec![
        case(
            "snapshot",
            "t counts only once no more parts follow",
            &[
                step(&part, "applied", (20, 0, 0, 2)),
                step(&rest, "applied", (30, 0, T + 5, 3)),
                step(&beat, "applied", (30, 0, T + 200_000, 3)),
            ],
        ),
        case(
            "gap",
            "entries are merged, neither head nor t moves; after the missing line all is well",
            &[
                step(&part, "applied", (20, 0, 0, 2)),
                step(&beat, "gap", (20, 0, 0, 2)),
                step(&rotated, "gap", (20, 0, 0, 3)),
                step(&rest, "applied", (30, 0, T + 5, 4)),
                step(&rotated, "applied", (50, 0, T + 300_000, 4)),
            ],
        ),
        case(
            "again",
            "a line that comes twice, or late, changes nothing for the worse",
            &[
                step(&part, "applied", (20, 0, 0, 2)),
                step(&rest, "applied", (30, 0, T + 5, 3)),
                step(&beat, "applied", (30, 0, T + 200_000, 3)),
                step(&rest, "applied", (30, 0, T + 200_000, 3)),
                step(&part, "applied", (30, 0, T + 200_000, 3)),
            ],
        ),
    ]
}

fn state_cases(signers: &Signers) -> Vec<Value> {
    let feed = |claims: FeedClaims| line(&signers.feed, &claims);
    let sid = |n: i64| entry(Kind::Session, &format!("sid-{n}"), n);
    let floor = feed(FeedClaims { floor: 40, ..claims(30, 40, T + 300_000, vec![]) });
    vec![
        case(
            "overlap",
            "a line may begin below the head",
            &[
                step(&feed(claims(0, 30, T + 5, vec![sid(10), sid(20), sid(30)])), "applied", (30, 0, T + 5, 3)),
                step(&feed(claims(15, 45, T + 9, vec![sid(20), sid(30), sid(45)])), "applied", (45, 0, T + 9, 4)),
            ],
        ),
        case(
            "floor",
            "the floor rises and never falls",
            &[
                step(&feed(claims(0, 30, T, vec![])), "applied", (30, 0, T, 0)),
                step(&floor, "applied", (40, 40, T + 300_000, 0)),
                step(&feed(claims(40, 40, T + 400_000, vec![])), "applied", (40, 40, T + 400_000, 0)),
            ],
        ),
        case(
            "regressed",
            "a smaller head with a newer t: the server lost commits; keep everything, raise an alarm",
            &[
                step(&feed(claims(0, 30, T, vec![sid(30)])), "applied", (30, 0, T, 1)),
                step(&feed(claims(20, 20, T + 200_000, vec![])), "regressed", (30, 0, T + 200_000, 1)),
            ],
        ),
        case(
            "slower replica",
            "a smaller head with an older t is no alarm",
            &[
                step(&feed(claims(0, 30, T, vec![sid(30)])), "applied", (30, 0, T, 1)),
                step(&feed(claims(20, 20, T - 200_000, vec![])), "applied", (30, 0, T, 1)),
            ],
        ),
    ]
}

fn refused_cases(signers: &Signers) -> Vec<Value> {
    let sid = |n: i64| entry(Kind::Session, &format!("sid-{n}"), n);
    let good = line(&signers.feed, &claims(0, 10, T, vec![sid(10)]));
    let next = claims(10, 20, T + 200_000, vec![sid(20)]);
    let altered = {
        let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
        let hidden = claims(0, 20, T + 900_000, vec![]);
        parts[1] = line(&signers.feed, &hidden).split('.').nth(1).unwrap().to_owned();
        parts.join(".")
    };
    let anchor =
        FeedTimeClaims { iss: ISSUER.to_owned(), nonce: b64::encode([1; 16]), now: T, ..FeedTimeClaims::default() };
    let unsigned =
        format!("{}.{}.", b64::encode(br#"{"alg":"none","typ":"rlb+jwt"}"#), good.split('.').nth(1).unwrap());
    let bad = [
        ("token key", "a key of the token set signs no line", line(&signers.token, &next)),
        ("stranger", "another key under the name of a feed key", line(&signers.stranger, &next)),
        ("altered", "the payload is not what was signed", altered),
        ("unsigned", "alg none", unsigned),
        (
            "other issuer",
            "iss must be this issuer's",
            line(&signers.feed, &FeedClaims { iss: "https://other.example".into(), ..next.clone() }),
        ),
        ("other stream", "st must be 0", line(&signers.feed, &FeedClaims { stream: 1, ..next })),
        ("anchor", "a time anchor is no line", sign::<FeedTime>(&signers.feed, &anchor).unwrap()),
    ];
    let known = (10, 0, T, 1);
    bad.into_iter()
        .map(|(name, why, jws)| case(name, why, &[step(&good, "applied", known), step(&jws, "refused", known)]))
        .collect()
}

/// The revocations that the tokens are judged by.
fn log() -> Vec<FeedEntry> {
    vec![
        entry(Kind::Token, "jti-dead", T + 1),
        entry(Kind::Session, "sid-dead", T + 2),
        entry(Kind::User, "usr-out", T + 3),
        entry(Kind::Client, "app-out", T + 4),
        entry(Kind::Key, "t-2", T + 5),
    ]
}

fn token(signers: &Signers, name: &str, verdict: &str, change: impl Fn(&mut AccessClaims)) -> Value {
    let mut claims = AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "usr-1".to_owned(),
        aud: AUDIENCE.into(),
        client_id: "app".to_owned(),
        jti: format!("jti-{name}"),
        sid: Some("sid-1".to_owned()),
        iat: NOW - 10,
        exp: NOW + 590,
        rsn: Some(T),
        ..AccessClaims::default()
    };
    change(&mut claims);
    let key = if name.starts_with("killed key") { &signers.stolen } else { &signers.token };
    json!({ "name": name, "token": sign::<AccessToken>(key, &claims).unwrap(), "now": NOW, "verdict": verdict })
}

fn tokens(signers: &Signers) -> Value {
    let lines = [line(&signers.feed, &FeedClaims { floor: T - 100, ..claims(0, T + 5, T + 1_000_000, log()) })];
    let one = |name: &str, verdict: &str, change: &dyn Fn(&mut AccessClaims)| token(signers, name, verdict, change);
    json!({ "lines": lines, "tokens": [
        one("good", "accept", &|_| {}),
        one("token revoked", "revoked", &|token| token.jti = "jti-dead".into()),
        one("token revoked, newer rsn", "revoked", &|token| (token.jti, token.rsn) = ("jti-dead".into(), Some(T + 9))),
        one("session revoked", "revoked", &|token| token.sid = Some("sid-dead".into())),
        one("session revoked, newer rsn", "revoked", &|token| (token.sid, token.rsn) = (Some("sid-dead".into()), Some(T + 9))),
        one("user revoked, older rsn", "revoked", &|token| (token.sub, token.rsn) = ("usr-out".into(), Some(T + 2))),
        one("user revoked, same rsn", "accept", &|token| (token.sub, token.rsn) = ("usr-out".into(), Some(T + 3))),
        one("user revoked, newer rsn", "accept", &|token| (token.sub, token.rsn) = ("usr-out".into(), Some(T + 9))),
        one("client revoked, older rsn", "revoked", &|token| (token.client_id, token.rsn) = ("app-out".into(), Some(T))),
        one("client revoked, newer rsn", "accept", &|token| (token.client_id, token.rsn) = ("app-out".into(), Some(T + 9))),
        one("a user's id in another place", "accept", &|token| token.sid = Some("usr-out".into())),
        one("tenant named", "revoked", &|token| (token.tid, token.sid) = (Some("default".into()), Some("sid-dead".into()))),
        one("another tenant", "accept", &|token| (token.tid, token.sid) = (Some("other".into()), Some("sid-dead".into()))),
        one("killed key", "killed key", &|_| {}),
        one("killed key, newer rsn", "killed key", &|token| token.rsn = Some(T + 9)),
        one("below the floor", "below floor", &|token| token.rsn = Some(T - 101)),
        one("at the floor", "accept", &|token| token.rsn = Some(T - 100)),
        one("no rsn, issued before", "below floor", &|token| token.rsn = None),
        one("no rsn, issued after", "accept", &|token| (token.rsn, token.iat) = (None, NOW)),
        one("expired by t", "expired", &|token| token.exp = NOW - 9),
        one("beyond the head", "accept", &|token| token.rsn = Some(T + 50)),
    ]})
}

fn anchors(signers: &Signers) -> Value {
    let (asked, other) = (b64::encode([7; 16]), b64::encode([8; 16]));
    let claims = |nonce: &str| FeedTimeClaims {
        iss: ISSUER.to_owned(),
        nonce: nonce.to_owned(),
        now: T,
        ..FeedTimeClaims::default()
    };
    let time = |key: &SigningKey, claims: &FeedTimeClaims| sign::<FeedTime>(key, claims).unwrap();
    let foreign = FeedTimeClaims { iss: "https://other.example".to_owned(), ..claims(&asked) };
    let one =
        |name: &str, jws: String, now: Option<i64>| json!({ "name": name, "nonce": asked, "jws": jws, "now": now });
    json!([
        one("good", time(&signers.feed, &claims(&asked)), Some(T)),
        one("the next key", time(&signers.next, &claims(&asked)), Some(T)),
        one("another question's answer", time(&signers.feed, &claims(&other)), None),
        one("token key", time(&signers.token, &claims(&asked)), None),
        one("stranger", time(&signers.stranger, &claims(&asked)), None),
        one("other issuer", time(&signers.feed, &foreign), None),
        one("a line", line(&signers.feed, &self::claims(0, 10, T, vec![])), None),
    ])
}

fn ids() -> Value {
    let kinds = [Kind::Token, Kind::Session, Kind::User, Kind::Client, Kind::Tenant, Kind::Key];
    let scopes = [SCOPE, Scope { issuer: "https://id.example:8443", tenant: "Köln" }];
    let one = |kind: Kind, scope: Scope<'_>, value: &str| {
        let id = b64::encode(EntryId::of(kind, scope, value).as_bytes());
        json!({ "kind": kind.number(), "issuer": scope.issuer, "tenant": scope.tenant, "value": value, "id": id })
    };
    let all = scopes.iter().flat_map(|scope| kinds.map(|kind| one(kind, *scope, "abc")));
    Value::Array(all.collect())
}

fn write_all() {
    let signers = Signers::new();
    let cases = [order_cases(&signers), state_cases(&signers), refused_cases(&signers)].concat();
    let files = [
        ("keys.json", signers.keys()),
        ("ids.json", ids()),
        ("lines.json", Value::Array(cases)),
        ("tokens.json", tokens(&signers)),
        ("time.json", anchors(&signers)),
    ];
    fs::create_dir_all(file("")).unwrap();
    for (name, content) in files {
        fs::write(file(name), format!("{content:#}\n")).unwrap();
    }
}

/// A verifier's view, from the chapter "Revocation" of the book.
#[derive(Default)]
struct View {
    head: i64,
    floor: i64,
    t: i64,
    entries: BTreeMap<(i64, String), (i64, i64)>,
}

fn keys(name: &str) -> Vec<VerifyingKey> {
    JwkSet::parse(load("keys.json")[name].to_string().as_bytes()).unwrap().verifying_keys().collect()
}

impl View {
    fn take(&mut self, text: &str) -> &'static str {
        let verifier = Verifier::<FeedBatch>::builder().issuer(ISSUER).keys(keys("feed")).build();
        let Ok(batch) = verifier.verify(text, NOW) else { return "refused" };
        if batch.stream != 0 {
            return "refused";
        }
        for entry in &batch.entries {
            let known = self.entries.entry((entry.kind, entry.id.clone())).or_insert((entry.rsn, entry.exp));
            *known = (known.0.max(entry.rsn), if known.1 == 0 || entry.exp == 0 { 0 } else { known.1.max(entry.exp) });
        }
        if batch.previous > self.head {
            return "gap";
        }
        let regressed = batch.head < self.head && batch.time > self.t;
        self.head = self.head.max(batch.head);
        self.floor = self.floor.max(batch.floor);
        if !batch.more {
            self.t = self.t.max(batch.time);
        }
        if regressed { "regressed" } else { "applied" }
    }

    fn judge(&self, token: &str, now: i64) -> &'static str {
        let header: Value = serde_json::from_slice(&b64::decode(token.split('.').next().unwrap()).unwrap()).unwrap();
        if self.entries.contains_key(&(6, id(Kind::Key, header["kid"].as_str().unwrap()))) {
            return "killed key";
        }
        let verifier =
            Verifier::<AccessToken>::builder().issuer(ISSUER).audience(AUDIENCE).keys(keys("tokens")).build();
        let now = now.max(self.t / 1_000_000);
        let Ok(claims) = verifier.verify(token, now) else { return "expired" };
        let rsn = claims.rsn.unwrap_or(claims.iat * 1_000_000);
        if rsn < self.floor {
            return "below floor";
        }
        let tenant = claims.tid.as_deref().unwrap_or("default");
        let found = |kind: Kind, value: &str| {
            let id = b64::encode(EntryId::of(kind, Scope { issuer: ISSUER, tenant }, value).as_bytes());
            self.entries
                .get(&(i64::from(kind.number()), id))
                .is_some_and(|known| !kind.is_conditional() || rsn < known.0)
        };
        let dead = found(Kind::Token, &claims.jti)
            || claims.sid.as_deref().is_some_and(|sid| found(Kind::Session, sid))
            || found(Kind::User, &claims.sub)
            || found(Kind::Client, &claims.client_id)
            || found(Kind::Tenant, tenant);
        if dead { "revoked" } else { "accept" }
    }
}

#[test]
fn the_files_hold_what_they_say() {
    if updating() {
        write_all();
    }
    assert_eq!(load("ids.json"), ids());
    for case in load("lines.json").as_array().unwrap() {
        let mut view = View::default();
        for (at, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            let outcome = view.take(step["line"].as_str().unwrap());
            let state = step_state(step);
            let place = format!("{} step {at}", case["name"]);
            assert_eq!(outcome, step["outcome"].as_str().unwrap(), "{place}");
            assert_eq!((view.head, view.floor, view.t, view.entries.len()), state, "{place}");
        }
    }
    let tokens = load("tokens.json");
    let mut view = View::default();
    for line in tokens["lines"].as_array().unwrap() {
        assert_eq!(view.take(line.as_str().unwrap()), "applied");
    }
    for token in tokens["tokens"].as_array().unwrap() {
        let verdict = view.judge(token["token"].as_str().unwrap(), token["now"].as_i64().unwrap());
        assert_eq!(verdict, token["verdict"].as_str().unwrap(), "{}", token["name"]);
    }
    let verifier = Verifier::<FeedTime>::builder().issuer(ISSUER).keys(keys("feed")).build();
    for anchor in load("time.json").as_array().unwrap() {
        let told = verifier.verify(anchor["jws"].as_str().unwrap(), NOW).ok();
        let told = told.filter(|told| told.nonce == anchor["nonce"].as_str().unwrap());
        assert_eq!(told.map(|told| told.now), anchor["now"].as_i64(), "{}", anchor["name"]);
    }
}

fn step_state(step: &Value) -> (i64, i64, i64, usize) {
    let number = |name: &str| step[name].as_i64().unwrap();
    (number("head"), number("floor"), number("t"), usize::try_from(number("entries")).unwrap())
}
