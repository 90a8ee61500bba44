//! Upstreams, people who are away at one, and who they are there.

use super::{Row, StoreError, Tx};
use crate::domain::{
    browser::RequestName,
    rsn::Rsn,
    time::Timestamp,
    upstream::{Claim, Identity, Metadata, Trip, Upstream, UpstreamName},
    user::UserId,
};

macro_rules! columns {
    () => {
        "upstream, label, issuer, client_id, sealed_secret, signup, created_at"
    };
}

/// Inserts an upstream; false if the name is taken.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, tenant: &str, new: &Upstream) -> Result<bool, StoreError> {
    const SQL: &str = concat!(
        "INSERT INTO upstreams (tenant, ",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (upstream) DO NOTHING"
    );
    let params = [
        tenant.into(),
        new.name.as_str().into(),
        (&new.label).into(),
        (&new.issuer).into(),
        (&new.client_id).into(),
        new.sealed_secret.as_deref().into(),
        i64::from(new.signup).into(),
        new.created_at.into(),
    ];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// All upstreams of a tenant, by name: there are few.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, tenant: &str) -> Result<Vec<Upstream>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM upstreams WHERE tenant = $1 ORDER BY upstream");
    tx.fetch_all(SQL, &[tenant.into()]).await?.iter().map(upstream).collect()
}

/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, tenant: &str, name: &UpstreamName) -> Result<Option<Upstream>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM upstreams WHERE tenant = $1 AND upstream = $2");
    tx.fetch_optional(SQL, &[tenant.into(), name.as_str().into()]).await?.map(|row| upstream(&row)).transpose()
}

/// Removes an upstream: nobody signs in with it any more. Who people are there is kept, should it come back. False if there
/// is none of this name.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, name: &UpstreamName) -> Result<bool, StoreError> {
    const TRIPS: &str = "DELETE FROM upstream_trips WHERE upstream = $1";
    const SQL: &str = "DELETE FROM upstreams WHERE upstream = $1";
    tx.execute(TRIPS, &[name.as_str().into()]).await?;
    Ok(tx.execute(SQL, &[name.as_str().into()]).await? == 1)
}

