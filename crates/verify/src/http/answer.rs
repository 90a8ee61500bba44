//! What the remote caller hears of a rejection: RFC 6750 and RFC 9449, and no more than a client needs to act (TOK-26).

use std::sync::LazyLock;

use bytes::Bytes;
use countersign_jose::dpop;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE},
};

use super::credentials::{Scheme, uses_proof};
use crate::{
    dpop::{DpopFault, NONCE},
    rejection::{Rejection, Unclear},
};

/// One row per kind of answer; every fault of a token shares one, so that nobody learns which check failed.
struct Answer {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
    /// Whether `WWW-Authenticate` names the error; a request without a token gets a bare challenge (RFC 6750 §3.1).
    challenge: Challenge,
}

enum Challenge {
    None,
    Bare,
    Error,
}

const MISSING: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    error: "unauthorized",
    description: "This needs an access token.",
    challenge: Challenge::Bare,
};
const UNCLEAR: Answer = Answer {
    status: StatusCode::BAD_REQUEST,
    error: "invalid_request",
    description: "Send exactly one access token, in exactly one way.",
    challenge: Challenge::Error,
};
const CROSS_SITE: Answer = Answer {
    status: StatusCode::FORBIDDEN,
    error: "cross_site",
    description: "This request must come from its own origin.",
    challenge: Challenge::None,
};
const INVALID: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    error: "invalid_token",
    description: "The access token was not accepted.",
    challenge: Challenge::Error,
};
const INVALID_PROOF: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    error: "invalid_dpop_proof",
    description: "The proof of possession was not accepted.",
    challenge: Challenge::Error,
};
const NEEDS_NONCE: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    error: "use_dpop_nonce",
    description: "The proof of possession needs the nonce in this answer.",
    challenge: Challenge::Error,
};
const INSUFFICIENT: Answer = Answer {
    status: StatusCode::FORBIDDEN,
    error: "insufficient_scope",
    description: "The access token does not permit this.",
    challenge: Challenge::Error,
};
const NOT_READY: Answer = Answer {
    status: StatusCode::SERVICE_UNAVAILABLE,
    error: "temporarily_unavailable",
    description: "Access tokens cannot be checked at the moment.",
    challenge: Challenge::None,
};
const UNGUARDED: Answer = Answer {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    error: "server_error",
    description: "The service could not answer.",
    challenge: Challenge::None,
};

impl Rejection {
    /// The status of [`response`](Self::response).
    pub fn status(&self) -> StatusCode {
        answer(self).status
    }

    /// The answer for the remote caller: status, `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1), `Retry-After` with 503, and
    /// a JSON body `{"error":…,"error_description":…}`. Never stored by a cache.
    pub fn response(&self) -> Response<Bytes> {
        self.answered(self.scheme())
    }

    /// As [`response`](Self::response), in the scheme in which the request with these headers presented its token.
    pub fn response_to(&self, headers: &HeaderMap) -> Response<Bytes> {
        self.answered(if uses_proof(headers) { Scheme::Dpop } else { self.scheme() })
    }

    /// A bearer token that is bound to a key is a matter of the other scheme (RFC 9449 §7.2).
    fn scheme(&self) -> Scheme {
        match self {
            Self::Dpop(fault) if !matches!(fault, DpopFault::Confirmation | DpopFault::NotAccepted) => Scheme::Dpop,
            _ => Scheme::Bearer,
        }
    }

    fn answered(&self, scheme: Scheme) -> Response<Bytes> {
        let answer = answer(self);
        let body = format!(r#"{{"error":"{}","error_description":"{}"}}"#, answer.error, answer.description);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = challenge(&answer, self, scheme) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        match self {
            Self::NotReady { retry_after, .. } => {
                drop(headers.insert(RETRY_AFTER, HeaderValue::from((*retry_after).max(1))));
            }
            Self::Stale { .. } | Self::Dpop(DpopFault::Full) => drop(headers.insert(RETRY_AFTER, HeaderValue::from(1))),
            Self::Dpop(DpopFault::Nonce { fresh }) => {
                headers.extend(HeaderValue::try_from(fresh).map(|nonce| (NONCE, nonce)));
            }
            _ => {}
        }
        if let Self::Unclear(Unclear::TwoCookies { clear }) = self {
            headers.insert(SET_COOKIE, HeaderValue::from_static(clear));
        }
        response
    }
}

