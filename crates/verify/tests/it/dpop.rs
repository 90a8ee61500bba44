//! Tokens that are bound to a key (RFC 9449), as a service meets them: the twelve checks of §4.3, and the ways around them.

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use countersign_verify::{
    BuildError, Claims, Clock, Dpop, DpopFault, Rejection, TestIssuer, TestKey, Verifier, VerifyLayer,
    jose::{Error, b64, dpop::ProofError},
};
use http::{HeaderMap, Method, Request, Response, Uri, header};
use serde_json::json;
use tower::ServiceExt;

use crate::support::{ISSUER, NOW};

const API: &str = "https://api.test";
const ORDERS: &str = "https://api.test/orders";

struct Stage {
    issuer: TestIssuer,
    clock: Clock,
    verifier: Verifier,
    key: TestKey,
    token: String,
}

impl Stage {
    fn set(dpop: Dpop) -> Self {
        let clock = Clock::manual(NOW);
        let issuer = TestIssuer::new(ISSUER).audience("orders").clock(clock.clone());
        let verifier = issuer.verifier_builder().dpop(dpop).build().unwrap();
        let key = issuer.client_key();
        let token = issuer.token().sub("usr_1").sid("phone").bound_to(&key).sign();
        Self { issuer, clock, verifier, key, token }
    }

    fn proof(&self) -> String {
        self.key.proof("GET", ORDERS, &self.token)
    }

    async fn ask(&self, scheme: &str, token: &str, proofs: &[&str]) -> Result<Claims, Rejection> {
        self.ask_with(headers(scheme, token, proofs), "/orders?page=2").await
    }

    async fn ask_with(&self, headers: HeaderMap, path: &'static str) -> Result<Claims, Rejection> {
        let claims = self.verifier.verify_request(&Method::GET, &Uri::from_static(path), &headers).await?;
        Ok(claims.expect("a token"))
    }

    /// The token with a proof, changed.
    async fn with_proof(
        &self,
        change: impl FnOnce(&mut countersign_verify::jose::DpopClaims),
    ) -> Result<Claims, Rejection> {
        let proof = self.key.proof_with("GET", ORDERS, &self.token, change);
        self.ask("DPoP", &self.token, &[&proof]).await
    }
}

fn headers(scheme: &str, token: &str, proofs: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, format!("{scheme} {token}").parse().unwrap());
    for proof in proofs {
        headers.append("dpop", proof.parse().unwrap());
    }
    headers
}

fn fault(outcome: Result<Claims, Rejection>) -> DpopFault {
    match outcome.expect_err("refused") {
        Rejection::Dpop(fault) => fault,
        other => panic!("{other}"),
    }
}

fn code(outcome: Result<Claims, Rejection>) -> &'static str {
    outcome.map_or_else(|rejection| rejection.code(), |_| "good")
}

// RFC 9449 §7.1, §4.3 (check 1), TOK-24
#[tokio::test]
async fn a_bound_token_is_good_with_one_proof_by_its_key() {
    let stage = Stage::set(Dpop::at(API));
    let claims = stage.ask("DPoP", &stage.token, &[&stage.proof()]).await.unwrap();
    assert_eq!(claims.sub, "usr_1");
    assert_eq!(code(stage.ask("dpop", &stage.token, &[&stage.proof()]).await), "good", "a scheme has no case");
    assert_eq!(fault(stage.ask("DPoP", &stage.token, &[]).await), DpopFault::Headers { got: 0 });
    let twice = [stage.proof(), stage.proof()];
    assert_eq!(fault(stage.ask("DPoP", &stage.token, &[&twice[0], &twice[1]]).await), DpopFault::Headers { got: 2 });
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&twice.join(", ")]).await), "dpop_proof");
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[""]).await), "dpop_proof");
}

