//! The crate oauth2: the operations of ../README.md, "Clients". It knows OAuth and not OpenID Connect: nothing here reads
//! an ID token.

use std::{
    error::Error,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    EndpointSet, HttpRequest, HttpResponse, IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, RevocationUrl, Scope, StandardDeviceAuthorizationResponse, StandardRevocableToken,
    TokenUrl, basic::BasicClient, http, url::Url,
};
use serde_json::{Value, json};

type Failure = Box<dyn Error>;
type Ready = BasicClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointSet>;

struct Client {
    oauth: Ready,
    begun: Option<(CsrfToken, PkceCodeVerifier)>,
    device: Option<StandardDeviceAuthorizationResponse>,
}

fn main() {
    let mut clients = Vec::new();
    for line in std::io::stdin().lines() {
        let answer = match answer(&mut clients, &line.expect("standard input is UTF-8")) {
            Ok(ok) => json!({ "ok": ok }),
            Err(why) => json!({ "refused": why.to_string() }),
        };
        println!("{answer}");
    }
}

fn answer(clients: &mut Vec<Client>, line: &str) -> Result<Value, Failure> {
    let request: Value = serde_json::from_str(line)?;
    if request["op"] == "setup" {
        clients.push(set_up(&request)?);
        return Ok(json!({ "client": clients.len() - 1 }));
    }
    let index = request["client"].as_u64().and_then(|index| usize::try_from(index).ok());
    let client = index.and_then(|index| clients.get_mut(index)).ok_or("no such client")?;
    let token = text(&request, "token");
    match text(&request, "op") {
        "begin" => Ok(client.begin(&request)),
        "finish" => client.finish(text(&request, "url")),
        "refresh" => {
            let token = RefreshToken::new(token.to_owned());
            let answer = client.oauth.exchange_refresh_token(&token).request(&exchange).map_err(refusal)?;
            Ok(json!({ "tokens": answer }))
        }
        "credentials" => {
            let asked =
                client.oauth.exchange_client_credentials().add_extra_param("resource", text(&request, "resource"));
            let asked = asked.add_scope(Scope::new(text(&request, "scope").to_owned()));
            Ok(json!({ "tokens": asked.request(&exchange).map_err(refusal)? }))
        }
        "device" => {
            let scopes = text(&request, "scope").split(' ').map(|scope| Scope::new(scope.to_owned()));
            let asked = client.oauth.exchange_device_code().add_scopes(scopes);
            let device: StandardDeviceAuthorizationResponse = asked.request(&exchange).map_err(refusal)?;
            let shown = serde_json::to_value(&device)?;
            client.device = Some(device);
            Ok(shown)
        }
        "poll" => {
            let device = client.device.as_ref().ok_or("no device has begun")?;
            let asked = client.oauth.exchange_device_access_token(device);
            Ok(
                json!({ "tokens": asked.request(&exchange, std::thread::sleep, None).map_err(refusal)?, "claims": null }),
            )
        }
        "introspect" => {
            let token = AccessToken::new(token.to_owned());
            Ok(serde_json::to_value(client.oauth.introspect(&token).request(&exchange).map_err(refusal)?)?)
        }
        "revoke" => {
            let token = StandardRevocableToken::RefreshToken(RefreshToken::new(token.to_owned()));
            client.oauth.revoke_token(token)?.request(&exchange).map_err(refusal)?;
            Ok(json!({}))
        }
        other => Err(format!("it has no {other}").into()),
    }
}

impl Client {
    fn begin(&mut self, request: &Value) -> Value {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut asked = self.oauth.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
        for scope in text(request, "scope").split(' ') {
            asked = asked.add_scope(Scope::new(scope.to_owned()));
        }
        for (name, value) in request["more"].as_object().into_iter().flatten() {
            asked = asked.add_extra_param(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        let (url, state) = asked.url();
        self.begun = Some((state, verifier));
        json!({ "url": url })
    }

    fn finish(&mut self, url: &str) -> Result<Value, Failure> {
        let (state, verifier) = self.begun.take().ok_or("nothing has begun")?;
        let url = Url::parse(url)?;
        let get = |name| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        if get("state").as_deref() != Some(state.secret()) {
            return Err("another state".into());
        }
        let code = get("code").ok_or_else(|| get("error").unwrap_or_default())?;
        let asked = self.oauth.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
        Ok(json!({ "tokens": asked.request(&exchange).map_err(refusal)?, "claims": null }))
    }
}

fn set_up(wanted: &Value) -> Result<Client, Failure> {
    let issuer = text(wanted, "issuer");
    let asked = http::Request::get(format!("{issuer}/.well-known/oauth-authorization-server")).body(Vec::new())?;
    let metadata: Value = serde_json::from_slice(exchange(asked)?.body())?;
    if metadata["issuer"] != issuer {
        return Err("another issuer".into());
    }
    let endpoint = |name| text(&metadata, name).to_owned();
    let mut client = BasicClient::new(ClientId::new(text(wanted, "id").to_owned()));
    if let Some(secret) = wanted["secret"].as_str() {
        client = client.set_client_secret(ClientSecret::new(secret.to_owned()));
    }
    let auth =
        if text(wanted, "method") == "client_secret_basic" { AuthType::BasicAuth } else { AuthType::RequestBody };
    let oauth = client
        .set_auth_type(auth)
        .set_auth_uri(AuthUrl::new(endpoint("authorization_endpoint"))?)
        .set_device_authorization_url(DeviceAuthorizationUrl::new(endpoint("device_authorization_endpoint"))?)
        .set_token_uri(TokenUrl::new(endpoint("token_endpoint"))?)
        .set_introspection_url(IntrospectionUrl::new(endpoint("introspection_endpoint"))?)
        .set_revocation_url(RevocationUrl::new(endpoint("revocation_endpoint"))?)
        .set_redirect_uri(RedirectUrl::new(text(wanted, "redirect").to_owned())?);
    Ok(Client { oauth, begun: None, device: None })
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn refusal<E: Error + 'static, T: oauth2::ErrorResponse>(error: RequestTokenError<E, T>) -> Failure
where
    T: std::fmt::Display,
{
    match error {
        RequestTokenError::ServerResponse(response) => response.to_string().into(),
        RequestTokenError::Parse(error, body) => format!("{error}: {}", String::from_utf8_lossy(&body)).into(),
        other => other.to_string().into(),
    }
}

/// Stands for the client's HTTP library and for the proxy that speaks TLS in front of the issuer: the crate revokes at
/// `https` addresses alone.
fn exchange(request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let broken = |why: &str| std::io::Error::other(why.to_owned());
    let uri = request.uri();
    let authority = uri.authority().ok_or_else(|| broken("no authority"))?;
    let port = authority.port_u16().ok_or_else(|| broken("no port"))?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("{} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", request.method());
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().map_err(|_| broken("a header"))?);
    }
    head += &format!("content-length: {}\r\n\r\n", request.body().len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(request.body())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| broken("no answer"))?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(|| broken("no status"))?;
    let mut response = http::Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(body.as_bytes().to_vec()).map_err(|error| broken(&error.to_string()))
}
