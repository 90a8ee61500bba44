//! Every algorithm signs and verifies, and no kind of token passes for another.

use crate::support::*;
use countersign_jose::{
    AccessClaims, Algorithm, Audience, Basis, ClientAssertionClaims, DpopClaims, Error, FeedClaims, FeedEntry,
    FeedTimeClaims, GenericClaims, IdClaims, LogoutClaims, RequestObjectClaims, SigningInput, SigningKey, Verified,
    VerifyingKey,
    claims::LOGOUT_EVENT,
    dpop::{self, Checker, Demand, Freshness, Target},
    profile::{
        AccessToken, ClientAssertion, DpopProof, FeedBatch, FeedTime, Generic, IdToken, LogoutToken, Profile,
        RequestObject,
    },
    sign,
    verifier::{Given, Missing, Ready, Requirement, Unused},
};
use serde_json::json;

#[test]
fn every_algorithm_signs_and_verifies() {
    for alg in Algorithm::all() {
        let (key, public) = pair(alg);
        let token = sign::<AccessToken>(&key, &claims()).unwrap();
        let verifier = verifier(public);
        assert_eq!(verifier.verify(&token, NOW).map(Verified::into_inner), Ok(claims()), "{alg}");
        assert_eq!(verifier.verify(&token, NOW + 610), Err(Error::Expired { exp: NOW + 600, now: NOW + 610 }));
        assert!(verifier.verify(&token, NOW + 609).is_ok());
    }
}

#[test]
fn a_signature_made_elsewhere_makes_the_same_token() {
    for alg in Algorithm::all() {
        let (key, public) = pair(alg);
        let input = SigningInput::new::<AccessToken>(alg, "k1", &claims()).unwrap();
        let signature = key.sign_raw(input.as_bytes()).unwrap();
        let short = SigningInput::new::<AccessToken>(alg, "k1", &claims()).unwrap().finish(&signature[1..]);
        assert_eq!(short, Err(Error::SignatureLength { alg, got: signature.len() - 1 }));
        let token = input.finish(&signature).unwrap();
        assert!(verifier(public).verify(&token, NOW).is_ok());
    }
}

fn id() -> IdClaims {
    IdClaims {
        iss: ISSUER.into(),
        sub: "user-1".into(),
        aud: AUDIENCE.into(),
        iat: NOW,
        exp: NOW + 60,
        nonce: Some("n".into()),
        ..IdClaims::default()
    }
}

fn logout() -> LogoutClaims {
    LogoutClaims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        iat: NOW,
        exp: NOW + 60,
        jti: "j".into(),
        events: json!({ LOGOUT_EVENT: {} }),
        sub: Some("user-1".into()),
        ..LogoutClaims::default()
    }
}

fn dpop() -> DpopClaims {
    DpopClaims {
        jti: "j".into(),
        htm: "POST".into(),
        htu: "https://id.example/token".into(),
        iat: NOW,
        ..DpopClaims::default()
    }
}

/// The client calls itself what the verifiers expect as an issuer, and the server is called like their audience.
fn client_assertion() -> ClientAssertionClaims {
    ClientAssertionClaims {
        iss: ISSUER.into(),
        sub: ISSUER.into(),
        aud: AUDIENCE.into(),
        jti: "j".into(),
        exp: NOW + 60,
        iat: Some(NOW),
        ..ClientAssertionClaims::default()
    }
}

/// Likewise, by the same client with the same key.
fn request_object() -> RequestObjectClaims {
    RequestObjectClaims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        client_id: ISSUER.into(),
        exp: NOW + 60,
        iat: Some(NOW),
        jti: Some("j".into()),
        extra: json!({"response_type": "code", "nonce": "n", "max_age": 60}).as_object().unwrap().clone(),
        ..RequestObjectClaims::default()
    }
}

fn feed() -> FeedClaims {
    FeedClaims {
        iss: ISSUER.into(),
        head: 1_790_000_000_412_345,
        entries: vec![FeedEntry { kind: 2, id: "A".repeat(22), rsn: 1_790_000_000_412_345, exp: 1_790_000_660 }],
        ..FeedClaims::default()
    }
}

fn feed_time() -> FeedTimeClaims {
    FeedTimeClaims {
        iss: ISSUER.into(),
        nonce: "A".repeat(22),
        now: 1_790_000_000_412_345,
        ..FeedTimeClaims::default()
    }
}

fn generic() -> GenericClaims {
    let claims = GenericClaims {
        iss: Some(ISSUER.into()),
        sub: Some("user-1".into()),
        aud: Some(AUDIENCE.into()),
        iat: Some(NOW),
        exp: Some(NOW + 60),
        ..GenericClaims::default()
    };
    claims.with(&json!({"order": 7, "lines": ["a", "b"]})).unwrap()
}

