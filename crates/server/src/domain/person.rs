//! What may be told about a person, by scope (OpenID Connect Core §5.4).

use serde_json::{Map, Value};

use super::scope::Scope;

/// The claims of each scope that are kept as attributes, under the same name.
const BY_SCOPE: &[(&str, &[&str])] = &[
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", ADDRESS),
];

/// The members of the claim `address`; attributes are plain values, so each is one of its own (§5.1.1).
const ADDRESS: &[&str] = &["formatted", "street_address", "locality", "region", "postal_code", "country"];

/// Every claim that [`claims`] may make.
pub fn names() -> Vec<&'static str> {
    let plain = BY_SCOPE.iter().filter(|(scope, _)| *scope != "address").flat_map(|(_, names)| names.iter().copied());
    ["sub", "email", "email_verified", "address", "roles"].into_iter().chain(plain).collect()
}

/// The scope that tells a claim.
pub fn scope_of(claim: &str) -> Option<&'static str> {
    match claim {
        "email" | "email_verified" => Some("email"),
        "roles" => Some("roles"),
        "address" => Some("address"),
        _ => BY_SCOPE
            .iter()
            .filter(|(scope, _)| *scope != "address")
            .find(|(_, names)| names.contains(&claim))
            .map(|(scope, _)| *scope),
    }
}

/// A person, as far as clients may know them.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// Whom the client knows them as.
    pub subject: &'a str,
    pub email: &'a str,
    pub email_verified: bool,
    pub attributes: &'a Map<String, Value>,
    pub roles: &'a [String],
}

/// What a client that was granted `scope` is told.
pub fn claims(person: &Person<'_>, scope: &Scope) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), person.subject.into());
    if scope.contains("email") {
        claims.insert("email".to_owned(), person.email.into());
        claims.insert("email_verified".to_owned(), person.email_verified.into());
    }
    if scope.contains("roles") {
        claims.insert("roles".to_owned(), person.roles.into());
    }
    for (word, names) in BY_SCOPE.iter().filter(|(word, _)| scope.contains(word)) {
        let found: Map<String, Value> =
            names.iter().filter_map(|name| Some(((*name).to_owned(), person.attributes.get(*name)?.clone()))).collect();
        match *word {
            "address" if found.is_empty() => {}
            "address" => {
                claims.insert("address".to_owned(), Value::Object(found));
            }
            _ => claims.extend(found),
        }
    }
    claims
}

/// The claims of these names, space-separated, as far as the client may ask for the scopes that tell them (§5.5).
pub fn single(person: &Person<'_>, names: &str, allowed: &Scope) -> Map<String, Value> {
    let may = |name: &str| scope_of(name).is_some_and(|scope| allowed.contains(scope));
    let wanted = |name: &str| names.split(' ').any(|wanted| wanted == name) && may(name);
    if names.is_empty() {
        return Map::new();
    }
    claims(person, allowed).into_iter().filter(|(name, _)| wanted(name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // OpenID Connect Core §5.4
    #[test]
    fn each_scope_tells_its_own_claims() {
        let attributes =
            json!({"name": "Ada", "plan": "gold", "phone_number": "+44 1", "locality": "London", "country": "UK"});
        let person = Person {
            subject: "usr_a",
            email: "ada@example.com",
            email_verified: false,
            attributes: attributes.as_object().unwrap(),
            roles: &["buyer".to_owned()],
        };
        let told = |scope: &str| Value::Object(claims(&person, &scope.parse().unwrap()));
        assert_eq!(told("openid"), json!({"sub": "usr_a"}));
        assert_eq!(told("openid profile"), json!({"sub": "usr_a", "name": "Ada"}));
        assert_eq!(told("openid email"), json!({"sub": "usr_a", "email": "ada@example.com", "email_verified": false}));
        assert_eq!(told("openid phone"), json!({"sub": "usr_a", "phone_number": "+44 1"}));
        assert_eq!(told("openid address"), json!({"sub": "usr_a", "address": {"locality": "London", "country": "UK"}}));
        assert_eq!(told("openid roles"), json!({"sub": "usr_a", "roles": ["buyer"]}));
        assert_eq!(told("plan"), json!({"sub": "usr_a"}));
        let single = |names: &str| Value::Object(single(&person, names, &"openid profile email".parse().unwrap()));
        assert_eq!(single("name phone_number sub roles address"), json!({"name": "Ada"}));
        assert_eq!((single("email"), single("")), (json!({"email": "ada@example.com"}), json!({})));
        let bare = Person { attributes: &Map::new(), ..person };
        assert_eq!(claims(&bare, &"address profile".parse().unwrap()).len(), 1);
        assert!(names().contains(&"family_name") && !names().contains(&"locality"));
    }
}
