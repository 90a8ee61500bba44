//! Extractors for axum handlers. They read what the layer has checked, so that a route without the layer stays closed.

use std::{fmt, marker::PhantomData, ops::Deref};

use axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use super::{checked, log};
use crate::{claims::Claims, rejection::Rejection};

/// A scope, a role or a permission with a type of its own, for [`Scope`], [`Role`] and [`Permission`]. [`names!`](crate::names) writes the type.
pub trait Name {
    /// As the token carries it.
    const NAME: &'static str;
}

/// Defines types for scopes, roles and permissions.
///
/// ```
/// countersign_verify::names! {
///     /// May place orders.
///     pub OrdersWrite = "orders:write";
///     Admin = "admin";
/// }
/// ```
#[macro_export]
macro_rules! names {
    ($($(#[$meta:meta])* $visibility:vis $type:ident = $name:literal;)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy)]
            $visibility struct $type;

            impl $crate::Name for $type {
                const NAME: &'static str = $name;
            }
        )*
    };
}

/// The claims of a token that was granted the scope `N` (all of them, if its name holds several separated by spaces);
/// else the request is answered with 403.
///
/// ```
/// use countersign_verify::{Role, Scope, names};
///
/// names! {
///     OrdersWrite = "orders:write";
///     Admin = "admin";
/// }
///
/// async fn place(claims: Scope<OrdersWrite>) -> String {
///     format!("an order for {}", claims.sub)
/// }
/// async fn purge(_: Role<Admin>, _: Scope<OrdersWrite>) {}
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(place).delete(purge));
/// ```
pub struct Scope<N>(Claims, PhantomData<fn() -> N>);

/// The claims of a token whose owner has the role `N`; else the request is answered with 403. See [`Scope`].
pub struct Role<N>(Claims, PhantomData<fn() -> N>);

/// The claims of a token whose owner has a role that permits `N`; else the request is answered with 403. See [`Scope`].
///
/// ```
/// use countersign_verify::{Permission, names};
///
/// names! {
///     Refund = "orders:refund";
/// }
///
/// async fn refund(claims: Permission<Refund>) -> String {
///     format!("refunded by {}, for {}", claims.sub, claims.organisation().unwrap_or("themselves"))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(refund));
/// ```
pub struct Permission<N>(Claims, PhantomData<fn() -> N>);

impl<S: Send + Sync> FromRequestParts<S> for Claims {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        checked(&parts.extensions)?.cloned().ok_or(Rejection::Missing)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Claims {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        checked(&parts.extensions).map(Option::<&Self>::cloned)
    }
}

/// What the three have in common: the claims of a token that met a requirement.
macro_rules! met {
    ($type:ident, $require:ident) => {
        impl<N> $type<N> {
            /// The claims.
            pub fn into_claims(self) -> Claims {
                self.0
            }
        }

        impl<N> Deref for $type<N> {
            type Target = Claims;

            fn deref(&self) -> &Claims {
                &self.0
            }
        }

        impl<N: Name> fmt::Debug for $type<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($type)).field(&N::NAME).field(&self.0).finish()
            }
        }

        impl<S: Send + Sync, N: Name> FromRequestParts<S> for $type<N> {
            type Rejection = Rejection;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
                let claims = <Claims as FromRequestParts<S>>::from_request_parts(parts, state).await?;
                claims.$require(N::NAME)?;
                Ok(Self(claims, PhantomData))
            }
        }
    };
}

met!(Scope, require_scope);
met!(Role, require_role);
met!(Permission, require_permission);

/// So that a handler can say `claims.require_scope("orders:write")?`.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        log(&self);
        self.response().map(Body::from)
    }
}
