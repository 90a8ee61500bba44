//! What a resource server (an audience) asks of its tokens: who may have them, which key signs them, which of the
//! user's attributes they carry.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use countersign_jose::Algorithm;
use serde_json::{Map, Value};

use super::{encryption::Encryption, rights::Permits, scope::Scope};

/// Claims that mean something to a verifier or to another kind of token. No mapping may set them.
const RESERVED: &[&str] = &[
    "acr",
    "act",
    "amr",
    "at_hash",
    "ath",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "events",
    "exp",
    "htm",
    "htu",
    "iat",
    "iss",
    "jti",
    "may_act",
    "nbf",
    "nonce",
    "org",
    "permissions",
    "rests_on",
    "roles",
    "rsn",
    "scope",
    "sid",
    "status",
    "sub",
    "tid",
];

/// One audience's rules for access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRules {
    /// Its identifier, the value of `aud`.
    pub audience: String,
    /// The algorithm that signs its tokens. HS256: with the secret that it alone shares with the issuer.
    pub alg: Algorithm,
    pub claims: ClaimMap,
    /// Only subjects with this role get its tokens.
    pub required_role: Option<String>,
    /// Scopes that its tokens carry for nobody, until they are allowed again.
    pub disabled_scopes: Scope,
    /// What roles permit here, if its tokens say that.
    pub permissions: Option<Permits>,
    /// Its own token lifetime, if shorter or longer than the issuer's.
    pub access_token_ttl: Option<Duration>,
    /// Its key, for clients whose access tokens are encrypted.
    pub encryption: Option<Encryption>,
}

impl AudienceRules {
    /// Whether tokens made under these rules may say or allow more than `new` would: they must end when the rules change.
    pub fn outdated_by(&self, new: &Self) -> bool {
        self.claims != new.claims || (self.required_role != new.required_role && new.required_role.is_some())
    }
}

/// Custom claims: claim name → name of the user's attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimMap(BTreeMap<String, String>);

/// Why a mapping is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimMapError {
    #[error("the mapping is not a JSON object of claim names and attribute names")]
    NotAMapping,
    #[error("the claim {0:?} is reserved and cannot be mapped")]
    Reserved(String),
    #[error("a claim needs a name")]
    EmptyName,
}

/// Why an audience's tokens are refused to somebody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudienceRefusal {
    #[error("a token needs an audience")]
    NoAudience,
    /// The audience is only for subjects with a role that this one does not have.
    #[error("the audience {audience:?} is only for subjects with the role {role:?}")]
    RoleRequired { audience: String, role: String },
    /// One token has one signature: audiences of different algorithms, or with a secret of their own, cannot share it.
    #[error("the audiences {0:?} and {1:?} cannot share a token: they are signed with different keys")]
    DifferentKeys(String, String),
    /// A client wants encrypted tokens, and there is not the one recipient.
    #[error("an encrypted token is for one audience that has registered a key; ask for one of several with resource")]
    NoRecipient,
}

/// An algorithm that no audience's tokens can be signed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAlgorithm {
    #[error("no such algorithm: {0:?}")]
    Unknown(String),
    /// The secret that an audience shares with the issuer has 32 bytes and is for HS256.
    #[error("a shared secret is for HS256, not for {0}")]
    Secret(Algorithm),
}

/// The algorithm of this name, for the tokens of an audience: each that has a public key, or HS256.
///
/// # Errors
/// [`BadAlgorithm`].
pub fn algorithm(name: &str) -> Result<Algorithm, BadAlgorithm> {
    match name.parse::<Algorithm>() {
        Ok(alg) if alg.is_symmetric() && alg != Algorithm::HS256 => Err(BadAlgorithm::Secret(alg)),
        Ok(alg) => Ok(alg),
        Err(_) => Err(BadAlgorithm::Unknown(name.to_owned())),
    }
}

/// Whether a token that is signed like this can be a browser's cookie. A cookie's name and value have at most 4096 bytes together
/// (RFC 6265bis §5.6), and browsers drop a longer one without a word: the signatures of ML-DSA-65 and ML-DSA-87 alone are longer.
pub fn fits_a_cookie(alg: Algorithm) -> bool {
    // Four characters for three bytes; the rest is for a header and claims of the usual size. RSA keys are short enough.
    alg.signature_len().is_none_or(|bytes| bytes.div_ceil(3) * 4 + HEADER_AND_CLAIMS <= COOKIE_BYTES)
}

/// Characters of a cookie's name and value (CSR-01).
pub const COOKIE_BYTES: usize = 4096;
const HEADER_AND_CLAIMS: usize = 640;

/// Which key signs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChoice<'a> {
    /// The issuer's active key of this algorithm.
    Ring(Algorithm),
    /// The secret shared with this audience.
    Audience(&'a str),
}

