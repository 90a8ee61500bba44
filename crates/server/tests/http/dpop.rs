//! Tokens that are bound to a key (RFC 9449): getting them at `/login` and `/token`, using them at the issuer itself, and what
//! somebody has who stole one.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use countersign_jose::{
    AccessClaims, Algorithm, DpopClaims, SigningKey, b64, claims::Claims, dpop, profile::AccessToken, sign,
};
use countersign_server::{domain::time::Timestamp, store::proofs};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    rig::{Answer, Ask, ISSUER, PASSWORD, Rig, Tokens},
    support::postgres::Cluster,
};

const NOW: i64 = 1_790_000_000;

/// A client that holds a key.
pub struct Holder(SigningKey);

impl Holder {
    pub fn new() -> Self {
        Self::of(Algorithm::ES256)
    }

    pub fn of(alg: Algorithm) -> Self {
        Self(SigningKey::generate(alg, "client").unwrap())
    }

    pub fn thumbprint(&self) -> String {
        self.0.public_jwk().unwrap().thumbprint()
    }

    pub fn proof_with(&self, method: &str, path: &str, change: impl FnOnce(&mut DpopClaims)) -> String {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let mut claims = DpopClaims {
            jti: format!("proof-{}", SERIAL.fetch_add(1, Ordering::Relaxed)),
            htm: method.to_owned(),
            htu: format!("{ISSUER}{path}"),
            iat: NOW,
            ..DpopClaims::default()
        };
        change(&mut claims);
        dpop::sign(&self.0, &claims).unwrap()
    }

    /// A proof for `POST`, made when the rig's clock began.
    pub fn proof(&self, path: &str) -> String {
        self.proof_with("POST", path, |_| {})
    }

    pub fn proof_now(&self, rig: &Rig, path: &str) -> String {
        self.proof_with("POST", path, |claims| claims.iat = rig.app.clock.now().secs())
    }

    pub fn proof_for(&self, rig: &Rig, (method, path): (&str, &str), token: &str) -> String {
        self.proof_with(method, path, |claims| {
            claims.ath = Some(dpop::token_hash(token));
            claims.iat = rig.app.clock.now().secs();
        })
    }
}

fn claims(token: &str) -> AccessClaims {
    AccessClaims::from_json(&b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn with_proof(ask: Ask, proof: Option<&str>) -> Ask {
    proof.into_iter().fold(ask, |ask, proof| ask.header("dpop", proof))
}

fn login_body() -> Value {
    json!({ "email": "ada@example.com", "password": PASSWORD })
}

async fn login(rig: &Rig, proof: &str) -> Answer {
    rig.post("/login").json(&login_body()).header("dpop", proof).send().await
}

/// Signs somebody in with a key.
async fn bound_user(rig: &Rig, holder: &Holder) -> Tokens {
    rig.register("ada@example.com").await;
    Tokens::of(&login(rig, &holder.proof_now(rig, "/login")).await.expect(200))
}

async fn refresh(rig: &Rig, token: &str, proof: Option<&str>) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "first-party"), ("refresh_token", token)];
    with_proof(rig.post("/token").form(&form), proof).send().await
}

async fn client(rig: &Rig, id: &str, more: Value) -> String {
    let mut client = json!({ "client_id": id, "grants": ["client_credentials"], "audiences": ["api"] });
    client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rig.admin(Method::POST, "/api/admin/clients", &client).await.expect(201).text("client_secret")
}

async fn own_token(rig: &Rig, secret: &str, proof: Option<&str>) -> Answer {
    let form = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", secret)];
    with_proof(rig.post("/token").form(&form), proof).send().await
}

async fn session(rig: &Rig, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let ask = rig.get("/session").header("authorization", &format!("{scheme} {token}"));
    with_proof(ask, proof).send().await
}

async fn events(rig: &Rig) -> Vec<(String, Value)> {
    let page = rig.admin(Method::GET, "/api/admin/audit?limit=100", &json!({})).await.expect(200).json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| (item["event"].as_str().unwrap().to_owned(), item["detail"].clone())).collect()
}

