//! The parameters of a request, as they came: which occur twice is known, so that the error for that can go where the two
//! that matter say (OAU-02, OAU-07).

use std::borrow::Cow;

/// Parameters in the order in which they came. An empty value counts as left out (OAuth 2.1 §3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// The text is no list of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the request is longer than {max} bytes", max = Parameters::MAX_BYTES)]
    TooLong,
    #[error("the request has more than {max} parameters", max = Parameters::MAX)]
    TooMany,
    #[error("a parameter is not UTF-8, or holds a control character")]
    Text,
}

/// A parameter occurs twice: two programs might each read another one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is repeated")]
pub struct Repeated(pub &'static str);

/// What the authorization endpoint knows; everything else is ignored (RFC 6749 §3.1).
pub const PARAMETERS: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "acr_values",
    "id_token_hint",
    "ui_locales",
    "claims_locales",
    "display",
    "claims",
    "resource",
    "organization",
    "dpop_jkt",
    "request",
    "request_uri",
    "registration",
];

impl Parameters {
    /// The most parameters of one request (NET-03).
    pub const MAX: usize = 100;
    /// The most bytes of one request, encoded (NET-03).
    pub const MAX_BYTES: usize = 8 * 1024;

    /// Reads a query, or the body of a form.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(encoded: &[u8]) -> Result<Self, Malformed> {
        if encoded.len() > Self::MAX_BYTES {
            return Err(Malformed::TooLong);
        }
        let mut found = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if found.len() == Self::MAX {
                return Err(Malformed::TooMany);
            }
            // PostgreSQL keeps no NUL, and nobody needs the others.
            let bad = |text: &Cow<'_, str>| text.contains(|c: char| c == '\u{fffd}' || c.is_control());
            if bad(&name) || bad(&value) {
                return Err(Malformed::Text);
            }
            found.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(found))
    }

    /// Parameters that came in another form, within the same bounds.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn of(pairs: Vec<(String, String)>) -> Result<Self, Malformed> {
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Self::parse(encoded.as_bytes())
    }

    /// The value of a parameter, if it is there and not empty.
    ///
    /// # Errors
    /// [`Repeated`]
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Repeated(name));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The same with this one value of a parameter, in place of any other.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut parameters = self.0.clone();
        parameters.retain(|(known, _)| known != name);
        parameters.push((name.to_owned(), value.to_owned()));
        Self(parameters)
    }

    /// The first of the endpoint's own parameters that is repeated.
    pub fn repeated(&self) -> Option<Repeated> {
        PARAMETERS.iter().find_map(|name| self.one(name).err())
    }

    /// The endpoint's own parameters as a query again, others left out.
    pub fn encode(&self) -> String {
        self.encode_only(PARAMETERS)
    }

    /// The parameters of these names as a query again.
    pub fn encode_only(&self, names: &[&str]) -> String {
        let known = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(known).finish()
    }
}
