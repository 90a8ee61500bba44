//! Three replicas behind HAProxy, their database behind PgBouncer in transaction mode: whatever a person, a client or a thief
//! does at one of them, the others know.

use std::{
    collections::BTreeSet,
    sync::Barrier,
    thread,
    time::{Duration, UNIX_EPOCH},
};

use countersign_jose::{Algorithm, DpopClaims, SigningKey, dpop};
use countersign_server::{
    clock::{Clock, Stopwatch},
    domain::time::Timestamp,
};
use countersign_verify::{Profile, Rejection, Verifier};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, EMAIL},
    daemon::{PATIENCE, alone},
    fleet::{Answer, FORM, Fleet, JSON, Tokens, refresh},
    pooler::Pooler,
    postgres::Cluster,
    rig::{PASSWORD, member},
};

const REPLICAS: usize = 3;
/// Connections of PgBouncer to the database: a replica alone would like 16.
const CONNECTIONS: usize = 6;
const TABS: usize = 24;
const CLIENTS: usize = 12;
const ROTATIONS: usize = 25;

fn database(cluster: &Cluster) -> (Pooler, String) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(cluster.create_database());
    let (_, name) = url.rsplit_once('/').unwrap();
    let pooler = Pooler::start(cluster.folder().to_str().unwrap(), CONNECTIONS);
    let url = pooler.url(name);
    (pooler, url)
}

// REF-04, OAU-05, LOG-06, I-4
#[test]
fn three_replicas_are_one_issuer_behind_haproxy_and_pgbouncer() {
    let _alone = alone();
    let cluster = Cluster::start("listen_addresses = ''\n");
    let (_pooler, url) = database(&cluster);
    let fleet = Fleet::start(&[url.as_str(); REPLICAS], &[]);
    schema_was_made_once(&cluster, &url);
    fleet.person(EMAIL);
    pages_and_codes_hop(&fleet);
    tabs_at_every_replica_get_one_successor(&fleet);
    a_proof_is_used_once(&fleet);
    failures_are_counted_together(&fleet);
    what_one_ends_a_verifier_at_another_refuses(&fleet);
    // Whoever was not signed out above is still signed in. (Codes were shown twice, which ends what they brought.)
    for session in fleet.sessions(EMAIL).iter().filter(|session| session["client_id"] == "first-party") {
        let reason = session["ended_reason"].as_str();
        assert!(reason.is_none_or(|reason| ["logout", "admin"].contains(&reason)), "{session}");
    }
}

/// The replicas have started together.
fn schema_was_made_once(cluster: &Cluster, url: &str) {
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&cluster.url(name), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let row = client.query_one("SELECT count(*), max(version) FROM schema_history", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1), "each version once");
    });
}

/// Every request of the browser is a connection of its own and goes to the next replica. A code of one replica is redeemed at
/// another, and shown again at the third.
fn pages_and_codes_hop(fleet: &Fleet) {
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const REDIRECT: &str = "https://app.example/cb";
    let client = json!({
        "client_id": "app", "public": true, "grants": ["authorization_code", "refresh_token"], "audiences": ["api"],
        "scopes": ["openid", "email", "offline_access"], "redirect_uris": [REDIRECT],
    });
    let added = fleet.replicas[0].rig.admin("POST", "/api/admin/clients", &client.to_string()).unwrap();
    assert_eq!(added.0, 201, "{added:?}");
    let url = format!(
        "/authorize?client_id=app&redirect_uri={REDIRECT}&response_type=code&scope=openid+email+offline_access&state=s&\
         code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let mut browser = Browser::new(fleet.front, &fleet.issuer);
    for visit in 0..REPLICAS {
        let back = browser.visit(&url);
        let query = back.split_once('?').unwrap().1;
        let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1.into_owned();
        let form = format!(
            "grant_type=authorization_code&client_id=app&redirect_uri={REDIRECT}&code={code}&code_verifier={VERIFIER}"
        );
        let redeem = |replica: usize| {
            fleet.replicas[(visit + replica) % REPLICAS].ask("POST", "/token", &[FORM], &form).unwrap()
        };
        let first = redeem(0);
        assert_eq!(first.status, 200, "{first:?}");
        assert!(member(&first.body, "id_token").starts_with("eyJ"));
        let token = member(&first.body, "refresh_token");
        // OAU-05: the second use ends what the first has brought, at every replica.
        assert_eq!(redeem(1).status, 400);
        let body = format!("grant_type=refresh_token&client_id=app&refresh_token={token}");
        let third = fleet.replicas[(visit + 2) % REPLICAS].ask("POST", "/token", &[FORM], &body).unwrap();
        assert_eq!(third.status, 400, "{third:?}");
    }
}

/// One token, shown at once by many tabs, at every replica.
fn tabs_at_every_replica_get_one_successor(fleet: &Fleet) {
    let tokens = fleet.sign_in(EMAIL);
    let barrier = Barrier::new(TABS);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let tab = |tab: usize| {
            let (barrier, token) = (&barrier, &tokens.refresh);
            let address = fleet.replicas[tab % REPLICAS].rig.address;
            scope.spawn(move || {
                barrier.wait();
                refresh(address, token, &[]).unwrap()
            })
        };
        let tabs: Vec<_> = (0..TABS).map(tab).collect();
        tabs.into_iter().map(|tab| tab.join().unwrap()).collect()
    });
    let successors: BTreeSet<String> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 200, "{answer:?}");
            member(&answer.body, "refresh_token")
        })
        .collect();
    assert_eq!(successors.len(), 1, "one successor for all");
    assert_eq!(fleet.refresh(successors.first().unwrap()).unwrap().status, 200);
}

