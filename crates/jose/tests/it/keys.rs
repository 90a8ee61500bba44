//! Keys in every form that they have: what is written is read back, and what other programs wrote is understood.

use std::collections::BTreeSet;

use crate::support::{ml_dsa_of_zeros, vectors::*};
use countersign_jose::{Algorithm, AnyKey, Error, Jwk, KeyError, PrivateJwk, SigningKey, VerifyingKey, b64, key};

/// A file that OpenSSL wrote.
macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../vectors/keys/", $name)).as_slice()
    };
}

fn one(text: &[u8]) -> AnyKey {
    let mut imported = key::import(text).unwrap();
    assert_eq!((imported.keys.len(), imported.skipped.len()), (1, 0));
    imported.keys.remove(0)
}

fn refused(text: &[u8]) -> KeyError {
    match key::import(text).unwrap_err() {
        Error::Key(error) => error,
        other => panic!("{other:?}"),
    }
}

/// Decodes the only frame of a PEM text.
fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let body = body.trim_end_matches('=').replace('+', "-").replace('/', "_");
    b64::decode(body).unwrap()
}

fn signs_for(signing: &SigningKey, verifying: &VerifyingKey) {
    let signature = signing.sign_raw(b"text").unwrap();
    assert_eq!(verifying.verify_raw(b"text", &signature), Ok(()));
    assert_eq!(verifying.verify_raw(b"texT", &signature), Err(Error::Signature));
}

// KEY-06
#[test]
fn every_algorithm_in_every_form() {
    for alg in Algorithm::all() {
        let drawn = if alg.kty() == "RSA" {
            PrivateJwk::from_der(&der(str::from_utf8(file!("rsa.pkcs8.pem")).unwrap())).unwrap()
        } else {
            PrivateJwk::generate(alg).unwrap()
        };
        let key = drawn.with_kid("k1");
        let verifying = key.verifying_key_as(alg).unwrap();
        signs_for(&key.signing_key_as(alg).unwrap(), &verifying);
        let mut forms = vec![key.to_json().as_bytes().to_vec()];
        if let Some(public) = key.public_jwk() {
            forms.push(key.to_pkcs8().unwrap().to_vec());
            forms.push(key.to_pem().unwrap().as_bytes().to_vec());
            forms.extend(key.to_sec1().ok().map(|der| der.to_vec()));
            forms.extend(key.to_pkcs1().ok().map(|der| der.to_vec()));
            let public_forms = [serde_json::to_vec(&public).unwrap(), public.to_spki(), public.to_pem().into_bytes()];
            for form in public_forms.into_iter().chain(public.to_pkcs1().ok()) {
                let AnyKey::Public(read) = one(&form) else { panic!("{alg}: a public key") };
                assert_eq!(read.thumbprint(), public.thumbprint(), "{alg}");
                let verifying = VerifyingKey::from_jwk_as(&read, alg).unwrap();
                signs_for(&key.signing_key_as(alg).unwrap(), &verifying);
                assert!(PrivateJwk::from_der(&form).is_err(), "{alg}: no private key");
            }
        }
        for form in forms {
            let AnyKey::Private(read) = one(&form) else { panic!("{alg}: a private key") };
            assert_eq!(read.thumbprint(), key.thumbprint(), "{alg}");
            signs_for(&read.with_kid("k1").signing_key_as(alg).unwrap(), &verifying);
            assert!(Jwk::parse(&form).is_err() && Jwk::from_der(&form).is_err(), "{alg}: nothing private is published");
        }
    }
}

// What this library writes is what the primitive writes.
#[test]
fn pkcs8_as_the_primitive_writes_it() {
    for alg in Algorithm::all().filter(|alg| !["oct", "RSA"].contains(&alg.kty())) {
        let key = SigningKey::generate(alg, "k1").unwrap();
        assert_eq!(key.private_jwk().unwrap().to_pkcs8().unwrap(), key.to_pkcs8().unwrap(), "{alg}");
    }
    let key = SigningKey::from_jwk(Algorithm::PS512, RSA_JWK.as_bytes()).unwrap();
    let private = key.private_jwk().unwrap();
    assert_eq!(private.to_pkcs8().unwrap(), key.to_pkcs8().unwrap());
    assert_eq!((private.alg(), private.kid()), (Some("PS512"), Some(key.kid())));
}

