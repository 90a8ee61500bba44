//! `countersign client …`

mod brand;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use countersign_jose::{Jwk, JwkSet};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    Global,
    admin::{Admin, segment},
    duration,
    output::{Failure, Output, rows, say, table, text},
};

/// How access tokens can be made.
const FORMATS: [&str; 3] = ["signed", "opaque", "encrypted"];

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Client {
    /// Add a client; a confidential one gets a secret, which is shown once
    Add {
        /// Its name in tokens and requests, e.g. order-service
        client_id: String,
        /// A name for people; default: the id
        #[arg(long)]
        name: Option<String>,
        /// A program that cannot keep a secret (browser or mobile application)
        #[arg(long)]
        public: bool,
        /// Its public keys, a JWK or a JWK set: it proves itself by what it signs (private_key_jwt) and gets no secret
        #[arg(long, value_name = "FILE", conflicts_with = "public")]
        jwks: Option<PathBuf>,
        /// Where it publishes its public keys: read when they are needed, so that it changes them by itself
        #[arg(long, value_name = "URL", conflicts_with_all = ["public", "jwks"])]
        jwks_uri: Option<String>,
        /// What it may do: authorization_code, client_credentials, refresh_token, device_code, token_exchange (repeatable; default
        /// client_credentials, or refresh_token with --public, or authorization_code and refresh_token with --redirect-uri; and
        /// token_exchange with --exchange)
        #[arg(long)]
        grant: Vec<String>,
        /// Where an authorization response may go, compared exactly; the port of http://127.0.0.1 may vary (repeatable)
        #[arg(long)]
        redirect_uri: Vec<String>,
        /// Where a browser may go after signing out (repeatable)
        #[arg(long)]
        post_logout_redirect_uri: Vec<String>,
        /// Where it takes logout tokens: it hears when a session of its people has ended
        #[arg(long)]
        backchannel_logout_uri: Option<String>,
        /// ask: people are asked what it may have; implied: it belongs to the same house as the issuer
        #[arg(long, value_parser = ["ask", "implied"], default_value = "ask")]
        consent: String,
        /// What signs its ID tokens, e.g. RS256; default: ES256
        #[arg(long)]
        id_token_alg: Option<String>,
        /// Its authorization requests must be pushed to /par: what stands in a browser's address counts for nothing
        #[arg(long)]
        par: bool,
        /// Its authorization requests must be signed by one of its keys (--jwks), in the address or pushed
        #[arg(long)]
        signed_requests: bool,
        /// How strong a sign-in to it must be: 1, or 2 for a second factor, whatever it asks for
        #[arg(long, value_parser = ["1", "2"])]
        required_acr: Option<String>,
        /// An audience that it may get tokens for; the first is its default (repeatable)
        #[arg(long, default_value = "api")]
        audience: Vec<String>,
        /// A scope that it may ask for (repeatable; default with --redirect-uri: openid, profile, email)
        #[arg(long)]
        scope: Vec<String>,
        /// A role of the client itself, in its client_credentials tokens (repeatable)
        #[arg(long)]
        role: Vec<String>,
        /// What signs its access tokens, e.g. Ed25519; default: what the audience says
        #[arg(long)]
        alg: Option<String>,
        /// An audience that it is: it may introspect that audience's tokens (repeatable)
        #[arg(long)]
        serves: Vec<String>,
        /// An audience that it may exchange tokens for, to call it on behalf of their people: its own tokens, and those for an
        /// audience that it serves (repeatable)
        #[arg(long)]
        exchange: Vec<String>,
        /// Lifetime of its access tokens, e.g. 5m
        #[arg(long, value_parser = duration::seconds)]
        access_token_ttl: Option<u64>,
        /// It must prove a key whenever it asks for tokens (DPoP), so that a stolen one is worth nothing
        #[arg(long)]
        dpop: bool,
        /// signed: JWTs that services check by themselves; opaque: references that services ask the issuer about; encrypted:
        /// JWTs that only their audience can read; default: signed, or opaque with --pairwise
        #[arg(long, value_parser = FORMATS)]
        access_token_format: Option<String>,
        /// It knows people by ids that are made for its sector, and that nobody else knows them by
        #[arg(long)]
        pairwise: bool,
        /// The host that names its sector; default: that of its redirect URIs
        #[arg(long, value_name = "HOST", requires = "pairwise")]
        sector: Option<String>,
        /// What signs the answers of /userinfo, e.g. ES256; default: they are plain JSON
        #[arg(long)]
        userinfo_alg: Option<String>,
        /// The public JWK, with its alg, that its ID tokens are encrypted to
        #[arg(long, value_name = "FILE")]
        encrypt_id_token: Option<PathBuf>,
    },
    /// List clients
    List {
        /// Go on after this client id
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Change a client; what is left out stays. Tokens that say more than it may now die within a second
    Update {
        client_id: String,
        /// A name for people
        #[arg(long)]
        name: Option<String>,
        /// All that it may do from now on (repeatable)
        #[arg(long)]
        grant: Option<Vec<String>>,
        /// All audiences that it may get tokens for from now on (repeatable); sessions for one that is missing end
        #[arg(long)]
        audience: Option<Vec<String>>,
        /// All scopes that it may ask for from now on (repeatable; `--scope ''`: none)
        #[arg(long)]
        scope: Option<Vec<String>>,
        /// All roles of the client itself from now on (repeatable; `--role ''`: none)
        #[arg(long)]
        role: Option<Vec<String>>,
        /// All audiences that it is from now on (repeatable; `--serves ''`: none)
        #[arg(long)]
        serves: Option<Vec<String>>,
        /// All audiences that it may exchange tokens for from now on (repeatable; `--exchange ''`: none). It needs the grant
        /// token_exchange
        #[arg(long)]
        exchange: Option<Vec<String>>,
        /// All places where an authorization response may go from now on (repeatable)
        #[arg(long)]
        redirect_uri: Option<Vec<String>>,
        /// All places where a browser may go after signing out from now on (repeatable; `--post-logout-redirect-uri ''`: none)
        #[arg(long)]
        post_logout_redirect_uri: Option<Vec<String>>,
        /// Where it takes logout tokens (`--backchannel-logout-uri ''`: nowhere)
        #[arg(long)]
        backchannel_logout_uri: Option<String>,
        /// ask: people are asked what it may have; implied: it belongs to the same house as the issuer
        #[arg(long, value_parser = ["ask", "implied"])]
        consent: Option<String>,
        /// Lifetime of its access tokens, e.g. 5m
        #[arg(long, value_parser = duration::seconds)]
        access_token_ttl: Option<u64>,
        /// Whether it must prove a key whenever it asks for tokens (DPoP); with `true` its other tokens end
        #[arg(long)]
        dpop: Option<bool>,
        /// Whether its authorization requests must be pushed to /par
        #[arg(long)]
        par: Option<bool>,
        /// Whether its authorization requests must be signed by one of its keys
        #[arg(long)]
        signed_requests: Option<bool>,
        /// How strong a sign-in to it must be: 1, or 2 for a second factor
        #[arg(long, value_parser = ["1", "2"])]
        required_acr: Option<String>,
        /// signed, opaque or encrypted; tokens of another kind end
        #[arg(long, value_parser = FORMATS)]
        access_token_format: Option<String>,
        /// Whether it knows people by ids that are made for its sector; pairwise needs tokens that it cannot read
        #[arg(long)]
        pairwise: Option<bool>,
        /// What signs the answers of /userinfo; `--userinfo-alg ''`: they are plain JSON
        #[arg(long)]
        userinfo_alg: Option<String>,
        /// The public JWK, with its alg, that its ID tokens are encrypted to; `--encrypt-id-token ''`: they are not
        #[arg(long, value_name = "FILE", value_parser = file_or_none)]
        encrypt_id_token: Option<PathBuf>,
        /// All its public keys from now on, a JWK or a JWK set; they replace a secret, too
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
        /// Where it publishes its public keys from now on
        #[arg(long, value_name = "URL", conflicts_with = "jwks")]
        jwks_uri: Option<String>,
    },
    /// How a client looks on the pages: shown, or changed by what is given
    Brand(brand::Brand),
    /// Disable a client: every session and token of it ends
    Disable { client_id: String },
    /// Enable a client again; what ended stays ended
    Enable { client_id: String },
    /// Make a new secret, shown once; the old one stops working, now or after a while
    RotateSecret {
        client_id: String,
        /// How long the old secret stays good, e.g. 1d, so that the service can be changed without a gap
        #[arg(long, value_parser = duration::seconds, default_value = "0s")]
        overlap: u64,
    },
    /// Make an initial access token, shown once: whoever has it registers clients at POST /clients (RFC 7591)
    AllowRegistration {
        /// How many clients may register with it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// How long it is good, e.g. 7d
        #[arg(long, value_parser = duration::seconds, default_value = "1d")]
        expires: u64,
    },
    /// Remove a client: every session and token of it ends
    Remove {
        client_id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Client {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        if let Self::Remove { client_id, yes: false } = &self {
            confirm(client_id)?;
        }
        let mut admin = Admin::open(global).await?;
        let done = self.call(&mut admin, output).await;
        admin.close().await;
        done
    }

    async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        match self {
            add @ Self::Add { .. } => {
                output.show(&admin.post("/api/admin/clients", &add.added()?).await?, shown_once);
            }
            Self::List { after, limit } => {
                let page = admin.get(&format!("/api/admin/clients?after={}&limit={limit}", segment(&after))).await?;
                output.show(&page, list);
            }
            Self::Update { ref client_id, .. } => {
                let path = format!("/api/admin/clients/{}", segment(client_id));
                output.show(&admin.put(&path, &self.changed()?).await?, one);
            }
            Self::Brand(brand) => brand.call(admin, output).await?,
            Self::Disable { client_id } => {
                let path = format!("/api/admin/clients/{}/disable", segment(&client_id));
                let answer = admin.post(&path, &json!({})).await?;
                output.show(&answer, |_| say!("disabled; every session and token of this client has ended"));
            }
            Self::Enable { client_id } => {
                let answer =
                    admin.post(&format!("/api/admin/clients/{}/enable", segment(&client_id)), &json!({})).await?;
                output.show(&answer, |_| say!("enabled"));
            }
            Self::RotateSecret { client_id, overlap } => {
                let path = format!("/api/admin/clients/{}/secret", segment(&client_id));
                output.show(&admin.post(&path, &json!({ "overlap": overlap })).await?, shown_once);
            }
            Self::AllowRegistration { uses, expires } => {
                let body = json!({ "uses": uses, "expires_in": expires });
                let answer = admin.post("/api/admin/registration-tokens", &body).await?;
                output.show(&answer, |answer| {
                    say!("{}\nThis is the only time the token is shown; store it now.", text(answer, "token"));
                });
            }
            Self::Remove { client_id, .. } => {
                let answer = admin.delete(&format!("/api/admin/clients/{}", segment(&client_id))).await?;
                output.show(&answer, |_| say!("removed; every session and token of this client has ended"));
            }
        }
        Ok(())
    }
}

impl Client {
    /// The body that adds this client.
    fn added(self) -> Result<Value, Failure> {
        let Self::Add {
            client_id,
            name,
            public,
            jwks,
            jwks_uri,
            grant,
            redirect_uri,
            post_logout_redirect_uri,
            backchannel_logout_uri,
            consent,
            id_token_alg,
            par,
            signed_requests,
            required_acr,
            audience,
            scope,
            role,
            alg,
            serves,
            exchange,
            access_token_ttl,
            dpop,
            access_token_format,
            pairwise,
            sector,
            userinfo_alg,
            encrypt_id_token,
        } = self
        else {
            return Ok(Value::Null);
        };
        let signs_in = !redirect_uri.is_empty();
        let grants = or_usual(grant, &usual_grants(signs_in, public, !exchange.is_empty()));
        let scopes = or_usual(scope, if signs_in { &["openid", "profile", "email"] } else { &[] });
        Ok(json!({
            "client_id": client_id, "name": name, "public": public, "jwks": read_keys(jwks.as_deref())?, "jwks_uri": jwks_uri,
            "grants": grants, "audiences": audience, "scopes": scopes, "roles": role, "serves": serves, "exchanges": exchange, "alg": alg,
            "access_token_ttl": access_token_ttl, "redirect_uris": redirect_uri,
            "post_logout_redirect_uris": post_logout_redirect_uri, "consent": consent, "id_token_alg": id_token_alg,
            "dpop_bound_access_tokens": dpop, "backchannel_logout_uri": backchannel_logout_uri,
            "require_pushed_authorization_requests": par, "require_signed_request_object": signed_requests,
            "required_acr": required_acr,
            "access_token_format": access_token_format.as_deref().or(pairwise.then_some("opaque")),
            "subject_type": pairwise.then_some("pairwise"), "sector": sector,
            "userinfo_signed_response_alg": userinfo_alg, "id_token_encryption": recipient(encrypt_id_token.as_deref())?,
        }))
    }

    /// The body that changes this client.
    fn changed(self) -> Result<Value, Failure> {
        let Self::Update {
            client_id: _,
            name,
            grant,
            audience,
            scope,
            role,
            serves,
            exchange,
            redirect_uri,
            post_logout_redirect_uri,
            backchannel_logout_uri,
            consent,
            access_token_ttl,
            dpop,
            par,
            signed_requests,
            required_acr,
            access_token_format,
            pairwise,
            userinfo_alg,
            encrypt_id_token,
            jwks,
            jwks_uri,
        } = self
        else {
            return Ok(Value::Null);
        };
        Ok(json!({
            "name": name, "jwks": read_keys(jwks.as_deref())?, "jwks_uri": jwks_uri, "grants": words(grant),
            "audiences": words(audience), "scopes": words(scope), "roles": words(role), "serves": words(serves), "exchanges": words(exchange), "access_token_ttl": access_token_ttl,
            "redirect_uris": words(redirect_uri), "post_logout_redirect_uris": words(post_logout_redirect_uri),
            "backchannel_logout_uri": backchannel_logout_uri, "consent": consent, "dpop_bound_access_tokens": dpop,
            "require_pushed_authorization_requests": par, "require_signed_request_object": signed_requests,
            "required_acr": required_acr, "access_token_format": access_token_format,
            "subject_type": pairwise.map(|pairwise| if pairwise { "pairwise" } else { "public" }),
            "userinfo_signed_response_alg": userinfo_alg, "id_token_encryption": recipient(encrypt_id_token.as_deref())?,
        }))
    }
}

/// What a client may do that is added without a word about it.
fn usual_grants(signs_in: bool, public: bool, exchanges: bool) -> Vec<&'static str> {
    let mut usual = match (signs_in, public) {
        (true, _) => vec!["authorization_code", "refresh_token"],
        (false, true) => vec!["refresh_token"],
        (false, false) => vec!["client_credentials"],
    };
    usual.extend(exchanges.then_some("token_exchange"));
    usual
}

