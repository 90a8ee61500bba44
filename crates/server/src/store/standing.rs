//! What the store says about the authority behind an access token, in one snapshot.

use super::{
    Row, StoreError, Tx,
    revocations::{self, Head, floor},
};
use crate::domain::{
    revocation::{EntryId, Kind, Scope},
    rsn::{MinRsn, Rsn, TokenRsn},
    standing::Standing,
    time::Timestamp,
};

/// Whom an access token names.
#[derive(Debug, Clone)]
pub struct TokenNames {
    pub issuer: String,
    pub tenant: String,
    pub jti: String,
    /// None: a client's own token.
    pub sid: Option<String>,
    pub client_id: String,
}

/// See the module; `now` is the process's clock, `None` if the session, its user, the client or the tenant does not exist.
///
/// # Errors
/// As any statement.
pub async fn of_token(tx: &mut Tx, names: &TokenNames, now: Timestamp) -> Result<Option<Standing>, StoreError> {
    let scope = Scope { issuer: &names.issuer, tenant: &names.tenant };
    let id = EntryId::of(Kind::Token, scope, &names.jti);
    let row = match &names.sid {
        Some(sid) => of_session(tx, &id, sid, &names.client_id).await?,
        None => of_client(tx, &id, &names.client_id).await?,
    };
    let Some(row) = row else { return Ok(None) };
    let head = Head { rsn: Rsn::default(), floor: row.get(0)?, t: row.get(7)?, rise: floor::rise(&row, 8)? };
    let floor = head.floor_at(revocations::shown(tx, head.t, now));
    Ok(Some(Standing { floor, ..standing(&row)? }))
}

/// Whether the log has an entry of the token's own. The number of the kind stands in the text so that the database finds the
/// index that has these rows alone.
macro_rules! ended {
    () => {
        "EXISTS (SELECT 1 FROM rev_log l WHERE l.kind = 1 AND l.id = $1)"
    };
}

async fn of_session(tx: &mut Tx, id: &EntryId, sid: &str, client_id: &str) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!(
        "SELECT h.floor, u.min_rsn, c.min_rsn, t.min_rsn, u.token_rsn, c.token_rsn, \
         CASE WHEN s.revoked_at IS NULL AND u.disabled_at IS NULL AND c.disabled_at IS NULL AND NOT ",
        ended!(),
        " THEN 0 ELSE 1 END, h.t, h.floor_from, h.floor_goal, h.floor_begin, h.floor_end \
         FROM sessions s JOIN users u ON u.user_id = s.user_id JOIN clients c ON c.client_id = s.client_id \
         JOIN tenants t ON t.tenant = s.tenant JOIN rev_head h ON h.stream = 0 \
         WHERE s.sid = $2 AND s.client_id = $3"
    );
    tx.fetch_optional(SQL, &[id.as_bytes().into(), sid.into(), client_id.into()]).await
}

async fn of_client(tx: &mut Tx, id: &EntryId, client_id: &str) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!(
        "SELECT h.floor, CAST(0 AS bigint), c.min_rsn, t.min_rsn, CAST(0 AS bigint), c.token_rsn, \
         CASE WHEN c.disabled_at IS NULL AND NOT ",
        ended!(),
        " THEN 0 ELSE 1 END, h.t, h.floor_from, h.floor_goal, h.floor_begin, h.floor_end \
         FROM clients c JOIN tenants t ON t.tenant = c.tenant JOIN rev_head h ON h.stream = 0 WHERE c.client_id = $2"
    );
    tx.fetch_optional(SQL, &[id.as_bytes().into(), client_id.into()]).await
}

fn standing(row: &Row) -> Result<Standing, StoreError> {
    Ok(Standing {
        floor: row.get(0)?,
        min_rsn: MinRsn { user: row.get(1)?, client: row.get(2)?, tenant: row.get(3)? },
        token_rsn: TokenRsn { user: row.get(4)?, client: row.get(5)? },
        over: row.get::<i64>(6)? == 1,
    })
}
