//! Clients. What ends their sessions takes the revocation entry to append.

use std::{fmt::Display, time::Duration};

use countersign_jose::Algorithm;

use super::{Param, Row, StoreError, Tx, brands, revocations};
use crate::domain::{
    assurance::Level,
    audience_id::AudienceId,
    client::{AccessTokenFormat, ClientId, ClientSettings, Consent, SecretHash, SignInSettings},
    credential::{ClientKeys, Credential, Keys, KeysUri, PreviousSecret, Secrets},
    encryption::Encryption,
    logout_uri::LogoutUri,
    redirect::RedirectUri,
    revocation::Entry,
    roles::Role,
    rsn::Rsn,
    subject::Sector,
    time::Timestamp,
};

/// A client to insert.
#[derive(Debug, Clone)]
pub struct NewClient {
    pub id: ClientId,
    pub tenant: String,
    pub settings: ClientSettings,
    pub credential: Credential,
    /// Made by the first start; it cannot be removed.
    pub builtin: bool,
    pub created_at: Timestamp,
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    pub tenant: String,
    pub settings: ClientSettings,
    pub credential: Credential,
    pub builtin: bool,
    /// It registered itself: nobody of the house knows whose it is.
    pub registered: bool,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub min_rsn: Rsn,
    pub token_rsn: Rsn,
}

/// A client and where the log stood, of one moment (revocation rule R1): what its own tokens are made of.
#[derive(Debug, Clone)]
pub struct ClientState {
    pub head: Rsn,
    pub client: Option<Client>,
}

/// What came of removing a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    NoClient,
    /// The first start made it.
    Builtin,
    Removed {
        rsn: Rsn,
    },
}

macro_rules! columns {
    () => {
        "c.client_id, c.tenant, c.name, c.secret_hash, c.scopes, c.audiences, c.grants, c.roles, c.access_token_ttl, \
         c.refresh_idle, c.refresh_absolute, c.builtin_at, c.disabled_at, c.created_at, c.min_rsn, c.token_rsn, c.alg, \
         c.serves, c.dpop_bound, c.redirect_uris, c.post_logout_redirect_uris, c.consent, c.id_token_alg, \
         c.backchannel_logout_uri, c.jwks, c.prev_secret_hash, c.prev_secret_until, c.require_pushed, \
         c.access_token_format, c.id_token_encryption, c.userinfo_alg, c.sector, \
         CASE WHEN c.registration_hash IS NULL THEN 0 ELSE 1 END, c.exchanges, c.require_signed, c.jwks_uri, c.required_acr"
    };
}
pub(in crate::store) use columns;

/// Inserts a client; false if the name is taken. The name of a removed client stays taken: its tokens carried it as `sub`,
/// and no other client may ever be meant by it (TOK-20).
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, client: &NewClient) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO clients (client_id, tenant, secret_hash, jwks, jwks_uri, builtin_at, created_at, name, scopes, \
                       audiences, grants, roles, alg, serves, exchanges, redirect_uris, post_logout_redirect_uris, \
                       backchannel_logout_uri, consent, id_token_alg, access_token_ttl, refresh_idle, refresh_absolute, \
                       dpop_bound, require_pushed, require_signed, access_token_format, id_token_encryption, userinfo_alg, \
                       sector, required_acr) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
                       $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31) \
                       ON CONFLICT (client_id) DO NOTHING";
    let settings = Stored::of(&client.settings);
    let (secret, [jwks, jwks_uri]) = match &client.credential {
        Credential::None => (None, [None; 2]),
        Credential::Secret(secrets) => (Some(secrets.current.as_bytes()), [None; 2]),
        Credential::Keys(keys) => (None, stored_keys(keys)),
    };
    let mut params = vec![
        client.id.as_str().into(),
        (&client.tenant).into(),
        secret.into(),
        jwks.into(),
        jwks_uri.into(),
        Some(client.created_at).filter(|_| client.builtin).into(),
        client.created_at.into(),
    ];
    params.extend(settings.params());
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// # Errors
/// As any statement.
pub async fn by_id(tx: &mut Tx, id: &ClientId) -> Result<Option<Client>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM clients c WHERE c.client_id = $1 AND c.removed_at IS NULL");
    tx.fetch_optional(SQL, &[id.as_str().into()]).await?.map(|row| client(&row, 0)).transpose()
}

