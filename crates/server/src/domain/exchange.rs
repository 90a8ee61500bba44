//! Token exchange (RFC 8693): what a service that was shown a token gets in its place, to call the next one with.
//!
//! Nothing grows on the way: scope, roles and lifetime are at most those of the token that was shown. The new one says who acts
//! (`act`) and rests on the old one (`rests_on`): whatever ends that, ends this.

use countersign_jose::{AccessClaims, Basis, Confirmation};
use serde_json::{Value, json};

use super::{client::ClientSettings, scope::Scope};

/// The only kind of token that is taken and given (RFC 8693 §3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A token that was shown: claims that were verified, and the key that had signed them.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub claims: &'a AccessClaims,
    pub kid: Option<&'a str>,
}

/// The client that asks. It has proved itself.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    pub id: &'a str,
    pub settings: &'a ClientSettings,
    /// Thumbprint of the key that it proved with this request.
    pub key: Option<&'a str>,
}

/// Why nothing is exchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the token was not issued to this client and is not meant for an audience that it serves")]
    NotForYou,
    #[error("the token is bound to a key: prove a key of your own with the request, so that the new one is bound, too")]
    Unproved,
    #[error("the token is bound to another key than the one that was proved")]
    OtherKey,
    #[error("the token asks for a confirmation that is not known here")]
    Confirmation,
    #[error("the actor's token was itself made by an exchange: an actor speaks for itself")]
    ActorActs,
    #[error("the token has been exchanged too often on its way")]
    TooDeep,
    #[error("this client may not exchange tokens for the audience {0}")]
    Audience(String),
    #[error("scope must be a part of what the token has and of what this client may have")]
    Scope,
}

/// What the new token says besides whom it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchanged {
    /// Who acts, and who did before (RFC 8693 §4.1).
    pub act: Value,
    pub rests_on: Vec<Basis>,
    /// The latest `exp`, Unix seconds.
    pub until: i64,
}

impl Asker<'_> {
    /// Whether this client may show that token at all. A service has the tokens that were shown to it because they are meant for
    /// it; whoever got hold of another one has stolen it.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn may_show(&self, claims: &AccessClaims) -> Result<(), Refusal> {
        let own = claims.client_id == self.id;
        let served = self.settings.serves.iter().any(|audience| claims.aud.contains(audience.as_str()));
        if !own && !served {
            return Err(Refusal::NotForYou);
        }
        match (claims.confirmation(), self.key) {
            (Confirmation::Bearer, _) => Ok(()),
            (Confirmation::Unknown, _) => Err(Refusal::Confirmation),
            // A bound token never becomes one that whoever holds it may use.
            (Confirmation::Key(_), None) => Err(Refusal::Unproved),
            (Confirmation::Key(bound), Some(proved)) if own && bound != proved => Err(Refusal::OtherKey),
            (Confirmation::Key(_), Some(_)) => Ok(()),
        }
    }

    /// The audiences of the new token: the one that was asked for, else those that it has. An administrator has allowed each.
    ///
    /// # Errors
    /// [`Refusal::Audience`]
    pub fn audiences(&self, subject: &AccessClaims, wanted: Option<&str>) -> Result<Vec<String>, Refusal> {
        let names: Vec<&str> = wanted.map_or_else(|| subject.aud.iter().collect(), |wanted| vec![wanted]);
        let allowed = |name: &str| self.settings.exchanges.iter().any(|audience| audience.as_str() == name);
        match names.iter().find(|name| !allowed(name)) {
            Some(name) => Err(Refusal::Audience((*name).to_owned())),
            None => Ok(names.into_iter().map(str::to_owned).collect()),
        }
    }

    /// What was asked for, else all that both the token and this client have (TOK-21).
    ///
    /// # Errors
    /// [`Refusal::Scope`]
    pub fn scope(&self, subject: &AccessClaims, wanted: Option<&Scope>) -> Result<Scope, Refusal> {
        let had: Scope = subject.scope.as_deref().unwrap_or_default().parse().unwrap_or_default();
        had.intersect(&self.settings.scopes).grant(wanted).ok_or(Refusal::Scope)
    }

    /// The chain of who acts, and what the new token rests on. `actor`: the token of whoever acts, where it is not this client.
    ///
    /// # Errors
    /// [`Refusal::ActorActs`], [`Refusal::TooDeep`]
    pub fn exchange(&self, subject: Shown<'_>, actor: Option<Shown<'_>>) -> Result<Exchanged, Refusal> {
        if actor.is_some_and(|actor| actor.claims.act.is_some()) {
            return Err(Refusal::ActorActs);
        }
        let mut act = json!({ "sub": actor.map_or(self.id, |actor| &actor.claims.sub) });
        if let Some(before) = &subject.claims.act {
            act["act"] = before.clone();
        }
        let mut rests_on = vec![basis(subject)];
        rests_on.extend(actor.map(basis));
        rests_on.extend_from_slice(&subject.claims.rests_on);
        if rests_on.len() > Basis::MAX {
            return Err(Refusal::TooDeep);
        }
        let until = actor.map_or(i64::MAX, |actor| actor.claims.exp).min(subject.claims.exp);
        Ok(Exchanged { act, rests_on, until })
    }
}

