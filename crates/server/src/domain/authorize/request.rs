//! An authorization request that was understood. Only [`check`] makes one.

use std::{collections::BTreeSet, time::Duration};

use super::{ClaimsRequest, Parameters, Problem, ResponseMode, may_authorize, scope};
use crate::domain::{
    assurance::Level,
    audience_id::AudienceId,
    client::ClientSettings,
    code::Challenge,
    organisation::{Choice, OrganisationId},
    scope::Scope,
};

/// What the client wants to happen in front of the person (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prompt {
    None,
    Login,
    Consent,
    /// There is one account per sign-in: choosing another one is signing in again.
    SelectAccount,
}

impl Prompt {
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// What a request asks for, once it is known where its answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    pub scope: Scope,
    pub audience: AudienceId,
    pub challenge: Challenge,
    pub nonce: Option<String>,
    pub prompt: BTreeSet<Prompt>,
    /// How long ago the person may have signed in.
    pub max_age: Option<Duration>,
    /// What to put into the sign-in form's field for the address.
    pub login_hint: Option<String>,
    /// An ID token of the person whom the client expects; not verified here.
    pub id_token_hint: Option<String>,
    /// The organisation that the session is to speak for.
    pub organisation: Option<OrganisationId>,
    /// The key that the code is for (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// Single claims that are asked for by name.
    pub claims: ClaimsRequest,
    /// How strong the sign-in must be: what the client was registered with, or asks for.
    pub needed: Level,
    /// How strong it is made if the person can: `acr_values` in their order, and the claim `acr`.
    pub wished: Level,
}

impl AuthorizationRequest {
    /// Whether the person signs in by it (OpenID Connect), or only lets the client do something.
    pub fn is_openid(&self) -> bool {
        self.scope.contains("openid")
    }

    /// Everything that the person is asked about: the scopes, and those whose claims are asked for by name.
    pub fn wishes(&self) -> Scope {
        self.scope.union(&self.claims.scope())
    }
}

/// The longest `nonce`, bytes: it comes back in the ID token.
const MAX_NONCE: usize = 512;

/// Reads a request of this client.
///
/// # Errors
/// [`Problem`]: what goes back to the client.
pub fn check(parameters: &Parameters, client: &ClientSettings) -> Result<AuthorizationRequest, Problem> {
    if let Some(repeated) = parameters.repeated() {
        return Err(Problem::invalid(repeated.to_string()));
    }
    let get = |name| parameters.one(name).ok().flatten();
    may_authorize(client)?;
    unsupported(&get)?;
    let scope = scope(get("scope"), client)?;
    let claims = claims(get("claims"), &scope, client)?;
    let needed = claims.needed.max(client.sign_in.required_level);
    let wished = needed.max(claims.wished).max(first_known(get("acr_values")));
    let request = AuthorizationRequest {
        audience: audience(get("resource"), client)?,
        challenge: challenge(get("code_challenge"), get("code_challenge_method"))?,
        nonce: short(get("nonce"), "nonce")?,
        prompt: prompt(get("prompt"))?,
        max_age: max_age(get("max_age"))?,
        login_hint: short(get("login_hint"), "login_hint")?,
        id_token_hint: get("id_token_hint").map(str::to_owned),
        organisation: organisation(get("organization"))?,
        dpop_jkt: dpop_jkt(get("dpop_jkt"))?,
        claims,
        needed,
        wished,
        scope,
    };
    if request.is_openid() && get("redirect_uri").is_none() {
        return Err(Problem::invalid("redirect_uri is required with the scope openid"));
    }
    Ok(request)
}

