//! Key agreement.

use super::*;

/// The outcome for a message whose `epk` is this JSON.
fn with_epk(key: &DecryptionKey, epk: &Value) -> Outcome {
    let header = json!({"alg": key.alg().as_str(), "enc": "A256GCM", "epk": epk}).to_string();
    Decryptor::new(key.clone()).decrypt(&seal(&header, &[5; 32], b"", None).compact())
}

fn point(crv: &str, x: &[u8], y: &[u8]) -> Value {
    json!({"kty": "EC", "crv": crv, "x": b64::encode(x), "y": b64::encode(y)})
}

// GHSA-rvj9-8cvx-3vq9; RFC 8725 §3.4; TOK-12: a point of another curve betrays the private key bit by bit
#[test]
fn invalid_curve() {
    for (curve, len) in [(Curve::P256, 32), (Curve::P384, 48), (Curve::P521, 66)] {
        let key = DecryptionKey::generate_on(curve, KeyAlgorithm::EcdhEs, "k").unwrap();
        let mut epk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
        assert_eq!(with_epk(&key, &epk), Err(Error::Decrypt)); // its own point is one of the curve
        for coordinate in ["x", "y"] {
            let mut bytes = b64::decode(epk[coordinate].as_str().unwrap()).unwrap();
            bytes[len - 1] ^= 1;
            let right = std::mem::replace(&mut epk[coordinate], b64::encode(bytes).into());
            assert_eq!(with_epk(&key, &epk), malformed("epk"));
            epk[coordinate] = right;
        }
        // The point of a published attack: (0, 2), of small order on a curve with another constant.
        let mut two = vec![0; len];
        two[len - 1] = 2;
        assert_eq!(with_epk(&key, &point(curve.as_str(), &vec![0; len], &two)), malformed("epk"));
    }
}

// RFC 8725 §3.4
#[test]
fn identity_and_coordinates_out_of_range() {
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
    for (x, y) in [(vec![0; 32], vec![0; 32]), (vec![0xff; 32], vec![0xff; 32]), (vec![], vec![])] {
        assert_eq!(with_epk(&key, &point("P-256", &x, &y)), malformed("epk"));
    }
    let epk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
    let [x, y] = ["x", "y"].map(|name| b64::decode(epk[name].as_str().unwrap()).unwrap());
    for padded in [[&[0], x.as_slice()].concat(), x[1..].to_vec(), [x.as_slice(), &[0]].concat()] {
        assert_eq!(with_epk(&key, &point("P-256", &padded, &y)), malformed("epk"));
    }
}

// RFC 7518 §4.6.1.1: the curve of `epk` is that of the key
#[test]
fn point_of_another_curve() {
    for curve in Curve::all() {
        let key = DecryptionKey::generate_on(curve, KeyAlgorithm::EcdhEs, "k").unwrap();
        for other in Curve::all().filter(|other| *other != curve) {
            let theirs = DecryptionKey::generate_on(other, KeyAlgorithm::EcdhEs, "k").unwrap();
            let epk = serde_json::to_value(theirs.public_jwk().unwrap()).unwrap();
            assert_eq!(with_epk(&key, &epk), malformed("epk"));
            // … and under the name of the key's.
            let mut renamed = epk;
            renamed["crv"] = curve.as_str().into();
            assert_eq!(with_epk(&key, &renamed), malformed("epk"));
        }
    }
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
    let signing = SigningKey::generate(Algorithm::Ed25519, "k").unwrap().public_jwk().unwrap();
    assert_eq!(with_epk(&key, &serde_json::to_value(signing).unwrap()), malformed("epk"));
}

// RFC 7748 §6.1; RFC 8037 §5; TOK-12: with such a point everybody knows what is agreed on
#[test]
fn points_of_small_order() {
    let key = DecryptionKey::generate_on(Curve::X25519, KeyAlgorithm::EcdhEs, "k").unwrap();
    let mut points = vec![[0; 32], [0; 32], [0xff; 32], [0xff; 32], [0xff; 32]];
    points[1][0] = 1;
    for (point, low) in points[2..].iter_mut().zip([0xec, 0xed, 0xee]) {
        (point[0], point[31]) = (low, 0x7f); // p − 1, p, p + 1
    }
    points.push(*b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00");
    points.push(*b"\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57");
    for point in points {
        let epk = json!({"kty": "OKP", "crv": "X25519", "x": b64::encode(point)});
        assert_eq!(with_epk(&key, &epk), malformed("epk"));
        assert!(Jwk::parse(epk.to_string().as_bytes()).is_err()); // nor is such a recipient encrypted to
    }
}

#[test]
fn point_absent_or_malformed() {
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "k").unwrap();
    let header = r#"{"alg":"ECDH-ES+A256KW","enc":"A256GCM"}"#;
    let without = Decryptor::new(key.clone()).decrypt(&seal(header, &[5; 32], b"", None).compact());
    assert_eq!(without, Err(Error::HeaderMissing { member: "epk" }));
    for epk in
        [json!(null), json!([]), json!("P-256"), json!({}), json!({"kty": "EC"}), json!({"kty": "oct", "k": "AA"})]
    {
        assert_eq!(with_epk(&key, &epk), malformed("epk"));
    }
    // Whoever shows a private key has lost it.
    let private: Value = serde_json::from_str(&key.private_jwk().unwrap().to_json()).unwrap();
    assert_eq!(with_epk(&key, &private), malformed("epk"));
}

// What is hashed for nobody in particular is bounded
#[test]
fn parties_too_long_or_malformed() {
    let key = DecryptionKey::generate(KeyAlgorithm::EcdhEs, "k").unwrap();
    let epk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
    for member in ["apu", "apv"] {
        for value in
            [json!(b64::encode(vec![1; MAX_PARTY_BYTES + 1])), json!("A"), json!("AA=="), json!(1), json!(["QQ"])]
        {
            let mut header = json!({"alg": "ECDH-ES", "enc": "A256GCM", "epk": epk});
            header[member] = value;
            let text = seal(&header.to_string(), &[5; 32], b"", None).compact();
            assert_eq!(Decryptor::new(key.clone()).decrypt(&text), malformed(member));
        }
    }
    let public = key.encryption_key();
    let long = vec![1; MAX_PARTY_BYTES + 1];
    assert_eq!(Encryptor::new(&public).parties(&long, b"").encrypt(CONTENT), malformed("apu"));
}
