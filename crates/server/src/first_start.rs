//! What a new store gets: its issuer's name, the audiences `api` and `admin`, the client `first-party`. No user: there are
//! no default accounts (LOG-14).

use countersign_jose::{Algorithm, b64};
use zeroize::Zeroizing;

use crate::{
    app::StartError,
    domain::{
        audience::{AudienceRules, ClaimMap},
        audience_id::{ADMIN, API, AudienceId},
        client::{AccessTokenFormat, ClientId, ClientSettings, FIRST_PARTY, Grant, SignInSettings},
        credential::Credential,
        roles,
        scope::Scope,
        subject::SubjectKey,
        time::Timestamp,
    },
    http::TENANT,
    keys::KeyProvider,
    random::Random,
    store::{
        Store, StoreError,
        audiences::{self, Audience},
        clients::{self, NewClient},
        meta,
    },
};

/// Makes what is missing; changes nothing that is there.
///
/// # Errors
/// `OtherIssuer`: the store belongs to another one, whose tokens and links this one would break.
pub async fn prepare(store: &Store, issuer: &str, now: Timestamp) -> Result<(), StartError> {
    let configured = issuer.to_owned();
    let stored = store
        .write(move |tx| {
            let issuer = configured.clone();
            Box::pin(async move {
                audiences::insert(tx, &audience(API, None, now)).await?;
                audiences::insert(tx, &audience(ADMIN, Some(roles::ADMIN), now)).await?;
                clients::insert(tx, &first_party(now)?).await?;
                meta::settle(tx, "issuer", &issuer).await
            })
        })
        .await?;
    if stored == issuer { Ok(()) } else { Err(StartError::OtherIssuer { stored, configured: issuer.to_owned() }) }
}

/// The key of pairwise ids, which a new store gets and which stays for ever: another one would make strangers of everybody.
///
/// # Errors
/// `SubjectKey`: it does not open, or is gone from a store that had it. Nothing is made anew then (KEY-08).
pub async fn subject_key(store: &Store, provider: &KeyProvider, random: Random) -> Result<SubjectKey, StartError> {
    const NAME: &str = "subject_key";
    let bad = |why: String| StartError::SubjectKey(why);
    let fresh = Zeroizing::new(random.bytes::<{ SubjectKey::BYTES }>()?);
    let sealed = provider.seal(&fresh[..], NAME).await.map_err(|error| bad(error.to_string()))?;
    let sealed = b64::encode(sealed);
    let stored = store.write(move |tx| {
        let sealed = sealed.clone();
        Box::pin(async move {
            // Whoever has an issuer's name has had this key.
            match meta::find(tx, "issuer").await? {
                Some(_) => meta::find(tx, NAME).await,
                None => meta::settle(tx, NAME, &sealed).await.map(Some),
            }
        })
    });
    let stored = stored.await?.ok_or_else(|| bad("it is gone from the database".to_owned()))?;
    let stored = b64::decode(&stored).map_err(|error| bad(error.to_string()))?;
    let plain = provider.unseal(&stored, NAME).await.map_err(|error| bad(error.to_string()))?;
    let mut bytes = Zeroizing::new([0; SubjectKey::BYTES]);
    if plain.len() != bytes.len() {
        return Err(bad("it has another length".to_owned()));
    }
    bytes.copy_from_slice(&plain);
    Ok(SubjectKey::new(&bytes))
}

fn audience(name: &str, required_role: Option<&str>, now: Timestamp) -> Audience {
    Audience {
        rules: AudienceRules {
            audience: name.to_owned(),
            alg: Algorithm::ES256,
            claims: ClaimMap::default(),
            required_role: required_role.map(str::to_owned),
            disabled_scopes: Scope::default(),
            permissions: None,
            access_token_ttl: None,
            encryption: None,
        },
        tenant: TENANT.to_owned(),
        name: name.to_owned(),
        scopes: Scope::default(),
        sealed_secret: None,
        created_at: now,
    }
}

fn first_party(now: Timestamp) -> Result<NewClient, StoreError> {
    let bad = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
    let audience = |name| AudienceId::parse(name).map_err(|error| bad(&error));
    Ok(NewClient {
        id: ClientId::parse(FIRST_PARTY).map_err(|error| bad(&error))?,
        tenant: TENANT.to_owned(),
        settings: ClientSettings {
            alg: None,
            name: "First party".to_owned(),
            scopes: Scope::default(),
            audiences: vec![audience(API)?, audience(ADMIN)?],
            grants: [Grant::FirstParty, Grant::RefreshToken].into_iter().collect(),
            roles: Vec::new(),
            serves: Vec::new(),
            exchanges: Vec::new(),
            access_token_ttl: None,
            refresh_idle: None,
            refresh_absolute: None,
            dpop_bound: false,
            access_token_format: AccessTokenFormat::Signed,
            sign_in: SignInSettings::default(),
        },
        credential: Credential::None,
        builtin: true,
        created_at: now,
    })
}
