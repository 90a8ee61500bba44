//! Requests and answers: where the token is, what the caller hears, and the layers around a service.

mod answer;
pub(crate) mod credentials;
#[cfg(feature = "axum")]
mod extract;
mod layer;
mod require;

#[cfg(feature = "axum")]
pub use extract::{Name, Permission, Role, Scope};
pub use layer::{VerifyLayer, VerifyService};
pub use require::{RequireLayer, RequireService, require_any_role, require_permission, require_role, require_scope};

use std::pin::Pin;

use bytes::Bytes;
use http::{Extensions, HeaderMap, Response};
use http_body_util::{Either, Full};

use crate::{claims::Claims, rejection::Rejection};

/// The body of an answer: a rejection, or what the inner service said.
pub type AnswerBody<B> = Either<Full<Bytes>, B>;

type AnswerFuture<B, E> = Pin<Box<dyn Future<Output = Result<Response<AnswerBody<B>>, E>> + Send>>;

/// Left in a request's extensions by [`VerifyLayer`], so that a route without one is told from a request without a token.
#[derive(Debug, Clone)]
struct Checked(Option<Claims>);

/// The claims of a request that passed a [`VerifyLayer`]; `None` if it carried no token and the layer lets it.
fn checked(extensions: &Extensions) -> Result<Option<&Claims>, Rejection> {
    extensions.get::<Checked>().map(|checked| checked.0.as_ref()).ok_or(Rejection::Unguarded)
}

/// The answer to a request with these headers.
fn refuse<B>(rejection: &Rejection, headers: &HeaderMap) -> Response<AnswerBody<B>> {
    log(rejection);
    rejection.response_to(headers).map(|body| Either::Left(Full::new(body)))
}

/// Once per refusal, in the service's words.
fn log(rejection: &Rejection) {
    let (code, expected, got, hint) = (rejection.code(), rejection.expected(), rejection.got(), rejection.hint());
    match rejection {
        Rejection::Unguarded => tracing::error!(code, %expected, %got, hint, "request refused"),
        Rejection::NotReady { .. } | Rejection::Stale { .. } => {
            tracing::warn!(code, %expected, %got, hint, "request refused");
        }
        Rejection::Missing => tracing::debug!(code, "request refused"),
        _ => tracing::info!(code, %expected, %got, hint, "request refused"),
    }
}
