//! How much of a password is more than what everybody tries first.
//!
//! A guesser tries common passwords, rows of the keyboard, the person's own e-mail address, and these joined, repeated or
//! followed by digits. So a password is read as *pieces*: a common password, a context word, a row of the keyboard or a run of
//! one character counts 2, what stood in it before counts 1, and so does a single character. The cheapest reading must
//! count [`ENOUGH`]: `Password2024!!!!` is three pieces and refused, four unrelated words are enough.

use super::{Weakness, common};

/// What the pieces of a password must count together.
const ENOUGH: usize = 8;
/// More characters than this are only checked for repetition: nobody guesses them, and reading them would take long.
const LONG: usize = 64;
/// Fewer characters of one row or one run are not a piece.
const SHORTEST_ROW: usize = 3;
/// Shorter words of the context are left out: they are in every password by chance.
const SHORTEST_WORD: usize = 3;

const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Words that a guesser tries at this issuer for this person.
#[derive(Debug, Clone)]
pub struct Context {
    words: Vec<String>,
}

impl Context {
    /// The person's e-mail address, if known, and the issuer's URL.
    pub fn new(email: Option<&str>, issuer: &str) -> Self {
        let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        let mut words = vec!["countersign".to_owned()];
        for source in email.into_iter().chain([host]) {
            let source = source.to_lowercase();
            words.extend(source.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
            words.extend(source.split('@').map(str::to_owned));
            words.push(source);
        }
        words.retain(|word| word.chars().count() >= SHORTEST_WORD);
        Self { words }
    }

    /// Lengths of the words that `text` begins with, bytes.
    fn prefixes(&self, text: &str) -> impl Iterator<Item = usize> {
        self.words.iter().filter(move |word| text.starts_with(word.as_str())).map(String::len)
    }
}

/// What is wrong with a password (NFKC) that is long enough, if anything.
pub(super) fn weakness(password: &str, min_chars: usize, context: &Context) -> Option<Weakness> {
    let lower = password.to_lowercase();
    let chars: Vec<char> = lower.chars().collect();
    let unit = period(&chars);
    if unit < min_chars && unit * 2 <= chars.len() {
        return Some(Weakness::Repeated { unit });
    }
    if chars.len() > LONG {
        return None;
    }
    let reading = cheapest(&lower, context)?;
    Some(match reading {
        Reading { context: true, .. } => Weakness::Context,
        Reading { common: true, .. } => Weakness::Common,
        Reading { .. } => Weakness::Sequence,
    })
}

/// The smallest number of characters after which the text repeats itself; its length if it does not.
fn period(chars: &[char]) -> usize {
    // The border table of Knuth, Morris and Pratt: borders[i] is the longest proper prefix of chars[..=i] that ends it.
    let mut borders = vec![0; chars.len()];
    for i in 1..chars.len() {
        let mut border: usize = borders[i - 1];
        while border > 0 && chars[i] != chars[border] {
            border = borders[border - 1];
        }
        borders[i] = if chars[i] == chars[border] { border + 1 } else { 0 };
    }
    chars.len() - borders.last().copied().unwrap_or(0)
}

/// The cheapest way to read a password up to some place.
#[derive(Clone, Copy)]
struct Reading {
    count: usize,
    common: bool,
    context: bool,
}

/// The cheapest reading of the whole password, if it counts less than [`ENOUGH`].
fn cheapest(lower: &str, context: &Context) -> Option<Reading> {
    let plain = without_leet(lower);
    let mut best: Vec<Option<Reading>> = vec![None; lower.len() + 1];
    best[0] = Some(Reading { count: 0, common: false, context: false });
    for (at, first) in lower.char_indices() {
        // What counts enough already is not read on.
        let Some(here) = best[at] else { continue };
        let mut reach = |bytes: usize, reading: Reading| {
            let there = &mut best[at + bytes];
            if reading.count < ENOUGH && there.is_none_or(|known| reading.count < known.count) {
                *there = Some(reading);
            }
        };
        let (rest, plain_rest) = (&lower[at..], &plain[at..]);
        reach(first.len_utf8(), Reading { count: here.count + 1, ..here });
        for bytes in context.prefixes(rest).chain(context.prefixes(plain_rest)) {
            reach(bytes, Reading { count: here.count + 2, context: true, ..here });
        }
        for bytes in common::prefixes(rest).chain(common::prefixes(plain_rest)) {
            reach(bytes, Reading { count: here.count + 2, common: true, ..here });
        }
        for bytes in row(rest) {
            reach(bytes, Reading { count: here.count + 2, ..here });
        }
        for bytes in repeated(lower, at) {
            reach(bytes, Reading { count: here.count + 1, ..here });
        }
    }
    best[lower.len()]
}

/// Lengths of the beginnings of `text[at..]` that stand in it before.
fn repeated(text: &str, at: usize) -> impl Iterator<Item = usize> {
    let (before, rest) = text.split_at(at);
    ends(rest).skip(SHORTEST_WORD - 1).take_while(move |end| before.contains(&rest[..*end]))
}

/// Where the characters of a text end, bytes.
pub(super) fn ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, c)| at + c.len_utf8())
}