impl ClaimMap {
    /// Reads a mapping from the JSON object that the store keeps.
    ///
    /// # Errors
    /// [`ClaimMapError`]: not a mapping, or one that would set a reserved claim.
    pub fn parse(json: &str) -> Result<Self, ClaimMapError> {
        let map: BTreeMap<String, String> = serde_json::from_str(json).map_err(|_| ClaimMapError::NotAMapping)?;
        Self::new(map)
    }

    /// A mapping from claim names to attribute names.
    ///
    /// # Errors
    /// [`ClaimMapError`]: it would set a reserved claim, or a name is empty.
    pub fn new(map: BTreeMap<String, String>) -> Result<Self, ClaimMapError> {
        for (claim, attribute) in &map {
            if RESERVED.contains(&claim.as_str()) {
                return Err(ClaimMapError::Reserved(claim.clone()));
            }
            if claim.is_empty() || attribute.is_empty() {
                return Err(ClaimMapError::EmptyName);
            }
        }
        Ok(Self(map))
    }

    /// The JSON object that the store keeps.
    pub fn to_json(&self) -> String {
        Value::from_iter(self.0.iter().map(|(claim, attribute)| (claim.clone(), attribute.clone()))).to_string()
    }

    /// Whether a claim is made of one of these attributes.
    pub fn reads_any(&self, attributes: &BTreeSet<&str>) -> bool {
        self.0.values().any(|attribute| attributes.contains(attribute.as_str()))
    }

    /// The claims that a user with these attributes gets; an attribute that is absent or null makes no claim.
    fn claims<'a>(&'a self, attributes: &'a Map<String, Value>) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let found = self.0.iter().filter_map(|(claim, attribute)| Some((claim, attributes.get(attribute)?)));
        found.filter(|(_, value)| !value.is_null())
    }
}

/// The mapped claims of a token for these audiences. Where two audiences map one claim, the first one's holds.
pub fn mapped_claims(audiences: &[AudienceRules], attributes: &Map<String, Value>) -> Map<String, Value> {
    let mut mapped = Map::new();
    for (claim, value) in audiences.iter().flat_map(|rules| rules.claims.claims(attributes)) {
        mapped.entry(claim.clone()).or_insert_with(|| value.clone());
    }
    mapped
}

/// What a token for all of these audiences may say of `scope`.
pub fn enabled_scope(audiences: &[AudienceRules], scope: &Scope) -> Scope {
    audiences.iter().fold(scope.clone(), |scope, rules| scope.without(&rules.disabled_scopes))
}

/// Whether a subject with these roles may have a token for all of these audiences.
///
/// # Errors
/// [`AudienceRefusal`] names the first audience that refuses.
pub fn admit(audiences: &[AudienceRules], roles: &[String]) -> Result<(), AudienceRefusal> {
    for rules in audiences {
        if let Some(role) = rules.required_role.as_ref().filter(|role| !roles.contains(role)) {
            return Err(AudienceRefusal::RoleRequired { audience: rules.audience.clone(), role: role.clone() });
        }
    }
    Ok(())
}

/// The key that signs a token for all of these audiences. `own` is the client's wish, which counts where the audiences
/// check with the issuer's public keys.
///
/// # Errors
/// [`AudienceRefusal`]: there is no audience, or no key that all of them share.
pub fn key_choice(audiences: &[AudienceRules], own: Option<Algorithm>) -> Result<KeyChoice<'_>, AudienceRefusal> {
    let (first, others) = audiences.split_first().ok_or(AudienceRefusal::NoAudience)?;
    let is_secret = first.alg.is_symmetric();
    let fits =
        |other: &AudienceRules| !is_secret && (other.alg == first.alg || own.is_some() && !other.alg.is_symmetric());
    if let Some(other) = others.iter().find(|other| !fits(other)) {
        return Err(AudienceRefusal::DifferentKeys(first.audience.clone(), other.audience.clone()));
    }
    Ok(if is_secret { KeyChoice::Audience(&first.audience) } else { KeyChoice::Ring(own.unwrap_or(first.alg)) })
}