/// A client together with the head of the log, in one statement.
///
/// # Errors
/// As any statement.
pub async fn state(tx: &mut Tx, id: &ClientId) -> Result<ClientState, StoreError> {
    const SQL: &str = concat!(
        "SELECT h.rsn, ",
        columns!(),
        " FROM rev_head h LEFT JOIN clients c ON c.client_id = $1 AND c.removed_at IS NULL WHERE h.stream = 0"
    );
    let row = tx.fetch_optional(SQL, &[id.as_str().into()]).await?;
    let row = row.ok_or_else(|| StoreError::Broken("the revocation log has no head row".into()))?;
    let found = row.get::<Option<String>>(1)?.is_some();
    Ok(ClientState { head: row.get(0)?, client: found.then(|| client(&row, 1)).transpose()? })
}

/// One page of clients in the order of their names; `after` is the last of the page before, empty for the first.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, tenant: &str, after: &str, limit: u32) -> Result<Vec<Client>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM clients c WHERE c.tenant = $1 AND c.client_id > $2 AND c.removed_at IS NULL ORDER BY c.client_id LIMIT $3"
    );
    let rows = tx.fetch_all(SQL, &[tenant.into(), after.into(), i64::from(limit).into()]).await?;
    rows.iter().map(|row| client(row, 0)).collect()
}

/// The clients that may ask for tokens for an audience, or exchange others for them.
///
/// # Errors
/// As any statement.
pub async fn of_audience(tx: &mut Tx, tenant: &str, audience: &AudienceId) -> Result<Vec<String>, StoreError> {
    const SQL: &str =
        "SELECT client_id, audiences || ' ' || exchanges FROM clients WHERE tenant = $1 AND removed_at IS NULL";
    let mut found = Vec::new();
    for row in tx.fetch_all(SQL, &[tenant.into()]).await? {
        let (id, audiences): (String, String) = (row.get(0)?, row.get(1)?);
        if audiences.split_ascii_whitespace().any(|name| name == audience.as_str()) {
            found.push(id);
        }
    }
    Ok(found)
}

/// All clients that are not removed.
///
/// # Errors
/// As any statement.
pub async fn of_tenant(tx: &mut Tx, tenant: &str) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT client_id FROM clients WHERE tenant = $1 AND removed_at IS NULL";
    tx.fetch_all(SQL, &[tenant.into()]).await?.iter().map(|row| row.get(0)).collect()
}

/// The clients that have a role themselves.
///
/// # Errors
/// As any statement.
pub async fn with_role(tx: &mut Tx, tenant: &str, role: &Role) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT client_id, roles FROM clients WHERE tenant = $1 AND removed_at IS NULL AND roles <> ''";
    let mut found = Vec::new();
    for row in tx.fetch_all(SQL, &[tenant.into()]).await? {
        if row.get::<String>(1)?.split_ascii_whitespace().any(|name| name == role.as_str()) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// Changes a client's settings; false if there is no such client. Where they change what tokens may say
/// ([`ClientSettings::outdated_by`]), the caller ends the old tokens in the same transaction
/// ([`revocations::outdate_client_tokens`]).
///
/// # Errors
/// As any statement.
pub async fn update(tx: &mut Tx, id: &ClientId, settings: &ClientSettings) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE clients SET name = $1, scopes = $2, audiences = $3, grants = $4, roles = $5, \
                       alg = $6, serves = $7, exchanges = $8, redirect_uris = $9, post_logout_redirect_uris = $10, \
                       backchannel_logout_uri = $11, consent = $12, id_token_alg = $13, access_token_ttl = $14, \
                       refresh_idle = $15, refresh_absolute = $16, dpop_bound = $17, require_pushed = $18, \
                       require_signed = $19, access_token_format = $20, id_token_encryption = $21, userinfo_alg = $22, \
                       sector = $23, required_acr = $24 WHERE client_id = $25 AND removed_at IS NULL";
    let settings = Stored::of(settings);
    let mut params = settings.params();
    params.push(id.as_str().into());
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// Replaces the secret of a client; the old one is good until `until`, and whatever was before it is worth nothing from here
/// on. False if there is no such client or it has no secret.
///
/// # Errors
/// As any statement.
pub async fn rotate_secret(
    tx: &mut Tx,
    id: &ClientId,
    secret: &SecretHash,
    until: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE clients SET prev_secret_hash = secret_hash, prev_secret_until = $1, secret_hash = $2 \
                       WHERE client_id = $3 AND secret_hash IS NOT NULL AND removed_at IS NULL";
    Ok(tx.execute(SQL, &[until.into(), secret.as_bytes().into(), id.as_str().into()]).await? == 1)
}

/// Gives a confidential client these keys in place of its keys or its secret, which are worth nothing from here on. False if
/// there is no such client or it is public.
///
/// # Errors
/// As any statement.
pub async fn set_keys(tx: &mut Tx, id: &ClientId, keys: &Keys) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE clients SET jwks = $1, jwks_uri = $2, secret_hash = NULL, prev_secret_hash = NULL, \
                       prev_secret_until = NULL WHERE client_id = $3 AND removed_at IS NULL \
                       AND (jwks IS NOT NULL OR jwks_uri IS NOT NULL OR secret_hash IS NOT NULL)";
    let [jwks, jwks_uri] = stored_keys(keys);
    Ok(tx.execute(SQL, &[jwks.into(), jwks_uri.into(), id.as_str().into()]).await? == 1)
}

