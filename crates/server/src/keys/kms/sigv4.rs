//! AWS Signature Version 4, as far as one service that takes JSON by POST needs it. The crate of AWS stands on RustCrypto's hashes
//! and brings sixteen others; this is a page.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};

use super::credentials::Credentials;
use crate::domain::time::Timestamp;

/// What a signature is good for.
pub(super) struct Scope<'a> {
    pub region: &'a str,
    pub service: &'a str,
    pub at: Timestamp,
}

/// A request, without a query.
pub(super) struct Said<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// In lower case; the date is added.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a str,
}

/// The headers that the signature adds.
pub(super) struct Signed {
    pub authorization: String,
    /// `x-amz-date`
    pub date: String,
}

/// Signs a request with all of its headers.
pub(super) fn sign(credentials: &Credentials, scope: &Scope<'_>, said: &Said<'_>) -> Signed {
    let date = basic_date(scope.at);
    let day = &date[..8];
    let mut headers = said.headers.to_vec();
    headers.push(("x-amz-date", &date));
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!("{}\n{}\n\n{lines}\n{names}\n{}", said.method, said.path, hex_hash(said.body));

    let Scope { region, service, .. } = scope;
    let place = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{place}\n{}", hex_hash(&canonical));
    let first = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_key.expose()));
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes());
    for part in [day, region, service, "aws4_request"] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
    }
    let signature = hex(hmac::sign(&key, text.as_bytes()).as_ref());
    let by = &credentials.access_key;
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={by}/{place}, SignedHeaders={names}, Signature={signature}");
    Signed { authorization, date }
}

/// `20150830T123600Z`
fn basic_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.secs()).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn hex_hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::PlainSecret;

    /// AWS's own test suite, `get-vanilla` and `post-vanilla`, and one with a body by botocore.
    #[test]
    fn requests_are_signed_as_aws_says() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: PlainSecret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: None,
        };
        let scope = Scope { region: "us-east-1", service: "service", at: Timestamp::from_secs(1_440_938_160) };
        let host = ("host", "example.amazonaws.com");
        let signature = |method, headers: &[(&str, &str)], body| {
            let signed = sign(&credentials, &scope, &Said { method, path: "/", headers, body });
            assert_eq!(signed.date, "20150830T123600Z");
            signed.authorization.rsplit('=').next().unwrap().to_owned()
        };
        assert_eq!(signature("GET", &[host], ""), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        assert_eq!(signature("POST", &[host], ""), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
        let typed = [("content-type", "application/x-www-form-urlencoded"), host];
        assert_eq!(
            signature("POST", &typed, "Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }
}