/// Somebody who leaves, and where the log stands: the head that their sign-in will carry (revocation rule R1).
///
/// # Errors
/// As any statement.
pub async fn leave(tx: &mut Tx, trip: &Trip, head: Rsn, expires_at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO upstream_trips (id, browser, request, upstream, metadata, nonce, verifier, \
                       fresh, head, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let (id, metadata) = (trip.name.hash(), trip.metadata.to_json());
    let params = [
        (&id).into(),
        (&trip.browser).into(),
        (&trip.request).into(),
        trip.upstream.as_str().into(),
        (&metadata).into(),
        (&trip.nonce).into(),
        (&trip.verifier).into(),
        i64::from(trip.fresh).into(),
        head.get().into(),
        trip.created_at.into(),
        expires_at.into(),
    ];
    tx.execute(SQL, &params).await.map(|_| ())
}

/// Somebody who comes back with this `state`, in the browser that left: exactly one caller gets them.
///
/// # Errors
/// As any statement.
pub async fn come_back(
    tx: &mut Tx,
    state: &RequestName,
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Option<(Trip, Rsn)>, StoreError> {
    const SQL: &str = "DELETE FROM upstream_trips WHERE id = $1 AND browser = $2 AND expires_at > $3 \
                       RETURNING request, upstream, nonce, verifier, fresh, head, created_at, metadata";
    let id = state.hash();
    let row = tx.fetch_optional(SQL, &[(&id).into(), browser.into(), now.into()]).await?;
    row.map(|row| trip(&row, state, browser)).transpose()
}

/// Keeps who somebody is until they show by its password that the account is theirs.
///
/// # Errors
/// As any statement.
pub async fn keep(
    tx: &mut Tx,
    name: &RequestName,
    browser: &[u8; 32],
    claim: &Claim,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO upstream_links (id, browser, issuer, subject, user_id, expires_at) \
                       VALUES ($1, $2, $3, $4, $5, $6)";
    let (id, Claim { identity, user }) = (name.hash(), claim);
    let params = [
        (&id).into(),
        browser.into(),
        (&identity.issuer).into(),
        (&identity.subject).into(),
        user.as_str().into(),
        expires_at.into(),
    ];
    tx.execute(SQL, &params).await.map(|_| ())
}

/// Who was kept for this account, for one caller in the same browser.
///
/// # Errors
/// As any statement.
pub async fn kept(
    tx: &mut Tx,
    name: &RequestName,
    (browser, user): (&[u8; 32], &UserId),
    now: Timestamp,
) -> Result<Option<Identity>, StoreError> {
    const SQL: &str = "DELETE FROM upstream_links WHERE id = $1 AND browser = $2 AND user_id = $3 AND expires_at > $4 \
                       RETURNING issuer, subject";
    let id = name.hash();
    let row = tx.fetch_optional(SQL, &[(&id).into(), browser.into(), user.as_str().into(), now.into()]).await?;
    row.map(|row| Ok(Identity { issuer: row.get(0)?, subject: row.get(1)? })).transpose()
}

/// Whose account an identity is.
///
/// # Errors
/// As any statement.
pub async fn user(tx: &mut Tx, identity: &Identity) -> Result<Option<UserId>, StoreError> {
    const SQL: &str = "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2";
    let row = tx.fetch_optional(SQL, &[(&identity.issuer).into(), (&identity.subject).into()]).await?;
    let malformed = || StoreError::Broken("a stored user id is malformed".into());
    row.map(|row| UserId::parse(&row.get::<String>(0)?).ok_or_else(malformed)).transpose()
}

/// What showed that an account is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkedBy {
    /// Its password. Whoever changes that may do so because somebody else knew it.
    Password,
    /// The account was made for them.
    Signup,
}

/// An identity is this account's from now on; false if it is somebody's already.
///
/// # Errors
/// As any statement.
pub async fn link(
    tx: &mut Tx,
    identity: &Identity,
    (user, by): (&UserId, LinkedBy),
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO identities (issuer, subject, user_id, by_password, created_at) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer, subject) DO NOTHING";
    let by_password = i64::from(by == LinkedBy::Password);
    let params =
        [(&identity.issuer).into(), (&identity.subject).into(), user.as_str().into(), by_password.into(), now.into()];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// Who a person is at upstreams, and since when, by issuer and subject.
///
/// # Errors
/// As any statement.
pub async fn of_user(tx: &mut Tx, user: &UserId) -> Result<Vec<(Identity, Timestamp)>, StoreError> {
    const SQL: &str = "SELECT issuer, subject, created_at FROM identities WHERE user_id = $1 ORDER BY issuer, subject";
    let rows = tx.fetch_all(SQL, &[user.as_str().into()]).await?;
    rows.iter().map(|row| Ok((Identity { issuer: row.get(0)?, subject: row.get(1)? }, row.get(2)?))).collect()
}

/// An identity opens this account no longer; false if it did not.
///
/// # Errors
/// As any statement.
pub async fn unlink(tx: &mut Tx, identity: &Identity, user: &UserId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM identities WHERE issuer = $1 AND subject = $2 AND user_id = $3";
    let params = [(&identity.issuer).into(), (&identity.subject).into(), user.as_str().into()];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// No other provider opens this account any more.
///
/// # Errors
/// As any statement.
pub async fn unlink_all(tx: &mut Tx, user: &UserId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM identities WHERE user_id = $1", &[user.as_str().into()]).await.map(drop)
}

/// What was linked by knowing the account's password opens it no longer: the password was replaced.
///
/// # Errors
/// As any statement.
pub async fn forget_by_password(tx: &mut Tx, user: &UserId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM identities WHERE user_id = $1 AND by_password = 1";
    tx.execute(SQL, &[user.as_str().into()]).await.map(|_| ())
}

/// Forgets who left and never came back, before this time, the oldest `limit` of them. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const TRIPS: &str = "DELETE FROM upstream_trips WHERE id IN \
                         (SELECT id FROM upstream_trips WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    const LINKS: &str = "DELETE FROM upstream_links WHERE id IN \
                         (SELECT id FROM upstream_links WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    let params = [before.into(), i64::from(limit).into()];
    Ok(tx.execute(TRIPS, &params).await? + tx.execute(LINKS, &params).await?)
}

fn upstream(row: &Row) -> Result<Upstream, StoreError> {
    Ok(Upstream {
        name: name(row, 0)?,
        label: row.get(1)?,
        issuer: row.get(2)?,
        client_id: row.get(3)?,
        sealed_secret: row.get(4)?,
        signup: row.get::<i64>(5)? == 1,
        created_at: row.get(6)?,
    })
}

fn trip(row: &Row, state: &RequestName, browser: &[u8; 32]) -> Result<(Trip, Rsn), StoreError> {
    let trip = Trip {
        name: state.clone(),
        browser: *browser,
        request: row.get(0)?,
        upstream: name(row, 1)?,
        metadata: Metadata::stored(&row.get::<String>(7)?)
            .ok_or_else(|| StoreError::Broken("an upstream's stored metadata are malformed".into()))?,
        nonce: row.get(2)?,
        verifier: row.get(3)?,
        fresh: row.get::<i64>(4)? == 1,
        created_at: row.get(6)?,
    };
    Ok((trip, Rsn::new(row.get(5)?)))
}

fn name(row: &Row, index: usize) -> Result<UpstreamName, StoreError> {
    let text: String = row.get(index)?;
    UpstreamName::parse(&text).map_err(|_| StoreError::Broken("a stored upstream's name is malformed".into()))
}
