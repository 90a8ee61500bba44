//! Devices that cannot show a page or take a password (RFC 8628): the code that a person types elsewhere, what they answered there,
//! and what the device hears when it asks.

use std::{fmt, time::Duration};

use super::{rsn::Rsn, session::Sid, time::Timestamp};

/// How long a device may wait for its person.
pub const DEVICE_TTL: Duration = Duration::from_mins(10);
/// How long a device waits between two questions, to begin with.
pub const PACE: Duration = Duration::from_secs(5);
/// How much longer after a question that came too soon (RFC 8628 §3.5).
pub const SLOWER: Duration = Duration::from_secs(5);
/// How much too soon is not: the way here takes longer at one time than at another.
pub const SLACK: Duration = Duration::from_secs(1);

/// What a person types: 8 of 20 letters, 34 bits (OAU-17). No vowels, so that no words come of it; nothing that looks like a digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
    const LEN: usize = 8;

    /// Any code is as likely as any other, but for less than 2⁻⁹⁰.
    pub fn new(random: &[u8; 16]) -> Self {
        let mut rest = u128::from_be_bytes(*random);
        let mut letter = || {
            let index = usize::try_from(rest % 20).unwrap_or(0);
            rest /= 20;
            char::from(Self::LETTERS[index])
        };
        Self((0..Self::LEN).map(|_| letter()).collect())
    }

    /// Reads what was typed, in any case and with any spaces and hyphens; `None` if it cannot be a code.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 64 {
            return None;
        }
        let code: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '‑' | '–' | '—'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let good = code.len() == Self::LEN && code.bytes().all(|letter| Self::LETTERS.contains(&letter));
        good.then_some(Self(code))
    }

    /// As the database has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As people read it: two groups of four.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", &self.0[..4], &self.0[4..])
    }
}

/// What a device waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceGrant {
    pub client_id: String,
    /// Space-separated.
    pub scope: String,
    /// One audience.
    pub audience: String,
    pub expires_at: Timestamp,
    /// What its person answered, if they have.
    pub answer: Option<Answer>,
    /// It asked too soon.
    pub hasty: bool,
    /// The session that it was redeemed for, if it was.
    pub redeemed: Option<Sid>,
}

/// What a person answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Denied,
    Allowed(Approval),
}

/// Who allowed it, and how they had signed in: what the device's own sign-in says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub user_id: String,
    pub auth_time: Timestamp,
    /// Space-separated, RFC 8176.
    pub amr: String,
    pub acr: String,
    /// R1: that of the sign-in, never raised.
    pub auth_rsn: Rsn,
}

/// What a device hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is allowed, if nobody else redeems it first: that is for the guarded statement to say.
    Redeem(Approval),
    /// It was redeemed before: two parties have its code, so the session ends.
    Replayed(Sid),
    Pending,
    SlowDown,
    Denied,
    Expired,
}

impl DeviceGrant {
    /// What its client, which has proved itself, hears at `now`.
    pub fn judge(&self, now: Timestamp) -> Verdict {
        if let Some(sid) = &self.redeemed {
            return Verdict::Replayed(sid.clone());
        }
        match &self.answer {
            Some(Answer::Denied) => Verdict::Denied,
            _ if self.expires_at <= now => Verdict::Expired,
            Some(Answer::Allowed(approval)) => Verdict::Redeem(approval.clone()),
            None if self.hasty => Verdict::SlowDown,
            None => Verdict::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    // OAU-17: at least 20 bits, and each letter as likely as any other.
    #[test]
    fn codes_are_eight_letters_that_nobody_confuses() {
        let codes: HashSet<String> = (0..2_000_u128)
            .map(|n| {
                UserCode::new(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()).to_string()
            })
            .collect();
        assert_eq!(codes.len(), 2_000);
        let letters: HashSet<char> = codes.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(letters.len(), 21, "twenty letters and the hyphen");
        assert!(!"AEIOUY0123456789".chars().any(|confusing| letters.contains(&confusing)));
        assert!(20_f64.powi(8).log2() > 34.0);
    }

    #[test]
    fn what_people_type_is_read() {
        let code = UserCode::new(&[7; 16]);
        let shown = code.to_string();
        assert_eq!((shown.len(), shown.as_bytes()[4]), (9, b'-'));
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', ""),
            shown.replace('-', " – "),
            format!("  {shown}\t"),
            code.as_str().chars().map(|c| format!("{c} ")).collect(),
        ] {
            assert_eq!(UserCode::parse(&typed), Some(code.clone()), "{typed:?}");
        }
        for bad in
            ["", "BCDF", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GHJ0", "BCDF_GHJK", "ßCDF-GHJK", &"B".repeat(65)]
        {
            assert_eq!(UserCode::parse(bad), None, "{bad:?}");
        }
    }

    fn grant() -> DeviceGrant {
        DeviceGrant {
            client_id: "tv".into(),
            scope: String::new(),
            audience: "api".into(),
            expires_at: NOW.plus(DEVICE_TTL),
            answer: None,
            hasty: false,
            redeemed: None,
        }
    }

    fn approval() -> Approval {
        Approval { user_id: "usr_a".into(), auth_time: NOW, amr: "pwd".into(), acr: "1".into(), auth_rsn: Rsn::new(7) }
    }

    // OAU-17, RFC 8628 §3.5: each state at each side of its edge.
    #[test]
    fn a_device_hears_what_became_of_it() {
        let (end, before) = (NOW.plus(DEVICE_TTL), NOW.plus(DEVICE_TTL - Duration::from_micros(1)));
        let allowed = DeviceGrant { answer: Some(Answer::Allowed(approval())), ..grant() };
        let denied = DeviceGrant { answer: Some(Answer::Denied), ..grant() };
        let hasty = DeviceGrant { hasty: true, ..grant() };
        assert_eq!((grant().judge(before), grant().judge(end)), (Verdict::Pending, Verdict::Expired));
        assert_eq!((hasty.judge(before), hasty.judge(end)), (Verdict::SlowDown, Verdict::Expired));
        assert_eq!((allowed.judge(before), allowed.judge(end)), (Verdict::Redeem(approval()), Verdict::Expired));
        assert_eq!(DeviceGrant { hasty: true, ..allowed.clone() }.judge(NOW), Verdict::Redeem(approval()));
        assert_eq!((denied.judge(before), denied.judge(end)), (Verdict::Denied, Verdict::Denied));
        let sid = Sid::new("usr_a", &[3; 16]);
        let used = DeviceGrant { redeemed: Some(sid.clone()), ..allowed };
        assert_eq!((used.judge(NOW), used.judge(end)), (Verdict::Replayed(sid.clone()), Verdict::Replayed(sid)));
    }
}
