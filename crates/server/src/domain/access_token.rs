//! What an access token says: the claims of RFC 9068 and ours (`sid`, `rsn`, `roles`), and how long it may say it.

use std::time::Duration;

use countersign_jose::{AccessClaims, Audience, Basis, Org, b64};
use serde_json::{Map, Value, json};

use super::{
    audience::{AudienceRefusal, AudienceRules, admit, mapped_claims},
    rights::{self, permitted},
    time::Timestamp,
};

/// How long a token may live; the shortest bound holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// The wished lifetime, see [`wished_ttl`].
    pub ttl: Duration,
    /// The issuer's `access_token_ttl_cap`, which nothing exceeds (TOK-23).
    pub cap: Duration,
    /// The absolute end of the session; none for a client's own token.
    pub session_end: Option<Timestamp>,
}

impl Lifetime {
    /// `exp` of a token that is issued at `now`, Unix seconds.
    pub fn expiry(&self, now: Timestamp) -> i64 {
        let ttl = i64::try_from(self.ttl.min(self.cap).as_secs()).unwrap_or(i64::MAX);
        let exp = now.secs().saturating_add(ttl);
        self.session_end.map_or(exp, |end| exp.min(end.secs()))
    }
}

/// The lifetime that is asked for: the client's own, else the issuer's `default`; an audience's own limits it further.
pub fn wished_ttl(default: Duration, client: Option<Duration>, audiences: &[AudienceRules]) -> Duration {
    let of_audiences = audiences.iter().filter_map(|rules| rules.access_token_ttl).min();
    match (client, of_audiences) {
        (Some(client), Some(audience)) => client.min(audience),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => default,
    }
}

/// Whose token it is.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    User(UserSubject<'a>),
    /// The client itself (`client_credentials`): `sub` is its `client_id`.
    Client,
    /// Another client, whose own token this one was given in exchange for.
    OtherClient(&'a str),
}

/// What a token that was given in exchange for another says of that (RFC 8693).
#[derive(Debug, Clone, Copy)]
pub struct OnBehalf<'a> {
    /// Who acts for the subject.
    pub act: &'a Value,
    pub rests_on: &'a [Basis],
}

/// A person, and the session and sign-in that speak for them.
#[derive(Debug, Clone, Copy)]
pub struct UserSubject<'a> {
    pub user_id: &'a str,
    pub sid: &'a str,
    pub auth_time: Timestamp,
    /// How they signed in, RFC 8176.
    pub amr: &'a [String],
    pub acr: &'a str,
    /// What audiences may map into claims.
    pub attributes: &'a Map<String, Value>,
    /// The organisation that the session speaks for.
    pub organisation: Option<&'a str>,
}

/// Everything an access token is made of.
#[derive(Debug, Clone, Copy)]
pub struct AccessGrant<'a> {
    pub issuer: &'a str,
    pub subject: Subject<'a>,
    pub client_id: &'a str,
    pub audiences: &'a [AudienceRules],
    /// Space-separated; may be empty.
    pub scope: &'a str,
    /// The subject's roles, read in the snapshot that `rsn` stands for.
    pub roles: &'a [String],
    /// The position in the revocation log, by rule R3.
    pub rsn: i64,
    /// Thumbprint of the key that the token is bound to (RFC 9449, section 6.1); none: whoever holds the token may use it.
    pub key: Option<&'a str>,
    /// For a token that was given in exchange for another.
    pub on_behalf: Option<OnBehalf<'a>>,
    pub lifetime: Lifetime,
}

/// Why no access token is issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    #[error(transparent)]
    Audience(#[from] AudienceRefusal),
    /// Roles and permissions are more than a token carries.
    #[error(
        "the roles and permissions that count here are more than the {} bytes that a token carries: ask for one audience of \
         several, or have some taken away",
        rights::MAX_CLAIM_BYTES
    )]
    TooManyRights,
    /// Its session ends within this second, or its lifetime is below one second.
    #[error("the token would be expired when it is issued")]
    NoLifetime,
}

