//! `private_key_jwt`: a client proves itself by an assertion that it signed (RFC 7523, OpenID Connect Core, section 9).

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    app::App,
    client_keys,
    domain::{
        client::ClientId,
        client_assertion::{self, Unproved, UsedAssertion},
        credential::Keys,
    },
    errors,
    http::{body::Form, error::OAuthError},
    store::assertions,
};

/// An assertion as it came.
pub(super) struct Assertion(Zeroizing<String>);

impl Assertion {
    /// The assertion in a form, if there is one.
    ///
    /// # Errors
    /// `missing-parameter`, `assertion-invalid` for another kind of assertion.
    pub(super) fn read(form: &Form) -> Result<Option<Self>, OAuthError> {
        if form.get("client_assertion").is_none() && form.get("client_assertion_type").is_none() {
            return Ok(None);
        }
        if form.require("client_assertion_type")? != client_assertion::TYPE {
            let only = format!("client_assertion_type must be {}", client_assertion::TYPE);
            return Err(OAuthError::new(errors::ASSERTION_INVALID).detail(only));
        }
        Ok(Some(Self(form.require("client_assertion")?.to_owned().into())))
    }

    /// Whom it names, by its own word.
    pub(super) fn client(&self) -> Option<ClientId> {
        client_assertion::claimed_client(&self.0)
    }

    /// Proves that the client with these keys made it for us, just now, and uses it up.
    ///
    /// # Errors
    /// `invalid-client` if its keys did not; `assertion-invalid` if they did, and it is not what it must be.
    pub(super) async fn prove(&self, app: &App, client: &ClientId, keys: &Keys) -> Result<(), OAuthError> {
        let keys = client_keys::of_token(app, client, keys, &self.0).await;
        let keys = keys.map_err(|error| OAuthError::new(errors::INVALID_CLIENT).log(format!("{error}: {client}")))?;
        // A clock that is set back makes no old assertion good again.
        let checked = client_assertion::check(&self.0, client, &keys, app.config.issuer.as_str(), app.steady_now());
        let used = checked.map_err(|unproved| refused(&unproved, client))?;
        if spend(app, used).await? {
            return Ok(());
        }
        Err(invalid("it was used before: each request needs one of its own, with a new jti"))
    }
}

async fn spend(app: &App, used: UsedAssertion) -> Result<bool, OAuthError> {
    let spent = app.store.write(move |tx| {
        let used = used.clone();
        Box::pin(async move { assertions::spend(tx, &used).await })
    });
    Ok(spent.await?)
}

fn refused(unproved: &Unproved, client: &ClientId) -> OAuthError {
    match unproved {
        Unproved::Stranger(error) => OAuthError::new(errors::INVALID_CLIENT).log(format!("{error}: {client}")),
        Unproved::Claims(error) => invalid(&error.to_string()),
        Unproved::Lifetime => invalid("exp is more than an hour ahead"),
    }
}

fn invalid(why: &str) -> OAuthError {
    OAuthError::new(errors::ASSERTION_INVALID).detail(why)
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion(…)")
    }
}