fn answer(rejection: &Rejection) -> Answer {
    match rejection {
        Rejection::Missing => MISSING,
        Rejection::Unclear(_) => UNCLEAR,
        Rejection::CrossSite => CROSS_SITE,
        Rejection::Malformed(_)
        | Rejection::Algorithm { .. }
        | Rejection::Type { .. }
        | Rejection::Signature
        | Rejection::UnknownKey { .. }
        | Rejection::Issuer { .. }
        | Rejection::Audience { .. }
        | Rejection::Expired { .. }
        | Rejection::NotYet { .. }
        | Rejection::Lifetime { .. }
        | Rejection::Revoked { .. }
        | Rejection::KilledKey { .. }
        | Rejection::BelowFloor { .. }
        | Rejection::Inactive => INVALID,
        Rejection::Dpop(DpopFault::Nonce { .. }) => NEEDS_NONCE,
        Rejection::Dpop(DpopFault::Full) => NOT_READY,
        Rejection::Dpop(fault) if fault.is_of_proof() => INVALID_PROOF,
        Rejection::Dpop(_) => INVALID,
        Rejection::Scope { .. }
        | Rejection::Role { .. }
        | Rejection::Permission { .. }
        | Rejection::Organisation { .. } => INSUFFICIENT,
        Rejection::NotReady { .. } | Rejection::Stale { .. } => NOT_READY,
        Rejection::Unguarded => UNGUARDED,
    }
}

/// What a client that has no token yet hears of proofs, beside the challenge for bearer tokens (RFC 9449 §7.1).
pub(super) static PROOF_CHALLENGE: LazyLock<Option<HeaderValue>> =
    LazyLock::new(|| HeaderValue::try_from(format!("DPoP algs=\"{}\"", *ALGORITHMS)).ok());

/// By every name: an older client looks for `EdDSA`.
static ALGORITHMS: LazyLock<String> = LazyLock::new(|| dpop::algorithms().collect::<Vec<_>>().join(" "));

fn challenge(answer: &Answer, rejection: &Rejection, scheme: Scheme) -> Option<HeaderValue> {
    let error = match answer.challenge {
        Challenge::None => return None,
        // The scheme must carry at least one parameter (RFC 6750 §3).
        Challenge::Bare => return Some(HeaderValue::from_static("Bearer realm=\"api\"")),
        Challenge::Error => answer.error,
    };
    let mut text = match scheme {
        Scheme::Bearer => format!("Bearer error=\"{error}\""),
        Scheme::Dpop => format!("DPoP error=\"{error}\", algs=\"{}\"", *ALGORITHMS),
    };
    if let Rejection::Scope { required, .. } = rejection
        && required.bytes().all(is_scope_byte)
    {
        text = format!("{text}, scope=\"{required}\"");
    }
    HeaderValue::try_from(text).ok()
}

