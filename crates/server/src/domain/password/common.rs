//! The list of common passwords, searched where it lies in the binary: it costs no memory of its own.

use super::strength::ends;

/// Sorted bytewise, one entry a line, each line ended by a line feed (COMMON.md tells where it comes from).
static LIST: &str = include_str!("common.txt");

/// Length of the shortest entry, characters.
const SHORTEST: usize = 4;

/// Lengths of the beginnings of `text` (lower case, NFKC) that are a common password, bytes.
pub(super) fn prefixes(text: &str) -> impl Iterator<Item = usize> {
    let looked_up = ends(text).skip(SHORTEST - 1).map_while(move |end| match look_up(&text[..end]) {
        Found::Entry => Some(Some(end)),
        Found::Beginning => Some(None),
        // Nothing longer can be there either.
        Found::Nothing => None,
    });
    looked_up.flatten()
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Entry,
    /// Some entry begins with it.
    Beginning,
    Nothing,
}

/// Binary search over the lines: the first that is not below the word.
fn look_up(word: &str) -> Found {
    let (list, word) = (LIST.as_bytes(), word.as_bytes());
    // Both ends always stand at the beginning of a line.
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = list[low..middle].iter().rposition(|b| *b == b'\n').map_or(low, |at| low + at + 1);
        let end = list[middle..high].iter().position(|b| *b == b'\n').map_or(high, |at| middle + at);
        if &list[start..end] < word { low = end + 1 } else { high = start }
    }
    let Some(rest) = list[low..].strip_prefix(word) else { return Found::Nothing };
    if rest.starts_with(b"\n") { Found::Entry } else { Found::Beginning }
}

#[cfg(test)]
mod tests {
    use super::*;

    // LOG-03: every entry is found, so the search and the order of the list agree.
    #[test]
    fn every_entry_is_found_and_nothing_else() {
        let mut count = 0;
        for line in LIST.lines() {
            assert_eq!(look_up(line), Found::Entry, "{line}");
            assert!(line.chars().count() >= SHORTEST, "{line}");
            count += 1;
        }
        assert!(count >= 50_000, "{count} entries");
        for absent in ["", "\n", "zzzzzzzzzzzzzzzzzzzzz", "0", "passwor\n", "correcthorsebatterystaple"] {
            assert_ne!(look_up(absent), Found::Entry, "{absent:?}");
        }
    }

    #[test]
    fn every_common_beginning_is_found() {
        let found: Vec<_> = prefixes("password1 and more").collect();
        assert!(
            found.contains(&"pass".len()) && found.contains(&"password".len()) && found.contains(&"password1".len())
        );
        assert_eq!(prefixes("k'#vq").count() + prefixes("ab").count() + prefixes("").count(), 0);
    }
}
