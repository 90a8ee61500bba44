//! `/api/account/factors/passkeys`: a new passkey. The browser makes it from options that are good for five minutes, for the sign-in that
//! asked for them; it counts at once.

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{super::recovery_codes::drawn, Change, may_change, totp::shown};
use crate::{
    app::App,
    domain::{
        audit::Event,
        factor::{FactorId, FactorName, Kind},
        mail::Letter,
        passkey::{
            Asked, MAX_PASSKEYS, UserHandle,
            answer::{Attestation, Credential},
            challenge::{Binding, Challenge, Purpose},
            options::{self, Owner},
            registered,
        },
        recovery::RecoveryHash,
        user::UserId,
    },
    errors,
    http::{
        body::{Json, LARGE_BODY},
        caller::SignedIn,
        context::Context,
        error::ApiError,
        mail, passkey,
    },
    store::{
        StoreError, Tx,
        dialect::{RowKey, lock_rows},
        factors,
        mails::NewMail,
        passkeys::{self, NotKept},
        recovery_codes, users,
    },
};

/// What a passkey is called whose owner says nothing.
const NAME: &str = "Passkey";

/// The body of `POST /api/account/factors/passkeys`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// What its owner calls it; default: "Passkey".
    pub name: Option<String>,
    /// The browser's answer to the options, as its `toJSON()` writes it.
    pub credential: Credential<Attestation>,
    /// Sign everybody out but this sign-in; default: false.
    #[serde(default)]
    pub end_other_sessions: bool,
}

/// A passkey that was added.
#[derive(Debug)]
pub(in crate::http) struct Added {
    id: FactorId,
    name: FactorName,
    /// With the first factor, in this answer and nowhere else.
    pub recovery_codes: Option<Vec<String>>,
}

/// `POST /api/account/factors/passkeys/options`
pub async fn begin(State(app): State<App>, caller: SignedIn) -> Result<Answer<Value>, ApiError> {
    Ok(Answer(json!({ "publicKey": asked(&app, &caller).await? })))
}

/// `POST /api/account/factors/passkeys`: with the first factor come ten recovery codes.
pub async fn finish(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Json(body): Json<NewPasskey, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let added = add(&app, &context, &caller, body).await?;
    let answer =
        json!({ "id": added.id.as_str(), "name": added.name.as_str(), "recovery_codes": added.recovery_codes });
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// The options for whoever is signed in.
///
/// # Errors
/// `sign-in-stale`, `step-up-needed`, `passkeys-unavailable`
pub(in crate::http) async fn asked(app: &App, caller: &SignedIn) -> Result<Value, ApiError> {
    let (site, user) = (passkey::site(app)?, may_change(app, caller).await?);
    let id = user.clone();
    let read = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { Ok((users::by_id(tx, &id).await?, passkeys::of_user(tx, &id).await?)) })
    });
    let (found, passkeys) = read.await?;
    let found = found.ok_or(errors::TOKEN_INVALID)?;
    let owner = Owner { handle: UserHandle::of(&user), name: &found.email, passkeys: &passkeys };
    Ok(options::create(&site, owner, &passkey::challenge(app, &binding(caller, &user))?))
}

/// Adds what a browser has made.
///
/// # Errors
/// `sign-in-stale`, `step-up-needed`, `passkey-refused`, `passkey-late`, `passkey-known`; `invalid-value`: the name, or the account has ten.
pub(in crate::http) async fn add(
    app: &App,
    context: &Context,
    caller: &SignedIn,
    new: NewPasskey,
) -> Result<Added, ApiError> {
    let name = FactorName::parse(new.name.as_deref().unwrap_or(NAME));
    let name = name.map_err(|bad| ApiError::field(errors::INVALID_VALUE, "name", bad.to_string()))?;
    let (site, user) = (passkey::site(app)?, may_change(app, caller).await?);
    let (ring, now) = (app.ring.snapshot(), app.clock.now());
    let asked = Asked { site: &site, keys: ring.mac_keys(), binding: &binding(caller, &user), now };
    let made = registered(asked, &new.credential).map_err(passkey::refused)?;
    let codes = drawn(app)?;
    let keep = Keep {
        change: Change::new(app, context, (&user, caller), Event::FactorAdded, new.end_other_sessions)?,
        notice: mail::notice(app, context, Letter::FactorAdded, "")?,
        hashes: codes.iter().map(|code| code.hash(&user)).collect(),
        challenge: made.challenge().clone(),
        passkey: passkeys::NewPasskey {
            id: FactorId::new(app.random.bytes()?),
            user,
            name: name.as_str().to_owned(),
            credential: made.credential,
            key: made.key,
            count: made.count,
            backup: made.backup,
            transports: made.transports,
            aaguid: made.aaguid,
            created_at: now,
        },
    };
    let id = keep.passkey.id.clone();
    let kept = app.store.write(move |tx| {
        let keep = keep.clone();
        Box::pin(async move { write(tx, &keep).await })
    });
    let first = kept.await?.map_err(|not| match not {
        NotAdded::Late => ApiError::from(errors::PASSKEY_LATE),
        NotAdded::Not(NotKept::Known) => errors::PASSKEY_KNOWN.into(),
        NotAdded::Not(NotKept::TooMany) => {
            let words = format!("an account has at most {MAX_PASSKEYS} passkeys; take one away first");
            ApiError::new(errors::INVALID_VALUE).detail(words)
        }
    })?;
    Ok(Added { id, name, recovery_codes: first.then(|| shown(&codes)) })
}

/// Everything that the transaction writes.
#[derive(Clone)]
struct Keep {
    passkey: passkeys::NewPasskey,
    challenge: Challenge,
    hashes: Vec<RecoveryHash>,
    change: Change,
    notice: NewMail,
}

/// Why nothing was added.
enum NotAdded {
    /// Its challenge was used meanwhile.
    Late,
    Not(NotKept),
}

/// Whether it is the first factor.
async fn write(tx: &mut Tx, keep: &Keep) -> Result<Result<bool, NotAdded>, StoreError> {
    let (user, now) = (&keep.passkey.user, keep.passkey.created_at);
    lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
    if !passkeys::spend_challenge(tx, &keep.challenge).await? {
        return Ok(Err(NotAdded::Late));
    }
    let first = !factors::any(tx, user).await?;
    if let Err(not) = passkeys::insert(tx, &keep.passkey, MAX_PASSKEYS).await? {
        return Ok(Err(NotAdded::Not(not)));
    }
    if first {
        recovery_codes::replace(tx, user, &keep.hashes, now).await?;
    }
    keep.change.write(tx, &keep.notice, Kind::Passkey).await?;
    Ok(Ok(first))
}

/// The options are for one sign-in of one person.
fn binding(caller: &SignedIn, user: &UserId) -> Binding {
    let signin = caller.signin.as_ref().map(|signin| &signin.as_bytes()[..]).unwrap_or_default();
    let session = caller.sid.as_ref().map(|sid| sid.as_str().as_bytes()).unwrap_or_default();
    Binding::new(Purpose::Add, &[user.as_str().as_bytes(), signin, session])
}
