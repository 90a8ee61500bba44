//! `POST /token` with the sign-in cookie instead of a refresh token: a new access cookie (http.md, "transport").

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header};

use super::TokenResponse;
use crate::{
    app::App,
    domain::{client::FIRST_PARTY, signin::SigninSecret},
    errors,
    http::{
        context::Context,
        cookies::{Cookie, require_same_origin},
        error::OAuthError,
        issue::{self, Target},
    },
};
