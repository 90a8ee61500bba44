//! `/api/admin/organisations/{id}/invitations…`: who is asked by mail to become a member.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use countersign_jose::b64;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{missing, parse};
use crate::{
    app::App,
    domain::{
        audit::Event,
        email::Email,
        organisation::{INVITATION_LIFETIME, MAX_INVITATIONS},
    },
    errors,
    http::{
        TENANT,
        admin::{event, happened, shared_roles, time, write},
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
        mail::Link,
    },
    store::{
        dialect::{RowKey, lock_rows},
        invitations::{self, Invitation},
        organisations,
    },
};

/// The body of `POST /api/admin/organisations/{id}/invitations`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Where the mail goes; whoever accepts has an account with this address, verified.
    pub email: String,
    /// `ROLE` everywhere, or `ROLE@AUDIENCE` at one audience: what they may do by the organisation.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// What came of inviting.
enum Invited {
    Missing,
    TooMany,
    Now(Box<Invitation>),
}

/// `GET /api/admin/organisations/{id}/invitations`: those that stand.
pub async fn list(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    let (id, now) = (parse(&id)?, app.clock.now());
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move {
            if organisations::find(tx, TENANT, &id).await?.is_none() {
                return Ok(None);
            }
            invitations::list(tx, &id, now).await.map(Some)
        })
    });
    let rows = found.await?.ok_or_else(missing)?;
    Ok(Answer(json!({ "items": rows.iter().map(shown).collect::<Vec<_>>(), "next": null })))
}

/// `POST /api/admin/organisations/{id}/invitations`: a mail with a link that works once, within seven days. An older one for the
/// same address is over.
pub async fn invite(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<NewInvitation, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let (id, roles, now) = (parse(&id)?, shared_roles(&body.roles)?, app.clock.now());
    let email = Email::parse(&body.email);
    let email = email.map_err(|error| ApiError::field(errors::INVALID_VALUE, "email", error.to_string()))?;
    let said: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let event = event.with("organisation", id.as_str()).with("change", "invited").with("roles", said.join(" "));
    let new = Invitation {
        name: format!("inv_{}", b64::encode(app.random.bytes::<12>()?)),
        organisation: id,
        organisation_name: String::new(),
        address: email.as_str().to_owned(),
        email_key: email.key().as_str().to_owned(),
        roles,
        invited_by: admin.actor().to_owned(),
        created_at: now,
        expires_at: now.plus(INVITATION_LIFETIME),
    };
    let link = Link::new(&app, &context).await?;
    let invited = write(
        &app,
        event,
        |invited| matches!(invited, Invited::Now(_)),
        move |tx| {
            let (mut new, link) = (new.clone(), link.clone());
            Box::pin(async move {
                lock_rows(tx, &mut [RowKey::Organisation(new.organisation.as_str())]).await?;
                let Some(organisation) = organisations::find(tx, TENANT, &new.organisation).await? else {
                    return Ok(Invited::Missing);
                };
                let waiting = invitations::list(tx, &new.organisation, now).await?;
                if i64::try_from(waiting.len()).unwrap_or(i64::MAX) >= MAX_INVITATIONS {
                    return Ok(Invited::TooMany);
                }
                new.organisation_name = organisation.name;
                link.invite(tx, &new).await?;
                Ok(Invited::Now(Box::new(new)))
            })
        },
    );
    match invited.await? {
        Invited::Missing => Err(missing()),
        Invited::TooMany => {
            let words = format!("an organisation has at most {MAX_INVITATIONS} invitations that wait");
            Err(ApiError::new(errors::CONFLICT).detail(words))
        }
        Invited::Now(invitation) => Ok((StatusCode::CREATED, Answer(shown(&invitation)))),
    }
}

/// `DELETE /api/admin/organisations/{id}/invitations/{invitation}`: its link is over.
pub async fn take_back(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let id = parse(&id)?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let event = event.with("organisation", id.as_str()).with("change", "invitation taken back");
    let taken = write(&app, event, happened, move |tx| {
        let (id, name) = (id.clone(), name.clone());
        Box::pin(async move { invitations::take_back(tx, &id, &name).await })
    });
    let gone = || ApiError::new(errors::NOT_FOUND).detail("there is no such invitation");
    if taken.await? { Ok(StatusCode::NO_CONTENT) } else { Err(gone()) }
}

fn shown(invitation: &Invitation) -> Value {
    json!({
        "invitation": invitation.name,
        "organisation": invitation.organisation.as_str(),
        "email": invitation.address,
        "roles": invitation.roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "invited_by": invitation.invited_by,
        "created_at": time(invitation.created_at),
        "expires_at": time(invitation.expires_at),
    })
}
