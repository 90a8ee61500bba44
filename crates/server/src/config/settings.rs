//! Where each value comes from: flags beat the environment, the environment beats the file, the file beats the default.

use std::{collections::BTreeMap, fmt, path::Path};

use super::{
    ConfigError,
    keys::{Change, KEYS, Key, Kind, find},
};

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Default,
    File(String),
    Environment(String),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// A key's text and where it came from.
#[derive(Debug, Clone)]
pub struct Setting {
    pub value: String,
    pub origin: Origin,
}

/// All values as text, before they are understood.
#[derive(Debug, Clone)]
pub struct Settings(BTreeMap<&'static str, Setting>);

impl Default for Settings {
    fn default() -> Self {
        let default = |key: &Key| Setting { value: key.default.to_owned(), origin: Origin::Default };
        Self(KEYS.iter().map(|key| (key.name, default(key))).collect())
    }
}

impl Settings {
    /// Reads the file (if one is named, or `countersign.toml` exists), the environment and the flags, in rising order.
    ///
    /// # Errors
    /// A file that cannot be read or parsed, an unknown key (named with the nearest known one).
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let mut settings = Self::default();
        let usual = Path::new("countersign.toml");
        if let Some(path) = file.or_else(|| usual.exists().then_some(usual)) {
            settings.read_file(path)?;
        }
        settings.read_environment(environment)?;
        for (name, value) in flags {
            settings.set(name, value.clone(), Origin::Flag)?;
        }
        Ok(settings)
    }

    /// Sets one key.
    ///
    /// # Errors
    /// The key is unknown.
    pub fn set(&mut self, name: &str, value: String, origin: Origin) -> Result<(), ConfigError> {
        let key = find(name).ok_or_else(|| ConfigError::unknown(name, &origin))?;
        self.0.insert(key.name, Setting { value, origin });
        Ok(())
    }

    /// Every key in the order of the table, with its setting.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Key, &Setting)> {
        KEYS.iter().map(|key| (key, self.setting(key.name)))
    }

    /// The keys whose values differ from these.
    pub fn changed(&self, before: &Self) -> Vec<&'static Key> {
        KEYS.iter().filter(|key| self.setting(key.name).value != before.setting(key.name).value).collect()
    }

    /// These, but for the keys that wait for a restart: they stay as they are in what `runs`.
    #[must_use]
    pub fn under(mut self, runs: &Self) -> Self {
        for key in KEYS.iter().filter(|key| key.change == Change::Restart) {
            self.0.insert(key.name, runs.setting(key.name).clone());
        }
        self
    }

    pub(super) fn setting(&self, name: &'static str) -> &Setting {
        static NOTHING: Setting = Setting { value: String::new(), origin: Origin::Default };
        self.0.get(name).unwrap_or(&NOTHING)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::File { path: shown.clone(), reason: error.to_string() })?;
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigError::File { path: shown.clone(), reason: error.to_string() })?;
        self.read_table("", &table, &Origin::File(shown))
    }

    fn read_table(&mut self, prefix: &str, table: &toml::Table, origin: &Origin) -> Result<(), ConfigError> {
        for (name, value) in table {
            let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                toml::Value::Table(inner) => self.read_table(&name, inner, origin)?,
                other => self.set(&name, text_of(other), origin.clone())?,
            }
        }
        Ok(())
    }

    fn read_environment(&mut self, variables: impl Iterator<Item = (String, String)>) -> Result<(), ConfigError> {
        for (name, value) in variables {
            // COUNTERSIGN_TEST_… belongs to the project's own test command.
            if !name.starts_with("COUNTERSIGN_") || name.starts_with("COUNTERSIGN_TEST_") {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            match KEYS.iter().find(|key| key.variable() == name) {
                Some(key) => self.set(key.name, value, origin)?,
                None => return Err(ConfigError::unknown(&dotted(&name), &origin)),
            }
        }
        Ok(())
    }
}

/// The value as it may be shown: what may hold a password shows only that it is set (ADM-06).
pub fn shown(key: &Key, setting: &Setting) -> String {
    match key.kind {
        Kind::Secret if !setting.value.is_empty() => "(set, not shown)".to_owned(),
        _ => setting.value.clone(),
    }
}

/// The best guess at the key that a variable's name means, for the error message.
fn dotted(variable: &str) -> String {
    let name = variable.trim_start_matches("COUNTERSIGN_").to_lowercase();
    let groups = ["refresh", "password", "limits", "feed", "keys", "mail", "metrics", "log", "tls"];
    match name.split_once('_') {
        Some((group, rest)) if groups.contains(&group) => format!("{group}.{rest}"),
        _ => name,
    }
}

fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
