//! TOK-15 to TOK-19 and every rejection, with real signatures.

use std::{collections::HashMap, time::Duration};

use countersign_verify::{
    Clock, Rejection, TestIssuer, Verifier,
    jose::{
        AccessClaims, Algorithm, Audience, ClientAssertionClaims, DpopClaims, FeedClaims, GenericClaims, IdClaims,
        JwkSet, LogoutClaims, SigningKey, b64, claims::LOGOUT_EVENT, profile, sign,
    },
};

use crate::support::{ISSUER, KeyServer, NOW};

const NOW_SECS: i64 = 1_790_000_000;

fn issuer() -> (TestIssuer, Clock) {
    let clock = Clock::manual(NOW);
    (TestIssuer::new(ISSUER).audience("orders").clock(clock.clone()), clock)
}

fn code(verifier: &Verifier, token: &str) -> &'static str {
    verifier.verify(token).map_or_else(|rejection| rejection.code(), |_| "accepted")
}

/// What each wrong token must be refused for.
fn expected() -> HashMap<&'static str, &'static str> {
    HashMap::from([
        ("expired", "expired"),
        ("not_yet", "not_yet"),
        ("issued_in_the_future", "not_yet"),
        ("too_long_lived", "lifetime"),
        ("wrong_issuer", "issuer"),
        ("issuer_with_a_slash", "issuer"),
        ("wrong_audience", "audience"),
        ("audience_prefix", "audience"),
        ("altered", "signature"),
        ("altered_signature", "signature"),
        ("no_signature", "signature"),
        ("alg_none", "malformed"),
        ("hs256_with_public_key", "algorithm"),
        ("another_alg", "algorithm"),
        ("wrong_key", "signature"),
        ("unknown_kid", "unknown_key"),
        ("embedded_key", "signature"),
        ("wrong_typ", "type"),
        ("no_typ", "type"),
        ("critical_extension", "malformed"),
        ("no_exp", "malformed"),
        ("exp_as_text", "malformed"),
        ("no_sub", "malformed"),
        ("duplicate_claim", "malformed"),
        ("padded", "malformed"),
        ("five_parts", "malformed"),
        ("not_a_token", "malformed"),
        ("bound_to_a_key", "dpop_bearer"),
        ("bound_in_an_unknown_way", "unknown_confirmation"),
    ])
}

#[test]
fn every_wrong_token_is_refused_for_its_own_reason() {
    for alg in [Algorithm::ES256, Algorithm::Ed25519] {
        let (issuer, _) = issuer();
        let issuer = issuer.algorithm(alg);
        let verifier = issuer.verifier();
        assert_eq!(code(&verifier, &issuer.token().sign()), "accepted");
        // One that knows the usual header by now, and for each token one that has seen nothing.
        for warm in [true, false] {
            let got: HashMap<_, _> = issuer
                .all_wrong()
                .map(|(name, token)| {
                    (name, if warm { code(&verifier, &token) } else { code(&issuer.verifier(), &token) })
                })
                .collect();
            assert_eq!(got, expected(), "{alg}, warm: {warm}");
        }
    }
}

#[tokio::test]
async fn every_wrong_token_is_refused_by_a_fetching_verifier_too() {
    let server = KeyServer::start().await;
    let verifier = server.ready_verifier().await;
    for (name, token) in server.issuer.all_wrong() {
        let rejection = verifier.verify_online(&token).await.unwrap_err();
        assert_eq!(rejection.code(), expected()[name], "{name}: {rejection}");
        assert_eq!(rejection.status(), 401, "{name}");
    }
    // TOK-05: no header of a token made it call anybody.
    assert_eq!(server.requests(), 1);
}

// TOK-16
#[test]
fn exactly_the_types_of_an_access_token_are_accepted() {
    let key = SigningKey::generate(Algorithm::ES256, "k1").unwrap();
    let verifier = verifier_of(&key);
    for (typ, accepted) in [
        ("at+jwt", true),
        ("application/at+jwt", true),
        ("AT+JWT", false),
        ("at+JWT", false),
        ("application/application/at+jwt", false),
        (" at+jwt", false),
        ("at+jwt;v=1", false),
        ("JWT", false),
        ("", false),
    ] {
        let token = with_header(&key, &serde_json::json!({"alg": "ES256", "kid": "k1", "typ": typ}), &claims());
        assert_eq!(verifier.verify(&token).is_ok(), accepted, "{typ:?}");
    }
}

