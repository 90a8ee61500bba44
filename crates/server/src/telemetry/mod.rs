//! Traces and metrics for OpenTelemetry: with the feature `otel` and the key `otel.endpoint`. Without either nothing here does
//! anything. A span says what was done and how long it took, never for whom: no address, no name, no path with an id in it
//! (AUD-02).

#[cfg(feature = "otel")]
mod client;
#[cfg(feature = "otel")]
mod export;
#[cfg(feature = "otel")]
mod observe;
#[cfg(feature = "otel")]
mod span;

#[cfg(feature = "otel")]
pub use export::Telemetry;
#[cfg(feature = "otel")]
pub use span::{RequestSpan, child};

#[cfg(not(feature = "otel"))]
pub use none::{RequestSpan, Telemetry, child};

/// The same names, compiled to nothing.
#[cfg(not(feature = "otel"))]
mod none {
    use std::future::Future;

    use http::HeaderMap;

    use crate::{app::App, http::context::Context};

    #[derive(Debug)]
    pub struct Telemetry;

    impl Telemetry {
        /// # Errors
        /// None.
        pub fn start(_: &App) -> Result<Self, String> {
            Ok(Self)
        }

        pub async fn stop(self) {}
    }

    #[derive(Debug)]
    pub struct RequestSpan;

    impl RequestSpan {
        pub fn begin(_: &App, _: &Context, _: (&'static str, &'static str), _: &HeaderMap) -> Self {
            Self
        }

        pub fn around<F: Future>(&self, request: F) -> F {
            request
        }

        pub fn end(self, _: u16) {}
    }

    pub fn child<F: Future>(_: &'static str, work: F) -> F {
        work
    }
}