/// RFC 6750 §3: printable ASCII without `"` and `\`.
fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DpopFault;
    use countersign_jose::revocation::Kind;
    use http::header::HeaderName;
    use std::time::Duration;

    fn header(response: &Response<Bytes>, name: HeaderName) -> Option<&str> {
        response.headers().get(name).map(|value| value.to_str().expect("ASCII"))
    }

    // RFC 6750 §3.1
    #[test]
    fn a_missing_token_gets_a_challenge_without_an_error_code() {
        let response = Rejection::Missing.response();
        assert_eq!(response.status(), 401);
        assert_eq!(header(&response, WWW_AUTHENTICATE), Some("Bearer realm=\"api\""));
    }

    // TOK-26
    #[test]
    fn every_fault_of_a_token_sounds_the_same() {
        let expected = Rejection::Signature.response();
        assert_eq!(header(&expected, WWW_AUTHENTICATE), Some("Bearer error=\"invalid_token\""));
        assert_eq!(
            expected.body().as_ref(),
            br#"{"error":"invalid_token","error_description":"The access token was not accepted."}"#
        );
        let text = || String::from("secret detail");
        for rejection in [
            Rejection::not_a_token(0),
            Rejection::Algorithm { expected: text(), got: text() },
            Rejection::Type { got: text() },
            Rejection::UnknownKey { kid: text(), known: text() },
            Rejection::Issuer { expected: text(), got: text() },
            Rejection::Audience { expected: text(), got: text() },
            Rejection::Expired { exp: 1, now: 2 },
            Rejection::NotYet { from: 2, now: 1 },
            Rejection::Lifetime { cap: 1, got: 2 },
            Rejection::Revoked { kind: Kind::User, rsn: 7 },
            Rejection::KilledKey { kid: text() },
            Rejection::BelowFloor { rsn: 1, floor: 2 },
            Rejection::Inactive,
            Rejection::Dpop(DpopFault::Confirmation),
            Rejection::Dpop(DpopFault::NotAccepted),
        ] {
            let response = rejection.response();
            assert_eq!(response.status(), expected.status());
            assert_eq!(response.headers(), expected.headers());
            assert_eq!(response.body(), expected.body());
        }
    }

    // RFC 9449 §7.1, §7.2, TOK-26
    #[test]
    fn faults_of_a_proof_are_answered_in_its_scheme() {
        let mut with_proof = HeaderMap::new();
        with_proof.insert(http::header::AUTHORIZATION, HeaderValue::from_static("DPoP a.b.c"));
        let of = |rejection: &Rejection| {
            let response = rejection.response();
            let same = rejection.response_to(&with_proof);
            assert_eq!((response.headers(), response.body()), (same.headers(), same.body()), "{rejection}");
            let challenge = header(&response, WWW_AUTHENTICATE).map(str::to_owned);
            (response.status().as_u16(), challenge.unwrap_or_default())
        };
        let invalid = (401, format!("DPoP error=\"invalid_token\", algs=\"{}\"", *ALGORITHMS));
        assert!(ALGORITHMS.contains("ES256 ") && !ALGORITHMS.contains("HS256"));
        for fault in [DpopFault::Bearer, DpopFault::Unbound] {
            assert_eq!(of(&Rejection::Dpop(fault)), invalid);
        }
        let proof = (401, format!("DPoP error=\"invalid_dpop_proof\", algs=\"{}\"", *ALGORITHMS));
        for fault in [
            DpopFault::Headers { got: 0 },
            DpopFault::Headers { got: 2 },
            DpopFault::Proof(dpop::ProofError::TokenHash),
            DpopFault::Proof(dpop::ProofError::Token(countersign_jose::Error::Signature)),
            DpopFault::Target,
            DpopFault::Replayed,
        ] {
            assert_eq!(of(&Rejection::Dpop(fault)), proof);
        }
        let nonce = Rejection::Dpop(DpopFault::Nonce { fresh: "abc".into() });
        assert_eq!(of(&nonce).1, format!("DPoP error=\"use_dpop_nonce\", algs=\"{}\"", *ALGORITHMS));
        assert_eq!(header(&nonce.response(), NONCE), Some("abc"));
        let full = Rejection::Dpop(DpopFault::Full).response();
        assert_eq!((full.status().as_u16(), header(&full, RETRY_AFTER)), (503, Some("1")));
        // What is wrong with a token that came with a proof is said in the same scheme.
        let expired = Rejection::Expired { exp: 1, now: 2 };
        assert_eq!(header(&expired.response(), WWW_AUTHENTICATE), Some("Bearer error=\"invalid_token\""));
        assert_eq!(header(&expired.response_to(&with_proof), WWW_AUTHENTICATE), Some(invalid.1.as_str()));
    }

    // RFC 6750 §3.1
    #[test]
    fn missing_rights_are_403_and_name_only_the_scope() {
        let scope = Rejection::Scope { required: "orders:write".into(), granted: "orders:read".into() }.response();
        assert_eq!(scope.status(), 403);
        assert_eq!(
            header(&scope, WWW_AUTHENTICATE),
            Some("Bearer error=\"insufficient_scope\", scope=\"orders:write\"")
        );
        let role = Rejection::Role { required: "admin".into(), granted: String::new() }.response();
        assert_eq!(role.status(), 403);
        assert_eq!(header(&role, WWW_AUTHENTICATE), Some("Bearer error=\"insufficient_scope\""));
        for other in [
            Rejection::Permission { required: "orders:refund".into(), granted: String::new() },
            Rejection::Organisation { required: "acme".into(), got: "globex".into() },
        ] {
            assert_eq!((other.status(), other.response().headers()), (role.status(), role.headers()), "TOK-26");
        }
        let odd = Rejection::Scope { required: "a\"b\r\n".into(), granted: String::new() }.response();
        assert_eq!(header(&odd, WWW_AUTHENTICATE), Some("Bearer error=\"insufficient_scope\""));
    }

    #[test]
    fn not_ready_is_503_and_says_when_to_come_back() {
        let response = Rejection::NotReady { retry_after: 7, cause: "connection refused".into() }.response();
        assert_eq!((response.status().as_u16(), header(&response, RETRY_AFTER)), (503, Some("7")));
        assert_eq!(header(&response, WWW_AUTHENTICATE), None);
        assert!(!String::from_utf8_lossy(response.body()).contains("refused"));
        // A 401 would make clients sign their users out.
        let stale = Rejection::Stale { age: Duration::from_secs(11), bound: Duration::from_secs(10) }.response();
        assert_eq!((stale.status().as_u16(), header(&stale, RETRY_AFTER)), (503, Some("1")));
    }

    // CSR-02
    #[test]
    fn twin_cookies_are_cleared() {
        let clear = "__Host-access=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";
        let response = Rejection::Unclear(Unclear::TwoCookies { clear }).response();
        assert_eq!((response.status().as_u16(), header(&response, SET_COOKIE)), (400, Some(clear)));
    }

    #[test]
    fn other_refusals_have_their_own_status() {
        assert_eq!(Rejection::CrossSite.status(), 403);
        assert_eq!(Rejection::Unclear(Unclear::TwoMethods).status(), 400);
        assert_eq!(Rejection::Unguarded.status(), 500);
        assert_eq!(header(&Rejection::Unguarded.response(), CACHE_CONTROL), Some("no-store"));
    }
}