// TOK-16
#[test]
fn each_claim_of_rfc_9068_is_required() {
    let key = SigningKey::generate(Algorithm::ES256, "k1").unwrap();
    let verifier = verifier_of(&key);
    let full = claims();
    let header = serde_json::json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"});
    assert!(verifier.verify(&with_header(&key, &header, &full)).is_ok());
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        for wrong in [None, Some(serde_json::Value::Null), Some(serde_json::json!({})), Some(serde_json::json!(""))] {
            let mut claims = full.clone();
            match &wrong {
                None => drop(claims.as_object_mut().unwrap().remove(claim)),
                Some(value) => claims[claim] = value.clone(),
            }
            let outcome = verifier.verify(&with_header(&key, &header, &claims));
            assert!(outcome.is_err(), "{claim} as {wrong:?}");
        }
    }
}

// TOK-17
#[test]
fn no_other_kind_of_token_passes_for_an_access_token() {
    let key = SigningKey::generate(Algorithm::ES256, "k1").unwrap();
    let verifier = verifier_of(&key);
    let (iss, aud) = (|| ISSUER.to_owned(), || Audience::from("orders"));
    let (iat, exp, jti) = (NOW_SECS, NOW_SECS + 60, || "j".to_owned());
    let events = serde_json::json!({ LOGOUT_EVENT: {} });
    let id = IdClaims { iss: iss(), sub: "u".into(), aud: aud(), iat, exp, ..Default::default() };
    let out = LogoutClaims {
        iss: iss(),
        aud: aud(),
        iat,
        exp,
        jti: jti(),
        events,
        sub: Some("u".into()),
        ..Default::default()
    };
    let client = ClientAssertionClaims { iss: iss(), sub: iss(), aud: aud(), jti: jti(), exp, ..Default::default() };
    let proof = DpopClaims { jti: jti(), htm: "GET".into(), htu: ISSUER.into(), iat, ..Default::default() };
    let batch = FeedClaims { iss: iss(), ..Default::default() };
    let any = GenericClaims {
        iss: Some(iss()),
        sub: Some("u".into()),
        aud: Some(aud()),
        exp: Some(exp),
        ..Default::default()
    };
    let tokens = [
        ("ID token", sign::<profile::IdToken>(&key, &id)),
        ("logout token", sign::<profile::LogoutToken>(&key, &out)),
        ("client assertion", sign::<profile::ClientAssertion>(&key, &client)),
        ("DPoP proof", sign::<profile::DpopProof>(&key, &proof)),
        ("feed batch", sign::<profile::FeedBatch>(&key, &batch)),
        ("generic", sign::<profile::Generic>(&key, &any)),
    ];
    for (kind, token) in tokens {
        let token = token.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(code(&verifier, &token), "type", "{kind}");
    }
}

