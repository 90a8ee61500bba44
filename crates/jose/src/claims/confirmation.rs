//! Who may use an access token (RFC 7800).

use serde_json::Value;

use super::AccessClaims;
use crate::b64;

/// What a token asks of whoever presents it.
///
/// ```
/// use countersign_jose::{AccessClaims, Confirmation};
///
/// let mut claims = AccessClaims::default();
/// assert_eq!(claims.confirmation(), Confirmation::Bearer);
/// claims.cnf = Some(serde_json::json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}));
/// assert_eq!(claims.confirmation(), Confirmation::Unknown);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation<'c> {
    /// Nothing: whoever holds the token may use it (RFC 6750).
    Bearer,
    /// A proof by the key with this thumbprint (RFC 9449 §6.1, RFC 7638 with SHA-256, base64url).
    Key(&'c str),
    /// Something that is not understood here. Such a token must be refused: to take it as a bearer token would undo what its
    /// issuer promised its owner.
    Unknown,
}

impl AccessClaims {
    /// Reads `cnf`. Only an object whose one member is a well-formed `jkt` names a key: another member beside it asks for
    /// something more.
    pub fn confirmation(&self) -> Confirmation<'_> {
        let Some(cnf) = &self.cnf else { return Confirmation::Bearer };
        let only = cnf.as_object().filter(|members| members.len() == 1).and_then(|members| members.get("jkt"));
        match only.and_then(Value::as_str) {
            Some(jkt) if b64::decode(jkt).is_ok_and(|hash| hash.len() == 32) => Confirmation::Key(jkt),
            _ => Confirmation::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // RFC 9449 §6.1, RFC 7800 §3.1
    #[test]
    fn only_a_lone_thumbprint_names_a_key() {
        let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        let of = |cnf: Value| AccessClaims { cnf: Some(cnf), ..AccessClaims::default() };
        assert_eq!(of(json!({"jkt": jkt})).confirmation(), Confirmation::Key(jkt));
        for unknown in [
            json!({}),
            json!({"jkt": jkt, "x5t#S256": jkt}),
            json!({"x5t#S256": jkt}),
            json!({"jkt": 7}),
            json!({"jkt": ""}),
            json!({"jkt": &jkt[1..]}),
            json!({"jkt": format!("{jkt}=")}),
            json!({"jwk": {"kty": "EC"}}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(of(unknown.clone()).confirmation(), Confirmation::Unknown, "{unknown}");
        }
    }
}
