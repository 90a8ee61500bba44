//! When lines of the revocation feed are written anew.
//!
//! The feed of all unexpired entries is a chain of signed lines, each of which continues where the one before ended. Lines
//! that were sent live are short; entries expire; keys are replaced. So neighbours are joined now and then, without what
//! has expired. A reader with any cursor begins at the first line that ends above it.

use std::ops::Range;

/// Most entries of one line: well below the longest line that readers accept, about 1 MiB.
pub const LINE_ENTRIES: usize = 8192;
/// Lines beyond what full ones would need, before neighbours are joined.
const LOOSE_LINES: usize = 128;

/// What is known of a line without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub entries: usize,
    /// Unix seconds from which on half of its entries or more have expired; `i64::MAX` if that never comes.
    pub half_life: i64,
    /// The key that signed it is the one that signs now.
    pub current_key: bool,
}

impl Extent {
    fn is_spent(&self, now: i64) -> bool {
        self.half_life <= now
    }

    /// At least as many as are left at `now`.
    fn left(&self, now: i64) -> usize {
        if self.is_spent(now) { self.entries / 2 } else { self.entries }
    }
}

/// The time from which on half of these expiries or more have passed. An expiry of 0 never comes.
pub fn half_life(mut expiries: Vec<i64>) -> i64 {
    for exp in &mut expiries {
        if *exp == 0 {
            *exp = i64::MAX;
        }
    }
    expiries.sort_unstable();
    expiries.get(expiries.len().saturating_sub(1) / 2).copied().unwrap_or(i64::MAX)
}

/// Whether an entry with this `exp` still counts at `now`, both in Unix seconds.
pub fn counts(exp: i64, now: i64) -> bool {
    exp == 0 || exp > now
}

/// The runs of lines that are to be replaced by one line each. None overlap, and what a run has left fits into a line.
pub fn rewrite(lines: &[Extent], now: i64) -> Vec<Range<usize>> {
    let entries: usize = lines.iter().map(|line| line.left(now)).sum();
    let crowded = lines.len() > entries / LINE_ENTRIES + LOOSE_LINES;
    let mut runs = Vec::new();
    let (mut start, mut left) = (0, 0);
    for (at, line) in lines.iter().enumerate() {
        if at > start && left + line.left(now) > LINE_ENTRIES {
            runs.push(start..at);
            (start, left) = (at, 0);
        }
        left += line.left(now);
    }
    runs.push(start..lines.len());
    runs.retain(|run| {
        let lines = &lines[run.clone()];
        let worn = lines.iter().any(|line| !line.current_key || (line.entries > 0 && line.is_spent(now)));
        worn || (crowded && lines.len() > 1)
    });
    runs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn line(entries: usize) -> Extent {
        Extent { entries, half_life: i64::MAX, current_key: true }
    }

    fn runs(lines: &[Extent], now: i64) -> Vec<(usize, usize)> {
        rewrite(lines, now).into_iter().map(|run| (run.start, run.end)).collect()
    }

    #[test]
    fn short_lines_are_joined_when_they_are_many() {
        assert_eq!(runs(&[line(1); LOOSE_LINES], 0), []);
        assert_eq!(runs(&[line(1); LOOSE_LINES + 1], 0), [(0, LOOSE_LINES + 1)]);
        let mut lines = vec![line(LINE_ENTRIES), line(LINE_ENTRIES - 100)];
        lines.extend([line(1); LOOSE_LINES + 10]);
        // The full one stays; the next takes what fits.
        assert_eq!(runs(&lines, 0), [(1, 102), (102, lines.len())]);
    }

    #[test]
    fn lines_of_a_replaced_key_and_spent_lines_are_written_anew() {
        assert_eq!(runs(&[line(10), Extent { current_key: false, ..line(10) }], 0), [(0, 2)]);
        let spent = Extent { half_life: 50, ..line(LINE_ENTRIES) };
        assert_eq!(runs(&[line(LINE_ENTRIES), spent], 49), []);
        assert_eq!(runs(&[line(LINE_ENTRIES), spent], 50), [(1, 2)]);
        assert_eq!(runs(&[], 0), []);
    }

    #[test]
    fn the_half_life_is_when_half_is_gone() {
        assert_eq!(half_life(vec![]), i64::MAX);
        assert_eq!(half_life(vec![7]), 7);
        assert_eq!(half_life(vec![9, 7]), 7);
        assert_eq!(half_life(vec![0, 7, 9]), 9);
        assert_eq!(half_life(vec![0, 0, 9]), i64::MAX);
    }

    proptest! {
        #[test]
        fn a_run_always_fits_into_a_line(
            lines in prop::collection::vec((0..=LINE_ENTRIES, prop::option::of(0..100_i64), any::<bool>()), 0..400),
            now in 0..100_i64,
        ) {
            let lines: Vec<Extent> = lines
                .into_iter()
                .map(|(entries, half_life, current_key)| {
                    Extent { entries, half_life: half_life.unwrap_or(i64::MAX), current_key }
                })
                .collect();
            let mut end = 0;
            for run in rewrite(&lines, now) {
                prop_assert!(run.start >= end && !run.is_empty());
                let left: usize = lines[run.clone()].iter().map(|line| line.left(now)).sum();
                prop_assert!(left <= LINE_ENTRIES);
                end = run.end;
            }
        }
    }
}
