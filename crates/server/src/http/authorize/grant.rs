//! The code: given out and, if the person has just agreed, remembered, in one transaction.

use axum::response::Response;

use super::{Ceremony, answer::answer};
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        authorize::claim_names,
        browser::RequestName,
        code::{Authorized, CODE_TTL, Code, CodeHash},
        pushed::PushedId,
        scope::Scope,
        time::Timestamp,
    },
    errors,
    http::{context::Context, error::PageError},
    store::{StoreError, Tx, audit, authorizations, codes, consents, pushed},
};

/// A request that waited for its person, who has answered.
#[derive(Debug, Clone)]
pub struct Answered {
    pub name: RequestName,
    /// They were asked whether the client may have it, and said yes.
    pub agreed: bool,
}

/// Everything that the transaction writes.
#[derive(Debug, Clone)]
struct Writes {
    code: CodeHash,
    authorized: Authorized,
    name: Option<RequestName>,
    pushed: Option<PushedId>,
    /// All that is agreed to from now on.
    consent: Option<(Scope, AuditEvent)>,
    now: Timestamp,
}

impl Ceremony {
    /// Grants the request: the caller has found that nothing has to happen before.
    ///
    /// # Errors
    /// `form-expired` if a waiting request was answered before.
    pub async fn grant(&self, app: &App, context: &Context, answered: Option<Answered>) -> Result<Response, PageError> {
        // The rule says `Grant` only of a live sign-in.
        let signin = self.signin.as_ref().ok_or(errors::FORM_EXPIRED)?;
        let (code, now) = (Code::new(&app.random.bytes()?), app.clock.now());
        let consent = match answered.as_ref().is_some_and(|answered| answered.agreed) {
            true => Some(self.consent(app, context, &signin.user_id, now)?),
            false => None,
        };
        let writes = Writes {
            code: code.hash(),
            authorized: Authorized {
                client_id: self.client.id.to_string(),
                redirect_uri: self.path.redirect.as_str().to_owned(),
                challenge: self.request.challenge,
                signin: signin.id,
                user_id: signin.user_id.clone(),
                scope: self.request.scope.to_string(),
                audience: self.request.audience.to_string(),
                nonce: self.request.nonce.clone(),
                dpop_jkt: self.request.dpop_jkt.clone(),
                userinfo_claims: claim_names(&self.request.claims.userinfo),
                id_token_claims: claim_names(&self.request.claims.id_token),
                organisation: self.request.organisation.as_ref().map(ToString::to_string),
                expires_at: now.plus(CODE_TTL),
                redeemed: None,
            },
            name: answered.map(|answered| answered.name),
            pushed: self.asked.pushed,
            consent,
            now,
        };
        let written = app
            .store
            .write(move |tx| {
                let writes = writes.clone();
                Box::pin(async move { write(tx, &writes).await })
            })
            .await?;
        if !written {
            return Err(errors::FORM_EXPIRED.into());
        }
        answer(app, context, &self.path, &[("code", code.expose())])
    }

    fn consent(
        &self,
        app: &App,
        context: &Context,
        user_id: &str,
        now: Timestamp,
    ) -> Result<(Scope, AuditEvent), PageError> {
        let before = self.remembered.clone().unwrap_or_default();
        let event = AuditEvent::new(Event::ConsentGranted, now, &context.source(user_id), app.random.bytes()?)
            .user(user_id)
            .client(self.client.id.as_str())
            .with("scope", self.request.wishes().to_string());
        Ok((before.union(&self.request.wishes()), event))
    }
}

/// False if somebody answered the waiting request before, or the pushed one was granted before.
async fn write(tx: &mut Tx, writes: &Writes) -> Result<bool, StoreError> {
    if let Some(name) = &writes.name
        && !authorizations::finish(tx, name).await?
    {
        return Ok(false);
    }
    if let Some(pushed) = &writes.pushed
        && !pushed::finish(tx, pushed).await?
    {
        return Ok(false);
    }
    let Authorized { user_id, client_id, .. } = &writes.authorized;
    if let Some((scope, event)) = &writes.consent {
        consents::remember(tx, user_id, client_id, scope, writes.now).await?;
        audit::insert(tx, event).await?;
    }
    codes::insert(tx, &writes.code, &writes.authorized).await?;
    Ok(true)
}
