//! Mails on their way: written in the transaction of what they tell of, gone once a server has taken them.

use std::{sync::LazyLock, time::Duration};

use super::{
    Param, Row, StoreError, Tx,
    outbox::{MAILS, Turn},
    wide::Wide,
};
use crate::domain::{
    language::Language,
    mail::{Letter, NOTICE_LIFETIME},
    mail_token::TokenId,
    time::Timestamp,
    user::UserId,
};

/// When nobody will ask again.
const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// A mail to be queued.
#[derive(Debug, Clone)]
pub struct NewMail {
    pub id: String,
    pub letter: Letter,
    /// For whoever has chosen none.
    pub language: Language,
    /// What it says besides; no secret.
    pub detail: String,
    pub now: Timestamp,
}

/// A mail that is about to be sent.
#[derive(Debug, Clone)]
pub struct Mail {
    pub id: String,
    pub user_id: String,
    pub letter: Letter,
    pub language: Language,
    pub address: String,
    pub detail: String,
    /// The token of its link.
    pub sealed: Option<Vec<u8>>,
    /// How often it was tried, this time included.
    pub attempts: i64,
    pub expires_at: Timestamp,
}

/// How things stand, for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub waiting: i64,
    pub dead: i64,
    /// When the mail that has waited longest was written.
    pub oldest: Option<Timestamp>,
    /// When the newest dead letter was given up.
    pub died: Option<Timestamp>,
    /// Why the newest mail that was not taken was not.
    pub problem: Option<String>,
}

/// Queues a mail with the link of a token that was kept in this transaction; nothing if it was not. It goes where the token
/// says, and is of use for as long.
///
/// # Errors
/// As any statement.
pub async fn add_link(tx: &mut Tx, mail: &NewMail, sealed: &[u8], token: &TokenId) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mails (mail_id, letter, language, detail, sealed, attempts, next_at, created_at, user_id, \
        address, expires_at) SELECT $1, $2, COALESCE(u.language, $3), $4, $5, 0, CAST($6 AS bigint), CAST($6 AS bigint), t.user_id, \
        t.address, t.expires_at FROM mail_tokens t LEFT JOIN users u ON u.user_id = t.user_id WHERE t.id = $7";
    let NewMail { id, letter, language, detail, now } = mail;
    let params: [Param<'_>; 7] = [
        id.into(),
        letter.as_str().into(),
        language.as_str().into(),
        detail.into(),
        sealed.into(),
        (*now).into(),
        token.into(),
    ];
    tx.execute(SQL, &params).await.map(drop)
}

/// Queues a mail with a link for an address that may be nobody's here, or that of the account with this e-mail key. It is of use until `expires_at`.
///
/// # Errors
/// As any statement.
pub async fn add_for_address(
    tx: &mut Tx,
    mail: &NewMail,
    sealed: &[u8],
    (address, key, expires_at): (&str, &str, Timestamp),
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mails (mail_id, letter, detail, sealed, attempts, next_at, created_at, user_id, address, \
        expires_at, language) VALUES ($1, $2, $3, $4, 0, $5, $5, '', $6, $7, \
        COALESCE((SELECT MIN(u.language) FROM users u WHERE u.email_key = $8), $9))";
    let NewMail { id, letter, language, detail, now } = mail;
    let params: [Param<'_>; 9] = [
        id.into(),
        letter.as_str().into(),
        detail.into(),
        sealed.into(),
        (*now).into(),
        address.into(),
        expires_at.into(),
        key.into(),
        language.as_str().into(),
    ];
    tx.execute(SQL, &params).await.map(drop)
}

/// Queues a mail without a link for a user, to `address`, or to the one that they have.
///
/// # Errors
/// As any statement.
pub async fn add(tx: &mut Tx, mail: &NewMail, user: &UserId, address: Option<&str>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mails (mail_id, letter, language, detail, attempts, next_at, created_at, expires_at, address, \
        user_id) SELECT $1, $2, COALESCE(u.language, $3), $4, 0, CAST($5 AS bigint), CAST($5 AS bigint), CAST($6 AS bigint), COALESCE($7, u.email), \
        u.user_id FROM users u WHERE u.user_id = $8";
    let NewMail { id, letter, language, detail, now } = mail;
    let params: [Param<'_>; 8] = [
        id.into(),
        letter.as_str().into(),
        language.as_str().into(),
        detail.into(),
        (*now).into(),
        now.plus(NOTICE_LIFETIME).into(),
        address.into(),
        user.as_str().into(),
    ];
    tx.execute(SQL, &params).await.map(drop)
}

