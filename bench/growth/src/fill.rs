//! Many rows at once, by each database's own means.

use std::{fmt::Write, path::Path};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::SinkExt;
use rusqlite::{Connection, params_from_iter, types::Value};
use tokio_postgres::{Client, NoTls};

use crate::rows::{Field, Table};

/// Rows of one piece of a COPY.
const PIECE: u64 = 10_000;
/// How often the progress is told, rows.
const TOLD: u64 = 2_000_000;

pub fn sqlite(file: &Path, tables: &[Table<'_>]) -> Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; \
         PRAGMA cache_size = -4000000;",
    )?;
    for table in tables {
        const INDICES: &str =
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL";
        let names = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        let indices = connection.prepare(INDICES)?.query_map([table.name], names)?.collect::<Result<Vec<_>, _>>()?;
        connection.execute_batch("BEGIN")?;
        for (name, _) in &indices {
            connection.execute_batch(&format!("DROP INDEX {name}"))?;
        }
        let places: Vec<String> = (1..=table.columns.len()).map(|at| format!("${at}")).collect();
        let (columns, places) = (table.columns.join(", "), places.join(", "));
        let mut insert = connection.prepare(&format!("INSERT INTO {} ({columns}) VALUES ({places})", table.name))?;
        for at in 0..table.count {
            insert.execute(params_from_iter((table.row)(at).into_iter().map(Value::from))).context(table.name)?;
            told(table, at);
        }
        for (_, sql) in &indices {
            connection.execute_batch(sql)?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

impl From<Field> for Value {
    fn from(field: Field) -> Self {
        match field {
            Field::Text(text) => Self::Text(text),
            Field::Int(number) => Self::Integer(number),
            Field::Bytes(bytes) => Self::Blob(bytes),
        }
    }
}

pub async fn postgres(url: &str, tables: &[Table<'_>]) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    for table in tables {
        const INDICES: &str = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 \
                               AND indexname NOT IN (SELECT conname FROM pg_constraint)";
        let indices = client.query(INDICES, &[&table.name]).await?;
        for index in &indices {
            client.batch_execute(&format!("DROP INDEX {}", index.get::<_, &str>(0))).await?;
        }
        copy(&client, table).await.context(table.name)?;
        for index in &indices {
            client.batch_execute(index.get(1)).await?;
        }
    }
    drop(client);
    Ok(connection.await??)
}

async fn copy(client: &Client, table: &Table<'_>) -> Result<()> {
    let sink = client.copy_in(&format!("COPY {} ({}) FROM STDIN", table.name, table.columns.join(", "))).await?;
    let mut sink = std::pin::pin!(sink);
    for first in (0..table.count).step_by(usize::try_from(PIECE)?) {
        let mut text = String::new();
        for at in first..table.count.min(first + PIECE) {
            for (column, field) in (table.row)(at).iter().enumerate() {
                text.push_str(if column == 0 { "" } else { "\t" });
                // None of ours holds a tab, a line break or a backslash.
                match field {
                    Field::Text(value) => text.push_str(value),
                    Field::Int(number) => write!(text, "{number}")?,
                    Field::Bytes(bytes) => {
                        text.push_str("\\\\x");
                        bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))?;
                    }
                }
            }
            text.push('\n');
            told(table, at);
        }
        sink.send(Bytes::from(text)).await?;
    }
    sink.finish().await?;
    Ok(())
}

fn told(table: &Table<'_>, at: u64) {
    if at > 0 && at.is_multiple_of(TOLD) {
        eprintln!("  {}: {at} of {}", table.name, table.count);
    }
}
