//! Structured log lines on standard error. Field values are escaped by the subscriber, so that no user agent can forge a
//! line (AUD-03).

use std::{io::stderr, sync::OnceLock};

use tracing_subscriber::{
    Registry,
    filter::Targets,
    fmt,
    layer::SubscriberExt,
    registry,
    reload::{self, Handle},
    util::SubscriberInitExt,
};

use crate::config::{Config, ConfigError, LogFormat};

/// Where the process's log level is changed.
static LEVEL: OnceLock<Handle<Targets, Registry>> = OnceLock::new();

/// Which lines are written.
#[derive(Debug)]
pub struct Level(Targets);

/// Installs the process's subscriber. A second call changes nothing.
///
/// # Errors
/// `log.level` is not a level or a list of `target=level`.
pub fn install(config: &Config) -> Result<(), ConfigError> {
    let Level(filter) = understood(config)?;
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(stderr).with_ansi(false);
    let installed = match config.log_format {
        LogFormat::Text => registry().with(filter).with(lines).try_init(),
        LogFormat::Json => registry().with(filter).with(lines.json().flatten_event(true)).try_init(),
    };
    // An error means that a subscriber was there already, as in tests.
    if installed.is_ok() {
        let _ = LEVEL.set(handle);
    }
    Ok(())
}

/// Understands `log.level`.
///
/// # Errors
/// As [`install`].
pub fn understood(config: &Config) -> Result<Level, ConfigError> {
    format!("tokio_postgres=warn,{}", config.log_level)
        .parse()
        .map(Level)
        .map_err(|error: tracing_subscriber::filter::ParseError| config.refuse_log_level(&error.to_string()))
}

/// Changes which lines are written from now on.
pub fn set(Level(filter): Level) {
    // An error means that the subscriber is gone, and with it every line.
    let _ = LEVEL.get().map(|handle| handle.reload(filter));
}