/// The name of the key, the algorithm where its kind leaves it open, and its forms.
type Family<'f> = (&'f str, Option<Algorithm>, &'f [&'f [u8]]);

#[test]
fn keys_that_openssl_wrote() {
    let families: [Family<'_>; 7] = [
        (
            "RSA",
            Some(Algorithm::RS256),
            &[
                file!("rsa.pkcs8.pem"),
                file!("rsa.pkcs1.pem"),
                file!("rsa.spki.pem"),
                file!("rsa.pkcs1-public.pem"),
                file!("rsa.certificate.pem"),
            ],
        ),
        (
            "P-256",
            None,
            &[file!("p256.pkcs8.pem"), file!("p256.sec1.pem"), file!("p256.spki.pem"), file!("p256.certificate.pem")],
        ),
        ("P-384", None, &[file!("p384.pkcs8.pem"), file!("p384.sec1.pem"), file!("p384.spki.pem")]),
        ("P-521", None, &[file!("p521.pkcs8.pem"), file!("p521.sec1.pem"), file!("p521.spki.pem")]),
        ("secp256k1", None, &[file!("secp256k1.pkcs8.pem"), file!("secp256k1.sec1.pem"), file!("secp256k1.spki.pem")]),
        ("Ed25519", None, &[file!("ed25519.pkcs8.pem"), file!("ed25519.spki.pem"), file!("ed25519.certificate.pem")]),
        ("X25519", None, &[file!("x25519.pkcs8.pem"), file!("x25519.spki.pem")]),
    ];
    for (name, alg, files) in families {
        let keys: Vec<_> = files.iter().map(|file| one(file)).collect();
        let thumbprints: BTreeSet<_> = keys.iter().map(|key| key.thumbprint().unwrap()).collect();
        assert_eq!(thumbprints.len(), 1, "{name}: one key in {} forms", files.len());
        assert_eq!(keys[0].crv().unwrap_or(keys[0].kty()), name);
        for (file, key) in files.iter().zip(&keys) {
            let from_der = one(&der(str::from_utf8(file).unwrap()));
            assert_eq!(from_der.thumbprint(), key.thumbprint(), "{name}: without its frame");
            if name == "X25519" {
                assert_eq!(key.verifying_key(None).unwrap_err(), Error::Key(KeyError::NotForSignatures));
            } else {
                signs_for(&keys[0].signing_key(alg).unwrap(), &key.verifying_key(alg).unwrap());
            }
        }
        // Written again, the key is the file.
        let AnyKey::Private(private) = &keys[0] else { panic!("{name}: the first is private") };
        assert_eq!(private.to_pem().unwrap().as_bytes(), files[0], "{name}");
        let spki = files.iter().find(|file| file.starts_with(b"-----BEGIN PUBLIC")).unwrap();
        assert_eq!(private.public_jwk().unwrap().to_pem().as_bytes(), *spki, "{name}");
    }
}