/// A token of each kind, signed by the same key, for the same issuer and audience.
fn tokens(key: &SigningKey) -> Vec<(&'static str, String)> {
    vec![
        ("access", sign::<AccessToken>(key, &claims()).unwrap()),
        ("id", sign::<IdToken>(key, &id()).unwrap()),
        ("logout", sign::<LogoutToken>(key, &logout()).unwrap()),
        ("dpop", sign::<DpopProof>(key, &dpop()).unwrap()),
        ("client", sign::<ClientAssertion>(key, &client_assertion()).unwrap()),
        ("request", sign::<RequestObject>(key, &request_object()).unwrap()),
        ("feed", sign::<FeedBatch>(key, &feed()).unwrap()),
        ("feed time", sign::<FeedTime>(key, &feed_time()).unwrap()),
        ("generic", sign::<Generic>(key, &generic()).unwrap()),
    ]
}

type Check = Box<dyn Fn(&str) -> Result<(), Error>>;

/// A verifier of each kind, all with the same key, issuer and audience.
fn checks(key: &VerifyingKey) -> Vec<(&'static str, Check)> {
    vec![
        ("access", check::<AccessToken>(key)),
        ("id", check::<IdToken>(key)),
        ("logout", check::<LogoutToken>(key)),
        ("dpop", check::<DpopProof>(key)),
        ("client", check::<ClientAssertion>(key)),
        ("request", check::<RequestObject>(key)),
        ("feed", check::<FeedBatch>(key)),
        ("feed time", check::<FeedTime>(key)),
        ("generic", check::<Generic>(key)),
    ]
}

fn check<P: Profile + Buildable>(key: &VerifyingKey) -> Check {
    P::check(key.clone())
}

/// Builds the verifier of a kind, whatever it needs.
trait Buildable {
    fn check(key: VerifyingKey) -> Check;
}

macro_rules! buildable {
    ($($profile:ident $(. $setter:ident($value:expr))*;)*) => {
        $(impl Buildable for $profile {
            fn check(key: VerifyingKey) -> Check {
                let verifier = countersign_jose::Verifier::<$profile>::builder()$(.$setter($value))*.key(key).build();
                Box::new(move |token| verifier.verify(token, NOW).map(drop))
            }
        })*
    };
}

buildable! {
    AccessToken.issuer(ISSUER).audience(AUDIENCE);
    IdToken.issuer(ISSUER).audience(AUDIENCE);
    LogoutToken.issuer(ISSUER).audience(AUDIENCE);
    DpopProof;
    ClientAssertion.issuer(ISSUER).audience(AUDIENCE);
    RequestObject.issuer(ISSUER).audience(AUDIENCE);
    FeedBatch.issuer(ISSUER);
    FeedTime.issuer(ISSUER);
    Generic.issuer(ISSUER).audience(AUDIENCE);
}

// TOK-17, RFC 8725 §3.11, §3.12
#[test]
fn each_kind_accepts_itself_and_refuses_every_other() {
    let (key, public) = pair(Algorithm::ES256);
    for (kind, token) in tokens(&key) {
        for (verifier, check) in checks(&public) {
            assert_eq!(check(&token).is_ok(), kind == verifier, "a {verifier} verifier and a {kind} token");
        }
    }
}

// TOK-17, TOK-24: a server's check of a proof takes the key from the token, so every kind comes with one.
#[test]
fn a_check_of_proofs_refuses_every_other_kind_and_the_others_refuse_proofs() {
    let (key, public) = pair(Algorithm::ES256);
    let targets = [Target::parse(&dpop().htu).unwrap()];
    let is_proof =
        |token: &str| Checker::default().check(token, &Demand::new("POST", &targets), Freshness::Recent, NOW).is_ok();
    let proof = dpop::sign(&key, &dpop()).unwrap();
    assert!(is_proof(&proof));
    for (verifier, check) in checks(&public).into_iter().filter(|(kind, _)| *kind != "dpop") {
        assert!(check(&proof).is_err(), "a {verifier} verifier and a proof");
    }
    let header = |token: &str| {
        let decoded = countersign_jose::b64::decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&decoded).unwrap()
    };
    for (kind, token) in tokens(&key) {
        let mut header_of_kind = header(&token);
        header_of_kind["jwk"] = header(&proof)["jwk"].clone();
        let payload = countersign_jose::b64::decode(token.split('.').nth(1).unwrap()).unwrap();
        let with_key = forge(&key, header_of_kind.to_string().as_bytes(), &payload);
        assert!(!is_proof(&token), "{kind} without a key");
        assert_eq!(is_proof(&with_key), kind == "dpop", "{kind} with its key");
        // Not even with the claims of a proof.
        let claims = countersign_jose::b64::decode(proof.split('.').nth(1).unwrap()).unwrap();
        let disguised = forge(&key, header_of_kind.to_string().as_bytes(), &claims);
        assert_eq!(is_proof(&disguised), kind == "dpop", "{kind} with the claims of a proof");
    }
}

