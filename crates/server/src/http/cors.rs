//! Which answers a page of another origin may read (CSR-08): those of the rows that `routes.rs` marks with `any_origin`. None
//! of them looks at a cookie of a foreign page, and no answer allows credentials, so what such a page may read it could have
//! asked for from anywhere.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::routes::{ROUTES, Route};

/// What a page may send: a client's or a token's credentials, a proof of possession (RFC 9449).
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, dpop");
/// What a page may read besides the body: the nonce for its next proof, and why it was refused.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static("dpop-nonce, www-authenticate, retry-after, x-request-id");
/// How long a browser remembers the answer, seconds: the longest that every browser accepts.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

const ANYBODY: HeaderValue = HeaderValue::from_static("*");

/// Lets a page of any origin read this row's answer, if the row says so.
pub fn open(route: &Route, headers: &mut HeaderMap) {
    if route.any_origin {
        allow(headers);
    }
}

/// Lets a page of any origin read an answer.
pub fn allow(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
}

/// The answer to a browser that asks before it sends (a preflight request of the Fetch standard).
pub fn preflight(path: &'static str) -> [(HeaderName, HeaderValue); 3] {
    let rows = ROUTES.iter().filter(|route| route.path == path && route.any_origin);
    let methods = rows.map(|route| route.verb.as_str()).collect::<Vec<_>>().join(", ");
    [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::try_from(methods).unwrap_or(HeaderValue::from_static("GET")),
        ),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ]
}