both! {
    // REF-02, RFC 9449 §5, §6.1
    async fn a_session_that_began_with_a_key_needs_it_at_each_refresh(rig: Rig) {
        let (owner, thief) = (Holder::new(), Holder::new());
        rig.register("ada@example.com").await;
        let answer = login(&rig, &owner.proof("/login")).await.expect(200);
        assert_eq!(answer.text("token_type"), "DPoP");
        let first = Tokens::of(&answer);
        assert_eq!(claims(&first.access).cnf, Some(json!({ "jkt": owner.thumbprint() })));

        rig.advance(Duration::from_secs(60));
        for proof in [None, Some(thief.proof_now(&rig, "/token"))] {
            refresh(&rig, &first.refresh, proof.as_deref()).await.refused(400, "refresh-invalid");
        }
        // The owner's session lives on, at the same generation.
        let answer = refresh(&rig, &first.refresh, Some(&owner.proof_now(&rig, "/token"))).await.expect(200);
        assert_eq!(answer.text("token_type"), "DPoP");
        let second = Tokens::of(&answer);
        assert_eq!(claims(&second.access).cnf, Some(json!({ "jkt": owner.thumbprint() })));
        let suspicious = events(&rig).await.into_iter().filter(|(event, detail)| event == "session_suspicious" && detail["why"] == "other_key");
        assert_eq!(suspicious.count(), 2);

        // REF-06, sessions.md: an old token without the key is no proof of a theft that ends the session; with it, it is.
        rig.advance(Duration::from_secs(60));
        let third = Tokens::of(&refresh(&rig, &second.refresh, Some(&owner.proof_now(&rig, "/token"))).await.expect(200));
        rig.advance(Duration::from_secs(60));
        for proof in [None, Some(thief.proof_now(&rig, "/token"))] {
            refresh(&rig, &first.refresh, proof.as_deref()).await.refused(400, "refresh-invalid");
        }
        let fourth = Tokens::of(&refresh(&rig, &third.refresh, Some(&owner.proof_now(&rig, "/token"))).await.expect(200));
        refresh(&rig, &first.refresh, Some(&owner.proof_now(&rig, "/token"))).await.refused(400, "refresh-reused");
        refresh(&rig, &fourth.refresh, Some(&owner.proof_now(&rig, "/token"))).await.refused(400, "refresh-revoked");
    }

    // A session that began without a key stays so: nobody who shows a copy of its token can take it over with a key of their own.
    async fn a_key_at_a_refresh_binds_the_access_token_alone(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let holder = Holder::new();
        rig.advance(Duration::from_secs(60));
        let bound = refresh(&rig, &user.refresh, Some(&holder.proof_now(&rig, "/token"))).await.expect(200);
        assert_eq!(bound.text("token_type"), "DPoP");
        assert_eq!(claims(&bound.text("access_token")).cnf, Some(json!({ "jkt": holder.thumbprint() })));
        rig.advance(Duration::from_secs(60));
        let plain = refresh(&rig, &bound.text("refresh_token"), None).await.expect(200);
        assert_eq!((plain.text("token_type").as_str(), claims(&plain.text("access_token")).cnf), ("Bearer", None));
    }

    // RFC 9449 §5: a confidential client is known by its secret, and may change its key.
    async fn a_confidential_client_may_use_another_key_each_time(rig: Rig) {
        let more = json!({ "grants": ["first_party", "refresh_token", "client_credentials"] });
        let secret = client(&rig, "robot", more).await;
        rig.register("ada@example.com").await;
        let mut body = login_body();
        body["client_id"] = json!("robot");
        let ask = rig.post("/login").json(&body).header("dpop", &Holder::new().proof("/login"));
        let mut refresh_token = ask.send().await.expect(200).text("refresh_token");
        for _ in 0..2 {
            rig.advance(Duration::from_secs(60));
            let holder = Holder::new();
            let form = [("grant_type", "refresh_token"), ("client_id", "robot"), ("client_secret", &*secret), ("refresh_token", &*refresh_token)];
            let ask = rig.post("/token").form(&form).header("dpop", &holder.proof_now(&rig, "/token"));
            let answer = ask.send().await.expect(200);
            assert_eq!(claims(&answer.text("access_token")).cnf, Some(json!({ "jkt": holder.thumbprint() })));
            refresh_token = answer.text("refresh_token");
        }
        let holder = Holder::new();
        let own = own_token(&rig, &secret, Some(&holder.proof_now(&rig, "/token"))).await.expect(200);
        assert_eq!(own.text("token_type"), "DPoP");
        assert_eq!(claims(&own.text("access_token")).cnf, Some(json!({ "jkt": holder.thumbprint() })));
        assert_eq!(own_token(&rig, &secret, None).await.expect(200).text("token_type"), "Bearer");
    }

    // TOK-24, TOK-25, I-8, RFC 9449 §11.1
    async fn a_proof_is_used_once(rig: Rig) {
        let holder = Holder::new();
        let user = bound_user(&rig, &holder).await;
        let used = holder.proof("/login");
        login(&rig, &used).await.expect(200);
        login(&rig, &used).await.refused(401, "dpop-replayed");
        rig.advance(Duration::from_secs(60));
        let proof = holder.proof_now(&rig, "/token");
        let next = Tokens::of(&refresh(&rig, &user.refresh, Some(&proof)).await.expect(200));
        refresh(&rig, &next.refresh, Some(&proof)).await.refused(400, "dpop-replayed");
        // Nothing was changed by that.
        refresh(&rig, &next.refresh, Some(&holder.proof_now(&rig, "/token"))).await.expect(200);

        let secret = client(&rig, "robot", json!({})).await;
        let proof = holder.proof_now(&rig, "/token");
        let all = futures_util::future::join_all((0..20).map(|_| own_token(&rig, &secret, Some(&proof)))).await;
        assert_eq!(all.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in all.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(400, "dpop-replayed");
        }
    }

    // RFC 9449 §7, §7.2: the issuer's own API.
    async fn a_bound_token_needs_a_proof_at_the_issuer_too(rig: Rig) {
        let (owner, thief) = (Holder::new(), Holder::new());
        let user = bound_user(&rig, &owner).await;
        let here = ("GET", "/session");
        session(&rig, "DPoP", &user.access, Some(&owner.proof_for(&rig, here, &user.access))).await.expect(200);
        let challenge = |answer: Answer| answer.headers["www-authenticate"].to_str().unwrap().to_owned();
        for scheme in ["Bearer", "DPoP"] {
            let answer = session(&rig, scheme, &user.access, None).await;
            assert_eq!(answer.status, 401);
            assert!(challenge(answer).starts_with("DPoP error=\"invalid_"), "{scheme}");
        }
        let replayed = owner.proof_for(&rig, here, &user.access);
        session(&rig, "DPoP", &user.access, Some(&replayed)).await.expect(200);
        session(&rig, "DPoP", &user.access, Some(&replayed)).await.refused(401, "dpop-replayed");
        session(&rig, "Bearer", &user.access, Some(&owner.proof_for(&rig, here, &user.access))).await.refused(401, "token-invalid");
        for bad in [
            thief.proof_for(&rig, here, &user.access),
            owner.proof_for(&rig, ("POST", "/session"), &user.access),
            owner.proof_for(&rig, ("GET", "/logout"), &user.access),
            owner.proof_for(&rig, here, "another token"),
            owner.proof_with("GET", "/session", |_| {}),
        ] {
            let answer = session(&rig, "DPoP", &user.access, Some(&bad)).await.refused(401, "dpop-proof");
            assert!(challenge(answer).starts_with("DPoP error=\"invalid_dpop_proof\", algs=\"RS256 "));
        }
        // A plain token is not better with a proof beside it.
        let plain = rig.login("ada@example.com").await.expect(200).text("access_token");
        session(&rig, "DPoP", &plain, Some(&owner.proof_for(&rig, here, &plain))).await.refused(401, "token-invalid");
        session(&rig, "Bearer", &plain, Some(&owner.proof_for(&rig, here, &plain))).await.expect(200);

        // Whoever has the token alone cannot even sign its owner out.
        let logout = |proof: Option<String>| {
            let ask = rig.post("/logout").header("authorization", &format!("DPoP {}", user.access)).json(&json!({}));
            with_proof(ask, proof.as_deref()).send()
        };
        logout(None).await.refused(401, "dpop-proof");
        logout(Some(thief.proof_for(&rig, ("POST", "/logout"), &user.access))).await.refused(401, "dpop-proof");
        session(&rig, "DPoP", &user.access, Some(&owner.proof_for(&rig, here, &user.access))).await.expect(200);
        logout(Some(owner.proof_for(&rig, ("POST", "/logout"), &user.access))).await.expect(204);
        session(&rig, "DPoP", &user.access, Some(&owner.proof_for(&rig, here, &user.access))).await.refused(401, "token-invalid");
    }

    // RFC 9449 §6.2; RFC 7009
    async fn introspection_tells_the_key_and_revocation_needs_none(rig: Rig) {
        let holder = Holder::new();
        let user = bound_user(&rig, &holder).await;
        let secret = client(&rig, "robot", json!({ "serves": ["api"] })).await;
        let introspect = |token: String| {
            let form = [("client_id", "robot"), ("client_secret", secret.as_str()), ("token", token.as_str())];
            rig.post("/introspect").form(&form).send()
        };
        let answer = introspect(user.access.clone()).await.expect(200).json();
        assert_eq!((&answer["active"], &answer["token_type"]), (&json!(true), &json!("DPoP")));
        assert_eq!(answer["cnf"], json!({ "jkt": holder.thumbprint() }));
        // Whoever found a token may hand it back.
        for token in [&user.access, &user.refresh] {
            let form = [("client_id", "first-party"), ("token", token.as_str())];
            rig.post("/revoke").form(&form).send().await.expect(200);
        }
        assert_eq!(introspect(user.access).await.expect(200).json(), json!({ "active": false }));
        refresh(&rig, &user.refresh, Some(&holder.proof("/token"))).await.refused(400, "refresh-revoked");
    }

    // RFC 9449 §5.2
    async fn a_client_that_must_prove_a_key_gets_nothing_without(rig: Rig) {
        let secret = client(&rig, "robot", json!({ "dpop_bound_access_tokens": true, "serves": ["api"] })).await;
        own_token(&rig, &secret, None).await.refused(400, "dpop-missing");
        own_token(&rig, &secret, Some(&Holder::new().proof("/token"))).await.expect(200);

        let user = rig.user("ada@example.com").await;
        rig.session(&user.access).await.expect(200);
        let bound = json!({ "dpop_bound_access_tokens": true });
        let shown = rig.admin(Method::PUT, "/api/admin/clients/first-party", &bound).await.expect(200).json();
        assert_eq!(shown["dpop_bound_access_tokens"], true);
        // Tokens that are good without a key end, sessions live on.
        rig.session(&user.access).await.refused(401, "token-invalid");
        rig.refresh(&user.refresh).await.refused(400, "dpop-missing");
        rig.login("ada@example.com").await.refused(400, "dpop-missing");
        let holder = Holder::new();
        let token = refresh(&rig, &user.refresh, Some(&holder.proof("/token"))).await.expect(200).text("access_token");
        session(&rig, "DPoP", &token, Some(&holder.proof_for(&rig, ("GET", "/session"), &token))).await.expect(200);
        let cookie = json!({ "email": "ada@example.com", "password": PASSWORD, "transport": "cookie" });
        rig.post("/login").json(&cookie).same_origin().send().await.refused(400, "dpop-missing");
    }
}

