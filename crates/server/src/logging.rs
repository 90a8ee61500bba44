//! Structured log lines on standard error. Field values are escaped by the subscriber, so that no user agent can forge a
//! line (AUD-03).

use std::io::stderr;

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::config::{Config, ConfigError, LogFormat};

/// Installs the process's subscriber. A second call changes nothing.
///
/// # Errors
/// `log.level` is not a level or a list of `target=level`.
pub fn install(config: &Config) -> Result<(), ConfigError> {
    let filter: Targets = format!("tokio_postgres=warn,{}", config.log_level)
        .parse()
        .map_err(|error: tracing_subscriber::filter::ParseError| config.refuse_log_level(&error.to_string()))?;
    let lines = fmt::layer().with_writer(stderr).with_ansi(false);
    // An error means that a subscriber was there already, as in tests.
    let _ = match config.log_format {
        LogFormat::Text => registry().with(filter).with(lines).try_init(),
        LogFormat::Json => registry().with(filter).with(lines.json().flatten_event(true)).try_init(),
    };
    Ok(())
}