/// Disables a client: its sessions and tokens end now. `None` if there is no such client or it is disabled already.
///
/// # Errors
/// As any statement.
pub async fn disable(tx: &mut Tx, id: &ClientId, entry: &Entry, now: Timestamp) -> Result<Option<Rsn>, StoreError> {
    const SQL: &str = "UPDATE clients SET disabled_at = $1 WHERE client_id = $2 AND disabled_at IS NULL";
    if tx.execute(SQL, &[now.into(), id.as_str().into()]).await? == 0 {
        return Ok(None);
    }
    revocations::revoke_client(tx, now, id.as_str(), entry).await.map(Some)
}

/// Enables a client again; its old sessions and tokens stay dead. False if there is no such client or it is not disabled.
///
/// # Errors
/// As any statement.
pub async fn enable(tx: &mut Tx, id: &ClientId) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE clients SET disabled_at = NULL \
                       WHERE client_id = $1 AND disabled_at IS NOT NULL AND removed_at IS NULL";
    Ok(tx.execute(SQL, &[id.as_str().into()]).await? == 1)
}

/// Removes a client: its secret, its keys and its looks are forgotten, its sessions and tokens end now, and its name is never given again.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, id: &ClientId, entry: &Entry, now: Timestamp) -> Result<Removal, StoreError> {
    const SQL: &str = "UPDATE clients SET removed_at = $1, disabled_at = $1, secret_hash = NULL, \
                       prev_secret_hash = NULL, jwks = NULL, jwks_uri = NULL, registration_hash = NULL, said = NULL \
                       WHERE client_id = $2 AND removed_at IS NULL AND builtin_at IS NULL";
    if tx.execute(SQL, &[now.into(), id.as_str().into()]).await? == 0 {
        let builtin = by_id(tx, id).await?.is_some();
        return Ok(if builtin { Removal::Builtin } else { Removal::NoClient });
    }
    brands::remove(tx, id).await?;
    let rsn = revocations::revoke_client(tx, now, id.as_str(), entry).await?;
    Ok(Removal::Removed { rsn })
}

/// Settings as columns.
struct Stored<'a> {
    name: &'a str,
    scopes: String,
    audiences: String,
    grants: String,
    roles: String,
    alg: Option<&'static str>,
    serves: String,
    exchanges: String,
    redirect_uris: String,
    post_logout_redirect_uris: String,
    backchannel_logout_uri: Option<&'a str>,
    consent: &'static str,
    id_token_alg: Option<&'static str>,
    seconds: [Option<i64>; 3],
    dpop_bound: bool,
    require_pushed: bool,
    require_signed: bool,
    access_token_format: &'static str,
    id_token_encryption: Option<String>,
    userinfo_alg: Option<&'static str>,
    sector: Option<&'a str>,
    required_acr: Option<&'static str>,
}

