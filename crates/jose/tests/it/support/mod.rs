//! Keys, claims and tokens that are wrong on purpose.

pub mod encrypted;
pub mod vectors;

use countersign_jose::{
    AccessClaims, Algorithm, Error, SigningKey, Verified, Verifier, VerifyingKey, b64, profile::AccessToken,
};

pub const NOW: i64 = 1_790_000_000;
pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "orders";
pub const SECRET: &[u8; 32] = b"\x8f\x10 a secret of exactly 32 bytes!";
pub const LONG_SECRET: &[u8; 64] = b"\x8f\x10 a secret of exactly 32 bytes! and another 32 bytes after them";

/// A key and what verifies it, both named `k1`. RSA uses the published example: drawing one takes seconds.
pub fn pair(alg: Algorithm) -> (SigningKey, VerifyingKey) {
    match alg.kty() {
        "oct" => {
            let secret = &LONG_SECRET[..alg.signature_len().unwrap()];
            (SigningKey::hmac(alg, "k1", secret).unwrap(), VerifyingKey::hmac(alg, "k1", secret).unwrap())
        }
        "RSA" => public_pair(SigningKey::from_jwk(alg, with_kid(vectors::RSA_JWK).as_bytes()).unwrap()),
        _ => public_pair(SigningKey::generate(alg, "k1").unwrap()),
    }
}

fn public_pair(key: SigningKey) -> (SigningKey, VerifyingKey) {
    let public = key.verifying_key().unwrap();
    (key, public)
}

fn with_kid(jwk: &str) -> String {
    format!("{{\"kid\":\"k1\",{}", &jwk[1..])
}

pub fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.into(),
        sub: "user-1".into(),
        aud: AUDIENCE.into(),
        client_id: "web".into(),
        jti: "token-1".into(),
        iat: NOW,
        exp: NOW + 600,
        roles: vec!["buyer".into()],
        ..AccessClaims::default()
    }
}

pub fn verifier(key: VerifyingKey) -> Verifier<AccessToken> {
    Verifier::<AccessToken>::builder().issuer(ISSUER).audience(AUDIENCE).key(key).build()
}

/// An issuer that signs whatever it is told to, and its verifier.
pub struct Forger {
    pub key: SigningKey,
    pub public: VerifyingKey,
    pub verifier: Verifier<AccessToken>,
}

pub type Outcome = Result<Verified<AccessClaims>, Error>;

impl Forger {
    pub fn new(alg: Algorithm) -> Self {
        let (key, public) = pair(alg);
        Self { key, verifier: verifier(public.clone()), public }
    }

    pub fn header(&self) -> String {
        format!(r#"{{"alg":"{}","kid":"k1","typ":"at+jwt"}}"#, self.key.alg())
    }

    /// A header with further members, given as JSON.
    pub fn header_and(&self, members: &str) -> String {
        format!(r#"{{"alg":"{}","kid":"k1","typ":"at+jwt",{members}}}"#, self.key.alg())
    }

    pub fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        forge(&self.key, header.as_ref(), payload.as_ref())
    }

    pub fn verify(&self, token: &str) -> Outcome {
        self.verifier.verify(token, NOW)
    }

    /// The outcome for a correctly signed token with this header.
    pub fn with_header(&self, header: impl AsRef<[u8]>) -> Outcome {
        self.verify(&self.sign(header, payload()))
    }

    /// The outcome for a correctly signed token with this payload.
    pub fn with_payload(&self, payload: impl AsRef<[u8]>) -> Outcome {
        self.verify(&self.sign(self.header(), payload))
    }

    /// The outcome for a correctly signed token whose claim `name` is this JSON.
    pub fn with_claim(&self, name: &str, json: &str) -> Outcome {
        self.with_payload(payload_with(name, json))
    }

    pub fn token(&self) -> String {
        self.sign(self.header(), payload())
    }
}

pub fn forge(key: &SigningKey, header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", b64::encode(header), b64::encode(payload));
    let signature = key.sign_raw(input.as_bytes()).unwrap();
    format!("{input}.{}", b64::encode(signature))
}

const MEMBERS: [(&str, &str); 8] = [
    ("iss", r#""https://id.example""#),
    ("sub", r#""user-1""#),
    ("aud", r#""orders""#),
    ("client_id", r#""web""#),
    ("jti", r#""token-1""#),
    ("iat", "1790000000"),
    ("exp", "1790000600"),
    ("roles", r#"["buyer"]"#),
];

/// The JSON of [`claims`].
pub fn payload() -> String {
    payload_with("", "")
}

/// The same with one claim replaced or added.
pub fn payload_with(name: &str, json: &str) -> String {
    let replaced = MEMBERS.iter().map(|(each, value)| (*each, if *each == name { json } else { value }));
    let added = (!name.is_empty() && MEMBERS.iter().all(|(each, _)| *each != name)).then_some((name, json));
    join(replaced.chain(added))
}

/// The same without one claim.
pub fn payload_without(name: &str) -> String {
    join(MEMBERS.iter().copied().filter(|(each, _)| *each != name))
}

fn join<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> String {
    let members: Vec<_> = members.map(|(name, json)| format!("\"{name}\":{json}")).collect();
    format!("{{{}}}", members.join(","))
}

/// The key of RFC 9964 §A, whose seed is 32 zero bytes, from PKCS#8 (RFC 9881 §6).
pub fn ml_dsa_of_zeros(alg: Algorithm) -> countersign_jose::PrivateJwk {
    let number = Algorithm::all().filter(|other| other.kty() == "AKP").position(|other| other == alg).unwrap();
    let oid = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17 + u8::try_from(number).unwrap()];
    let head = [&[0x30, 0x34, 2, 1, 0, 0x30, 0x0b, 6, 9][..], &oid, &[4, 0x22, 0x80, 0x20]].concat();
    countersign_jose::PrivateJwk::from_der(&[head, vec![0; 32]].concat()).unwrap()
}
