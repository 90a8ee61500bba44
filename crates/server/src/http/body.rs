//! Request bodies: size and time limits, one content type, strict parsing.

use std::{borrow::Cow, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::error::{ApiError, OAuthError};
use crate::errors;

/// Bytes of a body on sign-in routes and at the token endpoint (NET-03).
pub const SMALL_BODY: usize = 8 * 1024;
/// Bytes of a body elsewhere (NET-03).
pub const LARGE_BODY: usize = 64 * 1024;
/// Bytes of a list of 10,000 revocations, from an administrator.
pub const BULK_BODY: usize = 2 * 1024 * 1024;
/// Time for a body to arrive (NET-03).
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Parameters of a form (NET-03).
const MAX_PARAMETERS: usize = 100;

/// A JSON body of at most `LIMIT` bytes. Unknown and repeated members are refused (by the types' serde attributes).
#[derive(Debug)]
pub struct Json<T, const LIMIT: usize = SMALL_BODY>(pub T);

impl<T: DeserializeOwned, S: Sync, const LIMIT: usize> FromRequest<S> for Json<T, LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        // CSR-07: a foreign page can send text/plain and forms without a preflight, JSON it cannot.
        require_content_type(request.headers(), "application/json")?;
        let bytes = read(request.into_body(), LIMIT).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            // The words may quote what was sent, which may be a secret in the wrong place: its sender may read them, the
            // log must not (AUD-02).
            let place = format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column());
            ApiError::new(errors::MALFORMED_JSON).detail(error.to_string()).log(place)
        })
    }
}

/// A form of OAuth: each parameter at most once, an empty value means that it was left out (OAU-07).
#[derive(Debug)]
pub struct Form(Vec<(String, zeroize::Zeroizing<String>)>);

impl Form {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `missing-parameter`, naming it.
    pub fn require(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::new(errors::MISSING_PARAMETER).detail(format!("{name} is missing")))
    }

    /// Reads a body, or a query.
    ///
    /// # Errors
    /// `malformed-form`, `duplicate-parameter`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        let malformed = |detail: &str| ApiError::new(errors::MALFORMED_FORM).detail(detail);
        let mut values: Vec<(String, zeroize::Zeroizing<String>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if values.len() == MAX_PARAMETERS {
                return Err(malformed("more than 100 parameters"));
            }
            if [&name, &value].iter().any(|text: &&Cow<'_, str>| text.contains('\u{fffd}')) {
                return Err(malformed("a parameter is not UTF-8"));
            }
            if values.iter().any(|(known, _)| *known == *name) {
                return Err(ApiError::new(errors::DUPLICATE_PARAMETER));
            }
            values.push((name.into_owned(), value.into_owned().into()));
        }
        Ok(Self(values))
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = OAuthError;

    async fn from_request(request: Request, _: &S) -> Result<Self, OAuthError> {
        Ok(Self::parse(&form_bytes(request).await?)?)
    }
}

/// The bytes of a form, for whoever has rules of their own about repeated parameters.
///
/// # Errors
/// Another content type, too long, too slow.
pub async fn form_bytes(request: Request) -> Result<Bytes, ApiError> {
    require_content_type(request.headers(), "application/x-www-form-urlencoded")?;
    read(request.into_body(), SMALL_BODY).await
}

/// Whether a request brings a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    require_content_type(headers, "application/x-www-form-urlencoded").is_ok()
}

fn require_content_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), ApiError> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = sent.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(ApiError::new(errors::WRONG_CONTENT_TYPE).detail(format!("send Content-Type: {wanted}")))
}

async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await;
    match collected {
        Err(_) => Err(ApiError::new(errors::REQUEST_TIMEOUT)),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(ApiError::new(errors::BODY_TOO_LARGE).detail(format!("at most {limit} bytes")))
        }
        Ok(Err(error)) => {
            Err(ApiError::new(errors::MALFORMED_FORM).detail("the body broke off").log(error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OAU-07
    #[test]
    fn repeated_parameters_are_refused_and_empty_ones_are_absent() {
        let form = Form::parse(b"a=1&b=&c=%20x").unwrap();
        assert_eq!((form.get("a"), form.get("b"), form.get("c")), (Some("1"), None, Some(" x")));
        assert_eq!(Form::parse(b"a=1&a=1").unwrap_err().0.code, errors::DUPLICATE_PARAMETER);
        assert_eq!(Form::parse(b"a=%ff").unwrap_err().0.code, errors::MALFORMED_FORM);
        let many = (0..101).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(Form::parse(many.as_bytes()).unwrap_err().0.code, errors::MALFORMED_FORM);
    }
}
