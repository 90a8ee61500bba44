use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::{
    answer::{Assertion, Attestation, Credential},
    challenge::{Binding, Purpose, draw},
    options::{Descriptor, Owner},
    *,
};
use crate::{
    domain::{refresh_token::MacKeys, time::Timestamp},
    support::soft::{self, Key, Soft},
};

// MFA-04
#[test]
fn passkeys_are_made_for_hosts_that_have_a_name() {
    let id = |issuer| RelyingParty::of(issuer).map(|site| site.id().to_owned());
    assert_eq!(id("https://id.example.com"), Some("id.example.com".to_owned()));
    assert_eq!(id("https://id.example.com:8443"), Some("id.example.com".to_owned()));
    assert_eq!(id("http://localhost:8080"), Some("localhost".to_owned()));
    for address in ["http://127.0.0.1:8080", "http://127.0.0.1", "http://[::1]:8080", "http://[::1]", "", "https://"] {
        assert_eq!(id(address), None, "{address}");
    }
}

// MFA-04: opaque, and the same for ever.
#[test]
fn a_handle_is_not_the_users_id() {
    let user = UserId::new([7; 16]);
    let handle = UserHandle::of(&user);
    assert_eq!(handle, UserHandle::of(&user));
    assert_ne!(handle, UserHandle::of(&UserId::new([8; 16])));
    let text = b64::encode(handle.as_bytes());
    assert!(!text.contains(user.as_str()) && text != b64::encode(user.as_str().as_bytes()));
}

