//! Where an authorization response may go: what a client registers, and what a request names (OAU-01).
//!
//! A request's URI is compared as text. What may be registered is narrow enough that text is all there is to compare: it is
//! written as a browser would write it, so no second spelling leads elsewhere.

use std::fmt;

use url::{Host, Url};

/// A URI that a client registered: `https`, `http` on this machine, or a scheme of its own (RFC 8252 §7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RedirectUri(String);

/// Why a URI cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRedirectUri {
    #[error("a redirect URI has at most {max} bytes of visible ASCII", max = RedirectUri::MAX_BYTES)]
    Text,
    #[error("a redirect URI has no fragment, no user name, no wildcard and no backslash")]
    Part,
    #[error("a redirect URI is absolute and written as browsers write it: lower-case host, no default port, no `..`")]
    Spelling,
    #[error(
        "a redirect URI begins with https://, with http:// on a loopback host, or with a scheme of the client's own that \
         has a dot, such as com.example.app:/"
    )]
    Scheme,
    #[error("the query of a redirect URI must not have the name of a response parameter")]
    Query,
}

/// What the answer's own parameters are called; a registered query must not have one of these names.
const RESPONSE: &[&str] =
    &["code", "state", "iss", "error", "error_description", "error_uri", "id_token", "access_token"];

impl RedirectUri {
    pub const MAX_BYTES: usize = 1024;

