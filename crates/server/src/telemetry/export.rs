//! Starting and stopping: who gets what, and how often. The standard's variables (`OTEL_EXPORTER_OTLP_HEADERS`,
//! `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_BSP_…`) are read by the SDK itself.

use std::{
    env,
    sync::{Arc, OnceLock},
    time::Duration,
};

use opentelemetry::{metrics::MeterProvider, trace::TracerProvider};
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::{client::Receiver, observe::Registry};
use crate::{app::App, config::Otel};

/// For what waits to be sent when the server stops.
const LAST_CALL: Duration = Duration::from_secs(3);
/// How often a metric that is new is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The name of this service, unless `OTEL_SERVICE_NAME` has another.
const SERVICE: &str = "countersign";

/// One for the process, as its log is: what is traced lies many calls below whoever knows the configuration.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Who makes spans; none until somebody wants them.
pub(super) fn tracer() -> Option<&'static SdkTracer> {
    TRACER.get()
}

/// What is sent from here.
#[derive(Debug)]
pub struct Telemetry(Option<Running>);

#[derive(Debug)]
struct Running {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    registry: Arc<Registry>,
    following: JoinHandle<()>,
}

impl Telemetry {
    /// Begins to send, if the configuration says where to.
    ///
    /// # Errors
    /// The address or one of the standard's variables cannot be used. A receiver that does not answer is no error, now or later.
    pub fn start(app: &App) -> Result<Self, String> {
        let Some(otel) = &app.config.otel else { return Ok(Self(None)) };
        let client: Arc<dyn HttpClient> = Arc::new(Receiver::new().map_err(|error| error.to_string())?);
        let resource = resource(app);
        let traces = traces(otel, &client, resource.clone())?;
        let metrics = metrics(otel, &client, resource)?;
        let registry = Arc::new(Registry::new(metrics.meter(SERVICE), &app.metrics));
        let following = tokio::spawn(follow(Arc::clone(&registry)));
        // A second server in one process sends its metrics, and its spans with the first one's.
        let _ = TRACER.set(traces.tracer(SERVICE));
        info!(endpoint = otel.endpoint, percent = otel.sample, "sending traces and metrics");
        Ok(Self(Some(Running { traces, metrics, registry, following })))
    }

    /// Sends what waits, for a moment.
    pub async fn stop(self) {
        let Some(Running { traces, metrics, registry, following }) = self.0 else { return };
        following.abort();
        registry.look();
        // They wait for their threads, which wait for this runtime.
        let flush = tokio::task::spawn_blocking(move || {
            let sent = traces.shutdown_with_timeout(LAST_CALL).and_then(|()| metrics.shutdown_with_timeout(LAST_CALL));
            if let Err(error) = sent {
                warn!(%error, "the last traces and metrics were not sent");
            }
        });
        let _ = tokio::time::timeout(LAST_CALL * 2, flush).await;
    }
}

async fn follow(registry: Arc<Registry>) {
    loop {
        registry.look();
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn resource(app: &App) -> Resource {
    let resource = Resource::builder();
    let named = env::var_os("OTEL_SERVICE_NAME").is_some();
    let resource = if named { resource } else { resource.with_service_name(SERVICE) };
    let about = [("service.version", env!("CARGO_PKG_VERSION")), ("countersign.issuer", app.config.issuer.as_str())];
    resource.with_attributes(about.map(|(name, value)| opentelemetry::KeyValue::new(name, value.to_owned()))).build()
}

fn traces(otel: &Otel, client: &Arc<dyn HttpClient>, resource: Resource) -> Result<SdkTracerProvider, String> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_shared_http_client(Arc::clone(client))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", otel.endpoint))
        .build()
        .map_err(|error| error.to_string())?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(f64::from(otel.sample) / 100.0)));
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_sampler(sampler).with_resource(resource).build())
}

fn metrics(otel: &Otel, client: &Arc<dyn HttpClient>, resource: Resource) -> Result<SdkMeterProvider, String> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_shared_http_client(Arc::clone(client))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/metrics", otel.endpoint))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(SdkMeterProvider::builder().with_periodic_exporter(exporter).with_resource(resource).build())
}