// TOK-25, RFC 9449 §7.2: no downgrade, in either direction.
#[tokio::test]
async fn a_scheme_that_does_not_fit_the_token_is_refused() {
    let stage = Stage::set(Dpop::at(API));
    let bearer = stage.issuer.token().sub("usr_1").sign();
    for proofs in [vec![], vec![stage.proof()]] {
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        assert_eq!(fault(stage.ask("Bearer", &stage.token, &proofs).await), DpopFault::Bearer);
        assert_eq!(code(stage.ask("Bearer", &bearer, &proofs).await), "good");
    }
    assert_eq!(fault(stage.verifier.verify(&stage.token)), DpopFault::Bearer);
    assert_eq!(fault(stage.verifier.verify_online(&stage.token).await), DpopFault::Bearer);
    let proof = stage.key.proof("GET", ORDERS, &bearer);
    assert_eq!(fault(stage.ask("DPoP", &bearer, &[&proof]).await), DpopFault::Unbound);
    // Bound by something else as well, or by something else alone.
    let jkt = stage.key.thumbprint();
    for cnf in [json!({ "jkt": jkt, "x5t#S256": b64::encode([7; 32]) }), json!({ "x5t#S256": b64::encode([7; 32]) })] {
        let token = stage.issuer.token().with(|claims| claims.cnf = Some(cnf.clone())).sign();
        let proof = stage.key.proof("GET", ORDERS, &token);
        for scheme in ["DPoP", "Bearer"] {
            assert_eq!(fault(stage.ask(scheme, &token, &[&proof]).await), DpopFault::Confirmation);
        }
    }
    // A cookie carries no proof.
    let cookies = stage.issuer.verifier_builder().dpop(Dpop::at(API)).accept_cookie().build().unwrap();
    let mut headers = headers("DPoP", "x", &[&stage.proof()]);
    headers.remove(header::AUTHORIZATION);
    headers.insert(header::COOKIE, format!("__Host-access={}", stage.token).parse().unwrap());
    let outcome = cookies.verify_request(&Method::GET, &Uri::from_static("/orders"), &headers).await;
    assert_eq!(outcome, Err(Rejection::Dpop(DpopFault::Bearer)));
}

// TOK-25, RFC 9449 §11.1: the token is in the cache, and its proof is used up all the same.
#[tokio::test]
async fn a_proof_is_used_once() {
    let stage = Stage::set(Dpop::at(API));
    let proof = stage.proof();
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&proof]).await), "good");
    for _ in 0..3 {
        assert_eq!(fault(stage.ask("DPoP", &stage.token, &[&proof]).await), DpopFault::Replayed);
    }
    // The same id in another text: ECDSA signs differently each time.
    let id = |claims: &mut countersign_verify::jose::DpopClaims| claims.jti = "proof-0".into();
    assert_eq!(fault(stage.with_proof(id).await), DpopFault::Replayed);
    // Right to its last second, and then for its age.
    stage.clock.advance(Duration::from_secs(70));
    assert_eq!(fault(stage.ask("DPoP", &stage.token, &[&proof]).await), DpopFault::Replayed);
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&proof]).await), "dpop_proof");
    // A clock that is set back makes nothing good again: the log says how late it is.
    stage.clock.step_to(NOW);
    assert_ne!(code(stage.ask("DPoP", &stage.token, &[&proof]).await), "good");
    stage.clock.step_to(NOW + 71);
    let clones = [stage.verifier.clone(), stage.verifier.with_profile(countersign_verify::Profile::Strict)];
    let fresh = stage.proof();
    let headers = headers("DPoP", &stage.token, &[&fresh]);
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&fresh]).await), "good");
    for clone in clones {
        let outcome = clone.verify_request(&Method::GET, &Uri::from_static("/orders"), &headers).await;
        assert_eq!(outcome, Err(Rejection::Dpop(DpopFault::Replayed)), "clones share what was used");
    }
}

// TOK-25: what cannot be remembered is not accepted, and a client is not signed out for it.
#[tokio::test]
async fn a_full_memory_answers_503() {
    let stage = Stage::set(Dpop::at(API).max_kept_of_key(2));
    let ask = || async { stage.ask("DPoP", &stage.token, &[&stage.proof()]).await };
    assert_eq!((code(ask().await), code(ask().await)), ("good", "good"));
    let rejection = ask().await.unwrap_err();
    assert_eq!((rejection.code(), rejection.status().as_u16()), ("dpop_full", 503));
    let other = stage.issuer.client_key();
    let token = stage.issuer.token().bound_to(&other).sign();
    assert_eq!(code(stage.ask("DPoP", &token, &[&other.proof("GET", ORDERS, &token)]).await), "good");
    stage.clock.advance(Duration::from_secs(300));
    assert_eq!(code(ask().await), "good");
}