/// Refuses what this endpoint does not do, each with its own error.
fn unsupported<'a>(get: &impl Fn(&'static str) -> Option<&'a str>) -> Result<(), Problem> {
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if get(name).is_some() {
            return Err(Problem::new(error, format!("{name} is not supported")));
        }
    }
    match get("response_type") {
        Some("code") => {}
        None => return Err(Problem::invalid("response_type is missing")),
        // OAU-03: no token ever travels through the browser's address.
        Some(_) => return Err(Problem::new("unsupported_response_type", "only response_type=code is supported")),
    }
    match get("response_mode") {
        Some(mode) if !ResponseMode::ALL.iter().any(|known| known.as_str() == mode) => {
            Err(Problem::invalid("response_mode is query or form_post"))
        }
        _ => Ok(()),
    }
}

/// OAU-04: PKCE for every client, by S256 alone; the method that is meant when none is named is `plain`.
fn challenge(challenge: Option<&str>, method: Option<&str>) -> Result<Challenge, Problem> {
    let challenge = challenge.ok_or_else(|| Problem::invalid("code_challenge is missing: PKCE is required"))?;
    if method != Some("S256") {
        return Err(Problem::invalid("code_challenge_method must be S256"));
    }
    Challenge::parse(challenge).ok_or_else(|| Problem::invalid("code_challenge is not 43 characters of base64url"))
}

fn prompt(text: Option<&str>) -> Result<BTreeSet<Prompt>, Problem> {
    let mut prompt = BTreeSet::new();
    for word in text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        let known = Prompt::ALL.into_iter().find(|known| known.as_str() == word);
        prompt.insert(known.ok_or_else(|| Problem::invalid("prompt has an unknown value"))?);
    }
    if prompt.contains(&Prompt::None) && prompt.len() > 1 {
        return Err(Problem::invalid("prompt=none goes with nothing else"));
    }
    Ok(prompt)
}

fn max_age(text: Option<&str>) -> Result<Option<Duration>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten();
    seconds
        .map(|seconds| Some(Duration::from_secs(seconds)))
        .ok_or_else(|| Problem::invalid("max_age is not a number of seconds"))
}

/// RFC 8707: one of the client's audiences, its first if none is named.
pub(super) fn audience(wanted: Option<&str>, client: &ClientSettings) -> Result<AudienceId, Problem> {
    let mut allowed = client.audiences.iter();
    let found = match wanted {
        Some(wanted) => allowed.find(|audience| audience.as_str() == wanted),
        None => allowed.next(),
    };
    found.cloned().ok_or_else(|| Problem::new("invalid_target", "this client may not ask for that resource"))
}

/// The first level of `acr_values` that there is: they are in the order of preference, and nothing but a wish.
fn first_known(acr_values: Option<&str>) -> Level {
    acr_values.unwrap_or_default().split(' ').find_map(Level::parse).unwrap_or_default()
}

/// Claims are told to who signs the person in; in a request without `openid` they mean nothing (OpenID Connect Core §5.5).
fn claims(text: Option<&str>, scope: &Scope, client: &ClientSettings) -> Result<ClaimsRequest, Problem> {
    match text {
        Some(text) if scope.contains("openid") => ClaimsRequest::parse(text, &client.scopes),
        _ => Ok(ClaimsRequest::default()),
    }
}

/// What can be no organisation, nobody is a member of.
fn organisation(text: Option<&str>) -> Result<Option<OrganisationId>, Problem> {
    match Choice::read(text) {
        Ok(Choice::For(id)) => Ok(Some(id)),
        Ok(Choice::Keep | Choice::Alone) => Ok(None),
        Err(refused) => Err(Problem::new("access_denied", refused.to_string())),
    }
}

fn dpop_jkt(text: Option<&str>) -> Result<Option<String>, Problem> {
    match text {
        // RFC 9449 §10: a SHA-256 thumbprint, in the same form as a challenge.
        Some(text) if Challenge::parse(text).is_none() => Err(Problem::invalid("dpop_jkt is not a SHA-256 thumbprint")),
        other => Ok(other.map(str::to_owned)),
    }
}

fn short(text: Option<&str>, name: &str) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if text.len() > MAX_NONCE => {
            Err(Problem::invalid(format!("{name} is longer than {MAX_NONCE} bytes")))
        }
        other => Ok(other.map(str::to_owned)),
    }
}
