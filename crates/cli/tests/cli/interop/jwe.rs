//! Encryption.

use countersign_jose::jwe::{ContentAlgorithm, Curve, KeyAlgorithm};
use serde_json::json;

use super::{
    bench::{Bench, PAYLOAD},
    keys::{Key, Text},
    peer::{JOSE, JOSERFC, JWCRYPTO, Peer},
    text::{ENCRYPTED, FORMS, altered, without_empty_key},
};

const PASSWORD: &str = "correct horse battery staple";

#[test]
fn joserfc_encryption() {
    assert_eq!(both_directions(&JOSERFC), EVERY - 2);
}

#[test]
fn jwcrypto_encryption() {
    assert_eq!(both_directions(&JWCRYPTO), EVERY - 2);
}

#[test]
fn jose_encryption() {
    assert_eq!(both_directions(&JOSE), EVERY);
}

/// `dir` counts once for each way to encrypt content, an agreement once for each curve.
const EVERY: usize = 3 + 3 + 6 + 4 + 4 * 4 + 3;

/// How many algorithms both have.
fn both_directions(peer: &'static Peer) -> usize {
    let mut bench = Bench::new(peer);
    let encs: Vec<_> = ContentAlgorithm::all().collect();
    let mut shared = 0;
    let mut agreed: Vec<(Key, Key)> = Vec::new();
    for alg in KeyAlgorithm::all() {
        let name = alg.as_str();
        if alg.is_password() {
            let key = Key::password(PASSWORD);
            shared += exchange(&bench, (name, shared), &encs, (&key, &key));
        } else if alg == KeyAlgorithm::Dir {
            for enc in &encs {
                let theirs = bench.theirs("oct", None, name, enc.key_len() * 8).unwrap().for_content(enc.as_str());
                let ours = bench.ours("oct", &["--alg", name, "--enc", enc.as_str()]);
                shared += exchange(&bench, (name, shared), &[*enc], (&theirs, &ours));
            }
        } else if let Some(len) = alg.secret_len() {
            let theirs = bench.theirs("oct", None, name, len * 8).unwrap();
            let ours = bench.ours("oct", &["--alg", name]);
            shared += exchange(&bench, (name, shared), &encs, (&theirs, &ours));
        } else if name.starts_with("RSA") {
            let theirs = bench.theirs("RSA", None, name, 2048).unwrap();
            let ours = bench.ours("RSA", &[]);
            shared += exchange(&bench, (name, shared), &encs, (&theirs, &ours));
        } else {
            if agreed.is_empty() {
                agreed = Curve::all().map(|curve| curves_keys(&mut bench, curve, name)).collect();
            }
            for (theirs, ours) in &agreed {
                shared += exchange(&bench, (name, shared), &encs, (theirs, ours));
            }
        }
    }
    shared
}

/// Of both sides; through PEM, so that ours names no algorithm either.
fn curves_keys(bench: &mut Bench, curve: Curve, alg: &str) -> (Key, Key) {
    let crv = curve.as_str();
    let kty = if crv.starts_with('P') { "EC" } else { "OKP" };
    let theirs = bench.theirs(kty, Some(crv), alg, 0).unwrap();
    let pem = bench.rig.expect(0, &["jwk", "generate", "--alg", alg, "--crv", crv, "--format", "pem"], "").0;
    let ours = Key::of_program(&bench.rig, &bench.rig.expect(0, &["jwk", "convert", "--to", "jwk"], &pem).0);
    (theirs, ours)
}

/// Each way to encrypt content as a compact message, and the other forms with one of them. 1 if the peer has the algorithm.
fn exchange(
    bench: &Bench,
    (alg, turn): (&str, usize),
    encs: &[ContentAlgorithm],
    (theirs, ours): (&Key, &Key),
) -> usize {
    let first =
        bench.peer.encrypt(("compact", "A128GCM"), PAYLOAD, &[(alg, ours.public.for_peer(Text::Jwk, alg))], &json!({}));
    if encs.len() > 1 && bench.peer.possible(alg, first).is_none() {
        return 0;
    }
    let forms = FORMS[1..].iter().enumerate().map(|(index, form)| (*form, encs[(turn + index) % encs.len()]));
    for (index, (form, enc)) in encs.iter().map(|enc| ("compact", *enc)).chain(forms).enumerate() {
        let (text, at) = (if index % 2 == 0 { Text::Jwk } else { Text::Pem }, turn + index);
        theirs_to_ours(bench, (alg, enc.as_str()), (form, at), (ours, text));
        ours_to_theirs(bench, (alg, enc.as_str()), (form, at), (theirs, text));
    }
    // Each with the private key that the other drew.
    let enc = encs[turn % encs.len()].as_str();
    theirs_to_ours(bench, (alg, enc), ("compact", turn), (theirs, Text::Pem));
    ours_to_theirs(bench, (alg, enc), ("compact", turn), (ours, Text::Pem));
    1
}

fn theirs_to_ours(bench: &Bench, (alg, enc): (&str, &str), (form, at): (&str, usize), (key, text): (&Key, Text)) {
    let to = [(alg, key.public.for_peer(text, alg))];
    let message = bench.peer.encrypt((form, enc), PAYLOAD, &to, &json!({})).unwrap();
    let read = |message: &str| bench.read(&["jwt", "decrypt", "--raw"], (&key.private, text, alg), message);
    // RFC 7516 §7.2.1: absent where there is none. joserfc writes it empty; strict readers, this one and jose, refuse that.
    let message = match without_empty_key(&message) {
        Some(mended) => {
            assert!(read(&message).unwrap_err().contains("serialization_member"), "{message}");
            mended
        }
        None => message,
    };
    assert_eq!(read(&message).unwrap(), PAYLOAD, "{alg} {enc} {form}");
    let changed = altered(&message, &ENCRYPTED, at);
    assert!(read(&changed).is_err(), "{alg} {enc} {changed}");
}

fn ours_to_theirs(bench: &Bench, (alg, enc): (&str, &str), (form, at): (&str, usize), (key, text): (&Key, Text)) {
    let mut encrypt = vec!["jwt", "encrypt", "--format", form, "--enc", enc, "payload"];
    if alg.starts_with("PBES2") {
        // The peers allow fewer rounds than this program takes by itself (`refused.rs`).
        encrypt.extend(["--rounds", "2000"]);
    }
    let message = bench.run(&encrypt, (&key.public, text, alg), "");
    let read = |message: &str| bench.peer.decrypt(form, message, (alg, key.private.for_peer(text, alg)), enc);
    assert_eq!(read(&message).unwrap(), PAYLOAD, "{alg} {enc} {form}");
    let changed = altered(&message, &ENCRYPTED, at + 1);
    assert!(read(&changed).is_err(), "{alg} {enc} {changed}");
}