// TOK-17: the kinds that are older than `typ` tell each other apart by their claims alone.
#[test]
fn without_a_type_claims_still_tell_the_kinds_apart() {
    let (key, public) = pair(Algorithm::ES256);
    for header in [r#"{"alg":"ES256","kid":"k1"}"#, r#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#] {
        for (kind, token) in tokens(&key).into_iter().filter(|(kind, _)| *kind != "generic") {
            let payload = countersign_jose::b64::decode(token.split('.').nth(1).unwrap()).unwrap();
            let untyped = forge(&key, header.as_bytes(), &payload);
            for (verifier, check) in checks(&public) {
                let expected = kind == verifier && ["id", "client", "request"].contains(&kind);
                assert_eq!(check(&untyped).is_ok(), expected, "a {verifier} verifier and an untyped {kind} token");
            }
        }
    }
}

#[test]
fn every_claim_survives_the_way_through_a_token() {
    let (key, public) = pair(Algorithm::HS256);
    let mut access = claims();
    access.sid = Some("s".into());
    access.nbf = Some(NOW);
    access.rsn = Some(NOW * 1_000_000);
    access.scope = Some("read write".into());
    access.auth_time = Some(NOW - 9);
    access.amr = vec!["pwd".into(), "otp".into()];
    access.acr = Some("2".into());
    access.tid = Some("default".into());
    access.cnf = Some(json!({"jkt": "x"}));
    access.act = Some(json!({"sub": "admin-1"}));
    access.rests_on = vec![basis(None), Basis { sid: Some("s".into()), ..basis(Some("k0")) }];
    access.aud = Audience::Many(vec!["other".into(), AUDIENCE.into()]);
    access.extra.insert("plan \"é\"".into(), json!({"name": "gold", "since": 1.5, "flags": [true, null]}));
    let token = sign::<AccessToken>(&key, &access).unwrap();
    assert_eq!(verifier(public.clone()).verify(&token, NOW).unwrap().into_inner(), access);

    let verifier = countersign_jose::Verifier::<FeedBatch>::builder().issuer(ISSUER).key(public).build();
    for entries in [Vec::new(), feed().entries] {
        let batch = FeedClaims { entries, more: true, ..feed() };
        let token = sign::<FeedBatch>(&key, &batch).unwrap();
        assert_eq!(verifier.verify(&token, NOW).unwrap().into_inner(), batch);
    }
}

fn basis(kid: Option<&str>) -> Basis {
    Basis {
        jti: "j0".into(),
        client_id: "c0".into(),
        sub: "user-1".into(),
        sid: None,
        kid: kid.map(str::to_owned),
        rsn: NOW * 1_000_000,
    }
}

// RFC 9101 §4, §10.8: both names are the client's, and nothing in it could be another kind of token or another request.
#[test]
fn a_request_object_is_of_one_client_and_nothing_else() {
    let (key, public) = pair(Algorithm::ES256);
    let verifier = checks(&public).into_iter().find(|(kind, _)| *kind == "request").unwrap().1;
    let good: serde_json::Value =
        json!({"iss": ISSUER, "aud": [AUDIENCE, "other"], "client_id": ISSUER, "exp": NOW + 60, "scope": "openid"});
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = good.clone();
        claims[name] = value;
        verifier(&forge(
            &key,
            br#"{"alg":"ES256","kid":"k1","typ":"oauth-authz-req+jwt"}"#,
            claims.to_string().as_bytes(),
        ))
    };
    assert_eq!(with("state", json!("x")), Ok(()));
    for forbidden in ["sub", "events", "htm", "htu", "request", "request_uri"] {
        assert_eq!(with(forbidden, json!("x")), Err(Error::ClaimForbidden { claim: forbidden }), "{forbidden}");
    }
    let other = with("client_id", json!("other"));
    assert!(matches!(other, Err(Error::ClaimMalformed { claim: "client_id", .. })), "{other:?}");
    assert!(with("aud", json!("other")).is_err() && with("exp", json!(NOW - 10)).is_err());
}

