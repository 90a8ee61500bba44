//! Spans: one for each request, and one for each piece of its work that may take long.

use std::future::Future;

use futures_util::future::Either;
use http::HeaderMap;
use opentelemetry::{
    Context, KeyValue,
    context::FutureExt,
    propagation::TextMapPropagator,
    trace::{SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::export::tracer;
use crate::{
    app::App,
    http::context::{self, Peer},
};

/// The span of one request; none if nobody wants spans.
#[derive(Debug)]
pub struct RequestSpan(Option<Context>);

impl RequestSpan {
    /// `named`: the method and the row's own path. A trace is continued only for a trusted proxy: anybody else could make us
    /// record what they like, or hide in somebody's trace.
    pub fn begin(
        app: &App,
        asked: &context::Context,
        named: (&'static str, &'static str),
        headers: &HeaderMap,
    ) -> Self {
        let Some(tracer) = tracer() else { return Self(None) };
        let (method, route) = named;
        let trusted = match asked.peer {
            Peer::Tcp(address) => app.config.trusted_proxies.contains(&address.to_canonical()),
            Peer::Local => true,
        };
        let parent = match trusted {
            true => TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers)),
            false => Context::new(),
        };
        let span = tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route),
                KeyValue::new("countersign.request_id", asked.request_id.to_string()),
            ])
            .start_with_context(tracer, &parent);
        Self(Some(parent.with_span(span)))
    }

    /// The work of the request: what it begins is part of its span.
    pub fn around<F: Future>(&self, request: F) -> impl Future<Output = F::Output> {
        match &self.0 {
            Some(context) => Either::Left(request.with_context(context.clone())),
            None => Either::Right(request),
        }
    }

    pub fn end(self, status: u16) {
        let Some(context) = self.0 else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// A piece of a request's work, if the request is traced.
pub async fn child<F: Future>(name: &'static str, work: F) -> F::Output {
    let parent = Context::current();
    let Some(tracer) = tracer().filter(|_| parent.span().span_context().is_sampled()) else { return work.await };
    let context = parent.with_span(tracer.start_with_context(name, &parent));
    let done = work.with_context(context.clone()).await;
    context.span().end();
    done
}
