//! What an ID token says: who signed in at which client, when and how (OpenID Connect Core §2).

use aws_lc_rs::digest;
use countersign_jose::{Algorithm, Audience, IdClaims, b64};

use super::time::Timestamp;

/// What signs the ID tokens of a client that chose nothing else: every client verifies it.
pub const DEFAULT_ALG: Algorithm = Algorithm::ES256;

/// Everything an ID token is made of.
#[derive(Debug, Clone, Copy)]
pub struct IdGrant<'a> {
    pub issuer: &'a str,
    /// Whom the client knows the person as.
    pub subject: &'a str,
    pub client_id: &'a str,
    pub sid: &'a str,
    pub auth_time: Timestamp,
    /// Space-separated, RFC 8176.
    pub amr: &'a str,
    pub acr: &'a str,
    /// The client's own value, unchanged.
    pub nonce: Option<&'a str>,
    /// The access token that is given out with it.
    pub access_token: &'a str,
    /// The algorithm that will sign it.
    pub alg: Algorithm,
    /// Unix seconds.
    pub exp: i64,
}

/// The claims of an ID token that is issued at `now`.
pub fn build(grant: &IdGrant<'_>, now: Timestamp) -> IdClaims {
    IdClaims {
        iss: grant.issuer.to_owned(),
        sub: grant.subject.to_owned(),
        aud: Audience::One(grant.client_id.to_owned()),
        iat: now.secs(),
        exp: grant.exp,
        nonce: grant.nonce.map(str::to_owned),
        auth_time: Some(grant.auth_time.secs()),
        acr: Some(grant.acr.to_owned()).filter(|acr| !acr.is_empty()),
        amr: grant.amr.split_ascii_whitespace().map(str::to_owned).collect(),
        sid: Some(grant.sid.to_owned()),
        at_hash: half_hash(grant.alg, grant.access_token),
        ..IdClaims::default()
    }
}

/// The left half of the hash of a token, with the hash of the ID token's own algorithm (OpenID Connect Core §3.1.3.6). The
/// name of each algorithm that has one ends with it, but for Ed25519, which hashes with SHA-512 (RFC 8032 §5.1); what has none
/// leaves the claim out, as it may.
fn half_hash(alg: Algorithm, token: &str) -> Option<String> {
    let name = alg.as_str();
    let hash = match name {
        _ if alg == Algorithm::Ed25519 || name.ends_with("512") => &digest::SHA512,
        _ if name.ends_with("384") => &digest::SHA384,
        _ if name.contains("256") => &digest::SHA256,
        _ => return None,
    };
    let hash = digest::digest(hash, token.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    Some(b64::encode(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    // OpenID Connect Core, appendix A.3: the access token and the at_hash of its example.
    #[test]
    fn the_hash_is_that_of_the_specifications_example() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(Algorithm::RS256, token).as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
        let lengths = |alg| half_hash(alg, token).map(|text| text.len());
        assert_eq!(lengths(Algorithm::ES256K), Some(22));
        assert_eq!(lengths(Algorithm::ES384), Some(32));
        assert_eq!(lengths(Algorithm::Ed25519), Some(43));
        assert_eq!(lengths(Algorithm::MlDsa65), None);
    }

    // MFA-06
    #[test]
    fn it_says_what_happened_and_for_whom() {
        let grant = IdGrant {
            issuer: "https://id.example",
            subject: "usr_a",
            client_id: "app",
            sid: "s",
            auth_time: Timestamp::from_secs(5),
            amr: "pwd otp",
            acr: "1",
            nonce: Some("n"),
            access_token: "t",
            alg: DEFAULT_ALG,
            exp: 99,
        };
        let claims = build(&grant, Timestamp::from_secs(9));
        assert_eq!((claims.iss.as_str(), claims.sub.as_str()), ("https://id.example", "usr_a"));
        assert_eq!((claims.aud, claims.azp), (Audience::One("app".into()), None));
        assert_eq!((claims.iat, claims.exp, claims.auth_time), (9, 99, Some(5)));
        assert_eq!((claims.nonce.as_deref(), claims.sid.as_deref()), (Some("n"), Some("s")));
        assert_eq!(claims.amr, ["pwd", "otp"]);
        assert!(claims.at_hash.is_some());
    }
}
