//! Where a request carries its token: `Authorization: Bearer`, or the cookie where the service opted in.

use http::{
    HeaderMap, HeaderName, Method,
    header::{AUTHORIZATION, COOKIE, ORIGIN, UPGRADE},
};

use crate::rejection::{Rejection, Unclear};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The access cookie of the issuer's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessCookie {
    name: &'static str,
    origin: String,
}

impl AccessCookie {
    /// The cookie that the issuer at `origin` sets: `__Host-` and `Secure` everywhere but on a plain-HTTP loopback
    /// issuer, where a browser would refuse them.
    pub(crate) fn of_issuer(url: &url::Url) -> Self {
        let name = if url.scheme() == "https" { "__Host-access" } else { "access" };
        Self { name, origin: url.origin().ascii_serialization() }
    }

    /// The `Set-Cookie` value that removes it.
    pub(crate) fn clearing(&self) -> &'static str {
        match self.name {
            "access" => "access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            _ => "__Host-access=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
        }
    }
}

/// A token, and how it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Presented<'h> {
    pub(crate) token: &'h str,
    pub(crate) scheme: Scheme,
}

/// What a token asks of whoever presents it, by their own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Nothing (RFC 6750).
    Bearer,
    /// A proof (RFC 9449 §7.1).
    Dpop,
}

/// Whether a request presents its token with the scheme `DPoP`: the answer speaks in the same.
pub(crate) fn uses_proof(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
    value
        .and_then(|value| value.split(|byte| *byte == b' ').next())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop"))
}

/// The one token of a request. `Ok(None)`: it carries none. Tokens in the query or a form are ignored (OAU-07).
pub(crate) fn find<'h>(
    method: &Method,
    headers: &'h HeaderMap,
    cookie: Option<&AccessCookie>,
) -> Result<Option<Presented<'h>>, Rejection> {
    let presented = authorization(headers)?;
    let Some(cookie) = cookie else { return Ok(presented) };
    match (presented, cookie_value(headers, cookie)?) {
        (Some(_), Some(_)) => Err(Rejection::Unclear(Unclear::TwoMethods)),
        (None, Some(token)) => {
            check_same_origin(method, headers, cookie)?;
            Ok(Some(Presented { token, scheme: Scheme::Bearer }))
        }
        (presented, None) => Ok(presented),
    }
}

/// RFC 6750 §2.1, RFC 9449 §7.1 and RFC 9110 §11.4: `Bearer 1*SP token68` or `DPoP 1*SP token68`, the scheme in any case,
/// the header once. Another scheme is no token of ours; what follows the spaces is left to the token's own grammar.
fn authorization(headers: &HeaderMap) -> Result<Option<Presented<'_>>, Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Rejection::Unclear(Unclear::TwoHeaders));
    }
    let bytes = value.as_bytes();
    let scheme_end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at(scheme_end);
    let scheme = match scheme {
        _ if scheme.eq_ignore_ascii_case(b"bearer") => Scheme::Bearer,
        _ if scheme.eq_ignore_ascii_case(b"dpop") => Scheme::Dpop,
        _ => return Ok(None),
    };
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    text(&rest[spaces..]).map(|token| Some(Presented { token, scheme }))
}

/// CSR-02: names are compared as raw bytes, with no trimming or decoding of any kind. `; ` separates (RFC 6265
/// §4.2.1); a name with more white space, or in quotes, is another name.
fn cookie_value<'h>(headers: &'h HeaderMap, cookie: &AccessCookie) -> Result<Option<&'h str>, Rejection> {
    let lines = headers.get_all(COOKIE).iter().map(http::HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| {
        line.split(|byte| *byte == b';')
            .enumerate()
            .map(|(at, pair)| if at == 0 { pair } else { pair.strip_prefix(b" ").unwrap_or(pair) })
    });
    let mut values = pairs.filter_map(|pair| pair.strip_prefix(cookie.name.as_bytes())?.strip_prefix(b"="));
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Rejection::Unclear(Unclear::TwoCookies { clear: cookie.clearing() }));
    }
    text(value).map(Some)
}