fn a_proof_is_used_once(fleet: &Fleet) {
    let key = SigningKey::generate(Algorithm::ES256, "client").unwrap();
    let proof = |jti: &str, path: &str| {
        let claims = DpopClaims {
            jti: jti.to_owned(),
            htm: "POST".to_owned(),
            htu: format!("{}{path}", fleet.issuer),
            iat: Clock::System.now().secs(),
            ..DpopClaims::default()
        };
        format!("dpop: {}", dpop::sign(&key, &claims).unwrap())
    };
    let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    let bound = fleet.ask("POST", "/login", &[JSON, &proof("j1", "/login")], &body).unwrap();
    let mut token = Tokens::of(&bound).refresh;
    for (first, second) in [(0, 1), (1, 2), (2, 0)] {
        let proof = proof(&format!("j{first}{second}"), "/token");
        let at = |replica: usize, token: &str| refresh(fleet.replicas[replica].rig.address, token, &[&proof]).unwrap();
        let good = at(first, &token);
        assert_eq!(good.status, 200, "{good:?}");
        token = member(&good.body, "refresh_token");
        let again = at(second, &token);
        assert!(again.status == 400 && again.body.contains("dpop-replayed"), "{again:?}");
    }
}

fn failures_are_counted_together(fleet: &Fleet) {
    fleet.person("guessed@example.com");
    let at = |replica: usize, password: &str| {
        let body = json!({ "email": "guessed@example.com", "password": password }).to_string();
        fleet.replicas[replica].ask("POST", "/login", &[JSON], &body).unwrap().status
    };
    // limits.account_free, the default.
    for guess in 0..5 {
        assert_eq!(at(guess % REPLICAS, "a wrong guess of a password"), 401);
    }
    for replica in 0..REPLICAS {
        assert_eq!(at(replica, PASSWORD), 429);
    }
}

/// A verifier follows the feed of whichever replica HAProxy gave it; each replica ends a session.
fn what_one_ends_a_verifier_at_another_refuses(fleet: &Fleet) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let verifier = runtime.block_on(async {
        let verifier = Verifier::builder(&fleet.issuer).audience("api").profile(Profile::Strict).build().unwrap();
        verifier.ready().await.unwrap();
        verifier
    });
    for replica in &fleet.replicas {
        let tokens = fleet.sign_in(EMAIL);
        verifier.verify(&tokens.access).unwrap();
        let begun = Stopwatch::start();
        let bearer = format!("authorization: Bearer {}", tokens.access);
        let answer = replica.ask("POST", "/logout", &[&bearer, JSON], "{}").unwrap();
        assert!(answer.status < 300, "{answer:?}");
        loop {
            match verifier.verify(&tokens.access) {
                Err(Rejection::Revoked { .. }) => break,
                verdict => assert!(begun.elapsed() < PATIENCE, "{verdict:?}"),
            }
            thread::sleep(Duration::from_millis(2));
        }
        println!("signed out at one replica, refused by a verifier after {:?}", begun.elapsed());
        assert_eq!(fleet.refresh(&tokens.refresh).unwrap().status, 400);
    }
    ends_are_in_time(fleet, &verifier);
}

/// What an answer promises holds wherever the verifier listens: nothing is accepted after `effective_by` (I-4).
fn ends_are_in_time(fleet: &Fleet, verifier: &Verifier) {
    for replica in &fleet.replicas {
        let tokens = fleet.sign_in(EMAIL);
        let body = json!({ "kind": "session", "id": tokens.sid }).to_string();
        let asked = Clock::System.now();
        let (status, answer) = replica.rig.admin("POST", "/api/admin/revocations", &body).unwrap();
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let by = humantime::parse_rfc3339(answer["effective_by"]["strict"].as_str().unwrap()).unwrap();
        let by = Timestamp::from_micros(by.duration_since(UNIX_EPOCH).unwrap().as_micros().try_into().unwrap());
        println!("ended by {:?} after it was asked for", by.since(asked));
        while Clock::System.now() <= by {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(verifier.verify(&tokens.access).is_err(), "accepted after effective_by");
    }
}

/// Every refresh rotates, and every request goes to another replica (I-1, REF-04).
#[test]
fn a_storm_of_refreshes_over_replicas_signs_nobody_out() {
    let _alone = alone();
    let cluster = Cluster::start("listen_addresses = ''\n");
    let (_pooler, url) = database(&cluster);
    let fleet = Fleet::start(&[url.as_str(); REPLICAS], &[("COUNTERSIGN_REFRESH_GRACE", "1ms")]);
    let person = |number: usize| format!("user{number}@example.com");
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let fleet = &fleet;
            scope.spawn(move || {
                fleet.person(&person(number));
                let mut token = fleet.sign_in(&person(number)).refresh;
                for _ in 0..ROTATIONS {
                    let answer = fleet.refresh(&token).unwrap();
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let next = member(&answer.body, "refresh_token");
                    assert_ne!(next, token, "it rotates");
                    token = next;
                }
            });
        }
    });
    for number in 0..CLIENTS {
        let sessions = fleet.sessions(&person(number));
        assert!(sessions.len() == 1 && sessions[0]["ended_reason"].is_null(), "{sessions:?}");
    }
}
