//! A sign-in that is half done: the first factor was right, the second is owed. It grants nothing, lives for minutes, and is known
//! to one browser, or to whoever has its ticket (MFA-03).

use std::{fmt, time::Duration};

use aws_lc_rs::digest;
use countersign_jose::b64;
use zeroize::Zeroizing;

use super::{browser::RequestName, rsn::Rsn, time::Timestamp, upstream::UpstreamName, user::UserId};

/// How long somebody may look for their telephone.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// What an application of our own holds until its person has typed the code: 256 random bits. Worth nothing without the second
/// factor, used once, never stored, never printed.
#[derive(Clone)]
pub struct Ticket(Zeroizing<String>);

impl Ticket {
    pub fn new(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(b64::encode(random)))
    }

    /// Reads a ticket that was presented; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(b64::decode_array::<32>(text).ok()?);
        Some(Self::new(&bytes))
    }

    /// The ticket itself, for the answer that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn id(&self) -> PendingId {
        PendingId::of(&["ticket", &self.0])
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// What the store knows a half sign-in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingId([u8; 32]);

impl PendingId {
    /// That of one browser at one of its requests: nobody else can name it, and another one of the same takes its place.
    pub fn of_browser(browser: &[u8; 32], request: &str) -> Self {
        Self::of(&["browser", &b64::encode(browser), request])
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(parts: &[&str]) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"countersign-pending");
        for part in parts {
            // Lengths first, so that no two lists make the same bytes.
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        Self(id)
    }
}

/// A sign-in that waits for its second factor.
#[derive(Debug, Clone)]
pub struct Pending {
    pub id: PendingId,
    pub user: UserId,
    /// When the first factor was shown.
    pub auth_time: Timestamp,
    /// R1: the head of the log when it was.
    pub auth_rsn: Rsn,
    pub first: FirstFactor,
    /// What is to become the account's once this is done.
    pub link: Option<RequestName>,
    /// What the application asked for, as JSON; none on the pages.
    pub wants: Option<String>,
    pub expires_at: Timestamp,
}

/// What the first factor was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstFactor {
    Password,
    /// A code or a link that was sent by mail.
    Mail,
    /// The word of another provider.
    Upstream(UpstreamName),
}

impl FirstFactor {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Mail => "mail",
            Self::Upstream(_) => "upstream",
        }
    }

    /// Its word in `amr` (RFC 8176, which has none for a mail): how somebody signed in elsewhere is not ours to say.
    pub const fn amr(&self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Mail => "email",
            Self::Upstream(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MFA-03
    #[test]
    fn a_half_sign_in_is_known_to_one_browser_at_one_request() {
        let id = PendingId::of_browser(&[1; 32], "r1");
        assert_eq!(id, PendingId::of_browser(&[1; 32], "r1"));
        assert_ne!(id, PendingId::of_browser(&[2; 32], "r1"));
        assert_ne!(id, PendingId::of_browser(&[1; 32], "r2"));
    }

    #[test]
    fn a_ticket_is_no_name_of_itself_and_garbage_is_none() {
        let ticket = Ticket::new(&[1; 32]);
        assert_eq!(Ticket::parse(ticket.expose()).unwrap().id(), ticket.id());
        assert_ne!(ticket.id(), Ticket::new(&[2; 32]).id());
        assert_eq!(format!("{ticket:?}"), "Ticket(…)");
        for bad in ["", "x", &ticket.expose()[1..], &format!("{}A", ticket.expose())] {
            assert!(Ticket::parse(bad).is_none(), "{bad}");
        }
    }
}
