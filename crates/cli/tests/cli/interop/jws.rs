//! Signatures.

use countersign_jose::Algorithm;

use super::{
    bench::{Bench, PAYLOAD},
    keys::{Half, Key, Text},
    peer::{JOSE, JOSERFC, JWCRYPTO, Peer},
    text::{FORMS, SIGNED, altered},
};

#[test]
fn joserfc_signatures() {
    assert_eq!(both_directions(&JOSERFC), 14);
}

#[test]
fn jwcrypto_signatures() {
    assert_eq!(both_directions(&JWCRYPTO), 17);
}

#[test]
fn jose_signatures() {
    assert!(both_directions(&JOSE) >= 13);
}

/// How many algorithms both have.
fn both_directions(peer: &'static Peer) -> usize {
    let mut bench = Bench::new(peer);
    let mut shared = 0;
    for alg in Algorithm::all() {
        let (kty, name) = (alg.kty(), alg.as_str());
        let bits = if kty == "RSA" { 2048 } else { name.trim_start_matches("HS").parse().unwrap_or(0) };
        let Some(theirs) = bench.theirs(kty, alg.crv(), name, bits) else { continue };
        let ours = bench.ours(kty, &["--alg", name]);
        shared += 1;
        for (index, form) in FORMS.into_iter().enumerate() {
            let text = if form == "flattened" { Text::Pem } else { Text::Jwk };
            // Each side uses its own key and, once, the private key of the other.
            let (their_signer, our_signer) = if form == "general" { (&ours, &theirs) } else { (&theirs, &ours) };
            theirs_to_ours(&bench, name, (form, index), (their_signer, text));
            ours_to_theirs(&bench, name, (form, index), (our_signer, text));
        }
        same_thumbprint(&bench, &theirs);
    }
    shared
}

fn theirs_to_ours(bench: &Bench, alg: &str, (form, index): (&str, usize), (key, text): (&Key, Text)) {
    let message = bench.peer.sign(form, PAYLOAD, &[(alg, key.private.for_peer(text, alg))]).unwrap();
    let read = |message: &str| read(bench, (&key.public, text, alg), message);
    assert_eq!(read(&message).unwrap(), PAYLOAD, "{alg} {form}");
    let changed = altered(&message, &SIGNED, index);
    assert!(read(&changed).is_err(), "{alg} {changed}");
}

fn ours_to_theirs(bench: &Bench, alg: &str, (form, index): (&str, usize), (key, text): (&Key, Text)) {
    let sign = ["jwt", "sign", "--raw", "--format", form, "payload"];
    let message = bench.run(&sign, (&key.private, text, alg), "");
    let read = |message: &str| bench.peer.verify(form, message, (alg, key.public.for_peer(text, alg)), None);
    assert_eq!(read(&message).unwrap(), PAYLOAD, "{alg} {form}");
    let changed = altered(&message, &SIGNED, index + 1);
    assert!(read(&changed).is_err(), "{alg} {changed}");
}

fn read(bench: &Bench, key: (&Half, Text, &str), message: &str) -> Result<Vec<u8>, String> {
    bench.read(&["jwt", "verify", "--raw"], key, message)
}

/// RFC 7638
fn same_thumbprint(bench: &Bench, theirs: &Key) {
    if let Some(expected) = &theirs.thumbprint {
        let jwk = theirs.public.for_peer(Text::Jwk, "")["jwk"].to_string();
        assert_eq!(bench.rig.expect(0, &["jwk", "thumbprint"], &jwk).0.trim(), expected);
    }
}
