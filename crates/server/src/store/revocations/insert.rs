//! Entries into the log, many at a time.

use std::sync::LazyLock;

use super::{STREAM, StoreError, Tx};
use crate::{
    domain::revocation::Entry,
    store::{Param, wide::Wide},
};

/// Inserts entries at consecutive positions from `first` on.
pub(super) async fn entries(tx: &mut Tx, first: i64, entries: &[Entry]) -> Result<(), StoreError> {
    static INSERT: LazyLock<Wide> =
        LazyLock::new(|| Wide::rows("INSERT INTO rev_log (stream, rsn, kind, id, exp) VALUES", 5));
    let mut rsn = first;
    for (sql, piece) in INSERT.pieces(entries) {
        let mut params: Vec<Param<'_>> = Vec::with_capacity(5 * piece.len());
        for entry in piece {
            let (kind, id) = (i64::from(entry.kind.number()), entry.id.as_bytes());
            let row: [Param<'_>; 5] = [STREAM.into(), rsn.into(), kind.into(), id.into(), entry.exp.into()];
            params.extend(row);
            rsn += 1;
        }
        tx.send(sql, &params).await?;
    }
    Ok(())
}
