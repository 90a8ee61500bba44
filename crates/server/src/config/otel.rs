//! Traces and metrics for OpenTelemetry.

use url::Url;

use super::{ConfigError, Reader};

/// Where traces and metrics go.
#[derive(Debug, Clone)]
pub struct Otel {
    /// Without a slash at its end.
    pub endpoint: String,
    /// Percent of the requests that are traced.
    pub sample: u8,
}

impl Reader<'_> {
    pub(super) fn otel(&self) -> Result<Option<Otel>, ConfigError> {
        const NAME: &str = "otel.endpoint";
        let sample = self.number("otel.sample", 0..=100)?;
        if self.given(NAME).is_none() {
            return Ok(None);
        }
        if !cfg!(feature = "otel") {
            return Err(self.refuse(NAME, "this program was built without the feature otel"));
        }
        // Plain HTTP may go anywhere: nothing secret is sent (`telemetry/`).
        let url = Url::parse(self.text(NAME)).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let origin = url.map(|url| url.origin().ascii_serialization());
        match origin.filter(|origin| origin == self.text(NAME).trim_end_matches('/')) {
            Some(endpoint) => Ok(Some(Otel { endpoint, sample })),
            None => Err(self.refuse(NAME, "is not an address such as http://localhost:4318, without path or user")),
        }
    }
}
