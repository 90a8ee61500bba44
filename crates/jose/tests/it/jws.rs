//! Signed messages of any content: the examples of RFC 7515, RFC 7520 §4, RFC 7797 and RFC 9964, and what is signed is verified.

use crate::support::{vectors::*, *};
use countersign_jose::{
    Algorithm, AnyKey, Error, KeyError, PrivateJwk, SigningKey, VerifyingKey,
    jws::{Header, Message, Options, Serialization, UnverifiedJws},
    key,
};
use proptest::prelude::*;
use serde_json::Value;

const FORMS: [Serialization; 3] = [Serialization::Compact, Serialization::Flattened, Serialization::General];

/// A file of the IETF JOSE cookbook.
macro_rules! cookbook {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../vectors/cookbook/", $name))).unwrap()
    };
}

fn verifying(jwk: &Value, alg: &Value) -> VerifyingKey {
    let key = key::import(jwk.to_string().as_bytes()).unwrap().keys.remove(0);
    key.verifying_key(Some(alg.as_str().unwrap().parse().unwrap())).unwrap()
}

/// The texts of an example: compact, general and flattened, as far as it has them.
fn outputs(example: &Value) -> impl Iterator<Item = String> {
    let json = ["json", "json_flat"].map(|name| example["output"].get(name).map(Value::to_string));
    let compact = example["output"].get("compact").map(|text| text.as_str().unwrap().to_owned());
    [compact].into_iter().chain(json).flatten()
}

#[test]
fn rfc7520_4_1_to_4_4_and_rfc8037_every_serialization() {
    for example in [
        cookbook!("jws/4_1.rsa_v15_signature.json"),
        cookbook!("jws/4_2.rsa-pss_signature.json"),
        cookbook!("jws/4_3.ecdsa_signature.json"),
        cookbook!("jws/4_4.hmac-sha2_integrity_protection.json"),
        cookbook!("curve25519/jws.json"),
    ] {
        let key = verifying(&example["input"]["key"], &example["input"]["alg"]);
        assert_eq!(outputs(&example).count(), 3);
        for text in outputs(&example) {
            let verified = UnverifiedJws::parse(&text).unwrap().verify(&key).unwrap();
            assert_eq!(verified.payload(), example["input"]["payload"].as_str().unwrap().as_bytes());
            assert_eq!(Value::Object(verified.held()[0].protected.clone()), example["signing"]["protected"]);
            assert_eq!(Options::new().detached(b"").parse(&text).unwrap_err(), Error::PayloadPresent);
        }
    }
}

#[test]
fn rfc7520_4_1_and_4_4_are_made_again() {
    for example in
        [cookbook!("jws/4_1.rsa_v15_signature.json"), cookbook!("jws/4_4.hmac-sha2_integrity_protection.json")]
    {
        let alg: Algorithm = example["input"]["alg"].as_str().unwrap().parse().unwrap();
        let key = SigningKey::from_jwk(alg, example["input"]["key"].to_string().as_bytes()).unwrap();
        let message = Message::new(example["input"]["payload"].as_str().unwrap().as_bytes());
        let message = message.sign(&key, &Header::new()).unwrap();
        assert_eq!(message.to_text(Serialization::Compact).unwrap(), example["output"]["compact"]);
        for (form, name) in [(Serialization::General, "json"), (Serialization::Flattened, "json_flat")] {
            let made: Value = serde_json::from_str(&message.to_text(form).unwrap()).unwrap();
            assert_eq!(made, example["output"][name]);
        }
    }
}

#[test]
fn rfc7520_4_5_detached() {
    let example = cookbook!("jws/4_5.signature_with_detached_content.json");
    let key = verifying(&example["input"]["key"], &example["input"]["alg"]);
    let payload = example["input"]["payload"].as_str().unwrap().as_bytes();
    let detached = Options::new().detached(payload);
    for text in outputs(&example) {
        assert_eq!(detached.parse(&text).unwrap().verify(&key).unwrap().payload(), payload);
        assert_eq!(Options::new().detached(b"other").parse(&text).unwrap().verify(&key).unwrap_err(), Error::Signature);
        // Without it: a text that says that it is missing, or one whose payload is empty.
        let refused = UnverifiedJws::parse(&text).and_then(|jws| jws.verify(&key)).unwrap_err();
        assert_eq!(refused, if text.starts_with('{') { Error::PayloadDetached } else { Error::Signature });
    }
}