// TOK-14: what a token rests on is read whole or the token is refused; a verifier that missed a part of it would miss a revocation.
#[test]
fn what_a_token_rests_on_is_never_read_by_halves() {
    let forger = Forger::new(Algorithm::HS256);
    let with = |rests_on: serde_json::Value| {
        let mut claims: serde_json::Value = serde_json::from_str(&payload()).unwrap();
        claims["rests_on"] = rests_on;
        forger.with_payload(claims.to_string()).map(|claims| claims.rests_on.len())
    };
    let good = json!({"jti": "j", "client_id": "c", "sub": "s", "rsn": 7});
    let changed = |name: &str, value: serde_json::Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    assert_eq!(with(json!([good, changed("sid", json!("x"))])), Ok(2));
    assert_eq!(with(json!(vec![good.clone(); Basis::MAX])), Ok(Basis::MAX));
    let mut bad = vec![json!([]), json!({}), json!("j"), json!(null), json!([7]), json!([[]]), json!([good, null])];
    bad.push(json!(vec![good.clone(); Basis::MAX + 1]));
    for name in ["jti", "client_id", "sub", "sid", "kid"] {
        bad.extend([json!(""), json!(7), json!(null)].map(|value| json!([changed(name, value)])));
    }
    bad.extend([json!(-1), json!(1.5), json!("7"), json!(i64::MAX)].map(|value| json!([changed("rsn", value)])));
    bad.push(json!([changed("more", json!(1))]));
    for name in ["jti", "client_id", "sub", "rsn"] {
        let mut less = good.clone();
        less.as_object_mut().unwrap().remove(name);
        bad.push(json!([less]));
    }
    for bad in bad {
        let refused = with(bad.clone());
        assert!(matches!(refused, Err(Error::ClaimMalformed { claim: "rests_on", .. })), "{bad}: {refused:?}");
    }
    let (key, _) = pair(Algorithm::HS256);
    for bad in [vec![basis(Some(""))], vec![basis(None); Basis::MAX + 1]] {
        assert!(sign::<AccessToken>(&key, &AccessClaims { rests_on: bad, ..claims() }).is_err());
    }
}

// The reader takes a short way for members in the order in which they are written; every other way leads to the same claims.
#[test]
fn members_are_read_in_any_order_and_with_white_space() {
    let forger = Forger::new(Algorithm::HS256);
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&payload()).unwrap();
    let mut members: Vec<_> = members.into_iter().collect();
    for _ in 0..members.len() {
        members.rotate_left(1);
        let text: Vec<_> = members.iter().map(|(name, value)| format!(" \"{name}\" :\n\t{value} ")).collect();
        let text = format!(" {{{}}} ", text.join(","));
        assert_eq!(forger.with_payload(&text).map(Verified::into_inner), Ok(claims()), "{text}");
        let escaped = text.replacen("\"iss\"", "\"\\u0069ss\"", 1);
        assert_eq!(forger.with_payload(&escaped).map(Verified::into_inner), Ok(claims()), "{escaped}");
    }
    for header in [
        r#"{"typ":"at+jwt","kid":"k1","alg":"HS256"}"#,
        r#" { "kid" : "k1" , "alg" : "HS256" , "typ" : "at+jwt" } "#,
        r#"{"x":1,"alg":"HS256","typ":"at\u002bjwt","y":[],"kid":"\u006b1"}"#,
    ] {
        assert!(forger.with_header(header).is_ok(), "{header}");
    }
}

#[test]
fn a_token_that_no_verifier_would_accept_is_not_signed() {
    type Damage = fn(&mut AccessClaims);
    let (key, _) = pair(Algorithm::HS256);
    let mut reserved = claims();
    reserved.extra.insert("sub".into(), json!("admin"));
    assert_eq!(sign::<AccessToken>(&key, &reserved), Err(Error::ClaimReserved { name: "sub".into() }));
    let broken: [(&str, Damage); 8] = [
        ("iss", |claims| claims.iss.clear()),
        ("sub", |claims| claims.sub.clear()),
        ("jti", |claims| claims.jti.clear()),
        ("client_id", |claims| claims.client_id.clear()),
        ("aud", |claims| claims.aud = Audience::default()),
        ("exp", |claims| claims.exp = -1),
        ("rsn", |claims| claims.rsn = Some(i64::MAX)),
        ("cnf", |claims| claims.cnf = Some(json!("text"))),
    ];
    for (claim, damage) in broken {
        let mut claims = claims();
        damage(&mut claims);
        let refused = sign::<AccessToken>(&key, &claims).unwrap_err();
        assert!(matches!(refused, Error::ClaimMalformed { claim: name, .. } if name == claim), "{claim}: {refused:?}");
    }
}

