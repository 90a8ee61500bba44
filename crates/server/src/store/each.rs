//! Statements that callers who share a transaction run as one, on PostgreSQL: what starting and ending a statement costs there
//! is most of what it costs, and they pay it once.

use std::fmt::Write;

use super::Param;

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Blob,
}

/// A statement that gives at most one row for one row of parameters, and its form for many rows of them.
#[derive(Debug)]
pub(super) struct Each {
    one: &'static str,
    many: String,
    kinds: &'static [Kind],
}

impl Each {
    /// `one` is a SELECT, or an UPDATE with WHERE and RETURNING. The form for many takes an array for each parameter, and the
    /// numbers of the rows as the last one; each row that it gives ends with the number of the row that asked for it. Of several
    /// that update the same row, one does.
    pub(super) fn new(one: &'static str, kinds: &'static [Kind]) -> Self {
        let asked = asked(kinds);
        let (before, after) = split(one);
        let (before, after) = (named(before), named(after));
        let many = match after.strip_prefix(SELECTED) {
            Some(from) => format!("{before}, v.n FROM {asked} CROSS JOIN {from}"),
            None => format!("{before} FROM {asked}{after}, v.n"),
        };
        Self { one, many, kinds }
    }

    pub(super) fn one(&self) -> &'static str {
        self.one
    }

    pub(super) fn many(&self) -> &str {
        &self.many
    }

    pub(super) fn kinds(&self) -> &[Kind] {
        self.kinds
    }

    /// Whether these are parameters of this statement.
    pub(super) fn takes(&self, params: &[Param<'_>]) -> bool {
        params.len() == self.kinds.len() && params.iter().zip(self.kinds).all(|(param, kind)| kind.takes(param))
    }
}

impl Kind {
    fn array(self) -> &'static str {
        match self {
            Self::Int => "bigint[]",
            Self::Text => "text[]",
            Self::Blob => "bytea[]",
        }
    }

    fn takes(self, param: &Param<'_>) -> bool {
        match param {
            Param::Null => true,
            Param::Int(_) => self == Self::Int,
            Param::Text(_) => self == Self::Text,
            Param::Blob(_) => self == Self::Blob,
        }
    }
}

const SELECTED: &str = " FROM ";
const UPDATED: &str = " WHERE ";

/// Before and after the place where what is asked for enters: the first FROM of a SELECT, the WHERE of an UPDATE, of no query
/// within it.
fn split(sql: &str) -> (&str, &str) {
    let keyword = if sql.starts_with("UPDATE ") { UPDATED } else { SELECTED };
    let mut depth = 0_i32;
    let place = sql.char_indices().find(|(at, char)| {
        depth += i32::from(*char == '(') - i32::from(*char == ')');
        depth == 0 && sql[*at..].starts_with(keyword)
    });
    sql.split_at(place.map_or(sql.len(), |(at, _)| at))
}

/// The arrays as the rows of a table `v`. PostgreSQL must not see how many there are: it would think that a plan for few rows
/// is cheaper than one for any number, and make a new one each time.
fn asked(kinds: &[Kind]) -> String {
    let (mut arrays, mut names) = (String::new(), String::new());
    for (at, kind) in (1..).zip(kinds) {
        // Writing to a string cannot fail.
        let _ = write!(arrays, "CAST(${at} AS {}), ", kind.array());
        let _ = write!(names, "p{at}, ");
    }
    format!("unnest({arrays}(SELECT CAST(${} AS bigint[]))) AS v ({names}n)", kinds.len() + 1)
}

/// `$3` as `v.p3`.
fn named(sql: &str) -> String {
    sql.replace('$', "v.p")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_asked_for_in_one_statement() {
        let select = Each::new(
            "SELECT a, (SELECT b FROM u WHERE u.c = t.c) FROM t LEFT JOIN w ON w.d = $1 WHERE t.e = $2",
            &[Kind::Text, Kind::Blob],
        );
        assert_eq!(
            select.many(),
            "SELECT a, (SELECT b FROM u WHERE u.c = t.c), v.n \
             FROM unnest(CAST($1 AS text[]), CAST($2 AS bytea[]), (SELECT CAST($3 AS bigint[]))) AS v (p1, p2, n) \
             CROSS JOIN t LEFT JOIN w ON w.d = v.p1 WHERE t.e = v.p2"
        );
        let update = Each::new("UPDATE t SET a = CASE WHEN a = $1 THEN 1 END WHERE b = $1 RETURNING a", &[Kind::Int]);
        assert_eq!(
            update.many(),
            "UPDATE t SET a = CASE WHEN a = v.p1 THEN 1 END \
             FROM unnest(CAST($1 AS bigint[]), (SELECT CAST($2 AS bigint[]))) AS v (p1, n) WHERE b = v.p1 RETURNING a, v.n"
        );
    }

    #[test]
    fn parameters_have_their_kinds() {
        let each = Each::new("SELECT a FROM t WHERE b = $1 AND c = $2", &[Kind::Text, Kind::Int]);
        assert!(each.takes(&[Param::Text("b"), Param::Int(1)]));
        assert!(each.takes(&[Param::Null, Param::Null]));
        for wrong in [&[Param::Int(1), Param::Int(1)][..], &[Param::Text("b")]] {
            assert!(!each.takes(wrong), "{wrong:?}");
        }
    }
}
