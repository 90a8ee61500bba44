//! The layer that lets only requests with a good token through.

use std::{
    mem,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header::WWW_AUTHENTICATE};
use http_body_util::Either;
use hyper::body::Body;
use tower::{Layer, Service};

use super::{AnswerBody, AnswerFuture, Checked, answer::PROOF_CHALLENGE, credentials::uses_proof, refuse};
use crate::{dpop::NONCE, rejection::Rejection, verifier::Verifier};

/// Puts a [`Verifier`] in front of any HTTP service. A request without a good token is answered here (RFC 6750), the
/// service never sees it; with one, its [`Claims`](crate::Claims) are in the request's extensions.
///
/// ```
/// use countersign_verify::{Claims, TestIssuer, VerifyLayer};
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://id.test").audience("orders");
/// let service = ServiceBuilder::new()
///     .layer(VerifyLayer::new(issuer.verifier()))
///     .service(service_fn(|request: Request<String>| async move {
///         let claims = request.extensions().get::<Claims>().expect("the layer put them there");
///         Ok::<_, std::convert::Infallible>(Response::new(format!("hello {}", claims.sub)))
///     }));
///
/// let without = service.clone().oneshot(Request::new(String::new())).await?;
/// assert_eq!(without.status(), 401);
///
/// let token = issuer.token().sub("usr_1").sign();
/// let request = Request::builder().header("authorization", format!("Bearer {token}")).body(String::new())?;
/// assert_eq!(service.oneshot(request).await?.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct VerifyLayer {
    verifier: Verifier,
    presence: Presence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

impl VerifyLayer {
    /// Every request needs a token.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, presence: Presence::Required }
    }

    /// A request without a token passes without claims; one with a bad token is still refused.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.presence = Presence::Optional;
        self
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = VerifyService<S>;

    fn layer(&self, inner: S) -> VerifyService<S> {
        VerifyService { inner, layer: self.clone() }
    }
}

/// What [`VerifyLayer`] makes of a service.
#[derive(Debug, Clone)]
pub struct VerifyService<S> {
    inner: S,
    layer: VerifyLayer,
}

impl<S, Q, R> Service<Request<Q>> for VerifyService<S>
where
    S: Service<Request<Q>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    Q: Send + 'static,
    R: Body<Data = Bytes>,
{
    type Response = Response<AnswerBody<R>>;
    type Error = S::Error;
    type Future = AnswerFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        // The clone is not ready; the one that is goes into the future.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            match layer.admit(&mut request).await {
                Ok(nonce) => {
                    let mut response = inner.call(request).await?.map(Either::Right);
                    response.headers_mut().extend(nonce.map(|nonce| (NONCE, nonce)));
                    Ok(response)
                }
                Err(rejection) => Ok(layer.refuse(&rejection, &request)),
            }
        })
    }
}

impl VerifyLayer {
    /// Leaves the claims in the request, and answers with the nonce for the client's next proof, where there are nonces.
    async fn admit<Q>(&self, request: &mut Request<Q>) -> Result<Option<HeaderValue>, Rejection> {
        // Taken out for the wait: a reference to the whole request would ask its body to be Sync.
        let (method, uri, headers) = (request.method().clone(), whole_uri(request), mem::take(request.headers_mut()));
        let outcome = self.verifier.verify_request(&method, &uri, &headers).await;
        *request.headers_mut() = headers;
        let claims = outcome?;
        if claims.is_none() && self.presence == Presence::Required {
            return Err(Rejection::Missing);
        }
        let extensions = request.extensions_mut();
        // What an outer layer for another issuer found is not for this service.
        match &claims {
            Some(claims) => drop(extensions.insert(claims.clone())),
            None => drop(extensions.remove::<crate::Claims>()),
        }
        extensions.insert(Checked(claims));
        Ok(self.verifier.next_nonce().filter(|_| uses_proof(request.headers())))
    }

    fn refuse<Q, R>(&self, rejection: &Rejection, request: &Request<Q>) -> Response<AnswerBody<R>> {
        let mut response = refuse(rejection, request.headers());
        if *rejection == Rejection::Missing && self.verifier.takes_proofs() {
            for challenge in PROOF_CHALLENGE.iter() {
                response.headers_mut().append(WWW_AUTHENTICATE, challenge.clone());
            }
        }
        response
    }
}

/// As the client sent it: a router that is nested in another sees less of the path.
fn whole_uri<Q>(request: &Request<Q>) -> Uri {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(uri)) = request.extensions().get() {
        return uri.clone();
    }
    request.uri().clone()
}