/// The same token with another `cnf`, signed by the issuer's own key.
fn rebound(rig: &Rig, token: &str, cnf: Value) -> String {
    let claims = AccessClaims { cnf: Some(cnf), ..claims(token) };
    sign::<AccessToken>(rig.app.ring.signer_for(Algorithm::ES256).unwrap().here().unwrap(), &claims).unwrap()
}

// RFC 7800 §3.1: what is not understood is not accepted.
#[tokio::test]
async fn a_confirmation_of_another_kind_is_refused() {
    let rig = Rig::sqlite().await;
    let user = rig.user("ada@example.com").await;
    let secret = client(&rig, "robot", json!({ "serves": ["api"] })).await;
    let jkt = b64::encode([7; 32]);
    for cnf in [json!({ "jkt": jkt, "x5t#S256": jkt }), json!({ "x5t#S256": jkt }), json!({})] {
        let token = rebound(&rig, &user.access, cnf);
        for scheme in ["Bearer", "DPoP"] {
            session(&rig, scheme, &token, None).await.refused(401, "token-invalid");
        }
        let form = [("client_id", "robot"), ("client_secret", secret.as_str()), ("token", &token)];
        let answer = rig.post("/introspect").form(&form).send().await.expect(200);
        assert_eq!(answer.json(), json!({ "active": false }));
    }
}

