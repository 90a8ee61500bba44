//! Secrets that are sent by mail: the token of a link. Only a hash of it is stored, it is used once, for one purpose, within its
//! time, and only as long as the account has the password and the address that it had (LOG-09).

use std::{fmt, time::Duration};

use aws_lc_rs::digest;
use countersign_jose::b64;
use zeroize::Zeroizing;

use super::{device::UserCode, pending::PendingId};

/// How many links of one purpose an account gets within their time: nobody fills a mailbox from afar.
pub const AT_ONCE: i64 = 3;
/// How often somebody may try to type the code of a mail (MFA-07).
pub const TRIES: i64 = 5;

/// What a token is for. One of another purpose is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The address is its owner's.
    Verify,
    /// Set a new password without the old one.
    Reset,
    /// The account gets another address.
    Change,
    /// Join an organisation: kept with the invitation, for longer than the others, and for whoever has the address.
    Invite,
    /// Sign in, in the browser that asked for it.
    SignIn,
}

impl Purpose {
    pub const ALL: [Self; 5] = [Self::Verify, Self::Reset, Self::Change, Self::Invite, Self::SignIn];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Change => "change",
            Self::Invite => "invite",
            Self::SignIn => "signin",
        }
    }

    /// The page that a link of this purpose opens.
    pub const fn page(self) -> &'static str {
        match self {
            Self::Verify => "/ui/email/verify",
            Self::Reset => "/ui/password/reset",
            Self::Change => "/ui/email/change",
            Self::Invite => "/ui/invitation",
            Self::SignIn => "/ui/signin/mail",
        }
    }

    /// How long its tokens are good.
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::SignIn => Duration::from_mins(10),
            Self::Verify | Self::Reset | Self::Change | Self::Invite => Duration::from_hours(1),
        }
    }
}

/// The name of a token in the store.
pub type TokenId = [u8; 32];

/// 256 random bits in base64url.
#[derive(Clone)]
pub struct MailToken(Zeroizing<String>);

impl MailToken {
    pub fn new(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(b64::encode(random)))
    }

    /// Reads a token that came from outside; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(b64::decode_array::<32>(text).ok()?);
        Some(Self::new(&bytes))
    }

    /// The secret itself, for the link.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the store keeps of it, for this purpose and no other (TOK-17).
    pub fn id(&self, purpose: Purpose) -> TokenId {
        hash(&["countersign-mail", purpose.as_str(), &self.0])
    }

    /// The same secret for people who type it: eight letters.
    pub fn code(&self) -> UserCode {
        let mut random = [0; 16];
        random.copy_from_slice(&hash(&["countersign-mail-code", &self.0])[..16]);
        UserCode::new(&random)
    }

    /// The link that a mail carries. It is made from the configured issuer alone (LOG-10).
    pub fn link(&self, issuer: &str, purpose: Purpose) -> Zeroizing<String> {
        Zeroizing::new(format!("{issuer}{}?token={}", purpose.page(), self.expose()))
    }
}

/// What the store keeps of a code, for the browser and the request that asked for it, and no other (MFA-07).
pub fn code_hash(code: &UserCode, bound: &PendingId) -> [u8; 32] {
    hash(&["countersign-mail-code", code.as_str(), &b64::encode(bound.as_bytes())])
}

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in parts {
        // Lengths first, so that no two lists make the same bytes.
        hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut id = [0; 32];
    id.copy_from_slice(hash.finish().as_ref());
    id
}

impl fmt::Debug for MailToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // TOK-17, LOG-09
    #[test]
    fn a_token_has_another_name_for_each_purpose() {
        let (token, other) = (MailToken::new(&[1; 32]), MailToken::new(&[2; 32]));
        let mut ids: Vec<TokenId> =
            [&token, &other].into_iter().flat_map(|token| Purpose::ALL.map(|purpose| token.id(purpose))).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 2 * Purpose::ALL.len());
        assert_eq!(MailToken::parse(token.expose()).unwrap().id(Purpose::Reset), token.id(Purpose::Reset));
    }

    // MFA-07: a code is worth something in one browser at one request alone.
    #[test]
    fn a_code_is_the_tokens_and_its_requests() {
        let (token, other) = (MailToken::new(&[1; 32]), MailToken::new(&[2; 32]));
        assert_eq!(token.code(), token.code());
        assert_ne!(token.code(), other.code());
        let (here, there) = (PendingId::of_browser(&[1; 32], "r1"), PendingId::of_browser(&[1; 32], "r2"));
        assert_eq!(code_hash(&token.code(), &here), code_hash(&token.code(), &here));
        assert_ne!(code_hash(&token.code(), &here), code_hash(&token.code(), &there));
    }

    #[test]
    fn garbage_is_no_token_and_none_prints_itself() {
        let token = MailToken::new(&[1; 32]);
        assert_eq!(token.expose().len(), 43);
        for bad in ["", "x", &token.expose()[1..], &format!("{}A", token.expose())] {
            assert!(MailToken::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{token:?}"), "MailToken(…)");
        let link = token.link("https://id.example", Purpose::Reset);
        assert_eq!(*link, format!("https://id.example/ui/password/reset?token={}", token.expose()));
    }
}
