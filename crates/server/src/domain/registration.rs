//! Clients that register themselves (RFC 7591, OpenID Connect Dynamic Registration): what they may say of themselves, and
//! what becomes of it. Whatever could give one of them more than a stranger's application needs is not theirs to say.

use countersign_jose::Algorithm;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    audience,
    audience_id::AudienceId,
    brand::PageUri,
    client::{AccessTokenFormat, ClientSettings, Consent, Grant, Grants, SignInSettings},
    credential::{ClientKeys, Keys, KeysUri},
    encryption::Encryption,
    logout_uri::LogoutUri,
    redirect::RedirectUri,
    scope::Scope,
    subject::Sector,
};

/// The most addresses of each kind.
const MAX_URIS: usize = 8;
/// What signs ID tokens where nothing is said (OpenID Connect Dynamic Registration §2).
const DEFAULT_ALG: Algorithm = Algorithm::RS256;

/// What a client says of itself. What is not known is ignored (RFC 7591 §2).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Metadata {
    pub redirect_uris: Vec<String>,
    pub token_endpoint_auth_method: Option<String>,
    pub grant_types: Option<Vec<String>>,
    pub response_types: Option<Vec<String>>,
    /// `web` or `native`.
    pub application_type: Option<String>,
    pub client_name: Option<String>,
    pub client_uri: Option<String>,
    pub logo_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub policy_uri: Option<String>,
    /// Space-separated.
    pub scope: Option<String>,
    pub jwks: Option<Value>,
    pub jwks_uri: Option<String>,
    pub subject_type: Option<String>,
    pub sector_identifier_uri: Option<String>,
    pub id_token_signed_response_alg: Option<String>,
    pub id_token_encrypted_response_alg: Option<String>,
    pub id_token_encrypted_response_enc: Option<String>,
    pub userinfo_signed_response_alg: Option<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub dpop_bound_access_tokens: bool,
    pub require_pushed_authorization_requests: bool,
    pub software_statement: Option<String>,
    /// Its own name, in a change alone (RFC 7592 §2.2).
    pub client_id: Option<String>,
}

/// What a client that registers itself may have at most.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling<'a> {
    pub scopes: &'a Scope,
    pub audience: &'a AudienceId,
}

/// What the client proves itself with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    None,
    /// A secret, which it is given.
    Secret,
    Keys(Keys),
}

/// What a client asked for, understood and within its ceiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub settings: ClientSettings,
    pub proof: Proof,
}

/// Why a client is not registered (RFC 7591 §3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMetadata {
    #[error("redirect_uris: {0}")]
    Redirect(String),
    #[error("{0}: {1}")]
    Member(&'static str, String),
    #[error("software statements are not accepted here")]
    Statement,
}

impl BadMetadata {
    /// The word that OAuth has for it.
    pub const fn error(&self) -> &'static str {
        match self {
            Self::Redirect(_) => "invalid_redirect_uri",
            Self::Member(..) => "invalid_client_metadata",
            Self::Statement => "invalid_software_statement",
        }
    }
}

fn bad(member: &'static str, why: impl std::fmt::Display) -> BadMetadata {
    BadMetadata::Member(member, why.to_string())
}

impl Metadata {
    /// Where the document is that lists all addresses of its sector, if it names one: to be fetched before anything is
    /// understood.
    ///
    /// # Errors
    /// [`BadMetadata`]
    pub fn sector_document(&self) -> Result<Option<LogoutUri>, BadMetadata> {
        let uri = self.sector_identifier_uri.as_deref().map(LogoutUri::parse).transpose();
        uri.map_err(|error| bad("sector_identifier_uri", error))
    }