/// The claims of an access token that is issued at `now`, with the random `jti`.
///
/// # Errors
/// [`AccessRefusal`]: an audience is not for this subject, or no lifetime is left.
pub fn build(grant: &AccessGrant<'_>, now: Timestamp, jti: [u8; 16]) -> Result<AccessClaims, AccessRefusal> {
    admit(grant.audiences, grant.roles)?;
    let (iat, exp) = (now.secs(), grant.lifetime.expiry(now));
    if exp <= iat {
        return Err(AccessRefusal::NoLifetime);
    }
    let roles = sorted(grant.roles);
    let permissions = permitted(grant.audiences, &roles);
    if !rights::fit(&roles, &permissions) {
        return Err(AccessRefusal::TooManyRights);
    }
    let user = match grant.subject {
        Subject::User(user) => Some(user),
        Subject::Client | Subject::OtherClient(_) => None,
    };
    let sub = match grant.subject {
        Subject::User(user) => user.user_id,
        Subject::Client => grant.client_id,
        Subject::OtherClient(id) => id,
    };
    Ok(AccessClaims {
        iss: grant.issuer.to_owned(),
        sub: sub.to_owned(),
        aud: audience_claim(grant.audiences)?,
        client_id: grant.client_id.to_owned(),
        jti: b64::encode(jti),
        sid: user.map(|user| user.sid.to_owned()),
        iat,
        exp,
        nbf: None,
        rsn: Some(grant.rsn),
        scope: (!grant.scope.is_empty()).then(|| grant.scope.to_owned()),
        roles,
        permissions,
        org: user.and_then(|user| user.organisation).map(|id| Org { id: id.to_owned() }),
        auth_time: user.map(|user| user.auth_time.secs()),
        amr: user.map(|user| user.amr.to_vec()).unwrap_or_default(),
        acr: user.map(|user| user.acr.to_owned()),
        tid: None,
        cnf: grant.key.map(|key| json!({ "jkt": key })),
        act: grant.on_behalf.map(|on_behalf| on_behalf.act.clone()),
        rests_on: grant.on_behalf.map(|on_behalf| on_behalf.rests_on.to_vec()).unwrap_or_default(),
        extra: user.map(|user| mapped_claims(grant.audiences, user.attributes)).unwrap_or_default(),
    })
}

fn audience_claim(audiences: &[AudienceRules]) -> Result<Audience, AudienceRefusal> {
    match audiences {
        [] => Err(AudienceRefusal::NoAudience),
        [one] => Ok(Audience::One(one.audience.clone())),
        many => Ok(Audience::Many(many.iter().map(|rules| rules.audience.clone()).collect())),
    }
}

