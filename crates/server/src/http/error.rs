//! Errors are shaped once: a handler returns [`ApiError`], [`OAuthError`] or [`PageError`], and the pipeline renders it with the
//! request's id and logs it. What the client reads and what the log reads are separate fields.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{context::Context, dpop, ui};
use crate::{
    app::App,
    domain::{language::Language, limits::TooMany, password::Weakness, time::retry_after_secs},
    errors::{self, Code},
    keys::{KeyRingError, SignError},
    random::RandomError,
    store::StoreError,
};

/// One refused request, before it is rendered.
#[derive(Debug, Clone)]
pub struct Failure {
    pub code: Code,
    /// For the client: what exactly is wrong. Never a secret, a path, SQL, or whether an e-mail is known.
    pub detail: Option<String>,
    /// For the client: one entry for each bad member.
    pub errors: Vec<FieldError>,
    /// Seconds.
    pub retry_after: Option<u64>,
    /// For the client's next proof (RFC 9449, section 8).
    pub nonce: Option<HeaderValue>,
    /// The token came in the scheme `DPoP`, or should have.
    pub bound: bool,
    /// `error` of OAuth, where the code alone does not say it.
    pub named: Option<&'static str>,
    /// Further members of a problem, for the program that goes on from it.
    pub more: Option<Value>,
    /// Why a password is not good enough, for a page that says it in its own language.
    pub weakness: Option<Weakness>,
    /// For the log alone.
    pub log: Option<String>,
    shape: Shape,
}

/// One bad member of a JSON body.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FieldError {
    pub field: &'static str,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Problem,
    OAuth,
    Page,
}

/// An error of the JSON API: `application/problem+json` (RFC 9457). Boxed, so that the good answers stay small.
#[derive(Debug, Clone)]
pub struct ApiError(pub Box<Failure>);

/// An error of an OAuth endpoint (RFC 6749, section 5.2).
#[derive(Debug, Clone)]
pub struct OAuthError(pub Box<Failure>);

/// An error that a person reads in a browser.
#[derive(Debug, Clone)]
pub struct PageError(pub Box<Failure>);

