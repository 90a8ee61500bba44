//! Signing out when a client asks for it (OpenID Connect RP-Initiated Logout §2, §3): without a question or after one, and
//! where the browser goes then.

use super::{
    authorize::Parameters,
    client::{ClientId, ClientSettings},
    redirect::{self, Redirect},
};

/// What the endpoint knows; everything else is ignored.
pub const PARAMETERS: &[&str] =
    &["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

/// What an ID token of ours says that came as a hint. Its signature held; it may have expired (RLO-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Whom the client knows the person as.
    pub subject: String,
    pub client_id: String,
}

/// A request to sign out, before its client was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOut {
    /// Who wants the browser back, if that is known and not contradicted.
    pub client: Option<ClientId>,
    wanted: Option<String>,
    state: Option<String>,
    hint: Option<Hint>,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The person is asked.
    Ask,
    /// They are signed out now.
    Now,
}

impl SignOut {
    /// Understands a request. `hint` is what became of its `id_token_hint`: an `Err` if it did not verify.
    pub fn new(parameters: &Parameters, hint: Option<Result<Hint, ()>>) -> Self {
        let get = |name| parameters.one(name).ok().flatten().map(str::to_owned);
        let named = get("client_id").map(|id| ClientId::parse(&id));
        let hinted = match &hint {
            Some(Ok(hint)) => ClientId::parse(&hint.client_id).ok(),
            _ => None,
        };
        let contradicted = PARAMETERS.iter().any(|name| parameters.one(name).is_err())
            || matches!(hint, Some(Err(())))
            || matches!(named, Some(Err(_)))
            || matches!((&named, &hinted), (Some(Ok(named)), Some(hinted)) if named != hinted);
        if contradicted {
            // RLO-02, RLO-03: whoever sent this is not known, so the person decides and goes nowhere.
            return Self { client: None, wanted: None, state: None, hint: None };
        }
        Self {
            client: named.and_then(Result::ok).or(hinted),
            wanted: get("post_logout_redirect_uri"),
            state: get("state"),
            hint: hint.and_then(Result::ok),
        }
    }

    /// Whether the person in front of the browser is asked; `subject` is whom the client knows the person as who
    /// is signed in there. Anybody can send a browser
    /// here, so only an ID token of this very person stands for their client's word that they want it.
    pub fn step(&self, subject: Option<&str>) -> Step {
        let known = self.hint.as_ref().is_some_and(|hint| subject.is_none_or(|subject| subject == hint.subject));
        if known { Step::Now } else { Step::Ask }
    }

    /// Where the browser goes afterwards: only where the client has registered that it may.
    pub fn destination(&self, client: Option<&ClientSettings>) -> Option<(Redirect, String)> {
        let registered = &client?.sign_in.post_logout_redirect_uris;
        let redirect = redirect::choose(registered, Some(self.wanted.as_deref()?)).ok()?;
        let state: Vec<(&str, &str)> = self.state.iter().map(|state| ("state", state.as_str())).collect();
        let to = redirect.with(&state);
        Some((redirect, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        audience_id::AudienceId,
        client::{AccessTokenFormat, SignInSettings},
        redirect::RedirectUri,
    };

    const AFTER: &str = "https://shop.example/bye";

    fn shop() -> ClientSettings {
        ClientSettings {
            name: "Shop".to_owned(),
            scopes: "openid".parse().unwrap(),
            audiences: AudienceId::parse_list("api").unwrap(),
            grants: Default::default(),
            roles: Vec::new(),
            alg: None,
            serves: Vec::new(),
            exchanges: Vec::new(),
            access_token_ttl: None,
            refresh_idle: None,
            refresh_absolute: None,
            dpop_bound: false,
            access_token_format: AccessTokenFormat::Signed,
            sign_in: SignInSettings {
                post_logout_redirect_uris: vec![RedirectUri::parse(AFTER).unwrap()],
                ..SignInSettings::default()
            },
        }
    }

    fn hint() -> Option<Result<Hint, ()>> {
        Some(Ok(Hint { subject: "usr_a".into(), client_id: "shop".into() }))
    }

    fn request(query: &[(&str, &str)], hint: Option<Result<Hint, ()>>) -> SignOut {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        SignOut::new(&Parameters::parse(text.as_bytes()).unwrap(), hint)
    }

    // RLO-02, RLO-03: who is asked, and who goes where.
    #[test]
    fn only_an_id_token_of_this_person_spares_the_question() {
        let after = ("post_logout_redirect_uri", AFTER);
        let to = |request: &SignOut| {
            let client = request.client.as_ref().map(|_| shop());
            request.destination(client.as_ref()).map(|(_, to)| to)
        };
        for (query, hint, user, step, wanted) in [
            (&[after][..], hint(), Some("usr_a"), Step::Now, Some(AFTER)),
            (&[after], hint(), None, Step::Now, Some(AFTER)),
            (&[after, ("client_id", "shop")], hint(), Some("usr_a"), Step::Now, Some(AFTER)),
            (&[], hint(), Some("usr_a"), Step::Now, None),
            // Another person's token.
            (&[after], hint(), Some("usr_b"), Step::Ask, Some(AFTER)),
            // The client's name alone proves nothing, but the person may say yes.
            (&[after, ("client_id", "shop")], None, Some("usr_a"), Step::Ask, Some(AFTER)),
            (&[after], None, Some("usr_a"), Step::Ask, None),
            (&[], None, Some("usr_a"), Step::Ask, None),
            (&[], None, None, Step::Ask, None),
            // A hint that does not verify, or that another client's name contradicts.
            (&[after, ("client_id", "shop")], Some(Err(())), Some("usr_a"), Step::Ask, None),
            (&[after, ("client_id", "bank")], hint(), Some("usr_a"), Step::Ask, None),
            (&[after, ("client_id", "usr_x")], hint(), Some("usr_a"), Step::Ask, None),
            (&[after, after], hint(), Some("usr_a"), Step::Ask, None),
            // Not registered.
            (&[("post_logout_redirect_uri", "https://shop.example/bye/")], hint(), Some("usr_a"), Step::Now, None),
            (&[("post_logout_redirect_uri", "https://evil.example/bye")], hint(), Some("usr_a"), Step::Now, None),
        ] {
            let request = request(query, hint);
            assert_eq!((request.step(user), to(&request).as_deref()), (step, wanted), "{query:?} {user:?}");
        }
    }

    #[test]
    fn the_state_comes_back() {
        let request = request(&[("post_logout_redirect_uri", AFTER), ("state", "a b")], hint());
        let (_, to) = request.destination(Some(&shop())).unwrap();
        assert_eq!(to, "https://shop.example/bye?state=a+b");
        assert_eq!(request.destination(None), None);
    }
}