fn sorted(roles: &[String]) -> Vec<String> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use countersign_jose::{Algorithm, SigningKey, profile::AccessToken, sign};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::audience::ClaimMap;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_999_999);

    fn audience(name: &str) -> AudienceRules {
        AudienceRules {
            audience: name.to_owned(),
            alg: Algorithm::ES256,
            claims: ClaimMap::parse(r#"{"plan":"billing_plan"}"#).unwrap(),
            required_role: None,
            disabled_scopes: crate::domain::scope::Scope::default(),
            permissions: None,
            access_token_ttl: None,
            encryption: None,
        }
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    const LIFETIME: Lifetime =
        Lifetime { ttl: Duration::from_secs(600), cap: Duration::from_secs(3600), session_end: None };

    /// What a token of this grant carries, as anybody reads it.
    fn claims(grant: &AccessGrant<'_>) -> Value {
        let key = SigningKey::hmac(Algorithm::HS256, "k", &[0xA5; 32]).unwrap();
        let token = sign::<AccessToken>(&key, &build(grant, NOW, [0xFF; 16]).unwrap()).unwrap();
        serde_json::from_slice(&b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn a_users_token_says_who_signed_in_how_and_by_what_right() {
        // TOK-16, TOK-23, MFA-06
        let attributes = json!({"billing_plan": "gold", "phone": "1"});
        let user = UserSubject {
            user_id: "u_1",
            sid: "s_1",
            auth_time: Timestamp::from_secs(1_789_999_000),
            amr: &["pwd".to_owned()],
            acr: "1",
            attributes: attributes.as_object().unwrap(),
            organisation: Some("acme"),
        };
        let grant = AccessGrant {
            issuer: "https://id.example",
            subject: Subject::User(user),
            client_id: "first-party",
            audiences: &[audience("api")],
            scope: "orders:read",
            roles: &["seller".to_owned(), "buyer".to_owned(), "seller".to_owned()],
            rsn: 1_790_000_000_000_001,
            key: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
            on_behalf: None,
            lifetime: LIFETIME,
        };
        let expected = json!({
            "iss": "https://id.example", "sub": "u_1", "aud": "api", "client_id": "first-party",
            "jti": "_____________________w", "sid": "s_1", "iat": 1_790_000_000, "exp": 1_790_000_600,
            "rsn": 1_790_000_000_000_001_i64, "scope": "orders:read", "roles": ["buyer", "seller"],
            "auth_time": 1_789_999_000, "amr": ["pwd"], "acr": "1", "plan": "gold", "org": { "id": "acme" },
            "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" },
        });
        assert_eq!(claims(&grant), expected);
    }

    fn clients_grant(audiences: &[AudienceRules]) -> AccessGrant<'_> {
        AccessGrant {
            issuer: "https://id.example",
            subject: Subject::Client,
            client_id: "warehouse",
            audiences,
            scope: "",
            roles: &[],
            rsn: 7,
            key: None,
            on_behalf: None,
            lifetime: LIFETIME,
        }
    }

    #[test]
    fn a_clients_own_token_has_no_session_and_no_person() {
        // TOK-16
        let audiences = [audience("api"), audience("orders")];
        let claims = claims(&clients_grant(&audiences));
        assert_eq!(claims["sub"], "warehouse");
        assert_eq!(claims["aud"], json!(["api", "orders"]));
        for absent in ["sid", "auth_time", "amr", "acr", "scope", "plan", "nbf", "cnf", "org"] {
            assert!(claims.get(absent).is_none(), "{absent}: {claims}");
        }
    }

    #[test]
    fn an_audience_that_is_for_others_refuses() {
        let mut beta = audience("beta");
        beta.required_role = Some("tester".to_owned());
        let refusal = build(&clients_grant(&[beta]), NOW, [0; 16]).unwrap_err();
        assert!(matches!(refusal, AccessRefusal::Audience(AudienceRefusal::RoleRequired { .. })));
        let nobody = build(&clients_grant(&[]), NOW, [0; 16]).unwrap_err();
        assert_eq!(nobody, AccessRefusal::Audience(AudienceRefusal::NoAudience));
    }

    // ADM-01: permissions are said where they are asked for, and a token stays small.
    #[test]
    fn a_token_says_what_its_roles_permit_and_stays_small() {
        let mut orders = audience("orders");
        orders.permissions = Some(rights::Permits::new([("clerk", "orders:refund"), ("boss", "orders:close")]));
        let roles = ["clerk".to_owned()];
        let said = |audiences: &[AudienceRules]| {
            claims(&AccessGrant { roles: &roles, ..clients_grant(audiences) }).get("permissions").cloned()
        };
        assert_eq!(said(&[orders.clone()]), Some(json!(["orders:refund"])));
        for quiet in [vec![audience("api")], vec![orders.clone(), audience("api")]] {
            assert_eq!(said(&quiet), None);
        }
        let many: Vec<String> = (0..40).map(|n| format!("{n:060}")).collect();
        let refused = build(&AccessGrant { roles: &many, ..clients_grant(&[orders]) }, NOW, [0; 16]);
        assert_eq!(refused.unwrap_err(), AccessRefusal::TooManyRights);
    }

    #[test]
    fn the_client_and_the_audience_choose_within_the_cap() {
        // TOK-23
        let mut short = audience("short");
        short.access_token_ttl = Some(secs(60));
        let mut long = audience("long");
        long.access_token_ttl = Some(secs(86_400));
        let plain = audience("plain");
        assert_eq!(wished_ttl(secs(600), None, std::slice::from_ref(&plain)), secs(600));
        assert_eq!(wished_ttl(secs(600), Some(secs(900)), std::slice::from_ref(&plain)), secs(900));
        assert_eq!(wished_ttl(secs(600), Some(secs(900)), &[plain, short, long.clone()]), secs(60));
        let ttl = wished_ttl(secs(600), None, &[long]);
        let lifetime = Lifetime { ttl, ..LIFETIME };
        assert_eq!(lifetime.expiry(NOW), NOW.secs() + 3600, "the cap holds");
    }

    proptest! {
        /// TOK-23, REF-10: no token outlives the cap or its session, and an expired one is never made.
        #[test]
        fn no_token_outlives_its_bounds(ttl in 0..10_000_u64, cap in 0..10_000_u64, end in -100..20_000_000_000_i64) {
            let end = Timestamp::from_micros(NOW.micros() + end);
            let lifetime = Lifetime { ttl: secs(ttl), cap: secs(cap), session_end: Some(end) };
            let audiences = [audience("api")];
            match build(&AccessGrant { lifetime, ..clients_grant(&audiences) }, NOW, [0; 16]) {
                Ok(claims) => {
                    prop_assert!(claims.exp - claims.iat <= cap.min(ttl).cast_signed());
                    prop_assert!(claims.exp <= end.secs());
                    prop_assert!(claims.exp > NOW.secs());
                }
                Err(refusal) => {
                    prop_assert_eq!(refusal, AccessRefusal::NoLifetime);
                    prop_assert!(ttl.min(cap) == 0 || end.secs() <= NOW.secs());
                }
            }
        }
    }
}
