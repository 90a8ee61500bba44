//! Where a request goes, in the one spelling that is compared (RFC 9449 §4.3, check 9).

use std::fmt;

/// An HTTP target URI without query and fragment, normalised by its syntax and its scheme (RFC 3986 §6.2.2, §6.2.3): letters
/// of scheme and host are small, escapes that say nothing are resolved, the others have capital letters, `.` and `..` are
/// gone, and so is the scheme's own port.
///
/// ```
/// use countersign_jose::dpop::Target;
///
/// let target = Target::parse("https://id.example/token").unwrap();
/// assert_eq!(Target::parse("HTTPS://ID.example:443/a/../%74oken?x=1#y"), Some(target));
/// assert_ne!(Target::parse("https://id.example/Token"), Target::parse("https://id.example/token"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    text: String,
    /// Where the path begins.
    path: usize,
}

impl Target {
    /// Reads an absolute URI. `None` if it is none, is not of HTTP, names a user, or has a character that no URI has: such a
    /// text is never like another.
    pub fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        let (scheme, own_port) = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => ("https", 443),
            _ if scheme.eq_ignore_ascii_case("http") => ("http", 80),
            _ => return None,
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority)?;
        let mut text = format!("{scheme}://{}", host.to_ascii_lowercase());
        if let Some(port) = port.filter(|port| *port != own_port) {
            text = format!("{text}:{port}");
        }
        let at = text.len();
        text.push_str(&normal_path(path)?);
        Some(Self { text, path: at })
    }

    /// What lies at this path below this URI: a request's path, as the service sees it, below the URL that the service has
    /// for others. `None` if the path is none.
    pub fn at(&self, path: &str) -> Option<Self> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if !path.starts_with('/') {
            return None;
        }
        let (origin, base) = self.text.split_at(self.path);
        Some(Self {
            text: format!("{origin}{}", normal_path(&format!("{}{path}", base.trim_end_matches('/')))?),
            path: self.path,
        })
    }

    /// The normalised URI.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// RFC 3986 §3.2, without a user. A name is letters, digits, `-`, `.` and `_`; an IPv6 address stands in brackets.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let good = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    good.then_some((host, port))
}

/// RFC 3986 §6.2.2: escapes first, then the segments that lead nowhere; an empty path is the root (§6.2.3).
fn normal_path(path: &str) -> Option<String> {
    let path = normal_escapes(path)?;
    let mut segments: Vec<&str> = Vec::new();
    let all: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in all.iter().enumerate() {
        let last = index + 1 == all.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    segments.pop();
                }
                if last {
                    segments.push("");
                }
            }
            other => segments.push(other),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

/// Escapes of characters that need none are resolved, the others get capital letters; `None` for a character that no URI has.
fn normal_escapes(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = u8::try_from(digit()? * 16 + digit()?).ok()?;
                match value {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => normal.push(value.into()),
                    _ => normal.push_str(&format!("%{value:02X}")),
                }
            }
            b'"' | b'<' | b'>' | b'\\' | b'`' | b'{' | b'}' => return None,
            b'!'..=b'~' => normal.push(byte.into()),
            _ => return None,
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(uri: &str) -> Option<String> {
        Target::parse(uri).map(|target| target.to_string())
    }

    // TOK-24, RFC 9449 §4.3 (check 9), RFC 3986 §6.2
    #[test]
    fn spellings_of_one_target_are_one() {
        for (uri, expected) in [
            ("https://id.example/token", "https://id.example/token"),
            ("HTTPS://Id.Example:443/token?a=b#c", "https://id.example/token"),
            ("https://id.example:/token", "https://id.example/token"),
            ("https://id.example:0443/%7etoken", "https://id.example/~token"),
            ("https://id.example/a/./b/../%2E%2e/c", "https://id.example/c"),
            ("https://id.example/a/..", "https://id.example/"),
            ("https://id.example/../../a/.", "https://id.example/a/"),
            ("https://id.example/a%2fb%c3", "https://id.example/a%2Fb%C3"),
            ("https://id.example", "https://id.example/"),
            ("https://id.example?x", "https://id.example/"),
            ("http://localhost:8080//a", "http://localhost:8080//a"),
            ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ] {
            assert_eq!(normal(uri).as_deref(), Some(expected), "{uri}");
        }
    }

    // TOK-24
    #[test]
    fn targets_that_differ_stay_different() {
        let token = Target::parse("https://id.example/token");
        for other in [
            "http://id.example/token",
            "https://id.example:8443/token",
            "https://id.example/token/",
            "https://id.example/Token",
            "https://id.example//token",
            "https://id.example/token%2F",
            "https://id.example./token",
            "https://id.example.evil.example/token",
            "https://evil.example/id.example/token",
        ] {
            assert!(Target::parse(other).is_some());
            assert_ne!(Target::parse(other), token, "{other}");
        }
    }

    // TOK-24: what another parser might read differently is no target at all.
    #[test]
    fn what_is_no_target_is_never_equal() {
        for bad in [
            "",
            "/token",
            "id.example/token",
            "https:/id.example/token",
            "https:id.example",
            "https://",
            "https:///token",
            "https://me@id.example/token",
            "https://me:pw@id.example/token",
            "https://id.example:port/",
            "https://id.example:65536/",
            "https://id.example:+443/",
            "https://id.example\\token",
            "https://id.example/to ken",
            "https://id.example/to\\ken",
            "https://id.example/to\"ken",
            "https://id.example/to<ken",
            "https://id.example/to>ken",
            "https://id.example/to`ken",
            "https://id.example/to{ken",
            "https://id.example/to}ken",
            "https://id.example/tok\ten",
            "https://id.example/\u{e4}",
            "https://id.\u{e4}.example/",
            "https://id.example/%4",
            "https://id.example/%zz",
            "https://id.example/%+4",
            "https://[::1/",
            "https://[::1]x/",
            "https://[v1.a]/",
            "ftp://id.example/token",
            "javascript://id.example/token",
            " https://id.example/",
        ] {
            assert_eq!(Target::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_request_lies_below_the_services_own_url() {
        let at = |base, path| Target::parse(base)?.at(path).map(|target| target.to_string());
        assert_eq!(at("https://api.example", "/orders?x=1").as_deref(), Some("https://api.example/orders"));
        assert_eq!(at("https://api.example/", "/").as_deref(), Some("https://api.example/"));
        assert_eq!(at("https://api.example/v1/", "/orders/7").as_deref(), Some("https://api.example/v1/orders/7"));
        assert_eq!(at("https://api.example/v1", "orders"), None);
        assert_eq!(at("https://api.example/v1", "*"), None);
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(uri in "https?://[a-zA-Z0-9.-]{1,12}(:[0-9]{0,4})?(/[a-zA-Z0-9.%2eE/~-]{0,24})?") {
            if let Some(target) = Target::parse(&uri) {
                prop_assert_eq!(Target::parse(target.as_str()), Some(target));
            }
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,60}") {
            let _ = Target::parse(&text);
            let _ = Target::parse(&format!("https://{text}"));
        }

        /// Every escape of a path's characters is the same path.
        #[test]
        fn escapes_change_nothing(path in "[a-zA-Z0-9_~-]{1,12}", escaped in prop::collection::vec(any::<bool>(), 12)) {
            let mut other = String::new();
            for (byte, escape) in path.bytes().zip(escaped) {
                if escape { other.push_str(&format!("%{byte:02x}")) } else { other.push(byte.into()) }
            }
            let at = |path: &str| Target::parse(&format!("https://id.example/{path}"));
            prop_assert_eq!(at(&other), at(&path));
        }
    }
}