/// Takes up to `limit` mails that are due. Nobody else does for the time of the lease.
///
/// # Errors
/// As any statement.
pub async fn take(tx: &mut Tx, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Mail>, StoreError> {
    static FIND: LazyLock<Wide> = LazyLock::new(|| {
        let head = "SELECT mail_id, user_id, letter, language, address, detail, sealed, attempts, expires_at FROM mails \
                    WHERE mail_id IN";
        Wide::keys(head, 0, " ORDER BY created_at")
    });
    let ids = MAILS.take(tx, Turn { now, lease, step: Duration::ZERO, limit }).await?;
    let mut mails = Vec::with_capacity(ids.len());
    for (sql, piece) in FIND.pieces(&ids) {
        let rows = tx.fetch_all(sql, &piece.iter().map(Param::from).collect::<Vec<_>>()).await?;
        for row in &rows {
            mails.push(mail(row)?);
        }
    }
    Ok(mails)
}

/// It was not taken, and is tried again at `next_at`; `attempts` is how often it was tried.
///
/// # Errors
/// As any statement.
pub async fn again(
    tx: &mut Tx,
    id: &str,
    (next_at, attempts): (Timestamp, i64),
    problem: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE mails SET next_at = $1, attempts = $2, problem = $3 WHERE mail_id = $4";
    tx.execute(SQL, &[next_at.into(), attempts.into(), problem.into(), id.into()]).await.map(drop)
}

/// Nobody will take it: a dead letter. Its secret goes.
///
/// # Errors
/// As any statement.
pub async fn give_up(tx: &mut Tx, id: &str, problem: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE mails SET dead_at = $1, sealed = NULL, problem = $2, next_at = $3 WHERE mail_id = $4";
    tx.execute(SQL, &[now.into(), problem.into(), NEVER.into(), id.into()]).await.map(drop)
}

/// # Errors
/// As any statement.
pub async fn counts(tx: &mut Tx) -> Result<Counts, StoreError> {
    const COUNT: &str = "SELECT COUNT(*), COUNT(dead_at), MIN(CASE WHEN dead_at IS NULL THEN created_at END), MAX(dead_at) \
                         FROM mails";
    const PROBLEM: &str =
        "SELECT problem FROM mails WHERE problem IS NOT NULL ORDER BY created_at DESC, mail_id LIMIT 1";
    let Some(row) = tx.fetch_optional(COUNT, &[]).await? else { return Ok(Counts::default()) };
    let (all, dead): (i64, i64) = (row.get(0)?, row.get(1)?);
    let problem = match all {
        0 => None,
        _ => tx.fetch_optional(PROBLEM, &[]).await?.map(|row| row.get(0)).transpose()?,
    };
    Ok(Counts { waiting: all - dead, dead, oldest: row.get(2)?, died: row.get(3)?, problem })
}

/// Removes up to `limit` dead letters that were given up before `before`; returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM mails WHERE mail_id IN \
                       (SELECT mail_id FROM mails WHERE dead_at < $1 ORDER BY dead_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}

fn mail(row: &Row) -> Result<Mail, StoreError> {
    let letter: String = row.get(2)?;
    Ok(Mail {
        id: row.get(0)?,
        user_id: row.get(1)?,
        letter: Letter::parse(&letter).ok_or_else(|| StoreError::Broken(format!("an unknown letter: {letter}")))?,
        language: Language::parse(&row.get::<String>(3)?).unwrap_or_default(),
        address: row.get(4)?,
        detail: row.get(5)?,
        sealed: row.get(6)?,
        attempts: row.get(7)?,
        expires_at: row.get(8)?,
    })
}