// TOK-24, RFC 9449 §4.3, §5
#[tokio::test]
async fn a_proof_that_is_not_good_is_refused_and_changes_nothing() {
    let rig = Rig::sqlite().await;
    let holder = Holder::new();
    let user = bound_user(&rig, &holder).await;
    let other = |change: fn(&mut DpopClaims)| holder.proof_with("POST", "/token", change);
    for bad in [
        String::new(),
        "a.b.c".to_owned(),
        user.access.clone(),
        other(|claims| claims.htm = "GET".into()),
        other(|claims| claims.htu = "http://localhost:8080/login".into()),
        other(|claims| claims.htu = "https://localhost:8080/token".into()),
        other(|claims| claims.htu = "http://evil.example/token".into()),
        other(|claims| claims.iat -= 71),
        other(|claims| claims.iat += 11),
    ] {
        let answer = refresh(&rig, &user.refresh, Some(&bad)).await.refused(400, "dpop-proof");
        assert_eq!(answer.text("error"), "invalid_dpop_proof");
        assert!(!answer.headers.contains_key("www-authenticate"));
    }
    // Check 1: one header.
    let form =
        [("grant_type", "refresh_token"), ("client_id", "first-party"), ("refresh_token", user.refresh.as_str())];
    let (one, two) = (holder.proof("/token"), holder.proof("/token"));
    let ask = rig.post("/token").form(&form).header("dpop", &one).header("dpop", &two);
    ask.send().await.refused(400, "dpop-proof");
    login(&rig, &holder.proof("/token")).await.refused(401, "dpop-proof");
    refresh(&rig, &user.refresh, Some(&other(|claims| claims.htu = "HTTP://LOCALHOST:8080/%74oken?x".into())))
        .await
        .expect(200);
    // A cookie carries no proof.
    let cookie = json!({ "email": "ada@example.com", "password": PASSWORD, "transport": "cookie" });
    let ask = rig.post("/login").json(&cookie).same_origin().header("dpop", &holder.proof("/login"));
    ask.send().await.refused(401, "dpop-proof");
}

