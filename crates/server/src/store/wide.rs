//! Statements over many rows: each is written for a few fixed widths, so that a handful of texts is prepared once and
//! serves any number of rows.

use std::fmt::Write;

/// Rows of one statement, the widest first.
const WIDTHS: [usize; 3] = [256, 16, 1];

/// One statement in every width.
#[derive(Debug)]
pub(super) struct Wide([String; 3]);

impl Wide {
    /// The statement's text, made for each width.
    fn new(text: impl Fn(usize) -> String) -> Self {
        Self(WIDTHS.map(text))
    }

    /// `… IN ($n, …)`: `head` ends with `IN` and uses the first `fixed` parameters, the keys follow, then `tail`.
    pub(super) fn keys(head: &str, fixed: usize, tail: &str) -> Self {
        Self::new(|width| {
            let mut sql = format!("{head} (");
            for key in 0..width {
                // Writing to a string cannot fail.
                let _ = write!(sql, "{}${}", if key == 0 { "" } else { ", " }, fixed + key + 1);
            }
            sql.push(')');
            sql.push_str(tail);
            sql
        })
    }

    /// `INSERT … VALUES (…), (…)`: `head` ends with `VALUES`, each row has this many columns.
    pub(super) fn rows(head: &str, columns: usize) -> Self {
        Self::new(|width| {
            let mut sql = head.to_owned();
            for at in 0..width * columns {
                let before = match (at, at % columns) {
                    (0, _) => " (",
                    (_, 0) => "), (",
                    _ => ", ",
                };
                let _ = write!(sql, "{before}${}", at + 1);
            }
            sql.push(')');
            sql
        })
    }

    /// Its texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The items in pieces, each with the statement of its width.
    pub(super) fn pieces<'a, T>(&'static self, items: &'a [T]) -> impl Iterator<Item = (&'static str, &'a [T])> {
        let mut rest = items;
        std::iter::from_fn(move || {
            let index = WIDTHS.iter().position(|width| *width <= rest.len())?;
            let (piece, later) = rest.split_at(WIDTHS[index]);
            rest = later;
            Some((self.0[index].as_str(), piece))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    #[test]
    fn the_widest_statements_come_first() {
        static WIDE: LazyLock<Wide> =
            LazyLock::new(|| Wide::keys("DELETE FROM t WHERE a = $1 AND b IN", 1, " AND c = 0"));
        let items: Vec<usize> = (0..256 + 16 + 2).collect();
        let pieces: Vec<_> = WIDE.pieces(&items).map(|(sql, piece)| (sql.len(), piece.to_vec())).collect();
        assert_eq!(pieces.iter().map(|(_, piece)| piece.len()).collect::<Vec<_>>(), [256, 16, 1, 1]);
        assert_eq!(pieces.into_iter().flat_map(|(_, piece)| piece).collect::<Vec<_>>(), items);
        assert_eq!(WIDE.pieces(&[0]).next().unwrap().0, "DELETE FROM t WHERE a = $1 AND b IN ($2) AND c = 0");
        let rows = Wide::rows("INSERT INTO t (a, b) VALUES", 2);
        assert_eq!(rows.0[2], "INSERT INTO t (a, b) VALUES ($1, $2)");
        assert!(rows.0[1].starts_with("INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4), ($5"), "{rows:?}");
        assert!(WIDE.pieces::<i64>(&[]).next().is_none());
    }
}
