//! The floor and its rise, both in the head's row.

use super::{Head, STREAM, StoreError, Tx, head, no_head};
use crate::{
    domain::{floor::Rise, rsn::Rsn, time::Timestamp},
    store::{Row, dialect::now_us},
};

/// Moves the log on by a position that nothing is at, so that whatever exists now is below it, and locks the head.
/// Returns the head as it is then, and the database's time.
///
/// # Errors
/// As any statement.
pub async fn advance(tx: &mut Tx, clock: Timestamp) -> Result<(Head, Timestamp), StoreError> {
    const ADVANCE: &str = "UPDATE rev_head SET rsn = CASE WHEN rsn + 1 > $1 THEN rsn + 1 ELSE $1 END WHERE stream = $2";
    let now = now_us(tx, clock).await?;
    if tx.execute(ADVANCE, &[now.into(), STREAM.into()]).await? != 1 {
        return Err(no_head());
    }
    tx.note_append();
    Ok((head(tx).await?, Timestamp::from_micros(now)))
}

/// Lets the floor rise; it stands at `floor` now. The head must be locked.
///
/// # Errors
/// As any statement.
pub async fn raise(tx: &mut Tx, floor: Rsn, rise: Rise) -> Result<(), StoreError> {
    const RAISE: &str = "UPDATE rev_head SET floor = $1, floor_from = $2, floor_goal = $3, floor_begin = $4, \
                         floor_end = $5 WHERE stream = $6";
    let Rise { from, goal, begin, end } = rise;
    let params = [floor.into(), from.into(), goal.into(), begin.into(), end.into(), STREAM.into()];
    tx.execute(RAISE, &params).await.map(drop)
}

/// Lets the log's position follow the clock while nothing is appended: so a token says by its `rsn` how old it is, which is
/// what a floor that rises in steps goes by. Changes nothing if something was appended within `step`, and nothing in a log
/// that is behind what was `seen` of it: the high-water mark must notice that.
///
/// # Errors
/// As any statement.
pub async fn follow(tx: &mut Tx, clock: Timestamp, step: std::time::Duration, seen: Rsn) -> Result<(), StoreError> {
    const FOLLOW: &str = "UPDATE rev_head SET rsn = $1 WHERE stream = $2 AND rsn < $3 AND rsn >= $4";
    let now = Timestamp::from_micros(now_us(tx, clock).await?);
    tx.execute(FOLLOW, &[now.into(), STREAM.into(), now.minus(step).into(), seen.into()]).await.map(drop)
}

/// Reads the columns of a rise, from this column on.
pub(in crate::store) fn rise(row: &Row, first: usize) -> Result<Rise, StoreError> {
    Ok(Rise { from: row.get(first)?, goal: row.get(first + 1)?, begin: row.get(first + 2)?, end: row.get(first + 3)? })
}
