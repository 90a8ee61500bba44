//! The cookies of a browser's sign-in (http.md, "transport"), and the one of a browser that has none yet. Names are compared as raw bytes (CSR-02).

use http::{HeaderMap, HeaderValue, Method, header};

use super::error::ApiError;
use crate::{config::Issuer, domain::audience::COOKIE_BYTES, errors};

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The browser's sign-in: opaque, only its hash is stored.
    Signin,
    /// A device that has signed in to this account before (`domain/known_device.rs`).
    Device,
    /// The short access token, so that an API behind the same host checks it offline.
    Access,
    /// The pre-session: what the forms of the pages are bound to before anybody has signed in (CSR-06).
    Browser,
    /// What somebody chose in this browser: language and look (`domain/preferences.rs`).
    Preferences,
    /// The language that an application asked for, while its person is on the pages.
    Locale,
}

impl Cookie {
    /// On a plain-HTTP loopback issuer the names lose the prefix, since browsers tie it to `Secure`.
    pub fn name(self, issuer: &Issuer) -> &'static str {
        match (self, issuer.is_https()) {
            (Self::Signin, true) => "__Host-signin",
            (Self::Signin, false) => "signin",
            (Self::Device, true) => "__Host-device",
            (Self::Device, false) => "device",
            (Self::Access, true) => "__Host-access",
            (Self::Access, false) => "access",
            (Self::Browser, true) => "__Host-browser",
            (Self::Browser, false) => "browser",
            (Self::Preferences, true) => "__Host-preferences",
            (Self::Preferences, false) => "preferences",
            (Self::Locale, true) => "__Host-locale",
            (Self::Locale, false) => "locale",
        }
    }

    /// A `Set-Cookie` value with an access token, for `max_age` seconds.
    ///
    /// # Errors
    /// `cookie-too-long`: a browser would drop it.
    pub fn set_access(issuer: &Issuer, token: &str, max_age: u64) -> Result<Option<HeaderValue>, ApiError> {
        let length = Self::Access.name(issuer).len() + token.len();
        if length > COOKIE_BYTES {
            return Err(ApiError::new(errors::COOKIE_TOO_LONG).log(format!("an access cookie of {length} bytes")));
        }
        Ok(Self::Access.set(issuer, token, max_age))
    }

    /// A `Set-Cookie` value (CSR-01). `max_age` in seconds.
    pub fn set(self, issuer: &Issuer, value: &str, max_age: u64) -> Option<HeaderValue> {
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let name = self.name(issuer);
        let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// A `Set-Cookie` value that removes the cookie.
    pub fn clear(self, issuer: &Issuer) -> Option<HeaderValue> {
        self.set(issuer, "", 0)
    }

    /// The cookie's value.
    ///
    /// # Errors
    /// `duplicate-cookie` if the name occurs twice: another host of the domain may have planted one.
    pub fn read(self, issuer: &Issuer, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
        let name = self.name(issuer).as_bytes();
        let pairs =
            headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let mut found = pairs.filter_map(|pair| {
            let pair = pair.strip_prefix(b" ").unwrap_or(pair);
            let at = pair.iter().position(|byte| *byte == b'=')?;
            (pair.get(..at)? == name).then(|| pair.get(at + 1..).unwrap_or_default())
        });
        let first = found.next();
        if found.next().is_some() {
            return Err(ApiError::new(errors::DUPLICATE_COOKIE));
        }
        Ok(first.and_then(|value| std::str::from_utf8(value).ok()).filter(|value| !value.is_empty()).map(str::to_owned))
    }
}

/// Refuses a state-changing request that reads or sets a cookie unless it comes from a page of the issuer:
/// `Origin` equals the issuer, or `Sec-Fetch-Site` is `same-origin` (CSR-05, CSR-06).
///
/// # Errors
/// `cross-site`.
pub fn require_same_origin(issuer: &Issuer, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    if method.is_safe() {
        return Ok(());
    }
    let one = |name: header::HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).map(HeaderValue::as_bytes)
    };
    let origin = one(header::ORIGIN);
    let site = one(header::HeaderName::from_static("sec-fetch-site"));
    // A page under `Referrer-Policy: no-referrer` sends `Origin: null`; no page can forge `Sec-Fetch-Site`.
    let allowed = origin == Some(issuer.as_str().as_bytes()) || site == Some(b"same-origin");
    if allowed { Ok(()) } else { Err(ApiError::new(errors::CROSS_SITE)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Issuer {
        let mut settings = crate::config::Settings::default();
        settings.set("issuer", text.to_owned(), crate::config::Origin::Flag).unwrap();
        crate::config::Config::new(&settings).unwrap().issuer
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).fold(
            HeaderMap::new(),
            |mut map, (name, value): (header::HeaderName, _)| {
                map.append(name, value);
                map
            },
        )
    }

    // CSR-01
    #[test]
    fn cookies_carry_the_host_prefix_and_every_attribute() {
        let set = Cookie::Signin.set(&issuer("https://id.example"), "v", 60).unwrap();
        assert_eq!(set.to_str().unwrap(), "__Host-signin=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        let set = Cookie::Access.set(&issuer("http://localhost:8080"), "v", 60).unwrap();
        assert_eq!(set.to_str().unwrap(), "access=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    }

    // CSR-01
    #[test]
    fn a_token_that_a_browser_would_drop_is_not_set() {
        let issuer = issuer("https://id.example");
        let set = |length: usize| Cookie::set_access(&issuer, &"a".repeat(length), 60);
        assert!(set(4096 - "__Host-access".len()).unwrap().is_some());
        assert_eq!(set(4097 - "__Host-access".len()).unwrap_err().0.code, errors::COOKIE_TOO_LONG);
    }

    // CSR-02
    #[test]
    fn cookie_names_are_bytes_and_must_be_unique() {
        let issuer = issuer("https://id.example");
        let read = |text: &'static str| Cookie::Signin.read(&issuer, &headers(&[("cookie", text)]));
        assert_eq!(read("a=1; __Host-signin=v; b=2").unwrap().as_deref(), Some("v"));
        for other in [
            "__host-signin=v",
            "__Host-signin =v",
            "\t__Host-signin=v",
            "$Version=1; x=__Host-signin=v",
            "__Host-signin=",
        ] {
            assert_eq!(read(other).unwrap(), None, "{other}");
        }
        assert_eq!(read("__Host-signin=a; __Host-signin=b").unwrap_err().0.code, errors::DUPLICATE_COOKIE);
        let two = headers(&[("cookie", "__Host-signin=a"), ("cookie", "__Host-signin=a")]);
        assert_eq!(Cookie::Signin.read(&issuer, &two).unwrap_err().0.code, errors::DUPLICATE_COOKIE);
    }

    // CSR-05, CSR-06
    #[test]
    fn unsafe_requests_must_come_from_the_issuers_pages() {
        let issuer = issuer("https://id.example");
        let check = |pairs: &[(&'static str, &'static str)]| {
            require_same_origin(&issuer, &Method::POST, &headers(pairs)).is_ok()
        };
        assert!(check(&[("origin", "https://id.example")]));
        assert!(check(&[("sec-fetch-site", "same-origin")]));
        assert!(check(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(!check(&[]));
        assert!(!check(&[("origin", "null")]));
        assert!(!check(&[("origin", "https://id.example.evil")]));
        assert!(!check(&[("sec-fetch-site", "same-site")]));
        assert!(!check(&[("origin", "https://id.example"), ("origin", "https://evil.example")]));
        assert!(require_same_origin(&issuer, &Method::GET, &HeaderMap::new()).is_ok());
    }
}
