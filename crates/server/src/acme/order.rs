//! One attempt: account, order, challenges, certificate (RFC 8555 §7).

use std::{io, sync::Arc, time::Duration};

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    ACCOUNT, CERTIFICATE, FROM, Folder,
    calls::Calls,
    shelf::{Answering, Shelf},
};
use crate::{
    config::{Acme, Issuer, Tls},
    tls::{self, Shown, TlsError},
};

/// How often an order is looked at, and for how long.
const PATIENCE: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(Duration::from_secs(90));

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0}")]
    Server(#[from] Error),
    #[error("{0} could not be proven: {1}")]
    Unproven(String, String),
    #[error("the ACME server offers no tls-alpn-01 for {0}")]
    NoChallenge(String),
    #[error("the data folder: {0}")]
    Files(#[from] io::Error),
    #[error("a key or certificate could not be made: {0}")]
    Made(String),
    #[error("what came cannot be used: {0}")]
    Unusable(#[from] TlsError),
}

impl From<rcgen::Error> for Failed {
    fn from(error: rcgen::Error) -> Self {
        Self::Made(error.to_string())
    }
}

impl From<rustls::Error> for Failed {
    fn from(error: rustls::Error) -> Self {
        Self::Made(error.to_string())
    }
}

/// The account as it is kept: its key, and whose it is.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    account: AccountCredentials,
}

/// Fetches a certificate, keeps it, and puts it on the shelf.
pub(super) async fn fetch(
    acme: &Acme,
    issuer: &Issuer,
    folder: &Folder,
    shelf: &Arc<Shelf>,
    calls: &Calls,
) -> Result<Shown, Failed> {
    let mut order = order(acme, folder, calls).await?;
    let answering = prove(&mut order, shelf).await?;
    // The guards are held until it was looked at.
    let ready = order.poll_ready(&PATIENCE).await;
    drop(answering);
    match ready {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => {}
        Ok(_) | Err(Error::Api(_)) => return Err(reason(&mut order, ready.err()).await),
        Err(error) => return Err(error.into()),
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut wanted = CertificateParams::new(acme.domains.clone())?;
    wanted.distinguished_name = DistinguishedName::new();
    order.finalize_csr(wanted.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    let key = Zeroizing::new(key.serialize_pem());
    let text = Zeroizing::new(format!("{FROM}{}\n{}\n{chain}", acme.directory, key.as_str()));
    let draft = folder.draft(CERTIFICATE, text.as_bytes())?;
    // What cannot be used never takes the place of what can.
    let (certified, shown) = tls::certified(&Tls { certificate: draft.clone(), key: draft }, issuer)?;
    folder.publish(CERTIFICATE)?;
    shelf.show(certified);
    Ok(shown)
}

/// A new order, of the account that is kept or of a new one.
async fn order(acme: &Acme, folder: &Folder, calls: &Calls) -> Result<Order, Failed> {
    let names: Vec<Identifier> = acme.domains.iter().cloned().map(Identifier::Dns).collect();
    if let Some(kept) = kept(acme, folder) {
        let account = Account::builder_with_http(Box::new(calls.clone())).from_credentials(kept).await?;
        match account.new_order(&NewOrder::new(&names)).await {
            // Somebody has begun anew over there.
            Err(Error::Api(problem)) if problem.r#type.as_deref() == Some(UNKNOWN_ACCOUNT) => {}
            ordered => return Ok(ordered?),
        }
    }
    let contact: Vec<&str> = acme.contact.iter().map(String::as_str).collect();
    // The configuration is not understood unless its operator has agreed.
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let builder = Account::builder_with_http(Box::new(calls.clone()));
    let (account, credentials) = builder.create(&new, acme.directory.to_string(), None).await?;
    let kept = Kept { directory: acme.directory.to_string(), account: credentials };
    folder.write(ACCOUNT, &Zeroizing::new(serde_json::to_vec(&kept).map_err(io::Error::from)?))?;
    Ok(account.new_order(&NewOrder::new(&names)).await?)
}

const UNKNOWN_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// The account at this directory. A file that cannot be read is replaced: accounts cost nothing.
fn kept(acme: &Acme, folder: &Folder) -> Option<AccountCredentials> {
    let text = Zeroizing::new(std::fs::read(folder.0.join(ACCOUNT)).ok()?);
    let kept: Kept = serde_json::from_slice(&text).ok()?;
    (kept.directory == acme.directory.as_str()).then_some(kept.account)
}

/// Puts the answers on the shelf and says that they may be looked at.
async fn prove(order: &mut Order, shelf: &Arc<Shelf>) -> Result<Vec<Answering>, Failed> {
    let mut answering = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = challenge.ok_or_else(|| Failed::NoChallenge(name.clone()))?;
        let answer = answer(&name, challenge.key_authorization().digest().as_ref())?;
        answering.push(shelf.answer(&name, answer));
        challenge.set_ready().await?;
    }
    Ok(answering)
}

/// RFC 8737 §3: a certificate for the name that carries the digest.
fn answer(name: &str, digest: &[u8]) -> Result<CertifiedKey, Failed> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions.push(CustomExtension::new_acme_identifier(digest));
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // Not `from_der`: it reads the certificate, and refuses the critical extension that makes it an answer.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], aws_lc_rs::sign::any_supported_type(&key)?))
}

/// What the ACME server found when it looked.
async fn reason(order: &mut Order, told: Option<Error>) -> Failed {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if authorization.refresh().await.is_err() {
            break;
        }
        let name = authorization.identifier().to_string();
        if let Some(problem) = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return Failed::Unproven(name, problem.to_string());
        }
    }
    told.map_or_else(|| Failed::Server(Error::Str("the order is invalid")), Failed::Server)
}
