//! Known attacks by way of keys, one test each: what is imported is sound, or refused with its reason.

use crate::support::{LONG_SECRET, ml_dsa_of_zeros, vectors::*};
use countersign_jose::{
    Algorithm, AnyKey, Error, Jwk, KeyError, PrivateJwk, SigningKey, VerifyingKey, b64, key, limits::MAX_JWK_SET_BYTES,
};
use proptest::prelude::*;

fn refused(text: &[u8]) -> KeyError {
    match key::import(text) {
        Err(Error::Key(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn private(jwk: &str) -> KeyError {
    refused(jwk.as_bytes())
}

/// A JWK with one member replaced or added.
fn with(jwk: &str, name: &str, value: serde_json::Value) -> String {
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(jwk).unwrap();
    members.insert(name.into(), value);
    serde_json::to_string(&members).unwrap()
}

fn member(jwk: &str, name: &str) -> Vec<u8> {
    let members: serde_json::Value = serde_json::from_str(jwk).unwrap();
    b64::decode(members[name].as_str().unwrap()).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// SubjectPublicKeyInfo of a key on this curve.
fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = [&[3, u8::try_from(key.len() + 1).unwrap(), 0][..], key].concat();
    let body = [&[0x30, u8::try_from(algorithm.len()).unwrap()][..], algorithm, &bits].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

const P256: [u8; 19] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const ED25519: [u8; 5] = [6, 3, 0x2b, 0x65, 0x70];
const X25519: [u8; 5] = [6, 3, 0x2b, 0x65, 0x6e];

/// The keys of the example vectors and one of each other kind.
fn every_kind() -> Vec<PrivateJwk> {
    let drawn = Algorithm::all().filter(|alg| !["oct", "RSA"].contains(&alg.kty()));
    let mut keys: Vec<_> = drawn.map(|alg| PrivateJwk::generate(alg).unwrap()).collect();
    keys.push(PrivateJwk::parse(RSA_JWK.as_bytes()).unwrap());
    let AnyKey::Private(x25519) =
        key::import(include_bytes!("../../vectors/keys/x25519.pkcs8.pem")).unwrap().keys.remove(0)
    else {
        panic!("private")
    };
    keys.push(x25519);
    keys
}

// RFC 8725 §3.4: every form of a key is checked as a JWK is
#[test]
fn elliptic_points_in_der() {
    let (x, y) = (member(EC_JWK, "x"), member(EC_JWK, "y"));
    let point = [&[4][..], &x, &y].concat();
    assert!(key::import(&spki(&P256, &point)).is_ok());
    let mut off = point.clone();
    off[64] ^= 1;
    for point in [
        &off[..],
        &[0],
        &[4],
        &[],
        &point[..64],
        &[&point[..], &[0]].concat(),
        &[4; 65],
        &[&[4][..], &[0; 64]].concat(),
    ] {
        assert_eq!(refused(&spki(&P256, point)), KeyError::Point, "{point:x?}");
    }
    // The hybrid and the compressed form: a second spelling of the same key.
    for form in [2, 3, 6, 7] {
        let mut hybrid = point.clone();
        hybrid[0] = form;
        assert_eq!(refused(&spki(&P256, &hybrid)), KeyError::Point);
        assert_eq!(refused(&spki(&P256, &hybrid[..33])), KeyError::Point);
    }
}

// RFC 8725 §3.4; RFC 7748 §6.1: with a key of small order everybody forges, or everybody knows the secret
#[test]
fn small_order_points_of_the_twisted_curves() {
    let order_8_edwards = hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
    let order_8_montgomery = hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    let one = [&[1][..], &[0; 31]].concat();
    for (curve, name, points) in [
        (ED25519, "Ed25519", [vec![0; 32], one.clone(), order_8_edwards]),
        (X25519, "X25519", [vec![0; 32], one, order_8_montgomery]),
    ] {
        for point in points {
            assert_eq!(refused(&spki(&curve, &point)), KeyError::Point);
            let jwk = format!(r#"{{"kty":"OKP","crv":"{name}","x":"{}"}}"#, b64::encode(&point));
            assert_eq!(refused(jwk.as_bytes()), KeyError::Point);
        }
        assert_eq!(refused(&spki(&curve, &[7; 31])), KeyError::Member("x"));
    }
}

// A curve's key under another curve's name
#[test]
fn key_of_another_curve() {
    let x = b64::encode(member(ED_JWK, "x"));
    let as_x25519 = with(ED_JWK, "crv", "X25519".into());
    assert_eq!(private(&as_x25519), KeyError::Malformed, "its halves then do not belong together");
    for (kty, crv) in
        [("EC", "Ed25519"), ("OKP", "P-256"), ("EC", "X25519"), ("OKP", "Ed448"), ("OKP", "ed25519"), ("EC", "P256")]
    {
        let jwk = format!(r#"{{"kty":"{kty}","crv":"{crv}","x":"{x}","y":"{x}"}}"#);
        assert_eq!(refused(jwk.as_bytes()), KeyError::Unsupported(crv.into()));
    }
    for crv in ["P-384", "P-521"] {
        assert_eq!(private(&with(EC_JWK, "crv", crv.into())), KeyError::Member("x"));
    }
    assert_eq!(private(&with(EC_JWK, "crv", "secp256k1".into())), KeyError::Point);
}

// KEY-06: a scalar that is no private key
#[test]
fn private_scalar_of_zero_or_beyond_the_order() {
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for d in [vec![0; 32], order, vec![0xff; 32]] {
        assert_eq!(private(&with(EC_JWK, "d", b64::encode(&d).into())), KeyError::Malformed);
        // SEC 1, without the public half to compare with
        let sec1 =
            [&[0x30, 0x31, 2, 1, 1, 4, 32][..], &d, &[0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]].concat();
        assert_eq!(refused(&sec1), KeyError::Malformed);
    }
    for d in [&[1][..], &[0; 31], &[0; 33]] {
        assert_eq!(private(&with(EC_JWK, "d", b64::encode(d).into())), KeyError::Member("d"));
        assert_eq!(private(&with(ED_JWK, "d", b64::encode(d).into())), KeyError::Member("d"));
    }
}

// Public and private halves of two keys: signatures that leak the private key (RFC 8032 §5.1.6 hashes the public half in)
#[test]
fn halves_that_do_not_belong_together() {
    for key in every_kind() {
        let other = match key.alg() {
            Some(alg) => PrivateJwk::generate(alg.parse().unwrap()).unwrap(),
            None if key.kty() == "RSA" => PrivateJwk::parse(COOKBOOK_RSA_JWK.as_bytes()).unwrap(),
            None => continue,
        };
        let mut mixed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&key.to_json()).unwrap();
        let theirs: serde_json::Value = serde_json::to_value(other.public_jwk().unwrap()).unwrap();
        for name in ["x", "y", "n", "pub"] {
            if let Some(value) = theirs.get(name) {
                mixed.insert(name.into(), value.clone());
            }
        }
        assert_eq!(refused(&serde_json::to_vec(&mixed).unwrap()), KeyError::Malformed, "{key:?}");
    }
}

// KEY-06: RSA keys whose private half is not of the public one
#[test]
fn rsa_parts_that_disagree() {
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        let mut part = member(RSA_JWK, name);
        *part.last_mut().unwrap() ^= 2;
        assert_eq!(private(&with(RSA_JWK, name, b64::encode(&part).into())), KeyError::Malformed, "{name}");
        assert_eq!(private(&with(RSA_JWK, name, "".into())), KeyError::Malformed, "{name}");
        assert_eq!(private(&with(RSA_JWK, name, serde_json::Value::Null)), KeyError::Member(name));
        assert_eq!(private(&with(RSA_JWK, name, "A".into())), KeyError::Member(name));
    }
    assert_eq!(private(&with(RSA_JWK, "oth", serde_json::json!([{"r": "AQ", "d": "AQ", "t": "AQ"}]))), {
        KeyError::Unsupported("RSA with several primes".into())
    });
    assert_eq!(private(&with(RSA_JWK, "e", "Aw".into())), KeyError::RsaExponent);
    // d alone, as RFC 7518 §6.3.2 allows: the primitive needs the other members.
    let bare = format!(
        r#"{{"kty":"RSA","n":"{}","e":"AQAB","d":"{}"}}"#,
        b64::encode(member(RSA_JWK, "n")),
        b64::encode(member(RSA_JWK, "d"))
    );
    assert_eq!(private(&bare), KeyError::Member("p"));
}

// RFC 9964 §3, §4, §7.4: length of the seed, and a public half of another seed
#[test]
fn ml_dsa_keys_that_are_none() {
    let key = ml_dsa_of_zeros(Algorithm::MlDsa44);
    let json = key.to_json();
    for seed in [&[0; 31][..], &[0; 33], &[]] {
        assert_eq!(private(&with(&json, "priv", b64::encode(seed).into())), KeyError::Member("priv"));
    }
    assert_eq!(private(&with(&json, "priv", b64::encode([1; 32]).into())), KeyError::Malformed);
    for public in [vec![0; 1311], vec![0; 1313], vec![0; 1952], Vec::new()] {
        assert_eq!(private(&with(&json, "pub", b64::encode(public).into())), KeyError::Member("pub"));
    }
    for alg in ["ES256", "HS256", "none", "ML-DSA-45", "RSA-OAEP"] {
        assert_eq!(private(&with(&json, "alg", alg.into())), KeyError::Unsupported(alg.into()), "{alg}");
    }
    // PKCS#8 with another length, or with the expanded key alone (RFC 9881 §6)
    let der = key.to_pkcs8().unwrap();
    let mut short = der.to_vec();
    let at = der.len() - 33;
    short[at] = 31;
    assert!(key::import(&short).is_err());
    assert_eq!(PrivateJwk::from_der(&der).unwrap().thumbprint(), key.thumbprint());
}

// RFC 5958 §2: the public half that a file has beside the private one is compared
#[test]
fn pkcs8_with_the_public_key_of_another() {
    let seed = member(ED_JWK, "d");
    let pkcs8 = |version: u8, public: &[u8]| {
        let tail = if public.is_empty() { Vec::new() } else { [&[0x81, 33, 0][..], public].concat() };
        let head = [0x30, 46 + u8::try_from(tail.len()).unwrap(), 2, 1, version, 0x30, 5];
        [&head[..], &ED25519, &[4, 34, 4, 32], &seed, &tail].concat()
    };
    let x = member(ED_JWK, "x");
    assert!(key::import(&pkcs8(0, &[])).is_ok());
    assert!(key::import(&pkcs8(1, &x)).is_ok());
    let mut other = x.clone();
    other[0] ^= 1;
    assert_eq!(refused(&pkcs8(1, &other)), KeyError::Malformed);
    assert_eq!(refused(&pkcs8(0, &x)), KeyError::Der, "the version of a file without it");
    assert_eq!(refused(&pkcs8(1, &[])), KeyError::Der);
    assert_eq!(refused(&pkcs8(2, &[])), KeyError::Der);
}

// Every file, cut anywhere or with anything behind it
#[test]
fn der_that_is_cut_or_goes_on() {
    for key in every_kind() {
        let public = key.public_jwk().unwrap();
        for der in [key.to_pkcs8().unwrap().to_vec(), public.to_spki()] {
            assert!(key::import(&der).is_ok());
            for cut in (0..der.len()).step_by(if der.len() > 400 { 13 } else { 1 }) {
                assert!(key::import(&der[..cut]).is_err());
            }
            assert!(key::import(&[&der[..], &[0]].concat()).is_err());
            assert!(key::import(&[&der[..], &der].concat()).is_err());
        }
    }
}

// Any byte of a private key changed: refused, or another key that is whole, never one whose halves disagree
#[test]
fn der_with_any_byte_changed() {
    for key in every_kind() {
        let der = key.to_pkcs8().unwrap();
        for at in (0..der.len()).step_by(if der.len() > 400 { 29 } else { 1 }) {
            for flip in [1, 0x80, 0xff] {
                let mut changed = der.to_vec();
                changed[at] ^= flip;
                let Ok(imported) = key::import(&changed) else { continue };
                let AnyKey::Private(read) = &imported.keys[0] else { panic!("{at}: a private key") };
                let again = PrivateJwk::parse(read.to_json().as_bytes()).unwrap();
                assert_eq!(again.thumbprint(), read.thumbprint());
            }
        }
    }
}

#[test]
fn certificate_with_any_byte_changed_or_cut() {
    let pem = include_str!("../../vectors/keys/p256.certificate.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = b64::decode(body.trim_end_matches('=').replace('+', "-").replace('/', "_")).unwrap();
    let thumbprint = key::import(&der).unwrap().keys[0].thumbprint();
    for at in 0..der.len() {
        assert!(key::import(&der[..at]).is_err());
        let mut changed = der.clone();
        changed[at] ^= 0x21;
        if let Ok(imported) = key::import(&changed) {
            // Only the key is read; who is named and who signed is for others to judge.
            assert_eq!(imported.keys[0].thumbprint(), thumbprint, "{at}");
        }
    }
}

// CVE-2020-0601: who describes the curve chooses the base point that makes any public key his own (RFC 5480 §2.1.1 forbids it)
#[test]
fn curve_described_instead_of_named() {
    assert_eq!(refused(include_bytes!("../../vectors/keys/p256.explicit.sec1.pem")), KeyError::Der);
    let point = [&[4][..], &member(EC_JWK, "x"), &member(EC_JWK, "y")].concat();
    assert!(key::import(&spki(&P256, &point)).is_ok());
    // ECParameters, version 1, and then whatever: what is no name is not read.
    let described = [&P256[..9], &[0x30, 3, 2, 1, 1]].concat();
    assert_eq!(refused(&spki(&described, &point)), KeyError::Der);
}

// RFC 5280: a key with parameters of another kind, or with none
#[test]
fn algorithm_identifier_with_the_wrong_parameters() {
    let point = [&[4][..], &member(EC_JWK, "x"), &member(EC_JWK, "y")].concat();
    assert_eq!(refused(&spki(&P256[..9], &point)), KeyError::Der, "no curve");
    assert_eq!(refused(&spki(&[&P256[..], &[5, 0]].concat(), &point)), KeyError::Der, "two parameters");
    let x = member(ED_JWK, "x");
    assert_eq!(refused(&spki(&[&ED25519[..], &[5, 0]].concat(), &x)), KeyError::Der, "RFC 8410 §3: none");
    let unused_bits = {
        let mut der = spki(&ED25519, &x);
        let at = der.len() - 33;
        der[at] = 1;
        der
    };
    assert_eq!(refused(&unused_bits), KeyError::Der);
}

// TOK-04; CVE-2022-29217: a secret in a JWK that is another kind of key, or too short for its hash
#[test]
fn secrets_that_are_none() {
    let oct = |secret: &[u8], alg: Algorithm| {
        let jwk = format!(r#"{{"kty":"oct","kid":"k","k":"{}"}}"#, b64::encode(secret));
        let key = PrivateJwk::parse(jwk.as_bytes()).unwrap();
        let outcomes = [key.signing_key_as(alg).map(drop), key.verifying_key_as(alg).map(drop)];
        assert_eq!(outcomes[0], outcomes[1]);
        outcomes[0].clone()
    };
    for (alg, len) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        assert_eq!(oct(&LONG_SECRET[..len], alg), Ok(()));
        assert_eq!(oct(&LONG_SECRET[..len - 1], alg), Err(KeyError::SecretShort(len - 1).into()));
        assert_eq!(
            SigningKey::hmac(alg, "k", &LONG_SECRET[..len - 1]).unwrap_err(),
            KeyError::SecretShort(len - 1).into()
        );
    }
    for key in every_kind() {
        let public = key.public_jwk().unwrap();
        let texts = [public.to_pem().into_bytes(), public.to_spki(), serde_json::to_vec(&public).unwrap()];
        for text in texts.iter().chain([&key.to_pkcs8().unwrap().to_vec(), &key.to_pem().unwrap().as_bytes().to_vec()])
        {
            if text.len() >= 32 {
                assert_eq!(oct(text, Algorithm::HS256), Err(KeyError::SecretIsKey.into()), "{key:?}");
                let line = [text.as_slice(), b"\n"].concat();
                assert_eq!(oct(&line, Algorithm::HS256), Err(KeyError::SecretIsKey.into()), "{key:?}");
            }
        }
    }
    // A key whose last bytes look like the line breaks behind it
    for end in [&b"\n"[..], b"\r\n", b" \t\r\n", b""] {
        let der = spki(&ED25519, &[&[7; 30][..], b" \n"].concat());
        assert_eq!(oct(&[&der, end].concat(), Algorithm::HS256), Err(KeyError::SecretIsKey.into()), "{end:?}");
    }
    let certificate = include_bytes!("../../vectors/keys/rsa.certificate.pem");
    assert_eq!(oct(certificate, Algorithm::HS512), Err(KeyError::SecretIsKey.into()));
    assert!(oct(LONG_SECRET, Algorithm::ES256).is_err());
}

// RFC 7517 §4.2, §4.3, §4.4: `use`, `key_ops` and `alg` restrict private keys, too
#[test]
fn private_key_that_is_for_something_else() {
    for usage in [r#""use":"enc""#, r#""key_ops":["verify"]"#, r#""key_ops":[]"#, r#""use":"enc","key_ops":["sign"]"#] {
        for jwk in [EC_JWK, ED_JWK, HMAC_JWK] {
            let jwk = jwk.replacen('{', &format!("{{{usage},"), 1);
            let key = PrivateJwk::parse(jwk.as_bytes()).unwrap();
            let alg = Algorithm::all().find(|alg| alg.kty() == key.kty() && alg.crv() == key.crv()).unwrap();
            assert_eq!(key.signing_key_as(alg).unwrap_err(), KeyError::NotForSignatures.into(), "{usage}");
            // What is written says the same.
            let again = PrivateJwk::parse(key.to_json().as_bytes()).unwrap();
            assert_eq!(again.signing_key_as(alg).unwrap_err(), KeyError::NotForSignatures.into(), "{usage}");
        }
    }
    let other = with(EC_JWK, "alg", "ES384".into());
    let key = PrivateJwk::parse(other.as_bytes()).unwrap();
    assert_eq!(key.signing_key_as(Algorithm::ES256).unwrap_err(), KeyError::WrongAlgorithm(Algorithm::ES256).into());
    assert_eq!(key.signing_key().unwrap_err(), KeyError::WrongAlgorithm(Algorithm::ES384).into());
    let agreement = with(EC_JWK, "alg", "ECDH-ES".into());
    let key = PrivateJwk::parse(agreement.as_bytes()).unwrap();
    assert_eq!(key.signing_key().unwrap_err(), KeyError::Unsupported("ECDH-ES".into()).into());
    assert!(key.verifying_key_as(Algorithm::ES256).is_err());
}

// KEY-05: private members never pass for a public key, by whatever way
#[test]
fn private_key_where_a_public_one_is_read() {
    for key in every_kind() {
        assert_eq!(Jwk::parse(key.to_json().as_bytes()), Err(KeyError::Private.into()));
        assert_eq!(Jwk::from_der(&key.to_pkcs8().unwrap()), Err(KeyError::Private.into()));
        let public = AnyKey::Public(key.public_jwk().unwrap());
        assert_eq!(public.signing_key(Some(Algorithm::ES256)).unwrap_err(), KeyError::PublicOnly.into());
        let shown = serde_json::to_string(&key.public_jwk().unwrap()).unwrap();
        for name in ["d", "p", "q", "dp", "dq", "qi", "k", "priv"] {
            assert!(!shown.contains(&format!("\"{name}\":")), "{shown}");
        }
    }
}

// KEY-07: a text that is meant to exhaust the reader
#[test]
fn texts_that_are_too_large() {
    let keys = vec![ED_JWK; 257].join(",");
    assert_eq!(refused(format!("{{\"keys\":[{keys}]}}").as_bytes()), KeyError::Member("keys"));
    let frames = "-----BEGIN ".repeat(MAX_JWK_SET_BYTES / 11);
    assert_eq!(refused(frames.as_bytes()), KeyError::Pem);
    let open = format!("-----BEGIN PUBLIC KEY-----{}", "A".repeat(200_000));
    assert_eq!(refused(open.as_bytes()), KeyError::Pem);
    let huge = b64::encode(vec![0xff; 10_000]);
    assert_eq!(private(&format!(r#"{{"kty":"RSA","n":"{huge}","e":"AQAB"}}"#)), KeyError::RsaSize(80_000));
    assert!(key::import(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 2, 1, 0]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_no_key_and_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC*") {
        prop_assert!(key::import(&bytes).is_err());
        let _ = key::import(text.as_bytes());
        let _ = PrivateJwk::from_der(&bytes);
        let _ = Jwk::from_der(&bytes);
        let [high, low] = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        let sequence = [&[0x30, 0x82, high, low][..], &bytes].concat();
        let _ = key::import(&sequence);
    }

    #[test]
    fn elements_in_any_order_do_no_harm(parts in proptest::collection::vec((0_usize..8, any::<[u8; 6]>()), 1..6)) {
        let tags = [2, 3, 4, 5, 6, 0x30, 0xa0, 0x81];
        let body: Vec<u8> = parts.iter().flat_map(|(tag, content)| [&[tags[*tag], 6][..], content].concat()).collect();
        let _ = key::import(&[&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat());
    }
}

// A verifying key comes from a public key or a secret, never from a private key by accident of parsing
#[test]
fn verifying_key_of_a_private_key_is_that_of_its_public_half() {
    for key in every_kind().into_iter().filter(|key| key.crv() != Some("X25519")) {
        let alg = key.alg().map_or(Algorithm::PS256, |alg| alg.parse().unwrap());
        let signature = key.signing_key_as(alg).unwrap().sign_raw(b"x").unwrap();
        let public = VerifyingKey::from_jwk_as(&key.public_jwk().unwrap(), alg).unwrap();
        assert_eq!(public.verify_raw(b"x", &signature), Ok(()));
        assert_eq!(key.verifying_key_as(alg).unwrap().verify_raw(b"x", &signature), Ok(()));
    }
}
