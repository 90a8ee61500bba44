//! Layers for a route that needs more than a good token.

use std::{
    mem,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Either;
use hyper::body::Body;
use tower::{Layer, Service};

use super::{AnswerBody, AnswerFuture, checked, refuse};
use crate::{claims::Requirement, rejection::Rejection};

/// A scope, or several separated by spaces, that each request to the route needs; else 403 `insufficient_scope`. A
/// [`VerifyLayer`](crate::VerifyLayer) must be outside of it; else 500, and nothing passes.
pub fn require_scope(scope: impl Into<String>) -> RequireLayer {
    RequireLayer(Requirement::Scope(scope.into()))
}

/// A role that the owner of the token needs; else 403. As [`require_scope`] otherwise.
pub fn require_role(role: impl Into<String>) -> RequireLayer {
    RequireLayer(Requirement::AnyRole(vec![role.into()]))
}

/// Roles of which the owner of the token needs one; else 403. As [`require_scope`] otherwise.
pub fn require_any_role(roles: impl IntoIterator<Item = impl Into<String>>) -> RequireLayer {
    RequireLayer(Requirement::AnyRole(roles.into_iter().map(Into::into).collect()))
}

/// What a role of the token's owner must permit; else 403. As [`require_scope`] otherwise.
pub fn require_permission(permission: impl Into<String>) -> RequireLayer {
    RequireLayer(Requirement::Permission(permission.into()))
}

/// Made by [`require_scope`], [`require_role`], [`require_any_role`] and [`require_permission`]. Several around one route must all be met.
#[derive(Debug, Clone)]
pub struct RequireLayer(Requirement);

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService { inner, requirement: self.0.clone() }
    }
}

/// What [`RequireLayer`] makes of a service.
#[derive(Debug, Clone)]
pub struct RequireService<S> {
    inner: S,
    requirement: Requirement,
}

impl<S, Q, R> Service<Request<Q>> for RequireService<S>
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

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let verdict = match checked(request.extensions()) {
            Ok(Some(claims)) => self.requirement.check(claims),
            Ok(None) => Err(Rejection::Missing),
            Err(unguarded) => Err(unguarded),
        };
        if let Err(rejection) = verdict {
            let headers = request.into_parts().0.headers;
            return Box::pin(async move { Ok(refuse(&rejection, &headers)) });
        }
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move { Ok(inner.call(request).await?.map(Either::Right)) })
    }
}
