//! How long a key set stays fresh, by the answer's own headers (RFC 9111 §4.2), within bounds of ours.

use std::time::Duration;

use http::{
    HeaderMap,
    header::{AGE, CACHE_CONTROL},
};

/// The bounds keep a careless header from hammering the issuer, and from hiding a removed key for a day.
const SHORTEST: u64 = 60;
const LONGEST: u64 = 3_600;
const UNSAID: u64 = 300;

pub(super) fn fresh_for(headers: &HeaderMap) -> Duration {
    let age = headers.get(AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
    let lifetime = max_age(headers).unwrap_or(UNSAID).saturating_sub(age);
    Duration::from_secs(lifetime.clamp(SHORTEST, LONGEST))
}

fn max_age(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives = values.flat_map(|value| value.split(',')).map(str::trim);
    let mut found = None;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(0);
        }
        if name.eq_ignore_ascii_case("max-age") && found.is_none() {
            // A malformed number means stale (RFC 9111 §4.2.1).
            found = Some(value.trim_matches('"').parse().unwrap_or(0));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn secs(pairs: &[(&'static str, &'static str)]) -> u64 {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        fresh_for(&headers).as_secs()
    }

    #[test]
    fn freshness_follows_the_headers_within_bounds() {
        for (headers, expected) in [
            (&[][..], 300),
            (&[("cache-control", "public, max-age=600")], 600),
            (&[("cache-control", "Max-Age=\"600\"")], 600),
            (&[("cache-control", "max-age=600"), ("age", "120")], 480),
            (&[("cache-control", "max-age=600"), ("age", "9999")], 60),
            (&[("cache-control", "max-age=1")], 60),
            (&[("cache-control", "max-age=31536000")], 3_600),
            (&[("cache-control", "max-age=99999999999999999999999")], 60),
            (&[("cache-control", "max-age=x")], 60),
            (&[("cache-control", "max-age")], 60),
            (&[("cache-control", "max-age=600"), ("cache-control", "no-store")], 60),
            (&[("age", "-5")], 300),
        ] {
            assert_eq!(secs(headers), expected, "{headers:?}");
        }
    }
}
