//! Encryption (RFC 7516): content that only its recipient can read, and that nobody can change unseen.
//!
//! The rules are those of signatures. A key is bound to one [`KeyAlgorithm`] when it is made; the header of a message must agree
//! with the recipient's keys and chooses nothing. Unprotected members decide nothing: neither how something is decrypted nor what
//! it is taken for. There is no `RSA1_5` and no compression; a password is asked for by name or there is none.
//!
//! What failed inside a decryption cannot be told apart: a wrong key, a wrong tag and a content key that does not unwrap are one
//! [`Error::Decrypt`](crate::Error::Decrypt), after the same work.
//!
//! Encryption does not say who wrote: a [`Decrypted`] is never a [`Verified`](crate::Verified). To say both, sign first, then
//! encrypt: [`Encryptor::sign_and_encrypt`] and [`Decryptor::decrypt_and_verify`].
//!
//! Any JSON between two parties:
//!
//! ```
//! use countersign_jose::jwe::{Decrypted, DecryptionKey, Decryptor, EncryptionKey, Encryptor, KeyAlgorithm};
//! use serde_json::{Value, json};
//!
//! let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "2026-1")?; // the recipient's, once
//! let public = EncryptionKey::from_jwk(&key.public_jwk().unwrap())?; // what the sender has of it
//! let text = Encryptor::new(&public).encrypt_json(&json!({"order": 7}))?;
//! let order: Decrypted<Value> = Decryptor::new(key).decrypt_json(&text)?;
//! assert_eq!(order["order"], 7);
//! # Ok::<(), countersign_jose::Error>(())
//! ```

mod alg;
mod content;
mod decrypt;
mod decrypted;
mod encrypt;
mod header;
mod key;
mod message;
mod nested;
mod random;
mod wrap;

pub use alg::{ContentAlgorithm, KeyAlgorithm};
pub use decrypt::Decryptor;
pub use decrypted::Decrypted;
pub use encrypt::Encryptor;
pub use key::{Curve, DecryptionKey, EncryptionKey};