/// To whom a token for these audiences is encrypted.
///
/// # Errors
/// [`AudienceRefusal::NoRecipient`]
pub fn recipient(audiences: &[AudienceRules]) -> Result<&Encryption, AudienceRefusal> {
    match audiences {
        [AudienceRules { encryption: Some(recipient), .. }] => Ok(recipient),
        _ => Err(AudienceRefusal::NoRecipient),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_algorithm_with_a_public_key_can_sign_and_one_with_a_secret() {
        for alg in Algorithm::all() {
            let refused = alg.is_symmetric() && alg != Algorithm::HS256;
            let expected = if refused { Err(BadAlgorithm::Secret(alg)) } else { Ok(alg) };
            assert_eq!(algorithm(alg.as_str()), expected);
        }
        assert_eq!(algorithm("none"), Err(BadAlgorithm::Unknown("none".to_owned())));
    }

    // CSR-01
    #[test]
    fn only_the_longest_signatures_are_too_long_for_a_cookie() {
        let long: Vec<_> = Algorithm::all().filter(|alg| !fits_a_cookie(*alg)).collect();
        assert_eq!(long, [Algorithm::MlDsa65, Algorithm::MlDsa87]);
    }

    fn audience(name: &str, alg: Algorithm) -> AudienceRules {
        AudienceRules {
            audience: name.to_owned(),
            alg,
            claims: ClaimMap::default(),
            required_role: None,
            disabled_scopes: Scope::default(),
            permissions: None,
            access_token_ttl: None,
            encryption: None,
        }
    }

    #[test]
    fn a_mapping_sets_no_claim_that_means_something() {
        for name in RESERVED {
            let json = json!({ *name: "attribute" }).to_string();
            assert_eq!(ClaimMap::parse(&json), Err(ClaimMapError::Reserved((*name).to_owned())));
        }
        assert_eq!(ClaimMap::parse(r#"{"a":1}"#), Err(ClaimMapError::NotAMapping));
        assert_eq!(ClaimMap::parse("[]"), Err(ClaimMapError::NotAMapping));
        assert_eq!(ClaimMap::parse(r#"{"":"a"}"#), Err(ClaimMapError::EmptyName));
    }

    #[test]
    fn a_mapping_survives_the_store() {
        let map = ClaimMap::parse(r#"{"plan":"billing_plan","locale":"locale"}"#).unwrap();
        assert_eq!(ClaimMap::parse(&map.to_json()).unwrap(), map);
        assert_eq!(ClaimMap::default().to_json(), "{}");
    }

    #[test]
    fn attributes_become_claims_and_the_rest_stays_home() {
        // TOK-23
        let mut orders = audience("orders", Algorithm::ES256);
        orders.claims = ClaimMap::parse(r#"{"plan":"billing_plan","locale":"locale","none":"nothing"}"#).unwrap();
        let mut billing = audience("billing", Algorithm::ES256);
        billing.claims = ClaimMap::parse(r#"{"plan":"other","vat":"vat"}"#).unwrap();
        let user = json!({"billing_plan": "gold", "other": "x", "vat": ["a", 1], "locale": null, "phone": 1});
        let claims = mapped_claims(&[orders, billing], user.as_object().unwrap());
        assert_eq!(Value::from(claims), json!({"plan": "gold", "vat": ["a", 1]}));
    }

    #[test]
    fn an_audience_may_be_for_some_only() {
        let mut beta = audience("beta", Algorithm::ES256);
        beta.required_role = Some("tester".to_owned());
        let audiences = [audience("api", Algorithm::ES256), beta];
        assert_eq!(admit(&audiences, &["buyer".to_owned(), "tester".to_owned()]), Ok(()));
        let refusal = AudienceRefusal::RoleRequired { audience: "beta".to_owned(), role: "tester".to_owned() };
        assert_eq!(admit(&audiences, &["buyer".to_owned()]), Err(refusal));
    }

    #[test]
    fn a_secret_is_shared_with_one_audience_alone() {
        let (es, other, rs) =
            (audience("a", Algorithm::ES256), audience("b", Algorithm::ES256), audience("c", Algorithm::RS256));
        let (hs, hs2) = (audience("h", Algorithm::HS256), audience("i", Algorithm::HS256));
        assert_eq!(key_choice(&[], None), Err(AudienceRefusal::NoAudience));
        assert_eq!(key_choice(&[es.clone(), other], None), Ok(KeyChoice::Ring(Algorithm::ES256)));
        // A client's own algorithm counts where public keys check, and never replaces a secret.
        let own = Some(Algorithm::Ed25519);
        assert_eq!(key_choice(&[es.clone(), rs.clone()], own), Ok(KeyChoice::Ring(Algorithm::Ed25519)));
        assert!(key_choice(&[es.clone(), hs.clone()], own).is_err());
        assert_eq!(key_choice(std::slice::from_ref(&hs), Some(Algorithm::Ed25519)), Ok(KeyChoice::Audience("h")));
        for mixed in [[es.clone(), rs], [hs.clone(), hs2], [es.clone(), hs.clone()], [hs, es]] {
            assert!(matches!(key_choice(&mixed, None), Err(AudienceRefusal::DifferentKeys(..))), "{mixed:?}");
        }
    }
}