#[test]
fn rfc7520_4_6_some_members_protected() {
    let example = cookbook!("jws/4_6.protecting_specific_header_fields.json");
    let key = verifying(&example["input"]["key"], &example["input"]["alg"]);
    for text in outputs(&example) {
        assert!(UnverifiedJws::parse(&text).unwrap().verify(&key).is_ok());
    }
}

// A documented refusal: an unprotected `alg` is never trusted.
#[test]
fn rfc7520_4_7_nothing_protected_is_refused() {
    let example = cookbook!("jws/4_7.protecting_content_only.json");
    for text in outputs(&example) {
        assert_eq!(UnverifiedJws::parse(&text).unwrap_err(), Error::Unprotected { member: "alg".into() });
    }
}

// That a signature was tried and did not hold is told, whichever keys follow.
#[test]
fn a_signature_that_did_not_hold_is_not_an_unknown_key() {
    let (mine, stranger) = (pair(Algorithm::ES256), pair(Algorithm::ES256));
    let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, mine.0.kid());
    let text = forge(&mine.0, header.as_bytes(), b"payload");
    let other = SigningKey::generate(Algorithm::ES256, "unknown").unwrap().verifying_key().unwrap();
    let verdict = |keys: [&VerifyingKey; 2]| UnverifiedJws::parse(&text).unwrap().verify_any(keys).unwrap_err();
    assert_eq!(verdict([&stranger.1, &other]), Error::Signature);
    assert_eq!(verdict([&other, &stranger.1]), Error::Signature);
    assert!(UnverifiedJws::parse(&text).unwrap().verify(&mine.1).is_ok());
}

#[test]
fn a_message_may_be_as_long_as_was_said() {
    let (key, _) = pair(Algorithm::ES256);
    let text = forge(&key, br#"{"alg":"ES256","kid":"k1"}"#, b"payload");
    let parse = |limit: usize| Options::default().max_bytes(limit).parse(&text).map(drop);
    assert_eq!(parse(text.len()), Ok(()));
    assert_eq!(parse(text.len() - 1), Err(Error::TooLong { bytes: text.len(), limit: text.len() - 1 }));
}

#[test]
fn rfc7520_4_8_several_signatures() {
    let example = cookbook!("jws/4_8.multiple_signatures.json");
    let text = example["output"]["json"].to_string();
    let keys: Vec<_> = (0..3).map(|at| verifying(&example["input"]["key"][at], &example["input"]["alg"][at])).collect();
    let parse = || UnverifiedJws::parse(&text).unwrap();
    let verified = parse().verify_all([&keys[2], &keys[0]]).unwrap();
    assert_eq!(verified.held().iter().map(|held| (held.signature, held.key)).collect::<Vec<_>>(), [(2, 0), (0, 1)]);
    assert_eq!(verified.payload(), example["input"]["payload"].as_str().unwrap().as_bytes());
    assert_eq!(parse().verify_any(&keys[1..]).unwrap().held()[0].signature, 2);
    // The header of the second is not protected: it counts for nothing.
    let bilbo = Error::UnknownKey { kid: Some("bilbo.baggins@hobbiton.example".into()) };
    assert_eq!(parse().verify_all(&keys).unwrap_err(), bilbo);
    assert_eq!(parse().verify(&keys[1]).unwrap_err(), bilbo);
    let infos: Vec<_> = parse().signatures().map(|info| info.alg).collect();
    assert_eq!(infos, [Ok(Algorithm::RS256), Err(Error::Unprotected { member: "alg".into() }), Ok(Algorithm::HS256)]);
}

#[test]
fn rfc7515_a4_es512() {
    let jwk = r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
        "d":"AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C"}"#;
    let text = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    let key = PrivateJwk::parse(jwk.as_bytes()).unwrap().verifying_key().unwrap();
    assert_eq!(UnverifiedJws::parse(text).unwrap().verify(&key).unwrap().payload(), b"Payload");
}