// Numbers that other languages cannot read exactly are not written (RFC 7493 §2.2).
#[test]
fn an_entry_that_no_reader_would_accept_is_not_signed() {
    let (key, _) = pair(Algorithm::ES256);
    let good = || FeedEntry { kind: 2, id: "A".repeat(22), rsn: 1, exp: 0 };
    for broken in [
        FeedEntry { kind: i64::MAX, ..good() },
        FeedEntry { rsn: i64::MAX, ..good() },
        FeedEntry { exp: i64::MIN, ..good() },
    ] {
        let batch = FeedClaims { entries: vec![good(), broken, good()], ..feed() };
        let refused = sign::<FeedBatch>(&key, &batch);
        assert!(matches!(refused, Err(Error::ClaimMalformed { claim: "e", .. })), "{refused:?}");
    }
}

// An entry has four members of their types; one less, one more or another type is no entry, and the batch is refused.
#[test]
fn an_entry_of_another_form_is_refused() {
    let (key, public) = pair(Algorithm::ES256);
    let verifier = countersign_jose::Verifier::<FeedBatch>::builder().issuer(ISSUER).key(public).build();
    let header = json!({"alg": "ES256", "kid": key.kid(), "typ": "rlb+jwt"}).to_string();
    let verdict = |entry: serde_json::Value| {
        let payload = json!({"iss": ISSUER, "st": 0, "p": 0, "h": 9, "t": 9, "f": 0, "m": false, "e": [entry]});
        verifier.verify(&forge(&key, header.as_bytes(), payload.to_string().as_bytes()), NOW)
    };
    const LARGEST: i64 = 1 << 53;
    assert!(verdict(json!([2, "A", 1, 0])).is_ok());
    assert_eq!(verdict(json!([2, "A", LARGEST, 0])).unwrap().entries[0].rsn, LARGEST);
    for other in [
        json!([2, "A", 1]),
        json!([2, "A", 1, 0, 0]),
        json!([2, "A", 1, "0"]),
        json!([2, 7, 1, 0]),
        json!(["2", "A", 1, 0]),
        json!([2, "A", -1, 0]),
        json!([2, "A", LARGEST + 1, 0]),
        json!({"kind": 2}),
        json!(2),
    ] {
        let refused = verdict(other.clone());
        assert!(matches!(refused, Err(Error::ClaimMalformed { claim: "e", .. })), "{other}: {refused:?}");
    }
}

#[test]
fn an_audience_is_named_by_a_text_or_a_list() {
    let names = |audience: Audience| audience.iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names("orders".into()), ["orders"]);
    assert_eq!(names(String::from("orders").into()), ["orders"]);
    assert_eq!(names(vec!["orders".to_owned(), "stock".to_owned()].into()), ["orders", "stock"]);
}

#[test]
fn an_exchange_of_any_json_takes_five_lines() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Order {
        order: u32,
        lines: Vec<String>,
    }
    let (key, public) = pair(Algorithm::Ed25519);
    let token = sign::<Generic>(&key, &generic()).unwrap();
    let verifier =
        countersign_jose::Verifier::<Generic>::builder().issuer(ISSUER).audience(AUDIENCE).key(public).build();
    let order: Order = verifier.verify(&token, NOW).unwrap().decode().unwrap();
    assert_eq!(order, Order { order: 7, lines: vec!["a".into(), "b".into()] });
    assert!(generic().decode::<u8>().is_err());
}

#[test]
fn untyped_tokens_are_accepted_only_where_that_was_asked_for() {
    let (key, public) = pair(Algorithm::ES256);
    let payload = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 1}).to_string();
    let token = forge(&key, br#"{"typ":"jwt","alg":"ES256"}"#, payload.as_bytes());
    let strict = countersign_jose::Verifier::<Generic>::builder().issuer(ISSUER).audience(AUDIENCE).key(public);
    let open = strict.clone().accept_untyped().build();
    assert_eq!(
        strict.build().verify(&token, NOW),
        Err(Error::Type { expected: "generic+jwt".into(), got: Some("jwt".into()) })
    );
    assert!(open.verify(&token, NOW).is_ok());
}

// The states of the builder are types; this names them so that a change of their meaning is seen.
#[test]
fn what_is_ready_is_given_or_unused() {
    fn ready<T: Ready>() {}
    fn requirement<T: Requirement>() {}
    ready::<Given>();
    ready::<Unused>();
    requirement::<Missing>();
}