impl<'a> Stored<'a> {
    fn of(settings: &'a ClientSettings) -> Self {
        let seconds = |span: Option<Duration>| span.map(|span| i64::try_from(span.as_secs()).unwrap_or(i64::MAX));
        Self {
            name: &settings.name,
            scopes: settings.scopes.to_string(),
            audiences: spaced(&settings.audiences),
            grants: settings.grants.to_string(),
            roles: spaced(&settings.roles),
            alg: settings.alg.map(Algorithm::as_str),
            serves: spaced(&settings.serves),
            exchanges: spaced(&settings.exchanges),
            redirect_uris: spaced(&settings.sign_in.redirect_uris),
            post_logout_redirect_uris: spaced(&settings.sign_in.post_logout_redirect_uris),
            backchannel_logout_uri: settings.sign_in.backchannel_logout_uri.as_ref().map(LogoutUri::as_str),
            consent: settings.sign_in.consent.as_str(),
            id_token_alg: settings.sign_in.id_token_alg.map(Algorithm::as_str),
            seconds: [settings.access_token_ttl, settings.refresh_idle, settings.refresh_absolute].map(seconds),
            dpop_bound: settings.dpop_bound,
            require_pushed: settings.sign_in.require_pushed,
            require_signed: settings.sign_in.require_signed,
            access_token_format: settings.access_token_format.as_str(),
            id_token_encryption: settings.sign_in.id_token_encryption.as_ref().map(Encryption::to_json),
            userinfo_alg: settings.sign_in.userinfo_alg.map(Algorithm::as_str),
            sector: settings.sign_in.sector.as_ref().map(Sector::as_str),
            required_acr: Some(settings.sign_in.required_level).filter(|level| *level > Level::One).map(Level::as_str),
        }
    }

    /// In the order in which the statements name them.
    fn params(&self) -> Vec<Param<'_>> {
        let mut params: Vec<Param<'_>> = vec![
            self.name.into(),
            (&self.scopes).into(),
            (&self.audiences).into(),
            (&self.grants).into(),
            (&self.roles).into(),
            self.alg.into(),
            (&self.serves).into(),
            (&self.exchanges).into(),
            (&self.redirect_uris).into(),
            (&self.post_logout_redirect_uris).into(),
            self.backchannel_logout_uri.into(),
            self.consent.into(),
            self.id_token_alg.into(),
        ];
        params.extend(self.seconds.map(Param::from));
        params.extend(
            [self.dpop_bound, self.require_pushed, self.require_signed].map(|flag| Param::from(i64::from(flag))),
        );
        params.push(self.access_token_format.into());
        params.extend(
            [self.id_token_encryption.as_deref(), self.userinfo_alg, self.sector, self.required_acr].map(Param::from),
        );
        params
    }
}

/// `jwks` and `jwks_uri`.
fn stored_keys(keys: &Keys) -> [Option<&str>; 2] {
    match keys {
        Keys::Registered(keys) => [Some(keys.as_str()), None],
        Keys::Published(uri) => [None, Some(uri.as_str())],
    }
}

