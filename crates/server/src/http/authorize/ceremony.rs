//! One request with all that decides about it, of one moment.

use countersign_jose::{Verifier, profile::IdToken};

use super::{answer::Stop, request::Request};
use crate::{
    app::App,
    domain::{
        authorize::{
            self, AuthorizationRequest, Facts, NowhereToGo, Person, Problem, ReturnPath, Step, check, return_path,
        },
        client::ClientId,
        organisation::OrganisationId,
        scope::Scope,
        signin::{LiveSignin, Signin, SigninId},
        time::Timestamp,
    },
    store::{
        StoreError,
        clients::{self, Client},
        consents, organisations, signins,
    },
};

/// See the module.
#[derive(Debug)]
pub struct Ceremony {
    pub asked: Request,
    pub client: Client,
    pub path: ReturnPath,
    pub request: AuthorizationRequest,
    pub signin: Option<LiveSignin>,
    /// What the person has agreed to before, for this client.
    pub remembered: Option<Scope>,
    /// The person belongs to the organisation that the request names, if it names one.
    member: bool,
    /// Whom the client expects: the person who is signed in, or nobody who is here.
    expected: Option<String>,
    /// When the request first came.
    since: Timestamp,
}

/// What the store knows about a request.
struct Loaded {
    client: Option<Client>,
    signin: Option<Signin>,
    remembered: Option<Scope>,
    /// The organisation that was named has the person as a member.
    member: bool,
}

impl Ceremony {
    /// Loads and understands a request that came at `since`.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn load(app: &App, signin: Option<SigninId>, asked: Request, since: Timestamp) -> Result<Self, Stop> {
        let parameters = &asked.parameters;
        let organisation = parameters.one("organization").ok().flatten().and_then(OrganisationId::parse);
        let loaded = load(app, authorize::client_id(parameters)?, (signin, organisation)).await?;
        let client = loaded.client.filter(|client| client.disabled_at.is_none()).ok_or(NowhereToGo::UnknownClient)?;
        let path = return_path(parameters, &client.settings)?;
        if client.settings.sign_in.require_pushed && asked.pushed.is_none() {
            let problem = Problem::new("invalid_request", "this client must push its requests to /par");
            return Err(Stop::back(&path, problem));
        }
        let understood = check(parameters, &client.settings).and_then(|request| {
            let expected = request.id_token_hint.as_deref().map(|hint| subject_of(app, hint)).transpose()?;
            Ok((request.clone(), expected.or(request.claims.sub)))
        });
        let (request, expected) = understood.map_err(|problem| Stop::back(&path, problem))?;
        let signin = loaded.signin.and_then(|signin| signin.live(app.clock.now(), app.config.refresh.idle).ok());
        let expected = expected.map(|subject| {
            let user = signin.as_ref().map(|signin| signin.user_id.as_str());
            let known = user.filter(|user| app.subjects.for_client(&client.settings, user) == subject);
            known.unwrap_or_default().to_owned()
        });
        let (remembered, member) = (loaded.remembered, loaded.member);
        Ok(Self { asked, client, path, request, signin, remembered, member, expected, since })
    }

    /// What has to happen next at `now`; `agrees` if the person has just said yes.
    ///
    /// # Errors
    /// What goes back to the client.
    pub fn step(&self, agrees: bool, now: Timestamp) -> Result<Step, Problem> {
        let facts = Facts {
            client: &self.client.settings,
            // Whoever registers itself proves that it is the same as before, not who it is (OAU-11, OAU-13).
            confidential: self.client.credential.is_confidential() && !self.client.registered,
            redirect: &self.path.redirect,
            since: self.since,
        };
        let person = self.signin.as_ref().map(|signin| Person {
            user_id: &signin.user_id,
            auth_time: signin.auth_time,
            level: signin.level(),
            second_factor: signin.second_factor,
            remembered: self.remembered.as_ref(),
            agrees,
            member: self.member,
            expected: self.expected.as_deref(),
        });
        authorize::next(&self.request, &facts, person.as_ref(), now)
    }
}

async fn load(
    app: &App,
    client: ClientId,
    (signin, organisation): (Option<SigninId>, Option<OrganisationId>),
) -> Result<Loaded, StoreError> {
    app.store
        .read(move |tx| {
            let (client_id, organisation) = (client.clone(), organisation.clone());
            Box::pin(async move {
                let client = clients::by_id(tx, &client_id).await?;
                let signin = match signin {
                    Some(id) => signins::find(tx, &id).await?,
                    None => None,
                };
                let remembered = match &signin {
                    Some(signin) => consents::find(tx, &signin.user_id, client_id.as_str()).await?,
                    None => None,
                };
                let member = match (&organisation, &signin) {
                    (Some(id), Some(signin)) => organisations::is_member(tx, id.as_str(), &signin.user_id).await?,
                    (None, _) | (_, None) => organisation.is_none(),
                };
                Ok(Loaded { client, signin, remembered, member })
            })
        })
        .await
}

/// Whom an ID token of ours names, even if it has expired (OpenID Connect Core §3.1.2.1).
fn subject_of(app: &App, hint: &str) -> Result<String, Problem> {
    let policy =
        Verifier::<IdToken>::builder().issuer(app.config.issuer.as_str()).any_audience().accept_expired().policy();
    let verified = app.ring.snapshot().verify(&policy, &[], hint, app.clock.now());
    let refused = |error: countersign_jose::Error| {
        tracing::debug!(%error, "id_token_hint refused");
        Problem::new("invalid_request", "id_token_hint is not an ID token of this issuer")
    };
    verified.map(|claims| claims.sub.clone()).map_err(refused)
}
