//! From claims to a token.

use crate::{
    Algorithm, Error, KeyError, SigningKey, b64, claims::Claims, header::is_usable_kid, json::Writer, limits::RSA_BITS,
    profile::Profile,
};

/// Signs claims as a token of the kind `P`, with the header `{"alg":…,"kid":…,"typ":…}`.
///
/// # Errors
/// [`Error::ClaimReserved`], [`Error::ClaimMalformed`], [`Error::TooLong`] and what the kind's own rules refuse: a token that no
/// verifier would accept is not made. [`Error::Sign`] if the primitive fails.
///
/// ```
/// use countersign_jose::{Algorithm, GenericClaims, SigningKey, Verifier, profile::Generic, sign};
///
/// let key = SigningKey::generate(Algorithm::ES256, "2026-1")?;
/// let claims = GenericClaims { iss: Some("shop".into()), aud: Some("warehouse".into()), exp: Some(2_000_000_000), ..Default::default() }
///     .with(&serde_json::json!({"order": 7}))?;
/// let token = sign::<Generic>(&key, &claims)?;
///
/// let verifier = Verifier::<Generic>::builder().issuer("shop").audience("warehouse").key(key.verifying_key().unwrap()).build();
/// let verified = verifier.verify(&token, 1_999_999_999)?;
/// assert_eq!(verified.extra["order"], 7);
/// # Ok::<(), countersign_jose::Error>(())
/// ```
pub fn sign<P: Profile>(key: &SigningKey, claims: &P::Claims) -> Result<String, Error> {
    let header = key.header(P::TYP);
    let input = SigningInput::with_header::<P>(key.alg(), &header, claims, key.signature_len())?;
    let signature = key.signature_of(input.as_bytes())?;
    input.finish(signature.as_ref())
}

/// The header `{"alg":…,"kid":…,"typ":…}`, in base64url.
pub(crate) fn header_text(alg: Algorithm, kid: &str, typ: &str) -> String {
    let mut header = Writer::with_capacity(64 + kid.len());
    header.text_member("alg", alg.as_str());
    header.text_member("kid", kid);
    header.text_member("typ", typ);
    b64::encode(header.finish())
}

/// What is to be signed by a key that lies elsewhere, in a vault or an HSM.
///
/// ```
/// use countersign_jose::{AccessClaims, Algorithm, SigningInput, SigningKey, profile::AccessToken};
/// # let remote = SigningKey::generate(Algorithm::ES256, "hsm-1")?;
/// # let claims = AccessClaims { iss: "https://id.example".into(), sub: "u1".into(), aud: "orders".into(), client_id: "c1".into(),
/// #     jti: "j1".into(), iat: 1, exp: 2, ..Default::default() };
/// let input = SigningInput::new::<AccessToken>(Algorithm::ES256, "hsm-1", &claims)?;
/// let signature = remote.sign_raw(input.as_bytes())?; // the bytes go out, the signature comes back: R ‖ S for ES256
/// let token = input.finish(&signature)?;
/// # Ok::<(), countersign_jose::Error>(())
/// ```
#[derive(Debug)]
pub struct SigningInput {
    alg: Algorithm,
    text: String,
}

impl SigningInput {
    /// Prepares the text to sign.
    ///
    /// # Errors
    /// As [`sign`], and [`KeyError::Kid`].
    pub fn new<P: Profile>(alg: Algorithm, kid: &str, claims: &P::Claims) -> Result<Self, Error> {
        if !is_usable_kid(kid) {
            return Err(KeyError::Kid.into());
        }
        let signature_len = alg.signature_len().unwrap_or(RSA_BITS.start() / 8);
        Self::with_header::<P>(alg, &header_text(alg, kid, P::TYP), claims, signature_len)
    }

    /// The bytes to sign (RFC 7515 §5.1 step 5).
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The algorithm to sign with.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// The token, with the signature in the form of JWS: for ECDSA `R ‖ S`, not DER.
    ///
    /// # Errors
    /// [`Error::SignatureLength`].
    pub fn finish(self, signature: &[u8]) -> Result<String, Error> {
        let fits = match self.alg.signature_len() {
            Some(len) => signature.len() == len,
            None => RSA_BITS.contains(&(signature.len() * 8)),
        };
        if !fits {
            return Err(Error::SignatureLength { alg: self.alg, got: signature.len() });
        }
        let mut text = self.text;
        text.push('.');
        b64::encode_into(&mut text, signature);
        Ok(text)
    }

    pub(crate) fn with_header<P: Profile>(
        alg: Algorithm,
        header: &str,
        claims: &P::Claims,
        signature_len: usize,
    ) -> Result<Self, Error> {
        claims.check_members()?;
        claims.rules()?;
        let mut payload = Writer::with_capacity(512);
        claims.write(&mut payload);
        let payload = payload.finish();

        let len = header.len() + b64::encoded_len(payload.len()) + b64::encoded_len(signature_len) + 2;
        if len > P::MAX_BYTES {
            return Err(Error::TooLong { bytes: len, limit: P::MAX_BYTES });
        }
        let mut text = String::with_capacity(len);
        text.push_str(header);
        text.push('.');
        b64::encode_into(&mut text, &payload);
        Ok(Self { alg, text })
    }
}
