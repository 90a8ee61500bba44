//! The request parameter `claims` (OpenID Connect Core §5.5): single claims about the person, beside those of the scopes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Problem;
use crate::domain::{assurance::Level, person, scope::Scope};

/// What a client asks for by name. Only claims that are known here and belong to a scope that the client may ask for; others
/// are left out without an error (§5.5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    pub userinfo: BTreeSet<&'static str>,
    pub id_token: BTreeSet<&'static str>,
    /// The person whom the client expects.
    pub sub: Option<String>,
    /// How strong the sign-in must be.
    pub needed: Level,
    /// How strong it should be.
    pub wished: Level,
}

impl ClaimsRequest {
    /// Reads the parameter of a client that may ask for `allowed`.
    ///
    /// # Errors
    /// `invalid_request`; `unmet_authentication_requirements` for a kind of sign-in that there is not and that must be (§5.5.1.1).
    pub fn parse(text: &str, allowed: &Scope) -> Result<Self, Problem> {
        let wanted: Value = serde_json::from_str(text).map_err(|_| malformed())?;
        let wanted = wanted.as_object().ok_or_else(malformed)?;
        let (userinfo, id_token) = (members(wanted, "userinfo")?, members(wanted, "id_token")?);
        let (needed, wished) = id_token.get("acr").map_or(Ok((Level::One, Level::One)), levels)?;
        let expected = |wanted: &Map<String, Value>| wanted.get("sub")?.get("value")?.as_str().map(str::to_owned);
        Ok(Self {
            sub: expected(&id_token).or_else(|| expected(&userinfo)),
            userinfo: known(&userinfo, allowed),
            id_token: known(&id_token, allowed),
            needed,
            wished,
        })
    }

    /// The scopes whose claims these are: what the person is asked about.
    pub fn scope(&self) -> Scope {
        let scopes = self.userinfo.union(&self.id_token).filter_map(|name| person::scope_of(name));
        scopes.fold(Scope::default(), |all, word| all.union(&word.parse().unwrap_or_default()))
    }
}

/// Names with spaces between them; `None` if there are none.
pub fn names(claims: &BTreeSet<&str>) -> Option<String> {
    (!claims.is_empty()).then(|| claims.iter().copied().collect::<Vec<_>>().join(" "))
}

fn malformed() -> Problem {
    Problem::invalid("claims is not the JSON of OpenID Connect Core, section 5.5")
}

fn members(wanted: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, Problem> {
    let members = match wanted.get(name) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members.clone(),
        Some(_) => return Err(malformed()),
    };
    if members.values().all(|value| value.is_null() || value.is_object()) { Ok(members) } else { Err(malformed()) }
}

fn known(wanted: &Map<String, Value>, allowed: &Scope) -> BTreeSet<&'static str> {
    let may = |name: &&str| person::scope_of(name).is_some_and(|scope| allowed.contains(scope));
    person::names().into_iter().filter(|name| wanted.contains_key(*name)).filter(may).collect()
}

/// How strong a sign-in must be, and should be, by what is said of the claim `acr`. A stronger one is always good, too.
fn levels(acr: &Value) -> Result<(Level, Level), Problem> {
    let essential = acr.get("essential").and_then(Value::as_bool).unwrap_or_default();
    let named: Vec<&Value> = match (acr.get("value"), acr.get("values")) {
        (Some(one), _) => vec![one],
        (None, Some(values)) => values.as_array().map(|all| all.iter().collect()).unwrap_or_default(),
        (None, None) => return Ok((Level::One, Level::One)),
    };
    let known: Vec<Level> = named.into_iter().filter_map(Value::as_str).filter_map(Level::parse).collect();
    match (known.iter().min(), known.first()) {
        (Some(least), Some(first)) => Ok((if essential { *least } else { Level::One }, *first)),
        _ if essential => {
            let words = "there is no sign-in of the kind that acr must be";
            Err(Problem::new("unmet_authentication_requirements", words))
        }
        _ => Ok((Level::One, Level::One)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ClaimsRequest, &'static str> {
        ClaimsRequest::parse(text, &"openid profile email".parse().unwrap()).map_err(|problem| problem.error)
    }

    // OpenID Connect Core §5.5: its own example, of which this client may have a part.
    #[test]
    fn what_the_client_may_have_is_understood_and_the_rest_left_out() {
        let text = r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
            "email_verified": {"essential": true}, "picture": null, "phone_number": null,
            "http://example.info/claims/groups": null},
            "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}}"#;
        let request = parse(text).unwrap();
        assert_eq!(names(&request.userinfo).unwrap(), "email email_verified given_name nickname picture");
        assert_eq!((names(&request.id_token), request.sub.as_deref()), (None, None));
        assert_eq!(request.scope().to_string(), "email profile");
        assert_eq!(parse("{}").unwrap(), ClaimsRequest::default());
        assert_eq!(parse(r#"{"id_token":{"sub":{"value":"usr_a"}}}"#).unwrap().sub.as_deref(), Some("usr_a"));
    }

    #[test]
    fn what_is_malformed_or_cannot_be_is_refused() {
        for bad in ["", "x", "[]", "\"name\"", r#"{"userinfo":["name"]}"#, r#"{"id_token":{"name":true}}"#] {
            assert_eq!(parse(bad), Err("invalid_request"), "{bad}");
        }
        let unmet = Err("unmet_authentication_requirements");
        let (one, two) = (Level::One, Level::Two);
        for (acr, wanted) in [
            (r#"{"essential":true,"values":["0","9"]}"#, unmet),
            (r#"{"essential":true,"value":"9"}"#, unmet),
            (r#"{"essential":true,"values":["9","1"]}"#, Ok((one, one))),
            (r#"{"essential":true,"values":["2","1"]}"#, Ok((one, two))),
            (r#"{"essential":true,"value":"2"}"#, Ok((two, two))),
            (r#"{"essential":true}"#, Ok((one, one))),
            (r#"{"values":["2"]}"#, Ok((one, two))),
            (r#"{"values":["9"]}"#, Ok((one, one))),
            ("null", Ok((one, one))),
        ] {
            let levels =
                parse(&format!("{{\"id_token\":{{\"acr\":{acr}}}}}")).map(|claims| (claims.needed, claims.wished));
            assert_eq!(levels, wanted, "{acr}");
        }
    }
}
