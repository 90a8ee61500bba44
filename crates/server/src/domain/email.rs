//! E-mail addresses: what is accepted, and the form in which two of them are the same.
//!
//! Strict and simple, not all of RFC 5322: a local part of letters, digits and ``!#$%&'*+/=?^_`{|}~-`` with single dots
//! between them, at most 64 bytes; `@`; a domain name of at least two labels, at most 254 bytes together. Letters and
//! digits may be of any script (RFC 6531). No quotes, comments, spaces, or IP addresses.
//!
//! An address is put into NFKC when it comes in, its domain into ASCII lower case (IDNA), and mail is only ever sent to
//! that stored form: two spellings that compare equal can never be two mailboxes of which the wrong one gets a link.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use url::Host;

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

/// A valid e-mail address in NFKC, its domain in ASCII lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    address: String,
    key: EmailKey,
}

/// The form of an address that is compared and looked up: NFKC and lower case. Two addresses with one key are one account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailKey(String);

/// This is not an e-mail address that Countersign accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This is not a valid e-mail address.")]
pub struct BadEmail;

impl Email {
    /// # Errors
    /// [`BadEmail`]; one error for all reasons, because one sentence tells the person enough.
    pub fn parse(typed: &str) -> Result<Self, BadEmail> {
        if typed.len() > MAX_BYTES {
            return Err(BadEmail);
        }
        let normal: String = typed.nfkc().collect();
        let (local, domain) = normal.split_once('@').ok_or(BadEmail)?;
        let address = format!("{}@{}", local_part(local)?, domain_name(domain)?);
        if address.len() > MAX_BYTES {
            return Err(BadEmail);
        }
        let key = EmailKey(address.to_lowercase().nfkc().collect());
        Ok(Self { address, key })
    }

    /// As it is shown and written to.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    pub fn key(&self) -> &EmailKey {
        &self.key
    }
}

impl EmailKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning of a key, for a search: whatever was typed, in the form of keys.
    pub fn prefix(typed: &str) -> String {
        typed.nfkc().collect::<String>().to_lowercase().nfkc().collect()
    }
}

// An address is personal: logs name users by their ids.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailKey(…)")
    }
}

fn local_part(local: &str) -> Result<&str, BadEmail> {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    let good = |atom: &str| !atom.is_empty() && atom.chars().all(|c| allowed(c) || is_mark(c));
    if local.len() <= MAX_LOCAL_BYTES && local.split('.').all(good) { Ok(local) } else { Err(BadEmail) }
}

fn domain_name(domain: &str) -> Result<String, BadEmail> {
    let good = |label: &str| {
        let inner = |c: char| c.is_alphanumeric() || c == '-' || is_mark(c);
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(inner)
    };
    if !domain.contains('.') || !domain.split('.').all(good) {
        return Err(BadEmail);
    }
    match Host::parse(domain) {
        Ok(Host::Domain(ascii)) if ascii.len() <= 253 && ascii.split('.').all(|label| label.len() <= 63) => Ok(ascii),
        _ => Err(BadEmail),
    }
}

/// A combining mark that NFKC could not join to its letter; some scripts are written with them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        Email::parse(text).unwrap().key().as_str().to_owned()
    }

    #[test]
    fn usual_addresses_are_accepted() {
        for good in [
            "ada@example.com",
            "ada.lovelace+tag@mail.example.co.uk",
            "o'hara_1815@example.museum",
            "名前@例え.jp",
            "jörg@bücher.example",
            "x@1.example",
        ] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "b".repeat(64));
        let long = format!("a@{}com", "bcdefghij.".repeat(26));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@localhost",
            "ada@@example.com",
            "a@b@example.com",
            "ada @example.com",
            " ada@example.com",
            "ada@example.com ",
            "ada@exam ple.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada@-example.com",
            "ada@example-.com",
            "ada@example..com",
            "ada@example.com.",
            "ada@.example.com",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@0x7f.1",
            "\"a b\"@example.com",
            "ada(comment)@example.com",
            "ada@ex%41mple.com",
            "ada@example.com\n",
            "a\0da@example.com",
            "ada@example.com\r\nBcc: x@example.com",
            "Ada <ada@example.com>",
            "ada,b@example.com",
            "ada@exa_mple.com",
            "ada\u{200b}@example.com",
            "ada\u{202e}@example.com",
            "a\u{7f}@example.com",
            &long_local,
            &long_label,
            &long,
        ] {
            assert_eq!(Email::parse(bad), Err(BadEmail), "{bad:?}");
        }
    }

    #[test]
    fn one_mailbox_has_one_key() {
        assert_eq!(key("Ada.Lovelace@EXAMPLE.com"), "ada.lovelace@example.com");
        assert_eq!(key("ａｄａ@example.com"), key("ada@example.com"));
        assert_eq!(key("ada＠example.com"), key("ada@example.com"));
        assert_eq!(key("ren\u{e9}@example.com"), key("rene\u{301}@example.com"));
        assert_eq!(key("a@bücher.example"), key("a@xn--bcher-kva.example"));
        assert_eq!(key("\u{212a}ay@example.com"), key("kay@example.com"));
        // The dotless i is a letter of its own: no account is reached through it.
        assert_ne!(key("m\u{131}ke@example.com"), key("mike@example.com"));
        assert_ne!(key("ada+x@example.com"), key("ada@example.com"));
    }

    // LOG-12, the GitHub mistake of 2019: the stored form is the one that was validated, never what was typed.
    #[test]
    fn the_stored_address_is_the_normalised_one() {
        assert_eq!(Email::parse("Ａda＠Example.COM").unwrap().as_str(), "Ada@example.com");
    }

    proptest! {
        #[test]
        fn keys_are_stable_and_nothing_panics(text in "\\PC{0,30}@?\\PC{0,30}") {
            let _ = EmailKey::prefix(&text);
            if let Ok(email) = Email::parse(&text) {
                for same in [email.as_str(), email.key().as_str()] {
                    let again = Email::parse(same).unwrap();
                    prop_assert_eq!(again.key(), email.key());
                }
                prop_assert!(!email.key().as_str().contains(|c: char| c.is_whitespace() || c.is_control()));
            }
        }

        #[test]
        fn ascii_addresses_differ_only_in_case(local in "[a-zA-Z0-9_+-]{1,20}", domain in "[a-z]{1,10}\\.(com|org)") {
            let address = format!("{local}@{domain}");
            prop_assert_eq!(key(&address), address.to_lowercase());
        }
    }
}
