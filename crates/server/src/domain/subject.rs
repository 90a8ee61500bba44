//! Whom a client knows a person as (OpenID Connect Core §8): by the one public id, or by an id that is made for the client's
//! sector and says nothing to anybody else.
//!
//! A pairwise id is a MAC of sector and person under a key that is made once per store and never changes: nothing is stored
//! for it, the same person has the same one for ever, and without the key nobody can tell two of one person from two of two.

use std::fmt;

use aws_lc_rs::hmac;
use countersign_jose::b64;
use zeroize::Zeroizing;

use super::{client::ClientSettings, redirect::RedirectUri, session::Sid, user::USER_ID_PREFIX};

/// Clients that know people by the same pairwise ids (OpenID Connect Core §8.1): the host of their addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sector(String);

/// Why there is no sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSector {
    #[error("a sector is the name of a host, in lower case")]
    Name,
    /// OpenID Connect Core §8.1: then the client has to say which one it belongs to.
    #[error("its redirect URIs have several hosts, or none: name its sector")]
    Hosts,
}

impl Sector {
    /// Reads the name of a host.
    ///
    /// # Errors
    /// [`BadSector::Name`]
    pub fn parse(text: &str) -> Result<Self, BadSector> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
        let good = (1..=253).contains(&text.len()) && text.bytes().all(plain);
        if good { Ok(Self(text.to_owned())) } else { Err(BadSector::Name) }
    }

    /// The one host of these addresses.
    ///
    /// # Errors
    /// [`BadSector::Hosts`]
    pub fn of(uris: &[RedirectUri]) -> Result<Self, BadSector> {
        let mut hosts =
            uris.iter().map(|uri| uri.as_str().parse::<http::Uri>().ok()?.host().map(str::to_ascii_lowercase));
        let first = hosts.next().flatten().ok_or(BadSector::Hosts)?;
        if hosts.all(|host| host.as_ref() == Some(&first)) { Self::parse(&first) } else { Err(BadSector::Hosts) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What pairwise ids are made with.
pub struct SubjectKey(hmac::Key);

impl SubjectKey {
    pub const BYTES: usize = 32;

    pub fn new(bytes: &Zeroizing<[u8; Self::BYTES]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes[..]))
    }

    /// Whom a client of this sector knows this person as; none: by their own id.
    pub fn subject(&self, sector: Option<&Sector>, user_id: &str) -> String {
        let Some(sector) = sector else { return user_id.to_owned() };
        let mut mac = hmac::Context::with_key(&self.0);
        mac.update(b"countersign-pairwise");
        for part in [sector.as_str(), user_id] {
            // Each with its length, so that no two pairs are one text.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        // The prefix keeps it apart from clients' names (TOK-20); its length, from people's own ids.
        format!("{USER_ID_PREFIX}{}", b64::encode(&mac.sign().as_ref()[..24]))
    }

    /// Whom this client knows this person as.
    pub fn for_client(&self, client: &ClientSettings, user_id: &str) -> String {
        self.subject(client.sign_in.sector.as_ref(), user_id)
    }

    /// The name of a new session of this person at this client. Its first bytes come from the id that the client knows: those of
    /// the public one would tell two clients that they may have the same person before them.
    pub fn sid(&self, client: &ClientSettings, user_id: &str, random: &[u8; 16]) -> Sid {
        Sid::new(&self.for_client(client, user_id), random)
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{client::ClientId, user::UserId};

    fn key(byte: u8) -> SubjectKey {
        SubjectKey::new(&Zeroizing::new([byte; 32]))
    }

    fn sector(text: &str) -> Sector {
        Sector::parse(text).unwrap()
    }

    proptest! {
        // OpenID Connect Core §8.1, TOK-20
        #[test]
        fn a_pairwise_id_is_one_for_each_sector_and_person(a: [u8; 16], b: [u8; 16]) {
            let (ada, bob) = (UserId::new(a), UserId::new(b));
            let of = |sector: &Sector, user: &UserId| key(1).subject(Some(sector), user.as_str());
            let (shop, bank) = (sector("shop.example"), sector("bank.example"));
            prop_assert_eq!(of(&shop, &ada), of(&shop, &ada));
            prop_assert_ne!(of(&shop, &ada), of(&bank, &ada));
            prop_assert_eq!(of(&shop, &ada) == of(&shop, &bob), a == b);
            prop_assert_ne!(of(&shop, &ada), key(2).subject(Some(&shop), ada.as_str()));
            prop_assert!(UserId::parse(&of(&shop, &ada)).is_none());
            prop_assert!(ClientId::parse(&of(&shop, &ada)).is_err());
            prop_assert_eq!(key(1).subject(None, ada.as_str()), ada.as_str());
        }
    }

    #[test]
    fn a_sector_is_the_one_host_of_its_addresses() {
        let of =
            |uris: &str| Sector::of(&RedirectUri::parse_list(uris).unwrap()).map(|sector| sector.as_str().to_owned());
        assert_eq!(of("https://shop.example/cb https://shop.example:8443/other").as_deref(), Ok("shop.example"));
        assert_eq!(of("https://shop.example/cb https://bank.example/cb"), Err(BadSector::Hosts));
        assert_eq!(of(""), Err(BadSector::Hosts));
        for bad in ["", "Shop.example", "shop.example/", "a b", &"x".repeat(254)] {
            assert_eq!(Sector::parse(bad), Err(BadSector::Name), "{bad:?}");
        }
    }

    #[test]
    fn the_key_does_not_print() {
        assert_eq!(format!("{:?}", key(7)), "SubjectKey(…)");
    }
}
