//! An authenticator that is a program (WebAuthn Level 3): it makes passkeys, writes CBOR by hand, and says whatever a test wants it to say.
//! It shares no code with what checks its answers.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::sync::Arc;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use countersign_jose::b64;
use serde_json::{Value, json};

pub const PRESENT: u8 = 0x01;
pub const VERIFIED: u8 = 0x04;
pub const ELIGIBLE: u8 = 0x08;
pub const BACKED_UP: u8 = 0x10;
pub const ATTESTED: u8 = 0x40;
pub const EXTENSIONS: u8 = 0x80;

/// The keys that authenticators have.
#[derive(Clone)]
pub enum Key {
    Es256(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
    Rs256(Arc<rsa::KeyPair>),
}

impl Key {
    pub fn es256() -> Self {
        Self::Es256(Arc::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()))
    }

    pub fn ed25519() -> Self {
        Self::Ed25519(Arc::new(Ed25519KeyPair::generate().unwrap()))
    }

    pub fn rs256() -> Self {
        Self::Rs256(Arc::new(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap()))
    }

    pub fn cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(key) => {
                let point = key.public_key().as_ref();
                map(&[
                    (int(1), int(2)),
                    (int(3), int(-7)),
                    (int(-1), int(1)),
                    (int(-2), bytes(&point[1..33])),
                    (int(-3), bytes(&point[33..])),
                ])
            }
            Self::Ed25519(key) => {
                let point = bytes(key.public_key().as_ref());
                map(&[(int(1), int(1)), (int(3), int(-8)), (int(-1), int(6)), (int(-2), point)])
            }
            Self::Rs256(key) => {
                // RSAPublicKey of 2048 bits: a sequence of the modulus, with a zero before it, and 65537.
                let key = key.public_key().as_ref();
                let (n, e) = (&key[9..265], &key[267..]);
                map(&[(int(1), int(3)), (int(3), int(-257)), (int(-1), bytes(n)), (int(-2), bytes(e))])
            }
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::default();
        match self {
            Self::Es256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// What browser and authenticator say; a test changes what it wants to see refused.
#[derive(Debug, Clone)]
pub struct Says {
    pub origin: String,
    pub site: String,
    pub flags: u8,
    pub count: u32,
    /// None: what was asked for.
    pub kind: Option<&'static str>,
    pub challenge: Option<String>,
    /// Members that the client data have besides.
    pub more: Value,
    /// None: none.
    pub handle: Option<Vec<u8>>,
    pub format: &'static str,
    /// CBOR.
    pub statement: Vec<u8>,
    /// CBOR, behind everything else.
    pub behind: Vec<u8>,
    pub transports: Vec<&'static str>,
}

/// One passkey.
#[derive(Clone)]
pub struct Soft {
    pub key: Key,
    pub id: Vec<u8>,
    pub says: Says,
}

impl Soft {
    /// A telephone's, which is backed up and counts nothing.
    pub fn new(origin: &str, id: &[u8]) -> Self {
        let host = origin.split("://").nth(1).unwrap().split(':').next().unwrap();
        let says = Says {
            origin: origin.to_owned(),
            site: host.to_owned(),
            flags: PRESENT | VERIFIED | ELIGIBLE | BACKED_UP,
            count: 0,
            kind: None,
            challenge: None,
            more: json!({ "crossOrigin": false }),
            handle: None,
            format: "none",
            statement: map(&[]),
            behind: Vec::new(),
            transports: vec!["internal", "hybrid"],
        };
        Self { key: Key::es256(), id: id.to_vec(), says }
    }

    /// A key on a chain: in no other place, and it counts.
    pub fn stick(origin: &str, id: &[u8]) -> Self {
        let mut stick = Self::new(origin, id);
        stick.says.flags = PRESENT | VERIFIED;
        stick.says.count = 1;
        stick.says.transports = vec!["usb", "nfc"];
        stick
    }

    /// What `navigator.credentials.create()` answers.
    pub fn create(&mut self, options: &Value) -> Value {
        let handle = b64::decode(options["user"]["id"].as_str().unwrap()).unwrap();
        self.says.handle = Some(handle);
        let client_data = self.client_data("webauthn.create", options);
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let made = [&[7; 16][..], &length, &self.id, &self.key.cose()].concat();
        let data = self.data(self.says.flags | ATTESTED, &made);
        let object = map(&[
            (text("fmt"), text(self.says.format)),
            (text("attStmt"), self.says.statement.clone()),
            (text("authData"), bytes(&data)),
        ]);
        json!({
            "id": b64::encode(&self.id), "rawId": b64::encode(&self.id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64::encode(client_data), "attestationObject": b64::encode(object),
                "transports": self.says.transports,
            },
        })
    }

    /// What `navigator.credentials.get()` answers.
    pub fn get(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(self.says.flags, &[]);
        let signature = self.key.sign(&[&data[..], &sha256(&client_data)].concat());
        json!({
            "id": b64::encode(&self.id), "rawId": b64::encode(&self.id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64::encode(client_data), "authenticatorData": b64::encode(data),
                "signature": b64::encode(signature), "userHandle": self.says.handle.as_ref().map(b64::encode),
            },
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let asked = options["challenge"].as_str().unwrap();
        let mut said = json!({
            "type": self.says.kind.unwrap_or(kind),
            "challenge": self.says.challenge.as_deref().unwrap_or(asked),
            "origin": self.says.origin,
        });
        said.as_object_mut().unwrap().extend(self.says.more.as_object().unwrap().clone());
        said.to_string().into_bytes()
    }

    fn data(&self, flags: u8, made: &[u8]) -> Vec<u8> {
        let site = sha256(self.says.site.as_bytes());
        [&site[..], &[flags], &self.says.count.to_be_bytes(), made, &self.says.behind].concat()
    }
}

pub fn int(value: i64) -> Vec<u8> {
    if value < 0 { head(1, u64::try_from(-1 - value).unwrap()) } else { head(0, u64::try_from(value).unwrap()) }
}

pub fn bytes(value: &[u8]) -> Vec<u8> {
    [&head(2, value.len() as u64)[..], value].concat()
}

pub fn text(value: &str) -> Vec<u8> {
    [&head(3, value.len() as u64)[..], value.as_bytes()].concat()
}

pub fn map(members: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let members_of = members.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
    std::iter::once(head(5, members.len() as u64)).chain(members_of).collect::<Vec<_>>().concat()
}

fn head(major: u8, value: u64) -> Vec<u8> {
    let begin = major << 5;
    match value {
        0..24 => vec![begin | u8::try_from(value).unwrap()],
        24..0x100 => vec![begin | 24, u8::try_from(value).unwrap()],
        0x100..0x1_0000 => [&[begin | 25][..], &u16::try_from(value).unwrap().to_be_bytes()].concat(),
        _ => [&[begin | 26][..], &u32::try_from(value).unwrap().to_be_bytes()].concat(),
    }
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}
