//! A client as an administrator sees it.

use countersign_jose::Algorithm;
use serde_json::{Value, json};

use super::{
    super::{maybe_time, seconds, time},
    credential,
    forms::{self, Recipient},
};
use crate::{
    domain::{
        audience_id::AudienceId, client::Grant, logout_uri::LogoutUri, redirect::RedirectUri, roles::Role,
        subject::Sector,
    },
    store::clients::Client,
};

pub(super) fn shown(client: &Client) -> Value {
    let settings = &client.settings;
    json!({
        "client_id": client.id.as_str(),
        "name": settings.name,
        "public": !client.credential.is_confidential(),
        "jwks": credential::shown(&client.credential),
        "jwks_uri": credential::published_at(&client.credential),
        "grants": settings.grants.iter().map(Grant::as_str).collect::<Vec<_>>(),
        "audiences": settings.audiences.iter().map(AudienceId::as_str).collect::<Vec<_>>(),
        "scopes": settings.scopes.words().collect::<Vec<_>>(),
        "roles": settings.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
        "alg": settings.alg.map(Algorithm::as_str),
        "serves": settings.serves.iter().map(AudienceId::as_str).collect::<Vec<_>>(),
        "exchanges": settings.exchanges.iter().map(AudienceId::as_str).collect::<Vec<_>>(),
        "access_token_ttl": seconds(settings.access_token_ttl),
        "refresh_idle": seconds(settings.refresh_idle),
        "refresh_absolute": seconds(settings.refresh_absolute),
        "dpop_bound_access_tokens": settings.dpop_bound,
        "access_token_format": settings.access_token_format.as_str(),
        "subject_type": forms::subject_type(&settings.sign_in),
        "sector": settings.sign_in.sector.as_ref().map(Sector::as_str),
        "userinfo_signed_response_alg": settings.sign_in.userinfo_alg.map(Algorithm::as_str),
        "id_token_encryption": Recipient::of(settings.sign_in.id_token_encryption.as_ref()),
        "redirect_uris": settings.sign_in.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        "post_logout_redirect_uris":
            settings.sign_in.post_logout_redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        "backchannel_logout_uri": settings.sign_in.backchannel_logout_uri.as_ref().map(LogoutUri::as_str),
        "consent": settings.sign_in.consent.as_str(),
        "id_token_alg": settings.sign_in.id_token_alg.map(Algorithm::as_str),
        "require_pushed_authorization_requests": settings.sign_in.require_pushed,
        "require_signed_request_object": settings.sign_in.require_signed,
        "required_acr": settings.sign_in.required_level.as_str(),
        "builtin": client.builtin,
        "registered_itself": client.registered,
        "created_at": time(client.created_at),
        "disabled_at": maybe_time(client.disabled_at),
    })
}