#[test]
fn rfc7515_a6_and_a7_json_serializations() {
    let parts = |token: &'static str| {
        let mut parts = token.split('.').map(str::to_owned);
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    };
    let ((rs, payload, rs_signature), (es, _, es_signature)) = (parts(A2_RS256), parts(A3_ES256));
    let general = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{rs}","header":{{"kid":"2010-12-29"}},"signature":"{rs_signature}"}},
            {{"protected":"{es}","header":{{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"}},"signature":"{es_signature}"}}]}}"#
    );
    let flattened = format!(
        r#"{{"payload":"{payload}","protected":"{es}","header":{{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"}},"signature":"{es_signature}"}}"#
    );
    let named = |jwk: &str, kid: &str, alg| {
        PrivateJwk::parse(jwk.as_bytes()).unwrap().with_kid(kid).verifying_key_as(alg).unwrap()
    };
    let rsa = named(RSA_JWK, "2010-12-29", Algorithm::RS256);
    let ec = named(EC_JWK, "e9bc097a-ce51-4036-9562-d2ade882db0d", Algorithm::ES256);
    let other = named(EC_JWK, "other", Algorithm::ES256);
    assert_eq!(UnverifiedJws::parse(&general).unwrap().verify_all([&rsa, &ec]).unwrap().held().len(), 2);
    assert_eq!(UnverifiedJws::parse(&general).unwrap().verify_any([&other, &ec]).unwrap().held()[0].key, 1);
    assert!(UnverifiedJws::parse(&flattened).unwrap().verify(&ec).is_ok());
    let unknown = Error::UnknownKey { kid: Some("e9bc097a-ce51-4036-9562-d2ade882db0d".into()) };
    assert_eq!(UnverifiedJws::parse(&flattened).unwrap().verify(&other).unwrap_err(), unknown);
    let mismatch = Error::AlgorithmMismatch { expected: Algorithm::RS256, got: Algorithm::ES256 };
    assert_eq!(UnverifiedJws::parse(&flattened).unwrap().verify(&rsa).unwrap_err(), mismatch);
}

#[test]
fn rfc7797_4_unencoded() {
    let key = PrivateJwk::parse(HMAC_JWK.as_bytes()).unwrap();
    let (signing, verifying) =
        (key.with_kid("k").signing_key_as(Algorithm::HS256).unwrap(), PrivateJwk::parse(HMAC_JWK.as_bytes()).unwrap());
    let verifying = verifying.verifying_key_as(Algorithm::HS256).unwrap();
    let nameless = Header::new().without_kid();
    let control = "eyJhbGciOiJIUzI1NiJ9.JC4wMg.5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ";
    let message = Message::new(b"$.02").sign(&signing, &nameless).unwrap();
    assert_eq!(message.to_text(Serialization::Compact).unwrap(), control);

    let detached =
        "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    let message = Message::unencoded(b"$.02").sign(&signing, &nameless).unwrap();
    assert_eq!(message.to_detached(Serialization::Compact).unwrap(), detached);
    assert_eq!(message.to_text(Serialization::Compact).unwrap_err(), Error::PayloadText, "a dot");
    let json = message.to_text(Serialization::Flattened).unwrap();
    assert!(json.contains(r#""payload":"$.02""#), "{json}");
    assert_eq!(UnverifiedJws::parse(&json).unwrap_err(), Error::Unencoded);
    let allowed = Options::new().allow_unencoded();
    assert_eq!(allowed.parse(&json).unwrap().verify(&verifying).unwrap().payload(), b"$.02");
    let verified = allowed.detached(b"$.02").parse(detached).unwrap().verify(&verifying).unwrap();
    assert_eq!(verified.into_payload(), b"$.02");
    assert_eq!(allowed.detached(b"$.03").parse(detached).unwrap().verify(&verifying).unwrap_err(), Error::Signature);
}

#[test]
fn cookbook_of_rfc7797() {
    let example = cookbook!("rfc7797/hmac-sha2_b64_false.json");
    let key = verifying(&example["input"]["key"], &example["input"]["alg"]);
    for text in outputs(&example) {
        let verified = Options::new().allow_unencoded().parse(&text).unwrap().verify(&key).unwrap();
        assert_eq!(verified.payload(), b"This is the payload string!");
        assert_eq!(UnverifiedJws::parse(&text).unwrap_err(), Error::Unencoded);
    }
    // A documented refusal: the header of this one does not list `b64` in `crit`, which RFC 7797 §6 asks for.
    let example = cookbook!("rfc7797/4.2.hmac-sha2_b64_false.json");
    for text in outputs(&example) {
        let refused = Options::new().allow_unencoded().parse(&text).unwrap_err();
        assert_eq!(refused, Error::HeaderMalformed { member: "crit" });
    }
}

#[test]
fn rfc9964_signatures() {
    let texts = [
        (Algorithm::MlDsa44, include_str!("../vectors/rfc9964/ml-dsa-44.jws")),
        (Algorithm::MlDsa65, include_str!("../vectors/rfc9964/ml-dsa-65.jws")),
        (Algorithm::MlDsa87, include_str!("../vectors/rfc9964/ml-dsa-87.jws")),
    ];
    for (alg, text) in texts {
        let text = text.trim_end();
        let key = ml_dsa_of_zeros(alg);
        let key = key.with_kid(UnverifiedJws::parse(text).unwrap().signatures().next().unwrap().kid.unwrap());
        assert_eq!(key.kid(), key.thumbprint().as_deref());
        let verifying = key.verifying_key().unwrap();
        let verified = UnverifiedJws::parse(text).unwrap().verify(&verifying).unwrap();
        assert_eq!(verified.payload(), "It’s a dangerous business, Frodo, going out your door.".as_bytes());
        let again = Message::new(verified.payload()).sign(&key.signing_key().unwrap(), &Header::new()).unwrap();
        let again = again.to_text(Serialization::Compact).unwrap();
        assert_eq!(again.rsplit_once('.').unwrap().0, text.rsplit_once('.').unwrap().0);
        assert!(UnverifiedJws::parse(&again).unwrap().verify(&verifying).is_ok());
    }
}

// Another implementation signed; every algorithm that both have, every serialization
#[test]
fn messages_that_joserfc_made() {
    let examples: Value = serde_json::from_str(include_str!("../vectors/elsewhere/joserfc.json")).unwrap();
    let examples = examples.as_object().unwrap();
    assert_eq!(examples.len(), Algorithm::all().filter(|alg| alg.kty() != "AKP").count());
    for (name, example) in examples {
        let alg: Algorithm = name.parse().unwrap();
        let public = match (alg.kty(), alg.crv()) {
            ("oct", _) => VerifyingKey::hmac(alg, "k1", LONG_SECRET).unwrap(),
            (_, crv) => openssl_key(crv).verifying_key(Some(alg)).unwrap(),
        };
        for form in ["compact", "flattened", "general"] {
            let text = example[form].as_str().map_or_else(|| example[form].to_string(), Into::into);
            let verified = UnverifiedJws::parse(&text).unwrap().verify(&public).unwrap();
            assert_eq!(verified.payload(), b"made elsewhere", "{alg} {form}");
        }
    }
}

/// The key of this curve, or the RSA key, that OpenSSL made.
fn openssl_key(crv: Option<&str>) -> AnyKey {
    let pem = match crv {
        None => include_bytes!("../vectors/keys/rsa.spki.pem").as_slice(),
        Some("P-256") => include_bytes!("../vectors/keys/p256.spki.pem"),
        Some("P-384") => include_bytes!("../vectors/keys/p384.spki.pem"),
        Some("P-521") => include_bytes!("../vectors/keys/p521.spki.pem"),
        Some("secp256k1") => include_bytes!("../vectors/keys/secp256k1.spki.pem"),
        Some(_) => include_bytes!("../vectors/keys/ed25519.spki.pem"),
    };
    key::import(pem).unwrap().keys.remove(0)
}

// A key that lies elsewhere, in every serialization
#[test]
fn signatures_made_elsewhere() {
    for alg in Algorithm::all() {
        let (remote, public) = pair(alg);
        for form in FORMS {
            let message = Message::new(b"bytes");
            let input = message.signing_input(alg, "k1", &Header::new().typ("x")).unwrap();
            let signature = remote.sign_raw(input.as_bytes()).unwrap();
            assert_eq!(input.alg(), alg);
            let text = message.add(input, &signature).unwrap().to_text(form).unwrap();
            let verified = UnverifiedJws::parse(&text).unwrap().verify(&public).unwrap();
            assert_eq!(verified.held()[0].protected["typ"], "x");
        }
        let message = Message::new(b"bytes");
        let input = message.signing_input(alg, "k1", &Header::new()).unwrap();
        let refused = message.clone().add(input, b"short").unwrap_err();
        assert_eq!(refused, Error::SignatureLength { alg, got: 5 });
        let input = message.signing_input(alg, "k1", &Header::new()).unwrap();
        let signature = remote.sign_raw(input.as_bytes()).unwrap();
        assert_eq!(Message::new(b"other").add(input, &signature).unwrap_err(), Error::Sign);
    }
}

#[test]
fn what_no_reader_would_accept_is_not_made() {
    let (key, _) = pair(Algorithm::ES256);
    let message = Message::new(b"bytes");
    for name in ["alg", "crit", "b64"] {
        for header in [Header::new().protected(name, "x"), Header::new().unprotected(name, "x")] {
            let refused = message.clone().sign(&key, &header).unwrap_err();
            assert_eq!(refused, Error::HeaderMalformed { member: name });
        }
    }
    let twice = Header::new().typ("a").unprotected("typ", "b");
    assert_eq!(message.clone().sign(&key, &twice).unwrap_err(), Error::Duplicate { name: "typ".into() });
    for header in [Header::new().protected("kid", 1), Header::new().unprotected("kid", "")] {
        assert_eq!(message.clone().sign(&key, &header).unwrap_err(), Error::HeaderMalformed { member: "kid" });
    }
    let refused = message.signing_input(Algorithm::ES256, "a\nb", &Header::new()).unwrap_err();
    assert_eq!(refused, Error::Key(KeyError::Kid));

    assert_eq!(message.to_text(Serialization::General).unwrap_err(), Error::SignatureCount { got: 0 });
    let twice = message.clone().sign(&key, &Header::new()).unwrap().sign(&key, &Header::new()).unwrap();
    for form in [Serialization::Compact, Serialization::Flattened] {
        assert_eq!(twice.to_text(form).unwrap_err(), Error::SignatureCount { got: 2 });
    }
    let open = message.sign(&key, &Header::new().unprotected("x", 1)).unwrap();
    assert_eq!(open.to_text(Serialization::Compact).unwrap_err(), Error::Unprotected { member: "x".into() });
    assert!(open.to_text(Serialization::Flattened).is_ok());
}

#[test]
fn keys_of_a_set_verify_what_one_of_them_signed() {
    let set = format!(r#"{{"keys":[{},{EC_JWK}]}}"#, ED_JWK.replacen('{', r#"{"kid":"a","#, 1));
    let keys = key::import(set.as_bytes()).unwrap().keys;
    let verifying: Vec<_> = keys.iter().map(|key| key.verifying_key(None).unwrap()).collect();
    let AnyKey::Private(signer) = &keys[1] else { panic!("private") };
    let message = Message::new(b"x").sign(&signer.signing_key().unwrap(), &Header::new().without_kid()).unwrap();
    let text = message.to_text(Serialization::Compact).unwrap();
    assert_eq!(UnverifiedJws::parse(&text).unwrap().verify_any(&verifying).unwrap().held()[0].key, 1);
}

proptest! {
    #[test]
    fn what_is_signed_is_verified(payload in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,40}") {
        let (es, es_public) = pair(Algorithm::ES256);
        let (hs, hs_public) = pair(Algorithm::HS512);
        for form in FORMS {
            let message = Message::new(&payload).sign(&hs, &Header::new().protected("x", text.as_str())).unwrap();
            let written = message.to_text(form).unwrap();
            let verified = UnverifiedJws::parse(&written).unwrap().verify(&hs_public).unwrap();
            prop_assert_eq!(verified.payload(), &payload);
            let apart = message.to_detached(form).unwrap();
            prop_assert!(Options::new().detached(&payload).parse(&apart).unwrap().verify(&hs_public).is_ok());
        }
        let both = Message::unencoded(text.as_bytes()).sign(&es, &Header::new()).unwrap().sign(&hs, &Header::new()).unwrap();
        let written = both.to_text(Serialization::General).unwrap();
        let read = Options::new().allow_unencoded().parse(&written).unwrap();
        let verified = read.verify_all([&es_public, &hs_public]).unwrap();
        prop_assert_eq!(verified.payload(), text.as_bytes());
    }

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC*", members in "[{}\\[\\]\",:a-z0-9]{0,80}") {
        let options = Options::new().allow_unencoded();
        let _ = options.parse(&text);
        let _ = options.parse(&format!("{{\"payload\":\"\",\"signatures\":[{{{members}}}]}}"));
        let _ = options.parse(&format!("{{\"payload\":\"\",\"protected\":{members}}}"));
    }
}

// Every character of a general message, replaced: nothing else is ever read out of it.
#[test]
fn any_change_of_any_character_changes_nothing_or_is_refused() {
    let (key, public) = pair(Algorithm::HS256);
    let text = Message::new(b"payload").sign(&key, &Header::new()).unwrap().to_text(Serialization::General).unwrap();
    for at in 0..text.len() {
        for other in [b'A', b'"', b'}', b' ', b'0'] {
            let mut changed = text.clone().into_bytes();
            changed[at] = other;
            let changed = String::from_utf8(changed).unwrap();
            if let Ok(verified) = UnverifiedJws::parse(&changed).and_then(|jws| jws.verify(&public)) {
                assert_eq!(verified.payload(), b"payload", "{changed}");
            }
        }
    }
}
