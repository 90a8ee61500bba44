//! A browser that keeps its cookies, and a client that sends people to the issuer.

use std::collections::BTreeMap;

use countersign_jose::{IdClaims, JwkSet, Verifier, VerifyingKey, profile::IdToken};
use http::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Ask, ISSUER, PASSWORD, Rig, Site};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Follows nothing by itself: a test sees each step.
pub struct Browser<'r> {
    site: &'r dyn Site,
    cookies: BTreeMap<String, String>,
    languages: Option<&'static str>,
}

impl<'r> Browser<'r> {
    pub fn new(site: &'r dyn Site) -> Self {
        Self { site, cookies: BTreeMap::new(), languages: None }
    }

    /// The same, which asks for these (`Accept-Language`).
    pub fn in_language(mut self, languages: &'static str) -> Self {
        self.languages = Some(languages);
        self
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let ask = self.site.ask(Method::GET, path);
        self.send(ask).await
    }

    /// Posts a form from a page of the issuer.
    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let ask = self.site.ask(Method::POST, path).form(form).same_origin();
        self.send(ask).await
    }

    pub async fn send(&mut self, ask: Ask) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let ask = if cookies.is_empty() { ask } else { ask.header("cookie", &cookies.join("; ")) };
        let ask = ask.header("accept", "text/html, */*;q=0.5");
        let ask = match self.languages {
            Some(languages) => ask.header("accept-language", languages),
            None => ask,
        };
        let answer = ask.send().await;
        for set in answer.cookies() {
            let (name, rest) = set.split_once('=').unwrap();
            match rest.split(';').next().unwrap() {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }

    /// Goes where a redirect leads.
    pub async fn follow(&mut self, redirect: &Answer) -> Answer {
        self.get(&location(redirect)).await
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Fills in the sign-in page.
    pub async fn sign_in(&mut self, page: &Answer, email: &str, password: &str) -> Answer {
        let (request, form) = (hidden(page, "request"), hidden(page, "form"));
        let fields = [("request", &*request), ("form", &*form), ("email", email), ("password", password)];
        self.post("/ui/signin", &fields).await
    }

    /// Answers the consent page.
    pub async fn decide(&mut self, page: &Answer, decision: &str) -> Answer {
        let (request, form) = (hidden(page, "request"), hidden(page, "form"));
        self.post("/ui/consent", &[("request", &request), ("form", &form), ("decision", decision)]).await
    }

    /// From `/authorize` over every page that comes to the answer at the client.
    pub async fn authorize(&mut self, client: &Client, extra: &[(&str, &str)], email: &str) -> Answer {
        let mut answer = self.get(&client.url(extra)).await.expect(303);
        for _ in 0..4 {
            let to = location(&answer);
            if to.starts_with("/ui/signin") {
                let page = self.follow(&answer).await.expect(200);
                answer = self.sign_in(&page, email, PASSWORD).await.expect(303);
            } else if to.starts_with("/ui/consent") {
                let page = self.follow(&answer).await.expect(200);
                answer = self.decide(&page, "allow").await.expect(303);
            } else {
                break;
            }
        }
        answer
    }

    /// The same, and redeems the code.
    pub async fn tokens(&mut self, client: &Client, extra: &[(&str, &str)], email: &str) -> Answer {
        let answer = self.authorize(client, extra, email).await;
        client.redeem(self.site, &query(&answer)["code"]).await.expect(200)
    }
}

/// A client as its developer registered it.
pub struct Client {
    pub id: String,
    pub secret: Option<String>,
    pub redirect: String,
}

impl Client {
    /// A confidential one that people are asked about.
    pub async fn web(rig: &Rig, id: &str) -> Self {
        Self::add(rig, json!({ "client_id": id, "redirect_uris": [format!("https://{id}.example/cb")] })).await
    }

    /// A public one on the person's own machine.
    pub async fn native(rig: &Rig, id: &str) -> Self {
        Self::add(rig, json!({ "client_id": id, "public": true, "redirect_uris": ["http://127.0.0.1/cb"] })).await
    }

    pub async fn add(rig: &Rig, settings: Value) -> Self {
        let mut body = json!({
            "grants": ["authorization_code", "refresh_token"], "audiences": ["api"],
            "scopes": ["openid", "profile", "email", "roles", "orders:read"],
        });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let added = rig.admin(Method::POST, "/api/admin/clients", &body).await.expect(201).json();
        Self {
            id: added["client_id"].as_str().unwrap().to_owned(),
            secret: added["client_secret"].as_str().map(str::to_owned),
            redirect: added["redirect_uris"][0].as_str().unwrap().to_owned(),
        }
    }

    /// A good request, with some parameters changed or, by an empty value, left out.
    pub fn query(&self, changes: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", &*self.id),
            ("redirect_uri", &*self.redirect),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "st&te"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept.chain(changes)).finish()
    }

    pub fn url(&self, changes: &[(&str, &str)]) -> String {
        format!("/authorize?{}", self.query(changes))
    }

    pub async fn redeem(&self, site: &dyn Site, code: &str) -> Answer {
        self.redeem_with(site, code, &[("code_verifier", VERIFIER), ("redirect_uri", &self.redirect)]).await
    }

    pub async fn redeem_with(&self, site: &dyn Site, code: &str, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "authorization_code"), ("client_id", &*self.id), ("code", code)];
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        form.extend(more);
        site.ask(Method::POST, "/token").form(&form).send().await
    }

    pub async fn refresh(&self, rig: &Rig, token: &str) -> Answer {
        let mut form = vec![("grant_type", "refresh_token"), ("client_id", &*self.id), ("refresh_token", token)];
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        rig.post("/token").form(&form).send().await
    }

    /// The claims of an ID token, verified as the client verifies it.
    pub async fn id_token(&self, rig: &Rig, tokens: &Answer) -> IdClaims {
        let jwks = JwkSet::parse(rig.get("/.well-known/jwks.json").send().await.body.as_bytes()).unwrap();
        let keys = jwks.keys.iter().map(|jwk| VerifyingKey::from_jwk(jwk).unwrap());
        let verifier = Verifier::<IdToken>::builder().issuer(ISSUER).audience(&*self.id).keys(keys).build();
        verifier.verify(&tokens.text("id_token"), rig.app.clock.now().secs()).unwrap().into_inner()
    }
}

#[track_caller]
pub fn location(answer: &Answer) -> String {
    let location =
        answer.headers.get("location").unwrap_or_else(|| panic!("no Location: {} {}", answer.status, answer.body));
    location.to_str().unwrap().to_owned()
}

/// The parameters that a redirect carries.
#[track_caller]
pub fn query(answer: &Answer) -> BTreeMap<String, String> {
    let to = location(answer);
    let query = to.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A hidden field of a page.
#[track_caller]
pub fn hidden(page: &Answer, name: &str) -> String {
    let begin = format!("name=\"{name}\" value=\"");
    let at = page.body.find(&begin).unwrap_or_else(|| panic!("no field {name}: {} {}", page.status, page.body));
    page.body[at + begin.len()..].split('"').next().unwrap().to_owned()
}
