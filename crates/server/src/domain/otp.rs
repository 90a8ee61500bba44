//! Codes of authenticator apps: HOTP (RFC 4226) with the time as its counter (TOTP, RFC 6238), six digits, 30 seconds, SHA-1,
//! which is what every such app understands.

use std::{fmt, time::Duration};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use zeroize::Zeroizing;

use super::time::Timestamp;

/// How long one code is shown.
pub const STEP: Duration = Duration::from_secs(30);
const DIGITS: usize = 6;
/// How many steps a telephone's clock may be off, either way.
const WINDOW: i64 = 1;

/// The secret that an app and the issuer share: 160 bits, as RFC 4226 §4 recommends. Never printed.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; Self::BYTES]>);

impl Seed {
    pub const BYTES: usize = 20;

    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// A seed that was sealed; `None` if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::new)
    }

    pub fn expose(&self) -> &[u8] {
        &*self.0
    }

    /// As people type it into an app that has no camera.
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(base32(self.expose(), BASE32))
    }

    /// What the square carries: `otpauth://totp/…`, with the site and the account for the app's list.
    pub fn uri(&self, site: &str, account: &str) -> Zeroizing<String> {
        let (site, account) = (percent(site), percent(account));
        let secret = self.base32();
        Zeroizing::new(format!(
            "otpauth://totp/{site}:{account}?secret={}&issuer={site}&algorithm=SHA1&digits={DIGITS}&period={}",
            *secret,
            STEP.as_secs()
        ))
    }

    /// RFC 4226 §5.3.
    fn code(&self, counter: i64) -> Code {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.expose());
        let tag = hmac::sign(&key, &counter.to_be_bytes());
        let tag = tag.as_ref();
        let offset = tag.last().map_or(0, |last| usize::from(last & 0x0f));
        let word = tag.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
        Code(Zeroizing::new(format!("{:0width$}", (word & 0x7fff_ffff) % 1_000_000, width = DIGITS)))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// What somebody typed, or what an app shows. Compared in constant time, never printed.
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

impl Code {
    /// Six digits, with spaces wherever an app shows them; `None` if it cannot be a code.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 32 {
            return None;
        }
        let digits: Zeroizing<String> = Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace()).collect());
        let good = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        good.then_some(Self(digits))
    }

    fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// The step that `code` is of, if it is of one around `now` and after `last`, which was used before: each step is good once
/// (MFA-01). The time is the server's alone.
pub fn step_of(seed: &Seed, code: &Code, now: Timestamp, last: i64) -> Option<i64> {
    let current = now.secs().div_euclid(i64::try_from(STEP.as_secs()).unwrap_or(1));
    // All of them are computed, whichever is right.
    let right = (current - WINDOW..=current + WINDOW).filter(|step| seed.code(*step).is(code)).max();
    right.filter(|step| *step > last)
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648 §6 without padding.
pub(super) fn base32(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(alphabet[usize::try_from((buffer >> bits) & 31).unwrap_or(0)]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(alphabet[usize::try_from((buffer << (5 - bits)) & 31).unwrap_or(0)]));
    }
    text
}

/// RFC 3986 §2.1: everything but unreserved characters is encoded; apps do not all read `+` as a space.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        Seed::new(*b"12345678901234567890")
    }

    // RFC 4226, appendix D
    #[test]
    fn codes_are_those_of_the_specification() {
        let wanted =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(wanted) {
            assert_eq!(*seed().code(counter).0, code);
        }
    }

    // RFC 6238, appendix B: the last six of its eight digits.
    #[test]
    fn times_are_those_of_the_specification() {
        for (at, code, step) in [
            (59, "287082", 1),
            (1_111_111_109, "081804", 37_037_036),
            (1_111_111_111, "050471", 37_037_037),
            (1_234_567_890, "005924", 41_152_263),
            (2_000_000_000, "279037", 66_666_666),
            (20_000_000_000, "353130", 666_666_666),
        ] {
            let code = Code::parse(code).unwrap();
            assert_eq!(step_of(&seed(), &code, Timestamp::from_secs(at), 0), Some(step));
        }
    }

    // MFA-01: one step before and one after, and each step once.
    #[test]
    fn a_step_is_good_around_its_time_and_once() {
        let code = seed().code(100);
        let at = |secs: i64, last: i64| step_of(&seed(), &code, Timestamp::from_secs(secs), last);
        assert_eq!(at(100 * 30, 0), Some(100));
        assert_eq!((at(99 * 30, 0), at(98 * 30 + 29, 0)), (Some(100), None));
        assert_eq!((at(101 * 30 + 29, 0), at(102 * 30, 0)), (Some(100), None));
        assert_eq!((at(100 * 30, 99), at(100 * 30, 100), at(100 * 30, 101)), (Some(100), None, None));
        // A later step was used: an earlier one is over, even if its time is not.
        assert_eq!(at(101 * 30, 101), None);
        let other = Code::parse("000000").unwrap();
        assert_eq!(step_of(&seed(), &other, Timestamp::from_secs(3000), 0), None);
    }

    #[test]
    fn what_people_type_is_read() {
        for typed in ["123456", "123 456", " 123456\n", "12 34 56"] {
            assert_eq!(*Code::parse(typed).unwrap().0, "123456");
        }
        for bad in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", &" ".repeat(33)] {
            assert!(Code::parse(bad).is_none(), "{bad:?}");
        }
    }

    // RFC 4648, section 10
    #[test]
    fn base32_is_that_of_the_specification() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"), // typos: off
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes(), BASE32), text);
        }
    }

    #[test]
    fn the_square_says_which_site_and_account() {
        let uri = seed().uri("id.example:8080", "ada lovelace@example.com");
        assert_eq!(
            *uri,
            "otpauth://totp/id.example%3A8080:ada%20lovelace%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=id.example%3A8080&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{:?} {:?}", seed(), seed().code(0)), "Seed(…) Code(…)");
        assert!(Seed::from_bytes(&[1; 19]).is_none());
    }
}
