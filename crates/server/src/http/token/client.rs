//! Who is the client? `client_secret_basic`, `client_secret_post`, `private_key_jwt` or `none` (RFC 6749, section 2.3; RFC 7523).

use base64_simd::STANDARD;
use http::{HeaderMap, header};

use super::assertion::Assertion;
use crate::{
    app::App,
    domain::{client::ClientId, credential::Credential, rsn::Rsn},
    errors,
    http::{body::Form, error::OAuthError},
    secret::PlainSecret,
    store::clients::{self, Client, ClientState},
};

/// What a request to the token endpoint says about its client, before anything is proved.
#[derive(Debug)]
pub(super) struct ClaimedClient {
    id: ClientId,
    shown: Shown,
}

/// What a request shows to prove it.
#[derive(Debug)]
enum Shown {
    Nothing,
    Secret(PlainSecret),
    Assertion(Assertion),
}

/// A client that proved who it is, or a public one, which has nothing to prove it with. Only `prove` makes one.
#[derive(Debug)]
pub struct AuthenticatedClient {
    client: Client,
    head: Rsn,
}

impl AuthenticatedClient {
    /// Where the log stood when the client was read: what its tokens inherit (revocation rules R1 and R3).
    pub fn head(&self) -> Rsn {
        self.head
    }
}

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl ClaimedClient {
    /// Reads the credentials of a request, in one of the ways in which they can come.
    ///
    /// # Errors
    /// `invalid-client`; `assertion-invalid`; `missing-parameter`; `duplicate-parameter` for credentials in two places.
    pub(super) fn read(headers: &HeaderMap, form: &Form) -> Result<Self, OAuthError> {
        let Some(assertion) = Assertion::read(form)? else { return Self::of(claimed(headers, form)?) };
        if headers.contains_key(header::AUTHORIZATION) || form.get("client_secret").is_some() {
            return Err(sent_twice());
        }
        let id = assertion.client().ok_or_else(|| refusal("an assertion names no client", ""))?;
        if form.get("client_id").is_some_and(|named| named != id.as_str()) {
            return Err(
                OAuthError::new(errors::INVALID_CLIENT).detail("client_id and the assertion name different clients")
            );
        }
        Ok(Self { id, shown: Shown::Assertion(assertion) })
    }

    fn of(Claimed { client_id, secret }: Claimed) -> Result<Self, OAuthError> {
        let id = ClientId::parse(&client_id).map_err(|_| refusal("not a client id", &client_id))?;
        Ok(Self { id, shown: secret.map_or(Shown::Nothing, Shown::Secret) })
    }

    /// Whom to look up.
    pub(super) fn id(&self) -> &ClientId {
        &self.id
    }

    /// Compares the credentials with what is stored under this id. An assertion is used up by it.
    ///
    /// # Errors
    /// `invalid-client`, without saying whether the client exists; `assertion-invalid` to whoever has its key.
    pub(super) async fn prove(&self, app: &App, state: ClientState) -> Result<AuthenticatedClient, OAuthError> {
        let refuse = |why| refusal(why, self.id.as_str());
        let found = state.client.filter(|client| client.disabled_at.is_none());
        let client = found.ok_or_else(|| refuse("unknown or disabled client"))?;
        match (&client.credential, &self.shown) {
            (Credential::None, Shown::Nothing) => {}
            (Credential::Secret(own), Shown::Secret(secret)) if own.matches(secret, app.clock.now()) => {}
            (Credential::Keys(keys), Shown::Assertion(assertion)) => assertion.prove(app, &client.id, keys).await?,
            (Credential::Secret(_), Shown::Secret(_)) => return Err(refuse("wrong secret")),
            (_, Shown::Nothing) => return Err(refuse("it proved nothing")),
            (_, Shown::Secret(_) | Shown::Assertion(_)) => return Err(refuse("it proves itself in another way")),
        }
        Ok(AuthenticatedClient { client, head: state.head })
    }
}

