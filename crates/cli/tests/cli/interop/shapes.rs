//! Shapes of messages beyond one signature or recipient with everything in the text.

use serde_json::{Value, json};

use super::{
    bench::{Bench, PAYLOAD},
    keys::{Key, Text},
    peer::{JOSE, JOSERFC, JWCRYPTO, Peer},
    text::{SIGNED, altered, detached},
};

const PEERS: [fn() -> &'static Peer; 3] = [|| &JOSERFC, || &JWCRYPTO, || &JOSE];

/// A bench for each peer, with a key of each side.
fn benches(alg: &str, crv: &str) -> impl Iterator<Item = (Bench, Key, Key)> {
    PEERS
        .map(|peer| {
            let mut bench = Bench::new(peer());
            let theirs = bench.theirs("EC", Some(crv), alg, 0).unwrap();
            let ours = bench.ours("EC", &["--alg", alg]);
            (bench, theirs, ours)
        })
        .into_iter()
}

#[test]
fn the_payload_travels_apart() {
    for (bench, theirs, ours) in benches("ES256", "P-256") {
        let message = bench.peer.sign("compact", PAYLOAD, &[("ES256", theirs.private.for_peer(Text::Jwk, "ES256"))]);
        let read = |command: &[&str]| {
            let verify = [&["jwt", "verify", "--raw"][..], command].concat();
            bench.read(&verify, (&theirs.public, Text::Jwk, "ES256"), &detached(message.as_ref().unwrap()))
        };
        assert_eq!(read(&["--payload", "payload"]).unwrap(), PAYLOAD);
        assert!(read(&["--payload", "key.jwk"]).is_err());
        assert!(read(&[]).is_err());

        let sign = ["jwt", "sign", "--raw", "--detached", "payload"];
        let message = bench.run(&sign, (&ours.private, Text::Jwk, "ES256"), "");
        let key = || ("ES256", ours.public.for_peer(Text::Jwk, "ES256"));
        assert_eq!(bench.peer.verify("compact", &message, key(), Some(PAYLOAD)).unwrap(), PAYLOAD);
        assert!(bench.peer.verify("compact", &message, key(), Some(b"other")).is_err());
    }
}

// RFC 7797
#[test]
fn the_payload_is_signed_as_it_stands() {
    for (bench, theirs, ours) in benches("ES256", "P-256") {
        let signer = [("ES256", theirs.private.for_peer(Text::Jwk, "ES256"))];
        let header = json!({ "b64": false, "crit": ["b64"] });
        let message = bench.peer.sign_with("flattened", b"as it stands", &signer, &header).unwrap();
        let read = |command: &[&str], message: &str| {
            let verify = [&["jwt", "verify", "--raw"][..], command].concat();
            bench.read(&verify, (&theirs.public, Text::Jwk, "ES256"), message)
        };
        assert_eq!(read(&["--allow-unencoded"], &message).unwrap(), b"as it stands");
        assert!(read(&["--allow-unencoded"], &message.replace("it stands", "it stood.")).is_err());
        // TOK-06
        assert!(read(&[], &message).unwrap_err().contains("payload_unencoded"));

        let sign = ["jwt", "sign", "--raw", "--unencoded", "--format", "flattened"];
        let message = bench.run(&sign, (&ours.private, Text::Jwk, "ES256"), "as it stands");
        let key = || ("ES256", ours.public.for_peer(Text::Jwk, "ES256"));
        assert_eq!(bench.peer.verify("flattened", &message, key(), None).unwrap(), b"as it stands");
        assert!(bench.peer.verify("flattened", &message.replace("it stands", "it stood."), key(), None).is_err());
    }
}

#[test]
fn several_signatures() {
    for (bench, theirs, ours) in benches("ES256", "P-256") {
        let private = |key: &Key| ("ES256", key.private.for_peer(Text::Jwk, "ES256"));
        let message = bench.peer.sign("general", PAYLOAD, &[private(&theirs), private(&ours)]).unwrap();
        std::fs::write(bench.rig.folder.path().join("other.jwk"), json_of(&ours)).unwrap();
        let verify = ["jwt", "verify", "--raw", "--key", "other.jwk", "--all-keys"];
        let read = |message: &str| bench.read(&verify, (&theirs.public, Text::Jwk, "ES256"), message);
        assert_eq!(read(&message).unwrap(), PAYLOAD);
        assert!(read(&altered(&message, &SIGNED, 2)).is_err());

        let sign = ["jwt", "sign", "--raw", "--format", "general", "--key", "other.jwk", "payload"];
        let message = bench.run(&sign, (&theirs.private, Text::Jwk, "ES256"), "");
        for (index, key) in [&ours, &theirs].into_iter().enumerate() {
            // What a peer does about the signature of a stranger is its own affair: it sees one at a time.
            let mut one: Value = serde_json::from_str(&message).unwrap();
            one["signatures"] = json!([one["signatures"][index]]);
            let key = ("ES256", key.public.for_peer(Text::Jwk, "ES256"));
            assert_eq!(bench.peer.verify("general", &one.to_string(), key, None).unwrap(), PAYLOAD);
        }
    }
}

#[test]
fn several_recipients() {
    for (bench, theirs, ours) in benches("ECDH-ES+A128KW", "P-256") {
        const ALG: &str = "ECDH-ES+A128KW";
        let public = |key: &Key| (ALG, key.public.for_peer(Text::Jwk, ALG));
        let message =
            bench.peer.encrypt(("general", "A128GCM"), PAYLOAD, &[public(&theirs), public(&ours)], &json!({}));
        let message = message.unwrap();
        for key in [&theirs, &ours] {
            let read =
                |message: &str| bench.read(&["jwt", "decrypt", "--raw"], (&key.private, Text::Jwk, ALG), message);
            assert_eq!(read(&message).unwrap(), PAYLOAD);
            assert!(read(&altered(&message, &["ciphertext"], 0)).is_err());
        }

        std::fs::write(bench.rig.folder.path().join("other.jwk"), json_of(&ours)).unwrap();
        let encrypt = ["jwt", "encrypt", "--format", "general", "--key", "other.jwk", "payload"];
        let message = bench.run(&encrypt, (&theirs.public, Text::Jwk, ALG), "");
        for (index, key) in [&ours, &theirs].into_iter().enumerate() {
            let mut one: Value = serde_json::from_str(&message).unwrap();
            one["recipients"] = json!([one["recipients"][index]]);
            let key = (ALG, key.private.for_peer(Text::Jwk, ALG));
            assert_eq!(bench.peer.decrypt("general", &one.to_string(), key, "A256GCM").unwrap(), PAYLOAD);
        }
    }
}

#[test]
fn data_that_is_authenticated_and_not_encrypted() {
    for (bench, _, ours) in benches("ECDH-ES+A128KW", "P-256") {
        const ALG: &str = "ECDH-ES+A128KW";
        let to = [(ALG, ours.public.for_peer(Text::Jwk, ALG))];
        let more = json!({ "aad": "b3BlbiBkYXRh" });
        let message = bench.peer.encrypt(("flattened", "A256GCM"), PAYLOAD, &to, &more).unwrap();
        assert!(message.contains("aad"), "{message}");
        let read = |message: &str| bench.read(&["jwt", "decrypt", "--raw"], (&ours.private, Text::Jwk, ALG), message);
        assert_eq!(read(&message).unwrap(), PAYLOAD);
        assert!(read(&altered(&message, &["aad"], 0)).is_err());
    }
}

fn json_of(key: &Key) -> String {
    key.private.for_peer(Text::Jwk, "")["jwk"].to_string()
}