#[test]
fn traditional_forms_are_written_as_openssl_writes_them() {
    let AnyKey::Private(ec) = one(file!("p256.pkcs8.pem")) else { panic!("private") };
    assert_eq!(ec.to_sec1().unwrap().to_vec(), der(str::from_utf8(file!("p256.sec1.pem")).unwrap()));
    assert_eq!(ec.to_pkcs1().unwrap_err(), Error::Key(KeyError::NoSuchForm));
    let AnyKey::Private(rsa) = one(file!("rsa.pkcs8.pem")) else { panic!("private") };
    assert_eq!(rsa.to_pkcs1().unwrap().to_vec(), der(str::from_utf8(file!("rsa.pkcs1.pem")).unwrap()));
    assert_eq!(rsa.to_sec1().unwrap_err(), Error::Key(KeyError::NoSuchForm));
    let public = rsa.public_jwk().unwrap().to_pkcs1().unwrap();
    assert_eq!(public, der(str::from_utf8(file!("rsa.pkcs1-public.pem")).unwrap()));
    let secret = PrivateJwk::generate(Algorithm::HS256).unwrap();
    assert_eq!(secret.to_pkcs8().unwrap_err(), Error::Key(KeyError::NoSuchForm));
    assert_eq!((secret.thumbprint(), secret.public_jwk()), (None, None));
}

// KEY-06: each refused for its own reason
#[test]
fn keys_of_openssl_that_are_refused() {
    assert_eq!(refused(file!("p256.encrypted.pem")), KeyError::Encrypted);
    assert_eq!(refused(file!("p256.encrypted-traditional.pem")), KeyError::Encrypted);
    assert_eq!(refused(&der(str::from_utf8(file!("p256.encrypted.pem")).unwrap())), KeyError::Encrypted);
    assert_eq!(refused(file!("rsa-1024.pkcs8.pem")), KeyError::RsaSize(1024));
    assert_eq!(refused(file!("rsa-e3.pkcs8.pem")), KeyError::RsaExponent);
    assert_eq!(refused(file!("rsa-e3.spki.pem")), KeyError::RsaExponent);
    assert_eq!(refused(file!("rsa-pss.spki.pem")), KeyError::Unsupported("1.2.840.113549.1.1.10".into()));
    assert_eq!(refused(file!("p224.spki.pem")), KeyError::Unsupported("1.3.132.0.33".into()));
    assert_eq!(refused(file!("ed448.spki.pem")), KeyError::Unsupported("1.3.101.113".into()));
    assert_eq!(refused(file!("p256.compressed.spki.pem")), KeyError::Point);
    assert_eq!(refused(file!("p256.explicit.sec1.pem")), KeyError::Der);
    assert_eq!(one(file!("p256.with-parameters.pem")).crv(), Some("P-256"));
}