/// Authenticates a confidential client by the header alone, for requests that have no body.
///
/// # Errors
/// `invalid-client`; a public client is refused, since it proves nothing.
pub async fn authenticate_header(app: &App, headers: &HeaderMap) -> Result<AuthenticatedClient, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok());
    let claimed = value.and_then(basic).filter(|claimed| claimed.secret.is_some()).ok_or(errors::INVALID_CLIENT)?;
    let claimed = ClaimedClient::of(claimed)?;
    look_up(app, &claimed).await
}

/// Finds and authenticates the client of a request that needs nothing else read with it.
///
/// # Errors
/// As reading and proving what the request claims, one after the other.
pub async fn authenticate(app: &App, headers: &HeaderMap, form: &Form) -> Result<AuthenticatedClient, OAuthError> {
    let claimed = ClaimedClient::read(headers, form)?;
    look_up(app, &claimed).await
}

async fn look_up(app: &App, claimed: &ClaimedClient) -> Result<AuthenticatedClient, OAuthError> {
    let id = claimed.id().clone();
    let state = app.store.read_together(move |tx| {
        let id = id.clone();
        Box::pin(async move { clients::state(tx, &id).await })
    });
    claimed.prove(app, state.await?).await
}

fn refusal(why: &str, client_id: &str) -> OAuthError {
    OAuthError::new(errors::INVALID_CLIENT).log(format!("{why}: {client_id}"))
}

fn sent_twice() -> OAuthError {
    OAuthError::new(errors::DUPLICATE_PARAMETER).detail("client credentials were sent twice")
}

#[derive(Debug)]
struct Claimed {
    client_id: String,
    secret: Option<PlainSecret>,
}

fn claimed(headers: &HeaderMap, form: &Form) -> Result<Claimed, OAuthError> {
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let in_body = form.get("client_id");
    let Some(header) = authorization.next() else {
        let client_id = form.require("client_id")?.to_owned();
        let secret = form.get("client_secret").map(|secret| PlainSecret::new(secret.to_owned()));
        return Ok(Claimed { client_id, secret });
    };
    if authorization.next().is_some() || form.get("client_secret").is_some() {
        // OAU-07: two places could name two clients.
        return Err(sent_twice());
    }
    let claimed = header.to_str().ok().and_then(basic).ok_or(errors::INVALID_CLIENT)?;
    if in_body.is_some_and(|id| id != claimed.client_id) {
        return Err(OAuthError::new(errors::INVALID_CLIENT).detail("the header and the body name different clients"));
    }
    Ok(claimed)
}

/// `Basic base64(form-encoded id ":" form-encoded secret)` (RFC 6749, section 2.3.1).
fn basic(value: &str) -> Option<Claimed> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = zeroize::Zeroizing::new(STANDARD.decode_to_vec(encoded.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let secret = decode(secret)?;
    let secret = (!secret.is_empty()).then(|| PlainSecret::new(secret));
    Some(Claimed { client_id: decode(id)?, secret })
}

fn decode(text: &str) -> Option<String> {
    // Without `&` and `=` the parser reads one name: the text itself, decoded.
    if text.contains(['&', '=']) {
        return Some(text.to_owned());
    }
    let decoded = form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default();
    (!decoded.contains('\u{fffd}')).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Option<String>)> {
        let claimed = basic(&format!("Basic {}", STANDARD.encode_to_string(text)))?;
        Some((claimed.client_id, claimed.secret.map(|secret| secret.expose().to_owned())))
    }

    #[test]
    fn basic_credentials_are_form_encoded_pairs() {
        assert_eq!(read("orders:s3cret"), Some(("orders".to_owned(), Some("s3cret".to_owned()))));
        assert_eq!(read("a%3Ab:x%20y+z"), Some(("a:b".to_owned(), Some("x y z".to_owned()))));
        assert_eq!(read("orders:"), Some(("orders".to_owned(), None)));
        assert_eq!(read("orders"), None);
        assert!(basic("Bearer x").is_none());
        assert!(basic("Basic !!").is_none());
    }
}