/// Undoes the usual replacements of letters. Each is one byte for one byte, so positions stay.
fn without_leet(lower: &str) -> String {
    let letter = |c| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    lower.chars().map(letter).collect()
}

/// Lengths of the beginnings of `text` whose characters are all the same, or follow each other in the alphabet or on the
/// keyboard, in one direction: from [`SHORTEST_ROW`] characters on.
fn row(text: &str) -> impl Iterator<Item = usize> {
    let mut last: Option<char> = None;
    let mut direction = None;
    let goes_on = move |c: char| {
        let step = last.map(|last| step(last, c));
        last = Some(c);
        match step {
            None => true,
            Some(None) => false,
            Some(step) => *direction.get_or_insert(step) == step,
        }
    };
    let chars = text.chars().scan(goes_on, |goes_on, c| goes_on(c).then_some(c));
    let lengths = chars.scan(0, |end, c| {
        *end += c.len_utf8();
        Some(*end)
    });
    lengths.skip(SHORTEST_ROW - 1)
}

/// -1, 0 or 1 if `b` is a neighbour of `a` or the same.
fn step(a: char, b: char) -> Option<i64> {
    let near = |from: i64, to: i64| Some(to - from).filter(|step| (-1..=1).contains(step));
    let on_row = |row: &&str| {
        let place = |c| row.chars().position(|key| key == c).and_then(|at| i64::try_from(at).ok());
        near(place(a)?, place(b)?)
    };
    near(i64::from(u32::from(a)), i64::from(u32::from(b))).or_else(|| ROWS.iter().find_map(on_row))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_and_runs_have_a_length() {
        for (text, length) in [
            ("abcdx", 4),
            ("4321!", 4),
            ("7890-", 4),
            ("qwerty", 6),
            ("poiu", 4),
            ("!!!", 3),
            ("яяя", 6),
            ("ab", 0),
            ("", 0),
        ] {
            assert_eq!(row(text).last().unwrap_or(0), length, "{text}");
        }
        assert_eq!(row("12345").collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn periods_are_the_shortest() {
        for (text, unit) in [("abababa", 2), ("aaaa", 1), ("abcabd", 6), ("abcdeabcdeabc", 5), ("", 0)] {
            assert_eq!(period(&text.chars().collect::<Vec<_>>()), unit, "{text}");
        }
    }

    proptest! {
        // LOG-03: repeating a short text never makes it acceptable.
        #[test]
        fn repetition_adds_nothing(unit in "[a-z0-9#]{1,7}", times in 3_usize..20) {
            let password = unit.repeat(times);
            prop_assume!(password.len() >= 15);
            let refused = weakness(&password, 15, &Context::new(None, ""));
            prop_assert!(matches!(refused, Some(Weakness::Repeated { .. })), "{:?}", refused);
        }
    }
}
