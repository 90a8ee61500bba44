//! Known attacks on the JSON serializations, several signatures, detached and unencoded payloads, one test each. A test forges with the
//! signer's own key wherever it can, so that it is the check under test that refuses and not the signature.

use crate::support::{forge, pair};
use countersign_jose::{
    Algorithm, Error, SigningKey, VerifyingKey, b64,
    jws::{Header, Message, Options, Serialization, UnverifiedJws},
    limits::{MAX_DEPTH, MAX_JWS_BYTES, MAX_SIGNATURES},
};

const ES256: Algorithm = Algorithm::ES256;
const PAYLOAD: &[u8] = b"pay 10 to Bob";

/// A signer who signs whatever it is told to.
struct Signer {
    key: SigningKey,
    public: VerifyingKey,
}

impl Signer {
    fn new() -> Self {
        let (key, public) = pair(ES256);
        Self { key, public }
    }

    /// `"protected":"…","signature":"…"` with a good signature over these headers and the payload.
    fn members(&self, protected: &str) -> String {
        let token = forge(&self.key, protected.as_bytes(), PAYLOAD);
        let parts: Vec<_> = token.split('.').collect();
        format!(r#""protected":"{}","signature":"{}""#, parts[0], parts[2])
    }

    fn flattened(&self, protected: &str, more: &str) -> String {
        format!(r#"{{"payload":"{}",{}{more}}}"#, b64::encode(PAYLOAD), self.members(protected))
    }

    fn general(&self, signatures: &[&str]) -> String {
        let signatures: Vec<_> = signatures.iter().map(|each| format!("{{{each}}}")).collect();
        format!(r#"{{"payload":"{}","signatures":[{}]}}"#, b64::encode(PAYLOAD), signatures.join(","))
    }

    fn verify(&self, text: &str) -> Result<Vec<u8>, Error> {
        Ok(UnverifiedJws::parse(text)?.verify(&self.public)?.into_payload())
    }

    fn good(&self) -> String {
        self.members(r#"{"alg":"ES256"}"#)
    }
}

fn accepted() -> Result<Vec<u8>, Error> {
    Ok(PAYLOAD.to_vec())
}

// RFC 7515 §10.7; RFC 8725 §3.1: whoever can change `alg` unseen chooses it
#[test]
fn algorithm_in_the_unprotected_header() {
    let signer = Signer::new();
    let unprotected = Err(Error::Unprotected { member: "alg".into() });
    assert_eq!(signer.verify(&signer.flattened(r#"{"typ":"x"}"#, r#","header":{"alg":"ES256"}"#)), unprotected);
    let input = format!(".{}", b64::encode(PAYLOAD));
    let signature = b64::encode(signer.key.sign_raw(input.as_bytes()).unwrap());
    let none =
        format!(r#"{{"payload":"{}","header":{{"alg":"ES256"}},"signature":"{signature}"}}"#, b64::encode(PAYLOAD));
    assert_eq!(signer.verify(&none), unprotected);
    let both = signer.flattened(r#"{"alg":"ES256"}"#, r#","header":{"alg":"none"}"#);
    assert_eq!(signer.verify(&both), Err(Error::Duplicate { name: "alg".into() }));
    assert_eq!(signer.verify(&signer.flattened(r#"{"typ":"x"}"#, "")), Err(Error::HeaderMissing { member: "alg" }));
}

// RFC 7515 §4.1.11: `crit` must be protected
#[test]
fn critical_list_in_the_unprotected_header() {
    let signer = Signer::new();
    for crit in [r#"["x"]"#, "[]", "null", r#"["b64"]"#] {
        let text = signer.flattened(r#"{"alg":"ES256"}"#, &format!(r#","header":{{"crit":{crit},"x":1}}"#));
        assert_eq!(signer.verify(&text), Err(Error::Unprotected { member: "crit".into() }));
    }
    let text = signer.flattened(r#"{"alg":"ES256","crit":["x"]}"#, r#","header":{"x":1}"#);
    assert_eq!(signer.verify(&text), Err(Error::Critical { got: "x".into() }));
}

// RFC 7797 §3, §6: a payload that is read in two ways
#[test]
fn unencoded_payload_by_the_unprotected_header() {
    let signer = Signer::new();
    for b64 in ["false", "true"] {
        let text = signer.flattened(r#"{"alg":"ES256"}"#, &format!(r#","header":{{"b64":{b64}}}"#));
        for options in [Options::new(), Options::new().allow_unencoded()] {
            let refused = options.parse(&text).unwrap_err();
            assert_eq!(refused, Error::Unprotected { member: "b64".into() });
        }
    }
}

// RFC 7797 §6, §7
#[test]
fn unencoded_payload_without_leave_or_without_crit() {
    let signer = Signer::new();
    for protected in [
        r#"{"alg":"ES256","b64":false}"#,
        r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"ES256","b64":"false","crit":["b64"]}"#,
        r#"{"alg":"ES256","b64":0}"#,
        r#"{"alg":"ES256","b64":null}"#,
    ] {
        assert_eq!(signer.verify(&signer.flattened(protected, "")), Err(Error::Unencoded), "{protected}");
    }
    let allowed = |protected: &str| Options::new().allow_unencoded().parse(&signer.flattened(protected, "")).map(drop);
    assert_eq!(allowed(r#"{"alg":"ES256","b64":false}"#), Err(Error::HeaderMalformed { member: "crit" }));
    assert_eq!(allowed(r#"{"alg":"ES256","b64":false,"crit":[]}"#), Err(Error::HeaderMalformed { member: "crit" }));
    assert_eq!(
        allowed(r#"{"alg":"ES256","b64":false,"crit":["b64","b64"]}"#),
        Err(Error::HeaderMalformed { member: "crit" })
    );
    assert_eq!(allowed(r#"{"alg":"ES256","crit":["b64"]}"#), Err(Error::Critical { got: "b64".into() }));
    assert_eq!(allowed(r#"{"alg":"ES256","b64":false,"crit":["x"]}"#), Err(Error::Critical { got: "x".into() }));
    for b64 in ["\"false\"", "0", "null", "[]"] {
        assert_eq!(allowed(&format!(r#"{{"alg":"ES256","b64":{b64},"crit":["b64"]}}"#)), Err(Error::Unencoded));
    }
    assert_eq!(allowed(r#"{"alg":"ES256","b64":true,"crit":["b64"]}"#), Ok(()));
}

// RFC 7797 §3: one text, two payloads
#[test]
fn encoded_and_unencoded_signatures_mixed() {
    let (key, public) = pair(ES256);
    let payload = b"AAAA"; // is base64url, too
    let part = |message: Message<'_>| {
        let text = message.sign(&key, &Header::new()).unwrap().to_text(Serialization::Flattened).unwrap();
        text.split_once(',').unwrap().1.trim_end_matches('}').to_owned()
    };
    let (plain, encoded) = (part(Message::unencoded(payload)), part(Message::new(payload)));
    let text = format!(r#"{{"payload":"AAAA","signatures":[{{{plain}}},{{{encoded}}}]}}"#);
    assert_eq!(Options::new().allow_unencoded().parse(&text).unwrap_err(), Error::EncodingMixed);
    assert_eq!(UnverifiedJws::parse(&text).unwrap_err(), Error::Unencoded);
    // Each signature alone is over what its own header says.
    let encoded = format!(r#"{{"payload":"AAAA",{encoded}}}"#);
    let refused = Options::new().allow_unencoded().parse(&encoded).unwrap().verify(&public).unwrap_err();
    assert_eq!(refused, Error::Signature);
}

// RFC 7797 §5.2: what a reader of three parts would split elsewhere
#[test]
fn unencoded_payload_with_a_dot_or_a_line_break() {
    let (key, public) = pair(ES256);
    for payload in [&b"a.b"[..], b"a\nb", b"a\0b", b"\xc3\xa9", b"a\x7f", b"....", b"\xff"] {
        let message = Message::unencoded(payload).sign(&key, &Header::new()).unwrap();
        assert_eq!(message.to_text(Serialization::Compact).unwrap_err(), Error::PayloadText);
        let detached = message.to_detached(Serialization::Compact).unwrap();
        let read = Options::new().allow_unencoded().detached(payload).parse(&detached).unwrap();
        assert_eq!(read.verify(&public).unwrap().payload(), payload);
        if let Ok(text) = str::from_utf8(payload) {
            let put_back = detached.replace("..", &format!(".{text}."));
            assert!(Options::new().allow_unencoded().parse(&put_back).is_err(), "{text:?}");
        }
    }
}

// CVE-2016-9122: what one signature of several says is taken for all of them
#[test]
fn several_signatures_of_which_only_one_is_good() {
    let (mine, theirs) = (Signer::new(), Signer::new());
    let text = mine.general(&[&theirs.good(), &mine.good()]);
    assert_eq!(mine.verify(&text), accepted());
    let both = UnverifiedJws::parse(&text).unwrap().verify_all([&mine.public, &theirs.public]);
    assert_eq!(both.unwrap().held().len(), 2);
    let third = Signer::new();
    let all = UnverifiedJws::parse(&text).unwrap().verify_all([&mine.public, &third.public]).unwrap_err();
    assert_eq!(all, Error::Signature);
    let any = UnverifiedJws::parse(&text).unwrap().verify_any([&third.public]).unwrap_err();
    assert_eq!(any, Error::Signature);
    let none: [&VerifyingKey; 0] = [];
    for outcome in
        [UnverifiedJws::parse(&text).unwrap().verify_all(none), UnverifiedJws::parse(&text).unwrap().verify_any(none)]
    {
        assert_eq!(outcome.unwrap_err(), Error::UnknownKey { kid: None });
    }
}

// One signature must not stand for two signers
#[test]
fn one_signature_counted_twice() {
    let signer = Signer::new();
    let text = signer.general(&[&signer.good()]);
    let twice = UnverifiedJws::parse(&text).unwrap().verify_all([&signer.public, &signer.public]);
    assert!(twice.is_err());
    let text = signer.general(&[&signer.good(), &signer.good()]);
    let twice = UnverifiedJws::parse(&text).unwrap().verify_all([&signer.public, &signer.public]).unwrap();
    assert_eq!(twice.held().iter().map(|held| held.signature).collect::<Vec<_>>(), [0, 1]);
}

// CVE-2015-9235 among several signatures: a forged one for the public key as an HMAC secret, and one of `none`
#[test]
fn two_signatures_with_different_algorithms() {
    let signer = Signer::new();
    let secret = signer.key.public_jwk().unwrap().thumbprint(); // known to everybody
    let confused = SigningKey::hmac(Algorithm::HS256, "k1", secret.as_bytes()).unwrap();
    let token = forge(&confused, br#"{"alg":"HS256","kid":"k1"}"#, PAYLOAD);
    let parts: Vec<_> = token.split('.').collect();
    let hmac = format!(r#""protected":"{}","signature":"{}""#, parts[0], parts[2]);
    let none = format!(r#""protected":"{}","signature":"""#, b64::encode(r#"{"alg":"none"}"#));
    assert!(signer.verify(&signer.general(&[&hmac, &none])).is_err());
    assert_eq!(signer.verify(&signer.general(&[&none])), Err(Error::AlgorithmUnknown { got: "none".into() }));
    let text = signer.general(&[&hmac, &none, &signer.good()]);
    let verified = UnverifiedJws::parse(&text).unwrap().verify(&signer.public).unwrap();
    assert_eq!(verified.held()[0].signature, 2);
}

// TOK-02, in every JSON serialization
#[test]
fn the_header_never_chooses_the_algorithm() {
    for mine in Algorithm::all() {
        let (_, public) = pair(mine);
        for theirs in Algorithm::all().filter(|theirs| *theirs != mine) {
            let (key, _) = pair(theirs);
            let message = Message::new(PAYLOAD).sign(&key, &Header::new()).unwrap();
            for form in [Serialization::Flattened, Serialization::General] {
                let read = UnverifiedJws::parse(&message.to_text(form).unwrap()).unwrap().verify(&public);
                assert_eq!(read.unwrap_err(), Error::AlgorithmMismatch { expected: mine, got: theirs });
            }
        }
    }
}

// TOK-05: in either header they select nothing
#[test]
fn key_embedded_in_a_header() {
    let (mine, theirs) = (Signer::new(), Signer::new());
    let jwk = serde_json::to_string(&theirs.key.public_jwk().unwrap()).unwrap();
    for member in [format!("\"jwk\":{jwk}"), r#""jku":"https://evil.example""#.into(), r#""x5c":["MIIB"]"#.into()] {
        let protected = format!(r#"{{"alg":"ES256",{member}}}"#);
        let attack = format!(r#"{{"payload":"{}",{}}}"#, b64::encode(PAYLOAD), theirs.members(&protected));
        assert_eq!(mine.verify(&attack), Err(Error::Signature));
        let attack = theirs.flattened(r#"{"alg":"ES256"}"#, &format!(r#","header":{{{member}}}"#));
        assert_eq!(mine.verify(&attack), Err(Error::Signature));
        assert_eq!(mine.verify(&mine.flattened(&protected, "")), accepted());
    }
}

// KEY-05: a key id is one short name
#[test]
fn key_id_that_is_a_list_or_no_name() {
    let signer = Signer::new();
    for kid in [r#"["k1","k2"]"#, "1", "null", "{}", "true", r#""""#, r#""a\nb""#] {
        for text in [
            signer.flattened(&format!(r#"{{"alg":"ES256","kid":{kid}}}"#), ""),
            signer.flattened(r#"{"alg":"ES256"}"#, &format!(r#","header":{{"kid":{kid}}}"#)),
        ] {
            assert_eq!(signer.verify(&text), Err(Error::HeaderMalformed { member: "kid" }), "{kid}");
        }
    }
    for kid in ["k2", "../../dev/null", "k1' OR '1'='1"] {
        let text = signer.flattened(r#"{"alg":"ES256"}"#, &format!(r#","header":{{"kid":"{kid}"}}"#));
        assert_eq!(signer.verify(&text), Err(Error::UnknownKey { kid: Some(kid.into()) }));
    }
}

// RFC 7515 §4, §7.2.1: two parsers, two meanings
#[test]
fn members_twice_at_every_level() {
    let signer = Signer::new();
    let good = signer.flattened(r#"{"alg":"ES256"}"#, "");
    for (text, name) in [
        (good.replacen('{', r#"{"payload":"AAAA","#, 1), "payload"),
        (good.replacen('{', r#"{"p\u0061yload":"AAAA","#, 1), "payload"),
        (good.replacen('{', r#"{"signature":"AAAA","#, 1), "signature"),
        (good.replacen('{', r#"{"protected":"e30","#, 1), "protected"),
        (signer.flattened(r#"{"alg":"none","alg":"ES256"}"#, ""), "alg"),
        (signer.flattened(r#"{"alg":"ES256"}"#, r#","header":{"x":1,"x":2}"#), "x"),
        (signer.flattened(r#"{"alg":"ES256","x":1}"#, r#","header":{"x":1}"#), "x"),
        (signer.flattened(r#"{"alg":"ES256"}"#, r#","x":{"y":[{"z":1,"z":2}]}"#), "z"),
        (signer.general(&[&signer.good()]).replacen('{', r#"{"signatures":[],"#, 1), "signatures"),
    ] {
        assert_eq!(signer.verify(&text), Err(Error::Duplicate { name: name.into() }), "{text}");
    }
}

// RFC 7515 §7.2.2: flattened or general, not both
#[test]
fn flattened_and_general_at_once() {
    let signer = Signer::new();
    let signatures = format!(r#","signatures":[{{{}}}]"#, signer.good());
    let both = signer.flattened(r#"{"alg":"ES256"}"#, &signatures);
    assert_eq!(signer.verify(&both), Err(Error::Member { member: "signature" }));
    let stray = signer.general(&[&signer.good()]).replacen('{', r#"{"header":{},"#, 1);
    assert_eq!(signer.verify(&stray), Err(Error::Member { member: "header" }));
}

// TOK-10: an encrypted message is not a signed one
#[test]
fn encrypted_message_for_a_signed_one() {
    let signer = Signer::new();
    for more in [r#","ciphertext":"AAAA""#, r#","recipients":[]"#] {
        let text = signer.flattened(r#"{"alg":"ES256"}"#, more);
        assert!(matches!(signer.verify(&text), Err(Error::Member { .. })));
    }
    let jwe = r#"{"protected":"eyJlbmMiOiJBMTI4R0NNIn0","iv":"AAAA","ciphertext":"AAAA","tag":"AAAA"}"#;
    assert_eq!(signer.verify(jwe), Err(Error::Member { member: "ciphertext" }));
    let compact = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA";
    assert_eq!(signer.verify(compact), Err(Error::Segments { got: 5 }));
}

// RFC 7515 §F: which payload was signed
#[test]
fn payload_beside_a_detached_one() {
    let signer = Signer::new();
    let text = signer.flattened(r#"{"alg":"ES256"}"#, "");
    for payload in [PAYLOAD, b"", b"other"] {
        assert_eq!(Options::new().detached(payload).parse(&text).unwrap_err(), Error::PayloadPresent);
    }
    let detached = format!("{{{}}}", signer.good());
    assert_eq!(UnverifiedJws::parse(&detached).unwrap_err(), Error::PayloadDetached);
    let other = Options::new().detached(b"pay 1000 to Eve").parse(&detached).unwrap();
    assert_eq!(other.verify(&signer.public).unwrap_err(), Error::Signature);
    let null = detached.replacen('{', r#"{"payload":null,"#, 1);
    assert_eq!(Options::new().detached(PAYLOAD).parse(&null).unwrap_err(), Error::Member { member: "payload" });
    let compact = forge(&signer.key, br#"{"alg":"ES256"}"#, PAYLOAD);
    assert_eq!(Options::new().detached(PAYLOAD).parse(&compact).unwrap_err(), Error::PayloadPresent);
}

// RFC 8725 §3.2: a signature of another message, and one over another header
#[test]
fn signature_of_another_message() {
    let signer = Signer::new();
    let other = b64::encode("pay 1000 to Eve");
    let moved = format!(r#"{{"payload":"{other}",{}}}"#, signer.good());
    assert_eq!(signer.verify(&moved), Err(Error::Signature));
    // The same header in other words.
    let good = signer.flattened(r#"{"alg":"ES256"}"#, "");
    let spelled = good.replace(&b64::encode(r#"{"alg":"ES256"}"#), &b64::encode(r#"{ "alg":"ES256"}"#));
    assert_eq!(signer.verify(&spelled), Err(Error::Signature));
}

#[test]
fn members_of_the_wrong_type() {
    let signer = Signer::new();
    let good = signer.flattened(r#"{"alg":"ES256"}"#, "");
    let protected = b64::encode(r#"{"alg":"ES256"}"#);
    for (from, to, error) in [
        (format!("\"payload\":\"{}\"", b64::encode(PAYLOAD)), "\"payload\":1", Error::Member { member: "payload" }),
        (format!("\"payload\":\"{}\"", b64::encode(PAYLOAD)), "\"payload\":{}", Error::Member { member: "payload" }),
        (format!("\"{protected}\""), r#"{"alg":"ES256"}"#, Error::Member { member: "protected" }),
        (format!("\"{protected}\""), r#""""#, Error::Member { member: "protected" }),
        (format!("\"{protected}\""), "null", Error::Member { member: "protected" }),
        ("\"signature\":\"".into(), "\"signature\":1,\"x\":\"", Error::Member { member: "signature" }),
        ("\"signature\":\"".into(), "\"x\":\"", Error::Member { member: "signature" }),
        ("\"signature\":\"".into(), "\"signature\":\"=", Error::Base64),
        (protected.clone(), "e31", Error::Base64),
        (protected.clone(), "W10", Error::Json { at: 0 }),
        ("\"protected\"".into(), "\"header\":1,\"protected\"", Error::Member { member: "header" }),
        ("\"protected\"".into(), "\"header\":null,\"protected\"", Error::Member { member: "header" }),
        ("\"protected\"".into(), "\"signatures\":{},\"x\"", Error::Member { member: "signature" }),
    ] {
        assert_eq!(signer.verify(&good.replacen(&from, to, 1)), Err(error), "{from} -> {to}");
    }
    for signatures in ["{}", "1", "[1]", "[[]]", r#"["x"]"#, "null"] {
        let text = format!(r#"{{"payload":"","signatures":{signatures}}}"#);
        assert_eq!(signer.verify(&text), Err(Error::Member { member: "signatures" }), "{signatures}");
    }
}

// What makes a reader work for nothing
#[test]
fn too_many_signatures_too_deep_or_too_long() {
    let signer = Signer::new();
    let good = signer.good();
    assert_eq!(signer.verify(&signer.general(&[])), Err(Error::SignatureCount { got: 0 }));
    let many = vec![good.as_str(); MAX_SIGNATURES];
    assert_eq!(signer.verify(&signer.general(&many)), accepted());
    let many = vec![good.as_str(); MAX_SIGNATURES + 1];
    assert_eq!(signer.verify(&signer.general(&many)), Err(Error::SignatureCount { got: MAX_SIGNATURES + 1 }));
    let deep = format!(r#","x":{}{}"#, "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(signer.verify(&signer.flattened(r#"{"alg":"ES256"}"#, &deep)), Err(Error::Depth));
    let long = format!(r#","x":"{}""#, "x".repeat(MAX_JWS_BYTES));
    assert!(matches!(signer.verify(&signer.flattened(r#"{"alg":"ES256"}"#, &long)), Err(Error::TooLong { .. })));
    let text = signer.flattened(r#"{"alg":"ES256"}"#, "");
    assert!(matches!(Options::new().max_bytes(10).parse(&text), Err(Error::TooLong { limit: 10, .. })));
}

// TOK-07, TOK-09: one text for each message
#[test]
fn texts_around_the_message() {
    let signer = Signer::new();
    let good = signer.flattened(r#"{"alg":"ES256"}"#, "");
    assert_eq!(signer.verify(&format!(" \n{good}\n")), accepted());
    for text in [
        format!("{good}x"),
        format!("{good}{good}"),
        format!("\u{feff}{good}"),
        format!("[{good}]"),
        format!("\"{good}\""),
        good[..good.len() - 1].to_owned(),
    ] {
        assert!(signer.verify(&text).is_err(), "{text}");
    }
    let padded = good.replacen("\",", "=\",", 1);
    assert_eq!(signer.verify(&padded), Err(Error::Base64));
    let compact = forge(&signer.key, br#"{"alg":"ES256"}"#, PAYLOAD);
    for (text, error) in [
        (format!("{compact}\n"), Error::Character { at: compact.len() }),
        (format!(" {compact}"), Error::Character { at: 0 }),
        (format!("{compact}.AAAA"), Error::Segments { got: 4 }),
        ("AAAA".into(), Error::Segments { got: 1 }),
        (compact.replace('.', ""), Error::Segments { got: 1 }),
    ] {
        assert_eq!(signer.verify(&text), Err(error), "{text}");
    }
}

// AUD-02: nothing of an unverified payload is shown
#[test]
fn debug_output_keeps_the_payload() {
    let signer = Signer::new();
    let unverified = UnverifiedJws::parse(&signer.flattened(r#"{"alg":"ES256"}"#, "")).unwrap();
    let shown = format!("{unverified:?} {:?}", UnverifiedJws::parse(&signer.general(&[&signer.good()])));
    assert!(shown.contains("ES256") && !shown.contains("Bob") && !shown.contains(&b64::encode(PAYLOAD)), "{shown}");
}