// RFC 9449 §4.3, checks 8, 9, 11 and 12, TOK-24
#[tokio::test]
async fn a_proof_for_something_else_is_refused() {
    let stage = Stage::set(Dpop::at(API));
    let proof_fault = |outcome| match fault(outcome) {
        DpopFault::Proof(error) => error,
        other => panic!("{other:?}"),
    };
    for htm in ["POST", "get"] {
        let outcome = stage.with_proof(|claims| claims.htm = htm.into()).await;
        assert_eq!(proof_fault(outcome), ProofError::Method { expected: "GET".into(), got: htm.into() });
    }
    for htu in [
        "https://api.test/refunds",
        "http://api.test/orders",
        "https://evil.test/orders",
        "/orders",
        "https://api.test/orders/",
    ] {
        let outcome = stage.with_proof(|claims| claims.htu = htu.into()).await;
        assert_eq!(proof_fault(outcome), ProofError::Target { expected: ORDERS.into(), got: htu.into() });
    }
    assert_eq!(
        code(stage.with_proof(|claims| claims.htu = "https://API.test:443/./orders?other=query".into()).await),
        "good"
    );
    let now = i64::try_from(NOW).unwrap();
    let outcome = stage.with_proof(|claims| claims.iat -= 71).await;
    assert_eq!(proof_fault(outcome), ProofError::Token(Error::TooOld { limit: 60, got: 71 }));
    let outcome = stage.with_proof(|claims| claims.iat += 11).await;
    assert_eq!(proof_fault(outcome), ProofError::Token(Error::IssuedInFuture { iat: now + 11, now }));
    // A proof that was made for another token of the same client, or for none.
    let other = stage.issuer.token().sub("usr_1").bound_to(&stage.key).sign();
    let borrowed = stage.key.proof("GET", ORDERS, &other);
    assert_eq!(proof_fault(stage.ask("DPoP", &stage.token, &[&borrowed]).await), ProofError::TokenHash);
    let outcome = stage.with_proof(|claims| claims.ath = None).await;
    assert_eq!(proof_fault(outcome), ProofError::Token(Error::ClaimMissing { claim: "ath" }));
}

// RFC 9449 §6, §11.2: the point of it all.
#[tokio::test]
async fn a_thief_of_a_token_has_nothing() {
    let stage = Stage::set(Dpop::at(API));
    let thief = stage.issuer.client_key();
    let own = thief.proof("GET", ORDERS, &stage.token);
    let rejection = stage.ask("DPoP", &stage.token, &[&own]).await.unwrap_err();
    assert!(matches!(&rejection, Rejection::Dpop(DpopFault::Proof(ProofError::Key { .. }))), "{rejection}");
    assert_eq!(rejection.status(), 401);
    // The owner's key in the header, the thief's signature.
    let (genuine, forged) = (stage.proof(), thief.proof("GET", ORDERS, &stage.token));
    let genuine_header = genuine.split('.').next().unwrap();
    let rest = forged.split_once('.').unwrap().1;
    let outcome = stage.ask("DPoP", &stage.token, &[&format!("{genuine_header}.{rest}")]).await;
    assert_eq!(fault(outcome), DpopFault::Proof(ProofError::Token(Error::Signature)));
    // A token in which the thief's key took the place of the owner's is no token of the issuer.
    let payload: Vec<&str> = stage.token.split('.').collect();
    let mut claims: serde_json::Value = serde_json::from_slice(&b64::decode(payload[1]).unwrap()).unwrap();
    claims["cnf"] = json!({ "jkt": thief.thumbprint() });
    let altered = format!("{}.{}.{}", payload[0], b64::encode(claims.to_string()), payload[2]);
    let proof = thief.proof("GET", ORDERS, &altered);
    assert_eq!(code(stage.ask("DPoP", &altered, &[&proof]).await), "signature");
}

// A good proof does not make up for a bad token.
#[tokio::test]
async fn the_token_is_checked_as_any_other() {
    let stage = Stage::set(Dpop::at(API));
    for (name, token) in stage.issuer.all_wrong() {
        let proof = stage.key.proof("GET", ORDERS, &token);
        assert_ne!(code(stage.ask("DPoP", &token, &[&proof]).await), "good", "{name}");
    }
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&stage.proof()]).await), "good");
    stage.issuer.revoke_session("phone");
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&stage.proof()]).await), "revoked");
}

