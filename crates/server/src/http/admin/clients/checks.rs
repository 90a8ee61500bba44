//! What settings alone do not show to be wrong: the issuer's own bounds, and what the client proves itself with.

use crate::{
    app::App,
    domain::{client::ClientSettings, credential::Credential},
    errors,
    http::{caller::Administrator, context::Context, error::ApiError},
};

/// The issuer has a key for whatever this client's tokens are signed with.
pub(super) async fn ensure_keys(
    app: &App,
    context: &Context,
    admin: &Administrator,
    settings: &ClientSettings,
) -> Result<(), ApiError> {
    for alg in [settings.alg, settings.sign_in.id_token_alg, settings.sign_in.userinfo_alg].into_iter().flatten() {
        app.ring.ensure_alg(alg, &context.source(admin.actor())).await?;
    }
    Ok(())
}

/// A lifetime beyond the issuer's would be cut silently, or outlive the keys that its tokens need.
pub(super) fn within_caps(app: &App, settings: &ClientSettings) -> Result<(), ApiError> {
    let caps = [
        ("access_token_ttl", settings.access_token_ttl, app.config.access_token_ttl_cap, "access_token_ttl_cap"),
        ("refresh_idle", settings.refresh_idle, app.config.refresh.absolute, "refresh.absolute"),
        ("refresh_absolute", settings.refresh_absolute, app.config.refresh.absolute, "refresh.absolute"),
    ];
    match caps.into_iter().find(|(_, wanted, cap, _)| wanted.is_some_and(|wanted| wanted > *cap)) {
        Some((field, _, _, key)) => {
            Err(ApiError::field(errors::INVALID_VALUE, field, format!("is longer than the issuer's {key}")))
        }
        None => Ok(()),
    }
}

/// Who must sign its requests has keys to do it with, or gets them now.
pub(super) fn can_sign(settings: &ClientSettings, credential: &Credential, new_keys: bool) -> Result<(), ApiError> {
    if new_keys || matches!(credential, Credential::Keys(_)) || !settings.sign_in.require_signed {
        return Ok(());
    }
    let words = "needs a client with keys (jwks, jwks_uri)";
    Err(ApiError::field(errors::INVALID_VALUE, "require_signed_request_object", words.to_owned()))
}
