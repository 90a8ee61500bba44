//! Signing somebody in at the issuer, as any application does it: authorization code with PKCE (OpenID Connect Core §3.1).

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use countersign_verify::jose::{
    IdClaims, JwkSet, LogoutClaims, Verified, Verifier, VerifyingKey, b64,
    profile::{IdToken, LogoutToken},
};
use stage::{
    Failure,
    client::{Answer, Call, Http},
};

/// The issuer as a client sees it, from its metadata.
#[derive(Debug)]
pub struct Provider {
    http: Http,
    issuer: String,
    authorization: String,
    token: String,
    end_session: String,
    userinfo: String,
    jwks: String,
    client_id: String,
    /// `None`: a public client.
    secret: Option<String>,
    redirect_uri: String,
}

/// A sign-in that has begun in one browser.
#[derive(Debug, Clone)]
pub struct Begun {
    state: String,
    nonce: String,
    verifier: String,
}

/// Somebody who has signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// The answer of `/token`.
    pub tokens: Answer,
    pub claims: Verified<IdClaims>,
}

impl Provider {
    /// Reads the issuer's metadata.
    ///
    /// # Errors
    /// The issuer did not answer, or not as itself.
    pub async fn discover(
        issuer: &str,
        client_id: &str,
        secret: Option<String>,
        redirect_uri: &str,
    ) -> Result<Self, Failure> {
        let http = Http::new();
        let found = http.send(Call::get(format!("{issuer}/.well-known/openid-configuration"))).await?;
        if found.text("issuer") != issuer {
            return Err(format!("{issuer} does not call itself so").into());
        }
        Ok(Self {
            authorization: found.text("authorization_endpoint"),
            token: found.text("token_endpoint"),
            end_session: found.text("end_session_endpoint"),
            userinfo: found.text("userinfo_endpoint"),
            jwks: found.text("jwks_uri"),
            http,
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            secret,
            redirect_uri: redirect_uri.to_owned(),
        })
    }

    /// What to remember of a browser, and where to send it.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn begin(&self) -> Result<(Begun, String), Failure> {
        let begun = Begun { state: random()?, nonce: random()?, verifier: random()? };
        let challenge = b64::encode(digest(&SHA256, begun.verifier.as_bytes()));
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", "openid email"),
            ("state", &begun.state),
            ("nonce", &begun.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let to = format!("{}?{query}", self.authorization);
        Ok((begun, to))
    }

    /// Takes the answer that the browser brought back, and redeems its code.
    ///
    /// # Errors
    /// It is no answer to what has begun, or the issuer refused the code.
    pub async fn finish(&self, begun: &Begun, query: &str) -> Result<SignedIn, Failure> {
        let get = |name: &str| one(query, name).unwrap_or_default();
        // RFC 9207: an answer of another issuer is not for this one.
        if get("state") != begun.state || get("iss") != self.issuer {
            return Err("this is no answer to a sign-in that began here".into());
        }
        let code = get("code");
        if code.is_empty() {
            return Err(format!("the issuer said: {} {}", get("error"), get("error_description")).into());
        }
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("code", &code),
            ("code_verifier", &begun.verifier),
            ("redirect_uri", &self.redirect_uri),
        ];
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        let tokens = self.http.send(Call::post(self.token.clone()).form(&form)).await?;
        if tokens.status != 200 {
            return Err(format!("the issuer refused the code: {}", tokens.body).into());
        }
        let verifier = Verifier::<IdToken>::builder().issuer(&*self.issuer).audience(&*self.client_id);
        let claims = verifier.keys(self.keys().await?).build().verify(&tokens.text("id_token"), now())?;
        if claims.nonce.as_deref() != Some(&begun.nonce) {
            return Err("the ID token is from another sign-in".into());
        }
        Ok(SignedIn { tokens, claims })
    }

    /// Reads a logout token (OpenID Connect Back-Channel Logout §2.6).
    ///
    /// # Errors
    /// It is none, or not for this client.
    pub async fn logout_token(&self, token: &str) -> Result<Verified<LogoutClaims>, Failure> {
        let verifier = Verifier::<LogoutToken>::builder().issuer(&*self.issuer).audience(&*self.client_id);
        Ok(verifier.keys(self.keys().await?).build().verify(token, now())?)
    }

    /// Where to send a browser to sign out.
    pub fn sign_out(&self, id_token: &str, after: &str) -> String {
        let query = encoded(&[("id_token_hint", id_token), ("post_logout_redirect_uri", after)]);
        format!("{}?{query}", self.end_session)
    }

    /// What the issuer tells about the person whose access token this is.
    ///
    /// # Errors
    /// The issuer did not tell.
    pub async fn userinfo(&self, access_token: &str) -> Result<Answer, Failure> {
        let told = self.http.send(Call::get(self.userinfo.clone()).bearer(access_token)).await?;
        if told.status == 200 {
            Ok(told)
        } else {
            Err(format!("the issuer does not say who it is: {}", told.body).into())
        }
    }

    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The issuer's keys of this moment: people sign in and out seldom enough to ask each time.
    async fn keys(&self) -> Result<Vec<VerifyingKey>, Failure> {
        let found = self.http.send(Call::get(self.jwks.clone())).await?;
        let set = JwkSet::parse(found.body.to_string().as_bytes())?;
        // A key of a kind that is not known here signs nothing for this client.
        Ok(set.keys.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok()).collect())
    }
}

/// 256 bits that nobody guesses.
///
/// # Errors
/// There is no randomness.
#[expect(clippy::disallowed_methods, reason = "an application has no other random source")]
pub fn random() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| "there is no randomness")?;
    Ok(b64::encode(bytes))
}

/// A parameter of a query or a form.
pub fn one(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[expect(clippy::disallowed_methods, reason = "an application has no other clock")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