    /// Understands what a client says of itself. `listed`: the addresses in its sector's document, as far as it could be had.
    ///
    /// # Errors
    /// [`BadMetadata`], the first reason.
    pub fn understand(&self, ceiling: Ceiling<'_>, listed: Option<&[String]>) -> Result<Wanted, BadMetadata> {
        self.refuse_what_is_not_offered()?;
        let redirect_uris = self.redirects()?;
        let proof = self.proof()?;
        let sector = self.sector(&redirect_uris, listed)?;
        let pairwise = sector.is_some();
        let settings = ClientSettings {
            name: self.name(&redirect_uris)?,
            scopes: self.scopes(ceiling.scopes)?,
            audiences: vec![ceiling.audience.clone()],
            grants: self.grants()?,
            roles: Vec::new(),
            alg: None,
            serves: Vec::new(),
            exchanges: Vec::new(),
            access_token_ttl: None,
            refresh_idle: None,
            refresh_absolute: None,
            dpop_bound: self.dpop_bound_access_tokens,
            access_token_format: if pairwise { AccessTokenFormat::Opaque } else { AccessTokenFormat::Signed },
            sign_in: SignInSettings { redirect_uris, sector, ..self.sign_in()? },
        };
        settings.check(proof != Proof::None).map_err(|error| bad("client", error))?;
        Ok(Wanted { settings, proof })
    }

    /// Understands a change of a client that is registered. What only an administrator decides stays as it is, and what was
    /// taken away from the client does not come back because it asks: its ceiling is what it has.
    ///
    /// # Errors
    /// [`BadMetadata`], the first reason.
    pub fn change(&self, old: &ClientSettings, listed: Option<&[String]>) -> Result<Wanted, BadMetadata> {
        let audience = old.audiences.first().ok_or_else(|| bad("client", "it has no audience any more"))?;
        let Wanted { settings: new, proof } = self.understand(Ceiling { scopes: &old.scopes, audience }, listed)?;
        if new.grants.iter().any(|grant| !old.grants.contains(grant)) {
            return Err(bad("grant_types", "no more than it was registered with"));
        }
        // People stay who they were to it, and to nobody else: a sector moves to no other host by its own word.
        if old.sign_in.sector.is_some() && new.sign_in.sector != old.sign_in.sector {
            return Err(bad("subject_type", "stays pairwise, and its sector the same"));
        }
        let format = match old.access_token_format {
            AccessTokenFormat::Signed => new.access_token_format,
            unreadable => unreadable,
        };
        // That nobody is asked was said of the addresses that an administrator saw.
        let same_addresses = new.sign_in.redirect_uris == old.sign_in.redirect_uris;
        let consent = if same_addresses { old.sign_in.consent } else { new.sign_in.consent };
        let sign_in = SignInSettings {
            consent,
            require_pushed: new.sign_in.require_pushed || old.sign_in.require_pushed,
            require_signed: old.sign_in.require_signed,
            ..new.sign_in
        };
        let settings = ClientSettings {
            name: new.name,
            scopes: new.scopes,
            grants: new.grants,
            dpop_bound: new.dpop_bound || old.dpop_bound,
            access_token_format: format,
            sign_in,
            ..old.clone()
        };
        settings.check(proof != Proof::None).map_err(|error| bad("client", error))?;
        Ok(Wanted { settings, proof })
    }

    fn refuse_what_is_not_offered(&self) -> Result<(), BadMetadata> {
        if self.software_statement.is_some() {
            return Err(BadMetadata::Statement);
        }
        if self.response_types.as_ref().is_some_and(|types| *types != ["code"]) {
            return Err(bad("response_types", "the only response type is code"));
        }
        if self.jwks_uri.is_some() && self.jwks.is_some() {
            return Err(bad("jwks_uri", "excludes jwks: the keys are here or there"));
        }
        let pages = [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
        ];
        for (member, uri) in pages {
            page_uri(member, uri.as_deref())?;
        }
        Ok(())
    }

    /// What people find on its pages. Its logo is not among it: a picture that a stranger chose could be a bank's.
    ///
    /// # Errors
    /// [`BadMetadata`]
    pub fn links(&self) -> Result<[Option<PageUri>; 2], BadMetadata> {
        Ok([page_uri("policy_uri", self.policy_uri.as_deref())?, page_uri("tos_uri", self.tos_uri.as_deref())?])
    }

    /// What it says of itself that nothing here follows from; it reads it back (RFC 7591 §3.2.1).
    pub fn said(&self) -> Value {
        let said = [
            ("application_type", &self.application_type),
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("sector_identifier_uri", &self.sector_identifier_uri),
        ];
        let said = said.into_iter().filter_map(|(member, value)| Some((member.to_owned(), json!(value.as_ref()?))));
        Value::Object(said.collect())
    }

