//! Many entries, few statements: rows go in by the largest of a few fixed widths, so that a handful of texts is prepared
//! once and serves any number of entries.

use std::{fmt::Write, sync::LazyLock};

use super::{STREAM, StoreError, Tx};
use crate::{domain::revocation::Entry, store::Param};

const INSERT: &str = "INSERT INTO rev_log (stream, rsn, kind, id, exp) VALUES ($1, $2, $3, $4, $5)";
const WIDTHS: [usize; 2] = [256, 16];
static WIDE: LazyLock<[String; 2]> = LazyLock::new(|| WIDTHS.map(text));

/// Inserts entries at consecutive positions from `first` on.
pub(super) async fn entries(tx: &mut Tx, first: i64, entries: &[Entry]) -> Result<(), StoreError> {
    let (mut rsn, mut rest) = (first, entries);
    while !rest.is_empty() {
        let wide = WIDTHS.iter().position(|width| *width <= rest.len());
        let (sql, width) = wide.map_or((INSERT, 1), |index| (WIDE[index].as_str(), WIDTHS[index]));
        let (now, later) = rest.split_at(width);
        let mut params: Vec<Param<'_>> = Vec::with_capacity(1 + 4 * width);
        params.push(STREAM.into());
        for entry in now {
            let kind = i64::from(entry.kind.number());
            let row: [Param<'_>; 4] = [rsn.into(), kind.into(), entry.id.as_bytes().into(), entry.exp.into()];
            params.extend(row);
            rsn += 1;
        }
        tx.execute(sql, &params).await?;
        rest = later;
    }
    Ok(())
}

/// [`INSERT`] with this many rows; the stream is said once.
fn text(rows: usize) -> String {
    let mut sql = INSERT.to_owned();
    for row in 1..rows {
        let first = 2 + 4 * row;
        // Writing to a string cannot fail.
        let _ = write!(sql, ", ($1, ${first}, ${}, ${}, ${})", first + 1, first + 2, first + 3);
    }
    sql
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_has_its_own_parameters_in_order_of_appearance() {
        let sql = super::text(3);
        assert!(sql.ends_with("VALUES ($1, $2, $3, $4, $5), ($1, $6, $7, $8, $9), ($1, $10, $11, $12, $13)"), "{sql}");
    }
}