// TOK-18
#[test]
fn the_audience_must_name_this_service_to_the_letter() {
    let (issuer, _) = issuer();
    let verifier = issuer.verifier();
    let with = |aud: Audience| issuer.token().with(|claims| claims.aud = aud).sign();
    let many = |names: &[&str]| Audience::from(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    for good in [Audience::from("orders"), many(&["orders"]), many(&["billing", "orders"])] {
        assert_eq!(code(&verifier, &with(good)), "accepted");
    }
    for bad in [
        Audience::from("order"),
        Audience::from("orders2"),
        Audience::from("Orders"),
        Audience::from("orders/"),
        Audience::from(" orders"),
        Audience::from("billing orders"),
        many(&["billing", "ordersx"]),
    ] {
        assert_eq!(code(&verifier, &with(bad.clone())), "audience", "{bad:?}");
    }
    let two = issuer.verifier_builder().or_audience("orders-v2").build().unwrap();
    assert_eq!(code(&two, &with(Audience::from("orders-v2"))), "accepted");
    assert_eq!(code(&two, &with(Audience::from("orders"))), "accepted");
}

// TOK-19
#[test]
fn two_issuers_with_keys_of_the_same_id_do_not_pass_for_each_other() {
    let (ours, clock) = issuer();
    let theirs = TestIssuer::new("https://other.test").audience("orders").clock(clock.clone());
    let pretending = TestIssuer::new(ISSUER).audience("orders").clock(clock);
    let verifier = ours.verifier();
    assert_eq!(code(&verifier, &theirs.token().sign()), "signature");
    assert_eq!(code(&verifier, &pretending.token().sign()), "signature", "the name alone proves nothing");
    assert_eq!(code(&verifier, &ours.token().with(|claims| claims.iss = "https://other.test".into()).sign()), "issuer");
    assert_eq!(code(&theirs.verifier(), &theirs.token().sign()), "accepted");
}

// TOK-15
#[test]
fn times_are_judged_with_the_leeway_and_never_more_than_a_minute() {
    let (issuer, clock) = issuer();
    let verifier = issuer.verifier();
    let token = issuer.token().ttl(Duration::from_secs(600)).sign();
    clock.advance(Duration::from_secs(609));
    assert_eq!(code(&verifier, &token), "accepted", "10 s are forgiven");
    clock.advance(Duration::from_secs(1));
    assert_eq!(verifier.verify(&token), Err(Rejection::Expired { exp: NOW_SECS + 600, now: NOW_SECS + 610 }));

    let lenient = issuer.verifier_builder().leeway(Duration::from_secs(86_400)).build().unwrap();
    assert_eq!(code(&lenient, &token), "accepted");
    clock.advance(Duration::from_secs(50));
    assert_eq!(code(&lenient, &token), "expired", "a day is lowered to a minute");

    let strict = issuer.verifier_builder().leeway(Duration::ZERO).build().unwrap();
    let early = issuer.token().with(|claims| claims.nbf = Some(claims.iat + 1)).sign();
    assert_eq!(code(&strict, &early), "not_yet");
    assert_eq!(code(&verifier, &early), "accepted");
}

#[test]
fn a_lifetime_above_the_cap_is_refused() {
    let (issuer, _) = issuer();
    let token = issuer.token().ttl(Duration::from_secs(7_200)).sign();
    assert_eq!(issuer.verifier().verify(&token), Err(Rejection::Lifetime { cap: 3_600, got: 7_200 }));
    let longer = issuer.verifier_builder().max_lifetime(Duration::from_secs(7_200)).build().unwrap();
    assert_eq!(code(&longer, &token), "accepted");
}

// TOK-04: HS256, a secret for this audience alone
#[test]
fn a_shared_secret_verifies_its_own_tokens_and_no_others() {
    let (issuer, clock) = issuer();
    let start = || Verifier::builder(ISSUER).audience("orders").clock(clock.clone()).without_revocation();
    let verifier = start().shared_secret(b64::encode([1; 32])).build().unwrap();
    let both = start().shared_secret(b64::encode([1; 32])).shared_secret(b64::encode([2; 32])).build().unwrap();
    let signed = |kid: &str, secret: [u8; 32]| {
        let key = SigningKey::hmac(Algorithm::HS256, kid, &secret).unwrap();
        sign::<profile::AccessToken>(&key, &access_claims()).unwrap()
    };
    assert_eq!(code(&verifier, &signed("any-id", [1; 32])), "accepted");
    assert_eq!(code(&verifier, &signed("any-id", [2; 32])), "signature");
    assert_eq!(code(&both, &signed("old", [1; 32])), "accepted", "while one secret replaces another");
    assert_eq!(code(&both, &signed("new", [2; 32])), "accepted");
    assert_eq!(code(&both, &signed("old", [3; 32])), "signature");
    assert_eq!(code(&both, &issuer.token().sign()), "algorithm", "a public key's token is none of ours");
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(code(&both, &signed("old", [1; 32])), "expired");
    assert_eq!(code(&both, &signed("new", [2; 32])), "expired");
}

#[test]
fn requirements_of_the_builder_hold_for_every_token() {
    let (issuer, _) = issuer();
    let verifier = issuer.verifier_builder().require_scope("orders:read").require_role("clerk").build().unwrap();
    let token = || issuer.token();
    assert_eq!(code(&verifier, &token().scope("orders:read x").role("clerk").sign()), "accepted");
    assert_eq!(code(&verifier, &token().scope("orders:readall").role("clerk").sign()), "scope");
    assert_eq!(code(&verifier, &token().role("clerk").sign()), "scope");
    assert_eq!(code(&verifier, &token().scope("orders:read").role("clerks").sign()), "role");
}

#[test]
fn claims_read_as_they_were_signed() {
    let (issuer, _) = issuer();
    let token = issuer.token().sub("usr_1").client_id("web").sid("s1").role("admin").role("buyer");
    let token = token.scope("orders:read orders:write").claim("theme", "dark").sign();
    let claims = issuer.verifier().verify(&token).unwrap();
    assert_eq!((claims.sub.as_str(), claims.client_id.as_str(), claims.sid.as_deref()), ("usr_1", "web", Some("s1")));
    assert_eq!(claims.scopes().collect::<Vec<_>>(), ["orders:read", "orders:write"]);
    assert!(claims.has_role("admin") && !claims.has_role("adm"));
    assert!(claims.has_scope("orders:write orders:read") && !claims.has_scope("orders:read orders:delete"));
    assert_eq!(claims.extra["theme"], "dark");
    assert!(claims.require_any_role(&["support", "buyer"]).is_ok());
    let refused = claims.require_any_role(&["support", "auditor"]).unwrap_err();
    assert_eq!(refused, Rejection::Role { required: "support auditor".into(), granted: "admin buyer".into() });
}

// AUD-03
#[test]
fn what_a_stranger_wrote_is_shortened_and_escaped_in_the_log() {
    let (issuer, _) = issuer();
    let verifier = issuer.verifier();
    let token =
        issuer.token().with(|claims| claims.iss = format!("https://evil.test\r\nlevel=error {}", "x".repeat(500)));
    let rejection = verifier.verify(&token.sign()).unwrap_err();
    assert!(rejection.got().starts_with("https://evil.test\\r\\nlevel=error xxx"), "{rejection}");
    assert!(rejection.got().chars().count() <= 100 && !rejection.to_string().contains('\n'));
}

#[test]
fn every_rejection_says_what_was_expected_what_came_and_what_to_do() {
    let (issuer, _) = issuer();
    let verifier = issuer.verifier();
    for (name, token) in issuer.all_wrong() {
        let rejection = verifier.verify(&token).unwrap_err();
        for words in [rejection.expected(), rejection.got(), rejection.hint().into()] {
            assert!(!words.is_empty() && !words.contains('\n'), "{name}: {rejection}");
        }
    }
    let unknown = verifier.verify(&issuer.token().unknown_kid()).unwrap_err();
    assert_eq!(unknown.to_string(), "unknown_key: expected one of the keys test-1, got never-published");
}

fn verifier_of(key: &SigningKey) -> Verifier {
    let keys = JwkSet::from(vec![key.public_jwk().unwrap()]);
    let builder = Verifier::builder(ISSUER).audience("orders").clock(Clock::manual(NOW));
    builder.keys(keys).without_revocation().build().unwrap()
}

fn claims() -> serde_json::Value {
    serde_json::json!({
        "iss": ISSUER, "sub": "u", "aud": "orders", "client_id": "c", "jti": "j", "iat": NOW_SECS, "exp": NOW_SECS + 60,
    })
}

fn access_claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.into(),
        sub: "u".into(),
        aud: "orders".into(),
        client_id: "c".into(),
        jti: "j".into(),
        iat: NOW_SECS,
        exp: NOW_SECS + 60,
        ..Default::default()
    }
}

fn with_header(key: &SigningKey, header: &serde_json::Value, claims: &serde_json::Value) -> String {
    let input = format!("{}.{}", b64::encode(header.to_string()), b64::encode(claims.to_string()));
    let signature = key.sign_raw(input.as_bytes()).unwrap();
    format!("{input}.{}", b64::encode(signature))
}