    fn redirects(&self) -> Result<Vec<RedirectUri>, BadMetadata> {
        if !(1..=MAX_URIS).contains(&self.redirect_uris.len()) {
            return Err(BadMetadata::Redirect(format!("a client has 1 to {MAX_URIS}")));
        }
        let web = match self.application_type.as_deref() {
            Some("web") => true,
            Some("native") | None => false,
            Some(_) => return Err(bad("application_type", "is web or native")),
        };
        let one = |text: &String| {
            let uri = RedirectUri::parse(text).map_err(|error| BadMetadata::Redirect(error.to_string()))?;
            if web && !text.starts_with("https://") {
                return Err(BadMetadata::Redirect("those of a web application begin with https://".to_owned()));
            }
            Ok(uri)
        };
        self.redirect_uris.iter().map(one).collect()
    }

    fn name(&self, uris: &[RedirectUri]) -> Result<String, BadMetadata> {
        match &self.client_name {
            Some(name) => Ok(name.clone()),
            None => Ok(Sector::of(uris).map_or_else(|_| "An application".to_owned(), |host| host.as_str().to_owned())),
        }
    }

    /// People's sessions alone: a token of its own would be a right that nobody gave it.
    fn grants(&self) -> Result<Grants, BadMetadata> {
        let usual = ["authorization_code".to_owned()];
        let wanted = self.grant_types.as_deref().unwrap_or(&usual);
        let grant = |name: &String| match name.as_str() {
            "authorization_code" => Ok(Grant::AuthorizationCode),
            "refresh_token" => Ok(Grant::RefreshToken),
            _ => Err(bad("grant_types", "authorization_code and refresh_token are all that can be registered")),
        };
        let grants: Grants = wanted.iter().map(grant).collect::<Result<_, _>>()?;
        if grants.contains(Grant::AuthorizationCode) {
            Ok(grants)
        } else {
            Err(bad("grant_types", "without authorization_code"))
        }
    }

    /// What it asks for, or all that may be had.
    fn scopes(&self, ceiling: &Scope) -> Result<Scope, BadMetadata> {
        let wanted = self.scope.as_deref().map(str::parse::<Scope>).transpose();
        let wanted = wanted.map_err(|error| bad("scope", error))?;
        ceiling.grant(wanted.as_ref()).ok_or_else(|| bad("scope", format!("at most: {ceiling}")))
    }

    fn proof(&self) -> Result<Proof, BadMetadata> {
        let method = self.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
        if self.jwks_uri.is_some() && method != "private_key_jwt" {
            return Err(bad("jwks_uri", "belongs to private_key_jwt"));
        }
        match method {
            "client_secret_basic" | "client_secret_post" => Ok(Proof::Secret),
            "none" => Ok(Proof::None),
            "private_key_jwt" => self.public_keys().map(Proof::Keys),
            _ => Err(bad(
                "token_endpoint_auth_method",
                "is client_secret_basic, client_secret_post, private_key_jwt or none",
            )),
        }
    }

    fn public_keys(&self) -> Result<Keys, BadMetadata> {
        if let Some(uri) = &self.jwks_uri {
            return KeysUri::parse(uri).map(Keys::Published).map_err(|error| bad("jwks_uri", error));
        }
        let keys = json!({ "keys": self.keys(|key| key["use"] != "enc")? }).to_string();
        ClientKeys::parse(keys.as_bytes()).map(Keys::Registered).map_err(|error| bad("jwks", error))
    }

    fn keys(&self, which: impl Fn(&Value) -> bool) -> Result<Vec<Value>, BadMetadata> {
        let set = self.jwks.as_ref().ok_or_else(|| bad("jwks", "is missing"))?;
        let keys = set["keys"].as_array().ok_or_else(|| bad("jwks", "is no JWK set"))?;
        Ok(keys.iter().filter(|key| which(key)).cloned().collect())
    }

