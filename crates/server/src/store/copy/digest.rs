//! What a table holds, in 32 bytes, whatever order its rows are read in: the two databases sort text differently. The digests
//! of the rows are added up.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use countersign_jose::b64;

use super::Note;
use crate::store::value::Value;

/// Rows and the sum of their digests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    pub rows: u64,
    sum: [u128; 2],
}

impl Digest {
    /// Adds one row. Its values are framed, so that no two rows are alike that are not the same.
    pub fn add(&mut self, row: &[Value]) {
        let mut context = Context::new(&SHA256);
        for value in row {
            let mut part = |tag: u8, bytes: &[u8]| {
                context.update(&[tag]);
                context.update(&(bytes.len() as u64).to_be_bytes());
                context.update(bytes);
            };
            match value {
                Value::Null => part(0, &[]),
                Value::Int(number) => part(1, &number.to_be_bytes()),
                Value::Text(text) => part(2, text.as_bytes()),
                Value::Blob(bytes) => part(3, bytes),
            }
        }
        let digest = context.finish();
        for (sum, half) in self.sum.iter_mut().zip(digest.as_ref().chunks_exact(16)) {
            let half = half.try_into().map(u128::from_be_bytes).unwrap_or_default();
            *sum = sum.wrapping_add(half);
        }
        self.rows += 1;
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}{:032x}", self.sum[0], self.sum[1])
    }
}

impl Note {
    /// One line: what it is about, and the key with the kinds of its values.
    pub(super) fn text(&self) -> String {
        let key = self.after.iter().map(|value| match value {
            Value::Null => "n".to_owned(),
            Value::Int(number) => format!("i{number}"),
            Value::Text(text) => format!("t{}", b64::encode(text)),
            Value::Blob(bytes) => format!("b{}", b64::encode(bytes)),
        });
        let head = [self.from.clone(), self.table.clone(), self.done.to_string()];
        head.into_iter().chain(key).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (from, table) = (words.next()?.to_owned(), words.next()?.to_owned());
        let done = words.next()?.parse().ok()?;
        let value = |word: &str| {
            let (kind, rest) = word.split_at_checked(1)?;
            Some(match kind {
                "n" => Value::Null,
                "i" => Value::Int(rest.parse().ok()?),
                "t" => Value::Text(String::from_utf8(b64::decode(rest).ok()?).ok()?),
                "b" => Value::Blob(b64::decode(rest).ok()?),
                _ => return None,
            })
        };
        Some(Self { from, table, done, after: words.map(value).collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[&[Value]]) -> Digest {
        let mut digest = Digest::default();
        rows.iter().for_each(|row| digest.add(row));
        digest
    }

    #[test]
    fn the_order_of_rows_is_nothing_and_everything_else_counts() {
        let text = |text: &str| Value::Text(text.to_owned());
        let (a, b) = (&[text("ab"), Value::Int(1)][..], &[text("a"), Value::Null][..]);
        assert_eq!(digest(&[a, b]), digest(&[b, a]));
        for other in [
            &[a][..],
            &[a, b, b],
            &[a, &[text("a"), text("")]],
            &[a, &[text("a"), Value::Blob(Vec::new())]],
            &[&[text("a"), text("b"), Value::Int(1)], b],
            &[&[text("ab"), Value::Int(2)], b],
        ] {
            assert_ne!(digest(other), digest(&[a, b]), "{other:?}");
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let after = vec![
            Value::Int(-7),
            Value::Text("a b\n".to_owned()),
            Value::Blob(vec![0, 255]),
            Value::Text(String::new()),
        ];
        let note = Note { from: "f00".to_owned(), table: "sessions".to_owned(), after, done: 12 };
        assert_eq!(Note::parse(&note.text()), Some(note.clone()));
        let first = Note { after: Vec::new(), ..note };
        assert_eq!(Note::parse(&first.text()), Some(first));
        for broken in ["", "a b", "a b c", "a b 1 x", "a b 1 t!"] {
            assert_eq!(Note::parse(broken), None, "{broken}");
        }
    }
}
