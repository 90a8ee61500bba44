//! Structured log lines on standard error. Field values are escaped by the subscriber, so that no user agent can forge a
//! line (AUD-03).

use std::io::stderr;

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Config, ConfigError, LogFormat};

/// Installs the process's subscriber. A second call changes nothing.
///
/// # Errors
/// `log.level` is not a level or filter.
pub fn install(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(format!("refinery_core=warn,{}", config.log_level))
        .map_err(|error| config.refuse_log_level(&error.to_string()))?;
    let lines = fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false);
    // An error means that a subscriber was there already, as in tests.
    let _ = match config.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