    /// The host of the document that lists all of its addresses, or their one host. Nobody belongs to a sector whose host does
    /// not say so (OpenID Connect Registration §5).
    fn sector(&self, uris: &[RedirectUri], listed: Option<&[String]>) -> Result<Option<Sector>, BadMetadata> {
        let pairwise = match self.subject_type.as_deref() {
            None | Some("public") => false,
            Some("pairwise") => true,
            Some(_) => return Err(bad("subject_type", "is public or pairwise")),
        };
        let Some(document) = self.sector_document()? else {
            let sector = || Sector::of(uris).map_err(|error| bad("subject_type", error));
            return pairwise.then(sector).transpose();
        };
        let names = |uri: &RedirectUri| listed.is_some_and(|listed| listed.iter().any(|text| text == uri.as_str()));
        if !uris.iter().all(names) {
            let why = "there is no JSON list of all redirect_uris there";
            return Err(bad("sector_identifier_uri", why));
        }
        let sector = RedirectUri::parse(document.as_str()).ok().and_then(|uri| Sector::of(&[uri]).ok());
        let sector = sector.ok_or_else(|| bad("sector_identifier_uri", "names no host"))?;
        Ok(pairwise.then_some(sector))
    }

    fn sign_in(&self) -> Result<SignInSettings, BadMetadata> {
        let after = |text: &String| RedirectUri::parse(text).map_err(|error| bad("post_logout_redirect_uris", error));
        if self.post_logout_redirect_uris.len() > MAX_URIS {
            return Err(bad("post_logout_redirect_uris", format!("a client has at most {MAX_URIS}")));
        }
        let out = self.backchannel_logout_uri.as_deref().map(LogoutUri::parse).transpose();
        let alg = |member, name: &Option<String>| {
            name.as_deref().map(audience::algorithm).transpose().map_err(|error| bad(member, error))
        };
        let id_token = alg("id_token_signed_response_alg", &self.id_token_signed_response_alg)?;
        Ok(SignInSettings {
            post_logout_redirect_uris: self.post_logout_redirect_uris.iter().map(after).collect::<Result<_, _>>()?,
            backchannel_logout_uri: out.map_err(|error| bad("backchannel_logout_uri", error))?,
            // Nobody of the house has looked at it: people are asked each time what it may have.
            consent: Consent::Ask,
            id_token_alg: Some(id_token.unwrap_or(DEFAULT_ALG)),
            id_token_encryption: self.encryption()?,
            userinfo_alg: alg("userinfo_signed_response_alg", &self.userinfo_signed_response_alg)?,
            require_pushed: self.require_pushed_authorization_requests,
            ..SignInSettings::default()
        })
    }

    /// The key for encryption in its set, bound to the algorithm that it names.
    fn encryption(&self) -> Result<Option<Encryption>, BadMetadata> {
        let Some(alg) = &self.id_token_encrypted_response_alg else { return Ok(None) };
        let fits = |key: &Value| key["use"] == "enc" && (key["alg"].is_null() || key["alg"] == alg.as_str());
        let mut key = self.keys(fits)?.into_iter().next().ok_or_else(|| bad("jwks", "has no key for encryption"))?;
        key["alg"] = json!(alg);
        // What OpenID Connect has for a client that names the one and not the other.
        let enc = self.id_token_encrypted_response_enc.as_deref().unwrap_or("A128CBC-HS256");
        let parsed = Encryption::parse(key.to_string().as_bytes(), Some(enc));
        parsed.map(Some).map_err(|error| bad("id_token_encrypted_response_alg", error))
    }
}

