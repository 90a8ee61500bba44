//! What truly differs between the databases: whose clock counts, and how rows are locked.

use std::{mem::discriminant, sync::LazyLock};

use super::{Param, StoreError, StoreKind, Tx, wide::Wide};
use crate::domain::time::Timestamp;

/// Held until the end of a transaction that migrates the schema, so that replicas that start together do it once ("CSGN").
pub(super) const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(1129531214)";

/// A statement that reads the clock: `clock($n)` in its text is the time in microseconds, the database's own at the start of
/// the statement; where it has none, what the parameter says, which is the process's.
#[derive(Debug)]
pub(super) struct Clocked {
    sqlite: String,
    postgres: String,
}

impl Clocked {
    pub(super) fn new(text: &str) -> Self {
        const OWN: &str = "COALESCE(CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS bigint), ";
        Self { sqlite: text.replace("clock(", "("), postgres: text.replace("clock(", OWN) }
    }

    pub(super) fn text(&'static self, kind: StoreKind) -> &'static str {
        match kind {
            StoreKind::Sqlite => &self.sqlite,
            StoreKind::Postgres => &self.postgres,
        }
    }
}

/// The database's own time in microseconds. SQLite has no clock of its own: there it is the process's, `clock`.
///
/// # Errors
/// As any statement.
pub async fn now_us(tx: &mut Tx, clock: Timestamp) -> Result<i64, StoreError> {
    const NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)";
    match tx.kind() {
        StoreKind::Sqlite => Ok(clock.micros()),
        StoreKind::Postgres => match tx.fetch_optional(NOW, &[]).await? {
            Some(row) => row.get(0),
            None => Err(StoreError::Broken("the database tells no time".into())),
        },
    }
}

/// A row that a transaction is about to change, in the one order in which rows are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey<'a> {
    Tenant(&'a str),
    Client(&'a str),
    Group(&'a str),
    Organisation(&'a str),
    User(&'a str),
    /// The hash that names a sign-in.
    Signin(&'a [u8]),
    Session(&'a str),
}

/// Locks rows until the end of the transaction, before any statement that follows in it, in order, whatever order they are
/// given in. A transaction that changes several rows, or appends to the revocation log, calls this first; so none waits for
/// another in a circle.
///
/// # Errors
/// As any statement.
pub async fn lock_rows(tx: &mut Tx, rows: &mut [RowKey<'_>]) -> Result<(), StoreError> {
    // The one writer of SQLite has everything locked.
    if tx.kind() == StoreKind::Sqlite {
        return Ok(());
    }
    rows.sort_unstable();
    for same in rows.chunk_by(|a, b| discriminant(a) == discriminant(b)) {
        let Some(first) = same.first() else { continue };
        for (sql, piece) in statement(*first).pieces(same) {
            let keys: Vec<Param<'_>> = piece.iter().map(|row| row.key()).collect();
            tx.send(sql, &keys).await?;
        }
    }
    Ok(())
}

impl<'a> RowKey<'a> {
    fn key(self) -> Param<'a> {
        match self {
            Self::Tenant(text)
            | Self::Client(text)
            | Self::Group(text)
            | Self::Organisation(text)
            | Self::User(text)
            | Self::Session(text) => text.into(),
            Self::Signin(id) => id.into(),
        }
    }
}

/// The statement that locks rows of this kind. Rows are locked in the order of the bytes of their keys, as they are sorted
/// here, whatever the database's collation is.
fn statement(row: RowKey<'_>) -> &'static Wide {
    macro_rules! lock {
        ($table:literal, $key:literal, $order:literal) => {{
            static LOCK: LazyLock<Wide> = LazyLock::new(|| {
                let head = concat!("SELECT ", $key, " FROM ", $table, " WHERE ", $key, " IN");
                Wide::keys(head, 0, concat!(" ORDER BY ", $order, " FOR UPDATE"))
            });
            &LOCK
        }};
    }
    match row {
        RowKey::Tenant(_) => lock!("tenants", "tenant", "convert_to(tenant, 'UTF8')"),
        RowKey::Client(_) => lock!("clients", "client_id", "convert_to(client_id, 'UTF8')"),
        RowKey::Group(_) => lock!("user_groups", "group_id", "convert_to(group_id, 'UTF8')"),
        RowKey::Organisation(_) => {
            lock!("organisations", "organisation", "convert_to(organisation, 'UTF8')")
        }
        RowKey::User(_) => lock!("users", "user_id", "convert_to(user_id, 'UTF8')"),
        RowKey::Signin(_) => lock!("signins", "id", "id"),
        RowKey::Session(_) => lock!("sessions", "sid", "convert_to(sid, 'UTF8')"),
    }
}