// RFC 9449 §8, §11.3
#[tokio::test]
async fn an_issuer_that_gives_nonces_takes_no_proof_without_one() {
    let rig = Rig::with(&[("dpop.nonce", "required"), ("dpop.nonce_ttl", "2m")]).await;
    let holder = Holder::new();
    rig.register("ada@example.com").await;
    let nonce = |answer: &Answer| answer.headers["dpop-nonce"].to_str().unwrap().to_owned();
    let first = login(&rig, &holder.proof("/login")).await.refused(401, "dpop-nonce");
    assert!(first.headers["www-authenticate"].to_str().unwrap().starts_with("DPoP error=\"use_dpop_nonce\""));
    // The client's clock is wrong, and the nonce makes up for it.
    let with =
        |nonce: String| holder.proof_with("POST", "/login", |claims| (claims.iat, claims.nonce) = (7, Some(nonce)));
    rig.advance(Duration::from_secs(30));
    let good = login(&rig, &with(nonce(&first))).await.expect(200);
    assert_ne!(nonce(&good), nonce(&first), "each answer has the nonce for the next");
    let user = Tokens::of(&good);

    let stale = refresh(&rig, &user.refresh, Some(&holder.proof_now(&rig, "/token"))).await.refused(400, "dpop-nonce");
    assert_eq!(stale.text("error"), "use_dpop_nonce");
    rig.advance(Duration::from_secs(90));
    login(&rig, &with(nonce(&first))).await.refused(401, "dpop-nonce");
    login(&rig, &with("guessed".into())).await.refused(401, "dpop-nonce");
    let proof = holder.proof_with("POST", "/token", |claims| claims.nonce = Some(nonce(&good)));
    let refreshed = refresh(&rig, &user.refresh, Some(&proof)).await.expect(200);
    let token = refreshed.text("access_token");
    let at_session = |nonce: Option<String>| {
        holder.proof_with("GET", "/session", |claims| {
            (claims.ath, claims.nonce) = (Some(dpop::token_hash(&token)), nonce);
        })
    };
    session(&rig, "DPoP", &token, Some(&at_session(None))).await.refused(401, "dpop-nonce");
    session(&rig, "DPoP", &token, Some(&at_session(Some(nonce(&refreshed))))).await.expect(200);
    // A plain client is not asked for any of it.
    let plain = rig.login("ada@example.com").await.expect(200);
    assert!(!plain.headers.contains_key("dpop-nonce"));
}

