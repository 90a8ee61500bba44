//! What others make and this program refuses by design, and the other way round (design rules 1, 5, 6 and 9).

use serde_json::json;

use super::{
    bench::{Bench, PAYLOAD},
    keys::{Key, Text},
    peer::{JOSE, JOSERFC, JWCRYPTO},
};

// TOK-13: RSA1_5 has no implementation here, however the key is named
#[test]
fn rsa_encryption_of_pkcs1() {
    let mut bench = Bench::new(&JWCRYPTO);
    let ours = bench.ours("RSA", &[]);
    let to = [("RSA1_5", ours.public.for_peer(Text::Jwk, "RSA1_5"))];
    for form in ["compact", "flattened"] {
        let message = bench.peer.encrypt((form, "A128GCM"), PAYLOAD, &to, &json!({})).unwrap();
        for alg in ["RSA-OAEP", "RSA-OAEP-256"] {
            let why = bench.read(&["jwt", "decrypt", "--raw"], (&ours.private, Text::Pem, alg), &message).unwrap_err();
            assert!(why.contains("algorithm_unknown"), "{why}");
        }
    }
}

// TOK-13; whether jose compresses depends on the version of Node.js
#[test]
fn compressed_content() {
    for peer in [&JOSERFC, &JWCRYPTO] {
        let mut bench = Bench::new(peer);
        let ours = bench.ours("oct", &["--alg", "A128KW"]);
        let to = [("A128KW", ours.public.for_peer(Text::Jwk, "A128KW"))];
        let more = json!({ "header": { "zip": "DEF" } });
        let message = bench.peer.encrypt(("compact", "A128GCM"), PAYLOAD, &to, &more).unwrap();
        let key = || (&ours.private, Text::Jwk, "A128KW");
        let why = bench.read(&["jwt", "decrypt", "--raw"], key(), &message).unwrap_err();
        assert!(why.contains("compressed"), "{why}");
        let read = bench.peer.decrypt("compact", &message, ("A128KW", ours.private.for_peer(Text::Jwk, "")), "A128GCM");
        assert_eq!(read.unwrap(), PAYLOAD);
    }
}

/// As often as OWASP asks for is more than the peers allow. `--rounds` is for writing to them.
#[test]
fn passwords_hashed_more_often_than_others_allow() {
    const ALG: &str = "PBES2-HS256+A128KW";
    for peer in [&JOSERFC, &JWCRYPTO, &JOSE] {
        let bench = Bench::new(peer);
        let key = Key::password("correct horse battery staple");
        let password = || (ALG, key.private.for_peer(Text::Jwk, ALG));
        let message = bench.run(&["jwt", "encrypt", "payload"], (&key.public, Text::Jwk, ALG), "");
        assert!(bench.peer.decrypt("compact", &message, password(), "A256GCM").is_err());
        let read = bench.read(&["jwt", "decrypt", "--raw"], (&key.private, Text::Jwk, ALG), &message);
        assert_eq!(read.unwrap(), PAYLOAD);
    }
}

// RFC 9864: the older name is read, never written
#[test]
fn the_older_name_of_ed25519() {
    for peer in [&JOSERFC, &JWCRYPTO, &JOSE] {
        let mut bench = Bench::new(peer);
        let theirs = bench.theirs("OKP", Some("Ed25519"), "EdDSA", 0).unwrap();
        let message = bench.peer.sign("compact", PAYLOAD, &[("EdDSA", theirs.private.for_peer(Text::Jwk, "EdDSA"))]);
        let key = || (&theirs.public, Text::Jwk, "Ed25519");
        assert_eq!(bench.read(&["jwt", "verify", "--raw"], key(), &message.unwrap()).unwrap(), PAYLOAD);
        let ours = bench.run(&["jwt", "sign", "--raw", "payload"], (&theirs.private, Text::Jwk, "Ed25519"), "");
        let (out, _) = bench.rig.expect(0, &["--json", "jwt", "decode"], &ours);
        assert!(out.contains("\"Ed25519\""), "{out}");
    }
}

// RFC 7515 §4.1.11: an extension that the reader does not know
#[test]
fn unknown_critical_members() {
    let mut bench = Bench::new(&JWCRYPTO);
    let theirs = bench.theirs("oct", None, "HS256", 256).unwrap();
    let signer = [("HS256", theirs.private.for_peer(Text::Jwk, "HS256"))];
    for header in [json!({ "crit": ["exp"], "exp": 1 }), json!({ "crit": [] }), json!({ "crit": ["alg"] })] {
        // A peer that refuses to write it shows as much.
        if let Ok(message) = bench.peer.sign_with("compact", PAYLOAD, &signer, &header) {
            let key = (&theirs.public, Text::Jwk, "HS256");
            bench.read(&["jwt", "verify", "--raw"], key, &message).unwrap_err();
        }
    }
}
