//! Rows on their way from one database to another: read in pages in the order of their keys, written with a note of how far
//! it has come, in one transaction.
//!
//! The note is a row of `meta` in the target. As long as it is there no server starts on that database.

mod digest;

use std::sync::LazyLock;

pub use self::digest::Digest;

use super::{
    Param, Row, StoreError, Tx, meta, restore,
    schema::{self, Table},
    value::Value,
    wide::Wide,
};

/// The note's name in `meta`.
const NOTE: &str = "copy";

/// A table, and the statements that move its rows.
#[derive(Debug)]
pub struct Rows {
    table: &'static Table,
    first: String,
    next: String,
    count: String,
    insert: Wide,
}

/// How far a copy has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What the source was when it began.
    pub from: String,
    /// The table that is under way.
    pub table: String,
    /// The key of the last row that was written; empty before the first.
    pub after: Vec<Value>,
    /// Rows that were written, all tables together.
    pub done: u64,
}

/// Every table.
pub fn all() -> &'static [Rows] {
    static ALL: LazyLock<Vec<Rows>> = LazyLock::new(|| schema::tables().iter().map(Rows::new).collect());
    &ALL
}

impl Rows {
    fn new(table: &'static Table) -> Self {
        let (name, columns, key) = (table.name, table.columns.join(", "), table.key.join(", "));
        let (last, places) = (table.key.len() + 1, places(table.key.len()));
        let above = match table.key.len() {
            1 => format!("{key} > $1"),
            _ => format!("({key}) > ({places})"),
        };
        Self {
            first: format!("SELECT {columns} FROM {name} ORDER BY {key} LIMIT $1"),
            next: format!("SELECT {columns} FROM {name} WHERE {above} ORDER BY {key} LIMIT ${last}"),
            count: format!("SELECT COUNT(*) FROM {name}"),
            insert: Wide::rows(&format!("INSERT INTO {name} ({columns}) VALUES"), table.columns.len()),
            table,
        }
    }

    pub fn name(&self) -> &'static str {
        self.table.name
    }

    /// The statement that counts them.
    pub fn count(&'static self) -> &'static str {
        &self.count
    }

    /// Every statement, for the test that reads them all.
    pub fn texts(&'static self) -> impl Iterator<Item = &'static str> {
        [self.first.as_str(), &self.next, &self.count].into_iter().chain(self.insert.texts())
    }

    /// The next rows behind a key; from the beginning if it is empty. The note itself is none of them.
    ///
    /// # Errors
    /// As any statement.
    pub async fn page(&'static self, tx: &mut Tx, after: &[Value], limit: i64) -> Result<Vec<Row>, StoreError> {
        let mut params: Vec<Param<'_>> = after.iter().map(Param::from).collect();
        params.push(limit.into());
        let sql = if after.is_empty() { &self.first } else { &self.next };
        tx.fetch_all(sql, &params).await
    }

    /// Writes rows.
    ///
    /// # Errors
    /// As any statement.
    pub async fn insert(&'static self, tx: &mut Tx, rows: &[Row]) -> Result<(), StoreError> {
        let rows: Vec<&Row> = rows.iter().filter(|row| !self.is_note(row)).collect();
        for (sql, piece) in self.insert.pieces(&rows) {
            let values = piece.iter().flat_map(|row| row.values());
            tx.execute(sql, &values.map(Param::from).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    /// Adds rows to a digest.
    pub fn digest(&self, digest: &mut Digest, rows: &[Row]) {
        rows.iter().filter(|row| !self.is_note(row)).for_each(|row| digest.add(row.values()));
    }

    /// A row's key.
    pub fn key(&self, row: &Row) -> Vec<Value> {
        let at = |column| self.table.columns.iter().position(|other| other == column);
        self.table.key.iter().filter_map(at).filter_map(|at| row.values().get(at).cloned()).collect()
    }

    fn is_note(&self, row: &Row) -> bool {
        self.table.name == "meta" && matches!(row.values().first(), Some(Value::Text(name)) if name == NOTE)
    }
}

fn places(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// The note, if a copy into this database was begun and not finished.
///
/// # Errors
/// As any statement.
pub async fn begun(tx: &mut Tx) -> Result<Option<Note>, StoreError> {
    let Some(text) = meta::find(tx, NOTE).await? else { return Ok(None) };
    let note = Note::parse(&text).ok_or_else(|| StoreError::Broken("the note of a copy is malformed".into()))?;
    Ok(Some(note))
}

/// Whether a database can be copied from: it is none of which something was begun and not finished.
///
/// # Errors
/// As any statement.
pub async fn is_whole(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(begun(tx).await?.is_none() && restore::pending(tx).await?.is_none())
}

/// Begins in a database that holds nothing but what the schema brings, and removes that. Otherwise the name of a table that
/// holds more.
///
/// # Errors
/// As any statement.
pub async fn begin(tx: &mut Tx, note: &Note) -> Result<Option<&'static str>, StoreError> {
    const FRESH: &str = "SELECT COUNT(*) FROM rev_head h, tenants t WHERE h.stream = 0 AND h.rsn = 0 AND h.t = 0 \
                         AND t.tenant = 'default' AND t.min_rsn = 0 AND t.created_at = 0";
    for rows in all() {
        let found = number(tx, &rows.count).await?;
        let brought = i64::from(matches!(rows.name(), "tenants" | "rev_head"));
        if found != brought {
            return Ok(Some(rows.name()));
        }
    }
    if number(tx, FRESH).await? != 1 {
        return Ok(Some("rev_head"));
    }
    tx.execute("DELETE FROM tenants", &[]).await?;
    tx.execute("DELETE FROM rev_head", &[]).await?;
    const SQL: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";
    tx.execute(SQL, &[NOTE.into(), (&note.text()).into()]).await?;
    Ok(None)
}

/// Replaces the note. False if it is not what it was: another copy is at it.
///
/// # Errors
/// As any statement.
pub async fn note(tx: &mut Tx, was: &Note, is: &Note) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE meta SET value = $1 WHERE name = $2 AND value = $3";
    Ok(tx.execute(SQL, &[(&is.text()).into(), NOTE.into(), (&was.text()).into()]).await? == 1)
}

/// The copy is whole: from here on the database can be used. False as with [`note`].
///
/// # Errors
/// As any statement.
pub async fn finish(tx: &mut Tx, was: &Note) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM meta WHERE name = $1 AND value = $2";
    Ok(tx.execute(SQL, &[NOTE.into(), (&was.text()).into()]).await? == 1)
}

async fn number(tx: &mut Tx, sql: &'static str) -> Result<i64, StoreError> {
    tx.fetch_optional(sql, &[]).await?.map_or(Ok(0), |row| row.get(0))
}
