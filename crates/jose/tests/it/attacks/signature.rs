//! The signature.

use super::*;

/// The order of the group of each curve (SEC 2 §2).
const ORDERS: [(Algorithm, &str); 4] = [
    (Algorithm::ES256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    (
        Algorithm::ES384,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    (
        Algorithm::ES512,
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
    (Algorithm::ES256K, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
];

// CVE-2022-21449 ("psychic signatures"), CVE-2022-24884; RFC 8725 §3.4
#[test]
fn ecdsa_signature_of_zeros() {
    assert_eq!(ORDERS.len(), Algorithm::all().filter(|alg| alg.kty() == "EC").count());
    for (alg, order) in ORDERS {
        let forger = Forger::new(alg);
        let order = hex(order);
        let mut above = order.clone();
        *above.last_mut().unwrap() += 1;
        let zero = vec![0; order.len()];
        let mut one = zero.clone();
        *one.last_mut().unwrap() = 1;
        let most = vec![0xff; order.len()];
        let good = signature_of(&forger.token());
        let (r, s) = good.split_at(order.len());
        for (r, s) in [
            (&zero[..], &zero[..]),
            (&zero, s),
            (r, &zero),
            (&zero, &one),
            (&one, &zero),
            (&one, &one),
            (&order, &order),
            (r, &order),
            (&order, s),
            (&above, s),
            (r, &above),
            (&most, &most),
        ] {
            let token = with_signature(&forger.token(), &[r, s].concat());
            assert_eq!(forger.verify(&token), Err(Error::Signature), "{alg}");
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

// RFC 7518 §3.4: R ‖ S of 64 bytes, nothing else; CVE-2024-42461
#[test]
fn ecdsa_signature_in_der_or_of_another_length() {
    let forger = Forger::new(ES256);
    let good = signature_of(&forger.token());
    let (r, s) = good.split_at(32);
    let integer = |bytes: &[u8]| [&[2, 33, 0][..], bytes].concat();
    let der = [&[0x30, 70][..], &integer(r), &integer(s)].concat();
    let longer = [&[0][..], r, &[0], s].concat();
    for signature in [der, longer, good[..63].to_vec(), [&good[..], &[0]].concat(), good[..32].to_vec(), Vec::new()] {
        let token = with_signature(&forger.token(), &signature);
        assert_eq!(forger.verify(&token), Err(Error::Signature), "{} bytes", signature.len());
    }
}

// CVE-2024-48949; RFC 8032 §5.1.7, §8.4: S is below the order, so that nobody makes a second signature out of one
#[test]
fn ed25519_signature_with_a_shifted_s() {
    let forger = Forger::new(Algorithm::Ed25519);
    let token = forger.token();
    let mut signature = signature_of(&token);
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (digit, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*digit) + u16::from(add) + carry;
        *digit = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(forger.verify(&with_signature(&token, &signature)), Err(Error::Signature));
    assert_eq!(forger.verify(&with_signature(&token, &[0; 64])), Err(Error::Signature));
}

// FIPS 204 §5.3, §D.3: one length, and hints in their one order
#[test]
fn ml_dsa_signature_of_another_length_or_with_other_hints() {
    for alg in Algorithm::all().filter(|alg| alg.kty() == "AKP") {
        let forger = Forger::new(alg);
        let token = forger.token();
        let good = signature_of(&token);
        let mut hints = good.clone();
        *hints.last_mut().unwrap() = 0xff;
        for signature in [
            hints,
            good[..good.len() - 1].to_vec(),
            [&good[..], &[0]].concat(),
            vec![0; good.len()],
            vec![0xff; good.len()],
            Vec::new(),
        ] {
            assert_eq!(forger.verify(&with_signature(&token, &signature)), Err(Error::Signature), "{alg}");
        }
    }
}

// RFC 8017 §8.1.2, §8.2.2: exactly as long as the modulus, and below it
#[test]
fn rsa_signature_padded_shortened_or_above_the_modulus() {
    for alg in Algorithm::all().filter(|alg| alg.kty() == "RSA") {
        let forger = Forger::new(alg);
        let token = forger.token();
        let good = signature_of(&token);
        for signature in [
            [&[0][..], &good].concat(),
            good[1..].to_vec(),
            vec![0; 256],
            vec![0xff; 256],
            [&[0; 255][..], &[1]].concat(),
            Vec::new(),
        ] {
            assert_eq!(forger.verify(&with_signature(&token, &signature)), Err(Error::Signature), "{alg}");
        }
    }
}

// CVE-2009-0217: a truncated MAC
#[test]
fn hmac_tag_cut_short() {
    for alg in Algorithm::all().filter(|alg| alg.is_symmetric()) {
        let forger = Forger::new(alg);
        let token = forger.token();
        let tag = signature_of(&token);
        for len in [0, 1, 10, 16, 31, tag.len() / 2, tag.len() - 1] {
            assert_eq!(forger.verify(&with_signature(&token, &tag[..len])), Err(Error::Signature));
        }
        assert_eq!(forger.verify(&with_signature(&token, &[&tag[..], &[0]].concat())), Err(Error::Signature));
    }
}

// RFC 8725 §3.2: parts of two good tokens
#[test]
fn parts_of_two_tokens_put_together() {
    for alg in Algorithm::all() {
        let forger = Forger::new(alg);
        let (one, two) = (forger.token(), forger.sign(forger.header(), payload_with("sub", r#""admin""#)));
        let (one, two): (Vec<_>, Vec<_>) = (one.split('.').collect(), two.split('.').collect());
        let spliced = [one[0], two[1], one[2]].join(".");
        assert_eq!(forger.verify(&spliced), Err(Error::Signature), "{alg}");
    }
}

// CVE-2020-28042: no signature under a name that asks for one
#[test]
fn signature_stripped() {
    for alg in Algorithm::all() {
        let forger = Forger::new(alg);
        let token = forger.token();
        let input = token.rsplit_once('.').unwrap().0;
        assert_eq!(forger.verify(&format!("{input}.")), Err(Error::Signature));
        assert_eq!(forger.verify(input), Err(Error::Segments { got: 2 }));
    }
}