#[tokio::test]
async fn without_dpop_nothing_that_is_bound_is_accepted() {
    let stage = Stage::set(Dpop::at(API));
    let plain = stage.issuer.verifier();
    let headers = headers("DPoP", &stage.token, &[&stage.proof()]);
    let outcome = plain.verify_request(&Method::GET, &Uri::from_static("/orders"), &headers).await;
    assert_eq!(outcome, Err(Rejection::Dpop(DpopFault::NotAccepted)));
}

// RFC 9449 §9, §11.3
#[tokio::test]
async fn a_service_with_nonces_takes_nothing_without_one() {
    let secret = b64::encode([9; 32]);
    let stage = Stage::set(Dpop::at(API).nonces(&secret).nonce_lifetime(Duration::from_secs(120)));
    let fresh = |outcome| match fault(outcome) {
        DpopFault::Nonce { fresh } => fresh,
        other => panic!("{other:?}"),
    };
    let nonce = fresh(stage.ask("DPoP", &stage.token, &[&stage.proof()]).await);
    assert_eq!(code(stage.with_proof(|claims| claims.nonce = Some(nonce.clone())).await), "good");
    // The client's clock does not matter then.
    assert_eq!(code(stage.with_proof(|claims| (claims.iat, claims.nonce) = (7, Some(nonce.clone()))).await), "good");
    for bad in [String::new(), "guessed".into(), b64::encode([0; 24])] {
        fresh(stage.with_proof(|claims| claims.nonce = Some(bad)).await);
    }
    let used = stage.key.proof_with("GET", ORDERS, &stage.token, |claims| claims.nonce = Some(nonce.clone()));
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&used]).await), "good");
    stage.clock.advance(Duration::from_secs(119));
    assert_eq!(code(stage.ask("DPoP", &stage.token, &[&used]).await), "dpop_replayed");
    stage.clock.advance(Duration::from_secs(1));
    fresh(stage.ask("DPoP", &stage.token, &[&used]).await);
    // Another replica with the same secret takes its nonces.
    let dpop = Dpop::at(API).nonces(secret);
    let replica = stage.issuer.verifier_builder().dpop(dpop).build().unwrap();
    let nonce = fresh(stage.ask("DPoP", &stage.token, &[&stage.proof()]).await);
    let proof = stage.key.proof_with("GET", ORDERS, &stage.token, |claims| claims.nonce = Some(nonce));
    let headers = headers("DPoP", &stage.token, &[&proof]);
    assert!(replica.verify_request(&Method::GET, &Uri::from_static("/orders"), &headers).await.is_ok());
}