fn or_usual(given: Vec<String>, usual: &[&str]) -> Vec<String> {
    match given.is_empty() {
        true => usual.iter().map(|word| (*word).to_owned()).collect(),
        false => given,
    }
}

/// An empty word empties a list.
fn words(list: Option<Vec<String>>) -> Option<Vec<String>> {
    list.map(|list| list.into_iter().filter(|word| !word.is_empty()).collect())
}

/// A JWK set, or one JWK as a set. What it is is for the issuer to judge, but a private key does not leave this process.
fn read_keys(path: Option<&Path>) -> Result<Option<Value>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let bad = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", path.display()));
    let text = std::fs::read(path).map(Zeroizing::new).map_err(|error| bad(&error))?;
    let read = match JwkSet::parse(&text) {
        Ok(set) => match set.skipped.first() {
            Some((index, error)) => return Err(bad(&format!("key {index} of the set: {error}"))),
            None => set,
        },
        Err(_) => JwkSet::from(vec![Jwk::parse(&text).map_err(|error| bad(&error))?]),
    };
    serde_json::to_value(read).map(Some).map_err(|error| bad(&error))
}

/// A path, which may be empty: what is there is taken away.
pub fn file_or_none(text: &str) -> Result<PathBuf, std::convert::Infallible> {
    Ok(PathBuf::from(text))
}