#[test]
fn names_of_credentials_are_bounded() {
    assert_eq!(CredentialId::new(&[]), None);
    assert_eq!(CredentialId::new(&[1; 1024]), None);
    let id = CredentialId::new(&[1; 1023]).unwrap();
    assert_eq!(CredentialId::parse(&id.to_string()), Some(id));
    assert_eq!(CredentialId::parse("A=="), None);
    for backup in Backup::ALL {
        assert_eq!(Backup::parse(backup.as_str()), Some(backup));
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const ORIGIN: &str = "https://id.example";

/// An issuer of these tests, and what it asks.
struct Issuer {
    site: RelyingParty,
    keys: MacKeys,
    binding: Binding,
}

impl Issuer {
    fn new() -> Self {
        Self {
            site: RelyingParty::of(ORIGIN).unwrap(),
            keys: MacKeys::new(1, [(1, &[1; 32][..])]).unwrap(),
            binding: Binding::new(Purpose::SignIn, &[b"browser"]),
        }
    }

    fn challenge(&self) -> String {
        draw(&self.keys, &self.binding, [7; 16], NOW)
    }

    fn asked(&self) -> Asked<'_> {
        Asked { site: &self.site, keys: &self.keys, binding: &self.binding, now: NOW }
    }

    fn create(&self) -> Value {
        let owner = Owner { handle: handle(), name: "ada@example.com", passkeys: &[] };
        options::create(&self.site, owner, &self.challenge())
    }

    fn get(&self) -> Value {
        options::get(&self.site, &[], &self.challenge(), Verification::Required)
    }

    fn register(&self, soft: &mut Soft) -> Result<Registered, Refusal> {
        registered(
            self.asked(),
            &serde_json::from_value::<Credential<Attestation>>(soft.create(&self.create())).unwrap(),
        )
    }

    fn assert(&self, soft: &Soft, known: &Known, verification: Verification) -> Result<Asserted, Refusal> {
        let answer: Credential<Assertion> = serde_json::from_value(soft.get(&self.get())).unwrap();
        self.check(&answer, known, verification)
    }

    fn check(
        &self,
        answer: &Credential<Assertion>,
        known: &Known,
        verification: Verification,
    ) -> Result<Asserted, Refusal> {
        asserted(&self.site, (answer, heard(self.asked(), answer)?), known, verification)
    }
}

fn handle() -> UserHandle {
    UserHandle::of(&UserId::new([7; 16]))
}

/// A passkey that was made, and what is known of it.
fn made(issuer: &Issuer, key: Key, mut soft: Soft) -> (Soft, Known) {
    soft.key = key;
    let registered = issuer.register(&mut soft).unwrap();
    // As the store gives it back.
    let key = PublicKey::parse(registered.key.as_jwk()).unwrap();
    (soft, Known { key, count: registered.count, backup: registered.backup, handle: handle() })
}

// MFA-04
#[test]
fn passkeys_of_every_algorithm_are_made_and_used() {
    let issuer = Issuer::new();
    for key in [Key::es256(), Key::ed25519(), Key::rs256()] {
        let (soft, known) = made(&issuer, key, Soft::new(ORIGIN, &[9; 20]));
        for _ in 0..4 {
            issuer.assert(&soft, &known, Verification::Required).unwrap();
        }
        let mut other = Soft::new(ORIGIN, &[9; 20]);
        other.says.handle = Some(handle().as_bytes().to_vec());
        assert_eq!(issuer.assert(&other, &known, Verification::Required).unwrap_err(), Refusal::Signature);
    }
}

#[test]
fn options_ask_for_what_is_checked() {
    let issuer = Issuer::new();
    let options = issuer.create();
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!((&options["rp"]["id"], &options["attestation"]), (&Value::from("id.example"), &Value::from("none")));
    assert_eq!(options["user"]["id"], b64::encode(handle().as_bytes()));
    let one = Descriptor { credential: CredentialId::new(&[9]).unwrap(), transports: "internal usb".into() };
    let get = options::get(&issuer.site, &[one], &issuer.challenge(), Verification::Welcome);
    assert_eq!(get["allowCredentials"][0]["transports"], serde_json::json!(["internal", "usb"]));
    assert_eq!((&get["userVerification"], &get["rpId"]), (&Value::from("preferred"), &Value::from("id.example")));
    // ASVS: 128 random bits at least.
    assert!(b64::decode(get["challenge"].as_str().unwrap()).unwrap().len() > 32);
}

// MFA-04: what Chromium answered to this very question.
#[test]
fn answers_of_a_real_browser_are_right() {
    let recorded: Value = serde_json::from_str(include_str!("../../../tests/vectors/passkeys.json")).unwrap();
    let issuer = Issuer::new();
    for vector in recorded["vectors"].as_array().unwrap() {
        let made = serde_json::from_value(vector["create"].clone()).unwrap();
        let made = registered(issuer.asked(), &made).unwrap();
        // This one counts, but is on several devices, each of which does so by itself.
        assert_eq!((made.backup, made.count, made.transports.as_str()), (Backup::Done, 0, "internal"));
        let known = Known { key: made.key, count: made.count, backup: made.backup, handle: handle() };
        let used: Credential<Assertion> = serde_json::from_value(vector["get"].clone()).unwrap();
        assert_eq!(issuer.check(&used, &known, Verification::Required).unwrap().count, 0);
    }
}

/// One lie, and what it is answered with.
type Lie = (fn(&mut Soft), Refusal);

// MFA-04
#[test]
fn a_new_passkey_must_be_what_was_asked_for() {
    let lies: [Lie; 13] = [
        (|soft| soft.says.origin = "https://id.example:8443".into(), Refusal::Origin),
        (|soft| soft.says.origin = "http://id.example".into(), Refusal::Origin),
        (|soft| soft.says.origin = "https://evil.example".into(), Refusal::Origin),
        (|soft| soft.says.site = "example".into(), Refusal::Site),
        (|soft| soft.says.kind = Some("webauthn.get"), Refusal::Kind),
        (|soft| soft.says.challenge = Some("AAAA".into()), Refusal::Challenge),
        (|soft| soft.says.more = serde_json::json!({ "crossOrigin": true }), Refusal::CrossOrigin),
        (|soft| soft.says.more = serde_json::json!({ "topOrigin": "https://a.example" }), Refusal::CrossOrigin),
        (|soft| soft.says.flags &= !soft::PRESENT, Refusal::Absent),
        (|soft| soft.says.flags &= !soft::VERIFIED, Refusal::Unverified),
        (|soft| soft.says.flags &= !soft::ELIGIBLE, Refusal::Backup),
        (|soft| soft.says.behind = vec![0], Refusal::Malformed("the authenticator data")),
        (|soft| soft.says.flags |= soft::EXTENSIONS, Refusal::Malformed("the extensions")),
    ];
    let issuer = Issuer::new();
    for (lie, refusal) in lies {
        let mut soft = Soft::new(ORIGIN, &[9; 20]);
        lie(&mut soft);
        assert_eq!(issuer.register(&mut soft).unwrap_err(), refusal);
    }
    let mut soft = Soft::new(ORIGIN, &[9; 20]);
    let mut renamed = soft.create(&issuer.create());
    renamed["id"] = "AAAA".into();
    let renamed = serde_json::from_value(renamed).unwrap();
    assert_eq!(registered(issuer.asked(), &renamed).unwrap_err(), Refusal::Malformed("the passkey's name"));
}

// MFA-04
#[test]
fn a_passkey_that_is_used_must_be_its_persons_here_and_now() {
    let lies: [Lie; 13] = [
        (|soft| soft.says.origin = "https://evil.example".into(), Refusal::Origin),
        (|soft| soft.says.site = "evil.example".into(), Refusal::Site),
        (|soft| soft.says.kind = Some("webauthn.create"), Refusal::Kind),
        (|soft| soft.says.kind = Some("payment.get"), Refusal::Kind),
        (|soft| soft.says.challenge = Some(String::new()), Refusal::Challenge),
        (|soft| soft.says.more = serde_json::json!({ "crossOrigin": true }), Refusal::CrossOrigin),
        (|soft| soft.says.flags &= !soft::PRESENT, Refusal::Absent),
        (|soft| soft.says.flags &= !soft::VERIFIED, Refusal::Unverified),
        (|soft| soft.says.flags &= !(soft::ELIGIBLE | soft::BACKED_UP), Refusal::Backup),
        (|soft| soft.says.handle = None, Refusal::Handle),
        (|soft| soft.says.handle = Some(vec![1; 32]), Refusal::Handle),
        (|soft| soft.key = Key::es256(), Refusal::Signature),
        (|soft| soft.says.flags |= soft::ATTESTED, Refusal::Malformed("the new passkey")),
    ];
    let issuer = Issuer::new();
    for (lie, refusal) in lies {
        let (mut soft, known) = made(&issuer, Key::es256(), Soft::new(ORIGIN, &[9; 20]));
        lie(&mut soft);
        assert_eq!(issuer.assert(&soft, &known, Verification::Required).unwrap_err(), refusal);
    }
    // After a password, presence is enough, and nobody has to say again who they are.
    let (mut soft, known) = made(&issuer, Key::es256(), Soft::new(ORIGIN, &[9; 20]));
    soft.says.handle = None;
    soft.says.flags &= !soft::VERIFIED;
    issuer.assert(&soft, &known, Verification::Welcome).unwrap();
    soft.says.flags &= !soft::PRESENT;
    assert_eq!(issuer.assert(&soft, &known, Verification::Welcome).unwrap_err(), Refusal::Absent);
}

// MFA-04
#[test]
fn a_counter_that_does_not_go_up_shows_a_copy() {
    let issuer = Issuer::new();
    let (mut soft, mut known) = made(&issuer, Key::es256(), Soft::stick(ORIGIN, &[9; 20]));
    known.count = 5;
    for (shown, right) in [(0, false), (1, false), (5, false), (6, true), (u32::MAX, true)] {
        soft.says.count = shown;
        let outcome = issuer.assert(&soft, &known, Verification::Required);
        let expected = if right { Ok(shown) } else { Err(Refusal::Count { stored: 5, shown }) };
        assert_eq!(outcome.map(|asserted| asserted.count), expected, "{shown}");
    }
}

// MFA-04: what its maker says of an authenticator is not asked for, and not looked at.
#[test]
fn statements_and_extensions_are_passed_over() {
    let issuer = Issuer::new();
    let mut soft = Soft::new(ORIGIN, &[9; 20]);
    soft.says.format = "packed";
    soft.says.statement = soft::map(&[(soft::text("alg"), soft::int(-7)), (soft::text("sig"), soft::bytes(&[1; 70]))]);
    soft.says.flags |= soft::EXTENSIONS;
    soft.says.behind = soft::map(&[(soft::text("credProtect"), soft::int(2))]);
    let registered = issuer.register(&mut soft).unwrap();
    assert_eq!((registered.aaguid, registered.transports.as_str()), ([7; 16], "hybrid internal"));
    soft.says.behind = [soft.says.behind.clone(), vec![0]].concat();
    assert_eq!(issuer.register(&mut soft).unwrap_err(), Refusal::Malformed("the authenticator data"));
}

static MADE: LazyLock<(Value, Value, Known)> = LazyLock::new(|| {
    let issuer = Issuer::new();
    let (mut soft, known) = made(&issuer, Key::es256(), Soft::new(ORIGIN, &[9; 20]));
    (soft.create(&issuer.create()), soft.get(&issuer.get()), known)
});

/// The bytes of a member, one of them changed.
fn changed(answer: &Value, member: &str, at: usize, xor: u8) -> Value {
    let mut answer = answer.clone();
    let mut bytes = b64::decode(answer["response"][member].as_str().unwrap()).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= xor;
    answer["response"][member] = b64::encode(bytes).into();
    answer
}

proptest! {
    // MFA-04: nothing that an assertion consists of can be changed.
    #[test]
    fn no_byte_of_an_assertion_can_be_changed(
        member in prop::sample::select(vec!["clientDataJSON", "authenticatorData", "signature", "userHandle"]),
        at: usize, xor in 1..=u8::MAX,
    ) {
        let issuer = Issuer::new();
        let (_, assertion, known) = &*MADE;
        let answer = serde_json::from_value(changed(assertion, member, at, xor)).unwrap();
        prop_assert!(issuer.check(&answer, known, Verification::Required).is_err());
    }

    // No input makes the parsers stop: bytes cut off, changed and appended.
    #[test]
    fn attestations_of_all_kinds_are_read_to_an_end(cut: usize, at: usize, xor: u8, more: Vec<u8>) {
        let issuer = Issuer::new();
        let mut answer = changed(&MADE.0, "attestationObject", at, xor);
        let mut bytes = b64::decode(answer["response"]["attestationObject"].as_str().unwrap()).unwrap();
        bytes.truncate(cut % (bytes.len() + 1));
        bytes.extend(more);
        answer["response"]["attestationObject"] = b64::encode(bytes).into();
        let answer = serde_json::from_value(answer).unwrap();
        let _outcome = registered(issuer.asked(), &answer);
    }

    #[test]
    fn keys_of_all_kinds_are_read_to_an_end(bytes: Vec<u8>, at: usize, xor: u8) {
        let mut key = Key::es256().cose();
        let at = at % key.len();
        key[at] ^= xor;
        for text in [&bytes, &key] {
            let _outcome = cose::read(&mut cbor4ii::core::utils::SliceReader::new(text));
        }
    }
}