// TOK-24 (htu): where the URL is known from.
#[tokio::test]
async fn the_url_is_the_configured_one_or_the_proxys() {
    let stage = Stage::set(Dpop::at("https://API.test/shop/").or_at("http://localhost:3000"));
    for url in ["https://api.test/shop/orders", "http://localhost:3000/orders"] {
        let proof = stage.key.proof("GET", url, &stage.token);
        let mut headers = headers("DPoP", &stage.token, &[&proof]);
        // Nothing that a request says of itself counts.
        headers.insert("x-forwarded-host", "evil.test".parse().unwrap());
        headers.insert(header::HOST, "evil.test".parse().unwrap());
        assert_eq!(code(stage.ask_with(headers, "/orders").await), "good", "{url}");
    }
    let proof = stage.key.proof("GET", "https://evil.test/orders", &stage.token);
    let mut evil = headers("DPoP", &stage.token, &[&proof]);
    evil.insert("x-forwarded-host", "evil.test".parse().unwrap());
    evil.insert("x-forwarded-proto", "https".parse().unwrap());
    assert_eq!(code(stage.ask_with(evil, "/orders").await), "dpop_proof");

    let stage = Stage::set(Dpop::forwarded());
    let forwarded = |lines: &[(&'static str, &str)]| {
        let mut headers = headers("DPoP", &stage.token, &[&stage.proof()]);
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    };
    let (proto, host) = (("x-forwarded-proto", "https"), ("x-forwarded-host", "api.test"));
    assert_eq!(code(stage.ask_with(forwarded(&[proto, host]), "/orders").await), "good");
    for unclear in [
        vec![],
        vec![host],
        vec![proto],
        vec![proto, host, host],
        vec![proto, ("x-forwarded-host", "api.test, evil.test")],
        vec![proto, ("x-forwarded-host", "api.test/orders?")],
        vec![("x-forwarded-proto", "ftp"), host],
    ] {
        assert_eq!(code(stage.ask_with(forwarded(&unclear), "/orders").await), "dpop_target", "{unclear:?}");
    }
    let other = forwarded(&[proto, ("x-forwarded-host", "other.test")]);
    assert_eq!(code(stage.ask_with(other, "/orders").await), "dpop_proof");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let build = |dpop: Dpop| TestIssuer::new(ISSUER).verifier_builder().dpop(dpop).build().err();
    for bad in ["", "api.test", "http://api.test", "https://api.test/?x", "https://me@api.test", "https://api.test/#x"]
    {
        assert!(matches!(build(Dpop::at(bad)), Some(BuildError::Dpop { .. })), "{bad}");
        assert!(matches!(build(Dpop::at(API).or_at(bad)), Some(BuildError::Dpop { .. })), "{bad}");
    }
    for bad in [String::new(), "secret".into(), b64::encode([1; 31]), b64::encode([1; 33])] {
        assert!(matches!(build(Dpop::at(API).nonces(bad)), Some(BuildError::Dpop { .. })));
    }
    assert_eq!(build(Dpop::at("http://127.0.0.1:3000")), None);
}

fn answer_of(response: &Response<Body>) -> (u16, Vec<String>) {
    let challenges = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
    (response.status().as_u16(), challenges.map(|value| value.to_str().unwrap().to_owned()).collect())
}

// RFC 9449 §7.1: over the layer and the extractors, in a router inside another.
#[tokio::test]
async fn the_layer_asks_for_proofs() {
    let stage = Stage::set(Dpop::at(API).nonces(b64::encode([9; 32])));
    let orders = Router::new().route("/orders", get(|claims: Claims| async move { claims.sub.clone() }));
    let app = Router::new().nest("/v1", orders.layer(VerifyLayer::new(stage.verifier.clone())));
    let send = |headers: HeaderMap| {
        let mut request = Request::builder().uri("/v1/orders?page=2").body(Body::empty()).unwrap();
        *request.headers_mut() = headers;
        app.clone().oneshot(request)
    };
    let url = "https://api.test/v1/orders";

    let (status, challenges) = answer_of(&send(HeaderMap::new()).await.unwrap());
    assert_eq!((status, challenges.len()), (401, 2));
    assert_eq!(challenges[0], "Bearer realm=\"api\"");
    assert!(challenges[1].starts_with("DPoP algs=\"") && challenges[1].contains("ES256"), "{challenges:?}");

    let first = send(headers("DPoP", &stage.token, &[&stage.key.proof("GET", url, &stage.token)])).await.unwrap();
    let (status, challenges) = answer_of(&first);
    assert_eq!(status, 401);
    assert!(challenges[0].starts_with("DPoP error=\"use_dpop_nonce\""), "{challenges:?}");
    let nonce = first.headers()["dpop-nonce"].to_str().unwrap().to_owned();

    let proof = stage.key.proof_with("GET", url, &stage.token, |claims| claims.nonce = Some(nonce.clone()));
    stage.clock.advance(Duration::from_secs(10));
    let second = send(headers("DPoP", &stage.token, &[&proof])).await.unwrap();
    assert_eq!(second.status(), 200);
    assert_ne!(second.headers()["dpop-nonce"], nonce, "each answer has the nonce for the next");

    let replayed = answer_of(&send(headers("DPoP", &stage.token, &[&proof])).await.unwrap());
    assert!(replayed.0 == 401 && replayed.1[0].starts_with("DPoP error=\"invalid_dpop_proof\""), "{replayed:?}");
    let stolen = answer_of(&send(headers("Bearer", &stage.token, &[])).await.unwrap());
    assert!(stolen.0 == 401 && stolen.1[0].starts_with("DPoP error=\"invalid_token\""), "{stolen:?}");
    let bearer = stage.issuer.token().sign();
    let plain = send(headers("Bearer", &bearer, &[])).await.unwrap();
    assert!(plain.status() == 200 && !plain.headers().contains_key("dpop-nonce"));
}
