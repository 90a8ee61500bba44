//! What opens AWS: a file as its command line keeps it, or its environment variables. Read for each call: both are renewed by
//! others.

use std::path::Path;

use super::super::{remote::Fault, secret_place};
use crate::secret::PlainSecret;

/// An access key.
#[derive(Debug)]
pub(super) struct Credentials {
    /// A name, not a secret.
    pub access_key: String,
    pub secret_key: PlainSecret,
    pub session_token: Option<PlainSecret>,
}

/// From this file, or from the environment.
pub(super) fn read(file: Option<&Path>) -> Result<Credentials, Fault> {
    let Some(file) = file else {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        return gathered(&variable, "the environment");
    };
    let text = secret_place::read_file(file)?;
    gathered(&|name| of_profile(text.expose(), &name.to_ascii_lowercase()), &file.display().to_string())
}

fn gathered(find: &dyn Fn(&str) -> Option<String>, place: &str) -> Result<Credentials, Fault> {
    let wanted = |name: &str| find(name).ok_or_else(|| Fault::Refused(format!("{place} has no {name}")));
    Ok(Credentials {
        access_key: wanted("AWS_ACCESS_KEY_ID")?,
        secret_key: PlainSecret::new(wanted("AWS_SECRET_ACCESS_KEY")?),
        session_token: find("AWS_SESSION_TOKEN").map(PlainSecret::new),
    })
}

/// A value of the profile `default`.
fn of_profile(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "[default]").skip(1);
    let values = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    let found = values.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name);
    found.map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_profile_is_read_and_no_other() {
        let text = "[old]\naws_access_key_id = A\n\n[default]\n# mine\naws_access_key_id=B\naws_secret_access_key = s/+=\n[x]\naws_session_token = t\n";
        assert_eq!(of_profile(text, "aws_access_key_id").as_deref(), Some("B"));
        assert_eq!(of_profile(text, "aws_secret_access_key").as_deref(), Some("s/+="));
        assert_eq!(of_profile(text, "aws_session_token"), None);
        assert_eq!(of_profile("", "aws_access_key_id"), None);
    }
}