fn spaced<T: Display>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The client in a row whose columns begin at `first`.
pub(in crate::store) fn client(row: &Row, first: usize) -> Result<Client, StoreError> {
    let text = |index: usize| row.get::<String>(first + index);
    let span = |index: usize| {
        let seconds: Option<i64> = row.get(first + index)?;
        Ok::<_, StoreError>(seconds.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
    };
    let alg: Option<String> = row.get(first + 16)?;
    Ok(Client {
        id: ClientId::parse(&text(0)?).map_err(|_| malformed("id"))?,
        tenant: text(1)?,
        settings: ClientSettings {
            name: text(2)?,
            scopes: text(4)?.parse().map_err(|_| malformed("scope"))?,
            audiences: AudienceId::parse_list(&text(5)?).map_err(|_| malformed("audience"))?,
            grants: text(6)?.parse().map_err(|_| malformed("grant"))?,
            roles: Role::parse_list(&text(7)?).map_err(|_| malformed("role"))?,
            alg: alg.map(|alg| alg.parse()).transpose().map_err(|_| malformed("algorithm"))?,
            serves: AudienceId::parse_list(&text(17)?).map_err(|_| malformed("audience"))?,
            exchanges: AudienceId::parse_list(&text(33)?).map_err(|_| malformed("audience"))?,
            access_token_ttl: span(8)?,
            refresh_idle: span(9)?,
            refresh_absolute: span(10)?,
            dpop_bound: row.get::<i64>(first + 18)? != 0,
            access_token_format: AccessTokenFormat::parse(&text(28)?).ok_or_else(|| malformed("format"))?,
            sign_in: sign_in(row, first + 19)?,
        },
        credential: credential(row, first)?,
        builtin: row.get::<Option<i64>>(first + 11)?.is_some(),
        registered: row.get::<i64>(first + 32)? != 0,
        disabled_at: row.get(first + 12)?,
        created_at: row.get(first + 13)?,
        min_rsn: row.get(first + 14)?,
        token_rsn: row.get(first + 15)?,
    })
}

/// What it proves itself with, in a row whose columns begin at `first`.
fn credential(row: &Row, first: usize) -> Result<Credential, StoreError> {
    let hash =
        |index: usize| Ok::<_, StoreError>(row.get::<Option<[u8; 32]>>(first + index)?.map(SecretHash::from_bytes));
    let text = |index: usize| row.get::<Option<String>>(first + index);
    match (hash(3)?, text(24)?, text(35)?) {
        (None, None, None) => Ok(Credential::None),
        (Some(current), None, None) => {
            let until: Option<Timestamp> = row.get(first + 26)?;
            let previous = hash(25)?.zip(until).map(|(hash, until)| PreviousSecret { hash, until });
            Ok(Credential::Secret(Secrets { current, previous }))
        }
        (None, Some(keys), None) => Ok(Credential::Keys(Keys::Registered(ClientKeys::stored(keys)))),
        (None, None, Some(uri)) => {
            let uri = KeysUri::parse(&uri).map_err(|_| malformed("address of keys"))?;
            Ok(Credential::Keys(Keys::Published(uri)))
        }
        _ => Err(malformed("credential")),
    }
}

/// How people sign in to it, in the columns from `first` on.
fn sign_in(row: &Row, first: usize) -> Result<SignInSettings, StoreError> {
    let uris = |index: usize| {
        let text: String = row.get(first + index)?;
        RedirectUri::parse_list(&text).map_err(|_| malformed("redirect URI"))
    };
    let alg: Option<String> = row.get(first + 3)?;
    let logout: Option<String> = row.get(first + 4)?;
    let logout = logout.as_deref().map(LogoutUri::parse).transpose();
    let words = |index: usize| row.get::<Option<String>>(first + index);
    let encryption = words(10)?.as_deref().map(Encryption::stored).transpose();
    let userinfo_alg = words(11)?.map(|alg| alg.parse()).transpose();
    Ok(SignInSettings {
        require_pushed: row.get::<i64>(first + 8)? != 0,
        require_signed: row.get::<i64>(first + 15)? != 0,
        redirect_uris: uris(0)?,
        post_logout_redirect_uris: uris(1)?,
        backchannel_logout_uri: logout.map_err(|_| malformed("logout URI"))?,
        consent: Consent::parse(&row.get::<String>(first + 2)?).ok_or_else(|| malformed("consent"))?,
        id_token_alg: alg.map(|alg| alg.parse()).transpose().map_err(|_| malformed("algorithm"))?,
        id_token_encryption: encryption.map_err(|_| malformed("key"))?,
        userinfo_alg: userinfo_alg.map_err(|_| malformed("algorithm"))?,
        sector: words(12)?.as_deref().map(Sector::parse).transpose().map_err(|_| malformed("sector"))?,
        required_level: words(17)?.as_deref().map_or(Ok(Level::One), level)?,
    })
}

fn level(acr: &str) -> Result<Level, StoreError> {
    Level::parse(acr).ok_or_else(|| malformed("acr"))
}

fn malformed(what: &str) -> StoreError {
    StoreError::Broken(format!("a stored client has a malformed {what}"))
}