/// Roles of the new token: those of the old one that count at its audiences, too.
pub fn roles(subject: &AccessClaims, effective: &[String]) -> Vec<String> {
    effective.iter().filter(|role| subject.roles.contains(role)).cloned().collect()
}

fn basis(shown: Shown<'_>) -> Basis {
    let claims = shown.claims;
    Basis {
        jti: claims.jti.clone(),
        client_id: claims.client_id.clone(),
        sub: claims.sub.clone(),
        // Below an exchanged token lies the one that its session belongs to, which names it.
        sid: claims.sid.clone().filter(|_| claims.rests_on.is_empty()),
        kid: shown.kid.map(str::to_owned),
        rsn: claims.rsn.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use countersign_jose::Audience;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        audience_id::AudienceId,
        client::{AccessTokenFormat, SignInSettings},
    };

    fn ids(names: &str) -> Vec<AudienceId> {
        AudienceId::parse_list(names).unwrap()
    }

    fn settings() -> ClientSettings {
        ClientSettings {
            name: "Orders".into(),
            scopes: "read write".parse().unwrap(),
            audiences: ids("orders"),
            grants: "token_exchange".parse().unwrap(),
            roles: Vec::new(),
            alg: None,
            serves: ids("orders"),
            exchanges: ids("bills stock"),
            access_token_ttl: None,
            refresh_idle: None,
            refresh_absolute: None,
            dpop_bound: false,
            access_token_format: AccessTokenFormat::Signed,
            sign_in: SignInSettings::default(),
        }
    }

    fn asker<'a>(settings: &'a ClientSettings, key: Option<&'a str>) -> Asker<'a> {
        Asker { id: "orders-service", settings, key }
    }

    fn token() -> AccessClaims {
        AccessClaims {
            sub: "usr_ada".into(),
            aud: Audience::One("orders".into()),
            client_id: "shop".into(),
            jti: "t1".into(),
            sid: Some("s1".into()),
            exp: 1000,
            rsn: Some(7),
            scope: Some("openid read".into()),
            roles: vec!["buyer".into(), "staff".into()],
            ..AccessClaims::default()
        }
    }

    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    const OTHER: &str = "1ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    // OAU-15: only its own, or one that is meant for it.
    #[test]
    fn a_client_shows_what_it_was_given() {
        let settings = settings();
        let asker = asker(&settings, None);
        assert_eq!(asker.may_show(&token()), Ok(()));
        let own = AccessClaims { client_id: "orders-service".into(), aud: "other".into(), ..token() };
        assert_eq!(asker.may_show(&own), Ok(()));
        let stolen = AccessClaims { aud: "bills".into(), ..token() };
        assert_eq!(asker.may_show(&stolen), Err(Refusal::NotForYou));
    }

    // RFC 9449: what was bound stays bound; the client's own token to the same key.
    #[test]
    fn a_bound_token_becomes_no_bearer_token() {
        let settings = settings();
        let bound = AccessClaims { cnf: Some(json!({ "jkt": JKT })), ..token() };
        assert_eq!(asker(&settings, None).may_show(&bound), Err(Refusal::Unproved));
        assert_eq!(asker(&settings, Some(OTHER)).may_show(&bound), Ok(()));
        let own = AccessClaims { client_id: "orders-service".into(), ..bound.clone() };
        assert_eq!(asker(&settings, Some(OTHER)).may_show(&own), Err(Refusal::OtherKey));
        assert_eq!(asker(&settings, Some(JKT)).may_show(&own), Ok(()));
        let unknown = AccessClaims { cnf: Some(json!({ "x5t#S256": JKT })), ..token() };
        assert_eq!(asker(&settings, Some(JKT)).may_show(&unknown), Err(Refusal::Confirmation));
    }

    #[test]
    fn audiences_are_those_that_an_administrator_named() {
        let settings = settings();
        let asker = asker(&settings, None);
        assert_eq!(asker.audiences(&token(), Some("bills")), Ok(vec!["bills".to_owned()]));
        assert_eq!(asker.audiences(&token(), Some("admin")), Err(Refusal::Audience("admin".into())));
        // Not even the one that it has, unless it is named.
        assert_eq!(asker.audiences(&token(), None), Err(Refusal::Audience("orders".into())));
        let many = AccessClaims { aud: Audience::Many(vec!["stock".into(), "bills".into()]), ..token() };
        assert_eq!(asker.audiences(&many, None), Ok(vec!["stock".to_owned(), "bills".to_owned()]));
    }

    #[test]
    fn the_chain_says_who_acts_and_what_it_rests_on() {
        let settings = settings();
        let asker = asker(&settings, None);
        let subject = token();
        let first = asker.exchange(Shown { claims: &subject, kid: Some("k") }, None).unwrap();
        assert_eq!((first.act.clone(), first.until), (json!({ "sub": "orders-service" }), 1000));
        let link = &first.rests_on[0];
        assert_eq!((&*link.jti, &*link.client_id, link.kid.as_deref(), link.rsn), ("t1", "shop", Some("k"), 7));
        let agent = AccessClaims { sub: "usr_bob".into(), jti: "a1".into(), exp: 900, ..token() };
        let next = AccessClaims { act: Some(first.act), rests_on: first.rests_on, jti: "t2".into(), ..token() };
        let shown = |claims| Shown { claims, kid: None };
        let second = asker.exchange(shown(&next), Some(shown(&agent))).unwrap();
        assert_eq!(second.act, json!({ "sub": "usr_bob", "act": { "sub": "orders-service" } }));
        let names: Vec<&str> = second.rests_on.iter().map(|basis| &*basis.jti).collect();
        assert_eq!((names, second.until), (vec!["t2", "a1", "t1"], 900));
        assert_eq!(asker.exchange(shown(&subject), Some(shown(&next))), Err(Refusal::ActorActs));
        let deep = AccessClaims { rests_on: vec![second.rests_on[0].clone(); Basis::MAX], ..token() };
        assert_eq!(asker.exchange(shown(&deep), None), Err(Refusal::TooDeep));
    }

    proptest! {
        // TOK-21: whatever is asked for, scope and roles only shrink.
        #[test]
        fn nothing_grows(had in "([a-e]( [a-e]){0,4})?", may in "([a-e]( [a-e]){0,4})?", wanted in "([a-e]( [a-e]){0,4})?",
                         roles_now in proptest::collection::vec("(buyer|staff|admin)", 0..4)) {
            let settings = ClientSettings { scopes: may.parse().unwrap(), ..settings() };
            let subject = AccessClaims { scope: Some(had.clone()), ..token() };
            let (had, may, wanted): (Scope, Scope, Scope) =
                (had.parse().unwrap(), may.parse().unwrap(), wanted.parse().unwrap());
            for wanted in [None, Some(&wanted)] {
                if let Ok(scope) = asker(&settings, None).scope(&subject, wanted) {
                    prop_assert!(scope.is_subset(&had) && scope.is_subset(&may));
                    prop_assert!(wanted.is_none_or(|wanted| *wanted == scope));
                }
            }
            prop_assert!(!roles(&subject, &roles_now).iter().any(|role| role == "admin"));
        }
    }
}
