//! What a refresh rests on before it rotates anything: one statement, so one round trip and one snapshot on every database.

use std::sync::LazyLock;

use super::{Granted, StoreError, Tx};
use crate::{
    domain::{audience::AudienceRules, client::ClientId, session::Sid},
    store::{
        audiences::{rule_columns, rules_of},
        clients::{ClientState, client, columns},
        each::{Each, Kind},
    },
};

/// See the module.
#[derive(Debug)]
pub struct Basis {
    pub client: ClientState,
    /// None: there is no such session.
    pub granted: Option<Granted>,
    /// Of the session's audience, if it has exactly one, as nearly all have.
    pub rules: Option<AudienceRules>,
}

/// Reads it. Says nothing about whether the session lives.
///
/// # Errors
/// As any statement.
pub async fn basis(tx: &mut Tx, client_id: &ClientId, sid: &Sid) -> Result<Basis, StoreError> {
    const ONE: &str = concat!(
        "SELECT h.rsn, s.scope, s.audience, s.user_id, s.organisation, ",
        rule_columns!(),
        ", ",
        columns!(),
        " FROM rev_head h LEFT JOIN clients c ON c.client_id = $1 AND c.removed_at IS NULL \
         LEFT JOIN sessions s ON s.sid = $2 LEFT JOIN audiences a ON a.audience = s.audience WHERE h.stream = 0"
    );
    static SQL: LazyLock<Each> = LazyLock::new(|| Each::new(ONE, &[Kind::Text, Kind::Text]));
    const RULES: usize = 5;
    const CLIENT: usize = RULES + 9;
    let row = tx.fetch_each(&SQL, &[client_id.as_str().into(), sid.as_str().into()]).await?;
    let row = row.ok_or_else(|| StoreError::Broken("the revocation log has no head row".into()))?;
    let there = |column| row.get::<Option<String>>(column).map(|value| value.is_some());
    let granted =
        || Ok(Granted { scope: row.get(1)?, audience: row.get(2)?, user_id: row.get(3)?, organisation: row.get(4)? });
    Ok(Basis {
        client: ClientState { head: row.get(0)?, client: there(CLIENT)?.then(|| client(&row, CLIENT)).transpose()? },
        granted: there(3)?.then(granted).transpose()?,
        rules: there(RULES)?.then(|| rules_of(&row, RULES)).transpose()?,
    })
}