impl Failure {
    fn new(code: Code, shape: Shape) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            retry_after: None,
            nonce: None,
            bound: false,
            named: None,
            more: None,
            weakness: None,
            log: None,
            shape,
        }
    }

    fn of_store(error: &StoreError, shape: Shape) -> Self {
        let mut failure = match error {
            StoreError::Unavailable { .. } => Self { retry_after: Some(1), ..Self::new(errors::UNAVAILABLE, shape) },
            StoreError::Conflict => Self::new(errors::CONFLICT, shape),
            StoreError::Broken(_) => Self::new(errors::INTERNAL, shape),
        };
        failure.log = Some(error.to_string());
        failure
    }

    /// What a key store does not do now, it may do in a moment: nothing that the caller holds is spent.
    fn of_signing(error: &SignError, shape: Shape) -> Self {
        let of_store = |retry_after| Self { retry_after: Some(retry_after), ..Self::new(errors::KEY_STORE, shape) };
        let mut failure = match error {
            SignError::Store(error) => of_store(retry_after_secs(error.retry_after())),
            SignError::Ring(KeyRingError::NotSetUp { .. }) => of_store(10),
            SignError::Token(_) | SignError::Ring(_) => Self::new(errors::INTERNAL, shape),
        };
        failure.log = Some(error.to_string());
        failure
    }

    /// The body, its content type and the headers.
    pub(super) fn render(&self, app: &App, context: &Context) -> Response {
        let (issuer, request_id) = (app.config.issuer.as_str(), context.request_id.as_str());
        let page = format!("{issuer}/docs/errors#{}", self.code.name);
        let (content_type, body) = match self.shape {
            Shape::Problem => ("application/problem+json", self.problem(&page, request_id)),
            Shape::OAuth => ("application/json", self.oauth(&page)),
            Shape::Page => return self.page(app, context),
        };
        let status = self.status();
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        let own = self.challenge().map(HeaderValue::from_static);
        let of_proofs = self.proof_challenge();
        for challenge in own.into_iter().chain(of_proofs) {
            headers.append(header::WWW_AUTHENTICATE, challenge);
        }
        headers.extend(self.nonce.clone().map(|nonce| (dpop::NONCE, nonce)));
        response
    }

    /// Details, and what only developers can cause, are English in every language.
    fn page(&self, app: &App, context: &Context) -> Response {
        // What a stranger put into the address is not repeated.
        let frame = ui::Frame::new(app, context).fixed();
        let foreign = frame.language != Language::English;
        let english = [(self.code.title, foreign), (self.code.help, foreign)];
        let told = frame.words.problems.of(self.code).map(|told| (told.title, [(told.help, false)]));
        let (title, help) = match &told {
            Some((title, help)) => (*title, help.as_slice()),
            None if foreign => (frame.words.problem.technical, &english[..]),
            None => (self.code.title, &english[1..]),
        };
        let facts = ui::ErrorPage {
            frame: &frame,
            title,
            detail: self.detail.as_deref(),
            foreign,
            help,
            code: self.code.name,
            request_id: context.request_id.as_str(),
        };
        // What cannot be shown as a page is shown as words.
        let mut response = frame
            .page(&facts, self.status(), ui::Leads::Nowhere)
            .unwrap_or_else(|_| (self.status(), self.code.title).into_response());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// OAuth knows 400 and 401 for what the client did wrong (RFC 6749, section 5.2), and 404 where it is not offered.
    fn status(&self) -> StatusCode {
        let status = match (self.shape, self.code.status) {
            (Shape::OAuth, 403 | 409 | 415 | 422) => 400,
            // RFC 9449, section 5.
            (Shape::OAuth, 401) if self.code.name.starts_with("dpop-") => 400,
            (_, status) => status,
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// RFC 9110 requires a challenge beside every 401; RFC 6750, section 3.1, gives the words for tokens.
    fn challenge(&self) -> Option<&'static str> {
        match self.code.name {
            "token-missing" => Some("Bearer"),
            "scope-missing" => Some("Bearer error=\"insufficient_scope\", scope=\"openid\""),
            "token-invalid" if !self.bound => Some("Bearer error=\"invalid_token\""),
            "invalid-client" | "assertion-invalid" => Some("Basic realm=\"countersign\", charset=\"UTF-8\""),
            "invalid-credentials" => Some("Password realm=\"countersign\""),
            "mfa-required" | "second-factor-wrong" | "passkey-refused" => Some("SecondFactor realm=\"countersign\""),
            // RFC 9470, section 3: what the next sign-in must be.
            "sign-in-stale" => Some("Bearer error=\"insufficient_user_authentication\", max_age=\"600\""),
            "step-up-needed" => {
                Some("Bearer error=\"insufficient_user_authentication\", acr_values=\"2\", max_age=\"600\"")
            }
            _ => None,
        }
    }

    /// RFC 9449, section 7.1: beside the one for bearer tokens where no token came, alone where one came with a proof.
    fn proof_challenge(&self) -> Option<HeaderValue> {
        let wanted = match self.code {
            errors::TOKEN_INVALID => self.bound,
            _ => self.shape == Shape::Problem,
        };
        dpop::challenge(self.code).filter(|_| wanted)
    }

    fn problem(&self, page: &str, request_id: &str) -> Value {
        let mut body = json!({
            "type": page,
            "title": self.code.title,
            "status": self.code.status,
            "code": self.code.name,
            "request_id": request_id,
        });
        if let Some(detail) = &self.detail {
            body["detail"] = json!(detail);
        }
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        if let (Some(members), Some(Value::Object(more))) = (body.as_object_mut(), &self.more) {
            members.extend(more.clone());
        }
        body
    }

    fn oauth(&self, page: &str) -> Value {
        let description = self.detail.as_deref().unwrap_or(self.code.title);
        let name = self.named.unwrap_or_else(|| oauth_name(self.code));
        json!({ "error": name, "error_description": ascii(description), "error_uri": page })
    }
}

/// RFC 6749, section 5.2: descriptions hold printable ASCII without `"` and `\`.
fn ascii(text: &str) -> String {
    let plain = |c: char| if (' '..='~').contains(&c) && c != '"' && c != '\\' { c } else { '\'' };
    text.chars().map(plain).collect()
}

/// The `error` value of RFC 6749 and RFC 8707 for a code.
fn oauth_name(code: Code) -> &'static str {
    match code.name {
        "invalid-client" | "assertion-invalid" => "invalid_client",
        "unauthorized-client" => "unauthorized_client",
        "unsupported-grant-type" => "unsupported_grant_type",
        "invalid-scope" => "invalid_scope",
        "device-pending" => "authorization_pending",
        "device-too-fast" => "slow_down",
        "device-denied" => "access_denied",
        "device-expired" => "expired_token",
        "device-code-invalid" => "invalid_grant",
        "invalid-target" | "not-a-member" => "invalid_target",
        "dpop-nonce" => "use_dpop_nonce",
        "dpop-proof" | "dpop-replayed" | "dpop-missing" => "invalid_dpop_proof",
        name if name.starts_with("refresh-") || name.starts_with("code-") => "invalid_grant",
        _ if code.status == 500 => "server_error",
        _ if code.status == 503 || code.status == 429 => "temporarily_unavailable",
        _ => "invalid_request",
    }
}