// TOK-25, I-8: two replicas on one database take a proof once, and each other's nonces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_proofs_and_nonces() {
    let url = Cluster::shared().create_database().await;
    let settings = [("dpop.nonce", "required")];
    let one = Rig::on(&url, &settings).await;
    // One key-encryption key for all replicas.
    let kek = one.folder.path().join("data/kek").display().to_string();
    let two = Rig::on(&url, &[settings[0], ("keys.kek_file", kek.as_str())]).await;

    let holder = Holder::new();
    one.register("ada@example.com").await;
    let refused = login(&one, &holder.proof("/login")).await.refused(401, "dpop-nonce");
    let nonce = refused.headers["dpop-nonce"].to_str().unwrap().to_owned();
    let proof = holder.proof_with("POST", "/login", |claims| claims.nonce = Some(nonce.clone()));
    login(&two, &proof).await.expect(200);
    for rig in [&one, &two] {
        login(rig, &proof).await.refused(401, "dpop-replayed");
    }
    for _ in 0..10 {
        let proof = holder.proof_with("POST", "/login", |claims| claims.nonce = Some(nonce.clone()));
        let (first, second) = tokio::join!(login(&one, &proof), login(&two, &proof));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }
}

// I-1, I-8: what was used stays used over a restart, and is forgotten when nobody could use it again.
#[tokio::test]
async fn a_restart_forgets_no_proof() {
    let rig = Rig::sqlite().await;
    let holder = Holder::new();
    rig.register("ada@example.com").await;
    let proof = holder.proof("/login");
    login(&rig, &proof).await.expect(200);
    let rig = rig.restart().await;
    login(&rig, &proof).await.refused(401, "dpop-replayed");
    let purge = |now: i64| rig.app.store.write(move |tx| Box::pin(proofs::purge(tx, Timestamp::from_secs(now), 9)));
    assert_eq!(purge(NOW + 71).await, Ok(0));
    assert_eq!(purge(NOW + 72).await, Ok(1));
}

// TOK-25: what cannot be kept is not accepted, and takes no room of others.
#[tokio::test]
async fn one_key_can_use_so_many_proofs_and_no_more() {
    let rig = Rig::sqlite().await;
    let (busy, other) = (Holder::new(), Holder::new());
    rig.register("ada@example.com").await;
    let jkt = busy.thumbprint();
    let fill = rig.app.store.write(move |tx| {
        let jkt = jkt.clone();
        Box::pin(async move {
            for n in 0..10_000_i64 {
                let id = n.to_be_bytes().repeat(4);
                let id: [u8; 32] = id.try_into().unwrap();
                let insert = "INSERT INTO used_proofs (jkt, id, exp) VALUES ($1, $2, $3)";
                tx.execute(insert, &[(&jkt).into(), (&id).into(), (NOW + 60).into()]).await?;
            }
            Ok(())
        })
    });
    fill.await.unwrap();
    let full = login(&rig, &busy.proof("/login")).await.refused(429, "dpop-too-many");
    assert!(full.headers.contains_key("retry-after"));
    login(&rig, &other.proof("/login")).await.expect(200);
}

// OAU-16: every algorithm of the metadata whose keys are drawn quickly (RSA's are tried in `countersign-jose`).
#[tokio::test]
async fn the_metadata_lists_the_algorithms_that_work() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    let names: Vec<&str> = metadata["dpop_signing_alg_values_supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(names.contains(&"ES256") && names.contains(&"EdDSA") && names.contains(&"PS256"));
    assert!(!names.iter().any(|name| name.starts_with("HS") || *name == "none"));
    for alg in Algorithm::all().filter(|alg| alg.kty() != "RSA" && alg.signs_proofs()) {
        assert!(names.contains(&alg.as_str()));
        login(&rig, &Holder::of(alg).proof("/login")).await.expect(200);
    }
}
