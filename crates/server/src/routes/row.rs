//! What a row of the table is made of.

use axum::{response::Response, routing::MethodRouter};
use http::HeaderMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::App;

/// Who may call a row. The check runs before the handler, from this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; the answer is the same for everybody.
    Public,
    /// The handler itself authenticates what the body carries: a password, a client, a refresh token.
    Credential,
    /// A reader of the revocation feed: anybody, or a client with a secret, as `feed.access` says; the Unix socket.
    Reader,
    /// A user's access token, or the sign-in cookie of a browser.
    SignedIn,
    /// An access token for the audience `admin` of a user with the role `admin`, or the Unix socket.
    Admin,
    /// The Unix socket alone: what not even an administrator may do from afar.
    Local,
}

/// An HTTP method of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// What a row takes.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    Nothing,
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// A form; the parameters that it knows.
    Form(&'static [&'static str]),
    /// Query parameters.
    Query(&'static [&'static str]),
}

/// One endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub verb: Verb,
    pub path: &'static str,
    pub access: Access,
    pub summary: &'static str,
    pub takes: Takes,
    /// The answer's JSON, if it is JSON with a fixed shape.
    pub answers: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Pages of any origin may read the answer (CSR-08).
    pub any_origin: bool,
    pub(super) handler: Handler,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Handler {
    Router(fn() -> MethodRouter<App>),
    /// It lies ready: `http/front.rs` answers it before the router is asked.
    Ready(fn(&App, &HeaderMap) -> Response),
}

impl Verb {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Route {
    pub(super) const fn json<T: JsonSchema>(mut self) -> Self {
        self.takes = Takes::Json(schema_of::<T>);
        self
    }

    pub(super) const fn form(mut self, parameters: &'static [&'static str]) -> Self {
        self.takes = Takes::Form(parameters);
        self
    }

    pub(super) const fn query(mut self, parameters: &'static [&'static str]) -> Self {
        self.takes = Takes::Query(parameters);
        self
    }

    pub(super) const fn answers<T: JsonSchema>(mut self) -> Self {
        self.answers = Some(schema_of::<T>);
        self
    }

    pub(super) const fn any_origin(mut self) -> Self {
        self.any_origin = true;
        self
    }
}

pub(super) const fn row(
    verb: Verb,
    path: &'static str,
    access: Access,
    summary: &'static str,
    handler: fn() -> MethodRouter<App>,
) -> Route {
    let handler = Handler::Router(handler);
    Route { verb, path, access, summary, takes: Takes::Nothing, answers: None, any_origin: false, handler }
}

/// A public document that lies ready.
pub(super) const fn document(
    path: &'static str,
    summary: &'static str,
    answer: fn(&App, &HeaderMap) -> Response,
) -> Route {
    let handler = Handler::Ready(answer);
    Route {
        verb: Verb::Get,
        path,
        access: Access::Public,
        summary,
        takes: Takes::Nothing,
        answers: None,
        any_origin: true,
        handler,
    }
}