    /// # Errors
    /// [`BadRedirectUri`], the first reason.
    pub fn parse(text: &str) -> Result<Self, BadRedirectUri> {
        if text.is_empty() || text.len() > Self::MAX_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadRedirectUri::Text);
        }
        let url = Url::parse(text).map_err(|_| BadRedirectUri::Spelling)?;
        if text.contains(['#', '*', '\\', '@']) {
            return Err(BadRedirectUri::Part);
        }
        // `https://app.example` is the same as with a slash to every browser; nothing else has two spellings.
        if url.as_str() != text && url.as_str().strip_suffix('/') != Some(text) {
            return Err(BadRedirectUri::Spelling);
        }
        let good = match url.scheme() {
            "https" => url.has_host(),
            "http" => is_this_machine(&url),
            scheme => scheme.contains('.') && !url.has_host() && text.len() > scheme.len() + 1,
        };
        if !good {
            return Err(BadRedirectUri::Scheme);
        }
        if url.query_pairs().any(|(name, _)| RESPONSE.contains(&&*name)) {
            return Err(BadRedirectUri::Query);
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads a list separated by spaces, which no URI has.
    ///
    /// # Errors
    /// As [`RedirectUri::parse`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, BadRedirectUri> {
        text.split_ascii_whitespace().map(Self::parse).collect()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request may go to `wanted`: the same text, or the same but for the port on a loopback address, where a
    /// program takes the port it gets (RFC 8252 §7.3).
    pub fn admits(&self, wanted: &str) -> bool {
        if self.0 == wanted {
            return true;
        }
        LOOPBACK.iter().any(|prefix| match (self.0.strip_prefix(prefix), wanted.strip_prefix(prefix)) {
            (Some(own), Some(wanted)) => without_port(own).is_some() && without_port(own) == without_port(wanted),
            _ => false,
        })
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Only the addresses: the name `localhost` can be made to mean another machine.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// What follows the port, which may be missing; `None` if the host goes on.
fn without_port(rest: &str) -> Option<&str> {
    let Some(after) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest);
    };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let (port, rest) = after.split_at(end);
    let canonical = !port.starts_with('0') && port.parse::<u16>().is_ok();
    (canonical && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some(rest)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // RFC 6761 §6.3: names that never leave the machine.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Where this answer goes: a URI that a request named and its client registered. Only [`choose`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect(String);

/// Why a request is not answered where it asks to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRedirect {
    #[error("redirect_uri is not one that this client has registered")]
    Unknown,
    #[error("redirect_uri is missing, and the client has not registered exactly one")]
    Missing,
}

/// Where the answer to a request goes (OAuth 2.1 §2.3): to the registered URI it names, or to the only one there is.
///
/// # Errors
/// [`NoRedirect`]: nowhere.
pub fn choose(registered: &[RedirectUri], wanted: Option<&str>) -> Result<Redirect, NoRedirect> {
    match (wanted, registered) {
        (Some(wanted), _) if registered.iter().any(|uri| uri.admits(wanted)) => Ok(Redirect(wanted.to_owned())),
        (Some(_), _) => Err(NoRedirect::Unknown),
        (None, [only]) => Ok(Redirect(only.0.clone())),
        (None, _) => Err(NoRedirect::Missing),
    }
}

impl Redirect {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URI with parameters added to its query.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let added = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let joint = match (added.is_empty(), self.0.contains('?')) {
            (true, _) => "",
            (false, true) => "&",
            (false, false) => "?",
        };
        format!("{}{joint}{added}", self.0)
    }

    /// How a content security policy names where this leads: an origin, or a scheme where it has no name for the host.
    pub fn policy_source(&self) -> String {
        let (scheme, rest) = self.0.split_once(':').unwrap_or((&self.0, ""));
        let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
        match authority.filter(|host| !host.is_empty() && !host.starts_with('[')) {
            Some(authority) => format!("{scheme}://{authority}"),
            None => format!("{scheme}:"),
        }
    }

    /// Whether another program of the same machine could be listening there in the client's place (RFC 8252 §8.6).
    pub fn can_be_taken(&self) -> bool {
        !self.0.starts_with("https:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    // OAU-01
    #[test]
    fn what_may_be_registered() {
        for good in [
            "https://app.example/cb",
            "https://app.example",
            "https://app.example:8443/cb?tenant=a",
            "https://xn--bcher-kva.example/cb",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:3000/cb",
            "http://[::1]/cb",
            "http://localhost:3000/cb",
            "http://bank.localhost:4000/cb",
            "com.example.app:/oauth",
            "com.example.app:/oauth?x=1",
        ] {
            assert!(RedirectUri::parse(good).is_ok(), "{good}: {:?}", RedirectUri::parse(good));
        }
        use BadRedirectUri::*;
        for (bad, reason) in [
            ("", Text),
            ("https://app.example/ cb", Text),
            ("https://app.example/cb\n", Text),
            ("https://bücher.example/cb", Text),
            ("/cb", Spelling),
            ("//app.example/cb", Spelling),
            ("https:", Spelling),
            ("https://app.example/cb#x", Part),
            ("https://*.example/cb", Part),
            ("https://ada@app.example/cb", Part),
            ("https://app.example\\@evil.example/", Part),
            ("https://App.example/cb", Spelling),
            ("HTTPS://app.example/cb", Spelling),
            ("https://app.example:443/cb", Spelling),
            ("https://app.example/a/../cb", Spelling),
            ("https://app.example/%2e%2e/cb", Spelling),
            ("https:app.example/cb", Spelling),
            ("https:///app.example/cb", Spelling),
            ("http://2130706433/cb", Spelling),
            ("http://0x7f.1/cb", Spelling),
            ("http://app.example/cb", Scheme),
            ("http://10.0.0.1/cb", Scheme),
            ("http://127.0.0.2/cb", Scheme),
            ("http://localhost.evil.example/cb", Scheme),
            ("http://notlocalhost/cb", Scheme),
            ("javascript:alert(1)", Scheme),
            ("data:text/html,x", Scheme),
            ("vbscript:x", Scheme),
            ("file:///etc/passwd", Scheme),
            ("ftp://app.example/cb", Scheme),
            ("myapp:/cb", Scheme),
            ("myapp://cb", Scheme),
            ("com.example.app:", Scheme),
            ("com.example.app://host/cb", Scheme),
            ("https://app.example/cb?code=1", Query),
            ("https://app.example/cb?a=1&st%61te=2", Query),
        ] {
            assert_eq!(RedirectUri::parse(bad), Err(reason), "{bad:?}");
        }
        assert_eq!(RedirectUri::parse(&format!("https://a.example/{}", "x".repeat(1024))), Err(Text));
    }

    // OAU-01: tricks that have worked against one server or another.
    #[test]
    fn a_request_names_exactly_what_was_registered() {
        let registered = [uri("https://app.example/cb")];
        assert!(choose(&registered, Some("https://app.example/cb")).is_ok());
        for trick in [
            "https://app.example/cb/",
            "https://app.example/cb?",
            "https://app.example/cb?x=1",
            "https://app.example/cb#",
            "https://app.example/cb#x",
            "https://app.example/CB",
            "https://app.example/cb%00",
            "https://app.example/cb%0d%0aLocation:x",
            "https://app.example/cb/../cb",
            "https://app.example/cb/..",
            "https://app.example/cb/..;/evil",
            "https://app.example/./cb",
            "https://app.example//cb",
            "https://app.example/c%62",
            "https://app.example:443/cb",
            "https://app.example:8443/cb",
            "https://app.example./cb",
            "https://APP.example/cb",
            "https://app.example.evil.example/cb",
            "https://evil.example/https://app.example/cb",
            "https://app.example@evil.example/cb",
            "https://app.example:x@evil.example/cb",
            "https://evil.example#https://app.example/cb",
            "https://evil.example?https://app.example/cb",
            "https://evil.example\\@app.example/cb",
            "https:\\\\app.example\\cb",
            "https:/app.example/cb",
            "https:app.example/cb",
            "//app.example/cb",
            "/cb",
            "http://app.example/cb",
            "HTTPS://app.example/cb",
            "javascript:alert(1)//https://app.example/cb",
            "data:text/html,https://app.example/cb",
            " https://app.example/cb",
            "https://app.example/cb ",
            "https://app.example\t/cb",
            "https://аpp.example/cb",
            "https://*.example/cb",
            "",
        ] {
            assert_eq!(choose(&registered, Some(trick)), Err(NoRedirect::Unknown), "{trick:?}");
        }
    }

    // OAU-01, RFC 8252 §7.3
    #[test]
    fn only_loopback_addresses_may_vary_their_port() {
        let any = |registered: &str, wanted: &str| choose(&[uri(registered)], Some(wanted)).is_ok();
        for port in ["", ":1", ":80", ":3000", ":65535"] {
            assert!(any("http://127.0.0.1/cb", &format!("http://127.0.0.1{port}/cb")), "{port}");
            assert!(any("http://[::1]:9/cb?x=1", &format!("http://[::1]{port}/cb?x=1")), "{port}");
        }
        for trick in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:01/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:+80/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1:80.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.10/cb",
            "http://127.0.0.1@evil.example/cb",
            "http://127.0.0.1:80/other",
            "http://127.0.0.1:80/cb/",
            "http://127.0.0.1:80/cb?x=1",
            "http://127.0.0.1:80#/cb",
            "https://127.0.0.1:80/cb",
            "http://127.1:80/cb",
            "http://[::1]:80/cb",
            "http://localhost:80/cb",
        ] {
            assert!(!any("http://127.0.0.1/cb", trick), "{trick}");
        }
        assert!(!any("http://localhost:3000/cb", "http://localhost:3001/cb"));
        assert!(!any("https://app.example/cb", "https://app.example:3001/cb"));
        assert!(!any("com.example.app:/cb", "com.example.app:1/cb"));
    }

    #[test]
    fn without_a_uri_there_must_be_exactly_one() {
        let (one, other) = (uri("https://a.example/"), uri("https://b.example/"));
        assert_eq!(choose(std::slice::from_ref(&one), None).unwrap().as_str(), "https://a.example/");
        assert_eq!(choose(&[one, other], None), Err(NoRedirect::Missing));
        assert_eq!(choose(&[], None), Err(NoRedirect::Missing));
    }

    #[test]
    fn answers_are_added_to_the_query_that_is_there() {
        let to = |text: &str| choose(&[uri(text)], None).unwrap();
        assert_eq!(
            to("https://a.example/cb").with(&[("code", "x y"), ("iss", "https://i")]),
            "https://a.example/cb?code=x+y&iss=https%3A%2F%2Fi"
        );
        assert_eq!(to("https://a.example/cb?t=1").with(&[("error", "e&f")]), "https://a.example/cb?t=1&error=e%26f");
        assert_eq!(to("com.example.app:/cb").with(&[("code", "c")]), "com.example.app:/cb?code=c");
    }

    // http.md: a policy that lets the sign-in form's answer go on to the client and nowhere else.
    #[test]
    fn a_policy_names_the_origin_and_no_more() {
        let source = |text: &str| choose(&[uri(text)], None).unwrap().policy_source();
        assert_eq!(source("https://app.example:8443/cb?x=1"), "https://app.example:8443");
        assert_eq!(source("https://app.example"), "https://app.example");
        assert_eq!(source("http://127.0.0.1:3000/cb"), "http://127.0.0.1:3000");
        assert_eq!(source("http://[::1]:3000/cb"), "http:");
        assert_eq!(source("com.example.app:/cb"), "com.example.app:");
    }
}
