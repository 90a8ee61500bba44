//! Signed, then encrypted (RFC 7519 §11.2): the signature says who wrote it, the encryption who may read it.

use zeroize::Zeroizing;

use super::{Decryptor, Encryptor};
use crate::{
    Error, SigningKey, Unverified, Verified, Verifier, error::clip, limits::MAX_ENCRYPTED_BYTES, profile::Profile, sign,
};

/// What `cty` says of content that is a token (RFC 7519 §5.2).
const JWT: &str = "JWT";

impl Encryptor<'_> {
    /// Signs claims as a token of the kind `P` and encrypts the token.
    ///
    /// ```
    /// use countersign_jose::{Algorithm, GenericClaims, SigningKey, Verifier, profile::Generic};
    /// use countersign_jose::jwe::{DecryptionKey, Decryptor, Encryptor, KeyAlgorithm};
    /// # let signing = SigningKey::generate(Algorithm::ES256, "shop-1")?;
    /// # let decryption = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "warehouse-1")?;
    /// # let encryption = decryption.encryption_key();
    /// # let claims = GenericClaims { iss: Some("shop".into()), aud: Some("warehouse".into()), exp: Some(2_000_000_000), ..Default::default() };
    /// # let verifier = Verifier::<Generic>::builder().issuer("shop").audience("warehouse").key(signing.verifying_key().unwrap()).build();
    /// let text = Encryptor::new(&encryption).sign_and_encrypt::<Generic>(&signing, &claims)?;
    /// let verified = Decryptor::new(decryption).decrypt_and_verify(&verifier, &text, 1_999_999_999)?;
    /// assert_eq!(verified.iss.as_deref(), Some("shop"));
    /// # Ok::<(), countersign_jose::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sign`] and [`encrypt`](Self::encrypt).
    pub fn sign_and_encrypt<P: Profile>(&self, key: &SigningKey, claims: &P::Claims) -> Result<String, Error> {
        self.encrypt_signed(&Zeroizing::new(sign::<P>(key, claims)?))
    }

    /// Encrypts a token that was signed before, as by a key that lies elsewhere.
    ///
    /// # Errors
    /// As [`Unverified::parse`] if it is no signed token, and [`encrypt`](Self::encrypt).
    pub fn encrypt_signed(&self, token: &str) -> Result<String, Error> {
        Unverified::parse_up_to(token, MAX_ENCRYPTED_BYTES)?;
        self.clone().cty(JWT).encrypt(token.as_bytes())
    }
}

impl Decryptor {
    /// Decrypts a message and verifies the token in it. Both layers must hold: content that is not signed is refused, however well
    /// it decrypts (TOK-11). `now` is in seconds since 1970.
    ///
    /// # Errors
    /// As [`decrypt`](Self::decrypt); [`Error::ContentType`] unless the protected `cty` says `JWT`; as [`Verifier::verify`].
    pub fn decrypt_and_verify<P: Profile>(
        &self,
        verifier: &Verifier<P>,
        text: &str,
        now: i64,
    ) -> Result<Verified<P::Claims>, Error> {
        let content = self.decrypt(text)?;
        if !content.cty().is_some_and(|cty| cty.eq_ignore_ascii_case(JWT)) {
            return Err(Error::ContentType { expected: JWT, got: content.cty().map(clip) });
        }
        verifier.verify(str::from_utf8(&content).map_err(|_| Error::Utf8)?, now)
    }
}