#[test]
fn several_keys_in_one_text() {
    let text =
        [file!("p256.spki.pem"), file!("rsa-e3.spki.pem"), b"a word in between\n", file!("ed25519.pkcs8.pem")].concat();
    let imported = key::import(&text).unwrap();
    assert_eq!(imported.keys.iter().map(AnyKey::crv).collect::<Vec<_>>(), [Some("P-256"), Some("Ed25519")]);
    assert_eq!(imported.skipped, [(1, Error::Key(KeyError::RsaExponent))]);

    let set = format!(r#"{{"keys":[{EC_JWK},{RSA_JWK},{HMAC_JWK},{{"kty":"EC"}},7,{ED_JWK},{ED_JWK}]}}"#);
    let imported = key::import(set.as_bytes()).unwrap();
    assert_eq!(imported.keys.iter().map(AnyKey::kty).collect::<Vec<_>>(), ["EC", "RSA", "oct", "OKP", "OKP"]);
    assert_eq!(imported.skipped.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [3, 4]);
    let named = ED_JWK.replacen('{', r#"{"kid":"a","#, 1);
    let imported = key::import(format!(r#"{{"keys":[{named},{named}]}}"#).as_bytes()).unwrap();
    assert_eq!((imported.keys.len(), imported.skipped), (1, vec![(1, Error::Key(KeyError::Duplicate))]));
}

#[test]
fn texts_that_hold_no_key() {
    for text in [
        &b""[..],
        b"secret",
        b"0123456789012345678901234567890123456789",
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPuDj3N5UMKk8Xl4Qm1 user@host",
        b"{}",
        b"{\"keys\":7}",
        b"\xff\xfe{}",
        b"\x30\x00",
    ] {
        assert_eq!(refused(text), KeyError::Form, "{text:?}");
    }
    assert!(matches!(key::import(&vec![b'-'; 300_000]), Err(Error::TooLong { .. })));
    assert!(matches!(key::import(b"{\"kty\":\"EC\",\"kty\":\"RSA\"}"), Err(Error::Duplicate { .. })));
}

// RFC 9964 §A: the key of all zeros, its public half and its thumbprint
#[test]
fn rfc9964_keys() {
    for (alg, thumbprint) in [
        (Algorithm::MlDsa44, "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"),
        (Algorithm::MlDsa65, "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM"),
        (Algorithm::MlDsa87, "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU"),
    ] {
        let key = ml_dsa_of_zeros(alg);
        assert_eq!(key.thumbprint().as_deref(), Some(thumbprint));
        assert_eq!((key.kty(), key.alg()), ("AKP", Some(alg.as_str())));
        let json = key.to_json();
        assert!(json.contains(r#""priv":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#));
        assert_eq!(json.matches("\"alg\"").count(), 1);
        let jwk = serde_json::to_string(&key.public_jwk().unwrap()).unwrap();
        assert_eq!(jwk.matches("\"alg\"").count(), 1);
        assert!(!jwk.contains("priv"));
        signs_for(&key.signing_key().unwrap(), &key.verifying_key().unwrap());
        // An `AKP` key is for the one algorithm that it must name (RFC 9964 §3).
        let nameless = jwk.replace(&format!("\"alg\":\"{alg}\""), "\"use\":\"sig\"");
        assert_eq!(refused(nameless.as_bytes()), KeyError::Member("alg"));
        let other = jwk.replace(alg.as_str(), "ML-DSA-99");
        assert_eq!(refused(other.as_bytes()), KeyError::Unsupported("ML-DSA-99".into()));
        let other = Algorithm::all().filter(|other| other.kty() == "AKP").find(|other| *other != alg).unwrap();
        assert_eq!(refused(jwk.replace(alg.as_str(), other.as_str()).as_bytes()), KeyError::Member("pub"));
        assert_eq!(key.signing_key_as(other).unwrap_err(), Error::Key(KeyError::WrongAlgorithm(other)));
    }
}

// AUD-02
#[test]
fn nothing_private_is_printed() {
    for jwk in [EC_JWK, RSA_JWK, ED_JWK, HMAC_JWK] {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(jwk).unwrap();
        let imported = key::import(jwk.as_bytes()).unwrap();
        let shown = format!("{imported:?} {:?}", imported.keys[0].signing_key(None));
        for name in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            if let Some(text) = members.get(name) {
                assert!(!shown.contains(text.as_str().unwrap()), "{name}: {shown}");
            }
        }
    }
}

// KEY-01: a secret is drawn, each time anew and as long as the hash.
#[test]
fn a_drawn_secret_is_long_enough_and_its_own() {
    for (alg, len) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        let draw = || {
            let jwk: serde_json::Value = serde_json::from_str(&PrivateJwk::generate(alg).unwrap().to_json()).unwrap();
            b64::decode(jwk["k"].as_str().unwrap()).unwrap()
        };
        let (one, other) = (draw(), draw());
        assert_eq!((one.len(), other.len()), (len, len), "{alg}");
        assert_ne!(one, other, "{alg}");
    }
}

/// A key with a line break behind it is no secret; a secret that only begins like one is.
#[test]
fn a_secret_may_begin_like_a_key() {
    let spki = der(str::from_utf8(file!("ed25519.spki.pem")).unwrap());
    let secret = |end: &[u8]| SigningKey::hmac(Algorithm::HS256, "k", &[&spki, end].concat()).map(drop);
    for end in [&b""[..], b"\n", b"\r\n \t"] {
        assert_eq!(secret(end), Err(Error::Key(KeyError::SecretIsKey)), "{end:?}");
    }
    assert_eq!(secret(b"x"), Ok(()));
    assert_eq!(secret(b"x\n"), Ok(()));
}
