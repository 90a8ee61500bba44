//! Authorization codes: one guarded statement redeems one, so that it is redeemed once (OAU-05, I-8).

use super::{StoreError, Tx};
use crate::domain::{
    code::{Authorized, Challenge, CodeHash},
    session::Sid,
    signin::SigninId,
    time::Timestamp,
};

/// Stores a new code.
///
/// # Errors
/// `Conflict` if the code exists; otherwise as any statement.
pub async fn insert(tx: &mut Tx, code: &CodeHash, authorized: &Authorized) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO codes (code, client_id, redirect_uri, challenge, signin_id, user_id, scope, audience, \
                       nonce, dpop_jkt, userinfo_claims, id_token_claims, expires_at, organisation) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let params = [
        code.as_bytes().into(),
        (&authorized.client_id).into(),
        (&authorized.redirect_uri).into(),
        authorized.challenge.as_bytes().into(),
        authorized.signin.as_bytes().into(),
        (&authorized.user_id).into(),
        (&authorized.scope).into(),
        (&authorized.audience).into(),
        authorized.nonce.as_ref().into(),
        authorized.dpop_jkt.as_ref().into(),
        authorized.userinfo_claims.as_ref().into(),
        authorized.id_token_claims.as_ref().into(),
        authorized.expires_at.into(),
        authorized.organisation.as_ref().into(),
    ];
    tx.execute(SQL, &params).await.map(|_| ())
}

/// What a code stands for, whatever its state; [`Authorized::judge`] says what a presentation of it comes to.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, code: &CodeHash) -> Result<Option<Authorized>, StoreError> {
    const SQL: &str = "SELECT client_id, redirect_uri, challenge, signin_id, user_id, scope, audience, nonce, dpop_jkt, \
                       expires_at, sid, userinfo_claims, id_token_claims, organisation FROM codes WHERE code = $1";
    let Some(row) = tx.fetch_optional(SQL, &[code.as_bytes().into()]).await? else { return Ok(None) };
    let broken = |what: &str| StoreError::Broken(format!("a stored code has a malformed {what}"));
    let sid: Option<String> = row.get(10)?;
    Ok(Some(Authorized {
        client_id: row.get(0)?,
        redirect_uri: row.get(1)?,
        challenge: Challenge::from_bytes(row.get(2)?),
        signin: SigninId::from_bytes(&row.get::<Vec<u8>>(3)?).ok_or_else(|| broken("sign-in"))?,
        user_id: row.get(4)?,
        scope: row.get(5)?,
        audience: row.get(6)?,
        nonce: row.get(7)?,
        dpop_jkt: row.get(8)?,
        expires_at: row.get(9)?,
        userinfo_claims: row.get(11)?,
        id_token_claims: row.get(12)?,
        organisation: row.get(13)?,
        redeemed: sid.map(|sid| Sid::parse(&sid).ok_or_else(|| broken("session"))).transpose()?,
    }))
}

/// Redeems a code for a session: true for exactly one caller, however many come at once. Whether the caller may is decided
/// before ([`Authorized::judge`]); what it is bound to never changes.
///
/// # Errors
/// As any statement.
pub async fn redeem(tx: &mut Tx, code: &CodeHash, sid: &Sid, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE codes SET redeemed_at = $1, sid = $2 \
                       WHERE code = $3 AND redeemed_at IS NULL AND expires_at > $1";
    Ok(tx.execute(SQL, &[now.into(), sid.as_str().into(), code.as_bytes().into()]).await? == 1)
}

/// Forgets codes that expired before this time, the oldest `limit` of them. Returns how many. A redeemed one is kept for a
/// while: its second use is noticed for as long.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM codes WHERE code IN \
                       (SELECT code FROM codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}