/// A cookie is sent by the browser, whoever made the page. What changes state, and what opens a connection that the
/// same-origin policy does not cover (an upgrade to WebSocket), must come from the issuer's own origin (CSR-05).
fn check_same_origin(method: &Method, headers: &HeaderMap, cookie: &AccessCookie) -> Result<(), Rejection> {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if safe && !headers.contains_key(UPGRADE) {
        return Ok(());
    }
    let same_origin = only(headers, &ORIGIN) == Some(cookie.origin.as_bytes())
        || only(headers, &SEC_FETCH_SITE) == Some(b"same-origin");
    if same_origin { Ok(()) } else { Err(Rejection::CrossSite) }
}

/// The value of a header that occurs exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.as_bytes())
}

/// A token is ASCII; other bytes are refused here as the token's own grammar would.
fn text(bytes: &[u8]) -> Result<&str, Rejection> {
    let foreign = bytes.iter().position(|byte| !byte.is_ascii());
    match (foreign, std::str::from_utf8(bytes)) {
        (None, Ok(text)) => Ok(text),
        (at, _) => Err(Rejection::not_a_token(at.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        }
        headers
    }

    fn cookie() -> AccessCookie {
        AccessCookie::of_issuer(&url::Url::parse("https://id.example").expect("a URL"))
    }

    fn get(lines: &[(&'static str, &'static str)]) -> Result<Option<String>, Rejection> {
        let headers = headers(lines);
        find(&Method::GET, &headers, Some(&cookie())).map(|found| found.map(|found| found.token.to_owned()))
    }

    // RFC 6750 §2.1
    #[test]
    fn the_bearer_scheme_is_read_strictly() {
        let token = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(get(&[]), Ok(None));
        assert_eq!(get(&[("authorization", "Bearer a.b.c")]), token("a.b.c"));
        assert_eq!(get(&[("authorization", "bEARER   a.b.c")]), token("a.b.c"));
        assert_eq!(get(&[("authorization", "Bearer")]), token(""), "an empty token is a malformed one");
        assert_eq!(get(&[("authorization", "Bearer a.b.c, Bearer d")]), token("a.b.c, Bearer d"), "refused as a token");
        assert_eq!(get(&[("authorization", "Bearera.b.c")]), Ok(None));
        assert_eq!(get(&[("authorization", "Bearer\ta.b.c")]), Ok(None));
        assert_eq!(get(&[("authorization", "Basic dXNlcjpwdw==")]), Ok(None));
        assert_eq!(get(&[("authorization", "Bearer ä.b.c")]), Err(Rejection::not_a_token(0)));
    }

    // RFC 9449 §7.1
    #[test]
    fn the_scheme_says_what_the_token_asks_for() {
        let scheme = |value: &'static str| {
            let headers = headers(&[("authorization", value)]);
            let found = find(&Method::GET, &headers, None)
                .expect("one token")
                .map(|found| (found.token.to_owned(), found.scheme));
            assert_eq!(
                uses_proof(&headers),
                found.as_ref().is_some_and(|(_, scheme)| *scheme == Scheme::Dpop),
                "{value}"
            );
            found
        };
        assert_eq!(scheme("DPoP a.b.c"), Some(("a.b.c".into(), Scheme::Dpop)));
        assert_eq!(scheme("dpop  a.b.c"), Some(("a.b.c".into(), Scheme::Dpop)));
        assert_eq!(scheme("Bearer a.b.c"), Some(("a.b.c".into(), Scheme::Bearer)));
        assert_eq!(scheme("DPoPx a.b.c"), None);
        assert_eq!(scheme("DPoP\ta.b.c"), None);
    }

    // RFC 6750 §2, OAU-07
    #[test]
    fn two_ways_of_sending_a_token_are_refused() {
        let unclear = |kind| Err(Rejection::Unclear(kind));
        let bearer = ("authorization", "Bearer a.b.c");
        assert_eq!(get(&[bearer, bearer]), unclear(Unclear::TwoHeaders));
        assert_eq!(get(&[bearer, ("authorization", "Basic eA==")]), unclear(Unclear::TwoHeaders));
        assert_eq!(get(&[bearer, ("cookie", "__Host-access=a.b.c")]), unclear(Unclear::TwoMethods));
        let bound = ("authorization", "DPoP a.b.c");
        assert_eq!(get(&[bearer, bound]), unclear(Unclear::TwoHeaders));
        assert_eq!(get(&[bound, ("cookie", "__Host-access=a.b.c")]), unclear(Unclear::TwoMethods));
    }

    // CSR-02
    #[test]
    fn cookie_names_are_raw_bytes_and_twins_are_refused() {
        let token = || Ok(Some("a.b.c".to_owned()));
        let twins = || Err(Rejection::Unclear(Unclear::TwoCookies { clear: cookie().clearing() }));
        assert_eq!(get(&[("cookie", "__Host-access=a.b.c")]), token());
        assert_eq!(get(&[("cookie", "x=1; __Host-access=a.b.c; y=2")]), token());
        assert_eq!(get(&[("cookie", "x=1"), ("cookie", "__Host-access=a.b.c")]), token(), "HTTP/2 splits the line");
        assert_eq!(get(&[("cookie", "__Host-access=a.b.c; __Host-access=d")]), twins());
        assert_eq!(get(&[("cookie", "__Host-access=a.b.c"), ("cookie", "__Host-access=d")]), twins());
        for disguised in [
            "x=1;  __Host-access=a.b.c",
            "__Host-access =a.b.c",
            "__host-access=a.b.c",
            "__Host-access2=a.b.c",
            "%5F_Host-access=a.b.c",
            "\u{2000}__Host-access=a.b.c",
            "\"__Host-access\"=a.b.c",
            "$Version=1,__Host-access=a.b.c",
            "__Host-access",
            "access=a.b.c",
        ] {
            assert_eq!(get(&[("cookie", disguised)]), Ok(None), "{disguised:?}");
        }
    }

    // CSR-05
    #[test]
    fn a_cookie_changes_state_only_from_its_own_origin() {
        let attempt = |method: Method, lines: &[(&'static str, &'static str)]| {
            let mut headers = headers(lines);
            headers.insert(COOKIE, HeaderValue::from_static("__Host-access=a.b.c"));
            find(&method, &headers, Some(&cookie())).map(|_| ())
        };
        let cross = || Err(Rejection::CrossSite);
        let own = ("origin", "https://id.example");
        assert_eq!(attempt(Method::POST, &[own]), Ok(()));
        assert_eq!(attempt(Method::POST, &[("sec-fetch-site", "same-origin")]), Ok(()));
        assert_eq!(attempt(Method::POST, &[]), cross());
        assert_eq!(attempt(Method::POST, &[own, own]), cross());
        for foreign in ["https://evil.example", "http://id.example", "https://id.example.evil.example", "null"] {
            assert_eq!(attempt(Method::DELETE, &[("origin", foreign)]), cross(), "{foreign}");
        }
        for site in ["same-site", "cross-site", "none"] {
            assert_eq!(attempt(Method::POST, &[("sec-fetch-site", site)]), cross(), "{site}");
        }
        assert_eq!(attempt(Method::GET, &[]), Ok(()));
        assert_eq!(attempt(Method::GET, &[("upgrade", "websocket")]), cross(), "cross-site WebSocket hijacking");
        assert_eq!(attempt(Method::GET, &[("upgrade", "websocket"), own]), Ok(()));
    }

    #[test]
    fn a_cookie_is_no_token_where_nobody_asked_for_it() {
        let headers = headers(&[("cookie", "__Host-access=a.b.c")]);
        assert_eq!(find(&Method::GET, &headers, None), Ok(None));
    }

    // CSR-01, on a plain-HTTP loopback issuer
    #[test]
    fn a_loopback_issuer_has_a_cookie_without_prefix() {
        let cookie = AccessCookie::of_issuer(&url::Url::parse("http://localhost:8080").expect("a URL"));
        assert_eq!((cookie.name, cookie.origin.as_str()), ("access", "http://localhost:8080"));
        assert!(!cookie.clearing().contains("Secure"));
    }
}
