//! `POST /api/account/invitations/accept`: joining an organisation by the link of a mail.

use axum::{Json as Answer, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        email::Email,
        mail_token::{MailToken, Purpose, TokenId},
        roles::MAX_GRANTS,
        user::UserId,
    },
    errors,
    http::{
        admin::organisations::members::{self, Set},
        body::Json,
        caller::SignedIn,
        context::Context,
        error::ApiError,
    },
    secret::PlainSecret,
    store::{
        StoreError, Tx, audit,
        dialect::{RowKey, lock_rows},
        invitations::{self, Invitation},
        organisations,
        sessions::Act,
        users::{self, User},
    },
};

/// The body of `POST /api/account/invitations/accept`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// From the link of the mail.
    #[schemars(with = "String")]
    pub token: PlainSecret,
}

/// What came of accepting.
enum Accepted {
    /// There is no such invitation, or not any more.
    Gone,
    /// It is for another address, or the person has not shown that the address is theirs.
    NotYours,
    /// The person would have more roles by the organisation than they can.
    TooManyRoles,
    No(Set),
    Yes(Box<Invitation>),
}

/// `POST /api/account/invitations/accept`
pub async fn accept(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Json(body): Json<Accept>,
) -> Result<Answer<Value>, ApiError> {
    let invitation = join(&app, &context, &caller, body.token.expose()).await?;
    let (id, name) = (invitation.organisation.as_str(), &invitation.organisation_name);
    Ok(Answer(json!({ "organisation": id, "name": name })))
}

/// Finds what a link invites to, without using it: mail programs follow links, too (LOG-09).
///
/// # Errors
/// `mail-link-invalid`
pub(in crate::http) async fn look(app: &App, typed: &str) -> Result<Invitation, ApiError> {
    let (id, now) = (token_id(typed)?, app.clock.now());
    let found = app.store.read(move |tx| Box::pin(async move { invitations::find(tx, &id, now).await }));
    found.await?.ok_or_else(|| errors::MAIL_LINK_INVALID.into())
}

/// Makes a signed-in person a member; the link is used by it, once.
///
/// # Errors
/// `mail-link-invalid`; `forbidden` for whoever does not have the address; `conflict`; those of the store.
pub(in crate::http) async fn join(
    app: &App,
    context: &Context,
    caller: &SignedIn,
    typed: &str,
) -> Result<Invitation, ApiError> {
    let id = token_id(typed)?;
    let user = UserId::parse(&caller.user_id).ok_or(errors::FORBIDDEN)?;
    let act = app.act(context, &caller.user_id, app.clock.now())?;
    let event = AuditEvent::new(Event::PermissionsChanged, act.now, &act.source, app.random.bytes()?);
    let event = event.user(&caller.user_id).with("change", "invitation accepted");
    let accepted = app.store.write(move |tx| {
        let (user, act, event) = (user.clone(), act.clone(), event.clone());
        Box::pin(async move { write(tx, &id, &user, (&act, event)).await })
    });
    match accepted.await? {
        Accepted::Gone => Err(errors::MAIL_LINK_INVALID.into()),
        Accepted::NotYours => Err(ApiError::new(errors::FORBIDDEN)
            .detail("the invitation is for another address than yours, or yours is not verified")),
        Accepted::TooManyRoles => {
            Err(ApiError::new(errors::CONFLICT).detail(format!("nobody is given more than {MAX_GRANTS} roles")))
        }
        Accepted::No(set) => {
            members::answer(set)?;
            Err(errors::MAIL_LINK_INVALID.into())
        }
        Accepted::Yes(invitation) => Ok(*invitation),
    }
}

async fn write(
    tx: &mut Tx,
    id: &TokenId,
    user: &UserId,
    (act, event): (&Act, AuditEvent),
) -> Result<Accepted, StoreError> {
    let Some(found) = invitations::find(tx, id, act.now).await? else { return Ok(Accepted::Gone) };
    let organisation = found.organisation;
    lock_rows(tx, &mut [RowKey::Organisation(organisation.as_str()), RowKey::User(user.as_str())]).await?;
    // As it is now that nobody else accepts it, takes it back, or changes the person.
    let Some(invitation) = invitations::find(tx, id, act.now).await? else { return Ok(Accepted::Gone) };
    let person = users::by_id(tx, user).await?;
    if !person.is_some_and(|person| is_theirs(&invitation, &person)) {
        return Ok(Accepted::NotYours);
    }
    let mut roles = invitation.roles.clone();
    roles.extend(organisations::member(tx, &organisation, user).await?.into_iter().flat_map(|member| member.roles));
    if roles.len() > MAX_GRANTS {
        return Ok(Accepted::TooManyRoles);
    }
    match members::set_member(tx, &organisation, user, &roles, act).await? {
        Set::Changed | Set::Unchanged => {}
        refused => return Ok(Accepted::No(refused)),
    }
    invitations::spend(tx, id).await?;
    audit::insert(tx, &event.with("organisation", organisation.as_str())).await?;
    Ok(Accepted::Yes(Box::new(invitation)))
}

/// LOG-13: whoever made an account with somebody else's address has not verified it.
fn is_theirs(invitation: &Invitation, person: &User) -> bool {
    let key = Email::parse(&person.email).map(|email| email.key().as_str().to_owned());
    person.email_verified_at.is_some() && person.disabled_at.is_none() && key.as_ref() == Ok(&invitation.email_key)
}

fn token_id(typed: &str) -> Result<TokenId, ApiError> {
    let token = MailToken::parse(typed).ok_or(errors::MAIL_LINK_INVALID)?;
    Ok(token.id(Purpose::Invite))
}