fn page_uri(member: &'static str, uri: Option<&str>) -> Result<Option<PageUri>, BadMetadata> {
    uri.map(PageUri::parse).transpose().map_err(|error| bad(member, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understand(metadata: Value) -> Result<Wanted, BadMetadata> {
        let scopes = "openid profile".parse().unwrap();
        let audience = AudienceId::parse("api").unwrap();
        let metadata: Metadata = serde_json::from_value(metadata).unwrap();
        metadata.understand(Ceiling { scopes: &scopes, audience: &audience }, None)
    }

    fn with(member: &str, value: Value) -> Result<Wanted, BadMetadata> {
        let mut metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
        metadata[member] = value;
        understand(metadata)
    }

    // OAU-13: what is said little about is the least.
    #[test]
    fn a_plain_registration_is_a_stranger() {
        let wanted = with("client_name", json!("App")).unwrap();
        let settings = wanted.settings;
        assert_eq!((wanted.proof, settings.name.as_str()), (Proof::Secret, "App"));
        assert_eq!(settings.grants.to_string(), "authorization_code");
        assert_eq!((settings.scopes.to_string().as_str(), settings.sign_in.consent), ("openid profile", Consent::Ask));
        assert!(settings.roles.is_empty() && settings.serves.is_empty());
        assert_eq!(settings.sign_in.id_token_alg, Some(Algorithm::RS256));
        assert_eq!(with("client_name", Value::Null).unwrap().settings.name, "app.example");
    }

    // OAU-13, ADM-01: nothing that it says makes more of it.
    #[test]
    fn what_would_be_more_is_refused_or_not_heard() {
        for (member, value) in [
            ("grant_types", json!(["client_credentials"])),
            ("grant_types", json!(["authorization_code", "first_party"])),
            ("grant_types", json!(["refresh_token"])),
            ("response_types", json!(["code token"])),
            ("scope", json!("openid admin")),
            ("token_endpoint_auth_method", json!("tls_client_auth")),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("id_token_signed_response_alg", json!("none")),
            ("id_token_signed_response_alg", json!("HS256")),
            ("userinfo_signed_response_alg", json!("HS256")),
            ("id_token_encrypted_response_alg", json!("dir")),
            ("subject_type", json!("secret")),
            ("jwks_uri", json!("https://app.example/keys")),
            ("sector_identifier_uri", json!("https://app.example/sector")),
            ("logo_uri", json!("javascript:alert(1)")),
            ("client_uri", json!("http://app.example")),
            ("client_name", json!("a\nb")),
            ("client_name", json!("x".repeat(101))),
            ("application_type", json!("server")),
            ("backchannel_logout_uri", json!("ftp://app.example/out")),
            ("post_logout_redirect_uris", json!(["https://a.example/#x"])),
        ] {
            let refused = with(member, value.clone()).unwrap_err();
            assert_eq!(refused.error(), "invalid_client_metadata", "{member} {value}: {refused}");
        }
        for (member, value) in [
            ("roles", json!(["admin"])),
            ("consent", json!("implied")),
            ("serves", json!(["api"])),
            ("audiences", json!(["admin"])),
            ("access_token_format", json!("opaque")),
            ("builtin", json!(true)),
        ] {
            assert_eq!(with(member, value).unwrap(), with("x", json!(1)).unwrap(), "{member}");
        }
        assert_eq!(with("software_statement", json!("a.b.c")).unwrap_err().error(), "invalid_software_statement");
    }

    // OAU-13: an administrator's word holds against what the client says of itself later.
    #[test]
    fn a_change_gives_nothing_back() {
        let old = with("grant_types", json!(["authorization_code", "refresh_token"])).unwrap().settings;
        let less = ClientSettings {
            scopes: "openid".parse().unwrap(),
            dpop_bound: true,
            access_token_format: AccessTokenFormat::Opaque,
            access_token_ttl: Some(std::time::Duration::from_secs(60)),
            ..old.clone()
        };
        let change = |metadata: Value| serde_json::from_value::<Metadata>(metadata).unwrap().change(&less, None);
        let again = json!({ "redirect_uris": ["https://app.example/new"], "dpop_bound_access_tokens": false });
        let changed = change(again).unwrap().settings;
        let grants: Grants = [Grant::AuthorizationCode].into_iter().collect();
        let name = "app.example".to_owned();
        assert_eq!(changed, ClientSettings { name, grants, sign_in: changed.sign_in.clone(), ..less.clone() });
        assert_eq!(changed.sign_in.redirect_uris[0].as_str(), "https://app.example/new");
        for more in [
            json!({ "redirect_uris": ["https://app.example/cb"], "scope": "openid profile" }),
            json!({ "redirect_uris": ["https://app.example/cb"], "grant_types": ["authorization_code", "client_credentials"] }),
        ] {
            assert!(change(more.clone()).is_err(), "{more}");
        }
        let narrow = ClientSettings { grants: [Grant::AuthorizationCode].into_iter().collect(), ..less };
        let renew = json!({ "redirect_uris": ["https://app.example/cb"], "grant_types": ["authorization_code", "refresh_token"] });
        let refused = serde_json::from_value::<Metadata>(renew).unwrap().change(&narrow, None).unwrap_err();
        assert_eq!(refused, bad("grant_types", "no more than it was registered with"));
    }

    // OAU-01
    #[test]
    fn addresses_are_those_that_an_administrator_could_register() {
        let many: Vec<String> = (0..9).map(|n| format!("https://app.example/{n}")).collect();
        for uris in [
            json!([]),
            json!(["http://app.example/cb"]),
            json!(["https://app.example/*"]),
            json!(["https://app.example/#f"]),
            json!(["javascript:alert(1)"]),
            json!(many),
        ] {
            assert_eq!(understand(json!({ "redirect_uris": uris })).unwrap_err().error(), "invalid_redirect_uri");
        }
        let native = json!(["http://127.0.0.1/cb"]);
        assert!(understand(json!({ "redirect_uris": native, "application_type": "native" })).is_ok());
        let web = json!({ "redirect_uris": native, "application_type": "web" });
        assert_eq!(understand(web).unwrap_err().error(), "invalid_redirect_uri");
    }

    // OAU-14: what cannot be called is not even asked.
    #[test]
    fn keys_are_sent_or_published_never_both() {
        let client = |more: Value| {
            let mut metadata =
                json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "private_key_jwt" });
            metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            understand(metadata)
        };
        let at = Keys::Published(KeysUri::parse("https://app.example/keys").unwrap());
        let published = json!({ "jwks_uri": "https://app.example/keys" });
        assert_eq!(client(published).unwrap().proof, Proof::Keys(at));
        for bad in [
            json!({}),
            json!({ "jwks_uri": "https://app.example/keys", "jwks": { "keys": [] } }),
            json!({ "jwks_uri": "http://app.example/keys" }),
            json!({ "jwks_uri": "http://169.254.169.254/latest" }),
            json!({ "jwks_uri": "file:///etc/passwd" }),
            json!({ "jwks_uri": "https://app.example/keys", "token_endpoint_auth_method": "none" }),
            json!({ "jwks_uri": "https://app.example/keys", "id_token_encrypted_response_alg": "ECDH-ES" }),
        ] {
            assert_eq!(client(bad.clone()).unwrap_err().error(), "invalid_client_metadata", "{bad}");
        }
    }

    // OpenID Connect Registration §5: a sector is the host of a document that names every address of the client.
    #[test]
    fn a_sector_knows_all_of_its_addresses() {
        let uris = ["https://one.example/cb", "https://two.example/cb"];
        let sector = |subject: &str, listed: Option<&[&str]>| {
            let metadata = json!({
                "redirect_uris": uris, "subject_type": subject, "sector_identifier_uri": "https://house.example/sector",
            });
            let metadata: Metadata = serde_json::from_value(metadata).unwrap();
            let (scopes, audience) = ("openid".parse().unwrap(), AudienceId::parse("api").unwrap());
            let listed = listed.map(|listed| listed.iter().map(|uri| (*uri).to_owned()).collect::<Vec<_>>());
            let ceiling = Ceiling { scopes: &scopes, audience: &audience };
            metadata.understand(ceiling, listed.as_deref()).map(|wanted| wanted.settings.sign_in.sector)
        };
        let more = [uris[0], uris[1], "https://three.example/cb"];
        assert_eq!(sector("pairwise", Some(&more)).unwrap().unwrap().as_str(), "house.example");
        assert_eq!(sector("public", Some(&more)).unwrap(), None);
        for subject in ["pairwise", "public"] {
            for listed in [None, Some(&uris[..1]), Some(&[][..]), Some(&["https://one.example/cb ", uris[1]][..])] {
                let refused = sector(subject, listed).unwrap_err();
                assert_eq!(refused.error(), "invalid_client_metadata", "{listed:?}");
            }
        }
        let several = json!({ "redirect_uris": uris, "subject_type": "pairwise" });
        assert_eq!(understand(several).unwrap_err().error(), "invalid_client_metadata");
        assert!(with("sector_identifier_uri", json!("http://app.example/s")).is_err());
    }

    #[test]
    fn a_pairwise_client_gets_tokens_that_it_cannot_read() {
        let wanted = with("subject_type", json!("pairwise")).unwrap();
        assert_eq!(wanted.settings.access_token_format, AccessTokenFormat::Opaque);
        assert_eq!(wanted.settings.sign_in.sector.unwrap().as_str(), "app.example");
    }
}
