//! Key stores: what guards the issuer's keys outside of this process, and which algorithms each of them signs with.

use countersign_jose::Algorithm;

/// A key store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreName {
    /// The transit engine of OpenBao or Vault.
    Transit,
    /// A hardware security module, or what looks like one (PKCS#11).
    Pkcs11,
    /// AWS Key Management Service.
    Kms,
}

impl StoreName {
    pub const ALL: [Self; 3] = [Self::Transit, Self::Pkcs11, Self::Kms];

    /// The word in the configuration and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transit => "transit",
            Self::Pkcs11 => "pkcs11",
            Self::Kms => "kms",
        }
    }

    /// The store that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|store| store.as_str() == word)
    }

    /// Whether it makes keys of this algorithm and signs with them.
    pub fn can_sign(self, alg: Algorithm) -> bool {
        match (alg.kty(), alg.crv()) {
            ("RSA", _) | ("EC", Some("P-256" | "P-384" | "P-521")) => true,
            ("OKP", _) => matches!(self, Self::Transit | Self::Pkcs11),
            _ => false,
        }
    }
}

/// Where the issuer's keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file or an environment variable holds the key-encryption key.
    File,
    /// This store guards it.
    Store(StoreName),
}

impl KeyPlace {
    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Store(store) => store.as_str(),
        }
    }

    /// The place that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        if word == "file" { Some(Self::File) } else { StoreName::parse(word).map(Self::Store) }
    }

    /// The store, if it is one.
    pub const fn store(self) -> Option<StoreName> {
        match self {
            Self::File => None,
            Self::Store(store) => Some(store),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_names_one_place_and_shared_secrets_and_young_algorithms_stay_here() {
        for word in ["file", "transit", "pkcs11", "kms"] {
            assert_eq!(KeyPlace::parse(word).unwrap().as_str(), word);
        }
        assert_eq!(KeyPlace::parse("vault"), None);
        for store in StoreName::ALL {
            for alg in [Algorithm::ES256, Algorithm::ES384, Algorithm::RS256, Algorithm::PS256] {
                assert!(store.can_sign(alg));
            }
            for alg in [Algorithm::HS256, Algorithm::MlDsa44, Algorithm::ES256K] {
                assert!(!store.can_sign(alg));
            }
        }
    }
}
