//! What was promised, and what was seen.

use stage::story::Story;

use crate::watch::{PAUSE, Seen};

/// After a revocation was answered, no verifier with the profile `Strict` accepts what it ended from then on: a lease of 1 s,
/// and 250 ms for a check that was under way. Microseconds.
const STRICT: i64 = 1_250_000;

/// One revocation, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Revocation {
    /// Its position in the log.
    pub committed: i64,
    /// From then on nobody accepts what it ended.
    pub effective_by: i64,
}

impl Revocation {
    pub fn effective_by(answered: i64) -> i64 {
        answered + STRICT
    }
}

/// The promise, at every verifier.
pub fn promise(story: &mut Story, seen: &[Seen], revocation: Revocation) {
    let late = |seen: &Seen| seen.last_accepted.is_some_and(|sent| sent > revocation.effective_by);
    story.check("nothing was accepted that was sent after `effective_by`", !seen.iter().any(late));
    story.check("nothing was accepted once it had been refused", seen.iter().all(|seen| seen.revived == 0));
    story.check("each try had an answer: 200, 401 or 503", seen.iter().all(|seen| seen.odd == 0));
}

/// Every one of these verifiers has refused, and how long it took them.
pub fn refusals(story: &mut Story, seen: &[Seen], revocation: Revocation) {
    let times: Option<Vec<i64>> = seen.iter().map(|seen| Some(seen.first_refused? - revocation.committed)).collect();
    story.check(&format!("each of these {} verifiers has refused it with 401", seen.len()), times.is_some());
    let Some(times) = times else { return };
    let shown: Vec<String> = times.iter().map(|time| format!("{:>5}", millis(*time))).collect();
    story.say("from the commit to the first refusal, ms, verifier by verifier:");
    for row in shown.chunks(10) {
        story.say(&format!("  {}", row.join(" ")));
    }
    let mut sorted = times;
    sorted.sort_unstable();
    let [min, median, max] = [0, sorted.len() / 2, sorted.len() - 1].map(|at| millis(sorted[at]));
    story.say(&format!("  min {min} · median {median} · max {max}, as the thief sees it, who asks every {PAUSE:?}"));
    let accepted: u32 = seen.iter().map(|seen| seen.accepted).sum();
    let unable = seen.iter().filter(|seen| seen.first_unable.is_some()).count();
    story.say(&format!("  before that it was accepted {accepted} times; {unable} verifiers answered 503 at some time"));
}

/// Rounded up.
pub fn millis(micros: i64) -> i64 {
    micros.saturating_add(999).div_euclid(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVOCATION: Revocation = Revocation { committed: 1_000_000, effective_by: 2_250_000 };

    fn unexpected(seen: Seen) -> u32 {
        let mut story = Story::new();
        promise(&mut story, &[Seen::default(), seen], REVOCATION);
        story.tally().1
    }

    #[test]
    fn a_late_acceptance_is_noticed() {
        assert_eq!(unexpected(Seen { last_accepted: Some(2_250_000), ..Seen::default() }), 0);
        assert_eq!(unexpected(Seen { last_accepted: Some(2_250_001), ..Seen::default() }), 1);
        assert_eq!(unexpected(Seen { revived: 1, ..Seen::default() }), 1);
        assert_eq!(unexpected(Seen { odd: 1, ..Seen::default() }), 1);
    }

    #[test]
    fn a_verifier_that_never_refused_is_noticed() {
        let refused = || Seen { first_refused: Some(1_012_000), ..Seen::default() };
        for (seen, expected) in [([refused(), refused()], 0), ([refused(), Seen::default()], 1)] {
            let mut story = Story::new();
            refusals(&mut story, &seen, REVOCATION);
            assert_eq!(story.tally().1, expected);
        }
    }
}