/// A public JWK to encrypt to; an empty path stands for none any more.
pub fn recipient(path: Option<&Path>) -> Result<Option<Value>, Failure> {
    let Some(path) = path else { return Ok(None) };
    if path.as_os_str().is_empty() {
        return Ok(Some(json!({ "jwk": null })));
    }
    let bad = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", path.display()));
    let text = std::fs::read(path).map(Zeroizing::new).map_err(|error| bad(&error))?;
    let jwk = Jwk::parse(&text).map_err(|error| bad(&error))?;
    let jwk = serde_json::to_value(jwk).map_err(|error| bad(&error))?;
    Ok(Some(json!({ "jwk": jwk })))
}

fn confirm(client_id: &str) -> Result<(), Failure> {
    use std::io::{IsTerminal, stdin};
    if !stdin().is_terminal() {
        return Err(Failure::usage("removing a client ends every session and token of it; say --yes"));
    }
    eprint!(
        "Remove {client_id}? Every session and token of it ends, and this cannot be undone. Type its id to go on: "
    );
    let mut typed = String::new();
    stdin().read_line(&mut typed).map_err(|error| Failure::usage(error.to_string()))?;
    if typed.trim() == client_id { Ok(()) } else { Err(Failure::refused("not removed")) }
}

fn shown_once(client: &Value) {
    say!("client_id      {}", text(client, "client_id"));
    if let Some(secret) = client["client_secret"].as_str() {
        say!("client_secret  {secret}\nThis is the only time the secret is shown; store it now.");
    }
}

fn one(client: &Value) {
    list(&json!({ "items": [client] }));
}

fn list(page: &Value) {
    let members = ["client_id", "name", "grants", "audiences", "scopes", "roles", "created_at", "disabled_at"];
    table(&["CLIENT", "NAME", "GRANTS", "AUDIENCES", "SCOPES", "ROLES", "CREATED", "DISABLED"], &rows(page, &members));
    if let Some(next) = page["next"].as_str() {
        say!("more: --after {next}");
    }
}
