//! `POST /api/admin/revocations`: ends tokens, sessions, users' and clients' authority, a tenant's, or a signing key, and
//! says from when on no verifier accepts what was ended.

use axum::{Json as Answer, extract::State};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::scope;
use crate::{
    app::App,
    domain::{email::Email, revocation::EffectiveBy, time::Timestamp, user::UserId},
    errors,
    http::{
        TENANT,
        access_token::{Shown, Wanted},
        body::{BULK_BODY, Json},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    keys::KeyRingError,
    store::{
        revocations::{self, Targets},
        users,
    },
};

/// Ends of one call: they are one transaction, so that a mass sign-out happens as a whole.
const MAX_ITEMS: usize = 10_000;

/// What an end is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// All sessions and tokens that a user has now.
    User,
    /// One session.
    Session,
    /// One access token.
    Token,
    /// All sessions and tokens that a client has now.
    Client,
    /// All sessions and tokens of everybody in a tenant.
    Tenant,
    /// A signing key, for ever, and everything it signed.
    Key,
}

/// One end.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    pub kind: Kind,
    /// A user's id or e-mail address, a `sid`, a `jti` or the access token itself, a client's id, a tenant, a `kid`.
    pub id: String,
    /// Why, in your own words: kept with the security event and with a session that ends.
    pub reason: Option<String>,
    /// Of a `jti`: when the token expires, Unix seconds; default: the longest life of any token from now on.
    pub exp: Option<i64>,
}

/// The body: one end, or a list of at most 10,000.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Revocations {
    One(Revocation),
    Many(Vec<Revocation>),
}

/// From when on nobody accepts what was ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Revoked {
    /// A verifier that knows the log up to here knows these ends.
    pub rsn: i64,
    /// When this was durable at the latest, RFC 3339. Ends that are older are not asked for their own time.
    pub committed_at: String,
    pub effective_by: By,
    /// New entries of the log; 0 if all of it had ended before.
    pub appended: usize,
    /// Ids that there is nothing of; the others were ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// RFC 3339, by the profile of the verifiers. One that is connected knows within a second.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct By {
    pub strict: String,
    /// The default profile.
    pub balanced: String,
}

/// `POST /api/admin/revocations`: answers after the commit.
pub async fn revoke(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<Revocations, BULK_BODY>,
) -> Result<Answer<Revoked>, ApiError> {
    let (items, single) = match body {
        Revocations::One(item) => (vec![item], true),
        Revocations::Many(items) => (items, false),
    };
    if items.len() > MAX_ITEMS {
        return Err(ApiError::new(errors::INVALID_VALUE).detail(format!("at most {MAX_ITEMS} at once")));
    }
    let items = with_user_ids(&app, items).await?;
    let (targets, kids) = targets(&app, &items)?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let mut ended = app
        .store
        .write(move |tx| {
            let (targets, act) = (targets.clone(), act.clone());
            Box::pin(async move { revocations::end(tx, &targets, &act).await })
        })
        .await?;
    crate::failpoint::hit("revocation.committed");
    for kid in kids {
        match app.ring.revoke(&kid, scope(&app), &context.source(admin.actor())).await {
            Ok(true) => ended.appended += 1,
            Ok(false) => {}
            Err(KeyRingError::NoSuchKey(_)) => ended.unknown.push(kid),
            Err(error) => return Err(error.into()),
        }
        let head = app.store.read(|tx| Box::pin(revocations::head(tx))).await?;
        ended.rsn = ended.rsn.max(head.rsn);
    }
    if single && !ended.unknown.is_empty() {
        return Err(ApiError::new(errors::NOT_FOUND).detail("there is nothing of this id"));
    }
    Ok(Answer(revoked(app.clock.now(), &ended)))
}

/// A time as RFC 3339.
pub(super) fn text(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.micros()).map(|at| at.to_string()).unwrap_or_default()
}

/// What to answer once it is durable.
fn revoked(committed_at: Timestamp, ended: &revocations::Ended) -> Revoked {
    let by = EffectiveBy::after(committed_at);
    Revoked {
        rsn: ended.rsn.get(),
        committed_at: text(committed_at),
        effective_by: By { strict: text(by.strict), balanced: text(by.balanced) },
        appended: ended.appended,
        unknown: ended.unknown.clone(),
    }
}

/// Users that are named by their e-mail address, by their id. An address that nobody has stays as it is: unknown.
async fn with_user_ids(app: &App, items: Vec<Revocation>) -> Result<Vec<Revocation>, ApiError> {
    let is_address = |item: &Revocation| item.kind == Kind::User && UserId::parse(&item.id).is_none();
    if !items.iter().any(is_address) {
        return Ok(items);
    }
    let found = app.store.read(move |tx| {
        let mut items = items.clone();
        Box::pin(async move {
            for item in items.iter_mut().filter(|item| is_address(item)) {
                let Ok(email) = Email::parse(&item.id) else { continue };
                if let Some(user) = users::by_email(tx, TENANT, email.key()).await? {
                    item.id = user.id.to_string();
                }
            }
            Ok(items)
        })
    });
    Ok(found.await?)
}

/// What to end, and the signing keys apart: each of those needs a successor.
fn targets(app: &App, items: &[Revocation]) -> Result<(Targets, Vec<String>), ApiError> {
    let mut targets = Targets { tenant: TENANT.to_owned(), ..Targets::default() };
    let mut kids = Vec::new();
    for item in items {
        if item.exp.is_some() && item.kind != Kind::Token {
            return Err(ApiError::field(errors::INVALID_VALUE, "exp", "only a token has one"));
        }
        let id = match item.kind {
            Kind::Token => {
                let Some((jti, exp)) = token(app, item)? else { continue };
                targets.tokens.push((jti.clone(), exp));
                jti
            }
            _ => item.id.clone(),
        };
        if let Some(reason) = &item.reason {
            targets.notes.insert(id.clone(), reason.clone());
        }
        match item.kind {
            Kind::User => targets.users.push(id),
            Kind::Session => targets.sessions.push(id),
            Kind::Client => targets.clients.push(id),
            Kind::Tenant => targets.tenants.push(id),
            Kind::Key => kids.push(id),
            Kind::Token => {}
        }
    }
    Ok((targets, kids))
}

/// `jti` and `exp` of a token that is named or shown; `None` if it is shown and has expired.
fn token(app: &App, item: &Revocation) -> Result<Option<(String, i64)>, ApiError> {
    let bad = |field, why: &str| ApiError::field(errors::INVALID_VALUE, field, why);
    let latest = app.clock.now().plus(app.config.access_token_ttl_cap).secs();
    if !item.id.contains('.') {
        let exp = item.exp.unwrap_or(latest);
        // An entry that outlives every token is kept and sent for nothing.
        return if exp > latest {
            Err(bad("exp", "no token lives longer than access_token_ttl_cap"))
        } else {
            Ok(Some((item.id.clone(), exp)))
        };
    }
    let shown = Shown::read(app, &item.id, Wanted { expired_too: true, ..Wanted::default() })
        .map_err(|error| bad("id", "not an access token of this issuer").log(error.to_string()))?;
    Ok((shown.exp() > app.clock.now().secs() - 60).then(|| (shown.jti().to_owned(), shown.exp())))
}

/// By hand, so that what is wrong in one of many is said precisely.
impl<'de> Deserialize<'de> for Revocations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Revocations;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a revocation or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Revocations, A::Error> {
                Revocation::deserialize(MapAccessDeserializer::new(map)).map(Revocations::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Revocations, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Revocations::Many(all))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}