macro_rules! boundary {
    ($type:ident, $shape:expr) => {
        impl $type {
            pub fn new(code: Code) -> Self {
                Self(Box::new(Failure::new(code, $shape)))
            }

            /// Adds the words for the client.
            pub fn detail(mut self, detail: impl Into<String>) -> Self {
                self.0.detail = Some(detail.into());
                self
            }

            /// Adds the words for the log.
            pub fn log(mut self, log: impl Into<String>) -> Self {
                self.0.log = Some(log.into());
                self
            }

            /// Adds the nonce for the client's next proof.
            pub fn nonce(mut self, nonce: Option<HeaderValue>) -> Self {
                self.0.nonce = nonce;
                self
            }

            /// Answers in the scheme `DPoP` (RFC 9449, section 7).
            pub fn bound(mut self) -> Self {
                self.0.bound = true;
                self
            }

            /// Says after how many seconds to try again.
            pub fn retry_after(mut self, seconds: u64) -> Self {
                self.0.retry_after = Some(seconds);
                self
            }
        }

        impl From<Code> for $type {
            fn from(code: Code) -> Self {
                Self::new(code)
            }
        }

        impl From<StoreError> for $type {
            fn from(error: StoreError) -> Self {
                Self(Box::new(Failure::of_store(&error, $shape)))
            }
        }

        impl From<SignError> for $type {
            fn from(error: SignError) -> Self {
                Self(Box::new(Failure::of_signing(&error, $shape)))
            }
        }

        impl From<RandomError> for $type {
            fn from(error: RandomError) -> Self {
                Self::new(errors::INTERNAL).log(error.to_string())
            }
        }

        impl IntoResponse for $type {
            /// An empty answer that carries the failure; the pipeline renders it.
            fn into_response(self) -> Response {
                let mut response = self.0.status().into_response();
                response.extensions_mut().insert(*self.0);
                response
            }
        }
    };
}

boundary!(ApiError, Shape::Problem);
boundary!(OAuthError, Shape::OAuth);
boundary!(PageError, Shape::Page);

impl OAuthError {
    /// Says `error` itself.
    pub fn named(mut self, error: &'static str) -> Self {
        self.0.named = Some(error);
        self
    }
}

impl ApiError {
    /// Adds members for the program that goes on from it.
    pub fn more(mut self, members: Value) -> Self {
        self.0.more = Some(members);
        self
    }

    /// Adds why a password is not good enough.
    pub fn weakness(mut self, weakness: Weakness) -> Self {
        self.0.weakness = Some(weakness);
        self
    }

    /// One bad member: 422 with the code's page and the member's name.
    pub fn field(code: Code, field: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut error = Self::new(code).detail(detail.clone());
        error.0.errors.push(FieldError { field, detail });
        error
    }
}

impl From<OAuthError> for ApiError {
    fn from(error: OAuthError) -> Self {
        Self(Box::new(Failure { shape: Shape::Problem, ..*error.0 }))
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self(Box::new(Failure { shape: Shape::Page, ..*error.0 }))
    }
}

impl From<OAuthError> for PageError {
    fn from(error: OAuthError) -> Self {
        Self(Box::new(Failure { shape: Shape::Page, ..*error.0 }))
    }
}

impl From<TooMany> for ApiError {
    fn from(too_many: TooMany) -> Self {
        Self::new(errors::TOO_MANY_ATTEMPTS).retry_after(retry_after_secs(too_many.retry_after))
    }
}

impl From<ApiError> for OAuthError {
    fn from(error: ApiError) -> Self {
        Self(Box::new(Failure { shape: Shape::OAuth, ..*error.0 }))
    }
}
